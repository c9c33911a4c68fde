/* text.c - UTF-8 and JSON text. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

int text_utf8_next(const char *p, const char *end, uint32_t *cp)
{
	const unsigned char *u = (const unsigned char *)p;
	ptrdiff_t left = end - p;

	if (left <= 0)
		return 0;
	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}

	int length = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
	/* The smallest code point that needs this length: anything below is an overlong form. */
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

	if (u[0] < 0xC2 || u[0] > 0xF4 || left < length)
		return 0;

	uint32_t value = u[0] & (0xFFu >> (length + 1));

	for (int i = 1; i < length; i++) {
		if ((u[i] & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (u[i] & 0x3Fu);
	}
	if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return 0;
	*cp = value;
	return length;
}

int text_utf8_put(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

/* Needs no escape and is one byte: the run that can be copied as it stands. */
static bool plain_json(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static enum status add_escaped(struct buffer *out, unsigned char c)
{
	static const char named[] = "\"\\\b\f\n\r\t";
	static const char letter[] = "\"\\bfnrt";
	const char *at = c ? strchr(named, c) : NULL;

	if (at)
		return buffer_add(out, (char[]){'\\', letter[at - named]}, 2);
	return buffer_format(out, "\\u%04x", c);
}

/* One step of text_json_string: adds what stands at p, moves *p on. */
static enum status add_json_piece(struct buffer *out, const char **p, const char *end)
{
	const char *start = *p;
	const char *next = start;
	uint32_t cp;

	while (next < end && plain_json((unsigned char)*next))
		next++;
	if (next > start) {
		*p = next;
		return buffer_add(out, start, (size_t)(next - start));
	}
	if ((unsigned char)*start < 0x80) {
		*p = start + 1;
		return add_escaped(out, (unsigned char)*start);
	}

	int length = text_utf8_next(start, end, &cp);

	if (length == 0) {
		*p = start + 1;
		return buffer_add(out, "\xEF\xBF\xBD", 3);
	}
	*p = start + length;
	return buffer_add(out, start, (size_t)length);
}

enum status text_json_string(struct buffer *out, const char *bytes, size_t length)
{
	size_t before = out->length;
	const char *p = bytes;
	const char *end = bytes + length;
	enum status s = buffer_add(out, "\"", 1);

	while (s == STATUS_OK && p < end)
		s = add_json_piece(out, &p, end);
	if (s == STATUS_OK)
		s = buffer_add(out, "\"", 1);
	if (s != STATUS_OK && out->capacity > 0) {
		out->length = before;
		out->bytes[before] = '\0';
	}
	return s;
}

/* ASCII only, whatever the locale says. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_equals_ignoring_case(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) == lower(*b);
}

bool text_contains_ignoring_case(const char *haystack, const char *needle)
{
	for (const char *start = haystack;; start++) {
		size_t i = 0;

		while (needle[i] && lower(start[i]) == lower(needle[i]))
			i++;
		if (!needle[i])
			return true;
		if (!*start)
			return false;
	}
}

enum { DISTANCE_MAX = 64 };

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: a swap of neighbours counts as one. Three rows of the table suffice. */
int text_distance(const char *a, const char *b)
{
	int a_length = (int)strnlen(a, DISTANCE_MAX);
	int b_length = (int)strnlen(b, DISTANCE_MAX);
	int rows[3][DISTANCE_MAX + 1];
	int *two_back = rows[0], *back = rows[1], *now = rows[2];

	for (int j = 0; j <= b_length; j++)
		back[j] = j;
	for (int i = 1; i <= a_length; i++) {
		now[0] = i;
		for (int j = 1; j <= b_length; j++) {
			int cost = back[j - 1] + (a[i - 1] != b[j - 1]);

			cost = least(cost, least(back[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				cost = least(cost, two_back[j - 2] + 1);
			now[j] = cost;
		}

		int *spare = two_back;

		two_back = back;
		back = now;
		now = spare;
	}
	return back[b_length];
}
