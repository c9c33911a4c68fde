/* test_window.c - the rows that are out: places, cost, strangers. */
#include "kafka/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void counts_places(void **state)
{
	struct window w;
	void *place[3];
	int64_t id;

	(void)state;
	assert_int_equal(window_init(&w, 3, 1000), STATUS_OK);
	for (int i = 0; i < 3; i++) {
		assert_true(window_has_room(&w, 10));
		place[i] = window_take(&w, 100 + i, 10);
		assert_non_null(place[i]);
	}
	assert_false(window_has_room(&w, 10));
	assert_int_equal(w.out, 3);
	assert_true(window_give(&w, place[1], &id));
	assert_int_equal(id, 101);
	assert_true(window_has_room(&w, 10));
	assert_ptr_equal(window_take(&w, 7, 10), place[1]);
	window_done(&w);
}

static void counts_bytes(void **state)
{
	struct window w;
	void *big, *small;
	int64_t id;

	(void)state;
	assert_int_equal(window_init(&w, 10, 1000), STATUS_OK);
	/* A row larger than the whole window has to go through all the same: alone. */
	assert_true(window_has_room(&w, 5000));
	big = window_take(&w, 1, 5000);
	assert_false(window_has_room(&w, 1));
	assert_true(window_give(&w, big, &id));
	small = window_take(&w, 2, 400);
	assert_true(window_has_room(&w, 600));
	assert_false(window_has_room(&w, 601));
	assert_true(window_give(&w, small, &id));
	assert_int_equal(w.bytes, 0);
	window_done(&w);
}

static void knows_strangers(void **state)
{
	struct window w;
	void *place;
	int64_t id = -1;

	(void)state;
	assert_int_equal(window_init(&w, 2, 1000), STATUS_OK);
	place = window_take(&w, INT64_MAX, 1);
	assert_false(window_give(&w, NULL, &id));
	assert_false(window_give(&w, (void *)(uintptr_t)2, &id));
	assert_false(window_give(&w, (void *)(uintptr_t)3, &id));
	assert_true(window_give(&w, place, &id));
	assert_true(id == INT64_MAX);
	assert_false(window_give(&w, place, &id));
	window_take(&w, 5, 1);
	window_clear(&w);
	assert_int_equal(w.out, 0);
	assert_false(window_give(&w, place, &id));
	window_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_places),
		cmocka_unit_test(counts_bytes),
		cmocka_unit_test(knows_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
