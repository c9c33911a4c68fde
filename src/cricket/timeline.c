#include "cricket/timeline.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

struct words {
	char *out;
	size_t used;
};

static void add(struct words *w, const char *word)
{
	int n = snprintf(w->out + w->used, TIMELINE_EVENT_BYTES - w->used, "%s%s",
		w->used ? ", " : "", word);

	if (n > 0 && w->used + (size_t)n < TIMELINE_EVENT_BYTES)
		w->used += (size_t)n;
	else
		w->out[w->used] = '\0'; /* a word more than fits is left out whole */
}

/* Runs and wickets of one innings between two sights of it. */
static void add_play(struct words *w, const struct innings *a, const struct innings *b, bool alone)
{
	long long runs = (long long)(b->runs - a->runs),
		  wickets = (long long)(b->wickets - a->wickets);
	long long balls = a->balls >= 0 && b->balls >= 0 ? (long long)(b->balls - a->balls) : 0;
	char text[64];

	if (runs < 0)
		snprintf(text, sizeof(text), "correction %lld", runs);
	else if (wickets < 0 || balls < 0)
		snprintf(text, sizeof(text), "correction");
	else if (runs && wickets > 1)
		snprintf(text, sizeof(text), "+%lld %lld WICKETS", runs, wickets);
	else if (runs && wickets)
		snprintf(text, sizeof(text), "+%lld WICKET", runs);
	else if (runs)
		snprintf(text, sizeof(text), "+%lld", runs);
	else if (wickets > 1)
		snprintf(text, sizeof(text), "%lld WICKETS", wickets);
	else if (wickets)
		snprintf(text, sizeof(text), "WICKET");
	else if (balls > 1 && alone)
		snprintf(text, sizeof(text), "%lld dot balls", balls);
	else if (balls && alone)
		snprintf(text, sizeof(text), "dot ball");
	else
		return;
	add(w, text);
}

/* A break or a result that the status names, when the status is new. */
static const char *status_event(const char *status)
{
	static const struct {
		const char *says, *event;
	} table[] = {
		{"opt to", "toss"},
		{"won the toss", "toss"},
		{"super over", "super over"},
		{"super five", "super five"},
		{"stumps", "stumps"},
		{"lunch", "lunch"},
		{"tea", "tea"},
		{"innings break", "innings break"},
		{"drinks", "drinks"},
		{"rain", "rain"},
		{"bad light", "bad light"},
		{"wet outfield", "wet outfield"},
		{"delay", "delay"},
	};
	static const char *const intervals[] = {": tea", ":tea", "tea break", "tea -"};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!text_contains_ignoring_case(status, table[i].says))
			continue;
		if (strcmp(table[i].event, "tea") != 0)
			return table[i].event;
		for (size_t k = 0; k < sizeof(intervals) / sizeof(intervals[0]);
			k++) /* not "team" */
			if (text_contains_ignoring_case(status, intervals[k]))
				return "tea";
	}
	return "status";
}

/* Further innings than before: the break, or the start of play, and what was scored since. */
static void add_new_innings(struct words *w, const struct score *before, const struct score *now)
{
	static const struct innings nothing = {0, 0, 0};

	for (unsigned k = before ? before->innings : 0; k < now->innings; k++) {
		add(w, k == 0 ? "start" : "innings break");
		add_play(w, &nothing, &now->at[k], false);
	}
}

void timeline_event(const struct score *before, const struct score *now,
	char out[TIMELINE_EVENT_BYTES], int64_t *out_wickets)
{
	struct words w = {.out = out};
	int current = score_current(now);

	out[0] = '\0';
	*out_wickets = 0;
	if (current >= 0) {
		bool known = before && (unsigned)current < before->innings;
		int64_t had = known ? before->at[current].wickets : 0;

		if (before && now->at[current].wickets > had)
			*out_wickets = now->at[current].wickets - had;
	}
	if (!before && now->innings > 0) {
		add(&w, "first state seen");
	} else if (before) {
		unsigned both = before->innings < now->innings ? before->innings : now->innings;

		for (unsigned k = 0; k < both; k++)
			add_play(&w, &before->at[k], &now->at[k], now->innings == before->innings);
		if (now->innings < before->innings)
			add(&w, "correction");
	}
	if (before)
		add_new_innings(&w, before, now);
	if (now->ended && (!before || !before->ended))
		add(&w, "result");
	if (!w.used && !now->ended && now->started &&
		(!before || strcmp(before->status, now->status) != 0))
		add(&w, status_event(now->status));
	if (!w.used && (!before || strcmp(before->status, now->status) != 0))
		add(&w, !before && !now->started ? "fixture" : "status");
}
