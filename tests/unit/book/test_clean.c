/* test_clean.c - text from outside as a cell may hold it. */
#include "base/text.h"
#include "book/clean.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static char out[CLEAN_BYTES];

static void cleans(void **state)
{
	static const struct {
		const char *in, *out, *why;
	} cases[] = {
		{"India won by 5 wickets", "India won by 5 wickets", "plain"},
		{"=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", "a string cell is no formula"},
		{"\xff", "\xef\xbf\xbd", "invalid UTF-8"},
		{"a\xc3", "a\xef\xbf\xbd", "cut in a character"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "a surrogate"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd", "overlong"},
		{"\xef\xbf\xbe", "\xef\xbf\xbd", "U+FFFE"},
		{"\xef\xbb\xbfx", "\xef\xbf\xbdx", "byte order mark"},
		{"\xe2\x80\xaegpj", "\xef\xbf\xbdgpj", "right-to-left override"},
		{"\x01\x1b[31m", "\xef\xbf\xbd\xef\xbf\xbd[31m", "control characters"},
		{"a\tb\nc", "a\tb\nc", "tab and line feed stay"},
		{"a\r\nb\rc", "a\nb\nc", "carriage returns"},
		{"_x0041_", "_x005F_x0041_", "Excel would read A"},
		{"_x00e9_x0041_", "_x005F_x00e9_x005F_x0041_", "two that share an underscore"},
		{"_x004_ _X0041_ _x0041", "_x004_ _X0041_ _x0041", "no escapes"},
		{"é 🏏", "é 🏏", "letters and symbols of any script"},
		{"", "", "nothing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = clean_text(view_of(cases[i].in, strlen(cases[i].in)), CLEAN_UNITS, out,
			sizeof(out), NULL);

		if (strcmp(out, cases[i].out) != 0 || n != strlen(out))
			fail_msg("%s: '%s'", cases[i].why, out);
	}
	assert_int_equal(clean_text(view_of("a\0b", 3), 10, out, sizeof(out), NULL), 5);
	assert_string_equal(out, "a\xef\xbf\xbd"
				 "b");
}

static size_t units_of(const char *text)
{
	size_t units = 0;

	for (const char *p = text, *end = text + strlen(text); p < end;) {
		uint32_t c;
		int n = text_utf8_next(p, end, &c);

		assert_true(n > 0);
		units += c > 0xFFFF ? 2 : 1;
		p += n;
	}
	return units;
}

static void cuts(void **state)
{
	static const char *const bits[] = {"x", "é", "🏏", "_x0041_"};
	char *big = malloc(200000);

	(void)state;
	for (size_t b = 0; b < 4; b++) {
		size_t length = 0;

		while (length + 8 < 200000) {
			memcpy(big + length, bits[b], strlen(bits[b]));
			length += strlen(bits[b]);
		}
		size_t n = clean_text(view_of(big, length), CLEAN_UNITS, out, sizeof(out), NULL);

		assert_in_range(units_of(out), CLEAN_UNITS - 8, CLEAN_UNITS);
		assert_string_equal(out + n - 3, "…");
		clean_text(view_of(big, length), 10, out, 64, NULL);
		assert_in_range(units_of(out), 2, 10);
		clean_text(view_of(big, length), CLEAN_UNITS, out, 40,
			NULL); /* a small buffer cuts too */
		assert_in_range(strlen(out), 20, 39);
	}
	memset(big, 'x', CLEAN_UNITS);
	assert_int_equal(clean_text(view_of(big, CLEAN_UNITS), CLEAN_UNITS, out, sizeof(out), NULL),
		CLEAN_UNITS);
	assert_int_equal(out[CLEAN_UNITS - 1], 'x'); /* just fits */
	memset(big, '\n', 300);
	clean_text(view_of(big, 300), CLEAN_UNITS, out, sizeof(out), NULL);
	assert_int_equal(strspn(out, "\n"), 253);
	free(big);
}

static void measures(void **state)
{
	size_t units;

	(void)state;
	clean_text(view_of("abc\nabcdé", 10), 100, out, sizeof(out), &units);
	assert_int_equal(units, 5);
	assert_true(clean_is_plain(view_of("India 186/5 (20) & <b>", 22)));
	assert_false(clean_is_plain(view_of("a_b", 3)));
	assert_false(clean_is_plain(view_of("é", 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleans), cmocka_unit_test(cuts), cmocka_unit_test(measures)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
