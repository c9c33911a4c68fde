/* pointer.h - a JSON pointer (RFC 6901) followed while a document is scanned: no paths are
 * built, the pointer keeps the level down to which the open containers agree with it. Where keys
 * repeat, the first one leads on, even into nothing. Depths count from the value the pointer is
 * relative to. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { POINTER_BYTES = 256, POINTER_STEPS = 16, POINTER_KEY_RAW = 6 * POINTER_BYTES };

struct pointer {
	char names[POINTER_BYTES];	   /* the steps, decoded, one behind the other */
	uint16_t start[POINTER_STEPS + 1]; /* where each begins, and the last one ends */
	uint64_t number[POINTER_STEPS];	   /* as an array index; UINT64_MAX: none */
	unsigned steps;

	unsigned level; /* containers entered that lie on the way */
	uint64_t index; /* of the next element, where the innermost of them is an array */
	bool armed;	/* the key before the next value is the step wanted */
	bool done;	/* arrived, or never will */
};

/* "" is the value itself. STATUS_BAD_DATA with the matter in `why`. */
enum status pointer_parse(struct pointer *p, const char *text, struct why *why) MUST_CHECK;
void pointer_restart(struct pointer *p);

/* A key at `depth` open containers matters: pointer_key compares its decoded text. */
static inline bool pointer_awaits_key(const struct pointer *p, unsigned depth)
{
	return !p->done && p->level == depth;
}
void pointer_key(struct pointer *p, struct view key);
/* A value begins inside `depth` open containers. True: it is the one pointed at. */
bool pointer_value(struct pointer *p, unsigned depth, bool in_array, bool is_container);
/* A container was closed, `depth` remain open. */
static inline void pointer_closed(struct pointer *p, unsigned depth)
{
	if (depth < p->level)
		p->done = true;
}
