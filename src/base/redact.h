/* redact.h - private to base/: what log.c and redact.c share. */
#pragma once
#include <stddef.h>

/* Ends `text` of `length` bytes at `max_bytes` or before, at a character's border; returns the new
 * length. text[max_bytes] must be writable when length >= max_bytes. */
size_t redact_cut(char *text, size_t length, size_t max_bytes);
