/* place.c - a folder for one test program. */
#include "place.h"

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
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOLDS_MAX_BYTES = 65536, NO_RIGHT = 77 };

static char folder[PATH_MAX];

int place_make(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/scorebox-board-XXXXXX", base ? base : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

int place_remove(void **state)
{
	char command[PATH_MAX + 20];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

const char *place(void)
{
	return folder;
}

const char *in_place(const char *name)
{
	static char paths[16][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 16];

	assert_int_equal(file_join(folder, name, path, PATH_MAX), STATUS_OK);
	return path;
}

void put_bytes(const char *path, const void *bytes, size_t length)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, length, f), length);
	assert_int_equal(fclose(f), 0);
}

void put_text(const char *path, const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	put_bytes(path, text, length);
}

void assert_holds(const char *path, const char *text)
{
	char *bytes;
	size_t length;
	struct why why;

	if (file_read(path, HOLDS_MAX_BYTES, &bytes, &length, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	assert_string_equal(bytes, text);
	free(bytes);
}

void in_own_mounts(int (*step)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
			_exit(NO_RIGHT);
		_exit(step());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_RIGHT) {
		printf("SKIPPED: no right to mount\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}
