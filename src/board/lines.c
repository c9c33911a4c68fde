/* lines.c - NAME=value lines. */
#include "board/lines.h"

#include <string.h>

static struct view trimmed(const char *from, const char *end)
{
	while (from < end && strchr(" \t\r", *from))
		from++;
	while (from < end && strchr(" \t\r", end[-1]))
		end--;
	return view_of(from, (size_t)(end - from));
}

bool lines_next(const char **text, struct view *name, struct view *value)
{
	if (strncmp(*text, "\xEF\xBB\xBF", 3) == 0)
		*text += 3;
	while (**text) {
		const char *line = *text, *end = line + strcspn(line, "\n");
		const char *equals = memchr(line, '=', (size_t)(end - line));

		*text = *end ? end + 1 : end;
		if (!equals)
			continue;
		*name = trimmed(line, equals);
		*value = trimmed(equals + 1, end);
		if (name->length && *name->bytes != '#')
			return true;
	}
	return false;
}

bool lines_copy(struct view value, char *out, size_t out_bytes)
{
	bool fits = value.length < out_bytes;

	if (fits)
		memcpy(out, value.bytes, value.length);
	out[fits ? value.length : 0] = '\0';
	return fits;
}
