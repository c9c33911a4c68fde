/* test_clock.c - dates, RFC 3339, spans, backoff. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void civil_days_there_and_back(void **state)
{
	int year, month, day;
	int64_t expected = clock_days(1, 1, 1);

	(void)state;
	assert_int_equal(clock_days(1970, 1, 1), 0);
	assert_int_equal(clock_days(2000, 3, 1), 11017);
	assert_int_equal(clock_days(1, 1, 1), -719162);
	for (; expected < clock_days(2401, 1, 1); expected++) {
		clock_civil(expected, &year, &month, &day);
		assert_int_equal(clock_days(year, month, day), expected);
		assert_in_range(month, 1, 12);
		assert_in_range(day, 1, 31);
	}
}

static void times_are_formatted(void **state)
{
	char out[CLOCK_TEXT_BYTES];

	(void)state;
	clock_format(0, 0, out);
	assert_string_equal(out, "1970-01-01T00:00:00Z");
	clock_format(1744812131123456, 6, out);
	assert_string_equal(out, "2025-04-16T14:02:11.123456Z");
	clock_format(1744812131123456, 3, out);
	assert_string_equal(out, "2025-04-16T14:02:11.123Z");
	clock_format(-1, 6, out);
	assert_string_equal(out, "1969-12-31T23:59:59.999999Z");
	clock_format(INT64_MAX, 6, out);
	assert_string_equal(out, "9999-12-31T23:59:59.999999Z");
	clock_format(INT64_MIN, 6, out);
	assert_string_equal(out, "0001-01-01T00:00:00.000000Z");
	/* Beyond 32 bits of seconds. */
	clock_format(4102444800ll * 1000000, 0, out);
	assert_string_equal(out, "2100-01-01T00:00:00Z");
}

static void times_are_read(void **state)
{
	static const struct {
		const char *text, *meaning, *comment;
	} cases[] = {
		{"2025-04-16T14:02:11Z", "2025-04-16T14:02:11.000000Z", "UTC"},
		{"2025-04-16t14:02:11z", "2025-04-16T14:02:11.000000Z", "small letters"},
		{"2025-04-16 14:02:11Z", "2025-04-16T14:02:11.000000Z", "a blank"},
		{"2024-07-06T14:00:00", "2024-07-06T14:00:00.000000Z", "the API's form"},
		{"2025-04-16T14:02:11.5Z", "2025-04-16T14:02:11.500000Z", "one digit"},
		{"2025-04-16T14:02:11.123456789Z", "2025-04-16T14:02:11.123456Z", "nine digits"},
		{"2025-04-16T00:30:00+05:30", "2025-04-15T19:00:00.000000Z", "India"},
		{"2024-12-31T23:00:00-02:00", "2025-01-01T01:00:00.000000Z", "over new year"},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z", "leap second"},
		{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z", "leap day"},
		{"2025-02-29T00:00:00Z", NULL, "none that year"},
		{"1900-02-29T00:00:00Z", NULL, "nor in 1900"},
		{"2025-04-31T00:00:00Z", NULL, "April 31"},
		{"2025-13-01T00:00:00Z", NULL, "month 13"},
		{"2025-00-01T00:00:00Z", NULL, "month 0"},
		{"0000-01-01T00:00:00Z", NULL, "year 0"},
		{"2025-04-16T24:00:00Z", NULL, "hour 24"},
		{"2025-04-16T14:60:00Z", NULL, "minute 60"},
		{"2025-04-16T14:00:61Z", NULL, "second 61"},
		{"2025-04-16T14:00Z", NULL, "no seconds"},
		{"2025-04-16", NULL, "a date"},
		{"2025-04-16T14:02:11.Z", NULL, "a point alone"},
		{"2025-04-16T14:02:11+0530", NULL, "no colon"},
		{"2025-04-16T14:02:11+24:00", NULL, "offset 24"},
		{"2025-04-16T14:02:11Zx", NULL, "more behind it"},
		{"0001-01-01T00:00:00+01:00", NULL, "before year 1"},
		{"9999-12-31T23:59:59-01:00", NULL, "after year 9999"},
		{"+025-04-16T14:02:11Z", NULL, "a sign"},
		{"", NULL, "nothing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char out[CLOCK_TEXT_BYTES];
		int64_t us = -7;
		enum status s = clock_parse(cases[i].text, strlen(cases[i].text), &us);

		if ((s == STATUS_OK) != (cases[i].meaning != NULL))
			fail_msg("%s: %s", cases[i].comment, status_name(s));
		if (!cases[i].meaning) {
			assert_int_equal(us, -7);
			continue;
		}
		clock_format(us, 6, out);
		assert_string_equal(out, cases[i].meaning);
	}
	/* Only `length` bytes count, and a NUL among them is none of ours. */
	int64_t us;

	assert_int_equal(clock_parse("2025-04-16T14:02:11Z and more", 20, &us), STATUS_OK);
	assert_int_equal(clock_parse("2025-04-16T14:02:11\0", 20, &us), STATUS_BAD_DATA);
}

static void spans_in_words(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{-5, "0 ms"},
		{350, "350 ms"},
		{40000, "40 s"},
		{119999, "119 s"},
		{720000, "12 min"},
		{12000000, "3 h 20 min"},
		{187200000, "2 d 4 h"},
	};
	char out[40];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		clock_span_text(cases[i].ms, out, sizeof out);
		assert_string_equal(out, cases[i].text);
	}
}

static int64_t fake_wall_us;

static int64_t fake_wall(void)
{
	return fake_wall_us;
}

static void a_clock_before_the_build_is_not_believed(void **state)
{
	(void)state;
	assert_true(clock_believable());
	clock_replace(fake_wall, NULL);
	fake_wall_us = 0;
	assert_false(clock_believable());
	fake_wall_us = clock_build_us() + 1;
	assert_true(clock_believable());
	clock_replace(NULL, NULL);
	/* 2026-01-01: this code is younger. */
	assert_true(clock_build_us() > 1767225600ll * 1000000);
}

static void monotonic_time_goes_on(void **state)
{
	int64_t before = clock_mono_us();

	(void)state;
	assert_true(clock_mono_us() >= before);
	assert_true(clock_mono_ms() >= before / 1000);
}

static void pauses_double_up_to_the_ceiling(void **state)
{
	static const int64_t steps[] = {1000, 2000, 4000, 5000, 5000, 5000};
	struct backoff b = {.first_ms = 1000, .ceiling_ms = 5000};

	(void)state;
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
			int64_t pause = backoff_next_ms(&b);

			assert_true(pause >= steps[i] / 2 && pause <= steps[i]);
		}
		backoff_reset(&b);
	}
	struct backoff none = {0};

	assert_true(backoff_next_ms(&none) >= 0);
	assert_true(backoff_next_ms(&none) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(civil_days_there_and_back),
		cmocka_unit_test(times_are_formatted),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(spans_in_words),
		cmocka_unit_test(a_clock_before_the_build_is_not_believed),
		cmocka_unit_test(monotonic_time_goes_on),
		cmocka_unit_test(pauses_double_up_to_the_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
