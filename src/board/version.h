/* version.h - which of two versions is newer.
 *     1.10.0-rc2+build7      dotted numbers, then perhaps -word, then perhaps +word
 * The dotted numbers are compared number by number; one that is missing is 0, so that 1.2 equals 1.2.0. Of equal ones
 * that with a -word comes before that without; two -words are compared by their characters, runs of digits as
 * numbers (rc2 < rc10). What follows a + tells builds apart and does not count. */
#pragma once
#include <stdbool.h>

enum { VERSION_BYTES = 64 };

/* Digits and single dots, then words of [0-9A-Za-z.~-]; shorter than VERSION_BYTES. */
bool version_is_valid(const char *text);
/* Below, equal to, above 0, as strcmp. Both are valid. */
int version_compare(const char *a, const char *b);
