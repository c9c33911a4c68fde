/* pace.h - when to sweep next: quota, blocks, what is live. Pure arithmetic on its own struct:
 * no clock, no I/O; the service passes the times and keeps the text form in the spool, so that a
 * block outlives a restart. Rules: live = started, not ended, and changed within 3 h (a Test: 16
 * h), or a real start time within 30 minutes; ended = matchEnded, or gone from the list, or
 * unchanged for 48 h (a Test 6 days). */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct pace_settings {
	bool automatic;
	int64_t fixed_ms; /* of a fixed interval; 0 allowed */
	int64_t min_ms;	  /* automatic never polls faster */
	bool ignore_pace; /* --sweeps: obey only a standing block */
	bool at_start; /* somebody waits for a sign: only the quota makes slow, not an idle day */
};

struct pace {
	/* quota, from the server's latest figures; -1 unknown */
	int64_t hits_today, hits_limit, hits_used;
	int64_t hits_seen_us;	 /* when they were told */
	int64_t reset_us_of_day; /* learnt when hitsToday fell; 0 = 00:00 UTC until then */
	bool reset_learnt;
	int64_t blocked_until_us; /* 0: no block */
	char blocked_why[96];
	unsigned pages_per_sweep; /* of the last complete sweep; 1 at first */
	unsigned failures;	  /* in a row, for the backoff */
	/* of the last complete sweep */
	unsigned live, upcoming_soon;
	int64_t next_start_us; /* the nearest real start time ahead; 0 none */
	int64_t swept_us;      /* when it was over; 0 never */
	/* of the sweep that runs */
	unsigned counted_live, counted_soon;
	int64_t counted_start_us;
};

void pace_init(struct pace *p);
/* Text form "name=value ..." of what must survive a restart; unknown words are passed over on
 * reading. */
void pace_save(const struct pace *p, char *out, size_t out_bytes);
void pace_load(struct pace *p, const char *text);

/* The server told its figures (-1 unknown). Learns the reset when hitsToday falls. */
void pace_quota(struct pace *p, int64_t today, int64_t limit, int64_t used, int64_t now_us);
/* Nothing may be asked before now + ms. Longer of two blocks wins. */
void pace_block(struct pace *p, int64_t now_us, int64_t ms, const char *reason);
/* An API failure text: "Blocked for 15 minutes" → 15 min; "hits today exceeded hits limit" → to
 * the next reset (an hour, where that was waited for already and its time is only a guess);
 * other → 0, no block. */
int64_t pace_block_of_reason(const struct pace *p, const char *reason, int64_t now_us);

/* A sweep's matches, one by one, between begin and end. */
struct pace_match {
	bool started, ended, is_test;
	int64_t start_us; /* 0 unknown */
	bool start_time_known;
	int64_t changed_us; /* when its last new state was seen; 0: in this sweep */
};
enum pace_phase { PACE_UPCOMING, PACE_LIVE, PACE_ENDED };
enum pace_phase pace_phase_of(const struct pace_match *m, int64_t now_us);
void pace_sweep_begin(struct pace *p);
void pace_sweep_match(struct pace *p, const struct pace_match *m, int64_t now_us);
void pace_sweep_end(
	struct pace *p, unsigned pages, int64_t now_us); /* complete: failures back to 0 */
void pace_sweep_failed(struct pace *p);

struct pace_plan {
	int64_t at_us;	 /* when the next sweep may begin (wall) */
	int64_t wait_ms; /* from now, never negative */
	char why[200];	 /* "2 live, 61 of 100 hits left, 3 pages a sweep" */
};
/* `now_us` wall time. Counts from the last complete sweep, also one before a restart: due at
 * once when that is long ago or never was. Straight after a sweep the wait is at least min_ms
 * (automatic), and never more than an hour unless a block or the quota says longer; a wall clock
 * that jumps costs one early sweep at most. After a failure: doubling from min_ms to a minute,
 * whatever the quota for the first three. */
void pace_next(
	const struct pace *p, const struct pace_settings *s, int64_t now_us, struct pace_plan *out);
/* Sweeps a day that limit and pages allow, for `check`; 0: no limit is known. */
unsigned pace_sweeps_per_day(const struct pace *p);
