/* test_frame.c - the registries' wire format: exact bytes, there and back, and whatever else may come. */
#include "base/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void the_bytes_are_those_of_the_specification(void **state)
{
	static const struct {
		uint32_t id;
		char bytes[FRAME_BYTES + 1];
	} cases[] = {
		{0, "\x00\x00\x00\x00\x00"},
		{1, "\x00\x00\x00\x00\x01"},
		{256, "\x00\x00\x00\x01\x00"},
		{100042, "\x00\x00\x01\x86\xca"},
		{0x7fffffff, "\x00\x7f\xff\xff\xff"},
		{UINT32_MAX, "\x00\xff\xff\xff\xff"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char out[FRAME_BYTES], wire[FRAME_BYTES + 2];
		struct view value;
		uint32_t id = 77;

		frame_write(cases[i].id, out);
		assert_memory_equal(out, cases[i].bytes, FRAME_BYTES);
		memcpy(wire, out, FRAME_BYTES);
		memcpy(wire + FRAME_BYTES, "{}", 2);
		assert_true(frame_strip(view_of(wire, sizeof wire), &id, &value));
		assert_int_equal(id, cases[i].id);
		assert_ptr_equal(value.bytes, wire + FRAME_BYTES);
		assert_int_equal(value.length, 2);
	}
}

static void what_is_no_frame_stays_as_it_is(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *comment;
	} cases[] = {
		{"", 0, "nothing"},
		{"{\"id\":\"m\"}", 10, "JSON"},
		{" \0\0\0\0{}", 7, "a blank first"},
		{"\0", 1, "one zero"},
		{"\0\0\0\1", 4, "a byte too few"},
		{"\1\0\0\0\1{}", 7, "another magic byte"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct view value;
		uint32_t id = 77;

		if (frame_strip(view_of(cases[i].bytes, cases[i].length), &id, &value))
			fail_msg("%s was taken for a frame", cases[i].comment);
		assert_int_equal(id, 0);
		assert_ptr_equal(value.bytes, cases[i].bytes);
		assert_int_equal(value.length, cases[i].length);
	}
}

/* Random bytes in blocks of their exact size, so that a sanitizer sees a byte too far: what is stripped lies
 * within, and the two parts together are the whole. */
static void no_bytes_are_read_beyond_the_end(void **state)
{
	unsigned framed = 0;

	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)rand() % 12;
		char *bytes = malloc(length ? length : 1), again[FRAME_BYTES];
		struct view value;
		uint32_t id;

		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)(rand() % 3 ? rand() : 0);
		if (frame_strip(view_of(bytes, length), &id, &value)) {
			framed++;
			assert_int_equal(value.length + FRAME_BYTES, length);
			frame_write(id, again);
			assert_memory_equal(again, bytes, FRAME_BYTES);
		} else {
			assert_true(length < FRAME_BYTES || bytes[0]);
			assert_int_equal(value.length, length);
		}
		free(bytes);
	}
	assert_true(framed > 1000);
}

/* The frame alone: a value of no bytes. */
static void a_frame_may_be_all_there_is(void **state)
{
	struct view value;
	uint32_t id;

	(void)state;
	assert_true(frame_strip(view_of("\0\0\0\0\7", FRAME_BYTES), &id, &value));
	assert_int_equal(id, 7);
	assert_int_equal(value.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_are_those_of_the_specification),
		cmocka_unit_test(what_is_no_frame_stays_as_it_is),
		cmocka_unit_test(no_bytes_are_read_beyond_the_end),
		cmocka_unit_test(a_frame_may_be_all_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
