/* test_settings_memory.c - settings loaded while allocation 1, 2, 3, ... fails, once and from then on: either
 * they are right, or the load says why it is not; nothing leaks (the sanitizer build looks). */
#include "app/settings.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALLOCATIONS_MAX = 1000 };

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long until_failure = -1; /* allocations that still succeed; -1: all */
static bool sticky;
static bool failed;

static bool fails(void)
{
	if (until_failure < 0)
		return false;
	if (until_failure > 0) {
		until_failure--;
		return false;
	}
	if (!sticky)
		until_failure = -1;
	failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static char env_file[] = "/tmp/settings-memory-XXXXXX";

static void ignore(void *context, bool wrong, const char *text)
{
	unsigned *reports = context;

	(void)text;
	*reports += wrong;
}

/* Fails allocation n; tells whether one was left to fail. */
static bool load_with_failure(long n)
{
	char key[] = "SCOREBOX_API_KEY=0123456789abcdef", brokers[] = "SCOREBOX_KAFKA_BROKERS=k1";
	unsigned wrong = 0;
	const struct settings_request request = {
		.env_file = env_file,
		.environment = (char *[]){key, brokers, NULL},
		.any_purpose = true,
		.report = ignore,
		.context = &wrong,
	};
	struct settings *s = NULL;
	struct why why;

	failed = false;
	until_failure = n;

	enum status status = settings_load(&s, &request, &why);

	until_failure = -1;
	if (status == STATUS_OK) {
		assert_string_equal(settings_config(s)->api_key, "0123456789abcdef");
		assert_string_equal(settings_config(s)->matches, "India");
		assert_string_equal(settings_config(s)->kafka_brokers, "k1");
	} else {
		assert_true(failed);
		assert_true(status == STATUS_NO_MEMORY || wrong > 0);
		assert_null(s);
	}
	settings_free(s);
	return failed;
}

static void every_allocation_fails(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		long n = 0;

		sticky = way;
		while (load_with_failure(n))
			assert_true(n++ < ALLOCATIONS_MAX);
		assert_true(n > 5);
	}
}

static int write_env_file(void **state)
{
	static const char text[] = "SCOREBOX_MATCHES=\"India\"\n";
	int fd = mkstemp(env_file);

	(void)state;
	if (fd < 0 || write(fd, text, sizeof text - 1) != (ssize_t)(sizeof text - 1))
		return -1;
	return close(fd);
}

static int remove_env_file(void **state)
{
	(void)state;
	return unlink(env_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails)};
	return cmocka_run_group_tests(tests, write_env_file, remove_env_file);
}
