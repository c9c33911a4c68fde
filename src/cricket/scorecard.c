#include "cricket/scorecard.h"
#include "cricket/overs.h"
#include <stdlib.h>
#include <string.h>

enum {
	MOST_SPANS = 512, /* a Test innings has 100 to 200 overs */
	MOST_POINTS = 512,
	WIDEST_STRIDE = 1 << 20,
	WICKETS_KEPT = 32,
	FIRST_ROOM = 32,
};

struct innings_card {
	struct card_span *spans;
	unsigned spans_used, spans_room;
	struct card_point *points;
	unsigned points_used, points_room;
	int32_t stride;		      /* points are kept at every stride-th ball, and at wickets */
	int32_t balls, runs, wickets; /* last seen */
	int32_t partnership_from;     /* runs when the last wicket was seen */
	bool seen;
};

struct scorecard {
	bool counts_balls;
	unsigned innings;
	struct innings_card at[ROW_INNINGS];
};

static int32_t small(int64_t n)
{
	return n < 0 ? 0 : n > 1000000 ? 1000000 : (int32_t)n;
}

enum status scorecard_open(struct scorecard **out, bool counts_balls, struct why *why)
{
	struct scorecard *c = calloc(1, sizeof(*c));

	if (!c)
		return fail(why, STATUS_NO_MEMORY, "no memory for the scorecard");
	c->counts_balls = counts_balls;
	for (unsigned k = 0; k < ROW_INNINGS; k++)
		c->at[k].stride = 1;
	*out = c;
	return STATUS_OK;
}

void scorecard_close(struct scorecard *c)
{
	for (unsigned k = 0; c && k < ROW_INNINGS; k++) {
		free(c->at[k].spans);
		free(c->at[k].points);
	}
	free(c);
}

/* Makes room for one more element, up to `most`; false where that is reached or memory is. */
static bool grow(void **array, unsigned used, unsigned *room, unsigned most, size_t size)
{
	unsigned wanted = *room ? *room * 2 : FIRST_ROOM;
	void *more;

	if (used < *room)
		return true;
	if (used >= most)
		return false;
	if (wanted > most)
		wanted = most;
	more = realloc(*array, wanted * size);
	if (!more)
		return false;
	*array = more;
	*room = wanted;
	return true;
}

/* Keeps wickets, the last point, and every point at a multiple of the (new, wider) stride. An
 * innings whose wickets fall without end (a source gone wrong) keeps the first of them only. */
static void thin_points(struct innings_card *card, int32_t per_over)
{
	unsigned kept = 0, fallen = 0;

	if (card->stride < WIDEST_STRIDE)
		card->stride = card->stride == 1 ? per_over : card->stride * 2;
	for (unsigned i = 0; i < card->points_used; i++) {
		struct card_point p = card->points[i];
		bool wicket = p.wickets && fallen++ < WICKETS_KEPT;

		if (wicket || p.balls % card->stride == 0 || i + 1 == card->points_used)
			card->points[kept++] = p;
	}
	card->points_used = kept;
}

static void add_point(struct scorecard *c, struct innings_card *card, int32_t balls, int32_t total,
	int32_t wickets)
{
	struct card_point *last = card->points_used ? &card->points[card->points_used - 1] : NULL;
	int32_t per_over = overs_per_over(c->counts_balls);

	while (last && last->balls > balls) /* a correction took balls back */
		last = --card->points_used ? last - 1 : NULL;
	bool passing = last && !last->wickets && last->balls % card->stride != 0;

	if (last && (last->balls == balls || passing) && !(wickets && last->wickets)) {
		*last = (struct card_point){
			balls, total, last->balls == balls ? last->wickets + wickets : wickets};
		return;
	}
	if (card->points && card->points_used >= MOST_POINTS)
		thin_points(card, per_over);
	if (grow((void **)&card->points, card->points_used, &card->points_room, MOST_POINTS,
		    sizeof(*card->points)))
		card->points[card->points_used++] = (struct card_point){balls, total, wickets};
}

static const struct card_span *last_span(const struct innings_card *card)
{
	static const struct card_span start = {0};

	return card->spans_used ? &card->spans[card->spans_used - 1] : &start;
}

/* Closes a span at what was last seen; beyond MOST_SPANS the last one grows instead. */
static enum status close_span(struct scorecard *c, struct innings_card *card, struct why *why)
{
	const struct card_span *before = last_span(card);
	struct card_span span = {
		.from_over = before->to_over + 1,
		.to_over = (int32_t)overs_over_of(card->balls, c->counts_balls),
		.runs = card->runs - before->total,
		.wickets = card->wickets - before->fallen,
		.total = card->runs,
		.balls = card->balls,
		.partnership = card->runs - card->partnership_from,
		.fallen = card->wickets,
	};

	if (span.to_over < span.from_over) /* extras before the first ball of an over */
		span.to_over = span.from_over;
	if (grow((void **)&card->spans, card->spans_used, &card->spans_room, MOST_SPANS,
		    sizeof(*card->spans))) {
		card->spans[card->spans_used++] = span;
		return STATUS_OK;
	}
	if (card->spans_used < MOST_SPANS)
		return fail(why, STATUS_NO_MEMORY, "no memory for the overs of an innings");
	span.from_over = card->spans[MOST_SPANS - 1].from_over;
	span.runs += card->spans[MOST_SPANS - 1].runs;
	span.wickets += card->spans[MOST_SPANS - 1].wickets;
	card->spans[MOST_SPANS - 1] = span;
	return STATUS_OK;
}

/* A correction took balls or runs back: spans beyond them are no longer true. */
static void take_back(struct innings_card *card)
{
	while (card->spans_used &&
		(last_span(card)->balls > card->balls || last_span(card)->total > card->runs))
		card->spans_used--;
	if (card->partnership_from > card->runs)
		card->partnership_from = card->runs;
}

static enum status see_innings(
	struct scorecard *c, struct innings_card *card, const struct innings *now, struct why *why)
{
	int32_t balls = now->balls < 0 ? card->balls : small(now->balls), runs = small(now->runs);
	int32_t wickets = small(now->wickets),
		fell = wickets > card->wickets ? wickets - card->wickets : 0;
	int32_t per_over = overs_per_over(c->counts_balls);
	bool back = balls < card->balls || runs < card->runs;

	if (card->seen && balls == card->balls && runs == card->runs && wickets == card->wickets)
		return STATUS_OK;
	if (!card->seen)
		add_point(c, card, 0, 0, 0);
	card->seen = true;
	card->balls = balls;
	card->runs = runs;
	card->wickets = wickets;
	if (fell)
		card->partnership_from = runs;
	if (back)
		take_back(card);
	add_point(c, card, balls, runs, fell);
	if (balls > 0 && balls % per_over == 0 && balls > last_span(card)->balls)
		return close_span(c, card, why);
	return STATUS_OK;
}

enum status scorecard_see(struct scorecard *c, const struct score *s, struct why *why)
{
	for (unsigned k = 0; k < s->innings && k < ROW_INNINGS; k++) {
		enum status st = see_innings(c, &c->at[k], &s->at[k], why);

		if (st != STATUS_OK)
			return st;
		if (k >= c->innings)
			c->innings = k + 1;
	}
	return STATUS_OK;
}

enum status scorecard_end(struct scorecard *c, struct why *why)
{
	for (unsigned k = 0; k < c->innings; k++) {
		struct innings_card *card = &c->at[k];
		const struct card_span *last = last_span(card);
		enum status st = STATUS_OK;

		if (card->seen && (card->balls > last->balls || card->runs > last->total ||
					  card->wickets > last->fallen))
			st = close_span(c, card, why);
		if (st != STATUS_OK)
			return st;
	}
	return STATUS_OK;
}

unsigned scorecard_innings(const struct scorecard *c)
{
	return c->innings;
}

const struct card_span *scorecard_spans(
	const struct scorecard *c, unsigned innings, unsigned *count)
{
	*count = c->at[innings].spans_used;
	return c->at[innings].spans;
}

const struct card_point *scorecard_points(
	const struct scorecard *c, unsigned innings, unsigned *count)
{
	*count = c->at[innings].points_used;
	return c->at[innings].points;
}
