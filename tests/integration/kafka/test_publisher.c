/* test_publisher.c - rows reach the embedded broker whatever it answers: once each where nothing failed,
 * in order, none left behind. */
#include "base/clock.h"
#include "memory_limits.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static struct rig_read read_back;

static struct publisher_health health_of(const struct rig *r)
{
	struct publisher_health h;

	publisher_health(r->publisher, &h);
	return h;
}

static void expect_well(const struct rig *r)
{
	struct publisher_health h = health_of(r);

	assert_string_equal(h.code, "");
	assert_string_equal(h.reason, "");
	assert_true(h.connected);
	assert_false(h.waiting);
	assert_int_equal(publisher_out(r->publisher), 0);
}

/* All rows are delivered once, and there is nothing else in the topic. */
static void expect_exactly_once(struct rig *r)
{
	rig_read_all(r, &read_back);
	assert_int_equal(rig_check_order(r, &read_back), 0);
	assert_int_equal(read_back.count, r->count - r->refused);
	for (unsigned i = 0; i < r->count; i++)
		assert_int_equal(r->rows[i].delivered + r->rows[i].refused, 1);
}

static size_t mapped_bytes(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	unsigned long long kib = 0;

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "VmData: %llu", &kib) == 1)
			break;
	fclose(f);
	return (size_t)kib << 10;
}

/* librdkafka's client that cannot start its threads: no client, nothing torn, and the next one is one. */
static void no_room_for_a_thread(void **state)
{
	enum { STACK = 8 << 20, LEFT = 4 << 20 };
	const struct publisher_calls calls = {NULL, NULL, NULL, NULL};
	struct rlimit before, tight;
	pthread_attr_t usual, large;
	struct publisher *p = NULL;
	struct why why = {""};
	struct rig r;

	(void)state;
	if (!memory_limits_hold())
		skip();
	rig_open(&r, 1, 1);
	assert_int_equal(pthread_getattr_default_np(&usual), 0);
	assert_int_equal(pthread_attr_init(&large), 0);
	assert_int_equal(pthread_attr_setstacksize(&large, STACK), 0);
	assert_int_equal(pthread_setattr_default_np(&large), 0);
	assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
	tight = before;
	tight.rlim_cur = mapped_bytes() + LEFT;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(setrlimit(RLIMIT_DATA, &tight), 0);
		assert_int_equal(publisher_open(&p, &r.settings, &calls, &why), STATUS_AGAIN);
		assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
		assert_non_null(strstr(why.text, "thread"));
	}
	assert_int_equal(pthread_setattr_default_np(&usual), 0);
	rig_publish(&r);
	rig_add_rows(&r, 10, 2, 100);
	rig_settle(&r, 20);
	expect_exactly_once(&r);
	rig_close(&r);
}

static void round_trip(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 3, 5);
	r.settings.compression = "lz4";
	rig_publish(&r);
	rig_add_rows(&r, 2000, 20, 750);
	rig_settle(&r, 20);
	expect_exactly_once(&r);
	expect_well(&r);
	assert_int_equal(r.rewinds, 0);
	assert_int_equal(health_of(&r).delivered, 2000);
	rig_close(&r);
}

static void broker_down_and_up(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 1, 2);
	rig_publish(&r);
	rig_add_rows(&r, 50, 5, 200);
	rig_settle(&r, 20);
	rd_kafka_mock_broker_set_down(r.cluster, -1);
	rig_add_rows(&r, 50, 5, 200);
	rig_until_code(&r, "kafka.down", 20);
	assert_false(health_of(&r).connected);
	assert_non_null(strstr(health_of(&r).reason, "127.0.0.1:"));
	assert_int_equal(r.delivered, 50);
	rd_kafka_mock_broker_set_up(r.cluster, -1);
	rig_settle(&r, 30);
	expect_exactly_once(&r);
	expect_well(&r);
	rig_close(&r);
}

static void never_reachable(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 1, 2);
	rd_kafka_mock_broker_set_down(r.cluster, -1);
	rig_publish(&r);
	assert_false(health_of(&r).connected);
	rig_add_rows(&r, 10, 5, 200);
	rig_until_code(&r, "kafka.down", 20);
	rd_kafka_mock_broker_set_up(r.cluster, -1);
	rig_settle(&r, 30);
	expect_exactly_once(&r);
	rig_close(&r);
}

/* With nothing to send, the return of the broker shows too. */
static void idle_notices_return(void **state)
{
	struct rig r;
	int64_t until_ms;

	(void)state;
	rig_open(&r, 1, 1);
	rd_kafka_mock_broker_set_down(r.cluster, -1);
	rig_publish(&r);
	rig_until_code(&r, "kafka.down", 20);
	rd_kafka_mock_broker_set_up(r.cluster, -1);
	until_ms = clock_mono_ms() + 20000;
	while (!health_of(&r).connected && clock_mono_ms() < until_ms)
		rig_turn(&r);
	expect_well(&r);
	rig_close(&r);
}

static void passing_errors_are_not_seen(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {
		RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
		RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
		RD_KAFKA_RESP_ERR__TRANSPORT,
	};
	struct rig r;

	(void)state;
	rig_open(&r, 1, 1);
	rig_publish(&r);
	rig_push_errors(&r, RIG_PRODUCE, errors, sizeof errors / sizeof *errors);
	rig_add_rows(&r, 300, 3, 300);
	rig_settle(&r, 30);
	expect_exactly_once(&r);
	expect_well(&r);
	assert_int_equal(r.rewinds, 0);
	rig_close(&r);
}

/* The batch is written and its acknowledgement is lost: idempotence makes one of two. */
static void lost_acknowledgement(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 1, 1);
	rig_publish(&r);
	rig_add_rows(&r, 20, 3, 300);
	rig_settle(&r, 20);
	rd_kafka_mock_broker_push_request_error_rtts(r.cluster, 1, RIG_PRODUCE, 2,
		RD_KAFKA_RESP_ERR__TRANSPORT, 50, RD_KAFKA_RESP_ERR__TRANSPORT, 50);
	rig_add_rows(&r, 20, 3, 300);
	rig_settle(&r, 30);
	expect_exactly_once(&r);
	rig_close(&r);
}

static void too_few_replicas(void **state)
{
	rd_kafka_resp_err_t errors[40];
	struct rig r;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		errors[i] = RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS;
	rig_open(&r, 1, 1);
	r.settings.options = "retry.backoff.ms=10,retry.backoff.max.ms=20";
	rig_publish(&r);
	rig_push_errors(&r, RIG_PRODUCE, errors, 40);
	rig_add_rows(&r, 300, 3, 300);
	rig_settle(&r, 60);
	assert_true(r.rewinds >= 1);
	assert_string_equal(r.worst.code, "kafka.isr");
	assert_non_null(strstr(r.worst.reason, "in-sync replicas"));
	expect_exactly_once(&r);
	expect_well(&r);
	rig_close(&r);
}

/* The broker refuses a batch for one record in it. Rows 0..19 are then taken one by one, 20 is refused.
 * The linger is long enough that all rows are in that batch on a busy machine too. */
static void one_row_too_large(void **state)
{
	rd_kafka_resp_err_t errors[22] = {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE};
	struct rig r;

	(void)state;
	errors[21] = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
	rig_open(&r, 1, 1);
	r.settings.linger_ms = 150;
	rig_publish(&r);
	rig_push_errors(&r, RIG_PRODUCE, errors, 22);
	rig_add_rows(&r, 40, 3, 100);
	rig_settle(&r, 60);
	assert_int_equal(r.refused, 1);
	assert_int_equal(r.rows[20].refused, 1);
	assert_non_null(strstr(r.rows[20].reason, "max.message.bytes"));
	assert_in_range(r.rewinds, 1, 2);
	rig_add_rows(&r, 10, 3, 100);
	rig_settle(&r, 20);
	expect_exactly_once(&r);
	expect_well(&r);
	rig_close(&r);
}

static void push_refusals(struct rig *r, size_t count)
{
	rd_kafka_resp_err_t errors[16];

	for (size_t i = 0; i < count; i++)
		errors[i] = RD_KAFKA_RESP_ERR_INVALID_RECORD;
	rig_push_errors(r, RIG_PRODUCE, errors, count);
}

/* A check that takes nothing costs five rows, not all: the rest waits, is tried now and then, and goes out by
 * itself when the check takes a record again. The first answer is that to the batch. */
static void a_check_that_takes_nothing(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 1, 1);
	r.settings.linger_ms = 150;
	rig_publish(&r);
	push_refusals(&r, 1 + 5 + 3);
	rig_add_rows(&r, 30, 3, 100);
	rig_settle(&r, 60);
	assert_int_equal(r.refused, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(r.rows[i].refused, 1);
	assert_string_equal(r.worst.code, "kafka.refused");
	assert_non_null(strstr(r.worst.reason, "SCOREBOX_SCHEMA_REGISTRY_URL"));
	expect_exactly_once(&r);
	expect_well(&r);
	/* The count begins anew. */
	r.worst = (struct publisher_health){.code = NULL};
	push_refusals(&r, 1 + 5);
	rig_add_rows(&r, 30, 3, 100);
	rig_settle(&r, 60);
	assert_int_equal(r.refused, 10);
	assert_null(r.worst.code);
	expect_exactly_once(&r);
	rig_close(&r);
}

/* Rows that are refused among others that are taken are the rows' own fault, however many. */
static void a_check_that_takes_some(void **state)
{
	rd_kafka_resp_err_t errors[1 + 2 * 8];
	struct rig r;

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		errors[i] = i == 0 || i % 2 ? RD_KAFKA_RESP_ERR_INVALID_RECORD
					    : RD_KAFKA_RESP_ERR_NO_ERROR;
	rig_open(&r, 1, 1);
	r.settings.linger_ms = 150;
	rig_publish(&r);
	rig_push_errors(&r, RIG_PRODUCE, errors, sizeof errors / sizeof *errors);
	rig_add_rows(&r, 30, 3, 100);
	rig_settle(&r, 60);
	assert_int_equal(r.refused, 8);
	assert_null(r.worst.code);
	expect_exactly_once(&r);
	expect_well(&r);
	rig_close(&r);
}

/* librdkafka itself will not take it: the row is refused without a request. */
static void larger_than_said(void **state)
{
	static char huge[400 << 10];
	struct rig r;
	struct why why = {""};

	(void)state;
	rig_open(&r, 1, 1);
	r.settings.record_max_bytes = 64 << 10;
	rig_publish(&r);
	rig_add_rows(&r, 1, 1, 300);
	memset(huge, 'x', sizeof huge);
	assert_int_equal(publisher_put(r.publisher, r.rows[0].id, view_of("k", 1),
				 view_of(huge, sizeof huge), NULL, 0, 1, &why),
		STATUS_OK);
	r.next = 1;
	rig_settle(&r, 5);
	assert_int_equal(r.refused, 1);
	assert_int_equal(r.rewinds, 0);
	rig_close(&r);
}

static void fatal_error_makes_a_new_client(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {
		RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER};
	struct rig r;

	(void)state;
	rig_open(&r, 1, 1);
	rig_publish(&r);
	rig_add_rows(&r, 10, 3, 300);
	rig_settle(&r, 20);
	rig_push_errors(&r, RIG_PRODUCE, errors, 1);
	rig_add_rows(&r, 200, 3, 300);
	rig_settle(&r, 30);
	assert_string_equal(r.worst.code, "kafka.fatal");
	assert_non_null(strstr(r.worst.reason, "desynchronization"));
	assert_int_equal(health_of(&r).recreated, 1);
	assert_true(r.rewinds >= 1);
	expect_exactly_once(&r);
	expect_well(&r);
	rig_close(&r);
}

static void topic_missing(void **state)
{
	struct rig r;
	unsigned puts;

	(void)state;
	rig_open(&r, 1, 1);
	r.settings.topic = "not-there";
	r.settings.options =
		"topic.metadata.propagation.max.ms=500,topic.metadata.refresh.interval.ms=1000";
	rig_publish(&r);
	rig_add_rows(&r, 20, 3, 300);
	rig_until_code(&r, "kafka.topic", 20);
	assert_non_null(strstr(health_of(&r).reason, "create it or set SCOREBOX_KAFKA_TOPIC"));
	assert_non_null(strstr(health_of(&r).reason, "'not-there'"));
	/* No hot loop: with its own clock the publisher waits at least half a second. */
	puts = r.puts;
	for (int64_t until_ms = clock_mono_ms() + 300; clock_mono_ms() < until_ms;)
		publisher_turn(r.publisher, clock_mono_ms() + r.skew_ms);
	assert_int_equal(r.puts, puts);
	rd_kafka_mock_topic_create(r.cluster, "not-there", 2, 1);
	rig_settle(&r, 30);
	expect_exactly_once(&r);
	expect_well(&r);
	rig_close(&r);
}

static void no_right_to_the_topic(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED};
	struct rig r;

	(void)state;
	rig_open(&r, 1, 1);
	rig_publish(&r);
	rig_push_errors(&r, RIG_PRODUCE, errors, 1);
	rig_add_rows(&r, 20, 3, 300);
	rig_settle(&r, 30);
	assert_string_equal(r.worst.code, "kafka.auth");
	assert_non_null(strstr(r.worst.reason, "ACL"));
	expect_exactly_once(&r);
	rig_close(&r);
}

/* A broker that answers late is waited for; one that never answers costs a new client in the end. */
static void slow_and_stuck(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 1, 1);
	rig_publish(&r);
	rig_add_rows(&r, 10, 3, 300);
	rig_settle(&r, 20);
	rd_kafka_mock_broker_set_rtt(r.cluster, 1, 4000);
	rig_add_rows(&r, 10, 3, 300);
	for (int i = 0; i < 10; i++)
		rig_turn(&r);
	assert_string_equal(health_of(&r).code, "");
	r.skew_ms += 61 * 1000;
	rig_until_code(&r, "kafka.slow", 5);
	assert_int_equal(publisher_out(r.publisher), 10);
	rig_settle(&r, 20);
	expect_well(&r);
	assert_int_equal(r.rewinds, 0);
	rig_add_rows(&r, 10, 3, 300);
	for (int i = 0; i < 10; i++)
		rig_turn(&r);
	r.skew_ms += 11 * 60 * 1000;
	rig_until_code(&r, "kafka.stuck", 5);
	rd_kafka_mock_broker_set_rtt(r.cluster, 1, 0);
	rig_settle(&r, 30);
	assert_int_equal(health_of(&r).recreated, 1);
	/* The old client's rows may have arrived after all: at least once. */
	rig_read_all(&r, &read_back);
	(void)rig_check_order(&r, &read_back);
	rig_close(&r);
}

/* A client that never finds its brokers again looks like brokers that are away: after ten minutes a new one
 * tries. No human is told of it. */
static void away_for_long_costs_a_client_quietly(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 1, 1);
	rig_publish(&r);
	rig_add_rows(&r, 10, 3, 300);
	rig_settle(&r, 20);
	rd_kafka_mock_broker_set_down(r.cluster, -1);
	rig_add_rows(&r, 10, 3, 300);
	rig_until_code(&r, "kafka.down", 20);
	assert_int_equal(r.rewinds, 0);
	r.skew_ms += 11 * 60 * 1000;
	for (int64_t until_ms = clock_mono_ms() + 20000; r.rewinds == 0;) {
		assert_true(clock_mono_ms() < until_ms);
		rig_turn(&r);
	}
	assert_string_equal(health_of(&r).code, "kafka.down");
	assert_false(health_of(&r).connected);
	rd_kafka_mock_broker_set_up(r.cluster, -1);
	rig_settle(&r, 30);
	assert_int_equal(r.rewinds, 1);
	assert_int_equal(health_of(&r).recreated, 0);
	expect_exactly_once(&r);
	expect_well(&r);
	rig_close(&r);
}

/* Refused for its time stamp a row goes again with the time of sending; refused even so, all wait and the
 * clock is named. None is lost, none refused for good. */
static void time_stamps_refused(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {
		RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP};
	struct rig r;
	int64_t now_us = clock_wall_us();

	(void)state;
	rig_open(&r, 1, 1);
	r.restamped = true;
	rig_publish(&r);
	rig_push_errors(&r, RIG_PRODUCE, errors, 1);
	rig_add_rows(&r, 20, 3, 300);
	rig_settle(&r, 20);
	assert_int_equal(r.rewinds, 1);
	assert_null(r.worst.code);
	rig_read_all(&r, &read_back);
	assert_int_equal(read_back.count, 20);
	assert_true(read_back.earliest_us >= now_us - 1000);
	rig_push_errors(&r, RIG_PRODUCE, errors, 2);
	rig_add_rows(&r, 20, 3, 300);
	rig_settle(&r, 20);
	assert_string_equal(r.worst.code, "kafka.clock");
	assert_non_null(strstr(r.worst.reason, "this board's clock"));
	assert_int_equal(r.refused, 0);
	expect_exactly_once(&r);
	expect_well(&r);
	rig_close(&r);
}

static void window_is_bounded(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 1, 1);
	r.settings.queue_bytes = 128 << 10;
	rd_kafka_mock_broker_set_down(r.cluster, -1);
	rig_publish(&r);
	rig_add_rows(&r, 1000, 3, 1000);
	for (int i = 0; i < 20; i++)
		rig_turn(&r);
	assert_in_range(publisher_out(r.publisher), 50, (128 << 10) / 1000);
	rd_kafka_mock_broker_set_up(r.cluster, -1);
	rig_settle(&r, 30);
	expect_exactly_once(&r);
	rig_close(&r);
}

static void closing_with_rows_out(void **state)
{
	struct rig r;
	int64_t before_ms;

	(void)state;
	rig_open(&r, 2, 2);
	rd_kafka_mock_broker_set_down(r.cluster, -1);
	rig_publish(&r);
	rig_add_rows(&r, 100, 3, 300);
	rig_turn(&r);
	assert_int_equal(publisher_out(r.publisher), 100);
	before_ms = clock_mono_ms();
	publisher_close(r.publisher);
	r.publisher = NULL;
	assert_true(clock_mono_ms() - before_ms < 1500);
	rig_close(&r);
}

static void bad_properties(void **state)
{
	struct publisher *p = NULL;
	const struct publisher_calls calls = {0};
	struct rig r;
	struct why why = {""};

	(void)state;
	rig_open(&r, 1, 1);
	r.settings.options = "acks=0";
	assert_int_equal(publisher_open(&p, &r.settings, &calls, &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "acks"));
	r.settings.options = "";
	r.settings.compression = "brotli";
	assert_int_equal(publisher_open(&p, &r.settings, &calls, &why), STATUS_BAD_DATA);
	assert_null(p);
	rig_close(&r);
}

/* Java's Utils.murmur2, written down once more: the partitions must be those of Java's and Python's clients. */
static uint32_t murmur2(const char *bytes, size_t length)
{
	const uint32_t m = 0x5bd1e995;
	uint32_t h = 0x9747b28c ^ (uint32_t)length;
	size_t i = 0;

	for (; i + 4 <= length; i += 4) {
		uint32_t k = (uint32_t)(unsigned char)bytes[i] |
			     (uint32_t)(unsigned char)bytes[i + 1] << 8 |
			     (uint32_t)(unsigned char)bytes[i + 2] << 16 |
			     (uint32_t)(unsigned char)bytes[i + 3] << 24;

		k *= m;
		k ^= k >> 24;
		k *= m;
		h = h * m ^ k;
	}
	if (i < length) {
		for (size_t j = length; j-- > i;)
			h ^= (uint32_t)(unsigned char)bytes[j] << (8 * (j - i));
		h *= m;
	}
	h ^= h >> 13;
	h *= m;
	return h ^ h >> 15;
}

static void partitions_are_javas(void **state)
{
	/* From Kafka's own UtilsTest: the test's function is right before it judges. */
	assert_int_equal((int32_t)murmur2("21", 2), -973932308);
	assert_int_equal((int32_t)murmur2("foobar", 6), -790332482);
	assert_int_equal((int32_t)murmur2("a-little-bit-long-string", 24), -985981536);
	assert_int_equal((int32_t)murmur2("abc", 3), 479470107);

	static const unsigned counts[] = {1, 3, 7, 12};

	(void)state;
	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
		struct rig r;

		rig_open(&r, 1, counts[c]);
		rig_publish(&r);
		rig_add_rows(&r, 60, 60, 100);
		rig_settle(&r, 20);
		rig_read_all(&r, &read_back);
		assert_int_equal(read_back.count, 60);
		for (unsigned i = 0; i < read_back.count; i++) {
			const char *key = r.rows[(read_back.ids[i] - r.rows[0].id)].key;

			assert_int_equal(read_back.partitions[i],
				(murmur2(key, strlen(key)) & 0x7fffffff) % counts[c]);
		}
		rig_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(no_room_for_a_thread),
		cmocka_unit_test(broker_down_and_up),
		cmocka_unit_test(never_reachable),
		cmocka_unit_test(idle_notices_return),
		cmocka_unit_test(passing_errors_are_not_seen),
		cmocka_unit_test(lost_acknowledgement),
		cmocka_unit_test(too_few_replicas),
		cmocka_unit_test(one_row_too_large),
		cmocka_unit_test(a_check_that_takes_nothing),
		cmocka_unit_test(a_check_that_takes_some),
		cmocka_unit_test(larger_than_said),
		cmocka_unit_test(fatal_error_makes_a_new_client),
		cmocka_unit_test(topic_missing),
		cmocka_unit_test(no_right_to_the_topic),
		cmocka_unit_test(slow_and_stuck),
		cmocka_unit_test(away_for_long_costs_a_client_quietly),
		cmocka_unit_test(time_stamps_refused),
		cmocka_unit_test(window_is_bounded),
		cmocka_unit_test(closing_with_rows_out),
		cmocka_unit_test(bad_properties),
		cmocka_unit_test(partitions_are_javas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
