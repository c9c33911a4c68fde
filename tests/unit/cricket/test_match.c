/* test_match.c - what a row says of the match, what happened between two, what a chase needs. */
#include "cricket/chase.h"
#include "cricket/innings.h"
#include "cricket/match.h"
#include "cricket/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static struct row empty_row(void)
{
	struct row r = {
		.id = "",
		.name = "",
		.match_type = "",
		.status = "",
		.venue = "",
		.series_id = "",
		.date = "",
		.start = "",
		.team = {"", ""},
		.is_object = true,
	};

	for (int k = 0; k < ROW_INNINGS; k++)
		r.score[k].label = "";
	return r;
}

static void set_innings(struct row *r, unsigned k, int64_t runs, int64_t wickets, const char *overs,
	const char *label)
{
	r->score[k].runs = runs;
	r->score[k].wickets = wickets;
	strcpy(r->score[k].overs, overs);
	r->score[k].label = label;
	if (r->innings <= k)
		r->innings = k + 1;
	r->has_score = r->is_match = true;
}

static void tells_the_kind(void **state)
{
	static const struct {
		const char *type, *name;
		enum match_kind kind;
		const char *text;
	} cases[] = {
		{"t20", "India vs Australia, 2nd T20I", MATCH_T20, "T20"},
		{"odi", "", MATCH_ODI, "ODI"},
		{"test", "", MATCH_TEST, "Test"},
		{"", "Oval Invincibles vs London Spirit, 30th Match", MATCH_HUNDRED, "100 balls"},
		{"", "India A vs England Lions, 3rd unofficial ODI", MATCH_ODI, "ODI"},
		{"", "India A vs Australia A, 1st unofficial Test", MATCH_TEST, "Test"},
		{"", "Kent vs Essex, List A match", MATCH_ODI, "ODI"},
		{"", "X vs Y, Only T20I", MATCH_T20, "T20"},
		{"", "Testers vs Modistes", MATCH_HUNDRED, "100 balls"},
		{"t10", "", MATCH_OTHER, "T10"},
	};
	char text[40];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row r = empty_row();

		r.match_type = cases[i].type;
		r.name = cases[i].name;
		assert_int_equal(match_kind_of(&r), cases[i].kind);
		assert_int_equal(match_counts_balls(&r), cases[i].kind == MATCH_HUNDRED);
		match_kind_text(&r, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void tells_the_result(void **state)
{
	static const struct {
		const char *status;
		bool started, ended;
		enum match_result result;
	} cases[] = {
		{"Match not started", false, false, MATCH_FIXTURE},
		{"Match not started", true, false, MATCH_LIVE},
		{"India need 33 runs in 46 balls", true, false, MATCH_LIVE},
		{"Essex opt to bowl", true, false, MATCH_LIVE},
		{"India won the toss and chose to bat", true, false, MATCH_LIVE},
		{"Worcestershire won by 55 runs - 17 over match due to rain", true, true,
			MATCH_WON},
		{"NZ A Women won by 7 wkts", true, false, MATCH_WON},
		{"India won", true, true, MATCH_WON},
		{"Match tied (Super over in progress)", true, false, MATCH_LIVE},
		{"Match tied (Southern Brave won the super five)", true, true, MATCH_TIED},
		{"Match drawn", true, true, MATCH_TIED},
		{"No result - due to rain", true, false, MATCH_NO_RESULT},
		{"No Result - due to rain", true, true, MATCH_NO_RESULT},
		{"There is no scorecard available for this match.", true, true, MATCH_NO_RESULT},
		{"Match abandoned without a ball bowled", true, true, MATCH_NO_RESULT},
		{"", true, true, MATCH_OVER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row r = empty_row();

		r.status = cases[i].status;
		r.started = cases[i].started;
		r.ended = cases[i].ended;
		if (match_result_of(&r) != cases[i].result)
			fail_msg("'%s' is %d", cases[i].status, (int)match_result_of(&r));
	}
}

static void tells_the_sides(void **state)
{
	struct row r = empty_row();
	char team[64];

	(void)state;
	r.team[0] = "Fiji";
	r.team[1] = "Philippines";
	set_innings(&r, 0, 100, 10, "18", "fiji Inning 1");
	set_innings(&r, 1, 90, 10, "17", "Fiji,Philippines Inning 1");
	assert_int_equal(match_side_of(&r, 0), 0);
	assert_int_equal(match_side_of(&r, 1), 1);
	match_team_of(&r, 1, team, sizeof(team));
	assert_string_equal(team, "Philippines");
	assert_int_equal(match_side_of(&r, 2), -1);

	set_innings(&r, 0, 100, 10, "18", "Eastern Cape Inning 1");
	assert_int_equal(match_side_of(&r, 0), -1);
	match_team_of(&r, 0, team, sizeof(team));
	assert_string_equal(team, "Eastern Cape");

	r.team[0] = r.team[1] = "Tbc";
	set_innings(&r, 0, 1, 0, "1", "Tbc Inning 1");
	assert_int_equal(match_side_of(&r, 0), -1);
}

static void tells_events(void **state)
{
	static const struct {
		struct {
			int64_t runs, wickets;
			const char *overs;
		} before[3], now[3];
		const char *status_before, *status_now;
		bool ended;
		const char *event;
		int64_t wickets;
	} cases[] = {
		{{{4, 0, "0.3"}}, {{8, 0, "0.4"}}, "a", "a", false, "+4", 0},
		{{{4, 0, "0.3"}}, {{4, 1, "0.4"}}, "a", "a", false, "WICKET", 1},
		{{{4, 0, "0.3"}}, {{5, 1, "0.4"}}, "a", "a", false, "+1 WICKET", 1},
		{{{4, 0, "0.3"}}, {{9, 2, "1.4"}}, "a", "a", false, "+5 2 WICKETS", 2},
		{{{4, 0, "0.3"}}, {{4, 3, "1.4"}}, "a", "a", false, "3 WICKETS", 3},
		{{{4, 0, "0.3"}}, {{4, 0, "0.4"}}, "a", "a", false, "dot ball", 0},
		{{{4, 0, "0.3"}}, {{4, 0, "1"}}, "a", "a", false, "3 dot balls", 0},
		{{{4, 0, "0.3"}}, {{5, 0, "0.3"}}, "a", "a", false, "+1", 0},
		{{{8, 0, "0.4"}}, {{4, 0, "0.4"}}, "a", "a", false, "correction -4", 0},
		{{{8, 1, "0.4"}}, {{8, 0, "0.4"}}, "a", "a", false, "correction", 0},
		{{{186, 5, "20"}}, {{186, 5, "20"}, {0, 0, "0.1"}}, "a", "b", false,
			"innings break", 0},
		{{{186, 5, "20"}}, {{186, 5, "20"}, {4, 0, "0.1"}}, "a", "b", false,
			"innings break, +4", 0},
		{{{186, 5, "20"}}, {{186, 5, "20"}, {0, 1, "0.1"}}, "a", "b", false,
			"innings break, WICKET", 1},
		{{{0, 0, NULL}}, {{0, 0, "0.1"}}, "X opt to bowl", "X opt to bowl", false, "start",
			0},
		{{{0, 0, NULL}}, {{0, 0, NULL}}, "Match not started", "X opt to bowl", false,
			"toss", 0},
		{{{8, 0, "2"}}, {{8, 0, "2"}}, "Day 1: 1st Session - X", "Day 1: Stumps - X", false,
			"stumps", 0},
		{{{8, 0, "2"}}, {{8, 0, "2"}}, "a", "Day 1: Tea - X", false, "tea", 0},
		{{{8, 0, "2"}}, {{8, 0, "2"}}, "a", "Home team won a penalty", false, "status", 0},
		{{{8, 0, "2"}}, {{8, 0, "2"}}, "a", "Rain stops play - X need 25 runs", false,
			"rain", 0},
		{{{8, 0, "2"}}, {{8, 0, "2"}}, "a", "Match tied (Super over in progress)", false,
			"super over", 0},
		{{{8, 0, "2"}}, {{12, 0, "2.1"}}, "a", "X won by 7 wkts", true, "+4, result", 0},
		{{{8, 0, "2"}}, {{8, 0, "2"}}, "a", "No result", true, "result", 0},
		{{{8, 0, "2"}}, {{8, 0, "2"}}, "a", "a", false, "", 0},
	};
	char event[TIMELINE_EVENT_BYTES];
	int64_t wickets;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row before = empty_row(), now = empty_row();
		struct score a, b;

		for (unsigned k = 0; k < 3; k++) {
			if (cases[i].before[k].overs)
				set_innings(&before, k, cases[i].before[k].runs,
					cases[i].before[k].wickets, cases[i].before[k].overs, "");
			if (cases[i].now[k].overs)
				set_innings(&now, k, cases[i].now[k].runs, cases[i].now[k].wickets,
					cases[i].now[k].overs, "");
		}
		before.status = cases[i].status_before;
		now.status = cases[i].status_now;
		before.started = now.started = true;
		now.ended = cases[i].ended;
		score_of(&before, false, &a);
		score_of(&now, false, &b);
		timeline_event(&a, &b, event, &wickets);
		if (strcmp(event, cases[i].event) != 0 || wickets != cases[i].wickets)
			fail_msg("case %zu: '%s' (%lld), not '%s'", i, event, (long long)wickets,
				cases[i].event);
	}
}

static void tells_the_first_state(void **state)
{
	struct row r = empty_row();
	struct score s;
	char event[TIMELINE_EVENT_BYTES];
	int64_t wickets;

	(void)state;
	score_of(&r, false, &s);
	timeline_event(NULL, &s, event, &wickets);
	assert_string_equal(event, "fixture");
	set_innings(&r, 0, 50, 3, "7", "");
	r.started = true;
	score_of(&r, false, &s);
	timeline_event(NULL, &s, event, &wickets);
	assert_string_equal(event, "first state seen");
	assert_int_equal(wickets, 0);
}

static void chases(void **state)
{
	struct row r = empty_row();
	struct score s;
	struct chase c = {0};
	struct chase_need need;

	(void)state;
	r.match_type = "t20";
	set_innings(&r, 0, 188, 5, "20", "A Inning 1");
	score_of(&r, false, &s);
	chase_see(&c, &r, &s, &need);
	assert_int_equal(need.innings, -1);

	set_innings(&r, 1, 76, 1, "8", "B Inning 1"); /* no status that tells: the plain rule */
	score_of(&r, false, &s);
	chase_see(&c, &r, &s, &need);
	assert_int_equal(need.innings, 1);
	assert_int_equal(need.target, 189);
	assert_int_equal(need.runs, 113);
	assert_int_equal(need.balls, 72);
	assert_true(need.rate > 9.41 && need.rate < 9.42);

	r.status = "B need 33 runs in 46 balls"; /* rain: the status knows better */
	score_of(&r, false, &s);
	chase_see(&c, &r, &s, &need);
	assert_int_equal(need.runs, 33);
	assert_int_equal(need.balls, 46);
	assert_int_equal(need.target, 109);

	r.status = "Rain stops play"; /* remembered */
	set_innings(&r, 1, 80, 1, "8.3", "B Inning 1");
	score_of(&r, false, &s);
	chase_see(&c, &r, &s, &need);
	assert_int_equal(need.runs, 29);
	assert_int_equal(need.balls, 43);

	r.status = "B won by 11 runs  -  2nd inns reduced to 8 overs due to rain (DLS Target 81)";
	score_of(&r, false, &s);
	chase_see(&c, &r, &s, &need);
	assert_int_equal(need.target, 81);
}

static void chases_in_a_test(void **state)
{
	struct row r = empty_row();
	struct score s;
	struct chase c = {0};
	struct chase_need need;

	(void)state;
	r.match_type = "test";
	r.team[0] = "Pakistan";
	r.team[1] = "England";
	set_innings(&r, 0, 366, 10, "123.3", "Pakistan Inning 1");
	set_innings(&r, 1, 291, 10, "67.2", "England Inning 1");
	score_of(&r, false, &s);
	chase_see(&c, &r, &s, &need);
	assert_int_equal(need.innings, -1);
	set_innings(&r, 2, 221, 10, "59.2", "Pakistan Inning 2");
	set_innings(&r, 3, 36, 2, "11", "England Inning 2");
	score_of(&r, false, &s);
	chase_see(&c, &r, &s, &need);
	assert_int_equal(need.innings, 3);
	assert_int_equal(need.target, 297);
	assert_int_equal(need.runs, 261);
	assert_int_equal(need.balls, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_kind),
		cmocka_unit_test(tells_the_result),
		cmocka_unit_test(tells_the_sides),
		cmocka_unit_test(tells_events),
		cmocka_unit_test(tells_the_first_state),
		cmocka_unit_test(chases),
		cmocka_unit_test(chases_in_a_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
