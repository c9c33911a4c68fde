/* test_trial_watch.c - when a new version is fit to stay. */
#include "board/trial_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MINUTE = 60000 };

static struct situation healthy_one(void)
{
	struct situation s = {
		.phase = SERVICE_RUNS, .ready = true, .runs = 1, .status_known = true};

	s.status.running = true;
	s.status.polls = true;
	s.status.poll.last_sweep_us = 1;
	s.status.kafka.connected = true;
	return s;
}

static void what_healthy_is(void **state)
{
	struct situation s = healthy_one();

	(void)state;
	assert_true(trial_is_healthy(&s));
	s.status.kafka.connected = false;
	assert_false(trial_is_healthy(&s));
	s.status.spool.rows = 1; /* Kafka is away, but nothing is lost */
	assert_true(trial_is_healthy(&s));
	s.status.poll.last_sweep_us = 0;
	assert_false(trial_is_healthy(&s));
	s = healthy_one();
	s.status.reads = true;
	assert_false(trial_is_healthy(&s));
	s.status.consumer.reading = true;
	assert_true(trial_is_healthy(&s));
	s.status.kafka.connected = s.status.consumer.reading = false;
	assert_false(trial_is_healthy(&s));
	s.status.spool.rows = 1; /* both, and Kafka is away */
	assert_true(trial_is_healthy(&s));
	s = healthy_one();
	s.status.polls = s.status.kafka.connected = false; /* consume alone */
	s.status.reads = true;
	assert_false(trial_is_healthy(&s));
	s.status.consumer.reading = true;
	assert_true(trial_is_healthy(&s));
	s.status.reads = false;
	assert_false(trial_is_healthy(&s));
	s = healthy_one();
	s.ready = false;
	assert_false(trial_is_healthy(&s));
	s = healthy_one();
	s.hung_ms = 1;
	assert_false(trial_is_healthy(&s));
	s = healthy_one();
	s.status_known = false; /* of another run */
	assert_false(trial_is_healthy(&s));
	s = healthy_one();
	s.phase = SERVICE_ENDS;
	assert_false(trial_is_healthy(&s));
}

static void confirmed_after_the_time(void **state)
{
	struct trial_watch t;
	struct situation s = healthy_one();

	(void)state;
	trial_watch_begin(&t, true, 5 * MINUTE, 1000);
	assert_int_equal(t.phase, TRIAL_WAITS);
	assert_int_equal(trial_watch_step(&t, &s, 2000), TRIAL_GO_ON);
	assert_int_equal(t.phase, TRIAL_HEALTHY);
	assert_int_equal(trial_watch_step(&t, &s, 2000 + 5 * MINUTE - 1), TRIAL_GO_ON);
	assert_int_equal(trial_watch_step(&t, &s, 2000 + 5 * MINUTE), TRIAL_CONFIRM);
	/* The card could not be written: asked again. */
	assert_int_equal(trial_watch_step(&t, &s, 2001 + 5 * MINUTE), TRIAL_CONFIRM);
	trial_watch_confirmed(&t);
	assert_int_equal(trial_watch_step(&t, &s, 100 * MINUTE), TRIAL_GO_ON);
	assert_int_equal(t.phase, TRIAL_CONFIRMED);
}

static void a_break_begins_anew(void **state)
{
	struct trial_watch t;
	struct situation s = healthy_one();

	(void)state;
	trial_watch_begin(&t, true, 5 * MINUTE, 0);
	assert_int_equal(trial_watch_step(&t, &s, 0), TRIAL_GO_ON);
	s.status.kafka.connected = false;
	assert_int_equal(trial_watch_step(&t, &s, 4 * MINUTE), TRIAL_GO_ON);
	assert_int_equal(t.phase, TRIAL_WAITS);
	s.status.kafka.connected = true;
	assert_int_equal(trial_watch_step(&t, &s, 5 * MINUTE), TRIAL_GO_ON);
	s.runs++; /* a restart between two looks */
	assert_int_equal(trial_watch_step(&t, &s, 8 * MINUTE), TRIAL_GO_ON);
	assert_int_equal(trial_watch_step(&t, &s, 13 * MINUTE - 1), TRIAL_GO_ON);
	assert_int_equal(trial_watch_step(&t, &s, 13 * MINUTE), TRIAL_CONFIRM);
}

static void given_up_after_the_limit(void **state)
{
	struct trial_watch t;
	struct situation s = healthy_one(), ill = {.phase = SERVICE_RESTS};

	(void)state;
	trial_watch_begin(&t, true, 5 * MINUTE, 0);
	assert_int_equal(trial_watch_step(&t, &ill, TRIAL_LIMIT_MS - 1), TRIAL_GO_ON);
	/* It became healthy just in time; a stumble then begins the time anew. */
	assert_int_equal(trial_watch_step(&t, &s, TRIAL_LIMIT_MS), TRIAL_GO_ON);
	assert_int_equal(trial_watch_step(&t, &s, TRIAL_LIMIT_MS + MINUTE), TRIAL_GO_ON);
	assert_int_equal(trial_watch_step(&t, &ill, TRIAL_LIMIT_MS + 2 * MINUTE), TRIAL_GO_ON);
	assert_int_equal(trial_watch_step(&t, &ill, 2 * TRIAL_LIMIT_MS + MINUTE - 1), TRIAL_GO_ON);
	assert_int_equal(trial_watch_step(&t, &ill, 2 * TRIAL_LIMIT_MS + MINUTE), TRIAL_GIVE_UP);
	assert_int_equal(t.phase, TRIAL_FAILED);
	assert_int_equal(trial_watch_step(&t, &s, 2 * TRIAL_LIMIT_MS + 2 * MINUTE), TRIAL_GO_ON);
	assert_int_equal(t.phase, TRIAL_FAILED);
}

static void one_that_stumbles_again_and_again_is_given_up(void **state)
{
	struct trial_watch t;
	struct situation s = healthy_one(), ill = {.phase = SERVICE_RESTS};
	const int64_t end = TRIAL_LIMIT_MS + TRIAL_TIMES * 5 * MINUTE;
	int64_t now = 0;

	(void)state;
	trial_watch_begin(&t, true, 5 * MINUTE, 0);
	for (; now < end - 2 * MINUTE; now += 2 * MINUTE) {
		assert_int_equal(trial_watch_step(&t, &s, now), TRIAL_GO_ON);
		assert_int_equal(trial_watch_step(&t, &ill, now + MINUTE), TRIAL_GO_ON);
	}
	assert_int_equal(trial_watch_step(&t, &ill, end), TRIAL_GIVE_UP);
}

static void any_other_boot_is_left_alone(void **state)
{
	struct trial_watch t;
	struct situation s = healthy_one(), ill = {.phase = SERVICE_RESTS};

	(void)state;
	trial_watch_begin(&t, false, 0, 0);
	assert_int_equal(trial_watch_step(&t, &s, 0), TRIAL_GO_ON);
	assert_int_equal(trial_watch_step(&t, &ill, 2 * TRIAL_LIMIT_MS), TRIAL_GO_ON);
	assert_int_equal(t.phase, TRIAL_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_healthy_is),
		cmocka_unit_test(confirmed_after_the_time),
		cmocka_unit_test(a_break_begins_anew),
		cmocka_unit_test(given_up_after_the_limit),
		cmocka_unit_test(one_that_stumbles_again_and_again_is_given_up),
		cmocka_unit_test(any_other_boot_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
