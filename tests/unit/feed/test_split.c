/* test_split.c - rows, ids, envelopes and refusals, the same for any cutting of the body. */
#include "feed/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes what came as text: "id=bytes@at;" for rows, "!reason=bytes@at;" for the others. */
struct record {
	char text[16384];
	size_t length;
	enum status answer;
	unsigned answer_at; /* row from which on the callback answers so */
	unsigned rows;
};

static enum status take(void *context, const struct split_row *row, struct why *why)
{
	struct record *r = context;
	size_t room = sizeof r->text - r->length;
	int n;

	if (r->answer != STATUS_OK && r->rows == r->answer_at)
		return (fail)(why, r->answer,
			"the test says so"); /* cmocka has a macro of that name */
	r->rows++;
	if (row->kind == SPLIT_ROW)
		n = snprintf(r->text + r->length, room, "%.*s=%.*s@%" PRIu64 ";",
			(int)row->id.length, row->id.bytes, (int)row->bytes.length,
			row->bytes.bytes, row->at);
	else
		n = snprintf(r->text + r->length, room, "!%s=%.*s(%" PRIu64 ")@%" PRIu64 ";",
			row->reason, (int)row->bytes.length, row->bytes.bytes, row->length,
			row->at);
	assert_true(n > 0 && (size_t)n < room);
	r->length += (size_t)n;
	return STATUS_OK;
}

static struct source cricapi(void)
{
	struct source s;

	assert_int_equal(source_profile("cricapi", &s), STATUS_OK);
	return s;
}

/* Feeds `body` in pieces of `size`, each in memory of its own. */
static enum status run(struct split *s, const char *body, size_t length, size_t size,
	struct split_envelope *e, struct why *why)
{
	for (size_t at = 0; at < length; at += size) {
		size_t piece = length - at < size ? length - at : size;
		char *bytes = malloc(piece);
		enum status status;

		memcpy(bytes, body + at, piece);
		status = split_feed(s, bytes, piece, why);
		free(bytes);
		if (status != STATUS_OK)
			return status;
	}
	return split_end(s, e, why);
}

static void envelope_text(const struct split_envelope *e, char *out, size_t out_bytes)
{
	snprintf(out, out_bytes,
		"%d%d%d '%s' %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64,
		e->has_records, e->ok_seen, e->ok, e->reason, e->total, e->hits_today,
		e->hits_limit, e->hits_used, e->rows);
}

struct sample {
	const char *body, *rows, *envelope, *comment;
};

static void check_samples(const struct source *source, const struct sample *samples, size_t count)
{
	static const size_t sizes[] = {1, 2, 3, 7, 16, 100000};
	char text[512];
	struct record r;
	struct split *s;
	struct split_envelope e;
	struct why why;

	assert_int_equal(split_open(&s, source, 64, take, &r, &why), STATUS_OK);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
			memset(&r, 0, sizeof r);
			split_reset(s);
			if (run(s, samples[i].body, strlen(samples[i].body), sizes[k], &e, &why) !=
				STATUS_OK)
				fail_msg("%s: %s", samples[i].comment, why.text);
			envelope_text(&e, text, sizeof text);
			if (strcmp(r.text, samples[i].rows) != 0 ||
				strcmp(text, samples[i].envelope) != 0)
				fail_msg("%s, pieces of %zu: %s | %s", samples[i].comment, sizes[k],
					r.text, text);
		}
	}
	split_close(s);
}

static void pages_come_apart(void **state)
{
	static const struct sample samples[] = {
		{"{\"apikey\":\"k\",\"data\":[{\"id\":\"a\",\"r\":1}, {\"r\":2,\"id\":\"b\"}\n],\"status\":\"success\","
		 "\"info\":{\"hitsToday\":42,\"hitsUsed\":1,\"hitsLimit\":100,\"totalRows\":46}}",
			"a={\"id\":\"a\",\"r\":1}@22;b={\"r\":2,\"id\":\"b\"}@40;",
			"111 '' 46 42 100 1 2", "a page"},
		{"{\"status\":\"failure\",\"reason\":\"Blocked for 15 minutes\",\"info\":{\"hitsToday\":114}}",
			"", "010 'Blocked for 15 minutes' -1 114 -1 -1 0", "a failure has no data"},
		{"{\"data\":[],\"status\":\"success\"}", "", "111 '' -1 -1 -1 -1 0", "no rows"},
		{"{\"data\":{\"id\":\"a\"},\"status\":\"success\"}", "", "011 '' -1 -1 -1 -1 0",
			"data is no array"},
		{"{\"data\":[{\"id\":\"a\"}],\"data\":[{\"id\":\"b\"}],\"status\":\"x\",\"status\":\"success\"}",
			"a={\"id\":\"a\"}@9;", "110 '' -1 -1 -1 -1 1",
			"of repeated keys the first counts"},
		{"{\"x\":{\"data\":[{\"id\":\"z\"}]},\"data\":[{\"id\":\"a\"}]}",
			"a={\"id\":\"a\"}@35;", "100 '' -1 -1 -1 -1 1",
			"deeper data is another matter"},
		{"{\"d\\u0061ta\":[{\"\\u0069d\":\"\\u0061\\\"\"}],\"stat\\u0075s\":\"succes\\u0073\"}",
			"a\"={\"\\u0069d\":\"\\u0061\\\"\"}@14;", "111 '' -1 -1 -1 -1 1",
			"escaped keys and values"},
		{"[1,2,{\"id\":\"a\"}]", "", "000 '' -1 -1 -1 -1 0", "another document"},
		{"5", "", "000 '' -1 -1 -1 -1 0", "a bare number"},
		{"{\"info\":{\"totalRows\":\"12\",\"hitsToday\":1.5,\"hitsLimit\":-3,\"hitsUsed\":1e2},\"reason\":null}",
			"", "000 'null' 12 -1 -1 -1 0", "figures that are none"},
		{"{\"status\":[\"success\"],\"reason\":{\"a\":1}}", "", "010 '' -1 -1 -1 -1 0",
			"containers for texts"},
	};
	struct source s = cricapi();

	(void)state;
	check_samples(&s, samples, sizeof samples / sizeof *samples);
}

static void rows_without_a_usable_id_are_told(void **state)
{
	static const struct sample samples[] = {
		{"{\"data\":[7,\"x\",null,[{\"id\":\"a\"}],true]}",
			"!row is no object=7(1)@9;!row is no object=\"x\"(3)@11;!row is no object=null(4)@15;"
			"!row is no object=[{\"id\":\"a\"}](12)@20;!row is no object=true(4)@33;",
			"100 '' -1 -1 -1 -1 5", "rows that are no objects"},
		{"{\"data\":[{},{\"ID\":\"a\"},{\"x\":{\"id\":\"a\"}}]}",
			"!no id={}(2)@9;!no id={\"ID\":\"a\"}(10)@12;!no id={\"x\":{\"id\":\"a\"}}(16)@23;",
			"100 '' -1 -1 -1 -1 3", "no id"},
		{"{\"data\":[{\"id\":null},{\"id\":1.5},{\"id\":{}},{\"id\":[\"a\"]},{\"id\":1e3}]}",
			"!id is neither a string nor a whole number={\"id\":null}(11)@9;"
			"!id is neither a string nor a whole number={\"id\":1.5}(10)@21;"
			"!id is neither a string nor a whole number={\"id\":{}}(9)@32;"
			"!id is neither a string nor a whole number={\"id\":[\"a\"]}(12)@42;"
			"!id is neither a string nor a whole number={\"id\":1e3}(10)@55;",
			"100 '' -1 -1 -1 -1 5", "ids of other kinds"},
		{"{\"data\":[{\"id\":12345678901234567890},{\"id\":-7},{\"id\":\"\"},{\"id\":\"a\\nb\"},{\"id\":\"\\ud800\"}]}",
			"12345678901234567890={\"id\":12345678901234567890}@9;-7={\"id\":-7}@37;"
			"!id is empty={\"id\":\"\"}(9)@47;!id holds control characters={\"id\":\"a\\nb\"}(13)@57;"
			"!id holds half a surrogate pair={\"id\":\"\\ud800\"}(15)@71;",
			"100 '' -1 -1 -1 -1 5", "numbers, and strings that are of no use"},
		{"{\"data\":[{\"id\":\"\xff\"},{\"id\":\"\xc3\xa9\"},{\"id\":\"\x7f\"}]}",
			"!id is not valid UTF-8={\"id\":\"\xff\"}(10)@9;\xc3\xa9={\"id\":\"\xc3\xa9\"}@20;"
			"!id holds control characters={\"id\":\"\x7f\"}(10)@32;",
			"100 '' -1 -1 -1 -1 3", "UTF-8"},
		{"{\"data\":[{\"id\":\"a\",\"id\":\"b\"},{\"id\":null,\"id\":\"b\"}]}",
			"a={\"id\":\"a\",\"id\":\"b\"}@9;!id is neither a string nor a whole number={\"id\":null,\"id\":\"b\"}(20)@29;",
			"100 '' -1 -1 -1 -1 2", "the first id counts"},
		{"{\"data\":[{\"id\":\"a\",\"x\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"},{\"id\":\"b\"}]}",
			"!row is larger than 64 bytes={\"id\":\"a\",\"x\":\"0123456789012345678901234567890123456789012345678(87)@9;b={\"id\":\"b\"}@97;",
			"100 '' -1 -1 -1 -1 2", "a row over the limit, and one after it"},
	};
	struct source s = cricapi();

	(void)state;
	check_samples(&s, samples, sizeof samples / sizeof *samples);
}

static void custom_sources_have_their_own_pointers(void **state)
{
	static const struct sample list[] = {
		{"[{\"id\":\"a\"},{\"id\":2}]", "a={\"id\":\"a\"}@1;2={\"id\":2}@12;",
			"111 '' -1 -1 -1 -1 2", "a bare list"},
		{"{\"id\":\"a\"}", "", "000 '' -1 -1 -1 -1 0", "no list"},
		{"[]", "", "111 '' -1 -1 -1 -1 0", "an empty list"},
	};
	static const struct sample deep[] = {
		{"{\"r\":[{\"m\":[{\"k\":{\"n\":[\"q\",\"a\"]}}]}],\"code\":0,\"n\":3}",
			"a={\"k\":{\"n\":[\"q\",\"a\"]}}@12;", "111 '' 3 -1 -1 -1 1",
			"deep pointers"},
		{"{\"code\":1,\"r\":[{\"m\":7}]}", "", "010 '1' -1 -1 -1 -1 0",
			"one value, two meanings"},
	};
	struct source s;

	(void)state;
	assert_int_equal(source_profile("custom", &s), STATUS_OK);
	check_samples(&s, list, sizeof list / sizeof *list);
	s.records = "/r/0/m";
	s.id = "/k/n/1";
	s.ok = "/code=0";
	s.reason = "";
	s.total = "/n";
	check_samples(&s, deep, 1);
	s.reason = "/code";
	check_samples(&s, deep + 1, 1);
}

static void long_texts_are_cut_not_broken(void **state)
{
	char body[16384], id[2048] = "", key[4096] = "";
	struct record r = {.length = 0};
	struct source source = cricapi();
	struct split_envelope e;
	struct split *s;
	struct why why;

	(void)state;
	for (int i = 0; i < 257; i++)
		strcat(id, "\\u0061");
	for (int i = 0; i < 400; i++)
		strcat(key, "\\u00e9");
	assert_int_equal(split_open(&s, &source, 8192, take, &r, &why), STATUS_OK);
	for (size_t size = 1; size < 6000; size = size * 3 + 1) {
		for (int one_less = 0; one_less < 2; one_less++) {
			memset(&r, 0, sizeof r);
			split_reset(s);
			snprintf(body, sizeof body,
				"{\"data\":[{\"%s\":0,\"id\":\"%s\"}],\"reason\":\"%s\"}", key,
				id + 6 * one_less, key);
			assert_int_equal(run(s, body, strlen(body), size, &e, &why), STATUS_OK);
			assert_int_equal(r.text[0], one_less ? 'a' : '!');
			assert_int_equal(strlen(e.reason),
				sizeof e.reason - 2); /* 99 characters of two bytes */
			assert_memory_equal(e.reason + sizeof e.reason - 4, "\xC3\xA9", 3);
		}
	}
	split_close(s);
}

static void the_place_of_the_fault_is_told(void **state)
{
	static const struct {
		const char *body, *why;
	} cases[] = {
		{"<html>", "not JSON at byte 0: this does not begin like JSON"},
		{"{\"data\":[{\"id\":\"a\"},]}", "not JSON at byte 20: a value is missing"},
		{"{\"data\":[{\"id\":\"a\"", "not JSON at byte 18: the document ends too early"},
		{"", "not JSON at byte 0: there is nothing"},
		{"{\"data\":[1", "not JSON at byte 10: the document ends too early"},
		{"{\"data\":[-", "not JSON at byte 10: the document ends within a number"},
		{"{}\n{}", "not JSON at byte 3: something follows the document"},
	};
	struct source source = cricapi();
	struct split_envelope e;
	struct record r;
	struct split *s;
	struct why why;

	(void)state;
	assert_int_equal(split_open(&s, &source, 64, take, &r, &why), STATUS_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (size_t size = 1; size < 30; size += 4) {
			memset(&r, 0, sizeof r);
			split_reset(s);
			assert_int_equal(
				run(s, cases[i].body, strlen(cases[i].body), size, &e, &why),
				STATUS_BAD_DATA);
			assert_string_equal(why.text, cases[i].why);
		}
	}
	split_close(s);
}

static void the_callback_stops_the_split(void **state)
{
	static const char body[] = "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}";
	struct record r = {.answer = STATUS_FULL, .answer_at = 1};
	struct source source = cricapi();
	struct split_envelope e;
	struct split *s;
	struct why why;

	(void)state;
	assert_int_equal(split_open(&s, &source, 64, take, &r, &why), STATUS_OK);
	for (size_t size = 1; size < sizeof body; size++) {
		r.rows = 0;
		r.length = 0;
		split_reset(s);
		assert_int_equal(run(s, body, sizeof body - 1, size, &e, &why), STATUS_FULL);
		assert_string_equal(why.text, "the test says so");
		assert_int_equal(r.rows, 1);
	}
	split_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_come_apart),
		cmocka_unit_test(rows_without_a_usable_id_are_told),
		cmocka_unit_test(custom_sources_have_their_own_pointers),
		cmocka_unit_test(long_texts_are_cut_not_broken),
		cmocka_unit_test(the_place_of_the_fault_is_told),
		cmocka_unit_test(the_callback_stops_the_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
