/* A card that fails, fills up or loses its power at operation 1, 2, 3, ...: what was confirmed is there
 * afterwards, what was not shown stays hidden, and nothing is served that was not written. */
#include "fault_vfs.h"
#include "scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Sanitizers make it five times as slow: then each mode takes every fifth operation, each another one. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 5 };
#else
enum { STEP = 1 };
#endif

struct mode {
	const char *name;
	enum fault fault;
	bool sticky;
	enum survival survival;
};

static const struct mode modes[] = {
	{"an operation fails once", FAULT_IO, false, SURVIVES_ALL},
	{"all operations fail from then on", FAULT_IO, true, SURVIVES_ALL},
	{"the card is full once", FAULT_FULL, false, SURVIVES_ALL},
	{"the card is full from then on", FAULT_FULL, true, SURVIVES_ALL},
	{"power cut, unsynced writes lost", FAULT_POWER, true, SURVIVES_NOTHING},
	{"power cut, some unsynced writes lost", FAULT_POWER, true, SURVIVES_SOME},
	{"power cut, writes torn", FAULT_POWER, true, SURVIVES_TORN},
	{"I/O error, then power cut", FAULT_IO, true, SURVIVES_SOME},
};

static char folder[64];

static void loop(void (*play)(const char *), void (*check)(const char *, const char *))
{
	int runs = 0;

	for (unsigned m = 0; m < sizeof modes / sizeof *modes; m++) {
		bool fired = true;

		for (int n = 1 + (int)m % STEP; fired; n += STEP, runs++) {
			char what[128];

			snprintf(what, sizeof what, "%s, operation %d", modes[m].name, n);
			scenario_clean(folder);
			fault_vfs_forget();
			fault_vfs_arm(modes[m].fault, n, modes[m].sticky);
			play(folder);
			fired = fault_vfs_fired();
			fault_vfs_reboot(modes[m].survival, (unsigned)n * 7919u);
			check(folder, what);
		}
	}
	print_message("%d runs\n", runs);
}

/* SCENARIO is spool_scenario or journal_scenario: two programs, so that they run side by side. */
#define CHECK_OF(scenario) scenario##_check
#define CHECK(scenario)	   CHECK_OF(scenario)

static void it_stands_every_fault(void **state)
{
	(void)state;
	loop(SCENARIO, CHECK(SCENARIO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_stands_every_fault),
	};

	/* Memory where there is some: the syncs are not real anyway. */
	snprintf(folder, sizeof folder, "%s/scorebox-fault-XXXXXX",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		return 1;
	fault_vfs_install();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	scenario_clean(folder);
	rmdir(folder);
	return failed;
}
