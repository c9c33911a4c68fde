/* test_feed_memory.c - memory runs out at allocation 1, 2, 3, ... once and for ever: a status
 * each time, no crash, no leak (the address sanitizer looks), and the same object works again
 * afterwards. */
#include "base/clock.h"
#include "cricket/row.h"
#include "failing_malloc.h"
#include "feed/fetch.h"
#include "feed/registry.h"
#include "feed/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROWS = 20, MAX_RECORD = 8192, ENOUGH = 100000 };

static char body[ROWS * 5000];
static size_t length;

/* Rows that grow, so that the kept part of a row grows by several steps. */
static int make_body(void **state)
{
	(void)state;
	length = (size_t)sprintf(body, "{\"data\":[");
	for (int i = 0; i < ROWS; i++) {
		length += (size_t)sprintf(
			body + length, "%s{\"id\":\"m%d\",\"status\":\"", i ? "," : "", i);
		memset(body + length, 'x', (size_t)i * 200);
		length += (size_t)i * 200;
		length += (size_t)sprintf(body + length,
			"\",\"teams\":[\"A\",\"B\"],\"score\":[{\"r\":%d,\"o\":1.2}]}", i);
	}
	length += (size_t)sprintf(body + length, "],\"status\":\"success\"}");
	return 0;
}

struct work {
	struct row_reader *reader;
	unsigned rows;
};

static enum status take(void *context, const struct split_row *row, struct why *why)
{
	struct work *w = context;
	struct row read;
	enum status status = row_read(w->reader, row->bytes, &read, why);

	if (status == STATUS_OK)
		w->rows++;
	return status;
}

static enum status feed_all(struct split *s, struct why *why)
{
	struct split_envelope e;
	enum status status = STATUS_OK;

	for (size_t at = 0; at < length && status == STATUS_OK; at += 100)
		status = split_feed(s, body + at, length - at < 100 ? length - at : 100, why);
	return status == STATUS_OK ? split_end(s, &e, why) : status;
}

static enum status split_once(struct why *why)
{
	struct source source;
	struct work w = {.rows = 0};
	struct split *s = NULL;
	enum status status = row_reader_open(&w.reader, 16384, why);

	if (status != STATUS_OK)
		return status;
	if (source_profile("cricapi", &source) != STATUS_OK)
		abort();
	status = split_open(&s, &source, MAX_RECORD, take, &w, why);
	if (status == STATUS_OK)
		status = feed_all(s, why);
	if (status != STATUS_OK && s) {
		/* Memory is back: the same splitter goes on with the next body. */
		malloc_fail_at(0, false);
		split_reset(s);
		w.rows = 0;
		assert_int_equal(feed_all(s, why), STATUS_OK);
		assert_int_equal(w.rows, ROWS);
	}
	split_close(s);
	row_reader_close(w.reader);
	return status;
}

static void splitting_and_reading_survive(void **state)
{
	struct why why;

	(void)state;
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		unsigned n = 0, failed = 0, refused;
		enum status status;

		do {
			malloc_fail_at(++n, for_ever);
			status = split_once(&why);
			refused = malloc_failures();
			malloc_fail_at(0, false);
			if (status == STATUS_OK)
				continue; /* a smaller step did where a doubling was refused */
			assert_int_equal(status, STATUS_NO_MEMORY);
			assert_string_not_equal(why.text, "");
			failed++;
		} while (refused > 0 || status != STATUS_OK);
		print_message("%u allocations, %u failures told\n", n - 1, failed);
		assert_true(failed >= (for_ever ? 4u : 3u));
	}
}

static void on_done(void *context, const struct fetch_result *result)
{
	*(struct fetch_result *)context = *result;
}

static enum status on_body(void *context, const char *bytes, size_t n, struct why *why)
{
	(void)context;
	(void)bytes;
	(void)n;
	(void)why;
	return STATUS_OK;
}

static int closed_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* Opens, asks where nobody listens, closes. True when the request got as far as it would with
 * memory. */
static bool fetch_once(struct loop *loop, const struct fetch_options *o)
{
	struct fetch_result result = {.code = NULL};
	struct fetch *f;
	struct why why;
	enum status status = fetch_open(&f, loop, o, &why);
	int64_t end_ms = clock_mono_ms() + 10000;

	if (status != STATUS_OK) {
		assert_int_equal(status, STATUS_NO_MEMORY);
		return false;
	}
	status = fetch_start(f, "offset", 0, on_body, on_done, &result, &why);
	while (status == STATUS_OK && !result.code && clock_mono_ms() < end_ms)
		assert_int_equal(loop_turn(loop, 20, NULL), STATUS_OK);
	fetch_close(f);
	if (status != STATUS_OK) {
		assert_int_equal(status, STATUS_NO_MEMORY);
		return false;
	}
	assert_non_null(result.code);
	return result.outcome == FETCH_CONNECT;
}

static void fetching_survives(void **state)
{
	char url[64];
	struct trust *trust;
	struct loop *loop;
	struct fetch_options o = {
		.url = url,
		.key = "secret",
		.key_param = "apikey",
		.key_header = "X-Key",
		.proxy = "",
		.timeout_ms = 500,
		.max_body_bytes = 1000,
	};
	unsigned n = 0, failed = 0;
	bool whole;

	(void)state;
	snprintf(url, sizeof url, "https://127.0.0.1:%d/x", closed_port());
	if (trust_open(&trust, NULL, NULL, NULL, NULL) != STATUS_OK) {
		print_message("SKIPPED: no CA file on this machine\n");
		skip();
	}
	o.trust = trust;
	assert_int_equal(loop_open(&loop, NULL), STATUS_OK);
	assert_true(fetch_once(loop, &o)); /* what is set up once for the process is set up now */
	do {
		malloc_fail_at(++n, false);
		whole = fetch_once(loop, &o);
		failed += !whole;
		whole = whole && malloc_failures() == 0;
		malloc_fail_at(0, false);
	} while (!whole && n < ENOUGH);
	print_message("%u allocations, %u stopped the request\n", n - 1, failed);
	assert_true(failed > 10);
	loop_close(loop);
	trust_close(trust);
}

static void on_answer(void *context, const struct registry_result *result)
{
	*(struct registry_result *)context = *result;
}

/* As fetch_once, of a registry: with a login and a schema, so that all there is is made. */
static bool register_once(struct loop *loop, const struct registry_question *q)
{
	struct registry_result result = {.code = ""};
	struct registry *r;
	struct why why;
	enum status status = registry_ask(&r, loop, q, on_answer, &result, &why);
	int64_t end_ms = clock_mono_ms() + 10000;

	if (status != STATUS_OK) {
		assert_int_equal(status, STATUS_NO_MEMORY);
		return false;
	}
	while (!*result.code && clock_mono_ms() < end_ms)
		assert_int_equal(loop_turn(loop, 20, NULL), STATUS_OK);
	registry_close(r);
	assert_int_equal(result.outcome, REGISTRY_AWAY);
	return !strcmp(result.code, "registry.connect");
}

static void asking_a_registry_survives(void **state)
{
	char url[64];
	struct loop *loop;
	struct registry_question q = {
		.url = url,
		.user = "user",
		.secret = "secret",
		.subject = "t-value",
		.schema = "{\"type\":\"object\"}",
		.timeout_ms = 500,
	};
	unsigned n = 0, failed = 0;
	bool whole;

	(void)state;
	snprintf(url, sizeof url, "https://127.0.0.1:%d", closed_port());
	if (trust_open(&q.trust, NULL, NULL, NULL, NULL) != STATUS_OK) {
		print_message("SKIPPED: no CA file on this machine\n");
		skip();
	}
	assert_int_equal(loop_open(&loop, NULL), STATUS_OK);
	assert_true(register_once(loop, &q));
	do {
		malloc_fail_at(++n, false);
		whole = register_once(loop, &q);
		failed += !whole;
		whole = whole && malloc_failures() == 0;
		malloc_fail_at(0, false);
	} while (!whole && n < ENOUGH);
	print_message("%u allocations, %u stopped the question\n", n - 1, failed);
	assert_true(failed > 10);
	loop_close(loop);
	trust_close(q.trust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splitting_and_reading_survive),
		cmocka_unit_test(fetching_survives),
		cmocka_unit_test(asking_a_registry_survives),
	};

	return cmocka_run_group_tests(tests, make_body, NULL);
}
