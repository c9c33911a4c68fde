/* test_partition.c - the last partition of a table grows as far as it may; every table that is not understood is
 * left as it is. Tables of sfdisk's, and what it makes of ours, are in tests/integration/test_board_settings.py. */
#include "board/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, MIB_SECTORS = 2048 };

static char image[] = "/tmp/partition-XXXXXX";

struct part {
	uint32_t start, count; /* sectors; count 0 and type 0: not used */
	uint8_t type, status;
};

static void put_32(uint8_t *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(n >> 8 * i);
}

static void make_image(
	const struct part part[4], uint64_t sectors, uint16_t signature, uint8_t boot[SECTOR])
{
	int fd = open(image, O_RDWR | O_TRUNC);

	for (int i = 0; i < 446; i++)
		boot[i] = (uint8_t)(i * 7);
	for (int i = 0; i < 4; i++) {
		uint8_t *p = boot + 446 + (size_t)i * 16;

		memset(p, 0, 16);
		p[0] = part[i].status;
		p[4] = part[i].type;
		put_32(p + 8, part[i].start);
		put_32(p + 12, part[i].count);
	}
	boot[510] = (uint8_t)(signature >> 8);
	boot[511] = (uint8_t)signature;
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, boot, SECTOR, 0), SECTOR);
	assert_int_equal(ftruncate(fd, (off_t)sectors * SECTOR), 0);
	close(fd);
}

static void read_boot(uint8_t boot[SECTOR])
{
	int fd = open(image, O_RDONLY);

	assert_int_equal(pread(fd, boot, SECTOR, 0), SECTOR);
	close(fd);
}

static uint32_t count_of(const uint8_t *boot, unsigned number)
{
	const uint8_t *p = boot + 446 + (size_t)(number - 1) * 16 + 12;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static const struct part usual[4] = {{8192, 8192, 0x0C, 0x80}, {16384, 8192, 0x83, 0},
	{24576, 8192, 0x83, 0}, {32768, 8192, 0x83, 0}};

static void sizes(void **state)
{
	static const struct {
		uint64_t sectors;
		uint32_t count; /* afterwards */
		const char *comment;
	} cases[] = {
		{40960, 8192, "nothing behind it"},
		{40960 + 8191, 8192, "less than 4 MiB behind it"},
		{40960 + 8192, 16384, "4 MiB behind it"},
		{40960 + 8192 + 2047, 16384, "whole MiB only"},
		{40960 + 8192 + 2048, 18432, "a MiB more"},
		{62333952, 62333952 - 1024 - 32768, "a card of 32 GB"},
		{0xFFFFFFFFull, 0xFFFFF800u - 32768, "as far as 32 bits count"},
		{0x300000000ull, 0xFFFFF800u - 32768, "further than 32 bits count"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t before[SECTOR], after[SECTOR];
		struct partition_growth g;
		struct why why;

		make_image(usual, cases[i].sectors, 0x55AA, before);
		if (partition_grow(image, 4, &g, &why) != STATUS_OK)
			fail_msg("%s: %s", cases[i].comment, why.text);
		read_boot(after);
		if (count_of(after, 4) != cases[i].count)
			fail_msg("%s: %u", cases[i].comment, count_of(after, 4));
		assert_true(g.before == 8192ull * SECTOR);
		assert_true(g.after == (uint64_t)cases[i].count * SECTOR);
		/* Nothing but the size and the CHS of the last sector. */
		put_32(before + 446 + 48 + 12, cases[i].count);
		memcpy(before + 446 + 48 + 5, after + 446 + 48 + 5, 3);
		assert_memory_equal(before, after, SECTOR);

		struct stat st;

		assert_int_equal(stat(image, &st), 0);
		assert_true((uint64_t)st.st_size == cases[i].sectors * SECTOR);
		assert_int_equal(partition_grow(image, 4, &g, &why), STATUS_OK);
		assert_true(g.before == g.after);
	}
}

static void what_is_refused(void **state)
{
	static const struct {
		struct part part[4];
		unsigned number;
		uint16_t signature;
		const char *said;
	} cases[] = {
		{{{8192, 8192, 0x83, 0}}, 1, 0x55AB, "no partition table"},
		{{{8192, 8192, 0x83, 0}}, 1, 0xAA55, "no partition table"},
		{{{8192, 8192, 0x83, 0x12}}, 1, 0x55AA, "status 12"},
		{{{1, 0xFFFFFFFF, 0xEE, 0}}, 1, 0x55AA, "has a GPT"},
		{{{8192, 8192, 0x83, 0}}, 2, 0x55AA, "has no partition 2"},
		{{{8192, 8192, 0x83, 0}}, 0, 0x55AA, "partitions 1 to 4"},
		{{{8192, 8192, 0x83, 0}}, 5, 0x55AA, "partitions 1 to 4"},
		{{{8192, 8192, 0x83, 0}, {16384, 8192, 0x83, 0}}, 1, 0x55AA,
			"partition 2 lies behind it"},
		{{{16384, 8192, 0x83, 0}, {8192, 8192, 0x83, 0}}, 2, 0x55AA,
			"partition 1 lies behind it"},
		{{{8192, 8193, 0x83, 0}, {16384, 8192, 0x83, 0}}, 2, 0x55AA, "partitions 1 and 2"},
		{{{8192, 8192, 0x83, 0}, {8192, 8192, 0x83, 0}}, 2, 0x55AA, "overlap"},
		{{{8192, 4096, 0x83, 0}, {0}, {4096, 16384, 0x83, 0}}, 1, 0x55AA,
			"partitions 1 and 3"},
		{{{8192, 8192, 0x0F, 0}}, 1, 0x55AA, "extended"},
		{{{8192, 8192, 0x05, 0}}, 1, 0x55AA, "extended"},
		{{{0, 8192, 0x83, 0}}, 1, 0x55AA, "sectors 0 to 8192"},
		{{{8192, 0, 0x83, 0}}, 1, 0x55AA, "sectors 8192 to 8192"},
		{{{8192, 0xFFFFFFFF, 0x83, 0}}, 1, 0x55AA, "write the image onto the card anew"},
		{{{8192, 8192, 0x83, 0}, {100000, 8192, 0x83, 0}}, 1, 0x55AA, "write the image"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t before[SECTOR], after[SECTOR];
		struct partition_growth g;
		struct why why;

		make_image(cases[i].part, 32ull * MIB_SECTORS, cases[i].signature, before);
		assert_int_equal(partition_grow(image, cases[i].number, &g, &why), STATUS_BAD_DATA);
		if (!strstr(why.text, cases[i].said))
			fail_msg("case %zu: '%s', not '%s'", i, why.text, cases[i].said);
		read_boot(after);
		assert_memory_equal(before, after, SECTOR);
	}
}

static void what_is_no_disk(void **state)
{
	struct partition_growth g;
	struct why why;

	(void)state;
	assert_int_equal(partition_grow("/nonexistent", 1, &g, &why), STATUS_IO);
	assert_non_null(strstr(why.text, "/nonexistent"));
	assert_int_equal(partition_grow("/dev/null", 1, &g, &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "neither a block device nor a file"));
	assert_int_equal(truncate(image, 100), 0);
	assert_int_equal(partition_grow(image, 1, &g, &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "is empty"));
}

static int make_file(void **state)
{
	int fd = mkstemp(image);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_is_no_disk),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
