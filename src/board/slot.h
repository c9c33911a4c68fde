/* slot.h - puts a file system's image into a slot, so that at any power cut the slot holds either all of it or
 * nothing that could be taken for a file system:
 *     1 the first page is zeroed and synced    2 all pages but the first are written and synced
 *     3 they are read back from the medium     4 the first page is written, synced and read back
 * The slot is a partition, or a file of its size. */
#pragma once
#include "tls/digest.h"
#include <stdbool.h>
#include <stdint.h>

/* Gives bytes of the image; any of them, as often as wanted. */
typedef enum status slot_source(
	void *context, uint64_t offset, void *out, size_t length, struct why *why);
/* `percent` of the image is on the medium: 10, 20 ... 100, some left out where it is small. */
typedef void slot_progress(void *context, unsigned percent);

struct slot_image {
	uint64_t bytes; /* whole pages of 4096 */
	const uint8_t *sha256;
	slot_source *read;
	slot_progress *progress; /* NULL: nobody looks */
	void *context;		 /* of both */
};

/* How much fits in. STATUS_NOT_FOUND: there is no such slot. */
enum status slot_bytes(const char *path, uint64_t *out, struct why *why) MUST_CHECK;
/* STATUS_NOT_FOUND: its first page is empty, as that of a slot that holds no file system. */
enum status slot_is_filled(const char *path, struct why *why) MUST_CHECK;
/* Whether two paths lead to one device or file. */
bool slot_same(const char *path, const char *other);

/* STATUS_FULL: the image is larger than the slot, which is as it was. STATUS_BUSY: it is in use (mounted).
 * STATUS_BAD_DATA: `read` gave other bytes than `sha256` tells. STATUS_IO: the medium failed, or does not hold
 * what was written. After these the slot is empty. */
enum status slot_write(
	const char *path, const struct slot_image *image, struct why *why) MUST_CHECK;
