/* poller_private.h - shared by poller.c (when to sweep, opening, renewing) and sweep.c (pages, rows, what a
 * failure means). */
#pragma once
#include "base/clock.h"
#include "cricket/row.h"
#include "feed/fetch.h"
#include "feed/pace.h"
#include "feed/split.h"
#include "service/poller.h"
#include "tls/trust_files.h"

enum poller_state { POLLER_CLOCK, POLLER_RESTING, POLLER_SWEEPING, POLLER_STOPPED };

/* Counts of one sweep; `page_*` of its current page. */
struct sweep {
	uint64_t offset;
	unsigned pages;
	uint64_t rows, fresh, repeated, unusable;
	uint64_t page_rows, page_repeated, page_fresh;
};

struct poller {
	struct loop *loop;
	struct spool *spool;
	const struct config *config;
	struct health *health;
	struct poller_calls calls;
	struct trust_files *trust;
	unsigned trust_version; /* that the requests go with */
	struct fetch *fetch;
	struct split *split;
	struct row_reader *reader;

	enum poller_state state;
	struct sweep sweep;
	struct pace pace;
	struct backoff backoff;
	int64_t next_ms;       /* monotonic */
	int64_t wall_ahead_ms; /* of the monotonic clock, when next_ms was planned */
	int64_t clock_until_ms;
	uint64_t progress;
	bool spool_full;
	bool poll_at_once; /* asked for while a sweep was running */

	char told_code[32]; /* of the failure that stands */
	struct log_gate gate;
	unsigned long failed_polls;
	int64_t failing_since_ms;
};

enum { POLLER_FULL_LOOK_MS = 10000 }; /* how often a full spool is looked at again */

/* poller.c: plans the next sweep, not before at_least_ms from now. */
void poller_rest(struct poller *p, int64_t at_least_ms);
/* sweep.c: begins a sweep now; the splitter's callback. */
void sweep_start(struct poller *p);
enum status sweep_row(void *context, const struct split_row *row, struct why *why);
