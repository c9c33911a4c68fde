/* demo_board.h - private to app/: the scoreboard of the demo. On a terminal one line that is drawn
 * anew, with the story of the match above it; else plain lines, one an over. */
#pragma once
#include "cricket/innings.h"
#include "cricket/row.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct board {
	FILE *out;
	bool terminal, colour, utf8;
	unsigned width;
	bool begun;
	struct score last;
	unsigned states, fours, sixes, wickets;
	char flash[16];	     /* FOUR, SIX, WICKET */
	unsigned flash_left; /* states it still stands */
	bool line_open;	     /* the cursor stands behind the scoreboard line */
};

/* Looks at `out`: a terminal, its width, colours (NO_COLOR), its character set. */
void board_init(struct board *b, FILE *out);
/* The next state of the match. */
void board_show(struct board *b, const struct row *row);
/* Ends the line, so that others may print. */
void board_close_line(struct board *b);
/* Team and score of every innings, a line each. */
void board_result(struct board *b, const struct row *row);
