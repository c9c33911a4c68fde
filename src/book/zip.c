#include "book/zip.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	END_BYTES = 22,
	END_SIGNATURE = 0x06054b50,
	CENTRAL_BYTES = 46,
	CENTRAL_SIGNATURE = 0x02014b50,
	LOCAL_BYTES = 30,
	LOCAL_SIGNATURE = 0x04034b50,
	MOST_DIRECTORY = 256 * 1024,
	PIECE_BYTES = 16 * 1024,
	METHOD_STORED = 0,
	METHOD_DEFLATED = 8,
};

struct zip {
	int fd;
	uint64_t bytes;
	unsigned char *directory;
	uint32_t directory_bytes;
	unsigned entries;
	unsigned char packed[PIECE_BYTES], plain[PIECE_BYTES];
};

static uint32_t le16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const unsigned char *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static enum status read_at(
	const struct zip *z, uint64_t at, void *out, size_t length, struct why *why)
{
	unsigned char *p = out;

	if (at + length > z->bytes)
		return fail(why, STATUS_BAD_DATA, "the archive ends at byte %llu",
			(unsigned long long)z->bytes);
	while (length > 0) {
		ssize_t n = pread(z->fd, p, length, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(why, STATUS_IO, "read the archive");
		if (n == 0)
			return fail(
				why, STATUS_BAD_DATA, "the archive grew shorter while it was read");
		p += n;
		at += (uint64_t)n;
		length -= (size_t)n;
	}
	return STATUS_OK;
}

/* The end record, at the very end: the library that writes these files adds no comment. */
static enum status read_directory(struct zip *z, struct why *why)
{
	unsigned char end[END_BYTES] = {0};
	enum status s;

	if (z->bytes < END_BYTES)
		return fail(why, STATUS_BAD_DATA, "%llu bytes are no archive",
			(unsigned long long)z->bytes);
	s = read_at(z, z->bytes - END_BYTES, end, END_BYTES, why);
	if (s != STATUS_OK)
		return s;
	if (le32(end) != END_SIGNATURE)
		return fail(why, STATUS_BAD_DATA, "no end of central directory");
	z->entries = le16(end + 10);
	z->directory_bytes = le32(end + 12);
	if (z->directory_bytes > MOST_DIRECTORY || le16(end + 8) != z->entries)
		return fail(why, STATUS_BAD_DATA, "a central directory of %lu bytes",
			(unsigned long)z->directory_bytes);
	if ((uint64_t)le32(end + 16) + z->directory_bytes + END_BYTES != z->bytes)
		return fail(why, STATUS_BAD_DATA,
			"the central directory does not end where the archive does");
	z->directory = malloc(z->directory_bytes + 1u);
	if (!z->directory)
		return fail(why, STATUS_NO_MEMORY, "no memory for a central directory");
	return read_at(z, le32(end + 16), z->directory, z->directory_bytes, why);
}

enum status zip_open(struct zip **out, const char *path, struct why *why)
{
	struct zip *z = calloc(1, sizeof(*z));
	struct stat st;
	enum status s;

	if (!z)
		return fail(why, STATUS_NO_MEMORY, "no memory to read an archive");
	z->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (z->fd < 0)
		s = fail_errno(
			why, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "open '%s'", path);
	else if (fstat(z->fd, &st) != 0)
		s = fail_errno(why, STATUS_IO, "look at '%s'", path);
	else if (!S_ISREG(st.st_mode))
		s = fail(why, STATUS_BAD_DATA, "'%s' is no plain file", path);
	else {
		z->bytes = (uint64_t)st.st_size;
		s = read_directory(z, why);
	}
	if (s != STATUS_OK) {
		zip_close(z);
		return s;
	}
	*out = z;
	return STATUS_OK;
}

void zip_close(struct zip *z)
{
	if (!z)
		return;
	if (z->fd >= 0)
		close(z->fd);
	free(z->directory);
	free(z);
}

uint64_t zip_file_bytes(const struct zip *z)
{
	return z->bytes;
}

unsigned zip_entries(const struct zip *z)
{
	return z->entries;
}

enum status zip_entry(const struct zip *z, unsigned index, struct zip_entry *out, struct why *why)
{
	uint32_t at = 0;

	for (unsigned i = 0; i <= index; i++) {
		const unsigned char *p = z->directory + at;
		uint32_t name, whole;

		if (at + CENTRAL_BYTES > z->directory_bytes || le32(p) != CENTRAL_SIGNATURE)
			return fail(why, STATUS_BAD_DATA,
				"entry %u of the central directory is broken", i);
		name = le16(p + 28);
		whole = CENTRAL_BYTES + name + le16(p + 30) + le16(p + 32);
		if (at + whole > z->directory_bytes || name >= ZIP_NAME_BYTES)
			return fail(why, STATUS_BAD_DATA,
				"entry %u of the central directory is broken", i);
		at += whole;
		if (i < index)
			continue;
		*out = (struct zip_entry){
			.method = le16(p + 10),
			.crc = le32(p + 16),
			.packed_bytes = le32(p + 20),
			.bytes = le32(p + 24),
			.header_at = le32(p + 42),
		};
		memcpy(out->name, p + CENTRAL_BYTES, name);
	}
	return STATUS_OK;
}

enum status zip_find(const struct zip *z, const char *name, struct zip_entry *out, struct why *why)
{
	for (unsigned i = 0; i < z->entries; i++) {
		enum status s = zip_entry(z, i, out, why);

		if (s != STATUS_OK)
			return s;
		if (!strcmp(out->name, name))
			return STATUS_OK;
	}
	return fail(why, STATUS_NOT_FOUND, "no '%s' in the archive", name);
}

struct reading {
	z_stream stream;
	uint64_t at, left; /* packed bytes not yet read */
	uint64_t given;
	uint32_t crc;
	zip_piece *piece;
	void *context;
};

static void give(struct reading *r, const unsigned char *bytes, size_t length)
{
	r->crc = (uint32_t)crc32(r->crc, bytes, (unsigned)length);
	r->given += length;
	r->piece(r->context, (const char *)bytes, length);
}

static enum status next_packed(struct zip *z, struct reading *r, size_t *length, struct why *why)
{
	*length = r->left < PIECE_BYTES ? (size_t)r->left : PIECE_BYTES;
	enum status s = read_at(z, r->at, z->packed, *length, why);

	r->at += *length;
	r->left -= *length;
	return s;
}

static enum status read_stored(struct zip *z, struct reading *r, struct why *why)
{
	while (r->left > 0) {
		size_t length;
		enum status s = next_packed(z, r, &length, why);

		if (s != STATUS_OK)
			return s;
		give(r, z->packed, length);
	}
	return STATUS_OK;
}

static enum status read_deflated(struct zip *z, struct reading *r, struct why *why)
{
	int result = Z_OK;

	while (result != Z_STREAM_END) {
		if (r->stream.avail_in == 0 && r->left > 0) {
			size_t length;
			enum status s = next_packed(z, r, &length, why);

			if (s != STATUS_OK)
				return s;
			r->stream.next_in = z->packed;
			r->stream.avail_in = (unsigned)length;
		}
		r->stream.next_out = z->plain;
		r->stream.avail_out = PIECE_BYTES;
		result = inflate(&r->stream, Z_NO_FLUSH);
		if (result != Z_OK && result != Z_STREAM_END)
			return fail(why, STATUS_BAD_DATA, "its packed data is broken");
		give(r, z->plain, PIECE_BYTES - r->stream.avail_out);
	}
	return STATUS_OK;
}

enum status zip_read(
	struct zip *z, const struct zip_entry *e, zip_piece *piece, void *context, struct why *why)
{
	struct reading r = {.left = e->packed_bytes, .piece = piece, .context = context};
	unsigned char local[LOCAL_BYTES] = {0};
	enum status s = read_at(z, e->header_at, local, LOCAL_BYTES, why);

	if (s != STATUS_OK)
		return why_prefix(why, s, "%s", e->name);
	if (le32(local) != LOCAL_SIGNATURE)
		return fail(why, STATUS_BAD_DATA, "%s: no local header", e->name);
	r.at = (uint64_t)e->header_at + LOCAL_BYTES + le16(local + 26) + le16(local + 28);
	if (e->method == METHOD_STORED) {
		s = read_stored(z, &r, why);
	} else if (e->method == METHOD_DEFLATED) {
		if (inflateInit2(&r.stream, -MAX_WBITS) != Z_OK)
			return fail(why, STATUS_NO_MEMORY, "%s: no memory to inflate", e->name);
		s = read_deflated(z, &r, why);
		inflateEnd(&r.stream);
	} else {
		s = fail(why, STATUS_BAD_DATA, "packed by method %u", e->method);
	}
	if (s != STATUS_OK)
		return why_prefix(why, s, "%s", e->name);
	if (r.given != e->bytes || r.crc != e->crc)
		return fail(why, STATUS_BAD_DATA,
			"%s: %llu bytes where %lu were written, or others", e->name,
			(unsigned long long)r.given, (unsigned long)e->bytes);
	return STATUS_OK;
}
