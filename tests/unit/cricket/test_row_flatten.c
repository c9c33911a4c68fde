/* test_row_flatten.c - every scalar with its path. */
#include "cricket/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace {
	char text[2048];
	size_t length;
	char last_path[600];
	enum status answer;
};

static enum status take(void *context, const char *path, enum row_kind kind, struct view text)
{
	struct trace *t = context;
	int n = snprintf(t->text + t->length, sizeof t->text - t->length, "%s:%c:%.*s|", path,
		"SN+-0E"[kind], (int)text.length, text.bytes);

	snprintf(t->last_path, sizeof t->last_path, "%s", path);
	if (n > 0 && t->length + (size_t)n < sizeof t->text)
		t->length += (size_t)n;
	return t->answer;
}

static enum status flatten(const char *text, struct trace *t, size_t scratch_bytes, struct why *why)
{
	size_t length = strlen(text);
	char *bytes = malloc(length ? length : 1);
	struct buffer scratch;
	enum status status;

	memcpy(bytes, text, length);
	buffer_init(&scratch, scratch_bytes);
	t->length = 0;
	t->text[0] = '\0';
	status = row_flatten(view_of(bytes, length), &scratch, take, t, why);
	buffer_done(&scratch);
	free(bytes);
	return status;
}

static void all_scalars_come_with_their_paths(void **state)
{
	static const struct {
		const char *row, *fields;
	} cases[] = {
		{"{\"id\":\"a\",\"score\":[{\"r\":1,\"o\":19.40},{\"r\":2}],\"t\":[\"x\",\"y\"],\"e\":true,\"f\":false,\"n\":null}",
			"id:S:a|score.0.r:N:1|score.0.o:N:19.40|score.1.r:N:2|t.0:S:x|t.1:S:y|e:+:true|f:-:false|n:0:null|"},
		{"{\"a\":{},\"b\":[],\"c\":[[],{}],\"d\":{\"e\":{}}}",
			"a:E:{}|b:E:[]|c.0:E:[]|c.1:E:{}|d.e:E:{}|"},
		{"{}", ":E:{}|"},
		{"[]", ":E:[]|"},
		{"7", ":N:7|"},
		{" -1.50 ", ":N:-1.50|"},
		{"\"s\"", ":S:s|"},
		{"true", ":+:true|"},
		{"[1,[2,[3]],4]", "0:N:1|1.0:N:2|1.1.0:N:3|2:N:4|"},
		{"{\"a.b\":1,\"c\\\\d\":2,\"\":3,\"e\":{\"\":4}}",
			"a\\.b:N:1|c\\\\d:N:2|:N:3|e.:N:4|"},
		{"{\"\\u00e9\":\"\\u0041\\n\",\"x\\u0000\":1}",
			"\xC3\xA9:S:A\n|x\xEF\xBF\xBD:N:1|"},
		{"{\"a\":1,\"a\":2}", "a:N:1|a:N:2|"},
		{"{\"n\":12345678901234567890123,\"e\":1E400,\"z\":-0}",
			"n:N:12345678901234567890123|e:N:1E400|z:N:-0|"},
	};
	struct trace t = {.answer = STATUS_OK};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(flatten(cases[i].row, &t, 1000, NULL), STATUS_OK);
		assert_string_equal(t.text, cases[i].fields);
	}
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "{", "{\"a\":1,}", "{\"a\":01}", "\"x", "1.", "{\"a\"", "{} {}", "tru"};
	struct trace t = {.answer = STATUS_OK};
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(flatten(bad[i], &t, 1000, &why), STATUS_BAD_DATA);
	assert_string_equal(why.text, "not JSON at byte 3: the document ends too early");
}

static void long_paths_are_cut(void **state)
{
	char row[4096] = "{\"", key[700], expected[600];
	struct trace t = {.answer = STATUS_OK};

	(void)state;
	/* 509 bytes of path and the dots; the character that does not fit goes whole. */
	memset(key, 'k', 508);
	strcpy(key + 508, "\xC3\xA9\xC3\xA9");
	snprintf(row, sizeof row, "{\"%s\":{\"in\":1,\"out\":[2]},\"after\":3}", key);
	assert_int_equal(flatten(row, &t, 1000, NULL), STATUS_OK);
	assert_string_equal(t.last_path, "after");
	memset(expected, 'k', 508);
	strcpy(expected + 508, "...:N:1|");
	assert_memory_equal(t.text, expected, strlen(expected));
	/* Just fitting. */
	key[508] = 'k';
	key[509] = '\0';
	snprintf(row, sizeof row, "{\"%s\":1}", key);
	assert_int_equal(flatten(row, &t, 1000, NULL), STATUS_OK);
	assert_string_equal(t.last_path, key);
}

static void deep_rows_are_walked_without_recursion(void **state)
{
	char row[300];
	struct trace t = {.answer = STATUS_OK};

	(void)state;
	memset(row, '[', 64);
	strcpy(row + 64, "1");
	memset(row + 65, ']', 64);
	row[129] = '\0';
	assert_int_equal(flatten(row, &t, 1000, NULL), STATUS_OK);
	assert_int_equal(strlen(t.last_path), 127);
}

static void statuses_are_handed_on(void **state)
{
	struct trace t = {.answer = STATUS_FULL};

	(void)state;
	assert_int_equal(flatten("{\"a\":1}", &t, 1000, NULL), STATUS_FULL);
	t.answer = STATUS_OK;
	assert_int_equal(flatten("{\"a\":\"\\n123456789\"}", &t, 8, NULL), STATUS_FULL);
	assert_int_equal(
		flatten("{\"a\":\"123456789\"}", &t, 8, NULL), STATUS_OK); /* nothing to decode */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_scalars_come_with_their_paths),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(long_paths_are_cut),
		cmocka_unit_test(deep_rows_are_walked_without_recursion),
		cmocka_unit_test(statuses_are_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
