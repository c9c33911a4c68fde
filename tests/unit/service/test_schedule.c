/* When a workbook may be written again. */
#include "service/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MINUTE = 60000, HOUR = 3600000 };

static struct schedule s;

static int fresh(void **state)
{
	(void)state;
	schedule_init(&s, MINUTE, 0);
	return 0;
}

static void written(int64_t match, bool ended, int64_t took_ms, int64_t at_ms)
{
	schedule_started(&s, match, at_ms);
	schedule_written(&s, match, ended, took_ms);
}

static void rests_an_interval(void **state)
{
	(void)state;
	assert_true(schedule_is_due(&s, 1, false, false, 0));
	written(1, false, 10, 1000);
	assert_false(schedule_is_due(&s, 1, false, false, 1000 + MINUTE - 1));
	assert_true(schedule_is_due(&s, 1, false, false, 1000 + MINUTE));
	assert_true(schedule_is_due(&s, 2, false, false, 1001));
}

static void rests_a_hundred_renderings(void **state)
{
	(void)state;
	written(1, false, 3000, 0);
	assert_false(schedule_is_due(&s, 1, false, false, 300000 - 1));
	assert_true(schedule_is_due(&s, 1, false, false, 300000));
}

static void end_of_a_match_is_due_at_once_and_once(void **state)
{
	(void)state;
	written(1, false, 10, 0);
	assert_true(schedule_is_due(&s, 1, true, false, 1));
	written(1, true, 10, 1);
	assert_false(schedule_is_due(&s, 1, true, false, 2));
}

static void shutdown_hurries(void **state)
{
	(void)state;
	written(1, false, 10, 0);
	assert_true(schedule_is_due(&s, 1, false, true, 1));
}

static void one_retry_then_rarely(void **state)
{
	(void)state;
	schedule_started(&s, 1, 0);
	schedule_failed(&s, 1);
	assert_true(schedule_is_due(&s, 1, false, true, 1));
	schedule_started(&s, 1, 1);
	schedule_failed(&s, 1);
	assert_false(schedule_is_due(&s, 1, false, true, 2));
	assert_true(schedule_is_due(&s, 1, false, true, 1 + 5 * MINUTE));
	written(1, false, 10, 2);
	assert_true(schedule_is_due(&s, 1, false, true, 3));
}

static void another_storage_forgets_rests_and_failures_but_no_wear(void **state)
{
	(void)state;
	schedule_started(&s, 1, 0);
	schedule_failed(&s, 1);
	schedule_failed(&s, 1);
	written(2, false, 3000, 0);
	schedule_anew(&s);
	assert_true(schedule_is_due(&s, 1, false, false, 1));
	assert_true(schedule_is_due(&s, 2, false, false, 1));
	written(2, false, 10, 1);
	schedule_wear(&s, 300000000, 1);
	schedule_anew(&s);
	written(2, false, 10, 2);
	assert_false(schedule_is_due(&s, 2, false, false, 10 * MINUTE));
}

static void wear_is_bounded_an_hour(void **state)
{
	(void)state;
	written(1, false, 10, 0);
	schedule_wear(&s, 300000000, 0);
	assert_false(schedule_is_due(&s, 1, false, false, 10 * MINUTE));
	assert_true(schedule_is_due(&s, 1, true, false, 10 * MINUTE)); /* an end is worth it */
	assert_true(schedule_is_due(&s, 1, false, false, HOUR));
}

static void forgets_the_longest_untouched(void **state)
{
	(void)state;
	for (int64_t m = 1; m <= SCHEDULE_RECENT + 1; m++)
		written(m, false, 10, m);
	assert_true(schedule_is_due(&s, 1, false, false, SCHEDULE_RECENT + 2));
	assert_false(schedule_is_due(&s, SCHEDULE_RECENT + 1, false, false, SCHEDULE_RECENT + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(rests_an_interval, fresh),
		cmocka_unit_test_setup(rests_a_hundred_renderings, fresh),
		cmocka_unit_test_setup(end_of_a_match_is_due_at_once_and_once, fresh),
		cmocka_unit_test_setup(shutdown_hurries, fresh),
		cmocka_unit_test_setup(one_retry_then_rarely, fresh),
		cmocka_unit_test_setup(
			another_storage_forgets_rests_and_failures_but_no_wear, fresh),
		cmocka_unit_test_setup(wear_is_bounded_an_hour, fresh),
		cmocka_unit_test_setup(forgets_the_longest_untouched, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
