/* ext4.h - a mounted ext4 is made to fill its partition, by the kernel itself. */
#pragma once
#include "base/status.h"
#include <stdint.h>

/* Both in bytes; equal: there was nothing to do. */
struct ext4_growth {
	uint64_t before, after;
};

/* `mount_point` is where an ext4 is mounted for writing. The kernel keeps it whole through a power cut, and the
 * next call goes on. STATUS_BAD_DATA: no ext4 is mounted there. STATUS_AGAIN: the power went out while it grew, and
 * it has to be mounted once more before it can go on (e2fsck before the mount spares that). */
enum status ext4_grow(const char *mount_point, struct ext4_growth *out, struct why *why) MUST_CHECK;
