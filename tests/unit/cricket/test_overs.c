/* test_overs.c - overs and balls, both ways. */
#include "cricket/overs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void reads_overs(void **state)
{
	static const struct {
		const char *text;
		bool counts_balls;
		int64_t balls;
		const char *why;
	} cases[] = {
		{"19.4", false, 118, "19 overs and 4 balls"},
		{"20", false, 120, "the API writes 20, never 20.0"},
		{"20.0", false, 120, "other feeds do"},
		{"19.6", false, 120, "Cricbuzz's full over"},
		{"0.1", false, 1, "the first ball"},
		{"0", false, 0, "none yet"},
		{"123.3", false, 741, "a Test innings"},
		{"4.30", false, 27, "a zero more"},
		{"100", true, 100, "the Hundred counts balls"},
		{"91", true, 91, "the Hundred"},
		{"16.4", true, OVERS_UNKNOWN, "no balls"},
		{"19.7", false, OVERS_UNKNOWN, "no over has seven"},
		{"19.45", false, OVERS_UNKNOWN, "nor 45"},
		{"", false, OVERS_UNKNOWN, "missing"},
		{"-1", false, OVERS_UNKNOWN, "negative"},
		{"1e2", false, OVERS_UNKNOWN, "exponent"},
		{".4", false, OVERS_UNKNOWN, "no whole part"},
		{"4.", false, OVERS_UNKNOWN, "no balls after the point"},
		{"99999999999999999999", false, OVERS_UNKNOWN, "beyond any match"},
		{"12 ", false, OVERS_UNKNOWN, "a blank"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (overs_balls(cases[i].text, cases[i].counts_balls) != cases[i].balls)
			fail_msg("%s: '%s' is %lld", cases[i].why, cases[i].text,
				(long long)overs_balls(cases[i].text, cases[i].counts_balls));
}

static void writes_what_it_reads(void **state)
{
	char text[OVERS_TEXT_BYTES];

	(void)state;
	for (int64_t balls = 0; balls < 2000; balls++) {
		overs_text(balls, false, text);
		assert_int_equal(overs_balls(text, false), balls);
		overs_text(balls, true, text);
		assert_int_equal(overs_balls(text, true), balls);
	}
	overs_text(118, false, text);
	assert_string_equal(text, "19.4");
	overs_text(120, false, text);
	assert_string_equal(text, "20");
	overs_text(OVERS_UNKNOWN, false, text);
	assert_string_equal(text, "");
}

static void counts_overs(void **state)
{
	(void)state;
	assert_int_equal(overs_over_of(1, false), 1);
	assert_int_equal(overs_over_of(6, false), 1);
	assert_int_equal(overs_over_of(7, false), 2);
	assert_int_equal(overs_over_of(5, true), 1);
	assert_int_equal(overs_over_of(6, true), 2);
	assert_int_equal(overs_over_of(0, false), 1);
	assert_true(overs_run_rate(188, 120) > 9.39 && overs_run_rate(188, 120) < 9.41);
	assert_true(overs_run_rate(126, 100) > 7.55 &&
		    overs_run_rate(126, 100) < 7.57); /* per six balls there too */
	assert_true(overs_run_rate(5, 0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_overs),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(counts_overs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
