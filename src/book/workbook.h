/* workbook.h - one match as a workbook, and Matches.xlsx, rendered to a path (private to book/:
 * only the child calls it). Equal journals give equal bytes: no clock is read. */
#pragma once
#include "base/status.h"
#include "book/verify.h"
#include "store/journal.h"
#include <stddef.h>
#include <stdint.h>

/* Where the library's temp files may go: the first that has room for twice the raw XML. Both
 * exist. */
struct workbook_room {
	const char *scratch[2];
	uint64_t min_free_bytes; /* kept free in the target's file system */
	const char *target_folder;
};

/* What the workbook of a match will bear; its layout's version and the time zone are part of it. */
void workbook_match_properties(const struct journal *j, const struct journal_match *match,
	const char *zone, struct verify_properties *out);

/* STATUS_FULL: no folder has room, or it filled up on the way. The file is closed, not synced. */
enum status workbook_render(const char *path, struct journal *j, const struct journal_match *match,
	const char *zone, const struct workbook_room *room, struct verify_rows *rows,
	struct why *why) MUST_CHECK;
/* Matches.xlsx. `records` in its properties counts all records, so that an equal journal is
 * recognised. */
enum status workbook_render_index(const char *path, struct journal *j, const char *zone,
	const struct workbook_room *room, struct verify_rows *rows, struct why *why) MUST_CHECK;
