/* values.c - durations, sizes, counts and words of settings. */
#include "app/values.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit duration_units[] = {
	{"ms", 1},
	{"s", 1000},
	{"m", 60 * 1000},
	{"h", 60 * 60 * 1000},
	{NULL, 0},
};
static const struct unit size_units[] = {
	{"", 1},
	{"KiB", 1ull << 10},
	{"MiB", 1ull << 20},
	{"GiB", 1ull << 30},
	{NULL, 0},
};

/* Reads digits; false where there are none or they do not fit. */
static bool digits(const char **text, uint64_t *out)
{
	const char *p = *text;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (n > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (p == *text)
		return false;
	*text = p;
	*out = n;
	return true;
}

static bool scaled(const char *text, const struct unit *units, uint64_t *out)
{
	uint64_t n;

	if (!digits(&text, &n))
		return false;
	while (*text == ' ')
		text++;
	for (; units->name; units++) {
		if (strcasecmp(text, units->name))
			continue;
		if (n > (uint64_t)INT64_MAX / units->factor)
			return false;
		*out = n * units->factor;
		return true;
	}
	return false;
}

enum status value_duration(const char *text, int64_t *out_ms, struct why *why)
{
	uint64_t ms;

	if (!strcmp(text, "0"))
		ms = 0;
	else if (!scaled(text, duration_units, &ms))
		return fail(why, STATUS_BAD_DATA,
			"expected a duration such as 15s (units ms, s, m, h)");
	*out_ms = (int64_t)ms;
	return STATUS_OK;
}

enum status value_size(const char *text, uint64_t *out_bytes, struct why *why)
{
	if (!scaled(text, size_units, out_bytes))
		return fail(why, STATUS_BAD_DATA,
			"expected a size such as 64MiB (units KiB, MiB, GiB)");
	return STATUS_OK;
}

enum status value_count(
	const char *text, uint64_t least, uint64_t most, uint64_t *out, struct why *why)
{
	uint64_t n;

	if (!digits(&text, &n) || *text || n < least || n > most)
		return fail(why, STATUS_BAD_DATA,
			"expected a whole number from %" PRIu64 " to %" PRIu64, least, most);
	*out = n;
	return STATUS_OK;
}

enum status value_word(const char *text, const char *words, int *out, struct why *why)
{
	size_t length = strlen(text);
	int place = 0;

	for (const char *word = words; *word; place++) {
		size_t n = strcspn(word, " ");

		if (n == length && !strncasecmp(word, text, n)) {
			*out = place;
			return STATUS_OK;
		}
		word += n;
		word += strspn(word, " ");
	}
	return fail(why, STATUS_BAD_DATA, "expected one of: %s", words);
}

static void unit_text(
	uint64_t n, const struct unit *units, const char *zero, char *out, size_t out_bytes)
{
	const struct unit *best = units;

	if (n == 0) {
		snprintf(out, out_bytes, "%s", zero);
		return;
	}
	for (; units->name; units++)
		if (n % units->factor == 0)
			best = units;
	snprintf(out, out_bytes, "%" PRIu64 "%s", n / best->factor, best->name);
}

void value_duration_text(int64_t ms, char *out, size_t out_bytes)
{
	unit_text((uint64_t)ms, duration_units, "0", out, out_bytes);
}

void value_size_text(uint64_t bytes, char *out, size_t out_bytes)
{
	unit_text(bytes, size_units, "0", out, out_bytes);
}
