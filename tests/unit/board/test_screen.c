/* test_screen.c - the status screen fits a terminal, whatever there is to say. */
#include "board/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct screen screen;

static void fits(const struct screen *s)
{
	unsigned lines = 0;

	assert_int_equal(strlen(s->text), s->length);
	for (const char *at = s->text; *at; lines++) {
		size_t n = strcspn(at, "\n"), columns = 0;

		assert_int_equal(at[n], '\n');
		for (size_t i = 0; i < n; i++)
			columns += ((unsigned char)at[i] & 0xC0) != 0x80;
		if (columns > SCREEN_COLUMNS)
			fail_msg("%zu columns: %.*s", columns, (int)n, at);
		at += n + 1;
	}
	assert_int_equal(lines, s->lines);
	assert_true(lines <= SCREEN_LINES);
}

static void has(const char *text)
{
	if (!strstr(screen.text, text))
		fail_msg("'%s' is not in\n%s", text, screen.text);
}

static struct situation usual(void)
{
	struct situation s = {.version = "1.2.3",
		.slot = 'a',
		.wall_us = 1795912859000000,
		.up_ms = 7200000,
		.supervised_ms = 7190000,
		.net = "eth0 192.168.1.7/24",
		.clock = "set by pool.ntp.org",
		.stick_word = "ok",
		.stick = "vfat /dev/sda1 \"KINGSTON\"",
		.memory_kib = 950000,
		.memory_used_kib = 50000,
		.consumes = true,
		.phase = SERVICE_RUNS,
		.ready = true,
		.runs = 1,
		.ran_ms = 7100000,
		.status_known = true};

	s.status = (struct service_status){.mode = "both",
		.running = true,
		.polls = true,
		.reads = true,
		.poll = {.last_us = 1795912850000000,
			.next_us = 1795912900000000,
			.outcome = "ok: 3 pages, 61 rows, 2 new",
			.next_why = "live matches"},
		.spool = {.rows = 1, .bytes = 33554432, .max_bytes = 67108864},
		.kafka = {.connected = true},
		.consumer = {.reading = true},
		.journal = {.records = 61, .matches = 1},
		.stick = {.state = "ok"},
		.books = {.last = "2026-11-28_India-vs-England.xlsx", .last_us = 1795800000000000}};
	return s;
}

static void all_well(void **state)
{
	struct situation s = usual();

	(void)state;
	screen_compose(&screen, &s);
	fits(&screen);
	has("scorebox 1.2.3, slot a");
	has("2026-11-29 00:40:59 UTC\n");
	has("Network    eth0 192.168.1.7/24\n");
	has("API        00:40:50 ok: 3 pages, 61 rows, 2 new\n");
	has("next poll 00:41:40: live matches\n");
	has("Spool      1 row for Kafka, 50% full\n");
	has("Kafka      connected\n");
	has("Reading    reads, last record never\n");
	has("Journal    61 records of 1 match,");
	has("Stick      ok vfat /dev/sda1 \"KINGSTON\"\n");
	has("Workbooks  0 wait; last 2026-11-27 17:20:00 2026-11-28_India"); /* another day */
	has("Memory     48 of 927 MiB used\n");
	has("LED        all well: 1 short flash every 3 s\n");
	has("To do      Nothing.\n");
	assert_null(strstr(screen.text, "Last error"));
}

static void the_daemon_s_troubles(void **state)
{
	struct situation s = usual();

	(void)state;
	s.phase = SERVICE_RESTS;
	s.exit_code = 137;
	s.next_start_ms = 4000;
	s.status_known = false;
	screen_compose(&screen, &s);
	has("Service    it was ended by signal 9; started again in 4 s");
	has("service down: 8 flashes");
	s.exit_code = 78;
	s.settings_wrong = true;
	s.errors = SITUATION_ERRORS;
	for (int i = 0; i < SITUATION_ERRORS; i++)
		memset(s.error[i], 'a' + i, NOTE_BYTES - 1);
	s.bad_lines = 1;
	snprintf(s.update, sizeof s.update, "something");
	screen_compose(&screen, &s);
	fits(&screen);
	has("its settings are wrong");
	has("scorebox.env");
	has("Wrong      aaaa");
	has("           dddd");
	has("name what is wrong.\n");
	s = usual();
	s.hung_ms = 31000;
	screen_compose(&screen, &s);
	has("hangs: no sign of life for 31 s");
	s = usual();
	s.phase = SERVICE_RESTS;
	s.runs = 0;
	s.waits_for_clock = true;
	s.next_start_ms = 120000;
	screen_compose(&screen, &s);
	has("waits for the clock, at most 2 min more");
}

static void a_trial(void **state)
{
	struct situation s = usual();

	(void)state;
	s.trial_boot = true;
	s.trial = TRIAL_HEALTHY;
	s.healthy_ms = 60000;
	s.confirm_ms = 300000;
	screen_compose(&screen, &s);
	has("slot a (on trial)");
	has("on trial: healthy for 60 s, confirmed after 5 min");
	has("update trial: long flashes");
}

/* Everything is away, and every text as long as it can be. */
static void the_worst_case_fits(void **state)
{
	struct situation s = usual();

	(void)state;
#define FILL(text) memset(text, 'w', sizeof(text) - 1)
	FILL(s.version);
	FILL(s.net);
	FILL(s.clock);
	FILL(s.update);
	FILL(s.stick);
	FILL(s.stick_word);
	FILL(s.bad_line);
	FILL(s.last_error);
	FILL(s.status.mode);
	FILL(s.status.poll.outcome);
	FILL(s.trouble);
	FILL(s.status.poll.next_why);
	FILL(s.status.kafka.reason);
	FILL(s.status.consumer.reason);
	FILL(s.status.stick.state);
	FILL(s.status.books.last);
	s.bad_lines = UINT32_MAX;
	s.status.spool.rows = s.status.spool.bytes = s.status.spool.dropped = INT64_MAX;
	s.status.spool.max_bytes = 1;
	s.status.journal.records = s.status.journal.matches = s.status.journal.waiting = INT64_MAX;
	s.status.journal.bytes = s.status.journal.max_bytes = INT64_MAX;
	for (int word = 0; word < 2; word++) {
		for (int i = 0; i < BOX_STATES; i++) {
			s.trial = i & 1 ? TRIAL_HEALTHY : TRIAL_NONE;
			s.status.poll.failing = i & 2;
			s.hung_ms = i & 4 ? 1000 : 0;
			s.settings_wrong = i & 8;
			screen_compose(&screen, &s);
			fits(&screen);
			has("\nTo do      "); /* what matters most is never what is cut off */
		}
		/* Again with characters of two bytes. */
		for (size_t k = 0; k + 2 < sizeof s.status.kafka.reason; k += 2)
			memcpy(s.status.kafka.reason + k, "ü", 2);
		for (size_t k = 0; k + 2 < sizeof s.update; k += 2)
			memcpy(s.update + k, "ü", 2);
	}
}

static void what_to_do_is_never_cut(void **state)
{
	struct situation s = usual();

	(void)state;
	for (int i = 0; i < BOX_STATES; i++) {
		const char *todo = led_patterns[i].todo, *last = strrchr(todo, ' ');

		s.settings_wrong = i == BOX_NO_SETTINGS;
		s.status.poll.failing = i == BOX_API_AWAY;
		s.status.consumer.reading = i != BOX_KAFKA_AWAY;
		s.status.kafka.connected = i != BOX_KAFKA_AWAY;
		snprintf(s.status.stick.state, sizeof s.status.stick.state, "%s",
			i == BOX_STICK_AWAY ? "full" : "ok");
		snprintf(s.net, sizeof s.net, "%s", i == BOX_NO_NETWORK ? "" : "eth0");
		snprintf(s.clock, sizeof s.clock, "%s", i == BOX_NO_CLOCK ? "" : "set");
		snprintf(s.trouble, sizeof s.trouble, "%s",
			i == BOX_CARD_BAD ? "nothing could be saved" : "");
		s.trial = i == BOX_TRIAL ? TRIAL_WAITS : TRIAL_NONE;
		s.hung_ms = i == BOX_SERVICE_DOWN;
		s.phase = i == BOX_BOOTING ? SERVICE_ENDS : SERVICE_RUNS;
		assert_int_equal(situation_state(&s), i);
		screen_compose(&screen, &s);
		has(last ? last + 1 : todo);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_well),
		cmocka_unit_test(the_daemon_s_troubles),
		cmocka_unit_test(a_trial),
		cmocka_unit_test(the_worst_case_fits),
		cmocka_unit_test(what_to_do_is_never_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
