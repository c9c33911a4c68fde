/* test_file.c - whole files, folders, secrets, locks, mounts. */
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[PATH_MAX];

static int make_scratch(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%s/scorebox-file-XXXXXX", base ? base : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_scratch(void **state)
{
	char command[PATH_MAX + 20];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

static const char *in_scratch(const char *name)
{
	static char paths[16][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 16];

	assert_int_equal(file_join(folder, name, path, PATH_MAX), STATUS_OK);
	return path;
}

static void put(const char *path, const char *bytes, size_t length, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, length, f), length);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct stat st;
	struct why why;

	(void)state;
	assert_int_equal(file_make_folder(in_scratch("a/b//c/"), 0700, NULL), STATUS_OK);
	assert_int_equal(stat(in_scratch("a/b/c"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(file_make_folder(in_scratch("a/b/c"), 0700, NULL), STATUS_OK);
	put(in_scratch("a/file"), "", 0, 0644);
	assert_int_equal(file_make_folder(in_scratch("a/file"), 0700, &why), STATUS_IO);
	assert_non_null(strstr(why.text, "in the way"));
	assert_int_not_equal(file_make_folder(in_scratch("a/file/x"), 0700, &why), STATUS_OK);
	assert_int_equal(file_make_folder("", 0700, &why), STATUS_BAD_DATA);
	assert_int_equal(file_make_folder("/", 0700, &why), STATUS_OK);
}

static void a_replaced_file_is_whole(void **state)
{
	const char *path = in_scratch("status.json");
	char *bytes = NULL;
	size_t length;
	struct stat st;
	struct why why;

	(void)state;
	assert_int_equal(file_replace(path, "one", 3, 0600, &why), STATUS_OK);
	assert_int_equal(file_replace(path, "a\0two", 5, 0644, &why), STATUS_OK);
	assert_int_equal(file_read(path, 5, &bytes, &length, &why), STATUS_OK);
	assert_int_equal(length, 5);
	assert_memory_equal(bytes, "a\0two", 6);
	free(bytes);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(access(in_scratch("status.json.tmp"), F_OK), -1);

	/* What a power cut left is no obstacle; somebody's link is not followed. */
	put(in_scratch("victim"), "mine", 4, 0644);
	assert_int_equal(symlink(in_scratch("victim"), in_scratch("status.json.tmp")), 0);
	assert_int_equal(file_replace(path, "three", 5, 0644, &why), STATUS_OK);
	assert_int_equal(file_read(in_scratch("victim"), 100, &bytes, &length, &why), STATUS_OK);
	assert_string_equal(bytes, "mine");
	free(bytes);

	assert_int_equal(file_replace(in_scratch("none/x"), "x", 1, 0644, &why), STATUS_NOT_FOUND);
	/* A folder in its place: refused, and nothing stays beside it. */
	assert_int_equal(file_make_folder(in_scratch("dir/full"), 0755, &why), STATUS_OK);
	assert_int_not_equal(file_replace(in_scratch("dir"), "x", 1, 0644, &why), STATUS_OK);
	assert_int_equal(access(in_scratch("dir.tmp"), F_OK), -1);
}

static void a_full_device_is_reported(void **state)
{
	char *bytes;
	size_t length;

	(void)state;
	if (access("/dev/full", F_OK) != 0)
		return;
	/* Reading /dev/full gives NULs for ever: the limit holds. */
	assert_int_equal(file_read("/dev/full", 100000, &bytes, &length, NULL), STATUS_FULL);
}

static void publishing_moves_and_syncs(void **state)
{
	struct why why;

	(void)state;
	put(in_scratch("x.part"), "new", 3, 0644);
	put(in_scratch("x"), "old", 3, 0644);
	assert_int_equal(file_publish(in_scratch("x.part"), in_scratch("x"), &why), STATUS_OK);
	assert_int_equal(access(in_scratch("x.part"), F_OK), -1);
	assert_int_equal(
		file_publish(in_scratch("x.part"), in_scratch("x"), &why), STATUS_NOT_FOUND);
	assert_int_equal(file_sync_folder(folder, &why), STATUS_OK);
	assert_int_equal(file_sync_folder(in_scratch("nowhere"), &why), STATUS_NOT_FOUND);
}

static void reading_has_a_limit(void **state)
{
	char *bytes = NULL;
	size_t length = 99;
	struct why why;

	(void)state;
	put(in_scratch("five"), "12345", 5, 0644);
	assert_int_equal(file_read(in_scratch("five"), 4, &bytes, &length, &why), STATUS_FULL);
	assert_null(bytes);
	assert_int_equal(length, 99);
	assert_int_equal(file_read(in_scratch("five"), 5, &bytes, &length, &why), STATUS_OK);
	assert_int_equal(length, 5);
	free(bytes);
	assert_int_equal(file_read(in_scratch("six"), 5, &bytes, &length, &why), STATUS_NOT_FOUND);
	assert_int_equal(file_read(folder, 5, &bytes, &length, &why), STATUS_IO);
	assert_int_equal(file_read("/proc/self/status", 100000, &bytes, &length, &why), STATUS_OK);
	assert_non_null(strstr(bytes, "VmHWM"));
	free(bytes);
}

/* Sizes around the steps in which the reader grows. */
static void any_size_is_read(void **state)
{
	static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 32768, 65536, 100000};
	static char content[100000];

	(void)state;
	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (char)('a' + i % 23);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *bytes;
		size_t length;

		put(in_scratch("sized"), content, sizes[i], 0644);
		assert_int_equal(
			file_read(in_scratch("sized"), sizes[i], &bytes, &length, NULL), STATUS_OK);
		assert_int_equal(length, sizes[i]);
		assert_memory_equal(bytes, content, length);
		assert_int_equal(bytes[length], 0);
		free(bytes);
	}
}

static void secrets_are_trimmed(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		mode_t mode;
		const char *secret;
		bool loose;
	} cases[] = {
		{"key", 3, 0600, "key", false},
		{"key\r\n", 5, 0640, "key", false},
		{" a key \t\n\n", 10, 0644, " a key", true},
		{"\xEF\xBB\xBFkey\n", 7, 0600, "key", false},
		{"\n\n", 2, 0600, NULL, false},
		{"", 0, 0600, NULL, false},
		{"k\0y", 3, 0600, NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *secret = NULL;
		bool loose = false;
		struct why why;

		put(in_scratch("secret"), cases[i].bytes, cases[i].length, cases[i].mode);

		enum status s = file_read_secret(in_scratch("secret"), &secret, &loose, &why);

		assert_int_equal(s, cases[i].secret ? STATUS_OK : STATUS_BAD_DATA);
		if (!cases[i].secret)
			continue;
		assert_string_equal(secret, cases[i].secret);
		assert_int_equal(loose, cases[i].loose);
		free(secret);
	}
}

static void space_is_told(void **state)
{
	uint64_t free_bytes = 0, total_bytes = 0;
	struct why why;

	(void)state;
	assert_int_equal(file_space(folder, &free_bytes, &total_bytes, &why), STATUS_OK);
	assert_true(total_bytes >= free_bytes);
	assert_true(total_bytes > 0);
	assert_int_equal(
		file_space(in_scratch("gone"), &free_bytes, &total_bytes, &why), STATUS_NOT_FOUND);
}

static void paths_are_joined(void **state)
{
	char out[8] = "before";

	(void)state;
	assert_int_equal(file_join("/a", "bcd", out, sizeof out), STATUS_OK);
	assert_string_equal(out, "/a/bcd");
	assert_int_equal(file_join("/a/", "bcd", out, sizeof out), STATUS_OK);
	assert_string_equal(out, "/a/bcd");
	assert_int_equal(file_join("/a", "bcdefg", out, sizeof out), STATUS_FULL);
	assert_string_equal(out, "/a/bcd");
	/* In place, as callers do when they go down a tree. */
	assert_int_equal(file_join(out, "", out, sizeof out), STATUS_OK);
	assert_string_equal(out, "/a/bcd/");
}

static void one_instance_a_folder(void **state)
{
	int fd = -1, second = -1;
	pid_t holder = 0;
	struct why why;

	(void)state;
	assert_int_equal(file_lock_instance(folder, &fd, &holder, &why), STATUS_OK);
	assert_true(fd >= 0);

	holder = 0;
	assert_int_equal(file_lock_instance(folder, &second, &holder, &why), STATUS_BUSY);
	assert_int_equal(second, -1);
	assert_int_equal(holder, getpid());
	assert_non_null(strstr(why.text, "pid"));

	/* The lock goes with the descriptor; a longer pid of before leaves no digits. */
	close(fd);
	put(in_scratch("lock"), "99999999999\n", 12, 0644);
	assert_int_equal(file_lock_instance(folder, &fd, &holder, &why), STATUS_OK);

	char *text;
	size_t length;

	assert_int_equal(file_read(in_scratch("lock"), 100, &text, &length, &why), STATUS_OK);
	assert_int_equal(atoi(text), getpid());
	assert_true(length < 12);
	free(text);
	close(fd);
	assert_int_equal(
		file_lock_instance(in_scratch("gone"), &fd, &holder, &why), STATUS_NOT_FOUND);
}

static void a_dead_holder_holds_nothing(void **state)
{
	int fd, ready[2];
	pid_t holder;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);

	pid_t child = fork();

	if (child == 0) {
		if (file_lock_instance(folder, &fd, &holder, NULL) != STATUS_OK)
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	holder = 0;
	assert_int_equal(file_lock_instance(folder, &fd, &holder, NULL), STATUS_BUSY);
	assert_int_equal(holder, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(file_lock_instance(folder, &fd, &holder, NULL), STATUS_OK);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

static void removable_places(void **state)
{
	(void)state;
	assert_true(file_is_removable_place("/media"));
	assert_true(file_is_removable_place("/media/stick/books"));
	assert_true(file_is_removable_place("/mnt/"));
	assert_true(file_is_removable_place("/run/media/pi/STICK"));
	assert_false(file_is_removable_place("/mediator"));
	assert_false(file_is_removable_place("/run"));
	assert_false(file_is_removable_place("/"));
	assert_false(file_is_removable_place(folder));
	/* By a link, too. */
	assert_int_equal(symlink("/mnt", in_scratch("stick")), 0);
	assert_true(file_is_removable_place(in_scratch("stick/books")));
}

static void proc_is_a_mount(void **state)
{
	(void)state;
	assert_true(file_below_mount("/proc"));
	assert_true(file_below_mount("/proc/self"));
	assert_false(file_below_mount("/"));
	assert_false(file_below_mount("/etc"));
}

/* In a namespace of its own: a bind mount of the same file system, with a blank in its name. */
static int see_bind_mount(void)
{
	const char *stick = in_scratch("a stick");
	const char *beside = in_scratch("a stick 2");

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return 77;
	if (mkdir(stick, 0755) != 0 || mkdir(beside, 0755) != 0)
		return 1;
	if (file_below_mount(stick) != file_below_mount(folder))
		return 2;
	if (mount(beside, stick, NULL, MS_BIND, NULL) != 0)
		return 77;
	if (!file_below_mount(stick) ||
		!file_below_mount(in_scratch("a stick/books/not/yet/there")))
		return 3;
	if (file_below_mount(beside) != file_below_mount(folder))
		return 4;
	if (umount(stick) != 0 || file_below_mount(stick) != file_below_mount(folder))
		return 5;
	return 0;
}

static void bind_mounts_count(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(see_bind_mount());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		printf("SKIPPED: no right to mount\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_made_with_their_parents),
		cmocka_unit_test(a_replaced_file_is_whole),
		cmocka_unit_test(a_full_device_is_reported),
		cmocka_unit_test(publishing_moves_and_syncs),
		cmocka_unit_test(reading_has_a_limit),
		cmocka_unit_test(any_size_is_read),
		cmocka_unit_test(secrets_are_trimmed),
		cmocka_unit_test(space_is_told),
		cmocka_unit_test(paths_are_joined),
		cmocka_unit_test(one_instance_a_folder),
		cmocka_unit_test(a_dead_holder_holds_nothing),
		cmocka_unit_test(removable_places),
		cmocka_unit_test(proc_is_a_mount),
		cmocka_unit_test(bind_mounts_count),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
