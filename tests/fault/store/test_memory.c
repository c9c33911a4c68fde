/* An allocator that refuses at call 1, 2, 3, ..., once and for ever: nothing crashes, nothing leaks (under
 * the sanitizer), and what was confirmed is there afterwards. */
#include "failing_malloc.h"
#include "scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 7 };
#else
enum { STEP = 1 };
#endif

static char folder[64];

/* Most calls are alike, beyond the first few hundred: the pace grows slowly. */
static void loop(void (*play)(const char *), void (*check)(const char *, const char *), bool sticky)
{
	bool fired = true;
	int runs = 0;

	for (long n = 1; fired; n += STEP + n / 400, runs++) {
		char what[128];

		snprintf(what, sizeof what, "allocation %ld fails%s", n,
			sticky ? ", and all after it" : "");
		scenario_clean(folder);
		malloc_fail_at((unsigned)n, sticky);
		play(folder);
		fired = malloc_failures() > 0;
		malloc_fail_at(0, false);
		check(folder, what);
	}
	print_message("%d runs\n", runs);
}

static void spool_stands_it(void **state)
{
	(void)state;
	loop(spool_scenario, spool_scenario_check, false);
	loop(spool_scenario, spool_scenario_check, true);
}

static void journal_stands_it(void **state)
{
	(void)state;
	loop(journal_scenario, journal_scenario_check, false);
	loop(journal_scenario, journal_scenario_check, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spool_stands_it),
		cmocka_unit_test(journal_stands_it),
	};

	snprintf(folder, sizeof folder, "%s/scorebox-fault-XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	scenario_clean(folder);
	rmdir(folder);
	return failed;
}
