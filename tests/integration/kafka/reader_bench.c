/* reader_bench.c - see reader_bench.h. */
#include "reader_bench.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void quiet(void *context)
{
	(void)context;
}

static void troubled(void *context, enum status s, const struct why *why)
{
	struct bench *b = context;

	(void)s;
	snprintf(b->trouble, sizeof b->trouble, "%s", why->text);
	b->troubles++;
}

void open_bench_of(struct bench *b, struct bench_shape shape)
{
	const struct reader_calls calls = {b, quiet, quiet, quiet, troubled, quiet, NULL};
	struct journal_opening opening;
	struct why why = {""};

	memset(b, 0, sizeof *b);
	rig_open(&b->rig, shape.brokers, shape.partitions);
	strcpy(b->folder, "/tmp/scorebox-reader-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof b->path, "%s/journal.db", b->folder);
	b->config = (struct config){.state_dir = b->folder,
		.kafka_topic = "t",
		.kafka_group = shape.group,
		.kafka_instance = "",
		/* the mock cluster lets a member that left go only when its session ends */
		.kafka_options = *shape.group ? "session.timeout.ms=6000,heartbeat.interval.ms=500"
					      : "",
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

void open_bench(struct bench *b, const char *group)
{
	open_bench_of(b, (struct bench_shape){group, 1, 3});
}

void close_bench(struct bench *b)
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

void publish(struct bench *b, unsigned count)
{
	if (!b->rig.publisher)
		rig_publish(&b->rig);
	rig_add_rows(&b->rig, count, 10, 100);
	rig_settle(&b->rig, 60);
	publisher_close(b->rig.publisher);
	b->rig.publisher = NULL;
}

void publish_to(struct bench *b, int partition, unsigned count)
{
	char reason[200], key[] = "k", value[] = "x";
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *writer;

	assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", b->rig.settings.brokers,
				 reason, sizeof reason),
		RD_KAFKA_CONF_OK);
	writer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
	assert_non_null(writer);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(rd_kafka_producev(writer, RD_KAFKA_V_TOPIC("t"),
					 RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(key, 1),
					 RD_KAFKA_V_VALUE(value, 1), RD_KAFKA_V_END),
			RD_KAFKA_RESP_ERR_NO_ERROR);
	assert_int_equal(rd_kafka_flush(writer, 30000), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_destroy(writer);
}

unsigned records_read(struct bench *b)
{
	struct journal_figures f;

	journal_figures(b->journal, &f);
	return (unsigned)(f.errors + f.records);
}

void expect_read(struct bench *b, unsigned count, unsigned seconds)
{
	struct why why;
	int64_t until_ms = clock_mono_ms() + seconds * 1000;

	while (records_read(b) < count && clock_mono_ms() < until_ms)
		assert_int_equal(loop_turn(b->loop, 50, &why), STATUS_OK);
	assert_int_equal(records_read(b), count);
}

void turn_for(struct bench *b, int64_t ms)
{
	struct why why;

	for (int64_t until_ms = clock_mono_ms() + ms; clock_mono_ms() < until_ms;)
		assert_int_equal(loop_turn(b->loop, 50, &why), STATUS_OK);
}
