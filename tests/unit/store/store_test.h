/* store_test.h - a folder of its own for each test, and short names for what every test of store/ does. */
#pragma once
#include "base/status.h"
#include "store/identity.h"
#include "store/journal.h"
#include "store/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#include <cmocka.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint8_t test_run[RUN_BYTES] = {
	0xa1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

#define expect_status(wanted, call)                                              \
	do {                                                                     \
		struct why why = {""};                                           \
		enum status got_ = (call);                                       \
		if (got_ != (wanted))                                            \
			fail_msg("%s: %s, not %s: %s", #call, status_name(got_), \
				status_name(wanted), why.text);                  \
	} while (0)
#define ok(call) expect_status(STATUS_OK, call)

static inline struct view text_view(const char *text)
{
	return view_of(text, strlen(text));
}

static inline bool view_is(struct view v, const char *text)
{
	return v.length == strlen(text) && !memcmp(v.bytes, text, v.length);
}

static inline void digest_of(const char *text, uint8_t out[SEEN_DIGEST_BYTES])
{
	memset(out, 0, SEEN_DIGEST_BYTES);
	for (size_t i = 0; text[i]; i++)
		out[i % SEEN_DIGEST_BYTES] = (uint8_t)(out[i % SEEN_DIGEST_BYTES] * 31 + text[i]);
}

struct test_folder {
	char folder[64];
	char path[128];
};

static inline void test_folder_make(struct test_folder *f, const char *file)
{
	snprintf(f->folder, sizeof f->folder, "/tmp/scorebox-store-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/%s", f->folder, file);
}

static inline void test_folder_remove(struct test_folder *f)
{
	DIR *d = opendir(f->folder);
	char name[PATH_MAX];

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		snprintf(name, sizeof name, "%s/%s", f->folder, e->d_name);
		if (e->d_name[0] != '.')
			unlink(name);
	}
	if (d)
		closedir(d);
	rmdir(f->folder);
}

static inline bool test_folder_has(const struct test_folder *f, const char *part)
{
	DIR *d = opendir(f->folder);
	bool found = false;

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		found = found || strstr(e->d_name, part);
	if (d)
		closedir(d);
	return found;
}

/* As after kill -9: the files of a store that is still open, copied elsewhere. */
static inline void test_folder_copy(const struct test_folder *from, const struct test_folder *to)
{
	char command[512];

	snprintf(command, sizeof command, "cp -a %s/. %s/", from->folder, to->folder);
	assert_int_equal(system(command), 0);
}
