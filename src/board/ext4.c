/* ext4.c - the online resize of ext4 (fs/ext4/ioctl.c of Linux; resize2fs does the same). */
#include "board/ext4.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Of Linux' <linux/ext4.h>, which kernels before 6.0 do not have: the new size in blocks. */
#define RESIZE_FS _IOW('f', 16, uint64_t)

/* The superblock, and of it what is looked at; little endian. */
enum {
	SUPERBLOCK_AT = 1024,
	SUPERBLOCK_BYTES = 1024,
	BLOCKS_LOW_AT = 4,
	FIRST_BLOCK_AT = 20,
	BLOCK_SIZE_AT = 24, /* log2, less 10 */
	GROUP_BLOCKS_AT = 32,
	MAGIC_AT = 56,
	INCOMPATIBLE_AT = 96,
	BLOCKS_HIGH_AT = 336,
	FEATURE_64BIT = 0x80,
};

struct filesystem {
	const char *mount_point;
	int fd;	    /* of the mount point */
	int device; /* that it lies on */
	char source[256];
};

struct size {
	uint64_t blocks, block_bytes, groups;
};

static uint32_t get_32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static enum status open_filesystem(struct filesystem *f, struct why *why)
{
	struct file_mount mount;
	struct statfs v;
	struct stat point, device;

	f->fd = open(f->mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0 || fstatfs(f->fd, &v) != 0 || fstat(f->fd, &point) != 0)
		return fail_errno(why, STATUS_IO, "open '%s'", f->mount_point);
	if (v.f_type != EXT4_SUPER_MAGIC ||
		!file_mount_of(f->mount_point, FILE_MOUNTINFO, &mount) ||
		strcmp(mount.type, "ext4") != 0)
		return fail(why, STATUS_BAD_DATA, "no ext4 is mounted at '%s'; mount it first",
			f->mount_point);
	memcpy(f->source, mount.source, sizeof f->source);
	f->device = open(f->source, O_RDONLY | O_CLOEXEC);
	if (f->device < 0 || fstat(f->device, &device) != 0)
		return fail_errno(why, STATUS_IO, "open '%s', which is mounted at '%s'", f->source,
			f->mount_point);
	if (!S_ISBLK(device.st_mode) || device.st_rdev != point.st_dev)
		return fail(why, STATUS_BAD_DATA, "'%s' is not the device that is mounted at '%s'",
			f->source, f->mount_point);
	return STATUS_OK;
}

/* From the superblock, as statfs leaves out what the file system needs for itself. */
static enum status read_size(const struct filesystem *f, struct size *out, struct why *why)
{
	unsigned char bytes[SUPERBLOCK_BYTES];

	if (pread(f->device, bytes, sizeof bytes, SUPERBLOCK_AT) != (ssize_t)sizeof bytes)
		return fail_errno(why, STATUS_IO, "read the superblock of '%s'", f->source);

	uint32_t shift = get_32(bytes + BLOCK_SIZE_AT), group = get_32(bytes + GROUP_BLOCKS_AT);
	uint64_t blocks = get_32(bytes + BLOCKS_LOW_AT), first = get_32(bytes + FIRST_BLOCK_AT);

	if (get_32(bytes + INCOMPATIBLE_AT) & FEATURE_64BIT)
		blocks |= (uint64_t)get_32(bytes + BLOCKS_HIGH_AT) << 32;
	if ((bytes[MAGIC_AT] | bytes[MAGIC_AT + 1] << 8) != EXT4_SUPER_MAGIC || shift > 6 ||
		!group || blocks <= first)
		return fail(why, STATUS_BAD_DATA, "'%s' has no superblock of ext4", f->source);
	out->block_bytes = 1024ull << shift;
	out->blocks = blocks;
	out->groups = (blocks - first + group - 1) / group;
	return STATUS_OK;
}

/* How many groups the kernel works with: a line "#N ..." for each. 0: it does not tell. */
static uint64_t groups_in_use(dev_t device)
{
	char link[64], target[256], path[512];
	ssize_t length;
	uint64_t groups = 0;

	snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(device), minor(device));
	length = readlink(link, target, sizeof target - 1);
	if (length < 0)
		return 0;
	target[length] = '\0';

	const char *slash = strrchr(target, '/');

	snprintf(path, sizeof path, "/proc/fs/ext4/%s/mb_groups", slash ? slash + 1 : target);

	FILE *file = fopen(path, "re");
	char line[512];

	while (file && fgets(line, sizeof line, file))
		groups += line[0] == '#' && line[1] >= '0' && line[1] <= '9';
	if (file)
		fclose(file);
	return groups;
}

/* Where the power went out while it grew, the mount reads the old size, then ends the growth from the journal, and
 * goes on with the old number of groups: to grow it now stops the kernel (BUG_ON in fs/ext4/resize.c, seen with
 * Linux 6.12). The next mount, or one behind e2fsck, has the right number. */
static enum status check_mount(const struct filesystem *f, const struct size *size, struct why *why)
{
	struct stat st;
	uint64_t groups = fstat(f->device, &st) == 0 ? groups_in_use(st.st_rdev) : 0;

	if (!groups || groups == size->groups)
		return STATUS_OK;
	return fail(why, STATUS_AGAIN,
		"'%s' was growing when the power went out, and its mount at '%s' does not know of it yet; "
		"unmount it and mount it again",
		f->source, f->mount_point);
}

static enum status grow(const struct filesystem *f, struct ext4_growth *out, struct why *why)
{
	uint64_t device_bytes, wanted;
	struct size before, after;
	enum status s = read_size(f, &before, why);

	if (s != STATUS_OK)
		return s;
	if (ioctl(f->device, BLKGETSIZE64, &device_bytes) != 0)
		return fail_errno(why, STATUS_IO, "size of '%s'", f->source);
	wanted = device_bytes / before.block_bytes;
	after = before;
	if (wanted > before.blocks) {
		s = check_mount(f, &before, why);
		if (s != STATUS_OK)
			return s;
		if (ioctl(f->fd, RESIZE_FS, &wanted) != 0)
			return fail_errno(why,
				errno == EPERM || errno == EROFS ? STATUS_DENIED : STATUS_IO,
				"grow the file system at '%s'", f->mount_point);
		if (syncfs(f->fd) != 0)
			return fail_errno(why, STATUS_IO, "sync '%s'", f->mount_point);
		s = read_size(f, &after, why);
	}
	if (s == STATUS_OK)
		*out = (struct ext4_growth){
			before.blocks * before.block_bytes, after.blocks * after.block_bytes};
	return s;
}

enum status ext4_grow(const char *mount_point, struct ext4_growth *out, struct why *why)
{
	struct filesystem f = {.mount_point = mount_point, .fd = -1, .device = -1};
	enum status s = open_filesystem(&f, why);

	if (s == STATUS_OK)
		s = grow(&f, out, why);
	if (f.device >= 0)
		close(f.device);
	if (f.fd >= 0)
		close(f.fd);
	return s;
}
