/* lines.h - private to board/: small files of NAME=value lines that a person may have edited. */
#pragma once
#include "base/buffer.h"
#include <stdbool.h>

/* The next NAME=value of `text`, which moves behind it; blanks around both, CR and a byte order mark are taken
 * off; blank lines, comments (#) and lines without '=' are passed over. False: there is none. */
bool lines_next(const char **text, struct view *name, struct view *value);
/* Copies a value that fits; false, and out is empty, where it does not. */
bool lines_copy(struct view value, char *out, size_t out_bytes);
