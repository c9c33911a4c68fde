/* test_reader_partial.c - some partitions are well and others are not: those that are well are read. */
#include "base/clock.h"
#include "reader_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { ENOUGH = 3000 };

static const struct reader_pace never = {600000, 600000, 600000};

/* Partition 0 on the first broker, 1 and 2 on the second. */
static void open_two(struct bench *b, const char *group)
{
	open_bench_of(b, (struct bench_shape){group, 2, 3});
	rd_kafka_mock_partition_set_leader(b->rig.cluster, "t", 0, 1);
	rd_kafka_mock_partition_set_leader(b->rig.cluster, "t", 1, 2);
	rd_kafka_mock_partition_set_leader(b->rig.cluster, "t", 2, 2);
}

static void fail_fetches(struct bench *b, int32_t broker, rd_kafka_resp_err_t err, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		assert_int_equal(rd_kafka_mock_broker_push_request_error_rtts(
					 b->rig.cluster, broker, RIG_FETCH, 1, err, 0),
			RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void connect_anew(struct bench *b)
{
	unsigned before = (unsigned)b->reader->recreated;

	reader_recreate(b->reader, "the test wants it", 0);
	assert_int_equal(b->reader->recreated, before + 1);
}

/* The group's coordinator is on the broker that stays. */
static void half_of_the_brokers(const char *group)
{
	struct bench b;
	struct reader_pace usual = reader_pace;

	reader_pace = never;
	open_two(&b, group);
	if (*group)
		rd_kafka_mock_coordinator_set(b.rig.cluster, "group", group, 2);
	for (int i = 0; i < 3; i++)
		publish_to(&b, i, 10);
	expect_read(&b, 30, 60);
	rd_kafka_mock_broker_set_down(b.rig.cluster, 1);
	publish_to(&b, 1, 10);
	expect_read(&b, 40, 30);
	connect_anew(&b);
	publish_to(&b, 2, 10);
	expect_read(&b, 50, 60);
	assert_true(b.reader->survey.unknown == 1 && !b.reader->survey.span[0].known);
	assert_true(b.reader->rest_told);
	rd_kafka_mock_broker_set_up(b.rig.cluster, 1);
	publish_to(&b, 0, 10);
	expect_read(&b, 60, 120);
	turn_for(&b, 500);
	assert_false(b.reader->rest_told);
	assert_int_equal(b.troubles, 0);
	reader_pace = usual;
	close_bench(&b);
}

static void one_broker_of_two_is_away(void **state)
{
	(void)state;
	half_of_the_brokers("");
}

static void one_broker_of_two_is_away_from_a_group(void **state)
{
	(void)state;
	half_of_the_brokers("boxes");
}

/* A broker that is away answers nothing; the records of the other are a sign of life. */
static void records_are_no_silence(void **state)
{
	struct bench b;
	struct reader_pace usual = reader_pace;

	(void)state;
	open_two(&b, "");
	for (int i = 0; i < 3; i++)
		publish_to(&b, i, 10);
	expect_read(&b, 30, 60);
	reader_pace = (struct reader_pace){.look_ms = 200, .stuck_ms = 600000, .silent_ms = 3000};
	rd_kafka_mock_broker_set_down(b.rig.cluster, 1);
	turn_for(&b, 12000);
	assert_int_equal(b.reader->recreated, 0);
	reader_pace = usual;
	close_bench(&b);
}

/* One partition that can never be read: the client is made anew ever more rarely, however many records come of
 * the others. */
static void one_partition_stands_still(void **state)
{
	struct bench b;
	struct reader_pace usual = reader_pace;
	unsigned came = 30;

	(void)state;
	open_two(&b, "");
	for (int i = 0; i < 3; i++)
		publish_to(&b, i, 10);
	expect_read(&b, 30, 60);
	reader_pace = (struct reader_pace){.look_ms = 200, .stuck_ms = 1000, .silent_ms = 600000};
	fail_fetches(&b, 1, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, ENOUGH);
	publish_to(&b, 0, 5);
	for (int64_t until_ms = clock_mono_ms() + 20000; clock_mono_ms() < until_ms;) {
		publish_to(&b, 1, 1);
		expect_read(&b, ++came, 30);
		turn_for(&b, 200);
	}
	/* After 1, 2, 4 and 8 seconds and what each new client takes; once a second without that patience. */
	assert_in_range(b.reader->recreated, 2, 4);
	reader_pace = usual;
	close_bench(&b);
}

/* An error that comes with every answer is no news each time, and not over because there is a connection. */
static void an_error_that_lasts(void **state)
{
	struct bench b;
	unsigned healed = 0;
	struct why why;

	(void)state;
	open_two(&b, "");
	for (int i = 0; i < 3; i++)
		publish_to(&b, i, 1);
	expect_read(&b, 3, 60);
	fail_fetches(&b, 1, RD_KAFKA_RESP_ERR_INVALID_MSG, 30); /* two a second */
	publish_to(&b, 0, 1);
	for (int64_t until_ms = clock_mono_ms() + 6000; clock_mono_ms() < until_ms;) {
		bool before = b.reader->failing;

		assert_int_equal(loop_turn(b.loop, 50, &why), STATUS_OK);
		healed += before && !b.reader->failing;
	}
	assert_true(b.reader->failing);
	assert_int_equal(healed, 0);
	publish_to(&b, 1, 1); /* another partition's records say nothing of this one */
	expect_read(&b, 4, 30);
	assert_true(b.reader->failing);
	expect_read(&b, 5, 60);
	assert_false(b.reader->failing);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_broker_of_two_is_away),
		cmocka_unit_test(one_broker_of_two_is_away_from_a_group),
		cmocka_unit_test(records_are_no_silence),
		cmocka_unit_test(one_partition_stands_still),
		cmocka_unit_test(an_error_that_lasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
