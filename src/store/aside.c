/* A damaged database is not repaired: it moves aside under a dated name, for whoever wants to look, and
 * work goes on with a new one. */
#include "base/clock.h"
#include "base/file.h"
#include "store/database.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KEPT_ASIDE = 4, STAMP_BYTES = 15 }; /* "20250416-140211" */

struct aside {
	char folder[PATH_MAX];
	char prefix[NAME_MAX + 1]; /* "spool.db.bad-" */
	char oldest[NAME_MAX + 1]; /* "" where none */
	unsigned count;
};

static bool split_path(const char *path, struct aside *a)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int n = slash ? snprintf(a->folder, sizeof a->folder, "%.*s", (int)(slash - path + 1), path)
		      : snprintf(a->folder, sizeof a->folder, ".");
	int m = snprintf(a->prefix, sizeof a->prefix, "%s.bad-", name);

	return n > 0 && n < (int)sizeof a->folder && m > 0 && m < (int)sizeof a->prefix;
}

/* A second damage within the same second gets "-2", "-3": longer than the stamp, and counted. The logs
 * that moved along ("...-wal") are not. */
static bool is_set_aside(const struct aside *a, const char *name)
{
	size_t n = strlen(a->prefix), length = strlen(name);

	return length >= n + STAMP_BYTES && !strncmp(name, a->prefix, n) &&
	       strcmp(name + length - 4, "-wal");
}

static void look_around(const char *path, struct aside *a)
{
	DIR *d;

	memset(a, 0, sizeof *a);
	if (!split_path(path, a))
		return;
	d = opendir(a->folder);
	if (!d)
		return;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (!is_set_aside(a, e->d_name))
			continue;
		a->count++;
		if (!a->oldest[0] || strcmp(e->d_name, a->oldest) < 0)
			snprintf(a->oldest, sizeof a->oldest, "%s", e->d_name);
	}
	closedir(d);
}

unsigned database_count_set_aside(const char *path)
{
	struct aside a;

	look_around(path, &a);
	return a.count;
}

static void remove_oldest(const struct aside *a)
{
	char name[PATH_MAX];

	if (file_join(a->folder, a->oldest, name, sizeof name) != STATUS_OK)
		return;
	unlink(name);
	size_t n = strlen(name);
	if (n + 5 <= sizeof name) {
		memcpy(name + n, "-wal", 5);
		unlink(name);
	}
}

static void stamp(char out[STAMP_BYTES + 1])
{
	char t[CLOCK_TEXT_BYTES]; /* "2025-04-16T14:02:11Z" */

	clock_format(clock_wall_us(), 0, t);
	snprintf(out, STAMP_BYTES + 1, "%.4s%.2s%.2s-%.2s%.2s%.2s", t, t + 5, t + 8, t + 11, t + 14,
		t + 17);
}

static bool free_name(const char *path, char out[PATH_MAX])
{
	char when[STAMP_BYTES + 1];

	stamp(when);
	for (int i = 1; i < 100; i++) {
		int n = i == 1 ? snprintf(out, PATH_MAX, "%s.bad-%s", path, when)
			       : snprintf(out, PATH_MAX, "%s.bad-%s-%d", path, when, i);

		if (n <= 0 || n >= PATH_MAX - 4)
			return false;
		if (access(out, F_OK))
			return true;
	}
	return false;
}

/* The database goes first: a log left behind by a power cut in between is thrown away by SQLite when it
 * makes the new database, while a database without its log would look sound. */
enum status database_put_aside(const char *path, char *out, struct why *why)
{
	static const char *const further[] = {"-wal", "-shm", ".suspect"};
	char bad[PATH_MAX], from[PATH_MAX], to[PATH_MAX];
	struct aside a;

	look_around(path, &a);
	if (a.count >= KEPT_ASIDE)
		remove_oldest(&a);
	if (!free_name(path, bad))
		return fail(why, STATUS_IO, "set '%s' aside: no free name", path);
	if (rename(path, bad))
		return fail_errno(why, STATUS_IO, "set '%s' aside", path);
	if (snprintf(from, sizeof from, "%s%s", path, further[0]) < (int)sizeof from &&
		snprintf(to, sizeof to, "%s%s", bad, further[0]) < (int)sizeof to &&
		rename(from, to))
		unlink(from);
	for (unsigned i = 1; i < sizeof further / sizeof further[0]; i++)
		if (snprintf(from, sizeof from, "%s%s", path, further[i]) < (int)sizeof from)
			unlink(from);
	const char *slash = strrchr(bad, '/');
	snprintf(out, 256, "%.255s", slash ? slash + 1 : bad);
	return file_sync_folder(a.folder[0] ? a.folder : ".", why);
}

enum status database_open_or_renew(struct database *d, const char *path,
	const struct database_kind *kind, enum database_use use, char *aside, struct why *why)
{
	struct why damage = {""};
	enum status s = database_open(d, path, kind, use, &damage);

	aside[0] = '\0';
	if (s == STATUS_FATAL) {
		s = database_put_aside(path, aside, why);
		return s == STATUS_OK ? database_open(d, path, kind, use, why) : s;
	}
	return s == STATUS_OK ? s : fail(why, s, "%s", damage.text);
}
