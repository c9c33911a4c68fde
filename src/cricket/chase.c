#include "cricket/chase.h"
#include "base/text.h"
#include "cricket/overs.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST = 10000 }; /* runs or balls that a text may speak of */

/* The number after `words`, e.g. the 81 of "DLS Target 81"; -1 without. */
static int64_t number_after(const char *text, const char *words)
{
	size_t length = strlen(words);

	for (; *text; text++) {
		if (strncasecmp(text, words, length))
			continue;
		const char *p = text + length;

		while (*p == ' ' || *p == ':')
			p++;
		if (isdigit((unsigned char)*p))
			return strtoll(p, NULL, 10);
	}
	return -1;
}

/* "X need 33 runs in 46 balls": 33 and 46; balls -1 where the text has none. */
static bool status_need(const char *status, int64_t *runs, int64_t *balls)
{
	int64_t n = number_after(status, " need ");

	if (n < 0)
		n = number_after(status, " needs ");
	if (n < 0 || n > MOST || !text_contains_ignoring_case(status, " run"))
		return false;
	*runs = n;
	*balls = -1;
	for (const char *p = status; *p; p++) {
		if (strncasecmp(p, " in ", 4) || !isdigit((unsigned char)p[4]))
			continue;
		char *end;
		long long in = strtoll(p + 4, &end, 10);

		if (!strncasecmp(end, " ball", 5) && in >= 0 && in <= MOST)
			*balls = in;
	}
	return true;
}

/* Which innings chases: the second of a limited match, the fourth (or, after an innings by which a
 * side has gone in twice running, the third) of a Test. */
static int chasing_innings(const struct row *row, enum match_kind kind)
{
	if (kind == MATCH_TEST)
		return row->innings == 4 ? 3 : -1;
	if (kind == MATCH_OTHER)
		return -1;
	return row->innings == 2 ? 1 : -1;
}

/* The other side's total and one more, less what this side has from before. */
static int64_t plain_target(const struct row *row, const struct score *score, int chasing)
{
	int64_t target = 1;
	int side = match_side_of(row, (unsigned)chasing);

	if (chasing == 1)
		return score->at[0].runs + 1;
	for (unsigned k = 0; k < (unsigned)chasing; k++) {
		int of = match_side_of(row, k);

		if (side < 0 || of < 0)
			return -1;
		target += of == side ? -score->at[k].runs : score->at[k].runs;
	}
	return target > 0 ? target : -1;
}

static bool speaks_of_rain(const char *status)
{
	static const char *const words[] = {
		"rain", "DLS", "D/L", "reduced", "over match", "overs game", "overs match"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (text_contains_ignoring_case(status, words[i]))
			return true;
	return false;
}

static void learn(struct chase *c, const struct row *row, const struct innings *now, bool chased)
{
	int64_t dls = number_after(row->status, "target"), runs, balls; /* "DLS Target 81" */

	if (speaks_of_rain(row->status))
		c->shortened = true;
	if (dls > 0 && dls <= MOST)
		c->target = dls;
	if (!chased || !status_need(row->status, &runs, &balls))
		return;
	c->target = now->runs + runs;
	if (balls >= 0 && now->balls >= 0)
		c->limit_balls = now->balls + balls;
}

void chase_see(
	struct chase *c, const struct row *row, const struct score *score, struct chase_need *out)
{
	enum match_kind kind = match_kind_of(row);
	int64_t runs, balls;
	int at = chasing_innings(row, kind);

	*out = (struct chase_need){
		.innings = -1, .target = -1, .runs = -1, .balls = -1, .rate = -1};
	if (at < 0 && row->innings >= 2 && status_need(row->status, &runs, &balls))
		at = (int)row->innings - 1; /* an innings that can win it, whatever its number */
	learn(c, row, at >= 0 ? &score->at[at] : NULL, at >= 0);
	if (at < 0)
		return;

	const struct innings *now = &score->at[at];
	int64_t limit = c->limit_balls;

	out->innings = at;
	out->target = c->target ? c->target : plain_target(row, score, at);
	if (!limit && !c->shortened)
		limit = match_full_balls(kind);
	if (out->target > 0)
		out->runs = out->target > now->runs ? out->target - now->runs : 0;
	if (limit && now->balls >= 0)
		out->balls = limit > now->balls ? limit - now->balls : 0;
	if (out->runs >= 0 && out->balls > 0)
		out->rate = (double)out->runs * OVERS_BALLS / (double)out->balls;
}
