/* test_mount.c - what is attached where, read from a mountinfo of our own. */
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/scorebox-mount-XXXXXX";
static char list[128];

static int make_scratch(void **state)
{
	char path[160];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(list, sizeof list, "%s/mountinfo", folder);
	snprintf(path, sizeof path, "%s/a stick", folder);
	return mkdir(path, 0755);
}

static int remove_scratch(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof path, "%s/a stick", folder);
	rmdir(path);
	unlink(list);
	return rmdir(folder);
}

/* One line for "/", then `more`, in which every @ is the scratch folder. */
static void write_list(const char *root, const char *more)
{
	FILE *f = fopen(list, "w");

	assert_non_null(f);
	fprintf(f, "254 145 254:0 %s / ro,nosuid shared:79 master:1 - ext4 /dev/vda rw\n", root);
	for (; *more; more++) {
		if (*more == '@')
			fputs(folder, f);
		else
			fputc(*more, f);
	}
	assert_int_equal(fclose(f), 0);
}

struct row {
	const char *root, *more;
	const char *type, *source; /* NULL: nothing is attached */
	const char *comment;
};

static void what_is_attached(void **state)
{
	static const struct row rows[] = {
		{"/", "", NULL, NULL, "the root alone"},
		{"/", "40 1 8:1 / @/a\\040stick rw shared:1 - vfat /dev/sda1 rw,uid=996\n", "vfat",
			"/dev/sda1", "a stick, with a blank in its name"},
		{"/", "40 1 8:1 / @/a\\040stick rw - fuseblk /dev/sda\\0401 rw\n", "fuseblk",
			"/dev/sda 1", "no optional fields"},
		{"/", "40 1 0:44 / @/a\\040stick rw - autofs systemd-1 rw\n", NULL, NULL,
			"an automounter's trap"},
		{"/",
			"40 1 0:44 / @/a\\040stick rw - autofs systemd-1 rw\n"
			"41 40 8:1 / @/a\\040stick rw - exfat /dev/sda1 rw\n",
			"exfat", "/dev/sda1", "what was attached on the trap"},
		{"/", "40 1 254:0 @ @ rw shared:1 - ext4 /dev/vda rw\n", NULL, NULL,
			"a folder of the root, bound to its own place: a unit's ReadWritePaths="},
		{"/boot", "40 1 254:0 /boot@ @ rw shared:1 - ext4 /dev/vda rw\n", NULL, NULL,
			"the same in a container"},
		{"/@rootfs", "40 1 0:21 /@rootfs@ @ rw - btrfs /dev/vda rw\n", "btrfs", "/dev/vda",
			"the same place of another file system"},
		{"/", "40 1 254:0 /elsewhere @ rw shared:1 - ext4 /dev/vda rw\n", "ext4",
			"/dev/vda", "another folder of the root, bound here"},
		{"/",
			"40 1 254:0 @ @ rw shared:1 - ext4 /dev/vda rw\n"
			"41 40 8:1 / @/a\\040stick rw - vfat /dev/sda1 rw\n",
			"vfat", "/dev/sda1", "a stick below such a folder"},
		{"/",
			"40 1 8:1 / @/a\\040stick rw - vfat /dev/sda1 rw\n"
			"41 1 8:2 / @ rw - ext4 /dev/sda2 rw\n",
			"vfat", "/dev/sda1", "the innermost counts, not the last"},
		{"/", "40 1 8:1 / @/a rw - vfat /dev/sda1 rw\n", NULL, NULL,
			"a name that begins alike"},
		{"/", "no line at all\n\n40 1\n", NULL, NULL, "what is no mountinfo"},
	};
	char path[160];

	(void)state;
	snprintf(path, sizeof path, "%s/a stick/books/not/yet/there", folder);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct file_mount found = {0};

		write_list(rows[i].root, rows[i].more);
		if (file_mount_of(path, list, &found) != (rows[i].type != NULL))
			fail_msg("%s", rows[i].comment);
		if (found.part != (strstr(rows[i].comment, "folder of the root, bound here") ||
					  strstr(rows[i].comment, "of another file system")))
			fail_msg("%s: part %d", rows[i].comment, found.part);
		if (rows[i].type &&
			(strcmp(found.type, rows[i].type) || strcmp(found.source, rows[i].source)))
			fail_msg("%s: %s on %s", rows[i].comment, found.type, found.source);
	}
	assert_false(file_mount_of(path, "/nonexistent", &(struct file_mount){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_attached)};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
