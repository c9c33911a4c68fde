/* test_situation.c - which state is the most urgent, and the notes it is made of. */
#include "board/situation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct situation well_one(void)
{
	struct situation s = {.supervised_ms = 100000,
		.net = "eth0 1.2.3.4/24",
		.clock = "set",
		.stick_word = "ok",
		.consumes = true,
		.phase = SERVICE_RUNS,
		.ready = true,
		.runs = 1,
		.ran_ms = 90000,
		.status_known = true};

	s.status = (struct service_status){.running = true,
		.polls = true,
		.reads = true,
		.poll.last_us = 1,
		.kafka.connected = true,
		.consumer.reading = true,
		.stick.state = "ok"};
	return s;
}

static void expect(const struct situation *s, enum box_state state, const char *comment)
{
	enum box_state got = situation_state(s);

	if (got != state)
		fail_msg("%s: %s, not %s", comment, led_patterns[got].name,
			led_patterns[state].name);
}

/* Each trouble hides those that come after it in the order of urgency. */
static void the_most_urgent_one_is_shown(void **state)
{
	struct situation s = well_one();

	(void)state;
	expect(&s, BOX_WELL, "well");
	s.trial = TRIAL_HEALTHY;
	expect(&s, BOX_TRIAL, "trial");
	snprintf(s.status.stick.state, sizeof s.status.stick.state, "full");
	expect(&s, BOX_STICK_AWAY, "stick");
	s.status.consumer.reading = false;
	expect(&s, BOX_KAFKA_AWAY, "Kafka");
	s.status.poll.failing = true;
	expect(&s, BOX_API_AWAY, "API");
	s.hung_ms = 31000;
	expect(&s, BOX_SERVICE_DOWN, "hangs");
	*s.clock = '\0';
	expect(&s, BOX_NO_CLOCK, "clock");
	*s.net = '\0';
	expect(&s, BOX_NO_NETWORK, "network");
	s.settings_wrong = true;
	expect(&s, BOX_NO_SETTINGS, "settings");
}

static void booting_ends(void **state)
{
	struct situation s = {.supervised_ms = BOOTING_MS - 1};

	(void)state;
	expect(&s, BOX_BOOTING, "nothing is known yet");
	s.supervised_ms++;
	expect(&s, BOX_NO_NETWORK, "then the reason is told");
	s.supervised_ms = 1000;
	s.settings_wrong = true;
	expect(&s, BOX_NO_SETTINGS, "a reason that is known comes at once");
	s = well_one();
	s.supervised_ms = 1000;
	expect(&s, BOX_WELL, "up in a second");
}

static void a_service_that_does_not_stay_up(void **state)
{
	struct situation s = well_one();

	(void)state;
	s.phase = SERVICE_RESTS;
	s.ready = s.status_known = false;
	expect(&s, BOX_SERVICE_DOWN, "between two runs");
	s.phase = SERVICE_RUNS;
	s.runs = 2;
	expect(&s, BOX_SERVICE_DOWN, "started again, not ready");
	s.ready = true;
	expect(&s, BOX_WELL, "ready");
	s.phase = SERVICE_ENDS;
	expect(&s, BOX_BOOTING, "told to end");
}

static void kafka_and_stick(void **state)
{
	struct situation s = well_one();

	(void)state;
	s.status.kafka.connected = false;
	s.ran_ms = KAFKA_PATIENCE_MS - 1;
	expect(&s, BOX_WELL, "it may connect");
	s.ran_ms++;
	expect(&s, BOX_KAFKA_AWAY, "it does not");
	s.ran_ms = 0;
	snprintf(s.status.kafka.reason, sizeof s.status.kafka.reason, "refused");
	expect(&s, BOX_KAFKA_AWAY, "it says why");
	s = well_one();
	snprintf(s.status.stick.state, sizeof s.status.stick.state, "none");
	expect(&s, BOX_WELL, "no stick is wanted");
	s.status_known = false;
	snprintf(s.stick_word, sizeof s.stick_word, "absent");
	expect(&s, BOX_STICK_AWAY, "the box knows it before the service");
	s.consumes = false;
	expect(&s, BOX_WELL, "without workbooks it is nothing");
}

static void the_key_is_of_states_only(void **state)
{
	struct situation s = well_one();
	uint64_t key = situation_key(&s);

	(void)state;
	s.up_ms = s.wall_us = s.ran_ms = s.memory_used_kib = 12345;
	s.status.poll.last_us = s.status.poll.next_us = s.status.spool.rows = 99;
	s.status.journal.records = 5;
	snprintf(s.status.kafka.reason, sizeof s.status.kafka.reason, "after 3 ms");
	assert_true(situation_key(&s) == key);
	s.status.kafka.connected = false;
	assert_true(situation_key(&s) != key);
	s = well_one();
	snprintf(s.net, sizeof s.net, "eth0 1.2.3.5/24");
	assert_true(situation_key(&s) != key);
	s = well_one();
	snprintf(s.update, sizeof s.update, "written");
	assert_true(situation_key(&s) != key);
	s = well_one();
	s.trial = TRIAL_WAITS;
	assert_true(situation_key(&s) != key);
}

/* ---- files ---- */

static char root[PATH_MAX];
static struct places places;

static int make_root(void **state)
{
	static const char *const folders[] = {
		"/etc", "/etc/scorebox", "/proc", "/run", "/run/scorebox"};
	char path[PATH_MAX + 40];

	(void)state;
	snprintf(root, sizeof root, "/tmp/scorebox-situation-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, sizeof path, "%s%s", root, folders[i]);
		if (mkdir(path, 0755))
			return -1;
	}
	return places_init(&places, root, NULL) == STATUS_OK ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[PATH_MAX + 20];

	(void)state;
	places_done(&places);
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static void put(enum place place, const char *text)
{
	FILE *f = fopen(places.at[place], "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void this_boot(void **state)
{
	static const struct {
		const char *line;
		char slot;
		bool trial, off;
	} cases[] = {
		{"console=ttyS1 scorebox.slot=b scorebox.trial=1\n", 'b', true, false},
		{"scorebox.slot=a scorebox.trial=0 scorebox.watchdog=off", 'a', false, true},
		{"quiet", '?', false, false},
		{"xscorebox.slot=a scorebox.slot=ab scorebox.trial=10", '?', false, false},
	};
	struct situation s = {.slot = 0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put(PLACE_CMDLINE, cases[i].line);
		situation_of_boot(&s, &places);
		if (s.slot != cases[i].slot || s.trial_boot != cases[i].trial ||
			s.watchdog_off != cases[i].off)
			fail_msg("%s", cases[i].line);
	}
	assert_string_equal(s.version, SCOREBOX_VERSION);
	put(PLACE_RELEASE, "BOARD=rpi-arm64\r\nVERSION=1.22.3\r\nBUILT=5\r\n");
	situation_of_boot(&s, &places);
	assert_string_equal(s.version, "1.22.3");
}

static void notes(void **state)
{
	struct situation s = {.slot = 0};

	(void)state;
	situation_of_now(&s, &places);
	assert_string_equal(s.net, "");
	assert_string_equal(s.clock, "");
	assert_string_equal(s.stick_word, "");
	assert_int_equal(s.bad_lines, 0);
	assert_int_equal(s.memory_kib, 0);
	put(PLACE_NET, "eth0 192.168.1.7/24\nmore");
	put(PLACE_CLOCK, "");
	put(PLACE_STICK_NOTE, "read-only vfat /dev/sda1 \"KING\033STON\"\n");
	put(PLACE_SETTINGS_LOG, "line 3: expected NAME=value\nline 9: SCOREBOX_FOO is unknown\n");
	put(PLACE_MEMINFO,
		"MemTotal:         950000 kB\nMemFree:   800 kB\nMemAvailable:     900000 kB\n");
	situation_of_now(&s, &places);
	assert_string_equal(s.net, "eth0 192.168.1.7/24");
	assert_string_equal(s.clock, "set");
	assert_string_equal(s.stick_word, "read-only");
	assert_null(strchr(s.stick, '\033'));
	assert_int_equal(strncmp(s.stick, "vfat /dev/sda1", 14), 0);
	assert_int_equal(s.bad_lines, 2);
	assert_string_equal(s.bad_line, "line 3: expected NAME=value");
	assert_int_equal(s.memory_kib, 950000);
	assert_int_equal(s.memory_used_kib, 50000);
	unlink(places.at[PLACE_NET]);
	unlink(places.at[PLACE_CLOCK]);
	situation_of_now(&s, &places);
	assert_string_equal(s.net, "");
	assert_string_equal(s.clock, "");
}

/* What the daemon's user may have put in its place is not followed. */
static void strangers_are_not_followed(void **state)
{
	char text[64];

	(void)state;
	put(PLACE_NET, "secret");
	assert_int_equal(symlink(places.at[PLACE_NET], places.at[PLACE_STICK_NOTE]), 0);
	assert_int_equal(note_read(places.at[PLACE_STICK_NOTE], true, text, sizeof text), -1);
	assert_string_equal(text, "");
	assert_int_equal(note_read(places.at[PLACE_STICK_NOTE], false, text, sizeof text), 6);
	assert_int_equal(mkfifo(places.at[PLACE_CLOCK], 0600), 0);
	assert_int_equal(note_read(places.at[PLACE_CLOCK], true, text, sizeof text), -1);
	assert_int_equal(note_read(places.at[PLACE_NET], true, text, 4), 3);
	assert_string_equal(text, "sec");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_urgent_one_is_shown),
		cmocka_unit_test(booting_ends),
		cmocka_unit_test(a_service_that_does_not_stay_up),
		cmocka_unit_test(kafka_and_stick),
		cmocka_unit_test(the_key_is_of_states_only),
		cmocka_unit_test_setup_teardown(this_boot, make_root, remove_root),
		cmocka_unit_test_setup_teardown(notes, make_root, remove_root),
		cmocka_unit_test_setup_teardown(strangers_are_not_followed, make_root, remove_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
