/* zip.h - reads a zip archive (private to book/): what verification and the properties need, apart
 * from the library that wrote it. No zip64 (a workbook beyond 4 GiB is refused), stored or
 * deflated entries only. Format: PKWARE APPNOTE 6.3, 4.3.7 to 4.3.16. Memory: the central
 * directory (at most 256 KiB) and, while an entry is read, inflate's 40 KiB and two buffers of 16
 * KiB. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZIP_NAME_BYTES = 128 };

struct zip;
struct zip_entry {
	char name[ZIP_NAME_BYTES];
	unsigned method;
	uint32_t crc;
	uint32_t packed_bytes, bytes;
	uint32_t header_at;
};

/* STATUS_BAD_DATA: no archive, or its central directory is not whole. STATUS_NOT_FOUND: no such
 * file. */
enum status zip_open(struct zip **out, const char *path, struct why *why) MUST_CHECK;
void zip_close(struct zip *z); /* NULL is fine */
uint64_t zip_file_bytes(const struct zip *z);
unsigned zip_entries(const struct zip *z);
enum status zip_entry(
	const struct zip *z, unsigned index, struct zip_entry *out, struct why *why) MUST_CHECK;
enum status zip_find(
	const struct zip *z, const char *name, struct zip_entry *out, struct why *why) MUST_CHECK;

/* Gives the entry's bytes piece by piece, and checks length and CRC-32 at the end. */
typedef void zip_piece(void *context, const char *bytes, size_t length);
enum status zip_read(struct zip *z, const struct zip_entry *e, zip_piece *piece, void *context,
	struct why *why) MUST_CHECK;
