/* test_row.c - reading rows, tolerantly; the word filter. */
#include "cricket/row.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct row_reader *reader;

static int open_reader(void **state)
{
	(void)state;
	return row_reader_open(&reader, 16 * 1024, NULL) != STATUS_OK;
}

static int close_reader(void **state)
{
	(void)state;
	row_reader_close(reader);
	return 0;
}

/* The bytes lie in memory of their own: nothing may be read behind them. */
static enum status read_text(const char *text, struct row *out, struct why *why)
{
	size_t length = strlen(text);
	char *bytes = malloc(length ? length : 1);
	enum status status;

	memcpy(bytes, text, length);
	status = row_read(reader, view_of(bytes, length), out, why);
	free(bytes);
	return status;
}

static void a_whole_row_is_read(void **state)
{
	struct row r;
	int64_t start;

	(void)state;
	assert_int_equal(
		read_text(
			"{\"id\":\"m1\",\"name\":\"A vs B, 1st T20I\",\"matchType\":\"t20\",\"status\":\"A opt to bat\","
			"\"venue\":\"V, C\",\"date\":\"2026-05-17\",\"dateTimeGMT\":\"2026-05-17T14:30:00\",\"teams\":[\"A\",\"B\"],"
			"\"teamInfo\":[{\"name\":\"A\"}],\"score\":[{\"r\":135,\"w\":6,\"o\":20,\"inning\":\"A Inning 1\"},"
			"{\"r\":99,\"w\":4,\"o\":19.4,\"inning\":\"B Inning 1\"}],\"series_id\":\"s1\",\"unknown\":[1,{\"o\":3}],"
			"\"matchStarted\":true,\"matchEnded\":false} \n",
			&r, NULL),
		STATUS_OK);
	assert_string_equal(r.id, "m1");
	assert_string_equal(r.name, "A vs B, 1st T20I");
	assert_string_equal(r.match_type, "t20");
	assert_string_equal(r.status, "A opt to bat");
	assert_string_equal(r.venue, "V, C");
	assert_string_equal(r.series_id, "s1");
	assert_string_equal(r.date, "2026-05-17");
	assert_string_equal(r.start, "2026-05-17T14:30:00");
	assert_int_equal(clock_parse("2026-05-17T14:30:00Z", 20, &start), STATUS_OK);
	assert_true(r.start_us == start && r.start_time_known);
	assert_string_equal(r.team[0], "A");
	assert_string_equal(r.team[1], "B");
	assert_int_equal(r.teams, 2);
	assert_true(r.has_score && r.is_match && r.is_object && r.started && !r.ended);
	assert_int_equal(r.innings, 2);
	assert_int_equal(r.score[0].runs, 135);
	assert_int_equal(r.score[0].wickets, 6);
	assert_string_equal(r.score[0].overs, "20");
	assert_string_equal(r.score[0].label, "A Inning 1");
	assert_int_equal(r.score[1].runs, 99);
	assert_string_equal(r.score[1].overs, "19.4");
	assert_string_equal(r.score[1].label, "B Inning 1");
}

static void what_is_missing_or_odd_is_empty(void **state)
{
	static const char *const odd[] = {
		"{}",
		"{\"id\":null,\"name\":5,\"teams\":null,\"score\":{},\"matchStarted\":\"no\",\"dateTimeGMT\":[]}",
		"{\"status\":{\"a\":\"b\"},\"venue\":false,\"date\":1,\"dateTimeGMT\":\"soon\"}",
	};
	struct row r;

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_int_equal(read_text(odd[i], &r, NULL), STATUS_OK);
		assert_true(r.is_object && !r.is_match && !r.has_score && !r.started && !r.ended);
		assert_string_equal(r.id, "");
		assert_string_equal(r.name, "");
		assert_string_equal(r.status, "");
		assert_string_equal(r.team[0], "");
		assert_string_equal(r.team[1], "");
		assert_string_equal(r.score[7].label, "");
		assert_int_equal(r.start_us, 0);
		assert_false(r.start_time_known);
	}
	assert_int_equal(
		read_text("{\"teams\":[\"A\",7,\"C\"],\"score\":[]}", &r, NULL), STATUS_OK);
	assert_int_equal(r.teams, 3);
	assert_string_equal(r.team[0], "A");
	assert_string_equal(r.team[1], "");
	assert_true(r.has_score && r.is_match);
	assert_int_equal(r.innings, 0);
	assert_int_equal(
		read_text("{\"dateTimeGMT\":\"2026-05-17T00:00:00\"}", &r, NULL), STATUS_OK);
	assert_true(r.start_us > 0 && !r.start_time_known);
}

static void valid_json_that_is_no_object_is_told(void **state)
{
	static const char *const values[] = {"7", "\"x\"", "[{\"id\":\"a\"}]", "null", " true "};
	struct row r;

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		assert_int_equal(read_text(values[i], &r, NULL), STATUS_OK);
		assert_false(r.is_object);
		assert_string_equal(r.id, "");
	}
}

static void overs_are_text_as_written(void **state)
{
	static const struct {
		const char *written, *read;
	} cases[] = {
		{"20", "20"},
		{"19.4", "19.4"},
		{"20.0", "20.0"},
		{"0.1", "0.1"},
		{"\"19.06\"", "19.06"},
		{"1e1", "1e1"},
		{"null", ""},
		{"[7]", ""},
		{"{\"o\":7}", ""},
		{"123456789.123456789", "1.2345679e+08"},
		{"\"12345678901234567890\"", "123456789012345"},
		{"1,\"o\":2", "1"},
		{"null,\"o\":2", ""},
	};
	char text[200];
	struct row r;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text,
			"{\"x\":[{\"o\":9}],\"score\":[5,{\"z\":{\"o\":8},\"o\":%s},{\"o\":3}],"
			"\"score\":[{\"o\":4}]}",
			cases[i].written);
		assert_int_equal(read_text(text, &r, NULL), STATUS_OK);
		assert_int_equal(r.innings, 2);
		assert_string_equal(r.score[0].overs, cases[i].read);
		assert_string_equal(r.score[1].overs, "3");
	}
}

static void innings_beyond_the_eighth_are_counted(void **state)
{
	char text[1024] = "{\"score\":[";
	struct row r;

	(void)state;
	for (int i = 0; i < 11; i++)
		sprintf(text + strlen(text), "%s{\"r\":%d,\"o\":%d}", i ? "," : "", i, i);
	strcat(text, "]}");
	assert_int_equal(read_text(text, &r, NULL), STATUS_OK);
	assert_int_equal(r.innings, 8);
	assert_int_equal(r.innings_beyond, 3);
	assert_string_equal(r.score[7].overs, "7");
}

static void numbers_may_be_strings_and_large(void **state)
{
	struct row r;

	(void)state;
	assert_int_equal(
		read_text(
			"{\"id\":9007199254740993,\"score\":[{\"r\":\"186\",\"w\":1e400},{\"r\":-3,\"w\":2.7}]}",
			&r, NULL),
		STATUS_OK);
	assert_string_equal(r.id, "9007199254740993");
	assert_int_equal(r.score[0].runs, 186);
	assert_int_equal(r.score[0].wickets, 0);
	assert_int_equal(r.score[1].runs, -3);
	assert_int_equal(r.score[1].wickets, 2);
}

static void odd_escapes_do_not_cut_texts(void **state)
{
	struct row r;

	(void)state;
	assert_int_equal(
		read_text(
			"{\"name\":\"a\\u0000b\",\"status\":\"\\ud800x\",\"venue\":\"\\\\u0000\",\"date\":\"\\udc00\\ud800\\ud800\","
			"\"series_id\":\"\\uD83C\\uDFCF\",\"id\":\"\\u00e9\"}",
			&r, NULL),
		STATUS_OK);
	assert_string_equal(r.name, "a\xEF\xBF\xBD"
				    "b");
	assert_string_equal(r.status, "\xEF\xBF\xBDx");
	assert_string_equal(r.venue, "\\u0000");
	assert_string_equal(r.date, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	assert_string_equal(r.series_id, "\xF0\x9F\x8F\x8F");
	assert_string_equal(r.id, "\xC3\xA9");
	/* Keys too. */
	assert_int_equal(read_text("{\"a\\u0000\":1,\"\\ud800\":2,\"n\\u0061me\":\"N\"}", &r, NULL),
		STATUS_OK);
	assert_string_equal(r.name, "N");
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"{\"a\":01}",
		"{\"a\":1} x",
		"{'a':1}",
		"{\"a\":\"\t\"}",
		"[1] trailing",
		"{\"a\":2.}",
		"tru",
	};
	struct row r = {.teams = 77};
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(read_text(bad[i], &r, &why), STATUS_BAD_DATA);
	assert_int_equal(r.teams, 77);
	assert_string_equal(why.text, "not JSON at byte 3: the document ends too early");
}

static void a_row_too_rich_is_told_at_any_size(void **state)
{
	static const char rich[] =
		"{\"id\":\"m1\",\"score\":[{\"r\":1,\"w\":2,\"o\":3.4,\"inning\":\"A\\u0000\"}],\"teams\":[\"A\",\"B\"]}";
	struct row_reader *small;
	struct row r;
	struct why why;
	bool fitted = false;

	(void)state;
	for (size_t arena = 0; arena < 4096; arena += 8) {
		enum status status;

		assert_int_equal(row_reader_open(&small, arena, NULL), STATUS_OK);
		status = row_read(small, view_of(rich, sizeof rich - 1), &r, &why);
		assert_int_equal(status, fitted ? STATUS_OK : status);
		fitted |= status == STATUS_OK;
		if (!fitted)
			assert_int_equal(status, STATUS_FULL);
		row_reader_close(small);
	}
	assert_true(fitted);
}

static void *read_many(void *context)
{
	struct row_reader *mine;
	struct row r;
	char text[64];
	size_t *wrong = context;

	if (row_reader_open(&mine, 8192, NULL) != STATUS_OK)
		return NULL;
	for (int i = 0; i < 2000; i++) {
		snprintf(text, sizeof text, "{\"id\":\"%p-%d\",\"teams\":[\"a\",\"b\"]}", context,
			i);
		if (row_read(mine, view_of(text, strlen(text)), &r, NULL) != STATUS_OK ||
			strncmp(r.id, text + 7, strlen(r.id)) != 0 || r.teams != 2)
			++*wrong;
	}
	row_reader_close(mine);
	return NULL;
}

static void two_threads_read_at_once(void **state)
{
	pthread_t threads[2];
	size_t wrong[2] = {0, 0};

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_many, &wrong[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(wrong[0] + wrong[1], 0);
}

static void words_choose_matches(void **state)
{
	static const struct {
		const char *words;
		bool wanted;
	} cases[] = {
		{"", true},
		{"all", true},
		{"ALL", true},
		{"india", true},
		{"INDIA", true},
		{"england", false},
		{"england, India", true},
		{" ,, ", true},
		{"england,,", false},
		{"final", true},
		{"ser-9", true},
		{"ab-12", true},
		{"new zea", true},
		{"zealandx", false},
		{"all,england", false},
	};
	struct row r;

	(void)state;
	assert_int_equal(
		read_text(
			"{\"id\":\"ab-12\",\"name\":\"X vs Y, Final\",\"teams\":[\"India Women\",\"New Zealand\"],"
			"\"series_id\":\"ser-9\"}",
			&r, NULL),
		STATUS_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (row_matches_words(&r, cases[i].words) != cases[i].wanted)
			fail_msg("'%s'", cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_row_is_read),
		cmocka_unit_test(what_is_missing_or_odd_is_empty),
		cmocka_unit_test(valid_json_that_is_no_object_is_told),
		cmocka_unit_test(overs_are_text_as_written),
		cmocka_unit_test(innings_beyond_the_eighth_are_counted),
		cmocka_unit_test(numbers_may_be_strings_and_large),
		cmocka_unit_test(odd_escapes_do_not_cut_texts),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(a_row_too_rich_is_told_at_any_size),
		cmocka_unit_test(two_threads_read_at_once),
		cmocka_unit_test(words_choose_matches),
	};

	return cmocka_run_group_tests(tests, open_reader, close_reader);
}
