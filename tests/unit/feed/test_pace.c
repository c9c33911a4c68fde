/* test_pace.c - when to sweep next: quota, blocks, what is live, jumping clocks. */
#include "feed/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define S ((int64_t)1000 * 1000)
#define M (60 * S)
#define H (60 * M)
#define D (24 * H)

static const int64_t noon = 20000 * D + 12 * H; /* some day in 2024 */
static const struct pace_settings by_itself = {.automatic = true, .min_ms = 15000};

static struct pace after_sweep(
	unsigned live, unsigned pages, int64_t today, int64_t limit, int64_t now)
{
	struct pace p;

	pace_init(&p);
	pace_quota(&p, today, limit, 1, now);
	pace_sweep_begin(&p);
	for (unsigned i = 0; i < live; i++)
		pace_sweep_match(&p, &(struct pace_match){.started = true}, now);
	pace_sweep_end(&p, pages, now);
	return p;
}

static int64_t wait_s(const struct pace *p, const struct pace_settings *s, int64_t now)
{
	struct pace_plan plan;

	pace_next(p, s, now, &plan);
	assert_true(plan.wait_ms >= 0);
	assert_true(plan.at_us == now + plan.wait_ms * 1000);
	return plan.wait_ms / 1000;
}

static void phases_do_not_trust_flags_alone(void **state)
{
	static const struct {
		struct pace_match m;
		enum pace_phase phase;
		const char *comment;
	} cases[] = {
		{{.ended = true, .started = true}, PACE_ENDED, "over"},
		{{.started = true, .changed_us = 0}, PACE_LIVE, "changed in this sweep"},
		{{.started = true, .changed_us = noon - 2 * H}, PACE_LIVE, "changed two hours ago"},
		{{.started = true, .changed_us = noon - 4 * H}, PACE_UPCOMING,
			"rain for four hours"},
		{{.started = true, .is_test = true, .changed_us = noon - 15 * H}, PACE_LIVE,
			"a Test overnight"},
		{{.started = true, .is_test = true, .changed_us = noon - 17 * H}, PACE_UPCOMING,
			"a Test's day lost"},
		{{.started = true, .changed_us = noon - 49 * H}, PACE_ENDED,
			"unchanged for two days"},
		{{.started = true, .is_test = true, .changed_us = noon - 49 * H}, PACE_UPCOMING,
			"a Test may wait"},
		{{.started = true, .is_test = true, .changed_us = noon - 7 * D}, PACE_ENDED,
			"not for ever"},
		{{.started = true, .start_us = noon - 36 * D}, PACE_ENDED, "stuck, new to us"},
		{{.start_us = noon + 20 * M, .start_time_known = true}, PACE_LIVE,
			"about to start"},
		{{.start_us = noon - 20 * M, .start_time_known = true}, PACE_LIVE, "late to start"},
		{{.start_us = noon + 40 * M, .start_time_known = true}, PACE_UPCOMING, "not yet"},
		{{.start_us = noon + 20 * M}, PACE_UPCOMING, "the time is not known"},
		{{.start_us = noon + 60 * D, .start_time_known = true, .changed_us = noon - 30 * D},
			PACE_UPCOMING, "fixtures do not change"},
		{{.start_us = noon - 3 * D, .start_time_known = true}, PACE_ENDED, "never started"},
		{{.started = false}, PACE_UPCOMING, "nothing known"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (pace_phase_of(&cases[i].m, noon) != cases[i].phase)
			fail_msg("%s", cases[i].comment);
	}
}

static void the_quota_is_spread_to_the_reset(void **state)
{
	static const struct {
		unsigned live, pages;
		int64_t today, limit, wait_s;
		const char *comment;
	} cases[] = {
		{1, 1, -1, -1, 15, "no quota: as fast as allowed"},
		{0, 1, -1, -1, 3600, "no quota, nothing live"},
		{1, 1, 0, 1000000, 15, "plenty: never below the least"},
		{1, 1, 35, 100, 720, "12 h, 60 beyond the reserve of 5"},
		{1, 3, 35, 100, 2160, "three pages a sweep"},
		{0, 3, 35, 100, 3600, "nothing live: an hour"},
		{0, 3, 65, 100, 4320, "nothing live, but the quota says longer"},
		{1, 3, 92, 100, 43200, "one sweep left: spread, too"},
		{1, 4, 92, 100, 43200, "not enough for a sweep: the reset"},
		{1, 1, 95, 100, 43200, "only the reserve is left"},
		{1, 1, 114, 100, 43200, "more than all used"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pace p = after_sweep(
			cases[i].live, cases[i].pages, cases[i].today, cases[i].limit, noon);
		int64_t wait = wait_s(&p, &by_itself, noon);

		if (wait != cases[i].wait_s)
			fail_msg("%s: %" PRId64, cases[i].comment, wait);
	}
}

static void a_dear_request_counts_by_its_hits(void **state)
{
	struct pace p = after_sweep(1, 1, 35, 100, noon);

	(void)state;
	pace_quota(&p, 35, 100, 10, noon);
	assert_int_equal(wait_s(&p, &by_itself, noon), 7200);
	assert_int_equal(pace_sweeps_per_day(&p), 9);
	p.hits_used = 1;
	p.pages_per_sweep = 3;
	assert_int_equal(pace_sweeps_per_day(&p), 31);
	p.hits_limit = -1;
	assert_int_equal(pace_sweeps_per_day(&p), 0);
}

static void a_known_start_ends_the_sleep(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p);
	pace_sweep_begin(&p);
	pace_sweep_match(&p,
		&(struct pace_match){.start_us = noon + 50 * M, .start_time_known = true}, noon);
	pace_sweep_match(&p,
		&(struct pace_match){.start_us = noon + 90 * M, .start_time_known = true}, noon);
	pace_sweep_end(&p, 1, noon);
	assert_int_equal(wait_s(&p, &by_itself, noon), 20 * 60);
	assert_int_equal(wait_s(&p, &by_itself, noon + 5 * M), 15 * 60);
	assert_int_equal(wait_s(&p, &by_itself, noon + 25 * M), 0);
	/* A day whose hour is not known: look more often. */
	pace_sweep_begin(&p);
	pace_sweep_match(&p, &(struct pace_match){.start_us = noon - 12 * H}, noon);
	pace_sweep_end(&p, 1, noon);
	assert_int_equal(p.upcoming_soon, 1);
	assert_int_equal(wait_s(&p, &by_itself, noon), 20 * 60);
}

static void a_broken_sweep_leaves_the_last_figures(void **state)
{
	struct pace p = after_sweep(2, 3, -1, -1, noon);

	(void)state;
	pace_sweep_begin(&p);
	pace_sweep_failed(&p);
	assert_int_equal(p.live, 2);
	assert_int_equal(p.pages_per_sweep, 3);
}

static void failures_back_off(void **state)
{
	static const int64_t without_quota[] = {15, 30, 60, 60, 60, 60};
	static const int64_t with_quota[] = {15, 30, 60, 720, 720, 720};
	static const int64_t fixed[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct pace_settings at_once = {.fixed_ms = 0};
	struct pace p = after_sweep(1, 1, -1, -1, noon), q = after_sweep(1, 1, 35, 100, noon);

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		pace_sweep_failed(&p);
		pace_sweep_failed(&q);
		assert_int_equal(wait_s(&p, &by_itself, noon), without_quota[i]);
		assert_int_equal(wait_s(&q, &by_itself, noon), with_quota[i]);
	}
	pace_sweep_end(&p, 1, noon);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(wait_s(&p, &at_once, noon), i ? fixed[i - 1] : 0);
		pace_sweep_failed(&p);
	}
}

static void a_fixed_interval_ignores_the_quota(void **state)
{
	struct pace_settings minute = {.fixed_ms = 60000};
	struct pace p = after_sweep(1, 5, 100, 100, noon);

	(void)state;
	assert_int_equal(wait_s(&p, &minute, noon), 60);
	assert_int_equal(wait_s(&p, &minute, noon + 45 * S), 15);
	assert_int_equal(wait_s(&p, &minute, noon + 2 * H), 0);
	pace_block(&p, noon, 15 * 60000, "Blocked for 15 minutes");
	assert_int_equal(wait_s(&p, &minute, noon), 900);
}

static void blocks_are_obeyed_by_all(void **state)
{
	struct pace_settings sweeps = {.automatic = true, .min_ms = 15000, .ignore_pace = true};
	struct pace p = after_sweep(1, 5, 100, 100, noon), again;
	struct pace_plan plan;
	char text[512];

	(void)state;
	assert_int_equal(wait_s(&p, &sweeps, noon), 0);
	pace_block(&p, noon, 15 * 60000, "Blocked for\n15 minutes");
	pace_block(&p, noon, 5 * 60000, "shorter");
	pace_next(&p, &sweeps, noon + M, &plan);
	assert_int_equal(plan.wait_ms, 14 * 60000);
	assert_string_equal(plan.why, "blocked: Blocked for 15 minutes");
	pace_save(&p, text, sizeof text);
	pace_load(&again, text);
	assert_int_equal(wait_s(&again, &sweeps, noon + M), 14 * 60);
	assert_int_equal(wait_s(&again, &sweeps, noon + 15 * M), 0);
	/* A clock that went back a year does not make a year of it. */
	assert_int_equal(wait_s(&p, &sweeps, noon - 365 * D), 86400);
}

static void reasons_tell_how_long(void **state)
{
	static const struct {
		const char *reason;
		int64_t s;
	} cases[] = {
		{"Blocked for 15 minutes", 900},
		{"blocked for 2 hours", 7200},
		{"BLOCKED: 30 seconds", 30},
		{"Blocking since hits today exceeded hits limit", 12 * 3600},
		{"hits today exceeded hits limit", 12 * 3600},
		{"Invalid API Key", 0},
		{"", 0},
		{"limit", 0},
		{"Blocked for 0 minutes", 0},
		{"Blocked for 99999999999999999999 minutes", 0},
		{"blocked for 9999 hours", 86400},
	};
	struct pace p;

	(void)state;
	pace_init(&p);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t ms = pace_block_of_reason(&p, cases[i].reason, noon);

		if (ms != cases[i].s * 1000)
			fail_msg("%s: %" PRId64, cases[i].reason, ms);
	}
}

static void a_guessed_reset_that_fails_is_tried_hourly(void **state)
{
	static const char reason[] = "Blocking since hits today exceeded hits limit";
	int64_t midnight = noon + 12 * H;
	struct pace p;

	(void)state;
	pace_init(&p);
	pace_block(&p, noon, pace_block_of_reason(&p, reason, noon), reason);
	assert_true(p.blocked_until_us == midnight);
	for (int hour = 0; hour < 5; hour++) {
		int64_t now = midnight + hour * H + S;

		assert_int_equal(pace_block_of_reason(&p, reason, now), 3600 * 1000);
		pace_block(&p, now, 3600 * 1000, reason);
		midnight += S;
	}
	/* Once learnt, it is believed. */
	p.reset_learnt = true;
	assert_true(pace_block_of_reason(&p, reason, noon + 13 * H) > 3600 * 1000);
}

static void the_reset_is_learnt_when_hits_fall(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p);
	pace_quota(&p, 90, 100, 1, noon);
	pace_quota(&p, 89, 100, 1, noon + M);
	assert_false(p.reset_learnt);
	pace_quota(&p, 92, 100, 1, noon + H);
	pace_quota(&p, 1, 100, 1, noon + H + 30 * M);
	assert_true(p.reset_learnt);
	assert_true(p.reset_us_of_day == 13 * H + 30 * M);
	/* Next day it falls within a span that holds the belief: that stands. */
	pace_quota(&p, 80, 100, 1, noon + D + H);
	pace_quota(&p, 2, 100, 1, noon + D + 3 * H);
	assert_true(p.reset_us_of_day == 13 * H + 30 * M);
	/* A span of more than a day says nothing. */
	pace_init(&p);
	pace_quota(&p, 90, 100, 1, noon);
	pace_quota(&p, 1, 100, 1, noon + 2 * D);
	assert_false(p.reset_learnt);
	/* The default is confirmed. */
	pace_init(&p);
	pace_quota(&p, 90, 100, 1, noon + 11 * H);
	pace_quota(&p, 1, 100, 1, noon + 13 * H);
	assert_true(p.reset_learnt && p.reset_us_of_day == 0);
}

static void figures_from_before_the_reset_are_stale(void **state)
{
	struct pace p = after_sweep(1, 1, 100, 100, noon);

	(void)state;
	assert_int_equal(wait_s(&p, &by_itself, noon), 12 * 3600);
	assert_int_equal(wait_s(&p, &by_itself, noon + 12 * H + S), 0);
}

static void the_first_sweep_of_all_is_due_at_once(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p);
	assert_int_equal(wait_s(&p, &by_itself, noon), 0);
}

static void a_restart_waits_out_what_was_left(void **state)
{
	struct pace p = after_sweep(1, 1, 35, 100, noon), again;
	char text[512];

	(void)state;
	pace_save(&p, text, sizeof text);
	pace_load(&again, text);
	assert_int_equal(wait_s(&again, &by_itself, noon + 5 * M), (12 * 3600 - 300) / 60 - 300);
	assert_int_equal(wait_s(&again, &by_itself, noon + 5 * H), 0);
}

static void clocks_that_jump_make_no_burst(void **state)
{
	struct pace p = after_sweep(1, 1, -1, -1, noon);

	(void)state;
	/* Back: not longer than the interval. Forward: one sweep at once, and the next as ever. */
	assert_int_equal(wait_s(&p, &by_itself, noon - 400 * D), 15);
	assert_int_equal(wait_s(&p, &by_itself, noon + 400 * D), 0);
	pace_sweep_begin(&p);
	pace_sweep_end(&p, 1, noon + 400 * D);
	assert_int_equal(wait_s(&p, &by_itself, noon + 400 * D), 3600);
}

static void the_text_form_takes_anything(void **state)
{
	struct pace p, q;
	char text[512], small[10];

	(void)state;
	pace_load(&p, "");
	assert_int_equal(p.hits_limit, -1);
	pace_load(&p,
		"today=5 new=7 limit=x pages=0 reset=-5 live=99999999999 garbage until=12 why=a b=c");
	assert_int_equal(p.hits_today, 5);
	assert_int_equal(p.pages_per_sweep, 1);
	assert_int_equal(p.reset_us_of_day, 0);
	assert_int_equal(p.live, 0);
	assert_string_equal(p.blocked_why, "a b=c");
	p = after_sweep(3, 2, 35, 100, noon);
	pace_save(&p, text, sizeof text);
	pace_load(&q, text);
	assert_int_equal(q.live, 3);
	assert_int_equal(q.pages_per_sweep, 2);
	assert_true(q.swept_us == noon && q.hits_seen_us == noon && q.hits_today == 35 &&
		    q.hits_limit == 100);
	pace_save(&p, small, sizeof small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phases_do_not_trust_flags_alone),
		cmocka_unit_test(the_quota_is_spread_to_the_reset),
		cmocka_unit_test(a_dear_request_counts_by_its_hits),
		cmocka_unit_test(a_known_start_ends_the_sleep),
		cmocka_unit_test(a_broken_sweep_leaves_the_last_figures),
		cmocka_unit_test(failures_back_off),
		cmocka_unit_test(a_fixed_interval_ignores_the_quota),
		cmocka_unit_test(blocks_are_obeyed_by_all),
		cmocka_unit_test(reasons_tell_how_long),
		cmocka_unit_test(a_guessed_reset_that_fails_is_tried_hourly),
		cmocka_unit_test(the_reset_is_learnt_when_hits_fall),
		cmocka_unit_test(figures_from_before_the_reset_are_stale),
		cmocka_unit_test(the_first_sweep_of_all_is_due_at_once),
		cmocka_unit_test(a_restart_waits_out_what_was_left),
		cmocka_unit_test(clocks_that_jump_make_no_burst),
		cmocka_unit_test(the_text_form_takes_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
