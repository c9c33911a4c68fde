/* test_trial.c - what is kept of updates: the one on trial, and those that are refused. */
#include "board/trial.h"

#include "base/file.h"
#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_trial_is_kept(void **state)
{
	const struct trial t = {'b', true, "1.3.0-rc1", HASH};
	struct trial got;
	struct why why;

	(void)state;
	assert_int_equal(trial_read(place(), "trial", &got, &why), STATUS_NOT_FOUND);
	assert_int_equal(trial_remove(place(), "trial", &why), STATUS_OK);
	assert_int_equal(trial_write(place(), "trial", &t, &why), STATUS_OK);
	assert_holds(in_place("trial"), "slot=b\ndue=1\nversion=1.3.0-rc1\nsha256=" HASH "\n");
	assert_int_equal(trial_read(place(), "trial", &got, &why), STATUS_OK);
	assert_int_equal(got.slot, 'b');
	assert_true(got.due);
	assert_string_equal(got.version, "1.3.0-rc1");
	assert_string_equal(got.hash, HASH);
	assert_int_equal(trial_remove(place(), "trial", &why), STATUS_OK);
	assert_int_equal(trial_read(place(), "trial", &got, &why), STATUS_NOT_FOUND);
	assert_int_not_equal(trial_write(in_place("no"), "trial", &t, &why), STATUS_OK);
}

static void a_damaged_trial_is_none(void **state)
{
	static const char *const cases[] = {"", "slot=c\nversion=1\nsha256=" HASH "\n",
		"slot=a\nversion=\nsha256=" HASH "\n", "slot=a\nversion=1\nsha256=0123\n",
		"slot=a\nversion=1\nsha256=" HASH "0\n", "slot=a\nversion=1\n"};
	struct trial got = {.slot = 'x'};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put_text(in_place("trial"), cases[i]);
		assert_int_equal(trial_read(place(), "trial", &got, NULL), STATUS_NOT_FOUND);
	}
	assert_int_equal(got.slot, 'x');
}

static void bundles_are_refused_and_taken_again(void **state)
{
	bool has = true;
	struct why why;

	(void)state;
	assert_int_equal(refused_has(place(), HASH, &has, &why), STATUS_OK);
	assert_false(has);
	assert_int_equal(refused_remove(place(), HASH, &why), STATUS_OK);
	assert_int_equal(refused_add(place(), HASH, "1.3.0", &why), STATUS_OK);
	assert_int_equal(refused_add(place(), HASH, "1.3.0", &why), STATUS_OK);
	assert_holds(in_place("refused"), HASH "=1.3.0\n");
	assert_int_equal(refused_has(place(), HASH, &has, &why), STATUS_OK);
	assert_true(has);
	assert_int_equal(refused_remove(place(), HASH, &why), STATUS_OK);
	assert_int_equal(refused_has(place(), HASH, &has, &why), STATUS_OK);
	assert_false(has);
}

static void only_the_newest_are_kept(void **state)
{
	char hash[65];
	bool has;
	struct why why;

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(hash, sizeof hash, "%064d", i);
		assert_int_equal(refused_add(place(), hash, "1.3.0", &why), STATUS_OK);
	}
	for (int i = 0; i < 40; i++) {
		snprintf(hash, sizeof hash, "%064d", i);
		assert_int_equal(refused_has(place(), hash, &has, &why), STATUS_OK);
		assert_int_equal(has, i >= 8);
	}
}

/* Neither rubbish in the file nor its size keeps a box from what follows. */
static void a_damaged_list_is_begun_anew(void **state)
{
	static char large[70000];
	bool has;
	struct why why;

	(void)state;
	put_text(in_place("refused"), "rubbish\n=\nx=\n" HASH HASH "=1\n" HASH "=1.3.0\n");
	assert_int_equal(refused_has(place(), HASH, &has, &why), STATUS_OK);
	assert_true(has);
	memset(large, 'x', sizeof large - 1);
	put_text(in_place("refused"), large);
	assert_int_equal(refused_has(place(), HASH, &has, &why), STATUS_OK);
	assert_false(has);
	assert_int_equal(refused_add(place(), HASH, "1.3.0", &why), STATUS_OK);
	assert_holds(in_place("refused"), HASH "=1.3.0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trial_is_kept),
		cmocka_unit_test(a_damaged_trial_is_none),
		cmocka_unit_test(bundles_are_refused_and_taken_again),
		cmocka_unit_test(only_the_newest_are_kept),
		cmocka_unit_test(a_damaged_list_is_begun_anew),
	};

	return cmocka_run_group_tests(tests, place_make, place_remove);
}
