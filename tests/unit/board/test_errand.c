/* test_errand.c - work that may wait for a disk is done beside us. */
#include "board/errand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

struct job {
	int left, code;
	bool hangs;
};

static int leave(void *context)
{
	struct job *j = context;

	j->left++;
	return 0;
}

static int work(void *context)
{
	struct job *j = context;

	while (j->hangs)
		pause();
	return j->left == 1 ? j->code : 99;
}

static int reap(struct errand *e)
{
	int code = -2;

	for (int i = 0; !errand_reap(e, &code); i++) {
		assert_true(i < 3000);
		usleep(10000);
	}
	return code;
}

static void its_end_is_told(void **state)
{
	struct errand e = {.name = "test"};
	struct job j = {.code = 5};
	struct why why;
	int code;

	(void)state;
	assert_false(errand_reap(&e, &code));
	assert_int_equal(errand_start(&e, work, leave, &j, 0, &why), STATUS_OK);
	assert_int_equal(reap(&e), 5);
	assert_int_equal(j.left, 0); /* that was the child's */
	assert_int_equal(errand_start(&e, work, leave, &j, 0, &why), STATUS_OK);
	assert_int_equal(reap(&e), 5);
}

static void one_at_a_time(void **state)
{
	struct errand e = {.name = "test"};
	struct job j = {.hangs = true};
	struct why why;
	int code;

	(void)state;
	assert_int_equal(errand_start(&e, work, leave, &j, 1000, &why), STATUS_OK);
	assert_int_equal(errand_start(&e, work, leave, &j, 1000, &why), STATUS_BUSY);
	assert_false(errand_reap(&e, &code));
	assert_false(errand_is_slow(&e, 1000 + ERRAND_SLOW_MS - 1));
	assert_true(errand_is_slow(&e, 1000 + ERRAND_SLOW_MS));
	assert_false(errand_is_slow(&e, 1001 + ERRAND_SLOW_MS)); /* said once */
	kill(e.pid, SIGKILL);
	assert_int_equal(reap(&e), -1);
	assert_false(errand_is_slow(&e, INT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_end_is_told),
		cmocka_unit_test(one_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
