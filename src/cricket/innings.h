/* innings.h - the score of a match as a value: what two states are compared by, and what may be
 * kept after the row it came from is gone. Innings are counted by their place in `score`, never by
 * their label. */
#pragma once
#include "cricket/row.h"
#include <stdbool.h>
#include <stdint.h>

enum { SCORE_STATUS_BYTES = 192 };

struct innings {
	int64_t runs, wickets;
	int64_t balls; /* OVERS_UNKNOWN where the text is no overs */
};

struct score {
	unsigned innings; /* of ROW_INNINGS at most */
	struct innings at[ROW_INNINGS];
	bool started, ended;
	char status[SCORE_STATUS_BYTES]; /* cut at a character's border */
};

void score_of(const struct row *row, bool counts_balls, struct score *out);
/* The innings now being played, or last played: the last that has begun; -1 before play. */
int score_current(const struct score *s);
/* "186/5 (20)"; an innings without overs is "186/5". */
enum { INNINGS_TEXT_BYTES = 64 };
void innings_text(const struct row_innings *innings, char out[INNINGS_TEXT_BYTES]);
/* All innings of a row, "186/5 (20), 187/3 (18.4)"; cut where out is full. */
void innings_all_text(const struct row *row, char *out, size_t out_bytes);
