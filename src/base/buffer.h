/* buffer.h - a growable byte buffer that cannot be made without naming its ceiling. Grows by
 * doubling up to `max_bytes`; beyond it every call answers STATUS_FULL and the content stays as
 * it was. The bytes are always followed by a NUL that does not count. */
#pragma once
#include "base/status.h"
#include <stdint.h>

struct buffer {
	char *bytes; /* never NULL after buffer_init: points at "" while empty */
	size_t length;
	size_t capacity; /* allocated, 0 at first */
	size_t max_bytes;
};

void buffer_init(struct buffer *b, size_t max_bytes);
void buffer_done(struct buffer *b);			 /* frees; zeroed struct is fine */
void buffer_clear(struct buffer *b);			 /* length 0, keeps the memory */
void buffer_shrink(struct buffer *b, size_t keep_bytes); /* frees the capacity above, when empty */
enum status buffer_reserve(struct buffer *b, size_t further_bytes) MUST_CHECK;
enum status buffer_add(struct buffer *b, const void *bytes, size_t length) MUST_CHECK;
enum status buffer_add_text(struct buffer *b, const char *text) MUST_CHECK;
enum status buffer_format(struct buffer *b, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/* A borrowed run of bytes, not terminated; lives until its owner's next call. */
struct view {
	const char *bytes;
	size_t length;
};
static inline struct view view_of(const char *bytes, size_t length)
{
	return (struct view){bytes, length};
}
int view_equals(struct view v, const char *text);
