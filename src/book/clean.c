#include "book/clean.h"
#include "base/text.h"
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { REPLACEMENT = 0xFFFD, ELLIPSIS = 0x2026, MOST_LINE_FEEDS = 253 };

static bool unfit(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7F || c == 0xFFFE || c == 0xFFFF ||
	       c == 0xFEFF || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* "_xHHHH_" stands at p. */
static bool looks_escaped(const char *p, const char *end)
{
	if (end - p < 7 || p[0] != '_' || p[1] != 'x' || p[6] != '_')
		return false;
	for (int i = 2; i < 6; i++)
		if (!isxdigit((unsigned char)p[i]))
			return false;
	return true;
}

/* Nothing to do for these bytes: the common case. */
static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && c != '_';
}

bool clean_is_plain(struct view in)
{
	for (size_t i = 0; i < in.length; i++)
		if (!plain((unsigned char)in.bytes[i]))
			return false;
	return in.length <= CLEAN_UNITS;
}

struct line {
	size_t now, longest; /* width in units */
	unsigned feeds;
};

static uint32_t one_character(const char **p, const char *end, struct line *line)
{
	uint32_t c;
	int n = text_utf8_next(*p, end, &c);

	if (n == 0) {
		(*p)++;
		return REPLACEMENT;
	}
	*p += n;
	if (c == '\r') {
		if (*p < end && **p == '\n')
			(*p)++;
		c = '\n';
	}
	if (c == '\n' && ++line->feeds > MOST_LINE_FEEDS)
		c = ' ';
	return unfit(c) ? REPLACEMENT : c;
}

static void measure(struct line *line, uint32_t c, size_t units)
{
	line->now = c == '\n' ? 0 : line->now + units;
	if (line->now > line->longest)
		line->longest = line->now;
}

size_t clean_text(struct view in, size_t max_units, char *out, size_t out_bytes, size_t *units)
{
	const char *p = in.bytes, *end = in.bytes + in.length;
	struct line line = {0, 0, 0};
	size_t used = 0, spent = 0; /* bytes; UTF-16 units */
	size_t mark_at = 0; /* where "…" goes when the text is cut: before the last unit */
	bool cut = false;

	while (p < end) {
		char bytes[8];
		size_t length, cost;
		uint32_t c;

		if (plain((unsigned char)*p)) {
			c = (unsigned char)*p++;
			bytes[0] = (char)c;
			length = cost = 1;
		} else if (looks_escaped(p, end)) {
			memcpy(bytes, "_x005F_", 7);
			c = '_';
			length = cost = 7;
			p++;
		} else {
			c = one_character(&p, end, &line);
			length = (size_t)text_utf8_put(c, bytes);
			cost = c > 0xFFFF ? 2 : 1;
		}
		if (spent + cost > max_units || used + length + 4 > out_bytes) {
			cut = true;
			break;
		}
		if (spent + cost <= max_units - 1) /* from here the mark still fits */
			mark_at = used + length;
		memcpy(out + used, bytes, length);
		used += length;
		spent += cost;
		measure(&line, c, length == 7 ? 1 : cost);
	}
	if (cut && max_units > 0 && mark_at + 4 <= out_bytes)
		used = mark_at + (size_t)text_utf8_put(ELLIPSIS, out + mark_at);
	out[used] = '\0';
	if (units)
		*units = line.longest;
	return used;
}
