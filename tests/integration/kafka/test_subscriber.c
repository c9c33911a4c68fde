/* test_subscriber.c - a topic read from positions of our own: survey, ends, positions out of range, pauses,
 * the broker's absence; and with a group: joining, sharing, leaving. */
#include "base/clock.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static struct subscriber_survey survey;

static struct subscriber *open_subscriber(struct rig *r)
{
	struct subscriber *s = NULL;
	struct why why = {""};

	if (subscriber_open(&s, &r->settings, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	return s;
}

static void assign(struct subscriber *s, int partition, int64_t offset)
{
	const struct subscriber_start start = {partition, offset};
	struct why why = {""};

	if (subscriber_assign(s, &start, 1, &why) != STATUS_OK)
		fail_msg("%s", why.text);
}

static void next(struct subscriber *s, int64_t wait_ms, struct subscriber_event *e)
{
	struct why why;

	assert_int_equal(subscriber_next(s, wait_ms, e, &why), STATUS_OK);
}

/* Waits for an event of this kind and passes over others. */
static void expect(struct subscriber *s, enum subscriber_kind kind, struct subscriber_event *e)
{
	int64_t until_ms = clock_mono_ms() + 30000;

	do {
		if (clock_mono_ms() > until_ms)
			fail_msg("event %d does not come", kind);
		next(s, 100, e);
	} while (e->kind != kind);
}

/* `count` records, from this offset on without a gap. */
static void expect_records(struct subscriber *s, int64_t from, unsigned count)
{
	struct subscriber_event e;

	for (unsigned i = 0; i < count; i++) {
		expect(s, SUBSCRIBER_RECORD, &e);
		assert_int_equal(e.offset, from + i);
	}
}

static void fill(struct rig *r, unsigned rows, unsigned keys, unsigned bytes)
{
	if (!r->publisher)
		rig_publish(r);
	rig_add_rows(r, rows, keys, bytes);
	rig_settle(r, 60);
}

static void surveys(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct why why = {""};
	int64_t sum = 0;

	(void)state;
	rig_open(&r, 3, 12);
	fill(&r, 500, 100, 100);
	s = open_subscriber(&r);
	assert_int_equal(subscriber_survey(s, 10000, &survey, &why), STATUS_OK);
	assert_true(subscriber_connected(s));
	assert_int_equal(survey.partitions, 12);
	assert_true(survey.cluster[0]);
	assert_string_equal(survey.topic_id, "");
	for (unsigned i = 0; i < survey.partitions; i++) {
		assert_int_equal(survey.span[i].partition, i);
		assert_int_equal(survey.span[i].low, 0);
		sum += survey.span[i].high;
	}
	assert_int_equal(sum, 500);
	subscriber_close(s);
	rig_close(&r);
}

static void survey_of_nothing(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct why why = {""};

	(void)state;
	rig_open(&r, 1, 1);
	r.settings.topic = "not-there";
	s = open_subscriber(&r);
	/* Asking twice: the first question must not have made it. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(subscriber_survey(s, 10000, &survey, &why), STATUS_NOT_FOUND);
		assert_non_null(strstr(why.text, "'not-there' does not exist: create it"));
	}
	subscriber_close(s);
	rig_close(&r);
}

static void survey_denied(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct why why = {""};

	(void)state;
	rig_open(&r, 1, 1);
	s = open_subscriber(&r);
	/* librdkafka 2.8.0 falls over an error that comes with partitions it does not know yet; only its own
	 * mock sends such. */
	assert_int_equal(subscriber_survey(s, 10000, &survey, &why), STATUS_OK);
	rd_kafka_mock_topic_set_error(r.cluster, "t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(subscriber_survey(s, 10000, &survey, &why), STATUS_DENIED);
	assert_non_null(strstr(why.text, "ACL"));
	subscriber_close(s);
	rig_close(&r);
}

static void survey_without_broker(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct why why = {""};
	int64_t before_ms;

	(void)state;
	rig_open(&r, 1, 1);
	rd_kafka_mock_broker_set_down(r.cluster, -1);
	s = open_subscriber(&r);
	before_ms = clock_mono_ms();
	assert_int_equal(subscriber_survey(s, 1000, &survey, &why), STATUS_AGAIN);
	assert_true(clock_mono_ms() - before_ms < 2000);
	rd_kafka_mock_broker_set_up(r.cluster, -1);
	for (int i = 0; i < 20 && subscriber_survey(s, 1000, &survey, &why) != STATUS_OK; i++)
		continue;
	assert_int_equal(survey.partitions, 1);
	subscriber_close(s);
	rig_close(&r);
}

static void too_many_partitions(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct why why = {""};

	(void)state;
	rig_open(&r, 1, 300);
	s = open_subscriber(&r);
	assert_int_equal(subscriber_survey(s, 10000, &survey, &why), STATUS_FULL);
	assert_non_null(strstr(why.text, "256"));
	subscriber_close(s);
	rig_close(&r);
}

static void ends_and_new_positions(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;

	(void)state;
	rig_open(&r, 1, 1);
	fill(&r, 100, 10, 100);
	s = open_subscriber(&r);
	assign(s, 0, 0);
	expect_records(s, 0, 100);
	expect(s, SUBSCRIBER_END, &e);
	assert_int_equal(e.partition, 0);
	assert_int_equal(e.offset, 100);
	/* At the end already: told so without a record. */
	assign(s, 0, 100);
	do
		next(s, 1000, &e);
	while (e.kind == SUBSCRIBER_NOTHING);
	assert_int_equal(e.kind, SUBSCRIBER_END);
	assert_int_equal(e.offset, 100);
	/* Back into what was read, in the middle of reading. */
	assign(s, 0, 7);
	expect_records(s, 7, 10);
	assign(s, 0, 3);
	expect_records(s, 3, 97);
	/* What comes later comes by itself. */
	fill(&r, 5, 10, 100);
	expect_records(s, 100, 5);
	subscriber_close(s);
	rig_close(&r);
}

/* The broker keeps 5 MiB of a partition. */
static void out_of_range(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;
	struct why why = {""};

	(void)state;
	rig_open(&r, 1, 1);
	fill(&r, 2000, 10, 4000);
	s = open_subscriber(&r);
	assert_int_equal(subscriber_survey(s, 10000, &survey, &why), STATUS_OK);
	assert_true(survey.span[0].low > 0);
	assert_int_equal(survey.span[0].high, 2000);
	/* The gap below, then a position that is not there yet: a topic made anew. */
	for (int i = 0; i < 2; i++) {
		assign(s, 0, i == 0 ? 5 : 5000);
		expect(s, SUBSCRIBER_OUT_OF_RANGE, &e);
		assert_int_equal(e.partition, 0);
		assign(s, 0, survey.span[0].low);
		expect_records(s, survey.span[0].low, 200);
	}
	subscriber_close(s);
	rig_close(&r);
}

static void paused(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;

	(void)state;
	rig_open(&r, 1, 1);
	fill(&r, 1000, 10, 1000);
	s = open_subscriber(&r);
	/* Before anything was read, and then again and again in the middle. */
	assign(s, 0, 0);
	for (int64_t at = 0; at < 1000; at += 250) {
		subscriber_pause(s);
		subscriber_pause(s);
		for (int i = 0; i < 5; i++) {
			next(s, 20, &e);
			assert_int_not_equal(e.kind, SUBSCRIBER_RECORD);
		}
		subscriber_resume(s);
		expect_records(s, at, 250);
	}
	/* Assigned while paused: stays so. */
	subscriber_pause(s);
	assign(s, 0, 10);
	next(s, 700, &e);
	assert_int_not_equal(e.kind, SUBSCRIBER_RECORD);
	subscriber_resume(s);
	expect_records(s, 10, 10);
	subscriber_close(s);
	rig_close(&r);
}

/* One record a wake-up: the descriptor stays readable until there is nothing. */
static void descriptor(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;
	unsigned records = 0;

	(void)state;
	rig_open(&r, 1, 3);
	fill(&r, 1000, 10, 300);
	s = open_subscriber(&r);
	const struct subscriber_start starts[] = {{0, 0}, {1, 0}, {2, 0}};
	struct why why;
	struct pollfd wait = {.fd = subscriber_fd(s), .events = POLLIN};

	assert_int_equal(subscriber_assign(s, starts, 3, &why), STATUS_OK);
	while (records < 1000) {
		assert_int_equal(poll(&wait, 1, 10000), 1);
		next(s, 0, &e);
		records += e.kind == SUBSCRIBER_RECORD;
	}
	do
		next(s, 1000, &e);
	while (e.kind != SUBSCRIBER_NOTHING);
	assert_int_equal(poll(&wait, 1, 0), 0);
	subscriber_close(s);
	rig_close(&r);
}

static void null_parts(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;
	struct view header;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *writer;

	(void)state;
	rig_open(&r, 1, 1);
	assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", r.settings.brokers, NULL, 0),
		RD_KAFKA_CONF_OK);
	writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	assert_non_null(writer);
	assert_int_equal(rd_kafka_producev(writer, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_END), 0);
	assert_int_equal(rd_kafka_producev(writer, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_KEY("", 0),
				 RD_KAFKA_V_VALUE((void *)(uintptr_t) "", 0),
				 RD_KAFKA_V_HEADER("a", "1", 1), RD_KAFKA_V_HEADER("a", "2", 1),
				 RD_KAFKA_V_HEADER("b", NULL, 0), RD_KAFKA_V_END),
		0);
	assert_int_equal(rd_kafka_flush(writer, 10000), 0);
	rd_kafka_destroy(writer);
	s = open_subscriber(&r);
	assign(s, 0, 0);
	expect(s, SUBSCRIBER_RECORD, &e);
	assert_true(e.key_null && e.value_null);
	assert_int_equal(e.key.length + e.value.length, 0);
	assert_false(subscriber_header(&e, "a", &header));
	expect(s, SUBSCRIBER_RECORD, &e);
	assert_true(!e.key_null && !e.value_null);
	assert_int_equal(e.key.length + e.value.length, 0);
	assert_true(subscriber_header(&e, "a", &header));
	assert_true(view_equals(header, "2"));
	assert_true(subscriber_header(&e, "b", &header));
	assert_int_equal(header.length, 0);
	subscriber_close(s);
	rig_close(&r);
}

static void broker_away(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;

	(void)state;
	rig_open(&r, 1, 1);
	fill(&r, 100, 10, 100);
	publisher_close(r.publisher);
	r.publisher = NULL;
	s = open_subscriber(&r);
	assign(s, 0, 0);
	expect_records(s, 0, 50);
	rd_kafka_mock_broker_set_down(r.cluster, -1);
	do
		expect(s, SUBSCRIBER_TROUBLE, &e);
	while (strcmp(e.code, "kafka.down") != 0);
	assert_non_null(strstr(e.reason, "127.0.0.1:"));
	assert_false(subscriber_connected(s));
	rd_kafka_mock_broker_set_up(r.cluster, -1);
	for (int64_t until_ms = clock_mono_ms() + 20000;
		!subscriber_connected(s) && clock_mono_ms() < until_ms;)
		next(s, 20, &e);
	assert_true(subscriber_connected(s));
	assign(s, 0, 50);
	expect_records(s, 50, 50);
	subscriber_close(s);
	rig_close(&r);
}

static void closes_in_time(void **state)
{
	struct rig r;
	struct subscriber *s;
	int64_t before_ms;

	(void)state;
	rig_open(&r, 1, 4);
	fill(&r, 100, 10, 100);
	for (int group = 0; group < 2; group++) {
		struct why why;

		r.settings.group = group ? "g" : "";
		s = open_subscriber(&r);
		if (group)
			assert_int_equal(subscriber_join(s, &why), STATUS_OK);
		else
			assign(s, 0, 0);
		rd_kafka_mock_broker_set_down(r.cluster, -1);
		before_ms = clock_mono_ms();
		subscriber_close(s);
		assert_true(clock_mono_ms() - before_ms < 5500);
		rd_kafka_mock_broker_set_up(r.cluster, -1);
	}
	rig_close(&r);
}

/* ---- with a group ---- */

struct member {
	struct subscriber *s;
	bool has[SUBSCRIBER_PARTITIONS];
	unsigned count, records;
};

static struct subscriber *join(struct rig *r)
{
	struct subscriber *s = open_subscriber(r);
	struct why why = {""};

	assert_int_equal(subscriber_join(s, &why), STATUS_OK);
	return s;
}

static void commit(struct subscriber *s, int partition, int64_t offset)
{
	const struct subscriber_start next = {partition, offset};

	subscriber_commit(s, &next, 1);
}

static void serve_member(struct member *m)
{
	struct subscriber_start starts[SUBSCRIBER_PARTITIONS];
	struct subscriber_event e;
	struct why why = {""};

	next(m->s, 10, &e);
	if (e.kind == SUBSCRIBER_ASSIGNED) {
		for (unsigned i = 0; i < e.count; i++) {
			assert_false(m->has[e.list[i]]);
			m->has[e.list[i]] = true;
			starts[i] = (struct subscriber_start){e.list[i], 0};
		}
		m->count += e.count;
		assert_int_equal(subscriber_assign(m->s, starts, e.count, &why), STATUS_OK);
	} else if (e.kind == SUBSCRIBER_REVOKED) {
		for (unsigned i = 0; i < e.count; i++) {
			assert_true(m->has[e.list[i]]);
			m->has[e.list[i]] = false;
		}
		m->count -= e.count;
		assert_int_equal(subscriber_release(m->s, &why), STATUS_OK);
	} else if (e.kind == SUBSCRIBER_RECORD) {
		assert_true(m->has[e.partition]);
		m->records++;
		commit(m->s, e.partition, e.offset + 1);
	} else if (e.kind == SUBSCRIBER_FATAL) {
		fail_msg("%s %s", e.code, e.reason);
	}
}

static void serve_until(struct member *a, unsigned a_count, struct member *b, unsigned b_count)
{
	int64_t until_ms = clock_mono_ms() + 60000;

	while (a->count != a_count || (b && b->count != b_count)) {
		if (clock_mono_ms() > until_ms)
			fail_msg("the group does not settle: %u and %u partitions", a->count,
				b ? b->count : 0);
		serve_member(a);
		if (b)
			serve_member(b);
	}
}

static int64_t committed(struct rig *r, int partition)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_t *reader;
	int64_t offset;

	(void)rd_kafka_conf_set(conf, "bootstrap.servers", r->settings.brokers, NULL, 0);
	(void)rd_kafka_conf_set(conf, "group.id", r->settings.group, NULL, 0);
	reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
	assert_non_null(reader);
	rd_kafka_topic_partition_list_add(list, "t", partition);
	assert_int_equal(rd_kafka_committed(reader, list, 10000), 0);
	offset = list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(reader);
	return offset;
}

static void group_shares(void **state)
{
	struct rig r;
	struct member a = {0}, b = {0};

	(void)state;
	rig_open(&r, 1, 4);
	fill(&r, 400, 50, 100);
	r.settings.group = "boxes";
	r.settings.options = "heartbeat.interval.ms=200,session.timeout.ms=6000";
	a.s = join(&r);
	serve_until(&a, 4, NULL, 0);
	for (int64_t until_ms = clock_mono_ms() + 20000;
		a.records < 400 && clock_mono_ms() < until_ms;)
		serve_member(&a);
	assert_int_equal(a.records, 400);
	/* A commit may meet a rebalance and be refused: the next one tells the same. */
	for (int i = 0; i < 20 && committed(&r, 0) != 1; i++)
		commit(a.s, 0, 1);
	assert_int_equal(committed(&r, 0), 1);
	b.s = join(&r);
	serve_until(&a, 2, &b, 2);
	for (int i = 0; i < 4; i++)
		assert_true(a.has[i] != b.has[i]);
	/* One leaves: the other has all again, without waiting for a session to end. */
	subscriber_close(a.s);
	serve_until(&b, 4, NULL, 0);
	subscriber_close(b.s);
	rig_close(&r);
}

/* A member that closes with a rebalance still to answer: it ends at once, and the others go on. */
static void leaves_unanswered(void **state)
{
	static const enum subscriber_kind kinds[] = {SUBSCRIBER_ASSIGNED, SUBSCRIBER_REVOKED};

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct rig r;
		struct member leaves = {0}, stays = {0};
		struct subscriber_event e = {.kind = SUBSCRIBER_NOTHING};
		bool given = kinds[i] == SUBSCRIBER_ASSIGNED;
		int64_t before_ms;

		rig_open(&r, 1, 4);
		r.settings.group = "boxes";
		r.settings.options = "heartbeat.interval.ms=200,session.timeout.ms=6000";
		*(given ? &stays.s : &leaves.s) = join(&r);
		serve_until(given ? &stays : &leaves, 4, NULL, 0);
		*(given ? &leaves.s : &stays.s) = join(&r);
		for (before_ms = clock_mono_ms(); e.kind != kinds[i];) {
			assert_true(clock_mono_ms() - before_ms < 30000);
			serve_member(&stays);
			next(leaves.s, 10, &e);
		}
		before_ms = clock_mono_ms();
		subscriber_close(leaves.s);
		assert_true(clock_mono_ms() - before_ms < 2000);
		serve_until(&stays, 4, NULL, 0);
		/* The broker waits 5 s for who may come back; of the session's end it would hear at 6 s. */
		assert_true(clock_mono_ms() - before_ms < 10000);
		subscriber_close(stays.s);
		rig_close(&r);
	}
}

/* The group's own positions are never used: each box starts where its journal says. */
static void paused_in_a_group(void **state)
{
	struct rig r;
	struct member a = {0};
	struct why why = {""};

	(void)state;
	rig_open(&r, 1, 2);
	fill(&r, 200, 50, 100);
	r.settings.group = "boxes";
	a.s = open_subscriber(&r);
	subscriber_pause(a.s);
	assert_int_equal(subscriber_join(a.s, &why), STATUS_OK);
	serve_until(&a, 2, NULL, 0);
	for (int i = 0; i < 30; i++)
		serve_member(&a);
	assert_int_equal(a.records, 0);
	subscriber_resume(a.s);
	for (int64_t until_ms = clock_mono_ms() + 20000;
		a.records < 200 && clock_mono_ms() < until_ms;)
		serve_member(&a);
	assert_int_equal(a.records, 200);
	subscriber_close(a.s);
	rig_close(&r);
}

/* A gap in a partition that the group gave us: it stays ours and gets a new position. */
static void out_of_range_in_a_group(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;

	(void)state;
	rig_open(&r, 1, 1);
	fill(&r, 100, 10, 100);
	r.settings.group = "boxes";
	s = join(&r);
	expect(s, SUBSCRIBER_ASSIGNED, &e);
	assert_int_equal(e.count, 1);
	assign(s, 0, 5000);
	expect(s, SUBSCRIBER_OUT_OF_RANGE, &e);
	assign(s, 0, 20);
	expect_records(s, 20, 80);
	subscriber_close(s);
	rig_close(&r);
}

static void fenced(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID};
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;
	struct why why = {""};

	(void)state;
	rig_open(&r, 1, 1);
	r.settings.group = "boxes";
	r.settings.instance = "hut";
	s = open_subscriber(&r);
	rig_push_errors(&r, 11 /* JoinGroup */, errors, 1);
	assert_int_equal(subscriber_join(s, &why), STATUS_OK);
	expect(s, SUBSCRIBER_FATAL, &e);
	assert_true(e.fenced);
	assert_string_equal(e.code, "kafka.fenced");
	assert_non_null(strstr(e.reason, "SCOREBOX_KAFKA_INSTANCE"));
	subscriber_close(s);
	rig_close(&r);
}

/* One record of this size, the publisher's limit being `limit`. */
static void publish_large(struct rig *r, size_t bytes, uint64_t limit)
{
	char *value = malloc(bytes);
	struct why why = {""};

	assert_non_null(value);
	memset(value, 'x', bytes);
	r->settings.record_max_bytes = limit;
	rig_publish(r);
	rig_add_rows(r, 1, 1, 300);
	assert_int_equal(publisher_put(r->publisher, r->rows[0].id, view_of("k", 1),
				 view_of(value, bytes), NULL, 0, 1, &why),
		STATUS_OK);
	r->next = 1;
	rig_settle(r, 20);
	assert_int_equal(r->delivered, 1);
	free(value);
}

/* With the same settings for both: whatever our producer may write can be read. */
static void what_we_may_write_can_be_read(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;

	(void)state;
	rig_open(&r, 1, 1);
	publish_large(&r, 2500000, 3 << 20);
	s = open_subscriber(&r);
	assign(s, 0, 0);
	expect(s, SUBSCRIBER_RECORD, &e);
	assert_int_equal(e.value.length, 2500000);
	subscriber_close(s);
	rig_close(&r);
}

/* What somebody else wrote may be larger: the trouble names the setting, and with it set all is read. */
static void too_large_to_be_read(void **state)
{
	struct rig r;
	struct subscriber *s;
	struct subscriber_event e;

	(void)state;
	rig_open(&r, 1, 1);
	publish_large(&r, 2500000, 3 << 20);
	r.settings.record_max_bytes = 256 << 10;
	assert_in_range(kafka_largest_batch(&r.settings), 2097164, 2400000);
	s = open_subscriber(&r);
	assign(s, 0, 0);
	expect(s, SUBSCRIBER_TROUBLE, &e);
	assert_string_equal(e.code, "kafka.toolarge");
	assert_non_null(strstr(e.reason, "SCOREBOX_KAFKA_OPTIONS=receive.message.max.bytes="));
	subscriber_close(s);
	r.settings.options = "receive.message.max.bytes=2600000";
	assert_int_equal(kafka_largest_batch(&r.settings), 2600000 - 65536);
	s = open_subscriber(&r);
	assign(s, 0, 0);
	expect(s, SUBSCRIBER_RECORD, &e);
	assert_int_equal(e.value.length, 2500000);
	subscriber_close(s);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(surveys),
		cmocka_unit_test(survey_of_nothing),
		cmocka_unit_test(survey_denied),
		cmocka_unit_test(survey_without_broker),
		cmocka_unit_test(too_many_partitions),
		cmocka_unit_test(ends_and_new_positions),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(paused),
		cmocka_unit_test(descriptor),
		cmocka_unit_test(null_parts),
		cmocka_unit_test(what_we_may_write_can_be_read),
		cmocka_unit_test(too_large_to_be_read),
		cmocka_unit_test(broker_away),
		cmocka_unit_test(closes_in_time),
		cmocka_unit_test(group_shares),
		cmocka_unit_test(leaves_unanswered),
		cmocka_unit_test(paused_in_a_group),
		cmocka_unit_test(out_of_range_in_a_group),
		cmocka_unit_test(fenced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
