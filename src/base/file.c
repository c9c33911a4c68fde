/* file.c - files that survive a power cut, free space, the instance lock. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { READ_STEP = 16384, SECRET_MAX_BYTES = 65536 };

/* What the caller can do about a failed system call. */
static enum status status_of_errno(void)
{
	switch (errno) {
	case ENOENT:
		return STATUS_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return STATUS_DENIED;
	case ENOSPC:
	case EDQUOT:
		return STATUS_FULL;
	case ENOMEM:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_IO;
	}
}

enum status file_join(const char *folder, const char *name, char *out, size_t out_bytes)
{
	size_t length = strlen(folder);
	const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
	char joined[PATH_MAX];
	int n = snprintf(joined, sizeof joined, "%s%s%s", folder, slash, name);

	if (n < 0 || (size_t)n >= sizeof joined || (size_t)n >= out_bytes)
		return STATUS_FULL;
	memcpy(out, joined, (size_t)n + 1);
	return STATUS_OK;
}

/* One folder of a path; fine when it is there already. */
static enum status make_one_folder(const char *path, mode_t mode, struct why *why)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return STATUS_OK;
	/* A read-only parent says EROFS before it says EEXIST. */
	int failed = errno;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return STATUS_OK;
		return fail(why, STATUS_IO, "make folder '%s': a file of that name is in the way",
			path);
	}
	errno = failed;
	return fail_errno(why, status_of_errno(), "make folder '%s'", path);
}

enum status file_make_folder(const char *path, mode_t mode, struct why *why)
{
	char partial[PATH_MAX];
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof partial)
		return fail(why, STATUS_BAD_DATA, "make folder '%.100s': not a usable path", path);
	for (size_t i = 0; i <= length; i++) {
		bool ends_name = i > 0 && (path[i] == '/' || path[i] == '\0') && path[i - 1] != '/';

		if (ends_name) {
			partial[i] = '\0';

			enum status s = make_one_folder(partial, mode, why);

			if (s != STATUS_OK)
				return s;
		}
		partial[i] = path[i];
	}
	return STATUS_OK;
}

enum status file_sync_folder(const char *folder, struct why *why)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(why, status_of_errno(), "open folder '%s'", folder);

	/* A file system that cannot sync folders says EINVAL: more is not to be had from it. */
	int failed = fsync(fd) != 0 && errno != EINVAL && errno != ENOSYS ? errno : 0;

	close(fd);
	if (!failed)
		return STATUS_OK;
	errno = failed;
	return fail_errno(why, STATUS_IO, "sync folder '%s'", folder);
}

static enum status sync_folder_of(const char *path, struct why *why)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (!slash)
		return file_sync_folder(".", why);

	size_t length = slash == path ? 1 : (size_t)(slash - path);

	if (length >= sizeof folder)
		return fail(why, STATUS_BAD_DATA, "path '%.100s...' is too long", path);
	memcpy(folder, path, length);
	folder[length] = '\0';
	return file_sync_folder(folder, why);
}

static enum status write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return STATUS_IO;
		bytes += n;
		length -= (size_t)n;
	}
	return STATUS_OK;
}

/* A file made anew with all its bytes on the disk; *out is open for it. */
static enum status write_new(
	int *out, const char *path, const void *bytes, size_t length, mode_t mode, struct why *why)
{
	int fd;

	/* What an earlier power cut left; and never through somebody's symbolic link. */
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_errno(why, status_of_errno(), "remove '%s'", path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return fail_errno(why, status_of_errno(), "create '%s'", path);
	/* The umask may have taken bits away; FAT has none to give. */
	(void)!fchmod(fd, mode);
	if (write_all(fd, bytes, length) != STATUS_OK || fsync(fd) != 0) {
		enum status s = fail_errno(why, status_of_errno(), "write '%s'", path);

		close(fd);
		unlink(path);
		return s;
	}
	*out = fd;
	return STATUS_OK;
}

/* Renames the open file and makes that last. The order is FAT's: there a name leads to its new content only when the
 * file itself is synced after the rename, and that is one sector; until then it leads to the old content, whose
 * clusters are kept by holding it open. Synced before its folder, the file would have two names after a power cut. */
static enum status put_in_place(int fd, const char *temporary, const char *path, struct why *why)
{
	int before = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	enum status s;

	if (rename(temporary, path) != 0)
		s = fail_errno(why, status_of_errno(), "rename '%s' to '%s'", temporary, path);
	else
		s = sync_folder_of(path, why);
	if (s == STATUS_OK && fsync(fd) != 0)
		s = fail_errno(why, status_of_errno(), "sync '%s'", path);
	if (before >= 0)
		close(before);
	return s;
}

enum status file_replace(
	const char *path, const void *bytes, size_t length, mode_t mode, struct why *why)
{
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);

	if (n < 0 || (size_t)n >= sizeof temporary)
		return fail(why, STATUS_BAD_DATA, "path '%.100s...' is too long", path);

	int fd;
	enum status s = write_new(&fd, temporary, bytes, length, mode, why);

	if (s != STATUS_OK)
		return s;
	s = put_in_place(fd, temporary, path, why);
	close(fd);
	if (s != STATUS_OK)
		unlink(temporary); /* where it was not renamed */
	return s;
}

enum status file_publish(const char *temporary, const char *final_path, struct why *why)
{
	int fd = open(temporary, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(why, status_of_errno(), "open '%s'", temporary);

	enum status s = STATUS_OK;

	if (fsync(fd) != 0)
		s = fail_errno(why, status_of_errno(), "sync '%s'", temporary);
	else
		s = put_in_place(fd, temporary, final_path, why);
	close(fd);
	return s;
}

/* Reads to the end: the size that fstat tells is not to be trusted (/proc, pipes). *bytes grows
 * and is the caller's to free, also on failure. */
static enum status read_to_end(
	int fd, const char *path, size_t max_bytes, char **bytes, size_t *length, struct why *why)
{
	size_t capacity = 0;

	for (;;) {
		/* One byte over the limit tells that there is more. */
		if (*length == capacity) {
			size_t step = capacity < READ_STEP ? READ_STEP : capacity;

			capacity = max_bytes - capacity < step ? max_bytes + 1 : capacity + step;

			char *larger = realloc(*bytes, capacity + 1);

			if (!larger)
				return fail(why, STATUS_NO_MEMORY, "read '%s': no memory", path);
			*bytes = larger;
		}

		ssize_t n = read(fd, *bytes + *length, capacity - *length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(why, STATUS_IO, "read '%s'", path);
		if (n == 0)
			break;
		*length += (size_t)n;
		if (*length > max_bytes)
			return fail(why, STATUS_FULL, "read '%s': larger than %zu bytes", path,
				max_bytes);
	}
	(*bytes)[*length] = '\0';
	return STATUS_OK;
}

/* file_read that also tells the file's mode. */
static enum status read_whole(const char *path, size_t max_bytes, char **out, size_t *out_length,
	mode_t *mode, struct why *why)
{
	char *bytes = NULL;
	size_t length = 0;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(why, status_of_errno(), "open '%s'", path);

	enum status s = read_to_end(fd, path, max_bytes, &bytes, &length, why);

	if (s == STATUS_OK && fstat(fd, &st) != 0)
		s = fail_errno(why, STATUS_IO, "look at '%s'", path);
	close(fd);
	if (s != STATUS_OK) {
		free(bytes);
		return s;
	}
	*out = bytes;
	*out_length = length;
	*mode = st.st_mode;
	return STATUS_OK;
}

enum status file_read(
	const char *path, size_t max_bytes, char **out, size_t *length, struct why *why)
{
	mode_t mode;

	return read_whole(path, max_bytes, out, length, &mode, why);
}

enum status file_read_secret(const char *path, char **out, bool *loose, struct why *why)
{
	char *bytes;
	size_t length;
	mode_t mode;
	enum status s = read_whole(path, SECRET_MAX_BYTES, &bytes, &length, &mode, why);

	if (s != STATUS_OK)
		return s;
	while (length > 0 && strchr("\r\n\t ", bytes[length - 1]) && bytes[length - 1])
		length--;
	bytes[length] = '\0';
	/* A byte order mark is an editor's doing, not a part of the secret. */
	if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
		length -= 3;
		memmove(bytes, bytes + 3, length + 1);
	}
	if (length == 0 || strlen(bytes) != length) {
		explicit_bzero(bytes, length);
		free(bytes);
		return fail(why, STATUS_BAD_DATA, "secret file '%s' is %s", path,
			length == 0 ? "empty" : "not text: it holds a NUL");
	}
	*out = bytes;
	*loose = S_ISREG(mode) && (mode & S_IROTH) != 0;
	return STATUS_OK;
}

enum status file_space(
	const char *path, uint64_t *free_bytes, uint64_t *total_bytes, struct why *why)
{
	struct statvfs v;
	int failed;

	do {
		failed = statvfs(path, &v);
	} while (failed && errno == EINTR);
	if (failed)
		return fail_errno(why, status_of_errno(), "free space of '%s'", path);

	uint64_t unit = v.f_frsize ? v.f_frsize : v.f_bsize;

	*free_bytes = (uint64_t)v.f_bavail * unit;
	*total_bytes = (uint64_t)v.f_blocks * unit;
	return STATUS_OK;
}

/* The pid that the holder wrote; 0 while it has not. */
static pid_t read_holder(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';

	long pid = strtol(text, NULL, 10);

	return pid > 0 ? (pid_t)pid : 0;
}

enum status file_lock_instance(const char *folder, int *lock_fd, pid_t *holder, struct why *why)
{
	char path[PATH_MAX];
	char pid[24];

	if (file_join(folder, "lock", path, sizeof path) != STATUS_OK)
		return fail(
			why, STATUS_BAD_DATA, "folder '%.100s...': the path is too long", folder);

	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return fail_errno(why, status_of_errno(), "open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		enum status s;

		if (errno == EWOULDBLOCK) {
			*holder = read_holder(fd);
			s = fail(why, STATUS_BUSY, "'%s' is held by another instance (pid %ld)",
				path, (long)*holder);
		} else {
			s = fail_errno(why, STATUS_IO, "lock '%s'", path);
		}
		close(fd);
		return s;
	}

	int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n) {
		enum status s = fail_errno(why, status_of_errno(), "write '%s'", path);

		close(fd);
		return s;
	}
	*lock_fd = fd;
	*holder = getpid();
	return STATUS_OK;
}
