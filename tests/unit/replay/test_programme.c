/* test_programme.c - which files are served, and which bytes. */
#include "replay/programme.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static char *copy_of(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	assert_non_null(copy);
	return strcpy(copy, text);
}

static void assert_view(struct view v, const char *text)
{
	assert_int_equal(v.length, strlen(text));
	assert_memory_equal(v.bytes, text, v.length);
}

static const struct {
	const char *comment, *text;
	int rows; /* -1: passed over */
	const char *first;
} pages[] = {
	{"a page",
		"{\"apikey\":\"k\",\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"status\":\"success\"}",
		2, "{\"id\":\"a\"}"},
	{"blanks of a row are its bytes",
		"{ \"data\" : [ {\n  \"x\": [ ],\r\n\t\"id\" : \"a\"\n} ] }", 1,
		"{\n  \"x\": [ ],\r\n\t\"id\" : \"a\"\n}"},
	{"an id deeper down is none", "{\"data\":[{\"x\":{\"id\":\"a\"}}]}", -1, ""},
	{"brackets in strings", "{\"data\":[{\"id\":\"a\",\"n\":\"}]\\\"{\"}]}", 1,
		"{\"id\":\"a\",\"n\":\"}]\\\"{\"}"},
	{"no rows", "{\"data\":[]}", 0, ""},
	{"an object", "{\"data\":{\"id\":\"a\",\"list\":[{\"id\":\"b\"}]}}", -1, ""},
	{"a row without id", "{\"data\":[{\"id\":\"a\"},{\"name\":\"b\"}]}", -1, ""},
	{"an id that is a number", "{\"data\":[{\"id\":7}]}", -1, ""},
	{"an empty id", "{\"data\":[{\"id\":\"\"}]}", -1, ""},
	{"a row that is a string", "{\"data\":[{\"id\":\"a\"},\"b\"]}", -1, ""},
	{"a row that is a list", "{\"data\":[[{\"id\":\"a\"}]]}", -1, ""},
	{"no data", "{\"status\":\"failure\"}", -1, ""},
	{"data further down", "{\"x\":{\"data\":[{\"id\":\"a\"}]}}", -1, ""},
	{"rows of another key", "{\"data\":[],\"more\":[{\"x\":1}]}", 0, ""},
	{"a list of rows alone", "[{\"id\":\"a\"}]", -1, ""},
	{"cut", "{\"data\":[{\"id\":\"a\"}", -1, ""},
	{"with a byte order mark", "\xEF\xBB\xBF{\"data\":[]}", -1, ""},
	{"empty", "", -1, ""},
};

static void recorded_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		struct programme p;
		struct why why;

		print_message("%s\n", pages[i].comment);
		programme_init(&p);

		enum status s = programme_add_page(
			&p, copy_of(pages[i].text), strlen(pages[i].text), &why);

		assert_int_equal(s, pages[i].rows < 0 ? STATUS_BAD_DATA : STATUS_OK);
		assert_int_equal(p.count, pages[i].rows < 0 ? 0 : pages[i].rows);
		if (p.count > 0)
			assert_view(programme_step(&p.matches[0], 0), pages[i].first);
		programme_done(&p);
	}
}

static void timed_lines(void **state)
{
	static const char text[] =
		"{\"t\":0,\"seq\":0,\"ev\":\"x\",\"match\":{\"id\":\"a\",\"n\":1}}\n"
		"\r\n"
		"{\"t\":1.5,\"match\":{ \"id\":\"b\",\"n\":1}}\r\n"
		"{\"match\":{\"id\":\"a\",\"n\":2},\"t\":60,\"t2\":99}\n"
		"{\"t\":59,\"match\":{\"id\":\"a\",\"n\":3}}";
	struct programme p;
	struct why why;

	(void)state;
	programme_init(&p);
	assert_int_equal(programme_add_lines(&p, copy_of(text), strlen(text), &why), STATUS_OK);
	assert_int_equal(p.count, 2);
	assert_int_equal(p.matches[0].count, 3);
	assert_view(programme_at(&p.matches[0], 0), "{\"id\":\"a\",\"n\":1}");
	assert_view(programme_at(&p.matches[0], 59999), "{\"id\":\"a\",\"n\":1}");
	/* A line that goes back in time is shown with the one before it. */
	assert_view(programme_at(&p.matches[0], 60000), "{\"id\":\"a\",\"n\":3}");
	assert_view(programme_step(&p.matches[0], 1), "{\"id\":\"a\",\"n\":2}");
	assert_view(programme_step(&p.matches[0], 99), "{\"id\":\"a\",\"n\":3}");
	/* The first line is there from the start. */
	assert_view(programme_at(&p.matches[1], 0), "{ \"id\":\"b\",\"n\":1}");
	programme_done(&p);
}

static void bad_lines(void **state)
{
	static const char *const bad[] = {"{\"t\":0}", "{\"t\":0,\"match\":7}",
		"{\"t\":0,\"match\":{}}", "x", "",
		"{\"t\":0,\"match\":{\"id\":\"a\"}}\n{\"t\":1,\"match\":{\"id\":\"a\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct programme p;
		struct why why;

		print_message("%s\n", bad[i]);
		programme_init(&p);
		assert_int_equal(programme_add_lines(&p, copy_of(bad[i]), strlen(bad[i]), &why),
			STATUS_BAD_DATA);
		assert_int_equal(p.count, 0);
		programme_done(&p);
	}
}

/* The match that is compiled in plays to its real end. */
static void compiled_in(void **state)
{
	static const char status[] =
		"\"status\":\"Match tied (Delhi Capitals won the super over)\"";
	static const char score[] =
		"\"score\":[{\"r\":188,\"w\":5,\"o\":20,\"inning\":\"Delhi Capitals Inning 1\"},"
		"{\"r\":188,\"w\":4,\"o\":20,\"inning\":\"Rajasthan Royals Inning 1\"}]";
	struct programme p;
	struct why why;

	(void)state;
	programme_init(&p);
	assert_int_equal(programme_add(&p, "demo", &why), STATUS_OK);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.matches[0].count, 258);

	struct view last = programme_step(&p.matches[0], UINT64_MAX);

	assert_non_null(memmem(last.bytes, last.length, status, strlen(status)));
	assert_non_null(memmem(last.bytes, last.length, score, strlen(score)));
	programme_done(&p);
}

static void missing(void **state)
{
	struct programme p;
	struct why why;

	(void)state;
	programme_init(&p);
	assert_int_equal(programme_add(&p, "/nowhere/at/all.json", &why), STATUS_NOT_FOUND);
	programme_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_pages),
		cmocka_unit_test(timed_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(compiled_in),
		cmocka_unit_test(missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
