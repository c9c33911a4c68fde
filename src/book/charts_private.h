/* charts_private.h - what charts.c gathers and charts_draw.c draws. */
#pragma once
#include "book/charts.h"
#include "cricket/match.h"

enum { WORM_X, WORM_TOTAL, WORM_WICKET, WORM_COLUMNS };

struct bars { /* of one innings */
	double runs[CHARTS_MOST_OVERS];
	uint8_t wickets[CHARTS_MOST_OVERS];
	bool mean[CHARTS_MOST_OVERS]; /* polls missed the end of this over */
	unsigned overs;
};

struct charts {
	const struct story *story;
	unsigned innings;
	char names[ROW_INNINGS][72];
	int side[ROW_INNINGS];	  /* whose colour */
	bool second[ROW_INNINGS]; /* that side's second innings */
	unsigned points[ROW_INNINGS];
	double most_x;	   /* the x axis ends here: overs, or balls in the Hundred */
	int64_t target;	   /* of the last innings, 0 none */
	struct bars *bars; /* NULL: no manhattan */
	unsigned most_overs;
	bool means;
};

unsigned charts_worm_column(unsigned innings, unsigned which);
unsigned charts_target_column(const struct charts *c); /* x; y is the next */
unsigned charts_over_column(const struct charts *c); /* over numbers; innings k is k + 1 further */
unsigned charts_columns(const struct charts *c);
