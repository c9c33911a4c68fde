/* columns.h - the columns of `Records`: each field path (row_flatten's) in the order of first
 * appearance (private to book/). Memory is bounded: names take at most COLUMNS_NAME_BYTES; what
 * does not fit has no column, and its value goes into the column "Further fields". */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

enum { COLUMNS_MOST = 16384 - 8, COLUMNS_NAME_BYTES = 512 * 1024, COLUMNS_NONE = -1 };

struct columns;
enum status columns_open(struct columns **out, struct why *why) MUST_CHECK;
void columns_close(struct columns *c); /* NULL is fine */
/* The column of a path; the field after the one found last is looked at first: rows hardly
 * differ. */
int columns_find(struct columns *c, const char *path);
/* The same; a path not seen before gets the next column. COLUMNS_NONE where there is no room. */
int columns_add(struct columns *c, const char *path);
unsigned columns_count(const struct columns *c);
const char *columns_name(const struct columns *c, unsigned column);
