/* partition.c - the MBR's table, as far as the last partition's size. The boot sector's end:
 *
 *	446	4 entries of 16 bytes: status (00, 80), 3 bytes CHS of the first sector, type,
 *		3 bytes CHS of the last, first sector and number of sectors (both 32 bits, little endian)
 *	510	55 AA
 */
#include "board/partition.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SECTOR = 512,
	ENTRIES = 4,
	TABLE_AT = 446,
	ENTRY_BYTES = 16,
	SIGNATURE_AT = 510,
	TYPE_AT = 4,
	LAST_CHS_AT = 5,
	START_AT = 8,
	COUNT_AT = 12,
};
enum {
	TYPE_EXTENDED = 0x05,
	TYPE_EXTENDED_LBA = 0x0F,
	TYPE_EXTENDED_LINUX = 0x85,
	TYPE_GPT = 0xEE
};
/* In sectors. */
enum { ALIGNMENT = 2048, LEAST_GAIN = 8192 };

struct entry {
	unsigned char type;  /* 0: not used */
	uint64_t start, end; /* sectors; the end is behind the last */
};

struct disk {
	const char *path;
	int fd;
	bool is_device;
	uint64_t sectors;
	unsigned char boot[SECTOR];
	struct entry entry[ENTRIES];
};

static uint32_t get_32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_32(unsigned char *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(n >> 8 * i);
}

static unsigned char *entry_bytes(struct disk *d, unsigned number)
{
	return d->boot + TABLE_AT + (size_t)(number - 1) * ENTRY_BYTES;
}

/* ---- reading ---- */

static enum status look_at(struct disk *d, struct why *why)
{
	struct stat st;
	uint64_t bytes = 0;
	int sector = SECTOR;

	if (fstat(d->fd, &st) != 0)
		return fail_errno(why, STATUS_IO, "look at '%s'", d->path);
	d->is_device = S_ISBLK(st.st_mode);
	if (!d->is_device && !S_ISREG(st.st_mode))
		return fail(why, STATUS_BAD_DATA,
			"'%s' is neither a block device nor a file; name the whole card, such as "
			"/dev/mmcblk0",
			d->path);
	if (!d->is_device)
		bytes = (uint64_t)st.st_size;
	else if (ioctl(d->fd, BLKGETSIZE64, &bytes) != 0 || ioctl(d->fd, BLKSSZGET, &sector) != 0)
		return fail_errno(why, STATUS_IO, "size of '%s'", d->path);
	if (sector != SECTOR)
		return fail(why, STATUS_BAD_DATA,
			"'%s' has sectors of %d bytes; a table that counts 512 is not changed",
			d->path, sector);
	d->sectors = bytes / SECTOR;
	if (!d->sectors)
		return fail(why, STATUS_BAD_DATA, "'%s' is empty: no card, or no image", d->path);
	if (pread(d->fd, d->boot, SECTOR, 0) != SECTOR)
		return fail_errno(why, STATUS_IO, "read the first sector of '%s'", d->path);
	return STATUS_OK;
}

static enum status read_entries(struct disk *d, struct why *why)
{
	if (d->boot[SIGNATURE_AT] != 0x55 || d->boot[SIGNATURE_AT + 1] != 0xAA)
		return fail(why, STATUS_BAD_DATA,
			"'%s' has no partition table (55 AA at 510); nothing was written; name the whole "
			"card, not a partition of it",
			d->path);
	for (unsigned number = 1; number <= ENTRIES; number++) {
		const unsigned char *bytes = entry_bytes(d, number);
		struct entry *e = &d->entry[number - 1];

		*e = (struct entry){.type = bytes[TYPE_AT], .start = get_32(bytes + START_AT)};
		e->end = e->start + get_32(bytes + COUNT_AT);
		if (bytes[0] & 0x7F)
			return fail(why, STATUS_BAD_DATA,
				"partition %u of '%s' has status %02x, not 00 or 80: this is no partition "
				"table; nothing was written",
				number, d->path, bytes[0]);
		if (e->type == TYPE_GPT)
			return fail(why, STATUS_BAD_DATA,
				"'%s' has a GPT, and only an MBR is changed; nothing was written; grow it "
				"with sfdisk on another machine",
				d->path);
		if (e->type && (!e->start || e->end == e->start || e->end > d->sectors))
			return fail(why, STATUS_BAD_DATA,
				"partition %u of '%s' is to have sectors %" PRIu64 " to %" PRIu64
				" of %" PRIu64
				"; nothing was written; write the image onto the card anew",
				number, d->path, e->start, e->end, d->sectors);
	}
	return STATUS_OK;
}

static enum status check_overlaps(const struct disk *d, struct why *why)
{
	for (unsigned a = 0; a < ENTRIES; a++)
		for (unsigned b = a + 1; b < ENTRIES; b++)
			if (d->entry[a].type && d->entry[b].type &&
				d->entry[a].start < d->entry[b].end &&
				d->entry[b].start < d->entry[a].end)
				return fail(why, STATUS_BAD_DATA,
					"partitions %u and %u of '%s' overlap; nothing was written; write "
					"the image onto the card anew",
					a + 1, b + 1, d->path);
	return STATUS_OK;
}

static enum status check_last(const struct disk *d, unsigned number, struct why *why)
{
	const struct entry *e = &d->entry[number - 1];

	if (!e->type)
		return fail(why, STATUS_BAD_DATA, "'%s' has no partition %u; nothing was written",
			d->path, number);
	if (e->type == TYPE_EXTENDED || e->type == TYPE_EXTENDED_LBA ||
		e->type == TYPE_EXTENDED_LINUX)
		return fail(why, STATUS_BAD_DATA,
			"partition %u of '%s' is an extended one; nothing was written", number,
			d->path);
	for (unsigned i = 0; i < ENTRIES; i++)
		if (d->entry[i].type && d->entry[i].start > e->start)
			return fail(why, STATUS_BAD_DATA,
				"partition %u of '%s' is not the last: partition %u lies behind it; "
				"nothing was written",
				number, d->path, i + 1);
	return STATUS_OK;
}

/* ---- writing ---- */

/* Where the partition may end: the disk's last whole MiB, within what 32 bits count. */
static uint64_t furthest_end(const struct disk *d, const struct entry *e)
{
	uint64_t end = d->sectors;

	if (end > UINT32_MAX)
		end = UINT32_MAX;
	end -= end % ALIGNMENT;
	return end >= e->end + LEAST_GAIN ? end : e->end;
}

static enum status write_table(struct disk *d, struct why *why)
{
	unsigned char written[SECTOR];

	if (pwrite(d->fd, d->boot, SECTOR, 0) != SECTOR || fsync(d->fd) != 0)
		return fail_errno(why, STATUS_IO,
			"write the partition table of '%s'; it has its old size or the new one",
			d->path);
	/* What the card says, not what the kernel remembers. */
	(void)posix_fadvise(d->fd, 0, SECTOR, POSIX_FADV_DONTNEED);
	if (pread(d->fd, written, SECTOR, 0) != SECTOR || memcmp(written, d->boot, SECTOR) != 0)
		return fail(why, STATUS_IO,
			"the partition table of '%s' does not read as it was written; use another card",
			d->path);
	return STATUS_OK;
}

static enum status tell_kernel(
	const struct disk *d, unsigned number, const struct entry *e, struct why *why)
{
	struct blkpg_partition partition = {
		.start = (long long)(e->start * SECTOR),
		.length = (long long)((e->end - e->start) * SECTOR),
		.pno = (int)number,
	};
	struct blkpg_ioctl_arg argument = {
		.op = BLKPG_RESIZE_PARTITION,
		.datalen = sizeof partition,
		.data = &partition,
	};

	if (!d->is_device || ioctl(d->fd, BLKPG, &argument) == 0)
		return STATUS_OK;
	return fail_errno(why, STATUS_BUSY,
		"the table of '%s' is written, but partition %u keeps its old size until the next start",
		d->path, number);
}

static enum status grow(
	struct disk *d, unsigned number, struct partition_growth *out, struct why *why)
{
	struct entry *e = &d->entry[number - 1];
	unsigned char *bytes = entry_bytes(d, number);
	enum status s = STATUS_OK;

	out->before = (e->end - e->start) * SECTOR;
	e->end = furthest_end(d, e);
	out->after = (e->end - e->start) * SECTOR;
	if (out->after == out->before)
		return STATUS_OK;
	put_32(bytes + COUNT_AT, (uint32_t)(e->end - e->start));
	/* "Beyond what CHS can tell": everybody looks at the numbers then. */
	memcpy(bytes + LAST_CHS_AT, "\xFE\xFF\xFF", 3);
	s = write_table(d, why);
	return s == STATUS_OK ? tell_kernel(d, number, e, why) : s;
}

enum status partition_grow(
	const char *disk, unsigned number, struct partition_growth *out, struct why *why)
{
	struct disk d = {.path = disk, .fd = open(disk, O_RDWR | O_CLOEXEC)};
	struct partition_growth growth = {0};
	enum status s;

	if (d.fd < 0)
		return fail_errno(why, STATUS_IO, "open '%s'", disk);
	if (number < 1 || number > ENTRIES)
		s = fail(why, STATUS_BAD_DATA, "an MBR has partitions 1 to 4, and not %u", number);
	else
		s = look_at(&d, why);
	if (s == STATUS_OK)
		s = read_entries(&d, why);
	if (s == STATUS_OK)
		s = check_overlaps(&d, why);
	if (s == STATUS_OK)
		s = check_last(&d, number, why);
	if (s == STATUS_OK)
		s = grow(&d, number, &growth, why);
	close(d.fd);
	if (s == STATUS_OK)
		*out = growth;
	return s;
}
