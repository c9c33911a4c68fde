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
	f->read_only = v.f_flag & ST_RDONLY && is_mount_point(f->path);
	f->flags = mount_flags(v.f_flag);
	if (f->read_only && mount(NULL, f->path, NULL, f->flags, NULL) != 0)
		return fail_errno(why,
			errno == EPERM || errno == EACCES ? STATUS_DENIED : STATUS_IO,
			"make '%s' writable", f->path);
	return STATUS_OK;
}

enum status boot_folder_open(struct boot_folder *f, const char *path, struct why *why)
{
	enum status s = STATUS_OK;

	*f = (struct boot_folder){.fd = -1};
	if (strlen(path) >= sizeof f->path)
		return fail(why, STATUS_BAD_DATA, "path '%.100s...' is too long", path);
	strcpy(f->path, path);
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return fail_errno(why, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
			"open folder '%s'", path);
	while (flock(f->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			s = fail_errno(why, STATUS_IO, "lock folder '%s'", path);
	if (s == STATUS_OK)
		s = make_writable(f, why);
	if (s != STATUS_OK) {
		close(f->fd);
		f->fd = -1;
	}
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
