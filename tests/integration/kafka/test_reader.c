/* test_reader.c - the topic into the journal while the broker comes and goes, alone and in a group: every
 * record once, whatever happens between. */
#include "base/clock.h"
#include "rig.h"
#include "service/reader_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench {
	struct rig rig;
	char folder[64], path[96];
	struct config config;
	struct parts parts;
	struct loop *loop;
	struct journal *journal;
	struct row_reader *rows;
	struct reader *reader;
	unsigned troubles;
};

static void quiet(void *context)
{
	(void)context;
}

static void troubled(void *context, enum status s, const struct why *why)
{
	struct bench *b = context;

	(void)s;
	print_message("%s\n", why->text);
	b->troubles++;
}

static void open_bench(struct bench *b, const char *group)
{
	const struct reader_calls calls = {b, quiet, quiet, quiet, troubled, quiet, NULL};
	struct journal_opening opening;
	struct why why = {""};

	memset(b, 0, sizeof *b);
	rig_open(&b->rig, 1, 3);
	strcpy(b->folder, "/tmp/scorebox-reader-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof b->path, "%s/journal.db", b->folder);
	b->config = (struct config){.state_dir = b->folder,
		.kafka_topic = "t",
		.kafka_group = group,
		.kafka_instance = "",
		/* the mock cluster lets a member that left go only when its session ends */
		.kafka_options = *group ? "session.timeout.ms=6000,heartbeat.interval.ms=500" : "",
		.kafka_compression = "none",
		.kafka_ca_file = "",
		.api_ca_file = "",
		.output_dir = ""};
	b->parts = (struct parts){.config = &b->config, .brokers = b->rig.settings.brokers};
	b->parts.budget.consumer_queue = 1 << 20;
	assert_int_equal(loop_open(&b->loop, &why), STATUS_OK);
	assert_int_equal(health_open(&b->parts.health, &b->config, &why), STATUS_OK);
	assert_int_equal(journal_open(&b->journal, b->path, 64 << 20, &opening, &why), STATUS_OK);
	assert_int_equal(row_reader_open(&b->rows, 256 * 1024, &why), STATUS_OK);
	if (reader_open(&b->reader, b->loop, b->journal, &b->parts, b->rows, false, &calls, &why) !=
		STATUS_OK)
		fail_msg("%s", why.text);
}

static void close_bench(struct bench *b)
{
	char command[128];

	reader_close(b->reader);
	row_reader_close(b->rows);
	journal_close(b->journal);
	health_close(b->parts.health);
	loop_close(b->loop);
	rig_close(&b->rig);
	snprintf(command, sizeof command, "rm -rf '%s'", b->folder);
	assert_int_equal(system(command), 0);
}

static void publish(struct bench *b, unsigned count)
{
	if (!b->rig.publisher)
		rig_publish(&b->rig);
	rig_add_rows(&b->rig, count, 10, 100);
	rig_settle(&b->rig, 60);
	publisher_close(b->rig.publisher);
	b->rig.publisher = NULL;
}

/* The rig's values are no JSON: each is one error of the journal. */
static void expect_read(struct bench *b, unsigned count, unsigned seconds)
{
	struct journal_figures f;
	struct why why;
	int64_t until_ms = clock_mono_ms() + seconds * 1000;

	do {
		assert_int_equal(loop_turn(b->loop, 50, &why), STATUS_OK);
		journal_figures(b->journal, &f);
	} while (f.errors + f.records < count && clock_mono_ms() < until_ms);
	assert_int_equal(f.errors + f.records, count);
}

static void turn_for(struct bench *b, int64_t ms)
{
	struct why why;

	for (int64_t until_ms = clock_mono_ms() + ms; clock_mono_ms() < until_ms;)
		assert_int_equal(loop_turn(b->loop, 50, &why), STATUS_OK);
}

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
	assert_int_equal(b->reader->patience, 1);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
