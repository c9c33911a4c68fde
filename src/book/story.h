/* story.h - a match as it was seen, gathered while the Timeline is written, for the sheets Overs
 * and Match (private to book/). */
#pragma once
#include "cricket/chase.h"
#include "cricket/row.h"
#include "cricket/scorecard.h"
#include <stdbool.h>
#include <stdint.h>

struct story {
	bool counts_balls; /* the Hundred: `o` is balls, an over is a set of five */
	bool is_match;	   /* some state has teams or score: else Match and Records are all */
	struct scorecard *card;
	struct chase chase;
	int64_t target[ROW_INNINGS]; /* by innings, 0 none */
	uint64_t rows;		     /* of the Timeline: states that differ from the one before */
	uint64_t states;	     /* records, duplicates left out */
	uint64_t missing;	     /* at least so many were not received */
	uint64_t unreadable;	     /* states that the row reader refused */
	int64_t first_us, last_us, longest_gap_us;
};
