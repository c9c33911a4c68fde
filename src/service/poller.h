/* poller.h - reads the API's list, page by page, into the spool: pacing, blocks, paging, what changed.
 *
 *	CLOCK ──believable, or CLOCK_WAIT over──► RESTING ──plan due──► SWEEPING ──all pages──► RESTING
 *	                                             ▲                     │
 *	                                             └──── any failure ────┘ (the broken page is taken back,
 *	                                                                      complete pages stay)
 */
#pragma once
#include "base/loop.h"
#include "service/config.h"
#include "service/health.h"
#include "store/spool.h"

/* The spool's note that keeps the pace across restarts (feed/pace.h's text form). */
#define POLLER_PACE_NOTE "pace"

struct poller;
struct poller_calls {
	void *context;
	void (*on_rows)(void *context);			/* a page with new states is visible */
	void (*on_sweep)(void *context, bool complete); /* a sweep ended */
	void (*on_trouble)(
		void *context, enum status s, const struct why *why); /* the spool is dead */
};

/* The spool, the config and the budget's figures are lent. STATUS_BAD_DATA: trust set or source wrong. */
enum status poller_open(struct poller **out, struct loop *loop, struct spool *spool,
	const struct config *config, uint64_t arena_bytes, struct health *health,
	const struct poller_calls *calls, struct why *why) MUST_CHECK;
void poller_close(struct poller *p); /* takes an unfinished page back; NULL is fine */

/* Settings, key, CA and certificate read anew: used at once, and polls at once (a block stands). */
enum status poller_renew(struct poller *p, const struct config *config, struct why *why) MUST_CHECK;
void poller_stop(struct poller *p); /* begins no further sweep, cancels the one that runs */
bool poller_sweeping(const struct poller *p);
int64_t poller_next_ms(const struct poller *p);	   /* monotonic; when the next sweep begins */
uint64_t poller_progress(const struct poller *p);  /* rises with every byte and row */
const char *poller_source(const struct poller *p); /* the API's URL without secrets */
