/* partition.h - the last partition of a card with an MBR table is made to fill the card. */
#pragma once
#include "base/status.h"
#include <stdint.h>

/* Both in bytes; equal: there was nothing to do. */
struct partition_growth {
	uint64_t before, after;
};

/* `disk` is a block device, or a file that holds the image of one. Partition `number` (1 to 4) has to be the
 * last of an MBR table of primary partitions; where the disk goes on for 4 MiB or more behind it, it is given
 * all of it that an MBR can tell (2 TiB), in whole MiB. One sector is written, synced and read back: a power cut
 * leaves the old table or the new one. Of a block device the kernel is told too, also while the partition is
 * mounted.
 * STATUS_BAD_DATA: the table is not one that may be changed; nothing was written.
 * STATUS_BUSY: the table is written, but this kernel goes on with the old size until its next start. */
enum status partition_grow(const char *disk, unsigned number, struct partition_growth *out,
	struct why *why) MUST_CHECK;
