/* slot_disk.h - private to board/: a slot's device or file, written through the page cache and read behind it. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { SLOT_PAGE_BYTES = 4096, SLOT_STEP_BYTES = 65536 };

struct slot_disk {
	const char *path; /* lent */
	int fd;		  /* -1: not open */
	bool device;
	uint64_t bytes;
	char *step; /* SLOT_STEP_BYTES, aligned for direct reading */
	char *page; /* one page more */
};

/* For writing a device is opened by us alone: STATUS_BUSY when it is mounted. */
enum status slot_disk_open(
	struct slot_disk *d, const char *path, bool write, struct why *why) MUST_CHECK;
void slot_disk_close(struct slot_disk *d);

enum status slot_disk_write(struct slot_disk *d, uint64_t at, const void *bytes, size_t length,
	struct why *why) MUST_CHECK;
enum status slot_disk_sync(struct slot_disk *d, struct why *why) MUST_CHECK;

/* From now on slot_disk_read() reads what the medium holds, not what the page cache does: O_DIRECT, or where
 * that is not to be had a cache that was emptied of it. What was written has been synced. */
enum status slot_disk_behind_cache(struct slot_disk *d, struct why *why) MUST_CHECK;
/* Whole pages into d->step. */
enum status slot_disk_read(
	struct slot_disk *d, uint64_t at, size_t length, struct why *why) MUST_CHECK;
