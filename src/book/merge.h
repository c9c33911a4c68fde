/* merge.h - which states become rows of the Timeline (private to book/). States come in Timeline
 * order from any number of runs: restarts of one producer, or two boxes that poll the same API,
 * interleaved anyhow. Each run is taken for a reader of the one true story: a state that the
 * Timeline already has after the place where this run stood only moves the run forward; any other
 * state is new. So A, B, A from one run are three rows, and A, A, B, B from two runs are two.
 * Fixed memory: the last MERGE_STATES rows and MERGE_RUNS runs are remembered. */
#pragma once
#include "store/journal.h"
#include <stdbool.h>
#include <stdint.h>

enum { MERGE_STATES = 128, MERGE_RUNS = 32 };

struct merge_state {
	uint64_t hash; /* of the bytes */
	uint64_t length;
	int64_t at_us;
};
struct merge_run {
	uint8_t run[RUN_BYTES];
	uint64_t seq;	   /* the last one seen */
	uint64_t position; /* row it stands at, from 1 */
	uint64_t used;	   /* when, for replacing the oldest */
};
struct merge {
	struct merge_state states[MERGE_STATES]; /* row n at n % MERGE_STATES */
	uint64_t rows;
	struct merge_run runs[MERGE_RUNS];
	uint64_t turn;
};

/* True: the record is a new row. Zero-initialised struct before the first call. */
bool merge_is_row(struct merge *m, const struct journal_record *r);
