/* errand.h - work on the card or the stick, done by a child: a disk that hangs must not keep the supervisor from
 * its loop, for then the watchdog would bite. The child has a copy of all memory as it was, one job, and ends. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { ERRAND_SLOW_MS = 60000 };

/* In the child. 0: done. */
typedef int errand_work(void *context);

struct errand {
	const char *name; /* for the line about one that does not end */
	pid_t pid;	  /* 0: none is out */
	int64_t since_ms;
	bool slow_told;
};

/* Before the work begins the child calls `leave`, to let go of what it must not hold. STATUS_BUSY: the last one
 * is still out. */
enum status errand_start(struct errand *e, errand_work *work, errand_work *leave, void *context,
	int64_t now_ms, struct why *why) MUST_CHECK;
/* After a SIGCHLD: true once it has ended, with its exit code; -1: by a signal. */
bool errand_reap(struct errand *e, int *exit_code);
/* Once for each that takes longer than ERRAND_SLOW_MS. */
bool errand_is_slow(struct errand *e, int64_t now_ms);
