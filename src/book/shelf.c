#include "base/file.h"
#include "book/book.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(struct shelf *out, enum shelf_state state, const char *format, ...)
	PRINTF_LIKE(3, 4);
static void say(struct shelf *out, enum shelf_state state, const char *format, ...)
{
	va_list args;

	out->state = state;
	va_start(args, format);
	vsnprintf(out->text, sizeof(out->text), format, args);
	va_end(args);
}

/* A mount is asked for: always, or in the places where sticks are mounted. */
static bool needs_mount(const char *folder, enum shelf_mount mount)
{
	return mount == SHELF_REQUIRE || (mount == SHELF_AUTO && file_is_removable_place(folder));
}

/* Makes the last folder of the path when the one above it is there. */
static bool make_last(const char *folder)
{
	char parent[PATH_MAX];
	struct stat st;
	char *slash;

	snprintf(parent, sizeof(parent), "%s", folder);
	for (size_t n = strlen(parent); n > 1 && parent[n - 1] == '/'; n--)
		parent[n - 1] = '\0';
	slash = strrchr(parent, '/');
	if (slash == parent)
		slash[1] = '\0';
	else if (slash)
		*slash = '\0';
	else
		snprintf(parent, sizeof(parent), ".");
	if (stat(parent, &st) != 0 || !S_ISDIR(st.st_mode))
		return false;
	return mkdir(folder, 0755) == 0 || errno == EEXIST;
}

static void look_inside(const char *folder, uint64_t min_free_bytes, struct shelf *out)
{
	uint64_t total = 0;
	char detail[64];

	if (access(folder, W_OK | X_OK) != 0) {
		if (errno == EROFS)
			say(out, SHELF_READ_ONLY,
				"'%.80s' is read-only: look at the stick's switch and file system",
				folder);
		else
			say(out, SHELF_READ_ONLY,
				"'%.80s' may not be written (%s): give this user the right to",
				folder, strerror(errno));
		return;
	}
	if (file_space(folder, &out->free_bytes, &total, NULL) != STATUS_OK) {
		say(out, SHELF_ABSENT, "'%.80s' does not answer: plug the storage in again",
			folder);
		return;
	}
	if (out->free_bytes < min_free_bytes) {
		snprintf(detail, sizeof(detail), "%llu MiB are free, %llu MiB are kept free",
			(unsigned long long)(out->free_bytes >> 20),
			(unsigned long long)(min_free_bytes >> 20));
		say(out, SHELF_FULL, "'%.80s' is full (%s): free some room or use a larger stick",
			folder, detail);
		return;
	}
	snprintf(detail, sizeof(detail), "%llu MiB free",
		(unsigned long long)(out->free_bytes >> 20));
	say(out, SHELF_OK, "'%.80s', %s", folder, detail);
}

void shelf_look(
	const char *folder, enum shelf_mount mount, uint64_t min_free_bytes, struct shelf *out)
{
	struct stat st;

	*out = (struct shelf){.state = SHELF_NONE};
	if (!folder || !folder[0]) {
		say(out, SHELF_NONE,
			"no output folder is set: set SCOREBOX_OUTPUT_DIR to get workbooks");
		return;
	}
	if (needs_mount(folder, mount) && !file_below_mount(folder)) {
		say(out, SHELF_NOT_MOUNTED,
			"nothing is mounted at or above '%.80s': plug the storage in, or set "
			"SCOREBOX_OUTPUT_MOUNT=any",
			folder);
		return;
	}
	if (stat(folder, &st) != 0 && !(make_last(folder) && stat(folder, &st) == 0)) {
		say(out, SHELF_ABSENT,
			"'%.80s' is not there (%s): plug the storage in or make the folder", folder,
			strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		say(out, SHELF_ABSENT, "'%.80s' is no folder: set SCOREBOX_OUTPUT_DIR to one",
			folder);
		return;
	}
	out->device = (uint64_t)st.st_dev;
	out->mount_id = file_mount_id(folder);
	look_inside(folder, min_free_bytes, out);
}
