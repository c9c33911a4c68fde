/* test_card_memory.c - the card's settings read and their secret moved while allocation 1, 2, 3, ... fails, once and from
 * then on: what comes out is right or the call says why it is not, the secret is never gone, and the next start has
 * all of it; nothing leaks (the sanitizer build looks). */
#include "app/card.h"

#include "base/file.h"
#include "base/log.h"
#include "failing_malloc.h"

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
#include <unistd.h>

enum { ALLOCATIONS_MAX = 1000 };

static char folder[] = "/tmp/card-memory-XXXXXX";
static char card_file[96], secrets[96], sealed[128], out[96];

static const char before[] =
	"SCOREBOX_API_KEY=0123456789abcdef\nSCOREBOX_SEAL=1\nSCOREBOX_POLL_MIN=often\n";
static const char after[] =
	"# SCOREBOX_API_KEY is sealed on t\nSCOREBOX_SEAL=1\nSCOREBOX_POLL_MIN=often\n";

static bool reads(const char *path, const char *text)
{
	char *bytes;
	size_t length;
	struct why why;
	bool same;

	if (file_read(path, 4096, &bytes, &length, &why) != STATUS_OK)
		return false;
	same = !strcmp(bytes, text);
	free(bytes);
	return same;
}

static enum status take(bool *usable)
{
	const struct card_request request = {.file = card_file, .out = out, .folder = secrets};
	struct why why;

	return card_settings(&request, usable, &why);
}

static bool lines_are_right(void)
{
	char moved[200];

	snprintf(moved, sizeof moved, "SCOREBOX_SEAL=1\nSCOREBOX_API_KEY_FILE=%s\n", sealed);
	return reads(out, moved) ||
	       reads(out, "SCOREBOX_API_KEY=0123456789abcdef\nSCOREBOX_SEAL=1\n");
}

/* Tells whether an allocation was left to fail. */
static bool start_with_failure(unsigned n, bool sticky)
{
	struct why why;
	bool usable = false, failed;
	enum status status;

	assert_int_equal(file_replace(card_file, before, strlen(before), 0600, &why), STATUS_OK);
	unlink(sealed);
	malloc_fail_at(n, sticky);
	status = take(&usable);
	malloc_fail_at(0, false);
	failed = malloc_failures() > 0;
	if (status == STATUS_OK && usable)
		assert_true(lines_are_right());
	else
		assert_true(failed);
	assert_true(reads(card_file, before) || reads(sealed, "0123456789abcdef"));
	assert_int_equal(take(&usable), STATUS_OK);
	assert_true(usable && lines_are_right());
	assert_true(reads(card_file, after) && reads(sealed, "0123456789abcdef"));
	return failed;
}

static void each_allocation_fails(void **state)
{
	(void)state;
	for (int sticky = 0; sticky <= 1; sticky++) {
		unsigned n = 1;

		while (start_with_failure(n, sticky))
			assert_true(++n < ALLOCATIONS_MAX);
		assert_true(n > 10);
	}
}

static int make_folder(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_TEXT);
	if (!mkdtemp(folder))
		return -1;
	snprintf(card_file, sizeof card_file, "%s/scorebox.env", folder);
	snprintf(out, sizeof out, "%s/settings", folder);
	snprintf(secrets, sizeof secrets, "%s/secrets", folder);
	snprintf(sealed, sizeof sealed, "%s/SCOREBOX_API_KEY", secrets);
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_fails)};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
