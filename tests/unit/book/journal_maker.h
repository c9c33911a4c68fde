/* journal_maker.h - makes journals for tests of book/: states as JSON lines, or bodies given one
 * by one. */
#pragma once
#include "store/journal.h"
#include <stddef.h>

enum { MAKER_LINE_BYTES = 1 << 20 };

struct maker {
	struct journal *journal;
	unsigned generation;
	int partitions;
	int64_t next_offset[8];
	uint64_t seq; /* of the run now sending */
	uint8_t run;  /* its first byte; others are 0x11 */
	bool held;    /* set by the caller: records are committed by maker_flush, or by 256 */
	unsigned staged;
	struct identity last; /* of the state before, of any match: pass it as prev where it fits */
};
void maker_open(struct maker *m, const char *path);
void maker_close(struct maker *m);
/* Adds one state at `at_us`; begins and commits by itself. prev NULL: unknown. Returns its
 * identity. */
struct identity maker_add(struct maker *m, const char *key, const char *body, size_t length,
	int64_t at_us, const struct identity *prev, bool ended);
void maker_flush(struct maker *m);
/* Reads a file of lines {"t":seconds,...,"match":{...}}; states begin at `from_us`. Returns how
 * many. */
unsigned maker_add_file(struct maker *m, const char *path, int64_t from_us);
