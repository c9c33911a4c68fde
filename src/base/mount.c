/* mount.c - is a folder on attached storage? /proc/self/mountinfo says so; see proc(5):
 *   36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/sda1 rw
 *              blanks, tabs, newlines and backslashes of a path as octal escapes (\040) */
#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of a usual line; of one that is longer still the first five fields count. */
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

struct mount_line { /* points into the line's buffer */
	char *device, *root, *point, *type, *source;
};

/* Cuts the next field off, unescaped in place; "" at the end of the line. */
static char *next_field(char **at)
{
	char *field = *at, *end = field + strcspn(field, " \n");

	*at = end + (*end != '\0');
	*end = '\0';
	unescape(field);
	return field;
}

static bool read_line(char *line, struct mount_line *out)
{
	char *type = strstr(line, " - ");

	for (int field = 0; field < 2; field++)
		next_field(&line);
	out->device = next_field(&line);
	out->root = next_field(&line);
	out->point = next_field(&line);
	out->type = out->source = line + strlen(line);
	if (type) {
		type += 3;
		out->type = next_field(&type);
		out->source = next_field(&type);
	}
	return *out->point == '/';
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

struct root_mount {
	char device[32], root[PATH_MAX];
};

static void find_root(FILE *f, struct root_mount *out)
{
	char line[LINE_BYTES];
	struct mount_line l;

	*out = (struct root_mount){.root = "/"};
	while (next_line(f, line)) {
		if (!read_line(line, &l) || strcmp(l.point, "/") != 0)
			continue;
		snprintf(out->device, sizeof out->device, "%s", l.device);
		snprintf(out->root, sizeof out->root, "%s", l.root);
	}
	rewind(f);
}

/* Nothing is attached there: an automounter's trap, or a part of the root file system bound to its own
 * place, as a service manager does with folders that a service may write. */
static bool is_hollow(const struct mount_line *l, const struct root_mount *root)
{
	size_t length = strcmp(root->root, "/") == 0 ? 0 : strlen(root->root);

	return strcmp(l->type, "autofs") == 0 ||
	       (strcmp(l->device, root->device) == 0 && strncmp(l->root, root->root, length) == 0 &&
		       strcmp(l->root + length, l->point) == 0);
}

static bool find_mount(FILE *f, const char *real_path, struct file_mount *out)
{
	char line[LINE_BYTES];
	struct root_mount root;
	struct mount_line l;
	bool found = false;

	find_root(f, &root);
	while (next_line(f, line)) {
		if (!read_line(line, &l) || strcmp(l.point, "/") == 0 ||
			!is_below(real_path, l.point) || is_hollow(&l, &root) ||
			(found && strlen(l.point) < strlen(out->point)))
			continue;
		snprintf(out->point, sizeof out->point, "%s", l.point);
		snprintf(out->type, sizeof out->type, "%s", l.type);
		snprintf(out->source, sizeof out->source, "%s", l.source);
		out->part = strcmp(l.root, "/") != 0;
		found = true;
	}
	return found;
}

bool file_mount_of(const char *path, const char *mountinfo, struct file_mount *out)
{
	char real_path[PATH_MAX];
	FILE *f = resolve_existing(path, real_path) ? fopen(mountinfo, "re") : NULL;
	bool found = f && find_mount(f, real_path, out);

	if (f)
		fclose(f);
	return found;
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
	struct file_mount found;

	if (access(FILE_MOUNTINFO, R_OK) == 0)
		return file_mount_of(path, FILE_MOUNTINFO, &found);
	return resolve_existing(path, real_path) && crosses_devices(real_path);
}

bool file_is_below(const char *path, const char *folder)
{
	char real_path[PATH_MAX];

	return is_below(path, folder) ||
	       (resolve_existing(path, real_path) && is_below(real_path, folder));
}

bool file_is_removable_place(const char *path)
{
	return file_is_below(path, "/media") || file_is_below(path, "/mnt") ||
	       file_is_below(path, "/run/media");
}
