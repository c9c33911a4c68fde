/* test_deaths.c - when early deaths send the box to its other slot. */
#include "board/deaths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void the_file(void **state)
{
	static const struct {
		const char *text;
		unsigned count;
		bool tried;
		const char *comment;
	} cases[] = {
		{"", 0, false, "none yet"},
		{"2\n", 2, false, "plain"},
		{"7 tried\n", 7, true, "the other slot had its turn"},
		{"banana", 0, false, "torn or foreign"},
		{"99999999999999999999 tried", 1000, true, "nonsense is bounded"},
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct deaths d;

		deaths_read(&d, cases[i].text);
		if (d.count != cases[i].count || d.tried != cases[i].tried)
			fail_msg("%s: %u, %d", cases[i].comment, d.count, d.tried);
	}
	deaths_text(&(struct deaths){4, true}, text, sizeof text);
	assert_string_equal(text, "4 tried\n");
	deaths_text(&(struct deaths){4, false}, text, sizeof text);
	assert_string_equal(text, "4\n");
}

static void when_the_other_slot_is_tried(void **state)
{
	static const struct {
		struct deaths before;
		bool trial, other_was_good, want;
		struct deaths after;
		const char *comment;
	} cases[] = {
		/* Before: those that died, and this start. */
		{{3, false}, false, true, false, {3, false}, "two are chance"},
		{{4, false}, false, true, true, {0, true}, "three are not"},
		{{4, false}, true, true, false, {4, false}, "a trial falls back by itself"},
		{{4, false}, false, false, false, {4, false}, "the other never worked"},
		{{4, true}, false, true, false, {4, true}, "it was tried already"},
		{{30, true}, false, true, false, {30, true}, "and still was"},
		{{31, true}, false, true, true, {0, true}, "but not for ever"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct deaths d = cases[i].before;
		bool want = deaths_want_other(&d, cases[i].trial, cases[i].other_was_good);

		if (want != cases[i].want || d.count != cases[i].after.count ||
			d.tried != cases[i].after.tried)
			fail_msg("%s: %d, %u, %d", cases[i].comment, want, d.count, d.tried);
	}
}

/* Twenty starts that die at once: whatever slot they are of, one trial. */
static void brown_outs_cost_one_trial(void **state)
{
	struct deaths d = {0};
	int trials = 0;

	(void)state;
	for (int start = 0; start < 20; start++) {
		d.count++;
		trials += deaths_want_other(&d, false, true);
	}
	assert_int_equal(trials, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file),
		cmocka_unit_test(when_the_other_slot_is_tried),
		cmocka_unit_test(brown_outs_cost_one_trial),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
