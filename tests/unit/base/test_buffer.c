/* test_buffer.c - growth, the ceiling, and what stays as it was. */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void empty_is_a_string(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 10);
	assert_string_equal(b.bytes, "");
	assert_int_equal(buffer_add(&b, "", 0), STATUS_OK);
	assert_int_equal(buffer_format(&b, "%s", ""), STATUS_OK);
	buffer_clear(&b);
	buffer_done(&b);
	assert_string_equal(b.bytes, "");
	memset(&b, 0, sizeof b);
	buffer_done(&b);
}

static void ceiling_holds_and_content_stays(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 10);
	assert_int_equal(buffer_add_text(&b, "12345"), STATUS_OK);
	assert_int_equal(buffer_add_text(&b, "678901"), STATUS_FULL);
	assert_string_equal(b.bytes, "12345");
	assert_int_equal(buffer_format(&b, "%d", 678901), STATUS_FULL);
	assert_string_equal(b.bytes, "12345");
	assert_int_equal(buffer_add_text(&b, "67890"), STATUS_OK);
	assert_string_equal(b.bytes, "1234567890");
	assert_int_equal(b.length, 10);
	assert_true(b.capacity <= 10);
	assert_int_equal(buffer_reserve(&b, SIZE_MAX), STATUS_FULL);
	buffer_done(&b);
}

static void grows_by_doubling_up_to_the_ceiling(void **state)
{
	struct buffer b;
	size_t grown = 0, capacity = 0;

	(void)state;
	buffer_init(&b, 100000);
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(buffer_add(&b, "x", 1), STATUS_OK);
		grown += b.capacity != capacity;
		capacity = b.capacity;
		assert_true(b.capacity <= 100000);
		assert_int_equal(b.bytes[b.length], 0);
	}
	assert_true(grown <= 12);
	buffer_done(&b);
}

static void shrinks_only_when_empty(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 1 << 20);
	assert_int_equal(buffer_reserve(&b, 100000), STATUS_OK);
	assert_int_equal(buffer_add_text(&b, "x"), STATUS_OK);
	buffer_shrink(&b, 100);
	assert_true(b.capacity >= 100000);
	buffer_clear(&b);
	buffer_shrink(&b, 100);
	assert_int_equal(b.capacity, 100);
	buffer_shrink(&b, 0);
	assert_int_equal(b.capacity, 0);
	assert_string_equal(b.bytes, "");
	assert_int_equal(buffer_add_text(&b, "again"), STATUS_OK);
	assert_string_equal(b.bytes, "again");
	buffer_done(&b);
}

static void views_compare_by_length(void **state)
{
	(void)state;
	assert_true(view_equals(view_of("abcdef", 3), "abc"));
	assert_false(view_equals(view_of("abcdef", 3), "abcd"));
	assert_false(view_equals(view_of("abcdef", 4), "abc"));
	assert_true(view_equals(view_of(NULL, 0), ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_a_string),
		cmocka_unit_test(ceiling_holds_and_content_stays),
		cmocka_unit_test(grows_by_doubling_up_to_the_ceiling),
		cmocka_unit_test(shrinks_only_when_empty),
		cmocka_unit_test(views_compare_by_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
