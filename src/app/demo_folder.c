/* demo_folder.c - a rerun of the demo replaces its own earlier results only. */
#include "app/demo_folder.h"

#include "base/file.h"

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_FILES = 8 };

/* What the demo writes: the match compiled in, its later names, the index. */
static const char *const results[] = {DEMO_FOLDER "/2025-04-16_*.xlsx",
	DEMO_FOLDER "/Matches*.xlsx", DEMO_FOLDER "/.scorebox-*", DEMO_LOG};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static enum status remove_results(struct why *why)
{
	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
		glob_t found;

		if (glob(results[i], GLOB_PERIOD, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			if (unlink(found.gl_pathv[k]) != 0) {
				enum status s = fail_errno(why, STATUS_IO,
					"remove '%s' of an earlier demo", found.gl_pathv[k]);

				globfree(&found);
				return s;
			}
		globfree(&found);
	}
	return STATUS_OK;
}

enum status demo_folder_prepare(struct why *why)
{
	struct stat st;

	if (mkdir(DEMO_FOLDER, 0755) == 0)
		return file_make_folder(DEMO_STATE, 0755, why);
	if (errno != EEXIST)
		return fail_errno(why, STATUS_IO, "make ./" DEMO_FOLDER);
	if (lstat(DEMO_STATE, &st) != 0 || !S_ISDIR(st.st_mode))
		return fail(why, STATUS_DENIED,
			"./" DEMO_FOLDER " is there, and no demo made it: move it away, or run the "
			"demo in another folder");

	enum status s = remove_results(why);

	if (s != STATUS_OK)
		return s;
	/* Last, as it is what marks the folder as ours. */
	if (nftw(DEMO_STATE, remove_one, WALK_FILES, FTW_DEPTH | FTW_PHYS) != 0)
		return fail_errno(why, STATUS_IO, "remove './" DEMO_STATE "' of an earlier demo");
	return file_make_folder(DEMO_STATE, 0755, why);
}

unsigned demo_folder_books(void (*call)(void *context, const char *path), void *context)
{
	unsigned count = 0;

	for (size_t i = 0; i < 2; i++) {
		glob_t found;

		if (glob(results[i], 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++, count++)
			call(context, found.gl_pathv[k]);
		globfree(&found);
	}
	return count;
}
