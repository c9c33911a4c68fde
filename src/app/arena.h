/* arena.h - texts that live together and go together. */
#pragma once
#include <stddef.h>

struct arena {
	struct arena_text *last;
};
/* Copies `length` bytes and ends them with a NUL; NULL: out of memory. */
char *arena_copy(struct arena *a, const char *bytes, size_t length);
void arena_done(struct arena *a); /* wipes, since some of the texts are secrets, and frees */
