#include "book/sweep.h"
#include "base/file.h"
#include "book/arguments.h"
#include "book/book.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of temp files: flat, and only files in it go. */
static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	char file[PATH_MAX];

	for (struct dirent *e; folder && (e = readdir(folder)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			file_join(path, e->d_name, file, sizeof(file)) == STATUS_OK)
			unlink(file);
	if (folder)
		closedir(folder);
	rmdir(path);
}

static void remove_temp(const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (file_join(folder, name, path, sizeof(path)) != STATUS_OK || lstat(path, &st) != 0)
		return;
	if (S_ISDIR(st.st_mode))
		remove_folder(path);
	else
		unlink(path);
}

void sweep_child(const char *folder, const char *scratch, pid_t pid)
{
	char name[64];

	snprintf(name, sizeof(name), TEMP_PREFIX "%ld.xlsx", (long)pid);
	remove_temp(folder, name);
	snprintf(name, sizeof(name), TEMP_PREFIX "%ld.d", (long)pid);
	remove_temp(folder, name);
	remove_temp(scratch, name);
}

/* ".scorebox-<digits>.xlsx" or ".d": others are not ours. */
static int is_temp(const char *name)
{
	size_t prefix = strlen(TEMP_PREFIX), digits;

	if (strncmp(name, TEMP_PREFIX, prefix) != 0)
		return 0;
	digits = strspn(name + prefix, "0123456789");
	return digits > 0 &&
	       (!strcmp(name + prefix + digits, ".xlsx") || !strcmp(name + prefix + digits, ".d"));
}

void book_sweep_folder(const char *folder)
{
	DIR *d = opendir(folder);

	for (struct dirent *e; d && (e = readdir(d)) != NULL;)
		if (is_temp(e->d_name))
			remove_temp(folder, e->d_name);
	if (d)
		closedir(d);
}
