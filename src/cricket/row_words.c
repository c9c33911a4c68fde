/* row_words.c - is this one of the matches that are wanted? */
#include "cricket/row.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

static bool holds(const char *text, const char *word, size_t length)
{
	size_t last = strlen(text);

	for (size_t i = 0; i + length <= last; i++) {
		if (strncasecmp(text + i, word, length) == 0)
			return true;
	}
	return false;
}

static bool row_holds(const struct row *row, const char *word, size_t length)
{
	return holds(row->name, word, length) || holds(row->team[0], word, length) ||
	       holds(row->team[1], word, length) || holds(row->series_id, word, length) ||
	       holds(row->id, word, length);
}

bool row_matches_words(const struct row *row, const char *words)
{
	bool any = false;

	if (text_equals_ignoring_case(words, "all"))
		return true;
	for (const char *p = words; *p;) {
		size_t length;

		p += strspn(p, ", \t");
		length = strcspn(p, ",");
		while (length > 0 && (p[length - 1] == ' ' || p[length - 1] == '\t'))
			length--;
		if (length > 0 && row_holds(row, p, length))
			return true;
		any |= length > 0;
		p += strcspn(p, ",");
	}
	return !any;
}
