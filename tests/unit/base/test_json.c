/* test_json.c - the strict scanner: events, parts, places, refusals. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = "-!$OA}]KSN+fz"; /* by enum json_event, from JSON_MORE to JSON_NULL */

/* Writes one letter an event, texts in brackets, so that a document's events are one string.
 * Pieces of `size` bytes, each in memory of its own so that a sanitizer sees every step beyond
 * it. */
static void trace(const char *document, size_t length, size_t size, char *out, size_t out_bytes)
{
	struct json j;
	char text[256];
	size_t n = 0, held = 0, at = 0;
	enum json_event event;

	json_start(&j);
	do {
		size_t piece = length - at < size ? length - at : size;
		char *bytes = malloc(piece + 1);

		memcpy(bytes, document + at, piece);
		if (at == length)
			json_finish(&j);
		else
			json_feed(&j, bytes, piece);
		at += at == length ? 0 : piece;
		while ((event = json_next(&j)) != JSON_MORE && event != JSON_END &&
			event != JSON_BAD) {
			assert_true(held + j.text.length < sizeof text);
			if (event == JSON_KEY_PART || event == JSON_VALUE_PART ||
				(event >= JSON_KEY && event <= JSON_NULL)) {
				if (j.text.length > 0)
					memcpy(text + held, j.text.bytes, j.text.length);
				held += j.text.length;
			}
			if (event == JSON_KEY_PART || event == JSON_VALUE_PART)
				continue;
			n += (size_t)snprintf(out + n, out_bytes - n, "%c", letters[event]);
			if (event == JSON_KEY || event == JSON_STRING || event == JSON_NUMBER) {
				n += (size_t)snprintf(
					out + n, out_bytes - n, "(%.*s)", (int)held, text);
			}
			held = 0;
			assert_true(n < out_bytes);
		}
		free(bytes);
	} while (event == JSON_MORE);
	snprintf(out + n, out_bytes - n, "%c", letters[event]);
}

static const struct {
	const char *document, *events, *comment;
} good[] = {
	{"{}", "O}$", "an empty object"},
	{" [ ] \n", "A]$", "blanks around"},
	{"0", "N(0)$", "a bare number ends with the document"},
	{"-12.5e+3 ", "N(-12.5e+3)$", "a number ended by a blank"},
	{"true", "+$", "a bare word"},
	{"[false,null,true]", "Afz+]$", "words"},
	{"\"\"", "S()$", "an empty string"},
	{"\"a\\u00e9\\n\\\\\\\"b\"", "S(a\\u00e9\\n\\\\\\\"b)$", "escapes stay raw"},
	{"{\"a\":1,\"a\":[{\"\":\"x\"}]}", "OK(a)N(1)K(a)AOK()S(x)}]}$", "repeated and empty keys"},
	{"[1,2.0,-0,1E9]", "AN(1)N(2.0)N(-0)N(1E9)]$", "numbers in a list"},
	{"\"0123456789abcdef\x7f\xc3\xa9\xff\"", "S(0123456789abcdef\x7f\xc3\xa9\xff)$",
		"bytes above ASCII, not looked into"},
};

static void events_are_the_same_for_any_pieces(void **state)
{
	char out[512];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		for (size_t size = 1; size < 40; size++) {
			trace(good[i].document, strlen(good[i].document), size, out, sizeof out);
			if (strcmp(out, good[i].events) != 0)
				fail_msg("%s, pieces of %zu: %s", good[i].comment, size, out);
		}
	}
}

static void what_is_no_json_is_refused(void **state)
{
	static const struct {
		const char *document, *comment;
	} cases[] = {
		{"", "nothing"},
		{"  ", "blanks"},
		{"\xEF\xBB\xBF{}", "byte order mark"},
		{"[1,]", "comma before the end"},
		{"[,1]", "comma at first"},
		{"{\"a\":1,}", "likewise, object"},
		{"{a:1}", "bare key"},
		{"{\"a\" 1}", "no colon"},
		{"{\"a\":}", "no value"},
		{"{1:2}", "number as key"},
		{"[1 2]", "no comma"},
		{"[1}", "wrong bracket"},
		{"{\"a\":1]", "wrong brace"},
		{"]", "closing first"},
		{"01", "leading zero"},
		{"-", "sign alone"},
		{"1.", "no fraction"},
		{".5", "no whole"},
		{"1e", "no exponent"},
		{"1e+", "sign of exponent alone"},
		{"+1", "plus"},
		{"0x1", "hex"},
		{"-01", "leading zero behind the sign"},
		{"1.e5", "no digits behind the point"},
		{"NaN", "no number"},
		{"tru", "half a word"},
		{"trux", "no word"},
		{"True", "capital"},
		{"nul", "half null"},
		{"\"", "open string"},
		{"\"a", "open string"},
		{"\"\\", "open escape"},
		{"\"\\x\"", "no such escape"},
		{"\"\\u12\"", "short"},
		{"\"\\u12g4\"", "no hex"},
		{"\"a\tb\"", "raw tab"},
		{"\"a\nb\"", "raw newline"},
		{"\"\\\"", "escaped end"},
		{"'a'", "single quotes"},
		{"{} {}", "two documents"},
		{"{}x", "more behind"},
		{"[\"a\",\"b\"", "open array"},
		{"{\"a\"", "open object"},
		{"/**/[]", "comment"},
		{"[1\f]", "form feed"},
		{"\"01234567\x1f\"", "control behind a full word"},
	};
	char out[512];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t size = 1; size < 12; size++) {
			trace(cases[i].document, strlen(cases[i].document), size, out, sizeof out);
			if (out[strlen(out) - 1] != '!')
				fail_msg("%s (%s), pieces of %zu: %s", cases[i].document,
					cases[i].comment, size, out);
		}
	}
}

static void a_nul_byte_is_refused_everywhere(void **state)
{
	static const char document[] = "{\"a\":[1,\"b\",true]}";
	char broken[sizeof document], out[512];

	(void)state;
	for (size_t i = 0; i < sizeof document - 1; i++) {
		memcpy(broken, document, sizeof document);
		broken[i] = '\0';
		trace(broken, sizeof document - 1, 64, out, sizeof out);
		assert_int_equal(out[strlen(out) - 1], '!');
	}
}

static void nesting_ends_at_64(void **state)
{
	char document[2 * JSON_DEPTH + 4], out[512];

	(void)state;
	memset(document, '[', JSON_DEPTH);
	memset(document + JSON_DEPTH, ']', JSON_DEPTH);
	trace(document, 2 * (size_t)JSON_DEPTH, 7, out, sizeof out);
	assert_int_equal(out[strlen(out) - 1], '$');
	memset(document, '[', JSON_DEPTH + 1);
	trace(document, JSON_DEPTH + 1, 7, out, sizeof out);
	assert_int_equal(out[strlen(out) - 1], '!');
}

static void places_are_told(void **state)
{
	static const char document[] = "{\"ab\": [10, \"x\"]}";
	struct json j;

	(void)state;
	json_start(&j);
	json_feed(&j, document, sizeof document - 1);
	assert_int_equal(json_next(&j), JSON_OBJECT);
	assert_int_equal(j.at, 0);
	assert_int_equal(j.depth, 1);
	assert_int_equal(json_next(&j), JSON_KEY);
	assert_int_equal(j.at, 1);
	assert_int_equal(j.after, 5);
	assert_true(json_in_object(&j));
	assert_int_equal(json_next(&j), JSON_ARRAY);
	assert_int_equal(json_next(&j), JSON_NUMBER);
	assert_int_equal(j.at, 8);
	assert_int_equal(j.after, 10);
	assert_false(json_in_object(&j));
	assert_int_equal(json_next(&j), JSON_STRING);
	assert_int_equal(j.at, 12);
	assert_int_equal(j.after, 15);
	assert_int_equal(json_next(&j), JSON_ARRAY_END);
	assert_int_equal(j.depth, 1);
	assert_int_equal(json_next(&j), JSON_OBJECT_END);
	assert_int_equal(j.after, sizeof document - 1);
	assert_int_equal(json_next(&j), JSON_MORE);
	json_feed(&j, " x", 2);
	assert_int_equal(json_next(&j), JSON_BAD);
	assert_int_equal(j.after, sizeof document);
	assert_int_equal(json_next(&j), JSON_BAD);
}

static void strings_are_decoded(void **state)
{
	static const struct {
		const char *raw, *text;
		size_t length;
		unsigned lone;
	} cases[] = {
		{"", "", 0, 0},
		{"plain", "plain", 5, 0},
		{"\\u0041\\u00e9\\u20AC", "A\xC3\xA9\xE2\x82\xAC", 6, 0},
		{"\\ud83c\\udfcf!", "\xF0\x9F\x8F\x8F!", 5, 0},
		{"\\b\\f\\n\\r\\t\\/\\\\\\\"", "\b\f\n\r\t/\\\"", 8, 0},
		{"a\\u0000b", "a\0b", 3, 0},
		{"\\ud800", "\xEF\xBF\xBD", 3, 1},
		{"\\udc00x", "\xEF\xBF\xBDx", 4, 1},
		{"\\ud800\\ud800", "\xEF\xBF\xBD\xEF\xBF\xBD", 6, 2},
		{"\\ud800\\n", "\xEF\xBF\xBD\n", 4, 1},
		{"\\ud800\\u0041",
			"\xEF\xBF\xBD"
			"A",
			4, 1},
		{"\\uFFFD", "\xEF\xBF\xBD", 3, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t length = strlen(cases[i].raw);
		char *raw = malloc(length + 1), *out = malloc(length + 1);
		unsigned lone = 99;

		memcpy(raw, cases[i].raw, length);
		assert_int_equal(json_decode(view_of(raw, length), out, &lone), cases[i].length);
		assert_memory_equal(out, cases[i].text, cases[i].length);
		assert_int_equal(lone, cases[i].lone);
		free(raw);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_the_same_for_any_pieces),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(a_nul_byte_is_refused_everywhere),
		cmocka_unit_test(nesting_ends_at_64),
		cmocka_unit_test(places_are_told),
		cmocka_unit_test(strings_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
