/* test_pump.c - from the spool to the embedded broker: what the log says of rows that the broker refuses. */
#include "base/clock.h"
#include "rig.h"
#include "service/pump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t test_run[RUN_BYTES] = {1};

struct bench {
	struct rig rig;
	char folder[64], path[96], log_path[96];
	struct config config;
	struct health *health;
	struct loop *loop;
	struct spool *spool;
	struct pump *pump;
	int caught;
};

static int told(const struct bench *b, const char *one, const char *other)
{
	return rig_told(b->log_path, one, other);
}

static void open_bench(struct bench *b)
{
	struct spool_opening opening;
	struct why why = {""};

	memset(b, 0, sizeof *b);
	rig_open(&b->rig, 1, 1);
	b->rig.settings.linger_ms = 150;
	strcpy(b->folder, "/tmp/scorebox-pump-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof b->path, "%s/spool.db", b->folder);
	snprintf(b->log_path, sizeof b->log_path, "%s/log", b->folder);
	b->config = (struct config){
		.state_dir = b->folder, .kafka_topic = "t", .kafka_group = "", .output_dir = ""};
	assert_int_equal(loop_open(&b->loop, &why), STATUS_OK);
	assert_int_equal(health_open(&b->health, &b->config, &why), STATUS_OK);
	assert_int_equal(
		spool_open(&b->spool, b->path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why),
		STATUS_OK);
	b->caught = rig_catch_log(b->log_path);
	if (pump_open(&b->pump, b->loop, b->spool, &b->rig.settings, "test", b->health, &why) !=
		STATUS_OK)
		fail_msg("%s", why.text);
}

static void close_pump(struct bench *b)
{
	pump_close(b->pump);
	b->pump = NULL;
	rig_release_log(b->caught);
}

static void close_bench(struct bench *b)
{
	char command[128];

	spool_close(b->spool);
	health_close(b->health);
	loop_close(b->loop);
	rig_close(&b->rig);
	snprintf(command, sizeof command, "rm -rf '%s'", b->folder);
	assert_int_equal(system(command), 0);
}

static void add_rows(struct bench *b, int count)
{
	uint8_t digest[SEEN_DIGEST_BYTES] = {0};
	struct why why = {""};
	char match[16];

	assert_int_equal(spool_page_begin(b->spool, &why), STATUS_OK);
	for (int i = 0; i < count; i++) {
		snprintf(match, sizeof match, "m%d", i);
		assert_int_equal(spool_add(b->spool, view_of(match, strlen(match)), digest, 1000000,
					 view_of("{}", 2), &why),
			STATUS_OK);
	}
	assert_int_equal(spool_page_commit(b->spool, &why), STATUS_OK);
	pump_kick(b->pump);
}

static struct spool_figures turn_until_empty(struct bench *b, int seconds)
{
	struct spool_figures f;
	struct why why;
	int64_t until_ms = clock_mono_ms() + seconds * 1000;

	while (!pump_empty(b->pump) && clock_mono_ms() < until_ms)
		assert_int_equal(loop_turn(b->loop, 50, &why), STATUS_OK);
	spool_figures(b->spool, &f);
	return f;
}

static void push(struct bench *b, rd_kafka_resp_err_t err, size_t count)
{
	rd_kafka_resp_err_t errors[32];

	for (size_t i = 0; i < count; i++)
		errors[i] = err;
	rig_push_errors(&b->rig, RIG_PRODUCE, errors, count);
}

/* One line for the first, one for the others, one that says that the rest waits and why. */
static void a_check_that_takes_nothing(void **state)
{
	struct bench b;
	struct spool_figures f;

	(void)state;
	open_bench(&b);
	push(&b, RD_KAFKA_RESP_ERR_INVALID_RECORD, 1 + 5 + 2);
	add_rows(&b, 30);
	f = turn_until_empty(&b, 60);
	close_pump(&b);
	assert_int_equal(f.rows, 0);
	assert_int_equal(f.refused, 5);
	assert_int_equal(told(&b, "error kafka.refused:", "the broker refuses row"), 1);
	assert_int_equal(told(&b, "error kafka.refused:", "refused 4 more rows"), 1);
	assert_int_equal(told(&b, "warn kafka.refused:", "nothing lost"), 1);
	assert_int_equal(told(&b, "warn kafka.refused:", "25 rows wait"), 1);
	assert_int_equal(told(&b, "kafka.up:", "takes rows again"), 1);
	close_bench(&b);
}

/* Rows too large go one by one as before, and do not fill the log either. */
static void rows_too_large(void **state)
{
	struct bench b;
	struct spool_figures f;

	(void)state;
	open_bench(&b);
	push(&b, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1 + 20);
	add_rows(&b, 30);
	f = turn_until_empty(&b, 60);
	close_pump(&b);
	assert_int_equal(f.rows, 0);
	assert_int_equal(f.refused, 20);
	assert_int_equal(told(&b, "error kafka.refused:", "max.message.bytes"), 1);
	assert_int_equal(told(&b, "error kafka.refused:", "refused 19 more rows"), 1);
	assert_int_equal(told(&b, " warn ", "kafka.refused"), 0);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_that_takes_nothing),
		cmocka_unit_test(rows_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
