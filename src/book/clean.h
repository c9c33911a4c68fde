/* clean.h - text from outside made fit for a cell, before any library sees it (private to book/):
 *   - invalid UTF-8, U+0000, control characters, U+FFFE/FFFF, byte order marks and bidirectional
 *     overrides become U+FFFD; CR and CR LF become LF; a 254th line feed and later ones become
 *     blanks (Excel's limit);
 *   - "_x0041_", which Excel reads as "A", gets its first underscore written as "_x005F_";
 *   - more than 32,767 UTF-16 units (Excel's limit for a cell) are cut, and the last is "…".
 * What comes out is valid for XML 1.0 once & < > are escaped. Rules: ECMA-376 part 1, 18.18.93
 * (ST_Xstring). */
#pragma once
#include "base/buffer.h"
#include <stdbool.h>
#include <stddef.h>

enum { CLEAN_UNITS = 32767 };
/* Room for any cell: three bytes a unit, the mark, and the NUL. */
enum { CLEAN_BYTES = CLEAN_UNITS * 3 + 8 };

/* True where clean_text would change nothing and each byte is one unit: most fields. */
bool clean_is_plain(struct view in);

/* Writes at most max_units UTF-16 units (escapes counted as written) and a NUL; cuts earlier when
 * out_bytes is less than max_units * 3 + 8. Returns the length in bytes; *units, if not NULL, the
 * width in UTF-16 units of the longest line. */
size_t clean_text(struct view in, size_t max_units, char *out, size_t out_bytes, size_t *units);
