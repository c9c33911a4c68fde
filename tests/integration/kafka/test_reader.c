/* test_reader.c - the topic into the journal while the broker comes and goes, alone and in a group: every
 * record once, whatever happens between. */
#include "base/clock.h"
#include "reader_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void goes_on_after(struct bench *b)
{
	publish(b, 100);
	expect_read(b, 100, 60);
	rd_kafka_mock_broker_set_down(b->rig.cluster, -1);
	turn_for(b, 2000);
	rd_kafka_mock_broker_set_up(b->rig.cluster, -1);
	publish(b, 50);
	expect_read(b, 150, 60);
	turn_for(b, 1000);
	publish(b, 50);
	expect_read(b, 200, 60);
	assert_int_equal(b->troubles, 0);
}

static void broker_comes_back(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, "");
	goes_on_after(&b);
	close_bench(&b);
}

static void broker_comes_back_to_a_group(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, "boxes");
	goes_on_after(&b);
	close_bench(&b);
}

/* The group gives partitions once; the broker that cannot be asked for the marks just then is asked again. */
static void assigned_while_the_broker_fails(void **state)
{
	static const rd_kafka_resp_err_t errors[] = {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
		RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
		RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
		RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED};
	enum { LIST_OFFSETS = 2 };
	struct bench b;

	(void)state;
	open_bench(&b, "boxes");
	publish(&b, 100);
	rig_push_errors(&b.rig, LIST_OFFSETS, errors, sizeof errors / sizeof *errors);
	expect_read(&b, 100, 60);
	close_bench(&b);
}

/* The broker answers every question, but gives no record: the client is made anew, at ever longer intervals,
 * until records come. */
static void deaf(struct bench *b)
{
	rd_kafka_resp_err_t errors[1000];
	struct reader_pace usual = reader_pace;
	int64_t until_ms;

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		errors[i] = RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR;
	reader_pace = (struct reader_pace){.look_ms = 200, .stuck_ms = 1000, .silent_ms = 600000};
	publish(b, 50);
	expect_read(b, 50, 60);
	turn_for(b, 2000);
	assert_int_equal(b->reader->recreated, 0); /* nothing waits */
	rig_push_errors(&b->rig, RIG_FETCH, errors, sizeof errors / sizeof *errors);
	publish(b, 30);
	until_ms = clock_mono_ms() + 60000;
	while (b->reader->recreated < 2 && clock_mono_ms() < until_ms)
		turn_for(b, 50);
	assert_int_equal(b->reader->recreated, 2);
	rd_kafka_mock_clear_request_errors(b->rig.cluster, RIG_FETCH);
	expect_read(b, 80, 60);
	turn_for(b, 2000);
	assert_int_equal(b->reader->recreated, 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(b->reader->partition[i].recreated, 0); /* forgiven */
	assert_int_equal(b->troubles, 0);
	reader_pace = usual;
}

static void deaf_client_is_made_anew(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, "");
	deaf(&b);
	close_bench(&b);
}

static void deaf_client_is_made_anew_in_a_group(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, "boxes");
	deaf(&b);
	close_bench(&b);
}

/* A journal that is full pauses the partitions: records that wait are no sign of a deaf client. */
static void paused_is_not_deaf(void **state)
{
	struct bench b;
	struct reader_pace usual = reader_pace;

	(void)state;
	open_bench(&b, "");
	publish(&b, 50);
	expect_read(&b, 50, 60);
	reader_pace = (struct reader_pace){.look_ms = 100, .stuck_ms = 300, .silent_ms = 600000};
	b.reader->state = READER_FULL;
	subscriber_pause(b.reader->subscriber);
	publish(&b, 50);
	turn_for(&b, 2000);
	assert_int_equal(b.reader->recreated, 0);
	reader_survey(b.reader);
	expect_read(&b, 100, 60);
	reader_pace = usual;
	close_bench(&b);
}

/* Brokers that take no question at all: the loop turns on meanwhile, and the client is made anew. */
static void silent_broker(void **state)
{
	struct bench b;
	struct reader_pace usual = reader_pace;
	struct why why;
	int64_t longest_ms = 0;

	(void)state;
	open_bench(&b, "");
	publish(&b, 50);
	expect_read(&b, 50, 60);
	reader_pace = (struct reader_pace){.look_ms = 200, .stuck_ms = 600000, .silent_ms = 3000};
	rd_kafka_mock_broker_set_rtt(b.rig.cluster, 1, 30000);
	for (int64_t until_ms = clock_mono_ms() + 40000;
		!b.reader->recreated && clock_mono_ms() < until_ms;) {
		int64_t began = clock_mono_ms();
		assert_int_equal(loop_turn(b.loop, 50, &why), STATUS_OK);
		if (!b.reader->recreated && clock_mono_ms() - began > longest_ms)
			longest_ms = clock_mono_ms() - began;
	}
	assert_int_equal(b.reader->recreated, 1);
	assert_in_range(longest_ms, 0, 1000);
	rd_kafka_mock_broker_set_rtt(b.rig.cluster, 1, 0);
	publish(&b, 50);
	expect_read(&b, 100, 90);
	reader_pace = usual;
	close_bench(&b);
}

static uint64_t gaps_of(const struct bench *b)
{
	struct journal_figures f;

	journal_figures(b->journal, &f);
	return f.gaps;
}

/* What a later start sees: records came into partition 1 and expired before anybody read them. */
static void lose_in_partition_1(struct bench *b, bool first_sight)
{
	static const int list[] = {1};
	struct reader *r = b->reader;
	struct why why = {""};

	r->survey.span[1].low = r->survey.span[1].high = 5;
	if (reader_assign(r, list, 1, first_sight, &why) != STATUS_OK)
		fail_msg("%s", why.text);
}

static void turn_until_placed(struct bench *b)
{
	struct journal_position p = {.known = false};
	struct why why;

	for (int64_t until_ms = clock_mono_ms() + 30000; !p.known && clock_mono_ms() < until_ms;) {
		turn_for(b, 50);
		if (b->reader->generation)
			assert_int_equal(
				journal_position(b->journal, b->reader->generation, 1, &p, &why),
				STATUS_OK);
	}
	assert_true(p.known);
	assert_int_equal(p.next_offset, 0);
}

/* Partitions that were empty when they were seen first: what they lose later is a gap, not a beginning. */
static void empty_when_first_seen(void **state)
{
	struct bench b;
	struct why why;
	unsigned generation;
	bool first_sight = true;

	(void)state;
	open_bench(&b, "");
	turn_until_placed(&b);
	assert_int_equal(journal_generation(b.journal, b.reader->cluster, "t", "", &generation,
				 &first_sight, &why),
		STATUS_OK);
	assert_false(first_sight);
	lose_in_partition_1(&b, first_sight);
	assert_int_equal(gaps_of(&b), 1);
	close_bench(&b);
}

/* With a group a partition that this box has not had before is no gap, one that it had is. */
static void empty_when_first_seen_in_a_group(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, "boxes");
	turn_until_placed(&b);
	lose_in_partition_1(&b, true);
	assert_int_equal(gaps_of(&b), 1);
	b.reader->generation = 2; /* of which this box has placed nothing */
	lose_in_partition_1(&b, true);
	assert_int_equal(gaps_of(&b), 1);
	close_bench(&b);
}

/* Whether the records are lost nobody knows in a group: the line says what is known. */
static void a_gap_is_told_in_words_that_are_true(void **state)
{
	static const struct {
		const char *group, *line, *words;
		int says_lost;
	} cases[] = {
		{"", "error kafka.gap: partition 1: offsets 0..4 expired before they were read",
			"lost=5", 1},
		{"boxes", "warn kafka.gap: partition 1: offsets 0..4 are gone from the topic",
			"not read by this box, missing here=5; another box of group 'boxes' may have them",
			0},
	};
	struct bench b;
	char log[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		open_bench(&b, cases[i].group);
		turn_until_placed(&b);
		snprintf(log, sizeof log, "%s/log", b.folder);
		int caught = rig_catch_log(log);
		lose_in_partition_1(&b, true);
		rig_release_log(caught);
		assert_int_equal(rig_told(log, cases[i].line, cases[i].words), 1);
		assert_int_equal(rig_told(log, "kafka.gap", "lost="), cases[i].says_lost);
		close_bench(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broker_comes_back),
		cmocka_unit_test(broker_comes_back_to_a_group),
		cmocka_unit_test(assigned_while_the_broker_fails),
		cmocka_unit_test(deaf_client_is_made_anew),
		cmocka_unit_test(deaf_client_is_made_anew_in_a_group),
		cmocka_unit_test(paused_is_not_deaf),
		cmocka_unit_test(silent_broker),
		cmocka_unit_test(empty_when_first_seen),
		cmocka_unit_test(empty_when_first_seen_in_a_group),
		cmocka_unit_test(a_gap_is_told_in_words_that_are_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
