/* bomb.c - RFC 1952 around RFC 1951: after Z_FULL_FLUSH a deflated block refers to nothing before
 * it, so the same bytes may stand any number of times. */
#include "replay/bomb.h"

#include <string.h>
#include <zlib.h>

enum { BLOCK_BYTES = 1 << 20, STEP_BYTES = 4096 };

/* Deflates BLOCK_BYTES blanks, closed by a full flush. */
static enum status deflate_block(z_stream *z, struct buffer *block, struct why *why)
{
	unsigned char blanks[STEP_BYTES], out[STEP_BYTES];

	memset(blanks, ' ', sizeof blanks);
	for (int left = BLOCK_BYTES; left > 0; left -= STEP_BYTES) {
		z->next_in = blanks;
		z->avail_in = sizeof blanks;
		do {
			z->next_out = out;
			z->avail_out = sizeof out;
			if (deflate(z, left > STEP_BYTES ? Z_NO_FLUSH : Z_FULL_FLUSH) ==
				Z_STREAM_ERROR)
				return fail(why, STATUS_FATAL, "zlib does not deflate");

			enum status s = buffer_add(block, out, sizeof out - z->avail_out);

			if (s != STATUS_OK)
				return fail(why, s, "no room for a deflated block");
		} while (z->avail_out == 0);
	}
	return STATUS_OK;
}

static unsigned long crc_of_all(void)
{
	unsigned char blanks[STEP_BYTES];
	unsigned long step, block, all;

	memset(blanks, ' ', sizeof blanks);
	step = crc32(crc32(0, NULL, 0), blanks, sizeof blanks);
	block = step;
	for (int i = 1; i < BLOCK_BYTES / STEP_BYTES; i++)
		block = crc32_combine(block, step, STEP_BYTES);
	all = block;
	for (int i = 1; i < BOMB_BLOCKS; i++)
		all = crc32_combine(all, block, BLOCK_BYTES);
	return all;
}

static void put_le32(unsigned char *out, unsigned long value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

enum status bomb_make(
	struct buffer *opening, struct buffer *block, struct buffer *closing, struct why *why)
{
	static const unsigned char gzip_header[10] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3};
	unsigned char trailer[10] = {3, 0}; /* an empty last block, then CRC-32 and length */
	z_stream z = {0};

	if (deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return fail(why, STATUS_NO_MEMORY, "no memory for zlib");

	enum status s = deflate_block(&z, block, why);

	deflateEnd(&z);
	put_le32(trailer + 2, crc_of_all());
	put_le32(trailer + 6, (unsigned long)((uint64_t)BOMB_BLOCKS * BLOCK_BYTES & 0xFFFFFFFF));
	if (s == STATUS_OK)
		s = buffer_add(opening, gzip_header, sizeof gzip_header);
	return s == STATUS_OK ? buffer_add(closing, trailer, sizeof trailer) : s;
}
