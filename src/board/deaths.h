/* deaths.h - does the slot in use die so early and so often that the other one is tried? Each start counts as a
 * death in advance; who lives for DEATHS_EARLY_MS, or is asked to end before, takes it back. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum {
	DEATHS_MANY = 3, /* early deaths in a row: the other slot is tried, once */
	/* So many more, and it is tried again: a power that comes and goes may have cost the first trial. */
	DEATHS_VERY_MANY = 30,
	DEATHS_EARLY_MS = 2 * 60000,
};

/* What the file `deaths` holds: "3", or "3 tried" once the other slot was tried. */
struct deaths {
	unsigned count;
	bool tried;
};
void deaths_read(struct deaths *d, const char *text);
void deaths_text(const struct deaths *d, char *out, size_t out_bytes);
/* At the start, this boot's death counted in advance: is the other slot to be tried? Then *d is what to keep. */
bool deaths_want_other(struct deaths *d, bool trial_boot, bool other_was_good);
