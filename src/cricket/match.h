/* match.h - what a row says of the match as a whole: its kind, whether `o` counts balls, who bats
 * in which innings, how it stands or ended. Pure; texts are matched without regard to ASCII
 * case. */
#pragma once
#include "cricket/row.h"
#include <stdbool.h>
#include <stddef.h>

enum match_kind { MATCH_OTHER, MATCH_T20, MATCH_ODI, MATCH_TEST, MATCH_HUNDRED };

/* `o` counts balls, not overs: no matchType, and no ODI, T20, Test or List A in the name (the
 * Hundred). */
bool match_counts_balls(const struct row *row);
enum match_kind match_kind_of(const struct row *row);
/* Balls of a full innings: 120, 300, 100; 0 where there is no limit or it is not known. */
int match_full_balls(enum match_kind kind);
/* "T20", "ODI", "Test", "100 balls", or the row's own matchType in capitals; "" unknown. */
void match_kind_text(const struct row *row, char *out, size_t out_bytes);

/* How it stands. The status text decides where it can: matchEnded stays false for good on some
 * washed-out matches. */
enum match_result {
	MATCH_FIXTURE, /* not begun */
	MATCH_LIVE,
	MATCH_WON,
	MATCH_TIED,	 /* tied or drawn */
	MATCH_NO_RESULT, /* washed out, abandoned, no scorecard */
	MATCH_OVER,	 /* ended, and the text does not say how */
};
enum match_result match_result_of(const struct row *row);
/* Play, or at least the toss, has been: a fixture gets no workbook. */
bool match_begun(const struct row *row);

/* Which of the two teams bats in innings k (by place): 0 or 1, -1 where it cannot be told. Labels
 * may be "India Inning 1", lower case, or bear both names ("Fiji,Philippines Inning 1": then the
 * side that did not bat in the innings before). */
int match_side_of(const struct row *row, unsigned k);
/* The side's name, else the label without " Inning n", else "". */
void match_team_of(const struct row *row, unsigned k, char *out, size_t out_bytes);
