/* test_registry.c - the registry's answers read in pieces of any size, and the question's very bytes. What the
 * answers mean is tested through the program, against a whole registry. */
#include "feed/registry.h"

#include "../tls/paper.h"
#include "base/clock.h"
#include "feed/registry_answer.h"
#include "scripted.h"
#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CA_FILE "registry-test-ca.pem"

static struct paper paper;
static struct trust *trust;
static struct loop *loop;

static int prepare(void **state)
{
	(void)state;
	assert_int_equal(tls_setup(NULL), STATUS_OK);
	paper_make(&paper, &(struct paper_plan){.host = "localhost", .is_ca = 1});
	paper_write(CA_FILE, paper.pem);
	assert_int_equal(trust_open(&trust, CA_FILE, NULL, NULL, NULL), STATUS_OK);
	return loop_open(&loop, NULL) != STATUS_OK;
}

static int clean_up(void **state)
{
	(void)state;
	loop_close(loop);
	trust_close(trust);
	paper_free(&paper);
	unlink(CA_FILE);
	return 0;
}

/* ---- answers ---- */

static const struct {
	const char *json;
	bool well;
	int64_t id, version, error_code;
	const char *type, *message;
} answers[] = {
	{"{\"subject\":\"t-value\",\"version\":3,\"id\":100042,\"schemaType\":\"JSON\",\"schema\":\"{\\\"id\\\":5}\"}",
		true, 100042, 3, -1, "JSON", ""},
	{" {\"id\" : 7 } ", true, 7, -1, -1, "", ""},
	{"{\"error_code\":40401,\"message\":\"Subject 'x' not \\u0066ound\\n\"}", true, -1, -1,
		40401, "", "Subject 'x' not found\n"},
	{"{\"references\":[{\"id\":1,\"version\":2}],\"metadata\":{\"id\":3},\"id\":4}", true, 4,
		-1, -1, "", ""},
	{"{\"id\":1,\"id\":2}", true, 2, -1, -1, "", ""},
	{"{\"id\":\"7\"}", true, -1, -1, -1, "", ""},
	{"{\"id\":7.5,\"version\":-1,\"error_code\":1e3}", true, -1, -1, -1, "", ""},
	{"{\"id\":null,\"schemaType\":7,\"message\":true}", true, -1, -1, -1, "", ""},
	{"{\"idx\":7,\"an_id_that_is_longer_than_the_key\":8}", true, -1, -1, -1, "", ""},
	{"{}", true, -1, -1, -1, "", ""},
	{"[{\"id\":7}]", false, -1, -1, -1, "", ""},
	{"\"id\"", false, -1, -1, -1, "", ""},
	{"{\"id\":7", false, 7, -1, -1, "", ""},
	{"{\"id\":7}}", false, 7, -1, -1, "", ""},
	{"<html>", false, -1, -1, -1, "", ""},
	{"", false, -1, -1, -1, "", ""},
};

/* Cut into pieces of `step` bytes, each in a block of its own size. */
static void read_answer(struct registry_answer *a, const char *json, size_t length, size_t step)
{
	registry_answer_begin(a);
	for (size_t at = 0; at < length; at += step) {
		size_t n = length - at < step ? length - at : step;
		char *piece = malloc(n);

		memcpy(piece, json + at, n);
		registry_answer_feed(a, piece, n);
		free(piece);
	}
	registry_answer_end(a);
}

static void answers_in_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		size_t length = strlen(answers[i].json);

		for (size_t step = 1; step <= length + 1; step++) {
			struct registry_answer a;

			read_answer(&a, answers[i].json, length, step);
			if (a.well != answers[i].well)
				fail_msg("%s by %zu", answers[i].json, step);
			if (!answers[i].well && a.id < 0)
				continue;
			/* A number at the very end of a broken answer may not be over yet. */
			assert_true(a.id == answers[i].id || !answers[i].well);
			assert_int_equal(a.version, answers[i].version);
			assert_int_equal(a.error_code, answers[i].error_code);
			assert_string_equal(a.type, answers[i].type);
			assert_string_equal(a.message, answers[i].message);
		}
	}
}

static void long_texts_are_cut(void **state)
{
	char json[3000] = "{\"message\":\"", *at = json + strlen(json);
	struct registry_answer a;

	(void)state;
	for (int i = 0; i < 300; i++)
		at += sprintf(at, i % 2 ? "\\u00e4" : "x");
	strcpy(at, "\",\"schemaType\":\"a type that nobody has heard of\",\"id\":9}");
	for (size_t step = 1; step < 40; step++) {
		read_answer(&a, json, strlen(json), step);
		assert_true(a.well);
		assert_int_equal(a.id, 9);
		assert_true(strlen(a.message) > 50 && strlen(a.message) < sizeof a.message);
		assert_memory_equal(a.message, "x\xc3\xa4x\xc3\xa4", 6);
		assert_int_equal(strlen(a.type), sizeof a.type - 1);
	}
}

/* Answers with bytes changed, cut out and doubled: whatever it is, nothing is read or written outside. */
static void damaged_answers(void **state)
{
	char bytes[512];

	(void)state;
	srand(2);
	for (int round = 0; round < 30000; round++) {
		size_t i = (size_t)rand() % (sizeof answers / sizeof *answers);
		size_t length = strlen(answers[i].json);
		struct registry_answer a;

		memcpy(bytes, answers[i].json, length);
		for (int n = rand() % 4; n > 0 && length > 0; n--) {
			size_t at = (size_t)rand() % length;

			if (rand() % 3)
				bytes[at] = "{}[]\",:\\u0\n\xff"[rand() % 12];
			else
				memmove(bytes + at, bytes + at + 1, --length - at);
		}
		read_answer(&a, bytes, length, 1 + (size_t)rand() % 7);
		assert_true(memchr(a.message, 0, sizeof a.message));
		assert_true(memchr(a.type, 0, sizeof a.type));
		assert_true(a.id >= -1);
	}
}

/* ---- questions ---- */

struct got {
	struct registry_result result;
	struct registry *registry; /* closed from within the answer */
	unsigned done;
};

static void answered(void *context, const struct registry_result *result)
{
	struct got *g = context;

	g->result = *result;
	g->done++;
	registry_close(g->registry);
}

static void ask(const struct registry_question *q, struct got *g)
{
	int64_t end_ms = clock_mono_ms() + 20000;
	struct why why = {""};

	if (registry_ask(&g->registry, loop, q, answered, g, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	assert_int_equal(g->done, 0);
	while (!g->done && clock_mono_ms() < end_ms)
		assert_int_equal(loop_turn(loop, 50, NULL), STATUS_OK);
	assert_int_equal(g->done, 1);
}

static struct registry_question question(const char *scheme, int port)
{
	static char url[64];

	snprintf(url, sizeof url, "%s://localhost:%d/base/", scheme, port);
	return (struct registry_question){.url = url,
		.user = "",
		.secret = "",
		.subject = "cricket-live-data-value",
		.timeout_ms = 5000,
		.trust = trust};
}

#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\n"

static void the_question_for_the_latest(void **state)
{
	/* The user and secret of RFC 7617, and lengths that leave one, two and no bytes over. */
	static const struct {
		const char *user, *secret, *header;
	} logins[] = {
		{"Aladdin", "open sesame",
			"\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"},
		{"a", "bc", "\r\nAuthorization: Basic YTpiYw==\r\n"},
		{"a", "bcd", "\r\nAuthorization: Basic YTpiY2Q=\r\n"},
		{"a", "bcde", "\r\nAuthorization: Basic YTpiY2Rl\r\n"},
	};
	static const struct scripted_exchange script[] = {
		{JSON_HEAD
			"Content-Length: 43\r\n\r\n{\"id\":7,\"version\":2,\"schemaType\":\"JSON\"}   ",
			0, SCRIPTED_CLOSE},
		{NULL, 0, SCRIPTED_CLOSE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
		struct scripted *s = scripted_open(&paper, script);
		struct registry_question q = question("https", scripted_port(s));
		struct got g = {.done = 0};

		q.user = logins[i].user;
		q.secret = logins[i].secret;
		ask(&q, &g);
		scripted_stop(s);
		if (g.result.outcome != REGISTRY_OK)
			fail_msg("%s", g.result.why.text);
		assert_int_equal(g.result.id, 7);
		assert_int_equal(g.result.version, 2);
		assert_string_equal(g.result.code, "registry.ok");
		assert_non_null(strstr(scripted_requests(s),
			"GET /base/subjects/cricket-live-data-value/versions/latest HTTP/1.1\r\n"));
		assert_non_null(strstr(scripted_requests(s), logins[i].header));
		assert_non_null(strstr(scripted_requests(s),
			"\r\nAccept: application/vnd.schemaregistry.v1+json, application/json\r\n"));
		scripted_close(s);
	}
}

static void the_registration(void **state)
{
	static const struct scripted_exchange script[] = {
		{JSON_HEAD "Content-Length: 8\r\n\r\n{\"id\":9}", 0, SCRIPTED_CLOSE},
		{NULL, 0, SCRIPTED_CLOSE},
	};
	struct scripted *s = scripted_open(NULL, script);
	struct registry_question q = question("http", scripted_port(s));
	struct got g = {.done = 0};

	(void)state;
	q.schema = "{\n\t\"a\": \"\\d\"}";
	ask(&q, &g);
	scripted_stop(s);
	assert_int_equal(g.result.outcome, REGISTRY_OK);
	assert_int_equal(g.result.id, 9);
	assert_non_null(strstr(scripted_requests(s),
		"POST /base/subjects/cricket-live-data-value/versions HTTP/1.1\r\n"));
	assert_non_null(strstr(scripted_requests(s),
		"\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\n"));
	assert_null(strstr(scripted_requests(s), "Authorization"));
	assert_null(strstr(scripted_requests(s), "Expect"));
	scripted_close(s);
}

static void a_wish_to_wait_is_told(void **state)
{
	static const struct scripted_exchange script[] = {
		{"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n",
			0, SCRIPTED_CLOSE},
		{NULL, 0, SCRIPTED_CLOSE},
	};
	struct scripted *s = scripted_open(&paper, script);
	struct registry_question q = question("https", scripted_port(s));
	struct got g = {.done = 0};

	(void)state;
	ask(&q, &g);
	assert_int_equal(g.result.outcome, REGISTRY_AWAY);
	assert_string_equal(g.result.code, "registry.quota");
	assert_int_equal(g.result.retry_after_ms, 90000);
	scripted_close(s);
}

static void questions_that_are_not_asked(void **state)
{
	static const struct {
		const char *url, *user, *reason;
	} cases[] = {
		{"http://localhost:1", "user", "SCOREBOX_SCHEMA_REGISTRY_URL must be https"},
		{"ftp://localhost", "", "SCOREBOX_SCHEMA_REGISTRY_URL"},
		{"", "", "SCOREBOX_SCHEMA_REGISTRY_URL"},
	};
	struct registry_question q = question("https", 1);
	struct registry *r = NULL;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		q.url = cases[i].url;
		q.user = cases[i].user;
		assert_int_equal(registry_ask(&r, loop, &q, answered, NULL, &why), STATUS_BAD_DATA);
		if (!strstr(why.text, cases[i].reason))
			fail_msg("%s: %s", cases[i].url, why.text);
	}
}

/* Closed while the question is out: no answer comes, and nothing stays behind. */
static void closing_early(void **state)
{
	static const struct scripted_exchange script[] = {
		{JSON_HEAD "Content-Length: 8\r\n\r\n{\"id", 0, SCRIPTED_STALL},
		{NULL, 0, SCRIPTED_CLOSE},
	};
	struct scripted *s = scripted_open(&paper, script);
	struct registry_question q = question("https", scripted_port(s));
	struct registry *r;
	struct got g = {.done = 0};

	(void)state;
	assert_int_equal(registry_ask(&r, loop, &q, answered, &g, NULL), STATUS_OK);
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(loop, 10, NULL), STATUS_OK);
	registry_close(r);
	registry_close(NULL);
	assert_int_equal(loop_turn(loop, 10, NULL), STATUS_OK);
	assert_int_equal(g.done, 0);
	scripted_close(s);
}

static void subjects(void **state)
{
	char out[REGISTRY_SUBJECT_BYTES], topic[250];

	(void)state;
	registry_subject("cricket-live-data", out);
	assert_string_equal(out, "cricket-live-data-value");
	memset(topic, 't', sizeof topic - 1);
	topic[sizeof topic - 1] = '\0';
	registry_subject(topic, out);
	assert_int_equal(strlen(out), 249 + 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_in_pieces_of_any_size),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(damaged_answers),
		cmocka_unit_test(the_question_for_the_latest),
		cmocka_unit_test(the_registration),
		cmocka_unit_test(a_wish_to_wait_is_told),
		cmocka_unit_test(questions_that_are_not_asked),
		cmocka_unit_test(closing_early),
		cmocka_unit_test(subjects),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
