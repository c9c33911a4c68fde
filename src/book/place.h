/* place.h - how a rendered file gets its final name (private to book/: the child's part). */
#pragma once
#include "base/status.h"
#include "book/verify.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum place_answer {
	PLACE_FREE, /* nothing stands there */
	PLACE_OURS, /* an older state of the same: may be replaced */
	PLACE_SAME, /* the very same state and layout: need not be written again */
	PLACE_KEEP, /* richer, of another journal, or not ours: must be kept, under another name */
};
/* What stands at `path`, next to what we would write. `compares_records`: a file with more records
 * is richer (not for Matches.xlsx, from which matches may leave). *there is filled for OURS, SAME
 * and KEEP, zero where it cannot be read. */
enum place_answer place_look(const char *path, const struct verify_properties *wanted,
	bool compares_records, struct verify_properties *there);
/* Renames what stands at folder/name to "… (before DATE).xlsx" (its own newest state's day, else
 * its time stamp's); *kept is that name. */
enum status place_keep(const char *folder, const char *name, const struct verify_properties *there,
	char *kept, size_t kept_bytes, struct why *why) MUST_CHECK;
/* Both files hold the same bytes. */
bool place_equal(const char *path, const char *other);
/* Syncs the file, and drops it from the page cache so that verification reads what the storage
 * holds. */
enum status place_sync(const char *path, struct why *why) MUST_CHECK;
