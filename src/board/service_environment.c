#include "board/service_environment.h"

#include "base/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLOCK_WAIT_MS = 5 * 60000, CONFIRM_MS = 5 * 60000 };

static int find(const struct service_environment *e, const char *name, size_t length)
{
	for (unsigned i = 0; i < e->count; i++)
		if (!strncmp(e->list[i], name, length) && e->list[i][length] == '=')
			return (int)i;
	return -1;
}

const char *service_environment_value(const struct service_environment *e, const char *name)
{
	size_t length = strlen(name);
	int at = find(e, name, length);

	return at < 0 ? NULL : e->list[at] + length + 1;
}

static bool put(struct service_environment *e, char *line, unsigned most)
{
	int at = find(e, line, strcspn(line, "="));

	if (at < 0 && e->count == most)
		return false;
	e->list[at < 0 ? (int)e->count++ : at] = line;
	return true;
}

/* NAME=value, unless there is one of that name. */
static bool add(struct service_environment *e, const char *name, const char *format, ...)
	PRINTF_LIKE(3, 4);
static bool add(struct service_environment *e, const char *name, const char *format, ...)
{
	size_t room = sizeof e->more - e->more_bytes;
	char *line = e->more + e->more_bytes;
	char value[400];
	va_list arguments;

	if (service_environment_value(e, name))
		return true;
	va_start(arguments, format);
	int n = vsnprintf(value, sizeof value, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof value)
		return false;
	n = snprintf(line, room, "%s=%s", name, value);
	if (n < 0 || (size_t)n >= room)
		return false;
	e->more_bytes += (size_t)n + 1;
	return put(e, line, ENVIRONMENT_LINES);
}

/* Only settings of ours: nothing else of that file is any program's business. */
static bool is_setting(const char *line)
{
	return !strncmp(line, "SCOREBOX_", 9) && strchr(line, '=');
}

static bool take_lines(struct service_environment *e)
{
	bool all = true;

	for (char *line = e->file, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (is_setting(line))
			all &= put(e, line, ENVIRONMENT_FILE_LINES);
	}
	return all;
}

static bool add_sealed(struct service_environment *e, const struct environment_wants *wants)
{
	const char *folder = wants->places->at[PLACE_SECRETS];
	bool all = true;

	for (const char *const *name = wants->secrets; *name; name++) {
		char by_file[80], path[400];
		int n = snprintf(path, sizeof path, "%s/%s", folder, *name);

		snprintf(by_file, sizeof by_file, "%s_FILE", *name);
		if (n > 0 && (size_t)n < sizeof path && !service_environment_value(e, *name) &&
			access(path, F_OK) == 0)
			all &= add(e, by_file, "%s", path);
	}
	return all;
}

static bool says_consume(const struct service_environment *e)
{
	const char *mode = service_environment_value(e, "SCOREBOX_MODE");

	return mode && (!strcmp(mode, "consume") || !strcmp(mode, "both"));
}

static bool add_defaults(struct service_environment *e, const struct environment_wants *wants)
{
	const struct places *p = wants->places;
	bool all = add(e, "SCOREBOX_STATE_DIR", "%s", p->at[PLACE_STATE]);

	/* Who plugs in a stick wants workbooks, and who has none reads of it on the screen. */
	all &= add(e, "SCOREBOX_MODE", "both");
	if (says_consume(e))
		all &= add(e, "SCOREBOX_OUTPUT_DIR", "%s", p->at[PLACE_OUTPUT]);
	all &= add(e, "SCOREBOX_OUTPUT_MOUNT", "require");
	all &= add(e, "HOME", "%s", p->at[PLACE_STATE]);
	all &= add(e, "PATH", "/bin:/sbin:/usr/bin:/usr/sbin");
	all &= add(e, "NOTIFY_SOCKET", "%s", p->at[PLACE_NOTIFY]);
	return add(e, "WATCHDOG_USEC", "%lld", (long long)wants->watchdog_ms * 1000) && all;
}

/* A value that is none stays the default: the daemon complains of it. */
static int64_t duration(const struct service_environment *e, const struct environment_wants *wants,
	const char *name, int64_t fallback)
{
	const char *text = service_environment_value(e, name);
	int64_t ms;

	return text && wants->duration(text, &ms, NULL) == STATUS_OK ? ms : fallback;
}

static void tell(const struct service_environment *e, bool given,
	const struct environment_wants *wants, struct board_settings *out)
{
	const char *state = service_environment_value(e, "SCOREBOX_STATE_DIR");

	*out = (struct board_settings){.given = given,
		.consumes = says_consume(e),
		.clock_wait_ms = duration(e, wants, "SCOREBOX_CLOCK_WAIT", CLOCK_WAIT_MS),
		.confirm_ms = duration(e, wants, "SCOREBOX_UPDATE_CONFIRM", CONFIRM_MS)};
	snprintf(out->state_dir, sizeof out->state_dir, "%s",
		state ? state : wants->places->at[PLACE_STATE]);
}

enum status service_environment_make(struct service_environment *out,
	struct board_settings *settings, const struct environment_wants *wants, struct why *why)
{
	const char *path = wants->places->at[PLACE_SETTINGS];

	*out = (struct service_environment){.count = 0};

	enum status s = file_read(path, ENVIRONMENT_FILE_BYTES, &out->file, &out->file_bytes, why);
	bool all = s != STATUS_OK || take_lines(out), given = out->count > 0;

	all &= add_defaults(out, wants);
	all &= add_sealed(out, wants);
	tell(out, given, wants, settings);
	if (s != STATUS_OK && s != STATUS_NOT_FOUND)
		return s;
	return all ? STATUS_OK
		   : fail(why, STATUS_FULL, "'%s' has more lines, or longer ones, than may be",
			     path);
}

void service_environment_done(struct service_environment *e)
{
	if (e->file)
		explicit_bzero(e->file, e->file_bytes);
	free(e->file);
	*e = (struct service_environment){0};
}
