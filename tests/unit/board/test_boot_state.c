/* test_boot_state.c - state.txt, the kernel command line, and a boot folder that is mounted read-only. */
#include "board/boot_state.h"

#include "board/boot_folder.h"
#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

static void states_are_read(void **state)
{
	static const struct {
		const char *text;
		char slot, try;
		const char *why;
	} cases[] = {
		{"slot=a\n", 'a', 0, "as it ships"},
		{"slot=b\ntry=a\n", 'b', 'a', "a trial is due"},
		{"slot=a\r\ntry=b\r\n", 'a', 'b', "edited on a laptop"},
		{"slot=b", 'b', 0, "no line end"},
		{"\xEF\xBB\xBFslot=a\n", 'a', 0, "a byte order mark"},
		{"\n# slot=b\n  slot = a \nnote\nx=y\n", 'a', 0,
			"blanks, a comment, others' lines"},
		{"slot=a\ntry=\n", 'a', 0, "an empty try"},
		{"slot=a\ntry=c\n", 'a', 0, "no such slot to try"},
		{"slot=a\nslot=b\n", 'b', 0, "the last one counts"},
		{"", 0, 0, "empty"},
		{"slot=c\n", 0, 0, "no such slot"},
		{"slot=ab\n", 0, 0, "two slots"},
		{"slot=A\n", 0, 0, "the boot script knows no capitals"},
		{"\0slot=a\n", 0, 0, "binary"},
		{"try=b\n", 0, 0, "nothing is known to be good"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct boot_state got = {.slot = 'x', .try = 'x'};
		struct why why;

		put_text(in_place("state.txt"), cases[i].text);

		enum status s = boot_state_read(place(), &got, &why);

		if (s != (cases[i].slot ? STATUS_OK : STATUS_BAD_DATA) ||
			got.slot != (cases[i].slot ? cases[i].slot : 'x') ||
			got.try != (cases[i].slot ? cases[i].try : 'x'))
			fail_msg("%s", cases[i].why);
	}
	assert_int_equal(unlink(in_place("state.txt")), 0);
	assert_int_equal(boot_state_read(place(), &(struct boot_state){0}, NULL), STATUS_NOT_FOUND);
}

static void states_are_written(void **state)
{
	struct stat before, after;
	struct why why;

	(void)state;
	put_text(in_place("state.txt"), "slot=a\r\nrubbish");
	assert_int_equal(boot_state_try(place(), 'a', 'b', &why), STATUS_OK);
	assert_holds(in_place("state.txt"), "slot=a\ntry=b\n");
	assert_int_equal(boot_state_confirm(place(), 'b', &why), STATUS_OK);
	assert_holds(in_place("state.txt"), "slot=b\n");

	/* It says so already: FAT is not written to. */
	assert_int_equal(stat(in_place("state.txt"), &before), 0);
	assert_int_equal(boot_state_confirm(place(), 'b', &why), STATUS_OK);
	assert_int_equal(stat(in_place("state.txt"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);

	/* Where there was none, and where it is damaged. */
	assert_int_equal(unlink(in_place("state.txt")), 0);
	assert_int_equal(boot_state_confirm(place(), 'a', &why), STATUS_OK);
	assert_holds(in_place("state.txt"), "slot=a\n");
	put_text(in_place("state.txt"), "?");
	assert_int_equal(boot_state_try(place(), 'b', 'a', &why), STATUS_OK);
	assert_holds(in_place("state.txt"), "slot=b\ntry=a\n");
	assert_int_equal(boot_state_try(in_place("nowhere"), 'a', 'b', &why), STATUS_NOT_FOUND);
}

static void kernel_lines_are_read(void **state)
{
	static const struct {
		const char *text;
		struct boot_line line;
		const char *why;
	} cases[] = {
		{"console=ttyS1 scorebox.slot=a scorebox.trial=0 quiet\n", {'a', false, true},
			"usual"},
		{"scorebox.slot=b scorebox.trial=1\n", {'b', true, true}, "a trial"},
		{"scorebox.watchdog=off scorebox.slot=b", {'b', false, false}, "under test"},
		{"scorebox.watchdog=on scorebox.slot=b", {'b', false, true}, "another word"},
		{"root=/dev/ram0 quiet\n", {0, false, true}, "not the image"},
		{"scorebox.slot=c\n", {0, false, true}, "no such slot"},
		{"scorebox.slot=ab\n", {0, false, true}, "two slots"},
		{"xscorebox.slot=a\n", {0, false, true}, "another name"},
		{"scorebox.slot=a scorebox.slot=b\n", {'b', false, true}, "the last one counts"},
		{"scorebox.trial=10 scorebox.slot=a\n", {'a', false, true}, "not 1"},
		{"  scorebox.slot=a\tscorebox.trial=1", {'a', true, true}, "blanks"},
		{"", {0, false, true}, "empty"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct boot_line got;

		put_text(in_place("cmdline"), cases[i].text);
		assert_int_equal(boot_line_read(in_place("cmdline"), &got, NULL), STATUS_OK);
		if (got.slot != cases[i].line.slot || got.trial != cases[i].line.trial ||
			got.watchdog != cases[i].line.watchdog)
			fail_msg("%s", cases[i].why);
	}
	assert_int_equal(
		boot_line_read(in_place("none"), &(struct boot_line){0}, NULL), STATUS_NOT_FOUND);
	assert_int_equal(boot_slot_other('a'), 'b');
	assert_int_equal(boot_slot_other('b'), 'a');
}

/* ---- a boot folder of its own ---- */

static int mount_boot(const char *size)
{
	const char *boot = in_place("boot");

	if (mkdir(boot, 0755) != 0 && errno != EEXIST)
		return -1;
	if (mount("boot", boot, "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NOATIME, size) != 0)
		return -1;
	put_text(in_place("boot/state.txt"), "slot=a\n");
	return mount(NULL, boot, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC | MS_NOATIME,
		NULL);
}

static unsigned long flags_of(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 ? v.f_flag : 0;
}

static int write_read_only(void)
{
	struct boot_state now;
	struct why why;

	if (mount_boot("size=64k") != 0)
		return 77;

	unsigned long before = flags_of(in_place("boot"));

	if (!(before & ST_RDONLY) || boot_state_try(in_place("boot"), 'a', 'b', &why) != STATUS_OK)
		return 1;
	if (flags_of(in_place("boot")) != before)
		return 2;
	if (boot_state_read(in_place("boot"), &now, &why) != STATUS_OK || now.try != 'b')
		return 3;
	return open(in_place("boot/x"), O_CREAT | O_WRONLY, 0644) < 0 && errno == EROFS ? 0 : 4;
}

static void a_read_only_folder_is_so_again(void **state)
{
	(void)state;
	in_own_mounts(write_read_only);
}

static int write_full(void)
{
	static char page[4096];
	struct why why;

	if (mount_boot("size=32k") != 0)
		return 77;
	if (mount(NULL, in_place("boot"), NULL, MS_REMOUNT, NULL) != 0)
		return 1;

	int fd = open(in_place("boot/fill"), O_CREAT | O_WRONLY, 0644);

	while (write(fd, page, sizeof page) > 0)
		;
	close(fd);
	if (boot_state_try(in_place("boot"), 'a', 'b', &why) != STATUS_FULL)
		return 2;
	assert_holds(in_place("boot/state.txt"), "slot=a\n");
	return access(in_place("boot/state.txt.tmp"), F_OK) == 0 ? 3 : 0;
}

static void a_full_folder_keeps_its_state(void **state)
{
	(void)state;
	in_own_mounts(write_full);
}

/* A folder below a mount is not a mount point: what is above it is none of ours to remount. */
static int write_below(void)
{
	struct why why;

	if (mount_boot("size=64k") != 0 ||
		mount(NULL, in_place("boot"), NULL, MS_REMOUNT, NULL) != 0)
		return 77;
	if (mkdir(in_place("boot/below"), 0755) != 0 ||
		mount(NULL, in_place("boot"), NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
		return 1;
	return boot_state_try(in_place("boot/below"), 'a', 'b', &why) == STATUS_DENIED ? 0 : 2;
}

static void a_folder_below_a_mount_is_left_alone(void **state)
{
	(void)state;
	in_own_mounts(write_below);
}

/* The second one finds what the first one wrote. */
static int write_second(int inherited)
{
	struct boot_folder f;

	close(inherited);
	if (boot_folder_open(&f, place(), NULL) != STATUS_OK)
		return 1;

	int found = access(in_place("first"), F_OK);

	boot_folder_close(&f);
	return found == 0 ? 0 : 2;
}

static void two_writers_take_turns(void **state)
{
	struct boot_folder f;
	int status, other = open(place(), O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(boot_folder_open(&f, place(), NULL), STATUS_OK);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);

	pid_t child = fork();

	if (child == 0)
		_exit(write_second(f.fd));
	put_text(in_place("first"), "");
	boot_folder_close(&f);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_read),
		cmocka_unit_test(states_are_written),
		cmocka_unit_test(kernel_lines_are_read),
		cmocka_unit_test(a_read_only_folder_is_so_again),
		cmocka_unit_test(a_full_folder_keeps_its_state),
		cmocka_unit_test(a_folder_below_a_mount_is_left_alone),
		cmocka_unit_test(two_writers_take_turns),
	};

	return cmocka_run_group_tests(tests, place_make, place_remove);
}
