/* chase.h - what the side batting last needs: target, runs, balls left, required rate. The status
 * text is authoritative where it says so ("India need 33 runs in 46 balls", "DLS Target 81"):
 * after rain only it knows. Otherwise the target is the first total + 1 and the balls are those of
 * a full innings. */
#pragma once
#include "cricket/innings.h"
#include "cricket/match.h"
#include "cricket/row.h"
#include <stdbool.h>
#include <stdint.h>

/* Remembers, over the states of one match in order, what a status once said. Zero-initialised by
 * the caller. */
struct chase {
	int64_t target;	     /* said by a status; 0 none */
	int64_t limit_balls; /* of the chasing innings, said by a status; 0 none */
	bool shortened;	     /* rain, DLS: the full length no longer holds */
};

/* What is not known is -1. */
struct chase_need {
	int innings; /* which one chases, by place; -1: none */
	int64_t target;
	int64_t runs;  /* still needed, never below 0 */
	int64_t balls; /* left */
	double rate;   /* per six balls; -1 where balls are not known or none are left */
};

void chase_see(
	struct chase *c, const struct row *row, const struct score *score, struct chase_need *out);
