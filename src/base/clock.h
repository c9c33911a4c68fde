/* clock.h - wall time, monotonic time, RFC 3339, backoff. Wall times are int64_t microseconds since
 * 1970-01-01 UTC (names end in _us); deadlines and durations are int64_t milliseconds of the
 * monotonic clock (_ms). All 64 bit, also on 32-bit boards. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

int64_t clock_wall_us(void);
int64_t clock_mono_ms(void); /* CLOCK_BOOTTIME: time asleep counts */
int64_t clock_mono_us(void);

/* Tests put the clocks where they want them; NULL restores the real ones. */
void clock_replace(int64_t (*wall_us)(void), int64_t (*mono_us)(void));

/* The wall clock is later than the day this program was built (CLOCK_BUILD_US): TLS may begin. */
bool clock_believable(void);
int64_t clock_build_us(void);

#define CLOCK_TEXT_BYTES 36
/* "2025-04-16T14:02:11.123456Z" (RFC 3339, UTC); digits 0, 3 or 6 of fraction. Years 0001 to
 * 9999. */
void clock_format(int64_t wall_us, int digits, char out[CLOCK_TEXT_BYTES]);
/* Reads RFC 3339 with any offset, 'T' or ' ', and the API's form without zone (taken as UTC).
 * STATUS_BAD_DATA otherwise. */
enum status clock_parse(const char *text, size_t length, int64_t *out_us) MUST_CHECK;
/* Days since 1970-01-01 of a civil date, and back (proleptic Gregorian). */
int64_t clock_days(int year, int month, int day);
void clock_civil(int64_t days, int *year, int *month, int *day);

/* "40 s", "12 min", "3 h 20 min", "2 d 4 h": for log lines. */
void clock_span_text(int64_t ms, char *out, size_t out_bytes);

/* Exponential backoff with full jitter in the upper half: first..ceiling. */
struct backoff {
	int64_t first_ms, ceiling_ms;
	int64_t step_ms; /* 0: not failing */
};
int64_t backoff_next_ms(struct backoff *b); /* the pause to make now; doubles the step */
void backoff_reset(struct backoff *b);
uint32_t clock_random(void); /* for jitter only; seeded from getrandom */
