/* buffer.c - a growable byte buffer with a ceiling. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 64 };

/* What an empty buffer points at; never written to, as its capacity is 0. */
static char nothing[1];

void buffer_init(struct buffer *b, size_t max_bytes)
{
	*b = (struct buffer){.bytes = nothing, .max_bytes = max_bytes};
}

void buffer_done(struct buffer *b)
{
	if (b->capacity > 0)
		free(b->bytes);
	buffer_init(b, b->max_bytes);
}

void buffer_clear(struct buffer *b)
{
	b->length = 0;
	if (b->capacity > 0)
		b->bytes[0] = '\0';
}

void buffer_shrink(struct buffer *b, size_t keep_bytes)
{
	if (b->length > 0 || b->capacity <= keep_bytes)
		return;
	if (keep_bytes == 0) {
		buffer_done(b);
		return;
	}
	char *smaller = realloc(b->bytes, keep_bytes + 1);

	if (!smaller)
		return;
	b->bytes = smaller;
	b->capacity = keep_bytes;
}

/* Makes the capacity `capacity` bytes, and one for the NUL. */
static enum status resize(struct buffer *b, size_t capacity)
{
	char *bytes = realloc(b->capacity > 0 ? b->bytes : NULL, capacity + 1);

	if (!bytes)
		return STATUS_NO_MEMORY;
	bytes[b->length] = '\0';
	b->bytes = bytes;
	b->capacity = capacity;
	return STATUS_OK;
}

enum status buffer_reserve(struct buffer *b, size_t further_bytes)
{
	if (further_bytes > b->max_bytes - b->length)
		return STATUS_FULL;

	size_t needed = b->length + further_bytes;

	if (needed <= b->capacity)
		return STATUS_OK;

	size_t wanted = b->capacity < FIRST_BYTES ? FIRST_BYTES : b->capacity;

	while (wanted < needed && wanted <= b->max_bytes / 2)
		wanted *= 2;
	if (wanted < needed || wanted > b->max_bytes)
		wanted = b->max_bytes;
	/* Doubling is a convenience: where it cannot be had, what is needed will do. */
	if (resize(b, wanted) == STATUS_OK)
		return STATUS_OK;
	return resize(b, needed);
}

enum status buffer_add(struct buffer *b, const void *bytes, size_t length)
{
	if (length == 0)
		return STATUS_OK;

	enum status s = buffer_reserve(b, length);

	if (s != STATUS_OK)
		return s;
	memcpy(b->bytes + b->length, bytes, length);
	b->length += length;
	b->bytes[b->length] = '\0';
	return STATUS_OK;
}

enum status buffer_add_text(struct buffer *b, const char *text)
{
	return buffer_add(b, text, strlen(text));
}

enum status buffer_format(struct buffer *b, const char *format, ...)
{
	va_list arguments;
	char probe[1];

	va_start(arguments, format);
	int length = vsnprintf(probe, sizeof probe, format, arguments);
	va_end(arguments);
	if (length < 0)
		return STATUS_BAD_DATA;
	if (length == 0)
		return STATUS_OK;

	enum status s = buffer_reserve(b, (size_t)length);

	if (s != STATUS_OK)
		return s;
	va_start(arguments, format);
	vsnprintf(b->bytes + b->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	b->length += (size_t)length;
	return STATUS_OK;
}

int view_equals(struct view v, const char *text)
{
	return strlen(text) == v.length && (v.length == 0 || memcmp(v.bytes, text, v.length) == 0);
}
