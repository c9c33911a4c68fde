/* test_text.c - UTF-8, JSON strings, words. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void every_code_point_comes_back(void **state)
{
	char bytes[4];
	uint32_t back;

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
		int length = text_utf8_put(cp, bytes);
		int read = text_utf8_next(bytes, bytes + length, &back);

		if (cp >= 0xD800 && cp <= 0xDFFF) {
			assert_int_equal(read, 0);
			continue;
		}
		assert_int_equal(read, length);
		assert_int_equal(back, cp);
		for (int cut = 0; cut < length; cut++)
			assert_int_equal(text_utf8_next(bytes, bytes + cut, &back), 0);
	}
}

static void wrong_bytes_are_refused(void **state)
{
	static const struct {
		const char *bytes, *comment;
	} cases[] = {
		{"\x80", "a continuation alone"},
		{"\xBF\x80", "two of them"},
		{"\xC0\x80", "NUL in two bytes"},
		{"\xC1\xBF", "overlong DEL"},
		{"\xE0\x9F\xBF", "overlong in three"},
		{"\xF0\x8F\xBF\xBF", "overlong in four"},
		{"\xED\xA0\x80", "high surrogate"},
		{"\xED\xBF\xBF", "low surrogate"},
		{"\xF4\x90\x80\x80", "above U+10FFFF"},
		{"\xF5\x80\x80\x80", "no such lead"},
		{"\xFF", "never in UTF-8"},
		{"\xC3(", "cut by another character"},
		{"\xE2\x82(", "likewise, later"},
	};
	uint32_t cp = 77;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *b = cases[i].bytes;

		if (text_utf8_next(b, b + strlen(b), &cp) != 0)
			fail_msg("accepted: %s", cases[i].comment);
	}
	assert_int_equal(cp, 77);
}

static void json_strings_are_escaped(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *expected;
	} cases[] = {
		{"", 0, "\"\""},
		{"plain", 5, "\"plain\""},
		{"a\"b\\c/", 6, "\"a\\\"b\\\\c/\""},
		{"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
		{"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
		{"\xC3\xA9\xF0\x9F\x8F\x8F", 6, "\"\xC3\xA9\xF0\x9F\x8F\x8F\""},
		{"a\xFFz\xC3", 4, "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buffer b;

		buffer_init(&b, 1000);
		assert_int_equal(text_json_string(&b, cases[i].bytes, cases[i].length), STATUS_OK);
		assert_string_equal(b.bytes, cases[i].expected);
		buffer_done(&b);
	}
}

static void json_string_is_whole_or_not_there(void **state)
{
	(void)state;
	for (size_t room = 0; room < 12; room++) {
		struct buffer b;

		buffer_init(&b, 3 + room);
		assert_int_equal(buffer_add_text(&b, "old"), STATUS_OK);
		/* "a\n\u0001" takes 2 + 1 + 2 + 6 bytes. */
		enum status s = text_json_string(&b, "a\n\x01", 3);

		assert_int_equal(s, room < 11 ? STATUS_FULL : STATUS_OK);
		assert_string_equal(b.bytes, room < 11 ? "old" : "old\"a\\n\\u0001\"");
		buffer_done(&b);
	}
}

static void words_without_regard_to_case(void **state)
{
	(void)state;
	assert_true(text_equals_ignoring_case("AbC", "aBc"));
	assert_false(text_equals_ignoring_case("abc", "abcd"));
	assert_false(text_equals_ignoring_case("abcd", "abc"));
	assert_true(text_equals_ignoring_case("", ""));
	/* ASCII only: these two differ in case in Latin-1. */
	assert_false(text_equals_ignoring_case("\xC9", "\xE9"));
	assert_true(text_contains_ignoring_case("Mumbai Indians, 12th", "INDIANS"));
	assert_true(text_contains_ignoring_case("aab", "AB"));
	assert_true(text_contains_ignoring_case("x", ""));
	assert_true(text_contains_ignoring_case("", ""));
	assert_false(text_contains_ignoring_case("ab", "abc"));
	assert_false(text_contains_ignoring_case("", "a"));
}

static void distances(void **state)
{
	static const struct {
		const char *a, *b;
		int distance;
	} cases[] = {
		{"", "", 0},
		{"abc", "", 3},
		{"kitten", "sitting", 3},
		{"SCOREBOX_POLL_MIN", "SCOREBOX_POLL_MNI", 1},
		{"ca", "abc", 3}, /* string alignment: a swapped pair is not edited again */
		{"SCOREBOX_KAFKA_BROKER", "SCOREBOX_KAFKA_BROKERS", 1},
	};
	char longer[300];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(text_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(text_distance(longer, ""), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_comes_back),
		cmocka_unit_test(wrong_bytes_are_refused),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(json_string_is_whole_or_not_there),
		cmocka_unit_test(words_without_regard_to_case),
		cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
