/* restart.h - how long the supervisor waits before it starts the daemon again. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { RESTART_FIRST_MS = 1000, RESTART_MOST_MS = 300000, RESTART_GOOD_RUN_MS = 600000 };

struct restart {
	int64_t delay_ms; /* the last one; 0: none yet */
};

/* The pause to make now: doubles from 1 s to 5 min, from the start again after a run of 10 min; 5 min at once
 * where the settings are wrong, since only a human changes that, who then sends SIGHUP. */
int64_t restart_delay_ms(struct restart *r, int64_t ran_ms, bool settings_wrong);
