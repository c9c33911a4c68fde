/* The headers of a record: what is written, and what is made of those that others wrote. */
#include "service/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const char run_hex[] = "000102030405060708090a0b0c0d0e0f";

static struct identity identity_of(uint64_t seq)
{
	struct identity i = {.seq = seq};

	for (int k = 0; k < RUN_BYTES; k++)
		i.run[k] = (uint8_t)k;
	return i;
}

static const char *value_of(const struct event *e, const char *name)
{
	static char text[600];

	for (unsigned i = 0; i < e->count; i++) {
		if (strcmp(e->header[i].name, name))
			continue;
		memcpy(text, e->header[i].value.bytes, e->header[i].value.length);
		text[e->header[i].value.length] = '\0';
		return text;
	}
	return NULL;
}

static struct spool_row a_row(void)
{
	return (struct spool_row){.match = view_of("m-1", 3),
		.body = view_of("{}", 2),
		.self = identity_of(43),
		.prev = identity_of(42),
		.fetched_us = 1745000000123456};
}

static void writes_cloudevents_and_identity(void **state)
{
	(void)state;
	static const char *const expected[][2] = {
		{"ce_specversion", "1.0"},
		{"ce_id", "000102030405060708090a0b0c0d0e0f-43"},
		{"ce_source", "https://api.example/v1/currentMatches"},
		{"ce_type", "scorebox.match.v1"},
		{"ce_time", "2025-04-18T18:13:20.123456Z"},
		{"ce_subject", "m-1"},
		{"content-type", "application/json"},
		{"scorebox-run", "000102030405060708090a0b0c0d0e0f"},
		{"scorebox-seq", "43"},
		{"scorebox-prev", "000102030405060708090a0b0c0d0e0f-42"},
	};
	struct spool_row row = a_row();
	struct event e;

	event_write(&e, &row, "https://api.example/v1/currentMatches");
	assert_int_equal(e.count, 10);
	for (size_t i = 0; i < 10; i++)
		assert_string_equal(value_of(&e, expected[i][0]), expected[i][1]);
	assert_null(value_of(&e, "scorebox-dropped"));
}

static void first_state_has_an_empty_prev_and_losses_are_told(void **state)
{
	(void)state;
	struct spool_row row = a_row();
	struct event e;

	row.prev = (struct identity){.seq = 0};
	row.dropped = 7;
	event_write(&e, &row, "s");
	assert_string_equal(value_of(&e, "scorebox-prev"), "");
	assert_string_equal(value_of(&e, "scorebox-dropped"), "7");
}

static void identity_is_read_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *text, *comment;
		uint64_t seq; /* 0: refused */
	} cases[] = {
		{"000102030405060708090a0b0c0d0e0f-42", "as written", 42},
		{"000102030405060708090a0b0c0d0e0f-9223372036854775807", "largest", INT64_MAX},
		{"000102030405060708090a0b0c0d0e0f-9223372036854775808",
			"beyond what the journal keeps", 0},
		{"000102030405060708090a0b0c0d0e0f-0", "zero is unknown", 0},
		{"000102030405060708090a0b0c0d0e0f-", "no number", 0},
		{"000102030405060708090a0b0c0d0e0f", "no dash", 0},
		{"000102030405060708090A0B0C0D0E0F-1", "upper case is not ours", 0},
		{"0001-1", "short", 0},
		{"000102030405060708090a0b0c0d0e0f-1x", "rest", 0},
		{"", "empty", 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct identity id = {.seq = 0};
		bool ok = event_identity_parse(view_of(cases[i].text, strlen(cases[i].text)), &id);

		if (ok != (cases[i].seq != 0) || id.seq != cases[i].seq)
			fail_msg("%s: '%s'", cases[i].comment, cases[i].text);
	}
}

static void identity_text_goes_both_ways(void **state)
{
	(void)state;
	char text[64];
	struct identity out, in = identity_of(7), none = {.seq = 0};

	event_identity_text(&in, text);
	assert_int_equal(strncmp(text, run_hex, 32), 0);
	assert_true(event_identity_parse(view_of(text, strlen(text)), &out));
	assert_true(identity_equal(&in, &out));
	event_identity_text(&none, text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_cloudevents_and_identity),
		cmocka_unit_test(first_state_has_an_empty_prev_and_losses_are_told),
		cmocka_unit_test(identity_is_read_strictly),
		cmocka_unit_test(identity_text_goes_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
