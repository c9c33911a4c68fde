/* naming.h - names of workbooks (private to book/). Safe on FAT, exFAT and Windows: no <>:"/\|?*,
 * no control or invisible characters, nothing beyond UTF-16's first plane, no reserved name, no
 * blank or dot at an end; letters of any script stay. At most 120 bytes, ".xlsx" included. */
#pragma once
#include "base/buffer.h"
#include "cricket/row.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAMING_BYTES = 121, NAMING_KEPT_BYTES = 200, NAMING_ID_BYTES = 41 };

/* YYYY-MM-DD_Team-A-vs-Team-B_<id>.xlsx; the id is its first 8 characters, or the whole cleaned id
 * (another match has the name). Without teams the row's name, or nothing, stands for them; without
 * a date that of first_us. `volume` 2 and up: " (2)" before ".xlsx". */
void naming_workbook(const struct row *row, struct view key, int64_t first_us, bool whole_id,
	unsigned volume, char out[NAMING_BYTES]);

/* The whole cleaned id; where cleaning changed or cut it, with its checksum: two ids never give
 * the same. */
void naming_id(struct view key, char out[NAMING_ID_BYTES]);

/* "NAME (before 2025-04-16).xlsx"; `again` 2 and up: "(before 2025-04-16, 2)". */
void naming_kept(const char *name, int64_t date_us, unsigned again, char out[NAMING_KEPT_BYTES]);

/* The cleaning itself, at most max_bytes (cut at a character's border), blanks as '-'. Returns
 * true when something other than a blank was replaced or cut: two different names may now be the
 * same. */
bool naming_clean(struct view in, size_t max_bytes, char *out);
