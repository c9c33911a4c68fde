/* slot.c - an image into a slot, its first page last. */
#include "board/slot.h"

#include "board/slot_disk.h"

#include <string.h>
#include <sys/stat.h>

/* So much may be dirty in memory before it is synced: progress is told of what is on the medium. */
enum { SYNC_EVERY_BYTES = 4 << 20, TELL_EVERY_PERCENT = 10 };

struct work {
	const struct slot_image *image;
	struct slot_disk disk;
	struct digest_stream *digest;
	unsigned told;
};

enum status slot_bytes(const char *path, uint64_t *out, struct why *why)
{
	struct slot_disk disk;
	enum status s = slot_disk_open(&disk, path, false, why);

	if (s == STATUS_OK)
		*out = disk.bytes;
	slot_disk_close(&disk);
	return s;
}

enum status slot_is_filled(const char *path, struct why *why)
{
	struct slot_disk disk;
	enum status s = slot_disk_open(&disk, path, false, why);

	if (s == STATUS_OK)
		s = slot_disk_read(&disk, 0, SLOT_PAGE_BYTES, why);
	if (s == STATUS_OK) {
		memset(disk.page, 0, SLOT_PAGE_BYTES);
		if (memcmp(disk.page, disk.step, SLOT_PAGE_BYTES) == 0)
			s = fail(why, STATUS_NOT_FOUND, "'%s' is empty", path);
	}
	slot_disk_close(&disk);
	return s;
}

bool slot_same(const char *path, const char *other)
{
	struct stat a, b;

	if (stat(path, &a) != 0 || stat(other, &b) != 0)
		return false;
	if (S_ISBLK(a.st_mode) && S_ISBLK(b.st_mode))
		return a.st_rdev == b.st_rdev;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void tell(struct work *w, uint64_t written)
{
	unsigned percent = (unsigned)(written * 100 / w->image->bytes);

	percent -= percent % TELL_EVERY_PERCENT;
	if (!w->image->progress || percent <= w->told)
		return;
	w->told = percent;
	w->image->progress(w->image->context, percent);
}

static size_t step_at(const struct work *w, uint64_t at)
{
	uint64_t left = w->image->bytes - at;

	return left < SLOT_STEP_BYTES ? (size_t)left : SLOT_STEP_BYTES;
}

static enum status empty_slot(struct work *w, struct why *why)
{
	memset(w->disk.step, 0, SLOT_PAGE_BYTES);

	enum status s = slot_disk_write(&w->disk, 0, w->disk.step, SLOT_PAGE_BYTES, why);

	return s == STATUS_OK ? slot_disk_sync(&w->disk, why) : s;
}

/* Of the image as its source gives it: the first page is kept in disk.page. */
static enum status fetch(struct work *w, uint64_t at, char *out, size_t length, struct why *why)
{
	enum status s = w->image->read(w->image->context, at, out, length, why);

	if (s == STATUS_OK)
		digest_stream_add(w->digest, out, length);
	return s;
}

static bool hash_is_right(struct work *w)
{
	uint8_t hash[DIGEST_WHOLE_BYTES];

	digest_stream_end(w->digest, hash);
	return memcmp(hash, w->image->sha256, sizeof hash) == 0;
}

static enum status write_rest(struct work *w, struct why *why)
{
	uint64_t synced = 0;
	enum status s = fetch(w, 0, w->disk.page, SLOT_PAGE_BYTES, why);

	for (uint64_t at = SLOT_PAGE_BYTES; s == STATUS_OK && at < w->image->bytes;) {
		size_t n = step_at(w, at);

		s = fetch(w, at, w->disk.step, n, why);
		if (s == STATUS_OK)
			s = slot_disk_write(&w->disk, at, w->disk.step, n, why);
		at += n;
		if (s != STATUS_OK || (at - synced < SYNC_EVERY_BYTES && at < w->image->bytes))
			continue;
		s = slot_disk_sync(&w->disk, why);
		synced = at;
		if (s == STATUS_OK)
			tell(w, at);
	}
	if (s == STATUS_OK && !hash_is_right(w))
		s = fail(why, STATUS_BAD_DATA, "what was to be written changed meanwhile");
	return s;
}

/* The first page as it will be, the others as the medium holds them. */
static enum status check_rest(struct work *w, struct why *why)
{
	enum status s = slot_disk_behind_cache(&w->disk, why);

	digest_stream_add(w->digest, w->disk.page, SLOT_PAGE_BYTES);
	for (uint64_t at = SLOT_PAGE_BYTES; s == STATUS_OK && at < w->image->bytes;) {
		size_t n = step_at(w, at);

		s = slot_disk_read(&w->disk, at, n, why);
		if (s == STATUS_OK)
			digest_stream_add(w->digest, w->disk.step, n);
		at += n;
	}
	if (s == STATUS_OK && !hash_is_right(w))
		s = fail(why, STATUS_IO, "'%s' does not hold what was written to it", w->disk.path);
	return s;
}

static enum status write_first(struct work *w, struct why *why)
{
	enum status s = slot_disk_write(&w->disk, 0, w->disk.page, SLOT_PAGE_BYTES, why);

	if (s == STATUS_OK)
		s = slot_disk_sync(&w->disk, why);
	if (s == STATUS_OK)
		s = slot_disk_behind_cache(&w->disk, why);
	if (s == STATUS_OK)
		s = slot_disk_read(&w->disk, 0, SLOT_PAGE_BYTES, why);
	if (s == STATUS_OK && memcmp(w->disk.step, w->disk.page, SLOT_PAGE_BYTES) != 0)
		s = fail(why, STATUS_IO, "'%s' does not hold its first page", w->disk.path);
	return s;
}

static enum status write_all(struct work *w, struct why *why)
{
	enum status s = empty_slot(w, why);

	if (s == STATUS_OK)
		s = write_rest(w, why);
	if (s == STATUS_OK)
		s = check_rest(w, why);
	if (s != STATUS_OK)
		return s;
	s = write_first(w, why);
	/* Of no use, and then it is not to look like it. What this says is known by now. */
	if (s != STATUS_OK)
		(void)!empty_slot(w, NULL);
	return s;
}

enum status slot_write(const char *path, const struct slot_image *image, struct why *why)
{
	struct work w = {.image = image};
	enum status s = slot_disk_open(&w.disk, path, true, why);

	if (s != STATUS_OK)
		return s;
	if (image->bytes > w.disk.bytes)
		s = fail(why, STATUS_FULL, "an image of %llu bytes does not fit into '%s' of %llu",
			(unsigned long long)image->bytes, path, (unsigned long long)w.disk.bytes);
	if (s == STATUS_OK)
		s = digest_stream_open(&w.digest, why);
	if (s == STATUS_OK)
		s = write_all(&w, why);
	digest_stream_close(w.digest);
	slot_disk_close(&w.disk);
	return s;
}
