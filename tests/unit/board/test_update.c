/* test_update.c - a whole box in a folder: bundles go in, trials are confirmed, fail, and are cut short. */
#include "board/update.h"

#include "base/file.h"
#include "board/boot_state.h"
#include "board/trial.h"
#include "maker.h"
#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOT_BYTES = 1 << 20, IMAGE_BYTES = 300 * 1024 };

static uint8_t image[IMAGE_BYTES];
static struct update_paths paths;

/* What the boot script and the kernel do: `trial` 1 where state.txt says try, which it takes out. */
static void start_machine(void)
{
	struct boot_state state;
	char line[80];

	assert_int_equal(boot_state_read(paths.boot, &state, NULL), STATUS_OK);
	snprintf(line, sizeof line, "quiet scorebox.slot=%c scorebox.trial=%d\n",
		state.try ? state.try : state.slot, state.try != 0);
	put_text(paths.line, line);
	snprintf(line, sizeof line, "slot=%c\n", state.slot);
	put_text(in_place("boot/state.txt"), line);
}

static void runs_version(const char *version)
{
	char text[80];

	snprintf(text, sizeof text, "VERSION=%s\r\nBOARD=rpi-arm64\nBUILT=1764288000\n", version);
	put_text(paths.release, text);
}

static int make_box(void **state)
{
	static const char *const folders[] = {
		"boot", "data/box", "run/scorebox", "etc/scorebox", "proc", "dev"};

	(void)state;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		assert_int_equal(file_make_folder(in_place(folders[i]), 0755, NULL), STATUS_OK);
	for (int i = 0; i < 2; i++) {
		put_bytes(paths.slots[i], "old system", 10);
		assert_int_equal(truncate(paths.slots[i], SLOT_BYTES), 0);
	}
	unlink(in_place("data/box/trial"));
	unlink(in_place("data/box/installed"));
	unlink(in_place("data/box/refused"));
	put_text(in_place("boot/state.txt"), "slot=a\n");
	runs_version("1.2.3");
	start_machine();
	maker_bundle(in_place("new.update"), &(struct maker_plan){0}, image, sizeof image);
	return 0;
}

static enum status apply(const char *file, bool downgrade, bool if_newer, enum update_outcome *out)
{
	const struct update_request request = {file, downgrade, if_newer};

	return update_run(&paths, &request, out);
}

static void apply_new(void)
{
	enum update_outcome outcome = UPDATE_LEFT;

	assert_int_equal(apply(in_place("new.update"), false, false, &outcome), STATUS_OK);
	assert_int_equal(outcome, UPDATE_WRITTEN);
}

static void assert_said(const char *words)
{
	char *text;
	size_t length;

	assert_int_equal(file_read(paths.said, 4096, &text, &length, NULL), STATUS_OK);
	if (!strstr(text, words) || strchr(text, '\n') != text + length - 1)
		fail_msg("said '%s', not '%s'", text, words);
	free(text);
}

static void assert_slot(int slot, const void *bytes, size_t length)
{
	char *found;
	size_t found_length;

	assert_int_equal(
		file_read(paths.slots[slot], SLOT_BYTES, &found, &found_length, NULL), STATUS_OK);
	assert_int_equal(found_length, SLOT_BYTES);
	assert_memory_equal(found, bytes, length);
	free(found);
}

static void a_good_version_stays(void **state)
{
	(void)state;
	apply_new();
	assert_slot(0, "old system", 11);
	assert_slot(1, image, sizeof image);
	assert_holds(in_place("boot/state.txt"), "slot=a\ntry=b\n");
	assert_said("the next start tries it");

	start_machine();
	runs_version("1.3.0");
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_holds(in_place("boot/state.txt"), "slot=a\n");
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	assert_holds(in_place("boot/state.txt"), "slot=b\n");
	assert_said("version 1.3.0 in slot b has proved itself");
	assert_int_equal(access(in_place("data/box/trial"), F_OK), -1);
	assert_int_equal(access(in_place("data/box/installed"), F_OK), 0);

	start_machine();
	assert_holds(paths.line, "quiet scorebox.slot=b scorebox.trial=0\n");
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_int_equal(access(in_place("data/box/refused"), F_OK), -1);

	/* The way back: the next one goes into slot a. */
	maker_bundle(
		in_place("next.update"), &(struct maker_plan){.version = "1.10.0"}, image, 8192);
	enum update_outcome outcome;

	assert_int_equal(apply(in_place("next.update"), false, true, &outcome), STATUS_OK);
	assert_int_equal(outcome, UPDATE_WRITTEN);
	assert_slot(0, image, 8192);
	assert_slot(1, image, sizeof image);
	assert_holds(in_place("boot/state.txt"), "slot=b\ntry=a\n");
}

static void a_bad_version_is_refused(void **state)
{
	enum update_outcome outcome;

	(void)state;
	apply_new();
	start_machine(); /* the trial, which hangs */
	start_machine();
	assert_holds(paths.line, "quiet scorebox.slot=a scorebox.trial=0\n");
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_said("version 1.3.0 in slot b did not prove itself");
	assert_int_equal(access(in_place("data/box/refused"), F_OK), 0);
	assert_int_equal(access(in_place("data/box/trial"), F_OK), -1);

	/* Not by itself, but by hand; and once it has proved itself it is no longer refused. */
	assert_int_equal(apply(in_place("new.update"), false, true, &outcome), STATUS_OK);
	assert_int_equal(outcome, UPDATE_LEFT);
	assert_said("failed its trial on this box");
	assert_holds(in_place("boot/state.txt"), "slot=a\n");
	apply_new();
	start_machine();
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	assert_holds(in_place("data/box/refused"), "");
}

static void what_waits_is_not_written_again_by_itself(void **state)
{
	enum update_outcome outcome;
	struct stat before, after;

	(void)state;
	apply_new();
	assert_int_equal(stat(paths.slots[1], &before), 0);
	assert_int_equal(apply(in_place("new.update"), false, true, &outcome), STATUS_OK);
	assert_int_equal(outcome, UPDATE_LEFT);
	assert_said("waits for its trial");
	assert_int_equal(stat(paths.slots[1], &after), 0);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_holds(in_place("boot/state.txt"), "slot=a\ntry=b\n");
	/* Newer than what runs, older than what waits; by hand, and a newer one, do. */
	maker_bundle(in_place("x.update"), &(struct maker_plan){.version = "1.2.9"}, image, 8192);
	assert_int_equal(apply(in_place("x.update"), false, true, &outcome), STATUS_OK);
	assert_int_equal(outcome, UPDATE_LEFT);
	assert_slot(1, image, sizeof image);
	apply_new();
	maker_bundle(in_place("x.update"), &(struct maker_plan){.version = "1.3.1"}, image, 12288);
	assert_int_equal(apply(in_place("x.update"), false, true, &outcome), STATUS_OK);
	assert_int_equal(outcome, UPDATE_WRITTEN);
	assert_holds(in_place("boot/state.txt"), "slot=a\ntry=b\n");
}

static void a_trial_must_end_first(void **state)
{
	enum update_outcome outcome;

	(void)state;
	apply_new();
	start_machine();
	runs_version("1.3.0");
	maker_bundle(
		in_place("next.update"), &(struct maker_plan){.version = "1.4.0"}, image, 8192);
	assert_int_equal(apply(in_place("next.update"), false, false, &outcome), STATUS_BUSY);
	assert_said("on trial and not confirmed");
	assert_slot(0, "old system", 11);
	/* The stick that brought it is still there: nothing to complain of. */
	assert_int_equal(apply(in_place("new.update"), false, true, &outcome), STATUS_OK);
	assert_int_equal(outcome, UPDATE_LEFT);
	/* The same start, confirmed. */
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	assert_int_equal(apply(in_place("next.update"), false, false, &outcome), STATUS_OK);
	assert_holds(in_place("boot/state.txt"), "slot=b\ntry=a\n");
	/* Said again: that trial stays due. */
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	assert_holds(in_place("boot/state.txt"), "slot=b\ntry=a\n");
}

static void versions_and_boards_are_judged(void **state)
{
	static const struct {
		const char *version, *board;
		bool downgrade, if_newer;
		enum status status;
		enum update_outcome outcome;
		const char *said;
	} cases[] = {
		{"1.2.3", NULL, false, false, STATUS_BAD_DATA, 0, "the same as 1.2.3"},
		{"1.2.3", NULL, true, false, STATUS_OK, UPDATE_WRITTEN, "is in slot b"},
		{"1.2.3", NULL, false, true, STATUS_OK, UPDATE_LEFT, "nothing to do"},
		{"1.2.2", NULL, false, false, STATUS_BAD_DATA, 0, "older than 1.2.3"},
		{"1.2.2", NULL, true, false, STATUS_OK, UPDATE_WRITTEN, "is in slot b"},
		{"1.2.2", NULL, false, true, STATUS_OK, UPDATE_LEFT, "nothing to do"},
		{"1.2.3-rc1", NULL, false, false, STATUS_BAD_DATA, 0, "older than"},
		{"1.2.10", NULL, false, true, STATUS_OK, UPDATE_WRITTEN, "is in slot b"},
		{"1.3.0", "rpi-armhf", true, false, STATUS_BAD_DATA, 0, "for a board 'rpi-armhf'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct maker_plan plan = {cases[i].version, cases[i].board, 0};
		enum update_outcome outcome = UPDATE_LEFT;

		make_box(state);
		maker_bundle(in_place("x.update"), &plan, image, 8192);

		enum status s = apply(
			in_place("x.update"), cases[i].downgrade, cases[i].if_newer, &outcome);

		if (s != cases[i].status || (s == STATUS_OK && outcome != cases[i].outcome))
			fail_msg("case %zu: status %s", i, status_name(s));
		assert_said(cases[i].said);
		if (s == STATUS_OK && outcome == UPDATE_WRITTEN)
			assert_slot(1, image, 8192);
		else
			assert_slot(1, "old system", 11);
	}
}

static void a_refused_bundle_touches_nothing(void **state)
{
	enum update_outcome outcome;
	static uint8_t large[SLOT_BYTES + 4096];

	(void)state;
	maker_bundle(in_place("large.update"), &(struct maker_plan){0}, large, sizeof large);
	assert_int_equal(apply(in_place("large.update"), false, false, &outcome), STATUS_BAD_DATA);
	assert_said("has room for");
	assert_int_equal(truncate(in_place("new.update"), 9000), 0);
	assert_int_equal(apply(in_place("new.update"), false, false, &outcome), STATUS_BAD_DATA);
	assert_int_equal(apply(in_place("none.update"), false, false, &outcome), STATUS_NOT_FOUND);
	maker_bundle(in_place("new.update"), &(struct maker_plan){.bytes = 8192}, image, 4096);
	assert_int_equal(apply(in_place("new.update"), false, false, &outcome), STATUS_BAD_DATA);
	assert_slot(1, "old system", 11);
	assert_holds(in_place("boot/state.txt"), "slot=a\n");
	assert_int_equal(access(in_place("data/box/trial"), F_OK), -1);
}

static void other_machines_are_left_alone(void **state)
{
	enum update_outcome outcome;

	(void)state;
	put_text(paths.line, "root=/dev/sda1 quiet\n");
	assert_int_equal(apply(in_place("new.update"), false, false, &outcome), STATUS_NOT_FOUND);
	make_box(state);
	assert_int_equal(unlink(paths.release), 0);
	assert_int_equal(apply(in_place("new.update"), false, false, &outcome), STATUS_NOT_FOUND);
	make_box(state);
	assert_int_equal(unlink(paths.slots[1]), 0);
	assert_int_equal(apply(in_place("new.update"), false, false, &outcome), STATUS_NOT_FOUND);
	assert_int_equal(symlink(paths.slots[0], paths.slots[1]), 0);
	assert_int_equal(apply(in_place("new.update"), false, false, &outcome), STATUS_NOT_FOUND);
	assert_int_equal(unlink(paths.slots[1]), 0);
}

static void two_updates_never_run_at_once(void **state)
{
	enum update_outcome outcome;
	pid_t holder;
	int lock;

	(void)state;
	assert_int_equal(file_make_folder(paths.run, 0755, NULL), STATUS_OK);
	assert_int_equal(file_lock_instance(paths.run, &lock, &holder, NULL), STATUS_OK);
	assert_int_equal(apply(in_place("new.update"), false, false, &outcome), STATUS_BUSY);
	close(lock);
	apply_new();
}

/* ---- power cuts between the steps of the records ---- */

static void put_trial(char slot, bool due)
{
	struct trial t = {.slot = slot, .due = due, .version = "1.3.0"};

	memset(t.hash, 'a', sizeof t.hash - 1);
	assert_int_equal(trial_write(paths.box, "trial", &t, NULL), STATUS_OK);
}

static void a_cut_before_the_trial_was_due(void **state)
{
	(void)state;
	put_trial('b', false);
	start_machine();
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_said("cut short before slot b was due");
	assert_int_equal(access(in_place("data/box/refused"), F_OK), -1);
	assert_int_equal(access(in_place("data/box/trial"), F_OK), -1);
}

static void a_cut_between_state_and_record(void **state)
{
	(void)state;
	put_trial('b', false);
	put_text(in_place("boot/state.txt"), "slot=a\ntry=b\n");
	/* Looked at before the start that tries it: it is due. */
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_int_equal(access(in_place("data/box/trial"), F_OK), 0);
	start_machine();
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	assert_holds(in_place("boot/state.txt"), "slot=b\n");
	assert_int_equal(access(in_place("data/box/trial"), F_OK), -1);
}

static void a_cut_within_a_confirmation(void **state)
{
	(void)state;
	put_trial('b', true);
	put_text(in_place("boot/state.txt"), "slot=b\n");
	start_machine();
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_said("has proved itself");
	assert_int_equal(access(in_place("data/box/refused"), F_OK), -1);
	assert_int_equal(access(in_place("data/box/installed"), F_OK), 0);
}

static void a_start_without_any_trial(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(stat(in_place("boot/state.txt"), &before), 0);
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	assert_int_equal(stat(in_place("boot/state.txt"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	/* Written, not tried yet: it is no trial's end. */
	apply_new();
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_holds(in_place("boot/state.txt"), "slot=a\ntry=b\n");
}

static void a_slot_that_was_passed_over_is_told(void **state)
{
	(void)state;
	unlink(paths.said);
	put_text(paths.line, "quiet scorebox.slot=b scorebox.trial=1\n");
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_int_equal(access(paths.said, F_OK), -1);
	put_text(paths.line, "quiet scorebox.slot=b scorebox.trial=0\n");
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_said("slot a is the one in use, but could not be booted");
}

static void a_slot_that_stopped_working_is_left(void **state)
{
	enum update_outcome outcome;

	(void)state;
	apply_new();
	start_machine();
	runs_version("1.3.0");
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	start_machine();
	/* The other one, on trial: it dies as well, so this one goes on. */
	assert_int_equal(update_fall_back(&paths, NULL), STATUS_OK);
	assert_holds(in_place("boot/state.txt"), "slot=b\ntry=a\n");
	start_machine();
	assert_holds(paths.line, "quiet scorebox.slot=a scorebox.trial=1\n");
	start_machine();
	assert_int_equal(update_trial_failed(&paths, NULL), STATUS_OK);
	assert_holds(paths.line, "quiet scorebox.slot=b scorebox.trial=0\n");
	assert_int_equal(access(in_place("data/box/refused"), F_OK), -1);
	/* It proves itself: it stays, and what it replaces does not come again. */
	assert_int_equal(update_fall_back(&paths, NULL), STATUS_OK);
	start_machine();
	runs_version("1.2.3");
	assert_int_equal(update_trial_confirmed(&paths, NULL), STATUS_OK);
	assert_holds(in_place("boot/state.txt"), "slot=a\n");
	start_machine();
	assert_holds(paths.line, "quiet scorebox.slot=a scorebox.trial=0\n");
	assert_int_equal(apply(in_place("new.update"), false, true, &outcome), STATUS_OK);
	assert_int_equal(outcome, UPDATE_LEFT);
	assert_said("failed its trial on this box");

	/* Slot b is emptied, as on a new card: there is nowhere to go. */
	put_text(paths.slots[1], "");
	assert_int_equal(truncate(paths.slots[1], SLOT_BYTES), 0);
	assert_int_equal(update_fall_back(&paths, NULL), STATUS_NOT_FOUND);
	assert_holds(in_place("boot/state.txt"), "slot=a\n");
}

static int open_all(void **state)
{
	if (place_make(state) || update_paths_at(&paths, place(), NULL) != STATUS_OK)
		return -1;
	assert_int_equal(file_make_folder(in_place("etc/scorebox"), 0755, NULL), STATUS_OK);
	maker_open(paths.key);
	maker_payload(image, sizeof image, 7);
	return 0;
}

static int close_all(void **state)
{
	maker_close();
	return place_remove(state);
}

#define test(name) cmocka_unit_test_setup(name, make_box)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_good_version_stays),
		test(a_bad_version_is_refused),
		test(what_waits_is_not_written_again_by_itself),
		test(a_trial_must_end_first),
		test(versions_and_boards_are_judged),
		test(a_refused_bundle_touches_nothing),
		test(other_machines_are_left_alone),
		test(two_updates_never_run_at_once),
		test(a_cut_before_the_trial_was_due),
		test(a_cut_between_state_and_record),
		test(a_cut_within_a_confirmation),
		test(a_start_without_any_trial),
		test(a_slot_that_was_passed_over_is_told),
		test(a_slot_that_stopped_working_is_left),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
