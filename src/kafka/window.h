/* window.h - private to kafka/: the rows that are out, in fixed memory. Each has a place; librdkafka
 * carries the place's number, as a pointer has only 32 bits on the smaller boards. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

struct window_place {
	int64_t id;
	uint32_t cost; /* bytes; 0: the place is free */
	uint32_t next_free;
};

struct window {
	struct window_place *places;
	unsigned count, out;
	uint32_t first_free;
	uint64_t bytes, max_bytes; /* cost of all that is out, and its ceiling */
};

enum status window_init(struct window *w, unsigned count, uint64_t max_bytes) MUST_CHECK;
void window_done(struct window *w);
void window_clear(struct window *w); /* nothing is out any more */

/* A row of any size has room when nothing else is out. */
bool window_has_room(const struct window *w, uint64_t cost);
/* Needs room. The handle is never NULL. */
void *window_take(struct window *w, int64_t id, uint64_t cost);
/* Frees the place and returns its id. False: no such row is out. */
bool window_give(struct window *w, const void *handle, int64_t *id);
