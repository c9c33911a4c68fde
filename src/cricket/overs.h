/* overs.h - overs and balls. "19.4" is 19 overs and 4 balls: 118 balls of a six-ball over. In the
 * Hundred the API counts balls in the same field ("91"), and an over is a set of five. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OVERS_BALLS = 6, OVERS_SET_BALLS = 5 }; /* balls of an over; of a set in the Hundred */
enum { OVERS_UNKNOWN = -1 };
enum { OVERS_TEXT_BYTES = 24 };

/* Balls bowled, from the API's text. "19.6" and "20.0" (other feeds) are 120. OVERS_UNKNOWN where
 * the text is empty, no number, above 99,999 overs, or has more balls than an over. */
int64_t overs_balls(const char *text, bool counts_balls);

/* The way back: 118 is "19.4", 120 is "20"; with counts_balls the number itself. "" for
 * OVERS_UNKNOWN. */
void overs_text(int64_t balls, bool counts_balls, char out[OVERS_TEXT_BYTES]);

/* How many balls an over (or a set) has. */
int overs_per_over(bool counts_balls);
/* The over, counted from 1, in which ball number `ball` (from 1) falls. */
int64_t overs_over_of(int64_t ball, bool counts_balls);

/* Runs per six balls, in the Hundred too; 0 where no ball was bowled. */
double overs_run_rate(int64_t runs, int64_t balls);
