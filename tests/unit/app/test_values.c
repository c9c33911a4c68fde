/* test_values.c - durations, sizes, counts, words. */
#include "app/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define WRONG (-1)

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* WRONG: refused */
		const char *comment;
	} cases[] = {
		{"15s", 15000, "the usual one"},
		{"500ms", 500, "below a second"},
		{"5m", 300000, "m are minutes"},
		{"1h", 3600000, ""},
		{"5 m", 300000, "a blank before the unit"},
		{"5M", 300000, "case does not count"},
		{"0", 0, "zero needs no unit"},
		{"0s", 0, ""},
		{"15", WRONG, "15 what?"},
		{"", WRONG, ""},
		{"s", WRONG, ""},
		{"abc", WRONG, ""},
		{"-5s", WRONG, "no signs"},
		{"+5s", WRONG, ""},
		{"1.5h", WRONG, "whole numbers"},
		{"5s ", WRONG, "trailing blanks are the caller's to trim"},
		{"5d", WRONG, "no days"},
		{"5min", WRONG, ""},
		{"9223372036854775807ms", INT64_MAX, "the largest"},
		{"9223372036854775808ms", WRONG, "one more"},
		{"9223372036854775807s", WRONG, "overflows with its unit"},
		{"99999999999999999999999s", WRONG, "overflows by itself"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t ms = WRONG;
		struct why why;
		enum status s = value_duration(cases[i].text, &ms, &why);

		if (s != (cases[i].ms == WRONG ? STATUS_BAD_DATA : STATUS_OK) || ms != cases[i].ms)
			fail_msg("'%s' (%s): %lld", cases[i].text, cases[i].comment, (long long)ms);
		if (s != STATUS_OK)
			assert_non_null(strstr(why.text, "15s"));
	}
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
		const char *comment;
	} cases[] = {
		{"64MiB", 64ll << 20, ""},
		{"256KiB", 256ll << 10, ""},
		{"1GiB", 1ll << 30, ""},
		{"4194304", 4194304, "plain bytes"},
		{"64 mib", 64ll << 20, "blank and case"},
		{"0", 0, ""},
		{"64MB", WRONG, "not a unit of ours"},
		{"64M", WRONG, ""},
		{"MiB", WRONG, ""},
		{"", WRONG, ""},
		{"-1", WRONG, ""},
		{"8589934592GiB", WRONG, "overflows"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t bytes = (uint64_t)WRONG;
		struct why why;
		enum status s = value_size(cases[i].text, &bytes, &why);

		if (s != (cases[i].bytes == WRONG ? STATUS_BAD_DATA : STATUS_OK) ||
			bytes != (uint64_t)cases[i].bytes)
			fail_msg("'%s' (%s): %llu", cases[i].text, cases[i].comment,
				(unsigned long long)bytes);
	}
}

static void counts(void **state)
{
	uint64_t n = 7;
	struct why why;

	(void)state;
	assert_int_equal(value_count("3", 1, 9, &n, &why), STATUS_OK);
	assert_int_equal(n, 3);
	assert_int_equal(value_count("0", 1, 9, &n, &why), STATUS_BAD_DATA);
	assert_int_equal(value_count("10", 1, 9, &n, &why), STATUS_BAD_DATA);
	assert_int_equal(value_count("3x", 1, 9, &n, &why), STATUS_BAD_DATA);
	assert_int_equal(value_count("", 1, 9, &n, &why), STATUS_BAD_DATA);
	assert_int_equal(n, 3);
	assert_string_equal(why.text, "expected a whole number from 1 to 9");
}

static void words(void **state)
{
	int place = 9;
	struct why why;

	(void)state;
	assert_int_equal(value_word("consume", "produce consume both", &place, &why), STATUS_OK);
	assert_int_equal(place, 1);
	assert_int_equal(value_word("BOTH", "produce consume both", &place, &why), STATUS_OK);
	assert_int_equal(place, 2);
	assert_int_equal(value_word("prod", "produce consume both", &place, &why), STATUS_BAD_DATA);
	assert_int_equal(value_word("", "produce consume both", &place, &why), STATUS_BAD_DATA);
	assert_int_equal(value_word("produce consume", "produce consume both", &place, &why),
		STATUS_BAD_DATA);
	assert_int_equal(place, 2);
}

static void shortest_texts(void **state)
{
	char text[32];

	(void)state;
	value_duration_text(15000, text, sizeof text);
	assert_string_equal(text, "15s");
	value_duration_text(90000, text, sizeof text);
	assert_string_equal(text, "90s");
	value_duration_text(0, text, sizeof text);
	assert_string_equal(text, "0");
	value_size_text(16 << 20, text, sizeof text);
	assert_string_equal(text, "16MiB");
	value_size_text(1000, text, sizeof text);
	assert_string_equal(text, "1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(counts),
		cmocka_unit_test(words),
		cmocka_unit_test(shortest_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
