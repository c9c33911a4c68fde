/* values.h - the texts of settings and options as values, and back. Integers only, no locale. */
#pragma once
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* "15s", "500ms", "5m", "1h"; "0" needs no unit. STATUS_BAD_DATA says what was expected. */
enum status value_duration(const char *text, int64_t *out_ms, struct why *why) MUST_CHECK;
/* "64MiB", "256KiB", "1GiB", or plain bytes. */
enum status value_size(const char *text, uint64_t *out_bytes, struct why *why) MUST_CHECK;
/* A whole number from `least` to `most`. */
enum status value_count(
	const char *text, uint64_t least, uint64_t most, uint64_t *out, struct why *why) MUST_CHECK;
/* The place of `text` in the blank-separated list `words`. */
enum status value_word(const char *text, const char *words, int *out, struct why *why) MUST_CHECK;

/* The shortest text that reads back as the same value. */
void value_duration_text(int64_t ms, char *out, size_t out_bytes);
void value_size_text(uint64_t bytes, char *out, size_t out_bytes);
