/* test_reader.c - the topic into the journal while the broker comes and goes, alone and in a group: every
 * record once, whatever happens between. */
#include "base/clock.h"
#include "rig.h"
#include "service/reader.h"

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
	const struct reader_calls calls = {b, quiet, quiet, quiet, troubled, quiet};
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
		.kafka_options = "",
		.kafka_compression = "none",
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broker_comes_back),
		cmocka_unit_test(broker_comes_back_to_a_group),
		cmocka_unit_test(assigned_while_the_broker_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
