/* text.h - UTF-8 and JSON text, as far as everybody needs it. */
#pragma once
#include "base/buffer.h"
#include <stdbool.h>
#include <stdint.h>

/* Decodes one code point at p (p < end) strictly (RFC 3629: no overlong form, no surrogate, nothing
 * above U+10FFFF). Returns its length 1..4 and writes *cp; 0 where the bytes are not UTF-8. */
int text_utf8_next(const char *p, const char *end, uint32_t *cp);
/* Writes a code point as UTF-8, returns the length 1..4. */
int text_utf8_put(uint32_t cp, char out[4]);

/* Appends `"..."` with everything escaped that RFC 8259 wants escaped; invalid UTF-8 becomes
 * U+FFFD. */
enum status text_json_string(struct buffer *out, const char *bytes, size_t length) MUST_CHECK;

/* Compares without regard to ASCII case; finds a word anywhere, likewise. */
bool text_equals_ignoring_case(const char *a, const char *b);
bool text_contains_ignoring_case(const char *haystack, const char *needle);

/* Damerau-Levenshtein distance, for "did you mean"; at most 64 characters are compared. */
int text_distance(const char *a, const char *b);
