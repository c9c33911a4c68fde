/* test_box_files.c - root's notes on the card. */
#include "board/box_files.h"

#include "base/clock.h"
#include "base/file.h"

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

static char root[PATH_MAX];
static struct places places;

static int make_root(void **state)
{
	char command[PATH_MAX + 40];

	(void)state;
	snprintf(root, sizeof root, "/tmp/scorebox-box-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(command, sizeof command, "mkdir -p '%s/data/box'", root);
	return system(command) ? -1 : places_init(&places, root, NULL) == STATUS_OK ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[PATH_MAX + 20];

	(void)state;
	places_done(&places);
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static off_t size_of(enum place place)
{
	struct stat st;

	return stat(places.at[place], &st) ? -1 : st.st_size;
}

static void the_log_is_rotated(void **state)
{
	static char lines[4000];
	struct why why;
	off_t largest = 0;

	(void)state;
	memset(lines, 'l', sizeof lines);
	lines[sizeof lines - 1] = '\n';
	for (int i = 0; i < 200; i++) {
		assert_int_equal(box_log_append(&places, lines, sizeof lines, &why), STATUS_OK);
		if (size_of(PLACE_BOX_LOG) > largest)
			largest = size_of(PLACE_BOX_LOG);
	}
	assert_true(largest <= BOX_LOG_BYTES);
	assert_int_equal(largest % (off_t)sizeof lines, 0);
	assert_int_equal(size_of(PLACE_BOX_LOG_OLD), largest);
}

static void a_log_that_cannot_be_written(void **state)
{
	struct why why;

	(void)state;
	assert_int_equal(symlink("/tmp/elsewhere", places.at[PLACE_BOX_LOG]), 0);
	assert_int_equal(box_log_append(&places, "x\n", 2, &why), STATUS_IO);
	assert_int_not_equal(access("/tmp/elsewhere", F_OK), 0);
}

static int64_t a_day(void)
{
	return 1795912859123456;
}

static void clock_deaths_and_marks(void **state)
{
	struct deaths d = {7, true};
	struct why why;
	char *text;
	size_t length;

	(void)state;
	clock_replace(a_day, NULL);
	assert_int_equal(box_save_clock(&places, &why), STATUS_OK);
	clock_replace(NULL, NULL);
	assert_int_equal(
		file_read(places.at[PLACE_BOX_CLOCK], 100, &text, &length, &why), STATUS_OK);
	assert_string_equal(text, "1795912859\n");
	free(text);
	box_read_deaths(&places, &d);
	assert_true(d.count == 0 && !d.tried);
	d = (struct deaths){2, true};
	assert_int_equal(box_save_deaths(&places, &d, &why), STATUS_OK);
	d = (struct deaths){0};
	box_read_deaths(&places, &d);
	assert_true(d.count == 2 && d.tried);
	assert_false(box_was_good(&places, 'b'));
	assert_int_equal(box_mark_good(&places, 'b', &why), STATUS_OK);
	assert_int_equal(box_mark_good(&places, 'b', &why), STATUS_OK);
	assert_true(box_was_good(&places, 'b'));
	assert_false(box_was_good(&places, 'a'));
	assert_false(box_was_good(&places, '?'));
	box_unmark_good(&places, 'b');
	assert_false(box_was_good(&places, 'b'));
	box_unmark_good(&places, '?');
	assert_int_equal(box_mark_good(&places, '?', &why), STATUS_OK);
}

static void no_card(void **state)
{
	char command[PATH_MAX + 20];
	struct deaths d = {1, true};
	struct why why;

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s/data'", root);
	assert_int_equal(system(command), 0);
	box_read_deaths(&places, &d);
	assert_int_equal(d.count, 0);
	assert_int_not_equal(box_save_deaths(&places, &d, &why), STATUS_OK);
	assert_int_not_equal(box_save_clock(&places, &why), STATUS_OK);
	assert_int_not_equal(box_mark_good(&places, 'a', &why), STATUS_OK);
	assert_int_not_equal(box_log_append(&places, "x\n", 2, &why), STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_log_is_rotated, make_root, remove_root),
		cmocka_unit_test_setup_teardown(
			a_log_that_cannot_be_written, make_root, remove_root),
		cmocka_unit_test_setup_teardown(clock_deaths_and_marks, make_root, remove_root),
		cmocka_unit_test_setup_teardown(no_card, make_root, remove_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
