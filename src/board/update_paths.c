/* update_paths.c - where things are, and where it is said what happened. */
#include "board/update_private.h"

#include "base/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SAID_BYTES = 1000 };

enum status update_paths_at(struct update_paths *out, const char *root, struct why *why)
{
	const struct {
		char *path;
		const char *below;
	} places[] = {
		{out->boot, "/boot"},
		{out->box, "/data/box"},
		{out->run, "/run/scorebox/updating"},
		{out->said, "/run/scorebox/update"},
		{out->key, "/etc/scorebox/update.pub"},
		{out->release, "/etc/scorebox/release"},
		{out->line, "/proc/cmdline"},
		{out->slots[0], "/dev/slot-a"},
		{out->slots[1], "/dev/slot-b"},
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int n = snprintf(places[i].path, UPDATE_PATH_BYTES, "%s%s", root, places[i].below);

		if (n < 0 || n >= UPDATE_PATH_BYTES)
			return fail(why, STATUS_BAD_DATA, "'%.100s...' is too long", root);
	}
	return STATUS_OK;
}

const char *update_slot(const struct update_paths *paths, char slot)
{
	return paths->slots[slot == 'b'];
}

/* For who looks at the box; that it cannot be written harms nobody. */
void update_say(const struct update_paths *paths, enum log_level level, const char *code,
	const char *format, ...)
{
	char text[SAID_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text - 1, format, arguments);
	va_end(arguments);
	log_line(level, code, "%s", text);
	strcat(text, "\n");
	(void)!file_replace(paths->said, text, strlen(text), 0644, NULL);
}
