/* release.c - the release file. */
#include "board/release.h"

#include "base/file.h"
#include "board/lines.h"

#include <stdlib.h>

enum { RELEASE_MAX_BYTES = 16384 };

static void parse(const char *text, struct release *out)
{
	struct view name, value;
	char number[24];

	while (lines_next(&text, &name, &value)) {
		if (view_equals(name, "VERSION"))
			lines_copy(value, out->version, sizeof out->version);
		else if (view_equals(name, "BOARD"))
			lines_copy(value, out->board, sizeof out->board);
		else if (view_equals(name, "BUILT") && lines_copy(value, number, sizeof number))
			out->built_s = strtoll(number, NULL, 10);
	}
}

enum status release_read(const char *path, struct release *out, struct why *why)
{
	struct release found = {.built_s = 0};
	char *text;
	size_t length;
	enum status s = file_read(path, RELEASE_MAX_BYTES, &text, &length, why);

	if (s != STATUS_OK)
		return s == STATUS_FULL ? STATUS_BAD_DATA : s;
	parse(text, &found);
	free(text);
	if (!version_is_valid(found.version) || !*found.board)
		return fail(why, STATUS_BAD_DATA, "'%s' does not name a VERSION and a BOARD", path);
	*out = found;
	return STATUS_OK;
}
