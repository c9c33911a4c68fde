/* slot_disk.c - a slot's device or file. */
#include "board/slot_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status status_of_errno(void)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ENXIO:
	case ENODEV:
		return STATUS_NOT_FOUND;
	case EBUSY:
		return STATUS_BUSY;
	case EACCES:
	case EPERM:
	case EROFS:
		return STATUS_DENIED;
	default:
		return STATUS_IO;
	}
}

static enum status measure(struct slot_disk *d, const struct stat *st, struct why *why)
{
	d->device = S_ISBLK(st->st_mode);
	d->bytes = (uint64_t)st->st_size;
	if (d->device && ioctl(d->fd, BLKGETSIZE64, &d->bytes) != 0)
		return fail_errno(why, STATUS_IO, "measure '%s'", d->path);
	return STATUS_OK;
}

enum status slot_disk_open(struct slot_disk *d, const char *path, bool write, struct why *why)
{
	struct stat st;
	void *step;

	*d = (struct slot_disk){.path = path, .fd = -1};
	if (stat(path, &st) != 0)
		return fail_errno(why, status_of_errno(), "look at '%s'", path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return fail(why, STATUS_NOT_FOUND, "'%s' is neither a disk nor a file", path);
	/* O_EXCL without O_CREAT is for devices: no mount has it, nor anybody who asks like that. */
	d->fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC |
				   (write && S_ISBLK(st.st_mode) ? O_EXCL : 0));
	if (d->fd < 0)
		return fail_errno(why, status_of_errno(), "open '%s'", path);

	enum status s = measure(d, &st, why);

	if (s == STATUS_OK &&
		posix_memalign(&step, SLOT_PAGE_BYTES, SLOT_STEP_BYTES + SLOT_PAGE_BYTES))
		s = fail(why, STATUS_NO_MEMORY, "no memory to write '%s'", path);
	if (s == STATUS_OK) {
		d->step = step;
		d->page = d->step + SLOT_STEP_BYTES;
	} else {
		slot_disk_close(d);
	}
	return s;
}

void slot_disk_close(struct slot_disk *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	free(d->step);
	d->step = d->page = NULL;
}

enum status slot_disk_write(
	struct slot_disk *d, uint64_t at, const void *bytes, size_t length, struct why *why)
{
	const char *from = bytes;

	while (length > 0) {
		ssize_t n = pwrite(d->fd, from, length, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_errno(why, STATUS_IO, "write '%s'", d->path);
		from += n;
		at += (uint64_t)n;
		length -= (size_t)n;
	}
	return STATUS_OK;
}

enum status slot_disk_sync(struct slot_disk *d, struct why *why)
{
	return fsync(d->fd) == 0 ? STATUS_OK : fail_errno(why, STATUS_IO, "sync '%s'", d->path);
}

/* A device's cache is emptied as a whole; a file's of all that is clean. */
static enum status empty_cache(struct slot_disk *d, struct why *why)
{
	if (d->device && ioctl(d->fd, BLKFLSBUF, 0) != 0)
		return fail_errno(why, STATUS_IO, "empty the cache of '%s'", d->path);
	(void)posix_fadvise(d->fd, 0, 0, POSIX_FADV_DONTNEED);
	return STATUS_OK;
}

enum status slot_disk_behind_cache(struct slot_disk *d, struct why *why)
{
	enum status s = empty_cache(d, why);
	int flags = fcntl(d->fd, F_GETFL);

	/* EINVAL: this file system cannot; the emptied cache must do. */
	if (s == STATUS_OK && flags >= 0)
		(void)fcntl(d->fd, F_SETFL, flags | O_DIRECT);
	return s;
}

/* Some file systems take the flag and refuse the reading. */
static bool went_without_direct(struct slot_disk *d)
{
	int flags = fcntl(d->fd, F_GETFL);

	return errno == EINVAL && flags >= 0 && flags & O_DIRECT &&
	       fcntl(d->fd, F_SETFL, flags & ~O_DIRECT) == 0;
}

enum status slot_disk_read(struct slot_disk *d, uint64_t at, size_t length, struct why *why)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = pread(d->fd, d->step + done, length - done, (off_t)(at + done));

		if (n < 0 && (errno == EINTR || went_without_direct(d)))
			continue;
		if (n < 0)
			return fail_errno(why, STATUS_IO, "read back '%s'", d->path);
		if (n == 0)
			return fail(why, STATUS_IO, "read back '%s': it ends too early", d->path);
		done += (size_t)n;
	}
	return STATUS_OK;
}
