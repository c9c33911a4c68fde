/* trial_watch.h - is a new version on trial fit to stay? Pure: facts and time in, a decision out. */
#pragma once
#include "board/situation.h"

enum {
	TRIAL_LIMIT_MS = 15 * 60000, /* so long ill without a break, and it is over */
	TRIAL_TIMES =
		4, /* nor does it stumble again and again for longer than its limit and so many confirmations */
	TRIAL_CONFIRM_MS = 5 * 60000, /* SCOREBOX_UPDATE_CONFIRM, where it is not given */
};

struct trial_watch {
	enum trial_phase phase;
	int64_t began_ms, confirm_ms;
	int64_t ill_since_ms, healthy_since_ms;
	unsigned runs; /* the daemon's, when it became healthy */
};

void trial_watch_begin(struct trial_watch *t, bool trial_boot, int64_t confirm_ms, int64_t now_ms);
/* Healthy: the daemon runs and gave a sign, has polled, and Kafka is reached, and read from where it is to be; or what
 * was polled waits in the spool. */
bool trial_is_healthy(const struct situation *s);
enum trial_step {
	TRIAL_GO_ON,
	TRIAL_CONFIRM, /* the time is over: make it the slot in use, then call trial_watch_confirmed */
	TRIAL_GIVE_UP, /* told once: reboot */
};
enum trial_step trial_watch_step(struct trial_watch *t, const struct situation *s, int64_t now_ms);
void trial_watch_confirmed(struct trial_watch *t);
