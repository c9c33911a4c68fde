/* rig.c - a broker, rows, a publisher fed from them. */
#include "rig.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_ID = 1, HEADERS = 3 };

/* Beyond 32 bits, as ids of the spool may be after some years. */
#define ID_BASE (5ll << 32)

void rig_value(int64_t id, unsigned bytes, char *out)
{
	char text[24];

	snprintf(text, sizeof text, "%020" PRId64, id);
	for (unsigned i = 0; i < bytes; i++)
		out[i] = i < 20 ? text[i] : (char)('a' + (id + i) % 26);
}

void rig_open(struct rig *r, unsigned brokers, unsigned partitions)
{
	struct why why = {""};

	memset(r, 0, sizeof *r);
	if (embedded_open(&r->broker, brokers, partitions, "t", &why) != STATUS_OK)
		fail_msg("%s", why.text);
	r->cluster = embedded_cluster(r->broker);
	r->rows = calloc(RIG_ROWS, sizeof *r->rows);
	assert_non_null(r->rows);
	r->settings = (struct kafka_settings){
		.brokers = embedded_bootstrap(r->broker),
		.topic = "t",
		.compression = "none",
		.linger_ms = 5,
		.options = "reconnect.backoff.max.ms=500",
		.group = "",
		.instance = "",
		.queue_bytes = 1 << 20,
		.record_max_bytes = 256 << 10,
	};
}

void rig_close(struct rig *r)
{
	publisher_close(r->publisher);
	embedded_close(r->broker);
	free(r->rows);
}

static struct rig_row *row_of(struct rig *r, int64_t id)
{
	unsigned at = (unsigned)(id - ID_BASE - FIRST_ID);

	assert_true(id >= ID_BASE + FIRST_ID && at < r->count);
	return &r->rows[at];
}

static void on_delivered(void *context, int64_t id)
{
	struct rig *r = context;

	row_of(r, id)->delivered++;
	r->delivered++;
}

static void on_refused(void *context, int64_t id, const char *reason)
{
	struct rig *r = context;
	struct rig_row *row = row_of(r, id);

	row->refused++;
	snprintf(row->reason, sizeof row->reason, "%s", reason);
	r->refused++;
}

/* As the spool's reader does: back to the oldest row that is neither delivered nor refused. */
static void on_rewind(void *context)
{
	struct rig *r = context;

	assert_int_equal(publisher_out(r->publisher), 0);
	r->rewinds++;
	r->next = 0;
}

void rig_publish(struct rig *r)
{
	const struct publisher_calls calls = {r, on_delivered, on_refused, on_rewind};
	struct why why = {""};

	if (publisher_open(&r->publisher, &r->settings, &calls, &why) != STATUS_OK)
		fail_msg("%s", why.text);
}

void rig_add_rows(struct rig *r, unsigned count, unsigned keys, unsigned value_bytes)
{
	for (unsigned i = 0; i < count; i++) {
		struct rig_row *row = &r->rows[r->count];

		assert_true(r->count < RIG_ROWS);
		row->id = ID_BASE + FIRST_ID + r->count;
		row->value_bytes = value_bytes;
		snprintf(row->key, sizeof row->key, "key-%u", r->count % keys);
		r->count++;
	}
}

static enum status put(struct rig *r, const struct rig_row *row)
{
	char value[RIG_VALUE_BYTES], id[24];
	struct kafka_header headers[HEADERS] = {
		{"ce_id", view_of(id, 0)},
		{"content-type", view_of("application/json", 16)},
		{"empty", view_of("", 0)},
	};
	struct why why;

	rig_value(row->id, row->value_bytes, value);
	headers[0].value.length = (size_t)snprintf(id, sizeof id, "%" PRId64, row->id);
	return publisher_put(r->publisher, row->id, view_of(row->key, strlen(row->key)),
		view_of(value, row->value_bytes), headers, HEADERS, 1700000000000 + row->id % 1000,
		&why);
}

static void feed(struct rig *r)
{
	enum status s = STATUS_OK;

	while (s == STATUS_OK && r->next < r->count) {
		const struct rig_row *row = &r->rows[r->next];

		if (row->delivered == 0 && row->refused == 0)
			s = put(r, row);
		if (s == STATUS_OK) {
			r->next++;
			r->puts++;
		}
	}
	assert_true(s == STATUS_OK || s == STATUS_FULL);
}

void rig_turn(struct rig *r)
{
	struct pollfd wait = {.fd = publisher_fd(r->publisher), .events = POLLIN};
	struct publisher_health health;

	feed(r);
	(void)poll(&wait, 1, 20);
	publisher_turn(r->publisher, clock_mono_ms() + r->skew_ms);
	publisher_health(r->publisher, &health);
	if (health.code[0])
		r->worst = health;
	if (health.waiting && health.retry_ms > clock_mono_ms() + r->skew_ms)
		r->skew_ms = health.retry_ms - clock_mono_ms();
}

static bool settled(const struct rig *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->rows[i].delivered + r->rows[i].refused == 0)
			return false;
	return true;
}

static void give_up(const struct rig *r, const char *waited_for)
{
	struct publisher_health h;

	publisher_health(r->publisher, &h);
	for (unsigned i = 0; i < r->count; i++)
		if (r->rows[i].delivered + r->rows[i].refused == 0)
			print_message("row %u is neither delivered nor refused; next is %u\n", i,
				r->next);
	fail_msg("waited for %s: %u of %u delivered, %u refused, %u out, %u rewinds; %s %s",
		waited_for, r->delivered, r->count, r->refused, publisher_out(r->publisher),
		r->rewinds, h.code, h.reason);
}

void rig_settle(struct rig *r, unsigned seconds)
{
	int64_t until_ms = clock_mono_ms() + seconds * 1000;

	while (!settled(r)) {
		if (clock_mono_ms() > until_ms)
			give_up(r, "delivery");
		rig_turn(r);
	}
}

void rig_until_code(struct rig *r, const char *code, unsigned seconds)
{
	int64_t until_ms = clock_mono_ms() + seconds * 1000;
	struct publisher_health health;

	for (;;) {
		rig_turn(r);
		publisher_health(r->publisher, &health);
		if (strcmp(health.code, code) == 0)
			return;
		if (clock_mono_ms() > until_ms)
			give_up(r, code);
	}
}

void rig_push_errors(struct rig *r, int16_t api, const rd_kafka_resp_err_t *errors, size_t count)
{
	rd_kafka_mock_push_request_errors_array(r->cluster, api, count, errors);
}

/* ---- the log ---- */

int rig_catch_log(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	int usual = dup(2);

	assert_true(fd >= 0 && usual >= 0);
	assert_true(dup2(fd, 2) == 2);
	close(fd);
	return usual;
}

void rig_release_log(int caught)
{
	assert_true(dup2(caught, 2) == 2);
	close(caught);
}

int rig_told(const char *path, const char *one, const char *other)
{
	FILE *f = fopen(path, "r");
	char line[2000];
	int count = 0;

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		count += strstr(line, one) && strstr(line, other);
	fclose(f);
	return count;
}

/* ---- reading back ---- */

static void check_record(struct rig *r, const struct subscriber_event *e, int64_t id)
{
	const struct rig_row *row = row_of(r, id);
	char expected[RIG_VALUE_BYTES];
	struct view header;

	rig_value(id, row->value_bytes, expected);
	assert_int_equal(e->value.length, row->value_bytes);
	assert_memory_equal(e->value.bytes, expected, row->value_bytes);
	assert_true(view_equals(e->key, row->key));
	assert_false(e->key_null || e->value_null);
	assert_true(r->restamped || e->time_us == (1700000000000 + id % 1000) * 1000);
	assert_true(subscriber_header(e, "ce_id", &header));
	assert_int_equal(strtoll(header.bytes, NULL, 10), id);
	assert_true(subscriber_header(e, "content-type", &header));
	assert_true(view_equals(header, "application/json"));
	assert_true(subscriber_header(e, "empty", &header));
	assert_int_equal(header.length, 0);
	assert_false(subscriber_header(e, "missing", &header));
}

static void take(struct rig *r, const struct subscriber_event *e, struct rig_read *out)
{
	char digits[21] = "";

	if (e->kind == SUBSCRIBER_END)
		out->ends++;
	if (e->kind != SUBSCRIBER_RECORD)
		return;
	assert_true(out->count < RIG_ROWS);
	memcpy(digits, e->value.bytes, 20);
	out->ids[out->count] = strtoll(digits, NULL, 10);
	out->partitions[out->count] = e->partition;
	if (out->count == 0 || e->time_us < out->earliest_us)
		out->earliest_us = e->time_us;
	check_record(r, e, out->ids[out->count]);
	out->count++;
}

void rig_read_all(struct rig *r, struct rig_read *out)
{
	static struct subscriber_survey survey;
	struct subscriber_start starts[SUBSCRIBER_PARTITIONS];
	struct subscriber_event event;
	struct subscriber *s;
	struct why why = {""};
	int64_t until_ms = clock_mono_ms() + 30000;

	memset(out, 0, sizeof *out);
	if (subscriber_open(&s, &r->settings, &why) != STATUS_OK ||
		subscriber_survey(s, 10000, &survey, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	for (unsigned i = 0; i < survey.partitions; i++)
		starts[i] = (struct subscriber_start){survey.span[i].partition, survey.span[i].low};
	assert_int_equal(subscriber_assign(s, starts, survey.partitions, &why), STATUS_OK);
	while (out->ends < survey.partitions) {
		assert_true(clock_mono_ms() < until_ms);
		assert_int_equal(subscriber_next(s, 100, &event, &why), STATUS_OK);
		take(r, &event, out);
	}
	subscriber_close(s);
}

unsigned rig_check_order(const struct rig *r, const struct rig_read *read)
{
	unsigned seen = 0;
	unsigned *first = calloc(r->count, sizeof *first);

	assert_non_null(first);
	for (unsigned i = 0; i < read->count; i++) {
		unsigned at = (unsigned)(read->ids[i] - ID_BASE - FIRST_ID);

		assert_true(at < r->count);
		if (first[at])
			continue;
		first[at] = i + 1;
		seen++;
		for (unsigned before = at; before-- > 0 && at - before <= 200;)
			if (strcmp(r->rows[before].key, r->rows[at].key) == 0 &&
				r->rows[before].delivered && !first[before])
				fail_msg("row %u of %s came before row %u", at, r->rows[at].key,
					before);
	}
	for (unsigned i = 0; i < r->count; i++)
		if (r->rows[i].delivered && !first[i])
			fail_msg("row %u is told delivered and is not there", i);
	free(first);
	return read->count - seen;
}
