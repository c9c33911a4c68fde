/* test_status.c - reasons: made, prefixed, cut. */
#include "base/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#undef fail /* cmocka's macro; ours is under test */

static void reason_gains_a_prefix_per_layer(void **state)
{
	struct why why;

	(void)state;
	assert_int_equal(fail(&why, STATUS_IO, "sync '%s'", "x"), STATUS_IO);
	assert_string_equal(why.text, "sync 'x'");
	assert_int_equal(why_prefix(&why, STATUS_DENIED, "spool %d", 3), STATUS_DENIED);
	assert_string_equal(why.text, "spool 3: sync 'x'");
	/* The old reason may be an argument of the new one. */
	assert_int_equal(fail(&why, STATUS_FULL, "again: %s", why.text), STATUS_FULL);
	assert_string_equal(why.text, "again: spool 3: sync 'x'");
}

static void errno_is_named_and_kept(void **state)
{
	struct why why;

	(void)state;
	errno = ENOENT;
	assert_int_equal(fail_errno(&why, STATUS_NOT_FOUND, "open '%s'", "y"), STATUS_NOT_FOUND);
	assert_non_null(strstr(why.text, "open 'y': No such file"));
	assert_int_equal(errno, ENOENT);
}

static void no_reason_wanted(void **state)
{
	(void)state;
	assert_int_equal(fail(NULL, STATUS_BUSY, "x"), STATUS_BUSY);
	assert_int_equal(fail_errno(NULL, STATUS_BUSY, "x"), STATUS_BUSY);
	assert_int_equal(why_prefix(NULL, STATUS_BUSY, "x"), STATUS_BUSY);
}

/* Every length of text before a character of 1 to 4 bytes that the end may cut. */
static void long_reason_ends_at_a_character(void **state)
{
	static const char *const characters[] = {
		"x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8F\x8F"};
	char text[512];
	struct why why;

	(void)state;
	for (size_t c = 0; c < sizeof characters / sizeof characters[0]; c++) {
		size_t width = strlen(characters[c]);

		for (size_t before = sizeof why.text - 6; before < sizeof why.text + 2; before++) {
			memset(text, 'a', before);
			strcpy(text + before, characters[c]);
			fail(&why, STATUS_IO, "%s", text);

			size_t length = strlen(why.text);

			assert_true(length < sizeof why.text);
			if (before + width < sizeof why.text)
				assert_string_equal(why.text, text);
			else
				assert_int_equal(length,
					before < sizeof why.text ? before : sizeof why.text - 1);
		}
	}
}

static void prefix_cuts_the_end_not_the_start(void **state)
{
	struct why why;

	(void)state;
	memset(why.text, 'b', sizeof why.text - 1);
	why.text[sizeof why.text - 1] = '\0';
	why_prefix(&why, STATUS_IO, "layer");
	assert_int_equal(strlen(why.text), sizeof why.text - 1);
	assert_memory_equal(why.text, "layer: bbb", 10);
}

static void every_status_has_a_name(void **state)
{
	(void)state;
	for (int s = STATUS_OK; s <= STATUS_FATAL; s++)
		assert_string_not_equal(status_name((enum status)s), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reason_gains_a_prefix_per_layer),
		cmocka_unit_test(errno_is_named_and_kept),
		cmocka_unit_test(no_reason_wanted),
		cmocka_unit_test(long_reason_ends_at_a_character),
		cmocka_unit_test(prefix_cuts_the_end_not_the_start),
		cmocka_unit_test(every_status_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
