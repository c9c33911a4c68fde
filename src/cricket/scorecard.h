/* scorecard.h - a match over by over, from the states that were seen, in order: for the Overs
 * sheet, the worm and the manhattan. Nothing is interpolated: where polls missed the end of an
 * over, one span covers several. One owner; memory is bounded (about 160 KiB for eight long
 * innings); the oldest detail is thinned, never the totals. */
#pragma once
#include "base/status.h"
#include "cricket/innings.h"
#include <stdbool.h>
#include <stdint.h>

/* Overs from..to (counted from 1; sets of five in the Hundred) of one innings. */
struct card_span {
	int32_t from_over, to_over;
	int32_t runs, wickets; /* in the span */
	int32_t total;	       /* at its end */
	int32_t balls;	       /* bowled in the innings at its end */
	int32_t partnership;   /* at its end, counted from the state that showed the last wicket */
	int32_t fallen;	       /* wickets in the innings at its end */
};
/* A point of the worm: the total after so many balls. */
struct card_point {
	int32_t balls, total;
	int32_t wickets; /* that fell here, 0 mostly */
};

struct scorecard;
enum status scorecard_open(struct scorecard **out, bool counts_balls, struct why *why) MUST_CHECK;
void scorecard_close(struct scorecard *c); /* NULL is fine */
/* The next state, in Timeline order. */
enum status scorecard_see(struct scorecard *c, const struct score *s, struct why *why) MUST_CHECK;
/* Call once after the last state: what is left of the over in progress becomes a span. */
enum status scorecard_end(struct scorecard *c, struct why *why) MUST_CHECK;

unsigned scorecard_innings(const struct scorecard *c);
const struct card_span *scorecard_spans(
	const struct scorecard *c, unsigned innings, unsigned *count);
const struct card_point *scorecard_points(
	const struct scorecard *c, unsigned innings, unsigned *count);
