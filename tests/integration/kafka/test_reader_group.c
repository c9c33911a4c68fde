/* test_reader_group.c - what the group takes while this box is busy: other boxes get it when we let go, not before,
 * and not never. */
#include "base/clock.h"
#include "reader_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

/* Another member of the group "boxes", as another client would be. */
struct other {
	const char *brokers;
	pthread_t thread;
	atomic_bool stop;
	atomic_int held; /* partitions */
};

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t err,
	rd_kafka_topic_partition_list_t *list, void *context)
{
	struct other *o = context;

	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		rd_kafka_error_destroy(rd_kafka_incremental_assign(client, list));
		atomic_fetch_add(&o->held, list->cnt);
	} else {
		rd_kafka_error_destroy(rd_kafka_incremental_unassign(client, list));
		atomic_fetch_sub(&o->held, list->cnt);
	}
}

static rd_kafka_t *open_client(struct other *o)
{
	const char *const settings[][2] = {
		{"bootstrap.servers", o->brokers},
		{"group.id", "boxes"},
		{"partition.assignment.strategy", "cooperative-sticky"},
		{"session.timeout.ms", "6000"},
		{"heartbeat.interval.ms", "500"},
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char reason[200];

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], reason,
			    sizeof reason) != RD_KAFKA_CONF_OK)
			return NULL;
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	rd_kafka_conf_set_opaque(conf, o);
	return rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
}

static void *take_part(void *context)
{
	struct other *o = context;
	rd_kafka_t *client = open_client(o);
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

	rd_kafka_poll_set_consumer(client);
	rd_kafka_topic_partition_list_add(topics, "t", RD_KAFKA_PARTITION_UA);
	(void)rd_kafka_subscribe(client, topics);
	while (!atomic_load(&o->stop)) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(client, 50);

		if (m)
			rd_kafka_message_destroy(m);
	}
	rd_kafka_consumer_close(client);
	rd_kafka_destroy(client);
	rd_kafka_topic_partition_list_destroy(topics);
	return NULL;
}

static void join(struct other *o, const struct bench *b)
{
	*o = (struct other){.brokers = b->rig.settings.brokers};
	assert_int_equal(pthread_create(&o->thread, NULL, take_part, o), 0);
}

static void leave(struct other *o)
{
	atomic_store(&o->stop, true);
	pthread_join(o->thread, NULL);
}

static bool workbooks_first(void *context)
{
	(void)context;
	return true;
}

/* Four partitions here; then another box joins, and the group takes some from us. */
static void open_revoked(struct bench *b, struct other *o)
{
	int64_t until_ms;

	open_bench_of(b, (struct bench_shape){"boxes", 1, 4});
	for (int i = 0; i < 4; i++)
		publish_to(b, i, 5);
	expect_read(b, 20, 60);
	b->reader->calls.on_leaving = workbooks_first;
	join(o, b);
	until_ms = clock_mono_ms() + 30000;
	while (!b->reader->releasing && clock_mono_ms() < until_ms)
		turn_for(b, 20);
	assert_true(b->reader->releasing);
}

/* A full journal that has room again, a position out of range, an outage that is over: each asks the cluster and
 * assigns anew. Not while the group waits for our answer: librdkafka would take it for that. */
static void nothing_is_assigned_before_the_release(void **state)
{
	struct bench b;
	struct other o;
	int ours[SUBSCRIBER_PARTITIONS];
	unsigned held = 0, read;

	(void)state;
	open_revoked(&b, &o);
	/* The mock cluster takes all four; a real one leaves us some, which are what is assigned anew. */
	b.reader->partition[3].ours = true;
	reader_survey(b.reader);
	turn_for(&b, 3000);
	assert_int_equal(atomic_load(&o.held), 0);
	assert_true(b.reader->survey_later && b.reader->state == READER_SURVEYING);
	b.reader->partition[3].ours = false;
	reader_release(b.reader);
	b.reader->calls.on_leaving = NULL;
	for (int64_t until_ms = clock_mono_ms() + 60000;
		(held != 4 || !atomic_load(&o.held)) && clock_mono_ms() < until_ms;) {
		turn_for(&b, 100);
		held = (unsigned)atomic_load(&o.held) + reader_ours(b.reader, ours);
	}
	assert_int_equal(held, 4);
	turn_for(&b, 1000);
	read = records_read(&b);
	for (int i = 0; i < 4; i++)
		publish_to(&b, i, 5);
	expect_read(&b, read + 5 * reader_ours(b.reader, ours), 30);
	assert_int_equal(b.troubles, 0);
	leave(&o);
	close_bench(&b);
}

static unsigned count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned count = 0;

	while (readdir(tasks))
		count++;
	closedir(tasks);
	return count;
}

static int64_t processor_ms(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
	       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

/* Told to stop while the workbooks of what leaves are written: the client ends, and with it its threads. */
static void closes_while_the_group_waits(void **state)
{
	struct bench b;
	struct other o;
	unsigned threads;
	int64_t began_ms, used_ms;

	(void)state;
	open_revoked(&b, &o);
	threads = count_threads();
	began_ms = clock_mono_ms();
	reader_close(b.reader);
	b.reader = NULL;
	assert_in_range(clock_mono_ms() - began_ms, 0, 2500);
	assert_in_range(count_threads(), 0, threads - 2);
	used_ms = processor_ms();
	turn_for(&b, 2000);
	assert_in_range(processor_ms() - used_ms, 0, 1000);
	leave(&o);
	close_bench(&b);
}

/* Few enough for three boxes each, but with numbers that are beyond what a box can number. */
static void partitions_with_high_numbers(void **state)
{
	struct bench b;
	struct other others[2];

	(void)state;
	open_bench_of(&b, (struct bench_shape){"boxes", 1, 600});
	join(&others[0], &b);
	join(&others[1], &b);
	for (int64_t until_ms = clock_mono_ms() + 60000; !b.troubles && clock_mono_ms() < until_ms;)
		turn_for(&b, 50);
	assert_int_equal(b.troubles, 1);
	assert_non_null(strstr(b.trouble, "at most 256 can be read"));
	leave(&others[0]);
	leave(&others[1]);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_assigned_before_the_release),
		cmocka_unit_test(closes_while_the_group_waits),
		cmocka_unit_test(partitions_with_high_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
