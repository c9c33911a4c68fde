/* test_matchfile.c - what the facts of a match become. */
#include "replay/matchfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD                                                                                                \
	"id i1\nseries s1\nname A vs B, 1st Match\ntype t20\nvenue The Ground\nstart 2025-04-16T14:00:00\n" \
	"team B Bees\nteam A Ants\novers 2 of 6\ntoss A bowl\n"
#define HUNDRED                                                               \
	"id i1\nseries s1\nname A vs B\nvenue V\nstart 2025-04-16T00:00:00\n" \
	"team B Bees\nteam A Ants\novers 4 of 5\n"

struct states {
	unsigned count;
	int64_t at_ms[64];
	char row[64][1024];
};

static enum status remember(void *context, int64_t at_ms, struct view row)
{
	struct states *states = context;

	assert_true(states->count < 64);
	assert_true(row.length < sizeof states->row[0]);
	states->at_ms[states->count] = at_ms;
	memcpy(states->row[states->count], row.bytes, row.length);
	states->row[states->count++][row.length] = '\0';
	return STATUS_OK;
}

static void play(const char *text, struct states *out)
{
	struct matchfile *m = malloc(sizeof *m);
	struct why why;

	assert_non_null(m);
	out->count = 0;
	if (matchfile_read(m, text, strlen(text), &why) != STATUS_OK)
		fail_msg("%s", why.text);
	assert_int_equal(matchfile_play(m, remember, out), STATUS_OK);
	free(m);
}

static struct states states;

static const struct {
	const char *comment, *overs, *score;
} innings[] = {
	{"runs and dots", "1: . 1 4", "\"r\":5,\"w\":0,\"o\":0.3"},
	{"an over by its balls", "1: 1 1 1 1 1 1", "\"r\":6,\"w\":0,\"o\":1,"},
	{"a wide is no ball", "1: wd 2wd 1", "\"r\":4,\"w\":0,\"o\":0.1"},
	{"a no-ball hit for six", "1: 7nb .", "\"r\":7,\"w\":0,\"o\":0.1"},
	{"byes are balls", "1: 4lb 2b lb", "\"r\":6,\"w\":0,\"o\":0.3"},
	{"wickets: bowled, run out going for two, stumped off a wide", "1: W 1W wdW",
		"\"r\":2,\"w\":3,\"o\":0.2"},
	{"a miscounted over of five ends when the next begins", "1: 1 1 1 1 1\n2: 1",
		"\"r\":6,\"w\":0,\"o\":1.1"},
	{"seven balls by a slip of the umpire", "1: 1 1 1 1 1 1 1\n2: 1",
		"\"r\":8,\"w\":0,\"o\":1.1"},
	{"penalty runs before and after", "penalty 5\n1: 1\npenalty 5",
		"\"r\":11,\"w\":0,\"o\":0.1"},
};

static void balls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof innings / sizeof innings[0]; i++) {
		char text[1024];

		print_message("%s\n", innings[i].comment);
		snprintf(text, sizeof text, HEAD "innings B\n%s\nresult No result\n",
			innings[i].overs);
		play(text, &states);
		assert_non_null(strstr(states.row[states.count - 1], innings[i].score));
	}
}

static void whole_row(void **state)
{
	(void)state;
	play(HEAD "innings B\n1: 4\nresult No result\n", &states);
	assert_int_equal(states.count, 5); /* scheduled, toss, ball, end of innings, result */
	assert_string_equal(states.row[0],
		"{\"id\":\"i1\",\"name\":\"A vs B, 1st Match\",\"matchType\":\"t20\",\"status\":\"Match not started\","
		"\"venue\":\"The Ground\",\"date\":\"2025-04-16\",\"dateTimeGMT\":\"2025-04-16T14:00:00\","
		"\"teams\":[\"Bees\",\"Ants\"],\"teamInfo\":["
		"{\"name\":\"Ants\",\"shortname\":\"A\",\"img\":\"https://h.cricapi.com/img/icon512.png\"},"
		"{\"name\":\"Bees\",\"shortname\":\"B\",\"img\":\"https://h.cricapi.com/img/icon512.png\"}],"
		"\"series_id\":\"s1\",\"fantasyEnabled\":false,\"bbbEnabled\":false,\"hasSquad\":true,"
		"\"matchStarted\":false,\"matchEnded\":false}");
	assert_non_null(strstr(states.row[1], "\"status\":\"Ants opt to bowl\""));
	assert_non_null(strstr(states.row[1], "\"matchStarted\":true,\"matchEnded\":false"));
	assert_null(strstr(states.row[1], "score"));
	assert_non_null(strstr(states.row[2],
		"\"score\":[{\"r\":4,\"w\":0,\"o\":0.1,\"inning\":\"Bees Inning 1\"}],\"series_id\""));
	assert_non_null(strstr(states.row[2], "\"fantasyEnabled\":true,\"bbbEnabled\":true"));
	assert_non_null(strstr(states.row[4], "\"status\":\"No result\""));
	assert_non_null(strstr(states.row[4], "\"matchEnded\":true"));
}

static void chase_and_super_over(void **state)
{
	static const struct {
		unsigned state;
		int64_t at_s;
		const char *status;
	} wanted[] = {
		{4, 3670, "Ants opt to bowl"},		   /* end of the first innings */
		{5, 4905, "Ants need 4 runs in 11 balls"}, /* 20 min, a ball */
		{6, 5030, "Ants need 4 runs in 10 balls"}, /* a wicket */
		{7, 5065, "Ants need 1 run in 9 balls"},
		{9, 5665, "Match tied (Super over in progress)"},
		{10, 6705, "Match tied (Bees won the super over)"},
	};

	(void)state;
	play(HEAD "innings B\n1: . 4\ninnings A\n1: 1 W 3\nsuper A\n1: 1 1\nsuper B\n1: 2 1\n"
		  "result Match tied (Bees won the super over)\n",
		&states);
	assert_int_equal(states.count, 11);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		char status[128];

		snprintf(status, sizeof status, "\"status\":\"%s\"", wanted[i].status);
		print_message("%s\n", wanted[i].status);
		assert_non_null(strstr(states.row[wanted[i].state], status));
		assert_int_equal(states.at_ms[wanted[i].state], wanted[i].at_s * 1000);
	}
	assert_null(strstr(states.row[10], "\"r\":3,"));
}

static void decided_chase_keeps_its_text(void **state)
{
	(void)state;
	play(HEAD "innings B\n1: 1\ninnings A\n1: . 4\nresult Ants won by 10 wkts\n", &states);
	assert_non_null(strstr(states.row[4], "\"status\":\"Ants need 2 runs in 11 balls\""));
	assert_non_null(strstr(states.row[5], "\"status\":\"Ants need 2 runs in 11 balls\""));
}

static void scores_level(void **state)
{
	(void)state;
	play(HEAD "innings B\n1: 1\ninnings A\ntarget 2 in 0.2\n1: . 1\nresult Match tied\n",
		&states);
	assert_non_null(strstr(states.row[4], "\"status\":\"Ants need 2 runs in 1 ball\""));
	assert_non_null(strstr(states.row[5], "\"status\":\"Scores level\""));
}

static void hundred(void **state)
{
	(void)state;
	play(HUNDRED "innings B\n1: 1 1 1 1 1\n2: 1 wd\nsuper A\n1: 1\nresult Match tied\n",
		&states);
	assert_null(strstr(states.row[0], "matchType"));
	assert_non_null(strstr(states.row[6], "\"o\":5,"));
	assert_non_null(strstr(states.row[8], "\"r\":7,\"w\":0,\"o\":6,"));
	assert_non_null(strstr(states.row[8], "\"bbbEnabled\":false"));
	assert_non_null(strstr(states.row[10], "(Super five in progress)"));
}

static const struct {
	const char *text, *words;
} bad[] = {
	{HEAD "innings B\n1: 4x\nresult r\n", "line 12: no ball: '4x'"},
	{HEAD "innings B\n1: WW\nresult r\n", "line 12: no ball: 'WW'"},
	{HEAD "innings B\n1: 999wd\nresult r\n", "no ball"},
	{HEAD "innings B\n2: 4\nresult r\n", "over 1 is wanted"},
	{HEAD "innings B\n1:\nresult r\n", "without a ball"},
	{HEAD "innings C\n1: 4\nresult r\n", "no team 'C'"},
	{HEAD "1: 4\nresult r\n", "within an innings"},
	{HEAD "colour red\nresult r\n", "no such key: 'colour'"},
	{HEAD "innings B\ntarget 4\nresult r\n", "not 'target"},
	{HEAD "target 4 in 2\nresult r\n", "not 'target"},
	{HEAD "penalty x\nresult r\n", "not 'penalty"},
	{HEAD "team C Cees\nresult r\n", "third team"},
	{HEAD "super B\n1: 1\ninnings A\n1: 1\nresult r\n", "after a super over"},
	{HEAD "venue\nresult r\n", "nothing follows"},
	{HEAD, "result are needed"},
	{"", "are needed"},
	{"id i\nname n\nresult r\nstart 2025\n", "two teams"},
	{"id i\nname n\nresult r\nteam A a\nteam B b\novers 2 of 6\nstart 2025\n", "'start' is no"},
	{"overs 20\n", "not 'overs"},
	{"overs 99999999999 of 6\n", "not 'overs"},
	{"team A a\ninnings A\n", "both teams"},
	{"toss A bowl\n", "no team"},
	{"team A a\ntoss A field\n", "'bat' or 'bowl'"},
};

static void refused(void **state)
{
	struct matchfile *m = malloc(sizeof *m);

	(void)state;
	assert_non_null(m);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct why why = {""};

		print_message("%s\n", bad[i].words);
		assert_int_equal(
			matchfile_read(m, bad[i].text, strlen(bad[i].text), &why), STATUS_BAD_DATA);
		if (!strstr(why.text, bad[i].words))
			fail_msg("'%s' instead", why.text);
	}
	free(m);
}

/* Too many of anything is an error, never an overrun. */
static void ceilings(void **state)
{
	struct matchfile *m = malloc(sizeof *m);
	char text[16384] = HEAD "innings B\n";
	struct why why;

	(void)state;
	assert_non_null(m);
	for (int over = 1; over <= 90; over++)
		sprintf(text + strlen(text), "%d: 1 1 1 1 1 1\n", over);
	assert_int_equal(matchfile_read(m, text, strlen(text), &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "more than 512 balls"));
	strcpy(text, HEAD);
	for (int i = 0; i < 9; i++)
		strcat(text, "innings B\n");
	assert_int_equal(matchfile_read(m, text, strlen(text), &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "more than 8 innings"));
	strcpy(text, "venue ");
	memset(text + 6, 'v', 120);
	text[126] = '\0';
	assert_int_equal(matchfile_read(m, text, strlen(text), &why), STATUS_BAD_DATA);
	memset(text, 'x', 500);
	assert_int_equal(matchfile_read(m, text, 500, &why), STATUS_BAD_DATA);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balls),
		cmocka_unit_test(whole_row),
		cmocka_unit_test(chase_and_super_over),
		cmocka_unit_test(decided_chase_keeps_its_text),
		cmocka_unit_test(scores_level),
		cmocka_unit_test(hundred),
		cmocka_unit_test(refused),
		cmocka_unit_test(ceilings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
