/* test_seal_cut.c - the power goes out at each operation of moving secrets off the card's FAT, once and again during
 * the start that follows, with the line that was being overwritten torn in every way: the start after that has every
 * secret at its newest value, and none is left in the file. */
#include "app/card.h"

#include "base/file.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPERATIONS_MAX = 400, CUT_CODE = 99, DISORDER_CODE = 98 };
enum tear { TEAR_NOTHING, TEAR_FIRST, TEAR_LAST, TEAR_MIXED, TEARS };

static char folder[64], card_file[96], secrets[96], out[96];

/* ---- operations that can be cut ---- */

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_fchown(int fd, uid_t owner, gid_t group);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_fchown(int fd, uid_t owner, gid_t group);

static unsigned left; /* operations until the power goes; 0: it stays */
static enum tear tear;
/* What a power cut could still take back. */
static bool renamed_unsynced, overwritten_unsynced;

static void operation(void)
{
	if (left && !--left)
		_exit(CUT_CODE);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
	if (fd != STDERR_FILENO && fd != STDOUT_FILENO)
		operation();
	return __real_write(fd, bytes, length);
}

/* Only the settings file is written so: a card writes some of the sectors and not the others. */
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	if (renamed_unsynced)
		_exit(DISORDER_CODE);
	if (left == 1) {
		const char *from = bytes;
		bool good = true;

		for (size_t i = 0; i < length; i++)
			if ((tear == TEAR_FIRST && i < length / 2) ||
				(tear == TEAR_LAST && i >= length / 2) ||
				(tear == TEAR_MIXED && i % 5 != 2))
				good = good &&
				       __real_pwrite(fd, from + i, 1, offset + (off_t)i) == 1;
		_exit(good ? CUT_CODE : DISORDER_CODE);
	}
	operation();
	overwritten_unsynced = true;
	return __real_pwrite(fd, bytes, length, offset);
}

int __wrap_fsync(int fd)
{
	struct stat st;

	operation();
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		renamed_unsynced = false;
	else
		overwritten_unsynced = false;
	return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
	operation();
	renamed_unsynced = true;
	return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	if (overwritten_unsynced)
		_exit(DISORDER_CODE);
	operation();
	return __real_unlink(path);
}

int __wrap_fchown(int fd, uid_t owner, gid_t group)
{
	operation();
	return __real_fchown(fd, owner, group);
}

/* ---- the box ---- */

static const char before[] = "\xEF\xBB\xBFSCOREBOX_API_KEY=the-oldest-key-of-all\r\n"
			     "# mine\r\n"
			     "export SCOREBOX_API_KEY = 'the key that\"counts'  # of May\r\n"
			     "SCOREBOX_KAFKA_SASL_PASSWORD=\"swo\\\"rd\\\\fish\"\r\n"
			     "SCOREBOX_MATCHES=India\r\n"
			     "SCOREBOX_SEAL=1\r\n"
			     "SCOREBOX_API_KEY=xxxx-xxxx-1234";
static const char after[] = "\xEF\xBB\xBF# SCOREBOX_API_KEY is sealed on the ca\r\n"
			    "# mine\r\n"
			    "# SCOREBOX_API_KEY is sealed on the card                 \r\n"
			    "# SCOREBOX_KAFKA_SASL_PASSWORD is sealed on \r\n"
			    "SCOREBOX_MATCHES=India\r\n"
			    "SCOREBOX_SEAL=1\r\n"
			    "# SCOREBOX_API_KEY is sealed on";
_Static_assert(sizeof before == sizeof after, "the file keeps its length");
static const char key[] = "xxxx-xxxx-1234", password[] = "swo\"rd\\fish";

static void write_text(const char *path, const char *text)
{
	struct why why;

	assert_int_equal(file_replace(path, text, strlen(text), 0600, &why), STATUS_OK);
}

static char *path_in(const char *place, const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", place, name);
	return path;
}

static void expect_text(const char *path, const char *text)
{
	char *bytes;
	size_t length;
	struct why why;

	if (file_read(path, 1 << 16, &bytes, &length, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	assert_string_equal(bytes, text);
	free(bytes);
}

/* A box as it was sold, with a key of last season sealed. */
static void set_up(void)
{
	write_text(card_file, before);
	write_text(path_in(secrets, "SCOREBOX_API_KEY"), "key-of-last-season");
	__real_unlink(path_in(secrets, "SCOREBOX_KAFKA_SASL_PASSWORD"));
	__real_unlink(path_in(secrets, ".sealing"));
}

/* A start of the box; true: the power stayed. */
static bool start(unsigned cut_at, enum tear how)
{
	const struct card_request request = {.file = card_file, .out = out, .folder = secrets};
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		bool usable;
		struct why why;

		log_setup(LOG_ERROR, LOG_TEXT);
		left = cut_at;
		tear = how;
		_exit(card_settings(&request, &usable, &why) == STATUS_OK && usable ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != CUT_CODE)
		fail_msg("cut at %u, torn %d: exit %d", cut_at, (int)how, WEXITSTATUS(status));
	return WEXITSTATUS(status) == 0;
}

static void expect_whole(void)
{
	char lines[400];
	struct stat st;

	expect_text(card_file, after);
	expect_text(path_in(secrets, "SCOREBOX_API_KEY"), key);
	expect_text(path_in(secrets, "SCOREBOX_KAFKA_SASL_PASSWORD"), password);
	assert_int_equal(stat(path_in(secrets, "SCOREBOX_API_KEY"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_not_equal(access(path_in(secrets, ".sealing"), F_OK), 0);
	assert_int_not_equal(access(path_in(secrets, ".sealing.tmp"), F_OK), 0);
	snprintf(lines, sizeof lines,
		"SCOREBOX_MATCHES=India\nSCOREBOX_SEAL=1\nSCOREBOX_API_KEY_FILE=%s/SCOREBOX_API_KEY\n"
		"SCOREBOX_KAFKA_SASL_PASSWORD_FILE=%s/SCOREBOX_KAFKA_SASL_PASSWORD\n",
		secrets, secrets);
	expect_text(out, lines);
}

static void a_cut_at_each_operation(void **state)
{
	unsigned cuts = 0;
	bool whole = false;

	(void)state;
	for (unsigned n = 1; !whole; n++) {
		assert_true(n < OPERATIONS_MAX);
		for (int how = 0; how < TEARS; how++) {
			set_up();
			whole = start(n, (enum tear)how);
			cuts += !whole;
			assert_true(start(0, TEAR_NOTHING));
			expect_whole();
		}
	}
	assert_true(cuts > 100);
}

/* The start after a cut is cut as well, somewhere. */
static void a_cut_at_each_operation_and_again(void **state)
{
	bool whole = false;

	(void)state;
	for (unsigned n = 1; !whole; n += 2) {
		bool again = false;

		for (unsigned m = 1; !again; m += 3) {
			assert_true(m < OPERATIONS_MAX);
			set_up();
			whole = start(n, TEAR_MIXED);
			again = start(m, (enum tear)(m % TEARS));
			assert_true(start(0, TEAR_NOTHING));
			expect_whole();
		}
	}
}

/* Another line than the one that was being overwritten stands there by now: it is somebody's new word. */
static void a_file_that_was_edited_after_the_cut(void **state)
{
	static const char edited[] = "SCOREBOX_API_KEY=a-new-one\nSCOREBOX_SEAL=1\n";
	bool whole = false;

	(void)state;
	for (unsigned n = 1; !whole; n++) {
		set_up();
		whole = start(n, TEAR_FIRST);
		write_text(card_file, edited);
		assert_true(start(0, TEAR_NOTHING));
		expect_text(path_in(secrets, "SCOREBOX_API_KEY"), "a-new-one");
		expect_text(card_file, "# SCOREBOX_API_KEY is seal\nSCOREBOX_SEAL=1\n");
		assert_int_not_equal(access(path_in(secrets, ".sealing"), F_OK), 0);
	}
}

static int make_folder(void **state)
{
	(void)state;
	/* In memory, where it can be had: thousands of syncs. */
	snprintf(folder, sizeof folder, "/dev/shm/seal-XXXXXX");
	if (!mkdtemp(folder)) {
		snprintf(folder, sizeof folder, "/tmp/seal-XXXXXX");
		if (!mkdtemp(folder))
			return -1;
	}
	snprintf(card_file, sizeof card_file, "%s/scorebox.env", folder);
	snprintf(out, sizeof out, "%s/settings", folder);
	snprintf(secrets, sizeof secrets, "%s/secrets", folder);
	return mkdir(secrets, 0700);
}

static int remove_folder(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_at_each_operation),
		cmocka_unit_test(a_cut_at_each_operation_and_again),
		cmocka_unit_test(a_file_that_was_edited_after_the_cut),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
