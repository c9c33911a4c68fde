/* test_envfile.c - what an env file may hold, and what is said of the rest. */
#include "app/envfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct complaints {
	unsigned count, line; /* of the last one */
	char text[200];
};

static void complain(void *context, unsigned line, const char *text)
{
	struct complaints *c = context;

	c->count++;
	c->line = line;
	snprintf(c->text, sizeof c->text, "%s", text);
}

static void lines(void **state)
{
	static const struct {
		const char *text;
		const char *value;     /* of A; NULL: not set */
		const char *complaint; /* a part of it; NULL: none */
		const char *comment;
	} cases[] = {
		{"A=1", "1", NULL, "no line end"},
		{"A=1\n", "1", NULL, ""},
		{"A=1\r\n", "1", NULL, "CR LF"},
		{"A=1\rB=2", "1", NULL, "CR alone"},
		{"\xEF\xBB\xBF"
		 "A=1",
			"1", NULL, "byte order mark"},
		{"  A \t=\t 1  ", "1", NULL, "blanks around"},
		{"export A=1", "1", NULL, "as a shell would have it"},
		{"exportA=1", NULL, NULL, "another name"},
		{"A=", "", NULL, "empty"},
		{"A=a b  c", "a b  c", NULL, "blanks within"},
		{"A=a#b", "a#b", NULL, "# within a word"},
		{"A=a #b", "a", NULL, "a comment"},
		{"A=a\t# b", "a", NULL, "a comment behind a tab"},
		{"A=#b", "", NULL, "only a comment"},
		{"A= # b", "", NULL, "only a comment"},
		{"# A=1", NULL, NULL, "a comment line"},
		{"\n\n \t\n", NULL, NULL, "empty lines"},
		{"A='a b'", "a b", NULL, "single quotes"},
		{"A='a # b' # c", "a # b", NULL, "# in quotes, a comment behind"},
		{"A='a\\\"$b`c'", "a\\\"$b`c", NULL, "nothing special within single quotes"},
		{"A=\"a \\\"b\\\" \\\\ \\n $HOME\"", "a \"b\" \\ \\n $HOME", NULL,
			"escapes; nothing is expanded"},
		{"A=\"a'b\"", "a'b", NULL, "the other quote"},
		{"A=\"\"", "", NULL, ""},
		{"A=a\"b\"", "a\"b\"", NULL, "quotes within a word stand for themselves"},
		{"A=b=c", "b=c", NULL, ""},
		{"A=1\nA=2", "2", NULL, "the last one counts"},
		{"A=\"a", NULL, "not closed", ""},
		{"A='a\nb'", NULL, "not closed",
			"values end with their line; what follows is complained of too"},
		{"A='a'b", NULL, "behind the closing quote", ""},
		{"A=\"a\\\"", NULL, "not closed", "the last quote is escaped"},
		{"A=\"\\", NULL, "not closed", "ends in a backslash"},
		{"A", NULL, "NAME=value", ""},
		{"=1", NULL, "NAME=value", ""},
		{"1A=1", NULL, "NAME=value", ""},
		{"A-B=1", NULL, "NAME=value", ""},
		{"A B=1", NULL, "NAME=value", ""},
		{"export", NULL, "NAME=value", ""},
		{"source /etc/x; A=1", NULL, "NAME=value", "not a shell"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct complaints c = {0};
		struct envfile f;
		struct why why;

		assert_int_equal(
			envfile_parse(&f, cases[i].text, strlen(cases[i].text), complain, &c, &why),
			STATUS_OK);

		const char *value = envfile_find(&f, "A");

		if ((value == NULL) != (cases[i].value == NULL) ||
			(value && strcmp(value, cases[i].value)))
			fail_msg("<%s> (%s): %s", cases[i].text, cases[i].comment,
				value ? value : "none");
		if ((c.count != 0) != (cases[i].complaint != NULL) ||
			(c.count && !strstr(c.text, "expected NAME=value") &&
				!strstr(c.text, cases[i].complaint)))
			fail_msg("<%s> (%s): %u complaints, '%s'", cases[i].text, cases[i].comment,
				c.count, c.text);
		envfile_done(&f);
	}
}

static void a_complaint_names_its_line(void **state)
{
	static const char text[] = "A=1\r\n\r\nbroken\r\nB=2\r\n";
	struct complaints c = {0};
	struct envfile f;
	struct why why;

	(void)state;
	assert_int_equal(envfile_parse(&f, text, sizeof text - 1, complain, &c, &why), STATUS_OK);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.line, 3);
	assert_int_equal(f.count, 2);
	assert_int_equal(f.entry[1].line, 4);
	assert_string_equal(envfile_find(&f, "B"), "2");
	envfile_done(&f);
}

static void other_encodings_are_named(void **state)
{
	struct complaints c = {0};
	struct envfile f = {0};
	struct why why;

	(void)state;
	assert_int_equal(envfile_parse(&f,
				 "\xFF\xFE"
				 "A\0=\0001\0",
				 8, complain, &c, &why),
		STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "UTF-16"));
	assert_int_equal(envfile_parse(&f, "A=\0", 3, complain, &c, &why), STATUS_BAD_DATA);
	assert_null(f.text);
}

static void limits(void **state)
{
	static char large[ENVFILE_BYTES + 1];
	struct complaints c = {0};
	struct envfile f = {0};
	struct why why;

	(void)state;
	memset(large, '#', sizeof large);
	assert_int_equal(envfile_parse(&f, large, sizeof large, complain, &c, &why), STATUS_FULL);
	assert_int_equal(envfile_parse(&f, large, sizeof large - 1, complain, &c, &why), STATUS_OK);
	envfile_done(&f);
	for (size_t i = 0; i + 4 <= sizeof large; i += 4)
		memcpy(large + i, "A=1\n", 4);
	assert_int_equal(
		envfile_parse(&f, large, 4 * (ENVFILE_LINES + 2), complain, &c, &why), STATUS_OK);
	assert_int_equal(f.count, ENVFILE_LINES);
	assert_int_equal(c.count, 2);
	envfile_done(&f);
}

static void a_missing_file_is_told(void **state)
{
	struct complaints c = {0};
	struct envfile f = {0};
	struct why why;

	(void)state;
	assert_int_not_equal(envfile_read(&f, "/nonexistent/env", complain, &c, &why), STATUS_OK);
	assert_non_null(strstr(why.text, "/nonexistent/env"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(a_complaint_names_its_line),
		cmocka_unit_test(other_encodings_are_named),
		cmocka_unit_test(limits),
		cmocka_unit_test(a_missing_file_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
