/* test_settings_memory.c - settings loaded while allocation 1, 2, 3, ... fails, once and from then on: either
 * they are right, or the load says why it is not; nothing leaks (the sanitizer build looks). */
#include "app/settings.h"

#include "base/file.h"
#include "failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALLOCATIONS_MAX = 1000 };

static char env_file[] = "/tmp/settings-memory-XXXXXX";

static void ignore(void *context, bool wrong, const char *text)
{
	unsigned *reports = context;

	(void)text;
	*reports += wrong;
}

/* Fails allocation n, and all after it when `sticky`; tells whether one was left to fail. */
static bool load_with_failure(unsigned n, bool sticky)
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

	malloc_fail_at(n, sticky);

	enum status status = settings_load(&s, &request, &why);

	malloc_fail_at(0, false);
	if (status == STATUS_OK) {
		assert_string_equal(settings_config(s)->api_key, "0123456789abcdef");
		assert_string_equal(settings_config(s)->matches, "India");
		assert_string_equal(settings_config(s)->kafka_brokers, "k1");
	} else {
		assert_true(malloc_failures());
		assert_true(status == STATUS_NO_MEMORY || wrong > 0);
		assert_null(s);
	}
	settings_free(s);
	return malloc_failures() > 0;
}

static void every_allocation_fails(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		unsigned n = 1;

		while (load_with_failure(n, way))
			assert_true(n++ < ALLOCATIONS_MAX);
		assert_true(n > 6);
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
