/* test_pointer.c - which value a JSON pointer leads to while a document is scanned. */
#include "base/json.h"
#include "feed/pointer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Scans `document` and writes the raw text of the value pointed at ("{" and "[" for containers,
 * "-" for none). */
static void follow(struct pointer *p, const char *document, char *out, size_t out_bytes)
{
	struct json j;
	enum json_event event;

	pointer_restart(p);
	snprintf(out, out_bytes, "-");
	json_start(&j);
	json_feed(&j, document, strlen(document));
	while ((event = json_next(&j)) != JSON_MORE) {
		bool opens = event == JSON_OBJECT || event == JSON_ARRAY;
		unsigned depth = j.depth - opens;

		assert_int_not_equal(event, JSON_BAD);
		if (event == JSON_KEY && pointer_awaits_key(p, j.depth))
			pointer_key(p, j.text);
		if (event == JSON_OBJECT_END || event == JSON_ARRAY_END)
			pointer_closed(p, j.depth);
		if ((opens || (event >= JSON_STRING && event <= JSON_NULL)) &&
			pointer_value(
				p, depth, depth > 0 && !(j.stack >> (depth - 1) & 1), opens)) {
			if (opens)
				snprintf(out, out_bytes, "%c", event == JSON_OBJECT ? '{' : '[');
			else
				snprintf(out, out_bytes, "%.*s", (int)j.text.length, j.text.bytes);
		}
	}
}

static void the_first_way_is_taken(void **state)
{
	static const struct {
		const char *pointer, *document, *found, *comment;
	} cases[] = {
		{"", "[1]", "[", "the whole document"},
		{"/a", "{\"a\":1}", "1", "a member"},
		{"/a", "{\"b\":{\"a\":2},\"a\":1}", "1", "not one that lies deeper"},
		{"/a", "[{\"a\":1}]", "-", "not one in an array"},
		{"/a/b", "{\"a\":{\"b\":3}}", "3", "two steps"},
		{"/a/b", "{\"a\":1,\"a\":{\"b\":3}}", "-",
			"the first of equal keys counts, even for nothing"},
		{"/a/b", "{\"a\":{\"c\":1},\"a\":{\"b\":3}}", "-", "likewise when it is an object"},
		{"/a/b", "{\"a\":{\"b\":1,\"b\":2},\"a\":{\"b\":3}}", "1", "the first of all"},
		{"/a/1", "{\"a\":[5,6,7]}", "6", "an element"},
		{"/a/1/x", "{\"a\":[{\"x\":1},{\"x\":2}]}", "2", "within an element"},
		{"/a/3", "{\"a\":[5,6,7]}", "-", "beyond the end"},
		{"/a/01", "{\"a\":[5,6,7]}", "-", "no leading zero"},
		{"/a/-", "{\"a\":[5,6,7]}", "-", "the element behind the last is none"},
		{"/a/1", "{\"a\":{\"1\":9}}", "9", "digits are a key in an object"},
		{"/a~1b/m~0n", "{\"a/b\":{\"m~n\":4}}", "4", "escaped steps"},
		{"/", "{\"\":8}", "8", "the empty key"},
		{"//x", "{\"\":{\"x\":8}}", "8", "the empty key and on"},
		{"/a", "{\"a\":{\"z\":1}}", "{", "a container"},
		{"/0/0", "[[7]]", "7", "arrays all the way"},
		{"/b", "{\"a\":{\"b\":1},\"c\":[{\"b\":2}],\"b\":3}", "3",
			"after other containers"},
	};
	char found[64];
	struct pointer p;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(pointer_parse(&p, cases[i].pointer, NULL), STATUS_OK);
		for (int again = 0; again < 2; again++) {
			follow(&p, cases[i].document, found, sizeof found);
			if (strcmp(found, cases[i].found) != 0)
				fail_msg("%s: %s", cases[i].comment, found);
		}
	}
}

static void wrong_pointers_are_refused(void **state)
{
	char many[64], longest[POINTER_BYTES + 8];
	struct pointer p;
	struct why why;

	(void)state;
	assert_int_equal(pointer_parse(&p, "data", &why), STATUS_BAD_DATA);
	assert_string_equal(why.text, "pointer 'data' must start with '/'");
	assert_int_equal(pointer_parse(&p, "/a~2", &why), STATUS_BAD_DATA);
	assert_int_equal(pointer_parse(&p, "/a~", &why), STATUS_BAD_DATA);
	memset(many, '/', sizeof many);
	many[POINTER_STEPS] = '\0';
	assert_int_equal(pointer_parse(&p, many, &why), STATUS_OK);
	many[POINTER_STEPS] = '/';
	many[POINTER_STEPS + 1] = '\0';
	assert_int_equal(pointer_parse(&p, many, &why), STATUS_BAD_DATA);
	memset(longest, 'x', sizeof longest);
	longest[0] = '/';
	longest[POINTER_BYTES + 1] = '\0';
	assert_int_equal(pointer_parse(&p, longest, &why), STATUS_OK);
	longest[POINTER_BYTES + 1] = 'x';
	longest[POINTER_BYTES + 2] = '\0';
	assert_int_equal(pointer_parse(&p, longest, &why), STATUS_BAD_DATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_way_is_taken),
		cmocka_unit_test(wrong_pointers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
