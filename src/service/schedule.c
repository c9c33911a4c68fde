#include "service/schedule.h"

#include <stddef.h>
#include <string.h>

enum {
	RENDER_SHARE = 100, /* a match rests 100 times as long as its rendering took */
	FAILED_REST_MS = 5 * 60000,
	RETRIES = 1,
};
static const double bytes_an_hour = 200e6;
static const double ms_an_hour = 3600e3;

void schedule_init(struct schedule *s, int64_t interval_ms, int64_t now_ms)
{
	memset(s, 0, sizeof *s);
	s->interval_ms = interval_ms;
	s->worn_ms = now_ms;
}

void schedule_anew(struct schedule *s)
{
	memset(s->recent, 0, sizeof s->recent);
}

static struct schedule_entry *find(struct schedule *s, int64_t match)
{
	for (int i = 0; i < SCHEDULE_RECENT; i++)
		if (s->recent[i].match == match)
			return &s->recent[i];
	return NULL;
}

/* The match's entry; for a new one the place of the match that was rendered longest ago. */
static struct schedule_entry *remember(struct schedule *s, int64_t match)
{
	struct schedule_entry *e = find(s, match), *oldest = &s->recent[0];

	if (e)
		return e;
	for (int i = 0; i < SCHEDULE_RECENT; i++)
		if (s->recent[i].started_ms < oldest->started_ms)
			oldest = &s->recent[i];
	*oldest = (struct schedule_entry){.match = match};
	return oldest;
}

static void leak(struct schedule *s, int64_t now_ms)
{
	double gone = (double)(now_ms - s->worn_ms) / ms_an_hour * bytes_an_hour;

	s->worn_bytes = s->worn_bytes > gone ? s->worn_bytes - gone : 0;
	s->worn_ms = now_ms;
}

int64_t schedule_rest_ms(const struct schedule *s, int64_t took_ms)
{
	int64_t rest = took_ms * RENDER_SHARE;

	return rest > s->interval_ms ? rest : s->interval_ms;
}

bool schedule_is_due(struct schedule *s, int64_t match, bool ended, bool hurry, int64_t now_ms)
{
	const struct schedule_entry *e = find(s, match);

	if (e && e->failures > RETRIES)
		return now_ms - e->started_ms >= FAILED_REST_MS;
	if (!e || hurry || (ended && !e->ended))
		return true;
	leak(s, now_ms);
	if (s->worn_bytes >= bytes_an_hour)
		return false;
	return now_ms - e->started_ms >= schedule_rest_ms(s, e->took_ms);
}

void schedule_started(struct schedule *s, int64_t match, int64_t now_ms)
{
	remember(s, match)->started_ms = now_ms;
}

void schedule_written(struct schedule *s, int64_t match, bool ended, int64_t took_ms)
{
	struct schedule_entry *e = remember(s, match);

	e->took_ms = took_ms;
	e->ended = ended;
	e->failures = 0;
}

void schedule_failed(struct schedule *s, int64_t match)
{
	remember(s, match)->failures++;
}

void schedule_wear(struct schedule *s, uint64_t bytes, int64_t now_ms)
{
	leak(s, now_ms);
	s->worn_bytes += (double)bytes;
}
