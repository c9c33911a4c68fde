/* pace_plan.c - when to sweep next. */
#include "feed/pace.h"
#include "feed/pace_day.h"

#include <inttypes.h>
#include <stdio.h>

enum { RESERVE_HITS = 5, FREE_RETRIES = 3 };

static const int64_t hour_ms = HOUR_US / 1000;
static const int64_t day_ms = DAY_US / 1000;
static const int64_t soon_ms = 20 * MINUTE_US / 1000;
static const int64_t retry_ceiling_ms = MINUTE_US / 1000;
/* A match is live from half an hour before its start: that is when to look. */
static const int64_t before_start_us = 30 * MINUTE_US;

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t hits_a_sweep(const struct pace *p)
{
	return larger(p->pages_per_sweep, 1) * larger(p->hits_used, 1);
}

/* Hits that may be spent until the next reset; -1: no limit is known. */
static int64_t hits_left(const struct pace *p, int64_t now_us)
{
	int64_t today = p->hits_today;

	if (p->hits_limit < 0)
		return -1;
	/* What was told before the reset counts no more. */
	if (today < 0 || p->hits_seen_us < pace_last_reset_us(p, now_us))
		today = 0;
	return larger(p->hits_limit - today - RESERVE_HITS, 0);
}

static void set(struct pace_plan *out, int64_t now_us, int64_t wait_ms)
{
	out->wait_ms = wait_ms;
	out->at_us = now_us + wait_ms * 1000;
}

/* A plan `interval` after the last sweep; the interval bounds the wait should the clock have
 * gone back. */
static void set_after_sweep(
	const struct pace *p, struct pace_plan *out, int64_t now_us, int64_t interval_ms)
{
	int64_t since_ms = p->swept_us ? (now_us - p->swept_us) / 1000 : interval_ms;

	set(out, now_us, since_ms < 0 ? interval_ms : larger(interval_ms - since_ms, 0));
}

/* The block that stands, in ms from now. No block is longer than a day: a longer one is a clock
 * gone back. */
static int64_t blocked_ms(const struct pace *p, int64_t now_us)
{
	int64_t left_us = p->blocked_until_us - now_us;

	return left_us <= 0 ? 0 : smaller((left_us + 999) / 1000, day_ms);
}

static int64_t retry_ms(const struct pace *p, int64_t first_ms)
{
	int64_t wait_ms = first_ms;

	for (unsigned i = 1; i < p->failures && wait_ms < retry_ceiling_ms; i++)
		wait_ms *= 2;
	return larger(smaller(wait_ms, retry_ceiling_ms), first_ms);
}

static void plan_fixed(
	const struct pace *p, const struct pace_settings *s, int64_t now_us, struct pace_plan *out)
{
	set_after_sweep(p, out, now_us, s->fixed_ms);
	snprintf(out->why, sizeof out->why, "fixed interval");
	if (p->failures > 0) {
		set(out, now_us, larger(s->fixed_ms, retry_ms(p, 1000)));
		snprintf(out->why, sizeof out->why, "trying again, %u failed", p->failures);
	}
}

/* With nothing live: an hour from the last sweep, less where something may begin before. */
static int64_t idle_ms(const struct pace *p)
{
	int64_t wait_ms = p->upcoming_soon ? soon_ms : hour_ms;

	if (p->next_start_us > p->swept_us)
		wait_ms = smaller(wait_ms,
			larger((p->next_start_us - before_start_us - p->swept_us) / 1000, 0));
	return wait_ms;
}

static void say_what_is_on(const struct pace *p, char *out, size_t out_bytes)
{
	if (p->live > 0)
		snprintf(out, out_bytes, "%u live", p->live);
	else if (p->upcoming_soon > 0)
		snprintf(out, out_bytes, "nothing live, %u may begin", p->upcoming_soon);
	else
		snprintf(out, out_bytes, "nothing live");
}

static void plan_automatic(
	const struct pace *p, const struct pace_settings *s, int64_t now_us, struct pace_plan *out)
{
	int64_t left = hits_left(p, now_us), cost = hits_a_sweep(p);
	int64_t to_reset_ms = (pace_last_reset_us(p, now_us) + DAY_US - now_us) / 1000;
	int64_t interval_ms = p->live > 0 || s->at_start ? s->min_ms
							 : larger(idle_ms(p), s->min_ms);
	char on[48];

	say_what_is_on(p, on, sizeof on);
	if (left >= 0 && left < cost) {
		set(out, now_us, larger(to_reset_ms, s->min_ms));
		snprintf(out->why, sizeof out->why,
			"%s; %" PRId64 " of %" PRId64
			" hits left beyond the reserve, a sweep takes %" PRId64
			": waiting for the reset",
			on, left, p->hits_limit, cost);
		return;
	}
	if (left >= 0)
		interval_ms = larger(interval_ms, to_reset_ms / larger(left / cost, 1));
	if (p->failures > 0) {
		/* The first tries are for passing trouble; later ones keep to the quota, which
		 * they may cost. */
		int64_t wait_ms = retry_ms(p, larger(s->min_ms, 1000));

		set(out, now_us,
			p->failures <= FREE_RETRIES ? wait_ms : larger(wait_ms, interval_ms));
		snprintf(out->why, sizeof out->why, "trying again, %u failed", p->failures);
		return;
	}
	set_after_sweep(p, out, now_us, interval_ms);
	if (left >= 0)
		snprintf(out->why, sizeof out->why,
			"%s, %" PRId64 " of %" PRId64 " hits left, %u page%s a sweep", on,
			left + RESERVE_HITS, p->hits_limit, p->pages_per_sweep,
			p->pages_per_sweep == 1 ? "" : "s");
	else
		snprintf(out->why, sizeof out->why, "%s", on);
}

void pace_next(
	const struct pace *p, const struct pace_settings *s, int64_t now_us, struct pace_plan *out)
{
	int64_t block_ms = blocked_ms(p, now_us);

	out->why[0] = '\0';
	if (s->ignore_pace)
		set(out, now_us, 0);
	else if (s->automatic)
		plan_automatic(p, s, now_us, out);
	else
		plan_fixed(p, s, now_us, out);
	if (block_ms > out->wait_ms || (block_ms > 0 && block_ms == out->wait_ms)) {
		set(out, now_us, block_ms);
		snprintf(out->why, sizeof out->why, "blocked: %s", p->blocked_why);
	}
}

unsigned pace_sweeps_per_day(const struct pace *p)
{
	if (p->hits_limit < 0)
		return 0;
	return (unsigned)(larger(p->hits_limit - RESERVE_HITS, 0) / hits_a_sweep(p));
}
