/* test_restart.c - the pauses between two runs of the daemon. */
#include "board/restart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void doubles_up_to_five_minutes(void **state)
{
	static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
	struct restart r = {0};

	(void)state;
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
		assert_int_equal(restart_delay_ms(&r, 100, false), seconds[i] * 1000);
}

static void a_good_run_begins_anew(void **state)
{
	struct restart r = {0};

	(void)state;
	restart_delay_ms(&r, 0, false);
	restart_delay_ms(&r, 0, false);
	assert_int_equal(restart_delay_ms(&r, RESTART_GOOD_RUN_MS - 1, false), 4000);
	assert_int_equal(restart_delay_ms(&r, RESTART_GOOD_RUN_MS, false), 1000);
	assert_int_equal(restart_delay_ms(&r, 0, false), 2000);
}

static void wrong_settings_wait_for_a_human(void **state)
{
	struct restart r = {0};

	(void)state;
	assert_int_equal(restart_delay_ms(&r, 50, true), 300000);
	assert_int_equal(restart_delay_ms(&r, 50, true), 300000);
	assert_int_equal(restart_delay_ms(&r, 50, false), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_five_minutes),
		cmocka_unit_test(a_good_run_begins_anew),
		cmocka_unit_test(wrong_settings_wait_for_a_human),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
