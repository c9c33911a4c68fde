/* fuzz_settings.c - an env file of any bytes, read and taken for settings. What is accepted must print, and
 * must be accepted again with the same values. */
#include "app/settings.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(void *context, bool wrong, const char *text)
{
	size_t *length = context;

	(void)wrong;
	*length += strlen(text);
}

/* Files that the input names are not opened: they would tell more of the machine than of us. */
static int names_a_file(const uint8_t *data, size_t size)
{
	return memmem(data, size, "_FILE", 5) != NULL;
}

static char *printed(const struct settings *s)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		abort();
	settings_print_effective(s, out);
	fclose(out);
	return text;
}

/* `whole`: as the daemon would; else only what is written must be right. */
static struct settings *load(const char *path, bool whole)
{
	size_t told = 0;
	const struct settings_request request = {
		.env_file = path,
		.any_purpose = whole,
		.report = report,
		.context = &told,
	};
	struct settings *s = NULL;
	struct why why;

	return settings_load(&s, &request, &why) == STATUS_OK ? s : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1;
	char path[64];

	if (names_a_file(data, size))
		return 0;
	if (file < 0)
		file = memfd_create("env", 0);
	if (file < 0 || ftruncate(file, 0) || pwrite(file, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);

	struct settings *whole = load(path, true), *first = load(path, false),
			*second = load(path, false);

	if (!first != !second)
		abort();
	if (first) {
		char *one = printed(first), *two = printed(second);

		if (strcmp(one, two))
			abort();
		free(one);
		free(two);
	}
	settings_free(whole);
	settings_free(first);
	settings_free(second);
	return 0;
}
