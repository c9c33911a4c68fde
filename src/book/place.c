#include "book/place.h"
#include "base/file.h"
#include "book/naming.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_KEPT = 1000 };

enum place_answer place_look(const char *path, const struct verify_properties *wanted,
	bool compares_records, struct verify_properties *there)
{
	struct stat st;

	*there = (struct verify_properties){.records = 0};
	if (lstat(path, &st) != 0)
		return PLACE_FREE;
	if (book_read_properties(path, there, NULL) != STATUS_OK)
		return PLACE_KEEP;
	if (strcmp(there->journal, wanted->journal) != 0 ||
		strcmp(there->match, wanted->match) != 0)
		return PLACE_KEEP;
	if (!compares_records)
		return PLACE_OURS;
	if (there->records > wanted->records)
		return PLACE_KEEP;
	if (there->records == wanted->records && !strcmp(there->shape, wanted->shape))
		return PLACE_SAME;
	return PLACE_OURS;
}

enum status place_keep(const char *folder, const char *name, const struct verify_properties *there,
	char *kept, size_t kept_bytes, struct why *why)
{
	char from[PATH_MAX], to[PATH_MAX], as[NAMING_KEPT_BYTES];
	struct stat st;
	int64_t date_us = there->last_us;
	enum status s = file_join(folder, name, from, sizeof(from));

	if (s != STATUS_OK)
		return fail(why, s, "the name '%s' is too long", name);
	if (date_us <= 0 && lstat(from, &st) == 0)
		date_us = (int64_t)st.st_mtime * 1000000;
	for (unsigned again = 1; again <= MOST_KEPT; again++) {
		naming_kept(name, date_us, again, as);
		if (file_join(folder, as, to, sizeof(to)) != STATUS_OK)
			return fail(why, STATUS_FULL, "the name '%s' is too long", as);
		if (lstat(to, &st) == 0)
			continue;
		if (rename(from, to) != 0)
			return fail_errno(why,
				errno == EROFS || errno == EACCES ? STATUS_DENIED : STATUS_IO,
				"keep '%s' as '%s'", name, as);
		/* On FAT its new name leads nowhere until the file is synced. */
		if (place_sync(to, why) != STATUS_OK || file_sync_folder(folder, why) != STATUS_OK)
			return STATUS_IO;
		snprintf(kept, kept_bytes, "%s", as);
		return STATUS_OK;
	}
	return fail(why, STATUS_FULL, "'%s' was kept %d times already: move the old ones away",
		name, MOST_KEPT);
}

bool place_equal(const char *path, const char *other)
{
	char a[8192], b[8192];
	int one = open(path, O_RDONLY | O_CLOEXEC),
	    two = open(other, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool equal = one >= 0 && two >= 0;
	ssize_t n = 1;

	while (equal && n > 0) {
		n = read(one, a, sizeof(a));
		equal = n >= 0 && read(two, b, sizeof(b)) == n && !memcmp(a, b, (size_t)n);
	}
	if (one >= 0)
		close(one);
	if (two >= 0)
		close(two);
	return equal;
}

enum status place_sync(const char *path, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum status s = STATUS_OK;

	if (fd < 0)
		return fail_errno(why, STATUS_IO, "open '%s'", path);
	if (fsync(fd) != 0)
		s = fail_errno(why, errno == ENOSPC || errno == EDQUOT ? STATUS_FULL : STATUS_IO,
			"sync '%s'", path);
	(void)posix_fadvise(
		fd, 0, 0, POSIX_FADV_DONTNEED); /* a hint: verification is no less right without */
	close(fd);
	return s;
}
