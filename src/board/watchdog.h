/* watchdog.h - the board's hardware watchdog, linux/Documentation/watchdog/watchdog-api: opening it arms it, each
 * byte written feeds it, and only a 'V' before the close would disarm it, which is never written. */
#pragma once
#include "base/status.h"
#include <stdint.h>

enum { WATCHDOG_TIMEOUT_S = 15, WATCHDOG_FEED_EVERY_MS = 3000 };

struct watchdog {
	int fd;		   /* -1: none */
	int timeout_s;	   /* as the driver has it; 0: unknown */
	int64_t next_feed; /* clock_mono_ms */
};

/* STATUS_NOT_FOUND: there is none. STATUS_BUSY: somebody else feeds it. */
enum status watchdog_open(struct watchdog *out, const char *path, struct why *why) MUST_CHECK;
/* Feeds it when it is time. STATUS_IO: it could not be fed, and will bite. */
enum status watchdog_feed(struct watchdog *w, int64_t now_ms, struct why *why) MUST_CHECK;
/* Gives a shutdown the longest time that the driver takes, feeds a last time and closes: it stays armed. */
void watchdog_leave(struct watchdog *w);
/* Of a child that does not exec: it must not hold the device. */
void watchdog_forget(struct watchdog *w);
