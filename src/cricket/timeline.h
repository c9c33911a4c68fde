/* timeline.h - what happened between two states of a match, in a scorer's words: "+4", "WICKET",
 * "+1 WICKET", "2 WICKETS", "dot ball", "innings break", "start", "toss", "lunch", "result",
 * "correction -3", "status". */
#pragma once
#include "cricket/innings.h"
#include <stdbool.h>
#include <stddef.h>

enum { TIMELINE_EVENT_BYTES = 96 };

/* `before` is NULL for the first state seen. *out_wickets: how many fell in the innings now
 * played. */
void timeline_event(const struct score *before, const struct score *now,
	char out[TIMELINE_EVENT_BYTES], int64_t *out_wickets);
