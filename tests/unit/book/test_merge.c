/* test_merge.c - one clean Timeline from any interleaving of runs. */
#include "book/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* A script: "run:state" words in Timeline order; the rows that come out, as one word of states.
 * "3<1:A" is a state of run 3 that follows run 1's last. Times are a second apart, or ten minutes
 * after a "|". */
static void play(const char *script, char *rows)
{
	struct merge m;
	uint64_t seq[10] = {0};
	int64_t at_us = 1000000000;

	memset(&m, 0, sizeof(m));
	*rows = '\0';
	for (const char *p = script; *p; p++) {
		struct journal_record r;

		if (*p == ' ')
			continue;
		if (*p == '|') {
			at_us += 600000000;
			continue;
		}
		memset(&r, 0, sizeof(r));
		int run = *p - '0';

		if (run > 0) {
			r.self.run[0] = (uint8_t)run;
			r.self.seq = ++seq[run];
			r.prev = (struct identity){.seq = seq[run] - 1};
			r.prev.run[0] = r.self.run[0];
			if (seq[run] == 1)
				memset(&r.prev, 0, sizeof(r.prev));
		}
		if (p[1] == '<') {
			p += 2;
			r.prev.run[0] = (uint8_t)(*p - '0');
			r.prev.seq = seq[*p - '0'];
		}
		p += 2;
		r.body = view_of(p, 1);
		r.order_us = at_us += 1000000;
		if (merge_is_row(&m, &r))
			strncat(rows, p, 1);
	}
}

static void merges(void **state)
{
	static const struct {
		const char *script, *rows, *why;
	} cases[] = {
		{"1:A 1:B 1:C", "ABC", "one run"},
		{"1:A 1:B 1:A", "ABA", "a state that returns"},
		{"1:A 1:A 1:B 1:B", "AB", "publish=all"},
		{"1:A 2:A 1:B 2:B 1:C 2:C", "ABC", "two boxes in step"},
		{"1:A 1:B 1:C 2:A 2:B 2:C 1:D 2:D", "ABCD", "one lags"},
		{"1:A 1:B 2:A 1:A 2:B 1:B 2:A 2:B", "ABAB", "a state that returns, twice seen"},
		{"1:A 2:B 1:B 2:C 1:C 1:D", "ABCD", "the other is ahead"},
		{"1:A 2:A 1:C 2:B", "ACB", "what only one has seen is a row"},
		{"1:A 1:B 2<1:C 2:D", "ABCD", "a restart that kept its state"},
		{"1:A 1:B 2<1:A 2:B", "ABAB", "a restart, and the state returns"},
		{"1:A 1:B 1:C 2:C 2:D", "ABCD", "a producer whose state was wiped"},
		{"1:A 1:B | 2:A 2:C", "ABAC", "a stranger, long after"},
		{"0:A 0:B 0:B 0:A", "ABA", "without headers: against the row before"},
		{"1:A 2:A 3:A 1:B 3:B 2:B 3:C 2:C 1:C", "ABC", "three boxes"},
	};
	char rows[100];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		play(cases[i].script, rows);
		if (strcmp(rows, cases[i].rows) != 0)
			fail_msg("%s: %s, not %s", cases[i].why, rows, cases[i].rows);
	}
}

/* Two boxes, 5,000 states, any lag up to 60 states. */
static void merges_a_long_match(void **state)
{
	static struct merge m;
	unsigned next[2] = {0, 0}, rows = 0, dice = 1;
	char body[16];

	(void)state;
	memset(&m, 0, sizeof(m));
	while (next[0] < 5000 || next[1] < 5000) {
		int box = (int)((dice = dice * 1103515245 + 12345) >> 16 & 1);

		if (next[box] >= 5000 || next[box] > next[1 - box] + 60)
			box = 1 - box;
		struct journal_record r = {
			.self = {.seq = next[box] + 1}, .order_us = 1000000000 + rows * 1000000ll};

		r.self.run[0] = (uint8_t)(box + 1);
		r.body = view_of(body, (size_t)snprintf(body, sizeof(body), "%u", next[box]++));
		rows += merge_is_row(&m, &r);
	}
	assert_int_equal(rows, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges), cmocka_unit_test(merges_a_long_match)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
