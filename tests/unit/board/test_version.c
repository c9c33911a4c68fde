/* test_version.c - which of two versions is newer. */
#include "board/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void the_newer_one_is_found(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
		const char *why;
	} cases[] = {
		{"1.2.3", "1.2.3", 0, "the same"},
		{"1.10", "1.9", 1, "numbers, not characters"},
		{"1.2", "1.2.0", 0, "a missing number is 0"},
		{"1.2", "1.2.0.1", -1, "a further number"},
		{"2", "1.99.99", 1, "the first number counts most"},
		{"1.02", "1.2", 0, "zeros before a number"},
		{"0", "0.0.0", 0, "all zeros"},
		{"99999999999999999999999", "99999999999999999999998", 1, "beyond 64 bits"},
		{"10000000000000000000000", "9999999999999999999999", 1, "beyond 64 bits, longer"},
		{"1.2-rc1", "1.2", -1, "a -word comes before none"},
		{"1.2-rc1", "1.1", 1, "but behind an older version"},
		{"1.2-rc10", "1.2-rc2", 1, "numbers within a word"},
		{"1.2-rc2", "1.2-rc02", 0, "zeros within a word"},
		{"1.2-beta", "1.2-alpha", 1, "words by their characters"},
		{"1.2-rc", "1.2-rc1", -1, "the longer word is newer"},
		{"1.2-1.9", "1.2-1.10", -1, "dotted numbers within a word"},
		{"1.2+b1", "1.2+b2", 0, "what follows a + does not count"},
		{"1.2+b1", "1.2", 0, "nor whether it is there"},
		{"1.2-rc1+x", "1.2-rc1+y", 0, "nor behind a -word"},
		{"1.2-rc1+x", "1.2-rc", 1, "the word ends at the +"},
		{"1.2.0+x", "1.2-rc1", 1, "a + is no -word"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(version_is_valid(cases[i].a));
		assert_true(version_is_valid(cases[i].b));
		if (sign(version_compare(cases[i].a, cases[i].b)) != cases[i].order ||
			sign(version_compare(cases[i].b, cases[i].a)) != -cases[i].order)
			fail_msg("%s, %s: %s", cases[i].a, cases[i].b, cases[i].why);
	}
}

static void what_is_no_version_is_refused(void **state)
{
	static const char *const cases[] = {"", ".", "1.", ".1", "1..2", "v1.2", "1.2x", "1.2-",
		"1.2+", "1.2-+x", "1.2+x+y", "1.2 ", " 1.2", "1.2\n", "1.2-a/b", "1.2-\xC3\xA4",
		"-1", "+1", "1234567890123456789012345678901234567890123456789012345678901234"};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (version_is_valid(cases[i]))
			fail_msg("'%s' is taken for a version", cases[i]);
	assert_true(version_is_valid(
		"123456789012345678901234567890123456789012345678901234567890123"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newer_one_is_found),
		cmocka_unit_test(what_is_no_version_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
