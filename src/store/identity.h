/* identity.h - which state of a match this is: each start of a producer draws a random run; each new
 * state gets the next seq of that run, for good. Only an equal (match, run, seq) is a duplicate. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { RUN_BYTES = 16 };

struct identity {
	uint8_t run[RUN_BYTES];
	uint64_t seq; /* 1 and up; 0: unknown, and run is all zero */
};

static inline bool identity_known(const struct identity *i)
{
	return i->seq != 0;
}

static inline bool identity_equal(const struct identity *a, const struct identity *b)
{
	return a->seq == b->seq && !memcmp(a->run, b->run, RUN_BYTES);
}
