/* mount.c - is a folder on attached storage? /proc/self/mountinfo says so; see proc(5):
 *   36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/sda1 rw
 *              blanks, tabs, newlines and backslashes of a path as octal escapes (\040) */
#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The first five fields of a line, however many characters of the mount point are escaped. */
enum { LINE_BYTES = 2 * PATH_MAX };

/* Cuts the last name off an absolute path; "/" stays. */
static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == path)
		path[1] = '\0';
	else if (slash)
		*slash = '\0';
}

/* The real path of `path`, or of the nearest folder above it that exists. */
static bool resolve_existing(const char *path, char out[PATH_MAX])
{
	char asked[PATH_MAX];
	int n;

	if (path[0] == '/')
		n = snprintf(asked, sizeof asked, "%s", path);
	else
		n = snprintf(asked, sizeof asked, "./%s", path);
	if (n < 0 || (size_t)n >= sizeof asked)
		return false;
	while (!realpath(asked, out)) {
		if (strcmp(asked, "/") == 0 || !strchr(asked, '/'))
			return false;
		go_up(asked);
	}
	return true;
}

/* `path` is `folder` or lies below it. */
static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	while (length > 1 && folder[length - 1] == '/')
		length--;
	return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Takes the octal escapes out, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		if (p[0] == '\\' && is_octal(p[1]) && is_octal(p[2]) && is_octal(p[3])) {
			*to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*to++ = *p++;
		}
	}
	*to = '\0';
}

/* The mount point of a line, unescaped in place; NULL for a line that counts for nothing: no mount,
 * or an automounter's trap where nothing is attached yet. */
static char *mount_point_of(char *line)
{
	const char *type = strstr(line, " - ");
	char *at = line;

	if (type && strncmp(type, " - autofs ", 10) == 0)
		return NULL;
	for (int field = 0; field < 4; field++) {
		at = strchr(at, ' ');
		if (!at)
			return NULL;
		at++;
	}

	char *end = strchr(at, ' ');

	if (!end)
		return NULL;
	*end = '\0';
	unescape(at);
	return at;
}

/* Reads the next line; what is too long for the buffer is read over. */
static bool next_line(FILE *f, char line[LINE_BYTES])
{
	if (!fgets(line, LINE_BYTES, f))
		return false;
	if (!strchr(line, '\n')) {
		int c;

		while ((c = getc(f)) != EOF && c != '\n')
			continue;
	}
	return true;
}

static bool named_by_mountinfo(FILE *f, const char *real_path)
{
	char line[LINE_BYTES];

	while (next_line(f, line)) {
		const char *point = mount_point_of(line);

		if (point && strcmp(point, "/") != 0 && is_below(real_path, point))
			return true;
	}
	return false;
}

/* Where there is no /proc: another device than the parent's. */
static bool crosses_devices(char *real_path)
{
	struct stat here, above;

	while (strcmp(real_path, "/") != 0) {
		if (stat(real_path, &here) != 0)
			return false;
		go_up(real_path);
		if (stat(real_path, &above) != 0)
			return false;
		if (here.st_dev != above.st_dev)
			return true;
	}
	return false;
}

bool file_below_mount(const char *path)
{
	char real_path[PATH_MAX];

	if (!resolve_existing(path, real_path))
		return false;

	FILE *f = fopen("/proc/self/mountinfo", "re");

	if (!f)
		return crosses_devices(real_path);

	bool found = named_by_mountinfo(f, real_path);

	fclose(f);
	return found;
}

bool file_is_removable_place(const char *path)
{
	static const char *const places[] = {"/media", "/mnt", "/run/media"};
	char real_path[PATH_MAX];
	bool resolved = resolve_existing(path, real_path);

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (is_below(path, places[i]) || (resolved && is_below(real_path, places[i])))
			return true;
	return false;
}
