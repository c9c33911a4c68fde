/* test_scorecard.c - spans of overs and the worm. */
#include "cricket/scorecard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct scorecard *card;

static void see(unsigned innings, int64_t balls, int64_t runs, int64_t wickets)
{
	static struct score s;

	if (innings == 0 && balls == 0)
		s = (struct score){.innings = 0};
	if (s.innings <= innings)
		s.innings = innings + 1;
	s.at[innings] = (struct innings){runs, wickets, balls};
	assert_int_equal(scorecard_see(card, &s, NULL), STATUS_OK);
}

static void check(unsigned innings, const int32_t (*wanted)[6], unsigned n)
{
	unsigned count;
	const struct card_span *spans = scorecard_spans(card, innings, &count);

	assert_int_equal(count, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(spans[i].from_over, wanted[i][0]);
		assert_int_equal(spans[i].to_over, wanted[i][1]);
		assert_int_equal(spans[i].runs, wanted[i][2]);
		assert_int_equal(spans[i].wickets, wanted[i][3]);
		assert_int_equal(spans[i].total, wanted[i][4]);
		assert_int_equal(spans[i].partnership, wanted[i][5]);
	}
}

static void open_card(bool counts_balls)
{
	assert_int_equal(scorecard_open(&card, counts_balls, NULL), STATUS_OK);
	see(0, 0, 0, 0);
}

static void every_ball(void **state)
{
	static const int32_t wanted[][6] = {
		{1, 1, 6, 0, 6, 6}, {2, 2, 8, 1, 14, 4}, {3, 3, 1, 0, 15, 5}};

	(void)state;
	open_card(false);
	for (int b = 1; b <= 6; b++)
		see(0, b, b, 0);
	see(0, 6, 7, 0); /* a wide before the next over's first ball belongs to that over */
	see(0, 7, 7, 0);
	see(0, 8, 10, 1);
	see(0, 12, 14, 1);
	see(0, 13, 15, 1); /* an over not finished */
	assert_int_equal(scorecard_end(card, NULL), STATUS_OK);
	check(0, wanted, 3);
	scorecard_close(card);
}

static void missed_ends(void **state)
{
	static const int32_t wanted[][6] = {
		{1, 4, 30, 0, 30, 30}, {5, 9, 50, 2, 80, 0}, {10, 10, 3, 0, 83, 3}};

	(void)state;
	open_card(false);
	see(0, 24, 30, 0);
	see(0, 28, 40, 0); /* 4.4, 5.3, 6.4 */
	see(0, 33, 50, 1);
	see(0, 40, 60, 1);
	see(0, 54, 80, 2); /* 9.0: the first end seen since */
	see(0, 56, 83, 2);
	assert_int_equal(scorecard_end(card, NULL), STATUS_OK);
	check(0, wanted, 3);
	scorecard_close(card);
}

static void sets_of_five(void **state)
{
	static const int32_t wanted[][6] = {{1, 1, 7, 0, 7, 7}, {2, 3, 9, 1, 16, 0}};

	(void)state;
	open_card(true);
	see(0, 5, 7, 0);
	see(0, 15, 16, 1);
	assert_int_equal(scorecard_end(card, NULL), STATUS_OK);
	check(0, wanted, 2);
	scorecard_close(card);
}

static void corrections(void **state)
{
	static const int32_t wanted[][6] = {{1, 1, 6, 0, 6, 6}, {2, 2, 4, 0, 10, 10}};
	unsigned count;

	(void)state;
	open_card(false);
	see(0, 6, 6, 0);
	see(0, 12, 14, 0);
	see(0, 11, 9, 0); /* the last ball is taken back */
	see(0, 12, 10, 0);
	assert_int_equal(scorecard_end(card, NULL), STATUS_OK);
	check(0, wanted, 2);
	const struct card_point *p = scorecard_points(card, 0, &count);

	for (unsigned i = 1; i < count; i++)
		assert_true(p[i].balls > p[i - 1].balls);
	assert_int_equal(p[count - 1].total, 10);
	scorecard_close(card);
}

/* A Test innings of 1,500 balls: bounded, wickets and the end kept, in order. */
static void thins_the_worm(void **state)
{
	unsigned count, wickets = 0;

	(void)state;
	open_card(false);
	for (int b = 1; b <= 1500; b++)
		see(0, b, b / 2, b / 151);
	assert_int_equal(scorecard_end(card, NULL), STATUS_OK);
	const struct card_point *p = scorecard_points(card, 0, &count);

	assert_in_range(count, 200, 512);
	for (unsigned i = 0; i < count; i++) {
		wickets += (unsigned)p[i].wickets;
		if (i > 0)
			assert_true(p[i].balls > p[i - 1].balls);
	}
	assert_int_equal(wickets, 9);
	assert_int_equal(p[count - 1].balls, 1500);
	assert_int_equal(p[count - 1].total, 750);
	scorecard_spans(card, 0, &count);
	assert_int_equal(count, 250);
	scorecard_close(card);
}

/* A source gone wrong: balls stand still, wickets fall without end. Bounded, and no division by
 * nothing. */
static void wickets_without_end(void **state)
{
	unsigned count;

	(void)state;
	open_card(false);
	for (int n = 0; n < 40000; n++)
		see(0, n % 2 ? n : 120, n, n % 10);
	assert_int_equal(scorecard_end(card, NULL), STATUS_OK);
	scorecard_points(card, 0, &count);
	assert_in_range(count, 1, 512);
	scorecard_close(card);
}

static void without_overs(void **state)
{
	unsigned count;

	(void)state;
	open_card(false);
	see(0, -1, 20, 1); /* an `o` that is no overs */
	assert_int_equal(scorecard_end(card, NULL), STATUS_OK);
	const struct card_span *s = scorecard_spans(card, 0, &count);

	assert_int_equal(count, 1);
	assert_int_equal(s[0].total, 20);
	scorecard_close(card);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ball),
		cmocka_unit_test(missed_ends),
		cmocka_unit_test(sets_of_five),
		cmocka_unit_test(corrections),
		cmocka_unit_test(thins_the_worm),
		cmocka_unit_test(without_overs),
		cmocka_unit_test(wickets_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
