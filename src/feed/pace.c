/* pace.c - what is known for pacing: quota, blocks, the last sweep. */
#include "feed/pace.h"
#include "base/text.h"
#include "feed/pace_day.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A real start time this near makes a match live. */
static const int64_t start_near_us = 30 * MINUTE_US;

void pace_init(struct pace *p)
{
	*p = (struct pace){
		.hits_today = -1, .hits_limit = -1, .hits_used = -1, .pages_per_sweep = 1};
}

/* --- the text form --- */

void pace_save(const struct pace *p, char *out, size_t out_bytes)
{
	/* The reason may hold blanks: it comes last. */
	snprintf(out, out_bytes,
		"today=%" PRId64 " limit=%" PRId64 " used=%" PRId64 " seen=%" PRId64
		" reset=%" PRId64 " learnt=%d until=%" PRId64
		" pages=%u live=%u soon=%u start=%" PRId64 " swept=%" PRId64 " why=%s",
		p->hits_today, p->hits_limit, p->hits_used, p->hits_seen_us, p->reset_us_of_day,
		p->reset_learnt, p->blocked_until_us, p->pages_per_sweep, p->live, p->upcoming_soon,
		p->next_start_us, p->swept_us, p->blocked_why);
}

static void load_word(struct pace *p, const char *name, size_t length, int64_t value)
{
	const struct {
		const char *name;
		int64_t *where;
	} words[] = {
		{"today", &p->hits_today},
		{"limit", &p->hits_limit},
		{"used", &p->hits_used},
		{"seen", &p->hits_seen_us},
		{"reset", &p->reset_us_of_day},
		{"until", &p->blocked_until_us},
		{"start", &p->next_start_us},
		{"swept", &p->swept_us},
	};
	const struct {
		const char *name;
		unsigned *where;
	} counts[] = {
		{"pages", &p->pages_per_sweep},
		{"live", &p->live},
		{"soon", &p->upcoming_soon},
	};
	struct view word = view_of(name, length);

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (view_equals(word, words[i].name))
			*words[i].where = value;
	}
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		if (view_equals(word, counts[i].name) && value >= 0 && value <= 1000000)
			*counts[i].where = (unsigned)value;
	}
	if (view_equals(word, "learnt"))
		p->reset_learnt = value != 0;
}

void pace_load(struct pace *p, const char *text)
{
	const char *equals;

	pace_init(p);
	while ((equals = strchr(text, '='))) {
		size_t length = (size_t)(equals - text);

		if (view_equals(view_of(text, length), "why")) {
			snprintf(p->blocked_why, sizeof p->blocked_why, "%s", equals + 1);
			break;
		}
		load_word(p, text, length, strtoll(equals + 1, NULL, 10));
		text = equals + 1 + strcspn(equals + 1, " ");
		text += strspn(text, " ");
	}
	if (p->pages_per_sweep == 0)
		p->pages_per_sweep = 1;
	if (p->reset_us_of_day < 0 || p->reset_us_of_day >= DAY_US)
		p->reset_us_of_day = 0;
}

/* --- quota and blocks --- */

/* hitsToday fell between `from` and now: the reset lies there. What is believed stands when it
 * does too; else the end of the span is taken, which errs towards asking late. */
static void learn_reset(struct pace *p, int64_t from_us, int64_t now_us)
{
	if (now_us - from_us >= DAY_US || now_us < from_us)
		return;
	if (pace_last_reset_us(p, now_us) < from_us)
		p->reset_us_of_day = pace_of_day_us(now_us);
	p->reset_learnt = true;
}

void pace_quota(struct pace *p, int64_t today, int64_t limit, int64_t used, int64_t now_us)
{
	/* Servers behind one name differ by a few hits: only a real fall is a reset. */
	bool fell = today >= 0 && p->hits_today - today >= 5 && today <= p->hits_today / 2;

	if (fell)
		learn_reset(p, p->hits_seen_us, now_us);
	if (today >= 0)
		p->hits_today = today;
	if (limit >= 0)
		p->hits_limit = limit;
	if (used >= 0)
		p->hits_used = used;
	if (today >= 0)
		p->hits_seen_us = now_us;
}

void pace_block(struct pace *p, int64_t now_us, int64_t ms, const char *reason)
{
	int64_t until_us = now_us + ms * 1000;
	size_t length;

	if (ms <= 0 || until_us <= p->blocked_until_us)
		return;
	p->blocked_until_us = until_us;
	snprintf(p->blocked_why, sizeof p->blocked_why, "%s", reason);
	length = strlen(p->blocked_why);
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)p->blocked_why[i] < ' ')
			p->blocked_why[i] = ' ';
	}
}

/* "for 15 minutes": the span in ms; 0 where there is none. */
static int64_t span_in(const char *text)
{
	for (const char *p = text; (p = strpbrk(p, "0123456789")); p += strspn(p, "0123456789")) {
		int64_t n = strtoll(p, NULL, 10);
		const char *unit = p + strspn(p, "0123456789");

		unit += strspn(unit, " -");
		if (n <= 0 || n > 10000)
			continue;
		if (strncmp(unit, "sec", 3) == 0)
			return n * 1000;
		if (strncmp(unit, "min", 3) == 0)
			return n * 60 * 1000;
		if (strncmp(unit, "hour", 4) == 0)
			return n * 3600 * 1000;
	}
	return 0;
}

/* The block that has just run out led to the believed reset, and still the hits are used up. */
static bool guess_failed(const struct pace *p, int64_t now_us)
{
	return !p->reset_learnt && p->blocked_until_us > 0 && now_us >= p->blocked_until_us &&
	       now_us - p->blocked_until_us < HOUR_US &&
	       now_us - pace_last_reset_us(p, now_us) < DAY_US / 2;
}

int64_t pace_block_of_reason(const struct pace *p, const char *reason, int64_t now_us)
{
	int64_t ms;

	if (text_contains_ignoring_case(reason, "block")) {
		ms = span_in(reason);
		if (ms > 0)
			return ms > DAY_US / 1000 ? DAY_US / 1000 : ms;
	}
	if (!text_contains_ignoring_case(reason, "limit") ||
		!text_contains_ignoring_case(reason, "exceed"))
		return 0;
	if (guess_failed(p, now_us))
		return HOUR_US / 1000;
	return (pace_last_reset_us(p, now_us) + DAY_US - now_us) / 1000;
}

/* --- sweeps --- */

enum pace_phase pace_phase_of(const struct pace_match *m, int64_t now_us)
{
	int64_t live_us = (m->is_test ? 16 : 3) * HOUR_US;
	int64_t end_us = m->is_test ? 6 * DAY_US : 2 * DAY_US;
	int64_t unchanged_us = m->changed_us ? now_us - m->changed_us : 0;

	if (m->ended)
		return PACE_ENDED;
	/* Stuck rows come with every first sight of a list: their day is long past. */
	if (m->start_us && now_us - m->start_us > end_us)
		return PACE_ENDED;
	if (m->started && unchanged_us > end_us)
		return PACE_ENDED;
	if (m->started)
		return unchanged_us <= live_us ? PACE_LIVE : PACE_UPCOMING;
	if (m->start_time_known && llabs(now_us - m->start_us) <= start_near_us)
		return PACE_LIVE;
	return PACE_UPCOMING;
}

void pace_sweep_begin(struct pace *p)
{
	p->counted_live = 0;
	p->counted_soon = 0;
	p->counted_start_us = 0;
}

/* Something may begin without notice: rain stopped play, or it is the day and the hour is not
 * known. */
static bool may_begin_soon(const struct pace_match *m, int64_t now_us)
{
	return m->started || (m->start_us && llabs(now_us - m->start_us) < DAY_US &&
				     !(m->start_time_known && m->start_us > now_us));
}

void pace_sweep_match(struct pace *p, const struct pace_match *m, int64_t now_us)
{
	enum pace_phase phase = pace_phase_of(m, now_us);

	if (phase == PACE_LIVE)
		p->counted_live++;
	if (phase != PACE_UPCOMING)
		return;
	if (may_begin_soon(m, now_us))
		p->counted_soon++;
	if (m->start_time_known && m->start_us > now_us &&
		(!p->counted_start_us || m->start_us < p->counted_start_us))
		p->counted_start_us = m->start_us;
}

void pace_sweep_end(struct pace *p, unsigned pages, int64_t now_us)
{
	p->live = p->counted_live;
	p->upcoming_soon = p->counted_soon;
	p->next_start_us = p->counted_start_us;
	p->pages_per_sweep = pages > 0 ? pages : 1;
	p->swept_us = now_us;
	p->failures = 0;
}

void pace_sweep_failed(struct pace *p)
{
	p->failures++;
}
