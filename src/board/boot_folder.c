/* boot_folder.c - a read-only mount, writable for a moment. */
#include "board/boot_folder.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A remount sets all flags anew: those that stay must be named. */
static unsigned long mount_flags(unsigned long statvfs_flags)
{
	static const struct {
		unsigned long seen, wanted;
	} flags[] = {
		{ST_NOSUID, MS_NOSUID},
		{ST_NODEV, MS_NODEV},
		{ST_NOEXEC, MS_NOEXEC},
		{ST_SYNCHRONOUS, MS_SYNCHRONOUS},
		{ST_NOATIME, MS_NOATIME},
		{ST_NODIRATIME, MS_NODIRATIME},
		{ST_RELATIME, MS_RELATIME},
	};
	unsigned long out = MS_REMOUNT;

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (statvfs_flags & flags[i].seen)
			out |= flags[i].wanted;
	return out;
}

static bool is_mount_point(const char *path)
{
	char real_path[PATH_MAX];
	struct file_mount mount;

	return realpath(path, real_path) && file_mount_of(path, FILE_MOUNTINFO, &mount) &&
	       strcmp(mount.point, real_path) == 0;
}

static enum status make_writable(struct boot_folder *f, struct why *why)
{
	struct statvfs v;

	if (statvfs(f->path, &v) != 0)
		return fail_errno(why, STATUS_IO, "look at '%s'", f->path);
	f->flags = mount_flags(v.f_flag);
	if (v.f_flag & ST_RDONLY && is_mount_point(f->path)) {
		if (mount(NULL, f->path, NULL, f->flags, NULL) != 0)
			return fail_errno(why, STATUS_DENIED, "make '%s' writable", f->path);
		f->read_only = true;
	}
	/* A folder of a mount that is not ours to change. */
	return access(f->path, W_OK) == 0
		       ? STATUS_OK
		       : fail_errno(why, STATUS_DENIED, "write to folder '%s'", f->path);
}

static enum status take_turn(struct boot_folder *f, struct why *why)
{
	int failed;

	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return fail_errno(why, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
			"open folder '%s'", f->path);
	do {
		failed = flock(f->fd, LOCK_EX);
	} while (failed && errno == EINTR);
	return failed ? fail_errno(why, STATUS_IO, "lock folder '%s'", f->path) : STATUS_OK;
}

enum status boot_folder_open(struct boot_folder *f, const char *path, struct why *why)
{
	*f = (struct boot_folder){.fd = -1};
	if (strlen(path) >= sizeof f->path)
		return fail(why, STATUS_BAD_DATA, "path '%.100s...' is too long", path);
	strcpy(f->path, path);

	enum status s = take_turn(f, why);

	if (s == STATUS_OK)
		s = make_writable(f, why);
	if (s != STATUS_OK)
		boot_folder_close(f);
	return s;
}

void boot_folder_close(struct boot_folder *f)
{
	if (f->fd < 0)
		return;
	if (f->read_only && mount(NULL, f->path, NULL, f->flags | MS_RDONLY, NULL) != 0)
		log_warn("boot.writable",
			"'%s' could not be made read-only again: %s; nothing is lost; a power cut is "
			"more dangerous to it until the next start",
			f->path, strerror(errno));
	close(f->fd);
	f->fd = -1;
}
