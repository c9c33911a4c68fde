/* test_environment.c - what the daemon is given. */
#include "board/service_environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[PATH_MAX];
static struct places places;
static const char *const secrets[] = {"SCOREBOX_API_KEY", "SCOREBOX_KAFKA_SASL_PASSWORD", NULL};

/* "NUMBERm" only. */
static enum status minutes(const char *text, int64_t *out_ms, struct why *why)
{
	char *end;

	*out_ms = strtoll(text, &end, 10) * 60000;
	return strcmp(end, "m") == 0 ? STATUS_OK : (fail)(why, STATUS_BAD_DATA, "minutes");
}

static const struct environment_wants wants = {
	.places = &places, .secrets = secrets, .duration = minutes, .watchdog_ms = 30000};

static int make_root(void **state)
{
	char path[PATH_MAX + 40];

	(void)state;
	snprintf(root, sizeof root, "/tmp/scorebox-environment-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(path, sizeof path, "mkdir -p '%s/run/scorebox' '%s/data/secrets'", root, root);
	return system(path) ? -1 : places_init(&places, root, NULL) == STATUS_OK ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[PATH_MAX + 20];

	(void)state;
	places_done(&places);
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void has(const struct service_environment *e, const char *name, const char *format, ...)
{
	char expected[400];
	const char *value = service_environment_value(e, name);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(expected, sizeof expected, format, arguments);
	va_end(arguments);
	if (!value || strcmp(value, expected) != 0)
		fail_msg("%s: %s, not %s", name, value ? value : "(none)", expected);
}

static void lines_and_defaults(void **state)
{
	struct service_environment e;
	struct board_settings settings;
	char sealed[PATH_MAX + 80];
	struct why why;

	(void)state;
	put(places.at[PLACE_SETTINGS],
		"SCOREBOX_MODE=both\n"
		"SCOREBOX_MATCHES= a b=\"c\" # no comment, quotes as they are\n"
		"SCOREBOX_KAFKA_BROKERS=old:1\n"
		"LD_PRELOAD=/data/evil.so\n"
		"SCOREBOX_KAFKA_BROKERS=new:2\n"
		"SCOREBOX_nonsense\n"
		"\n"
		"SCOREBOX_CLOCK_WAIT=1m\n"
		"SCOREBOX_UPDATE_CONFIRM=banana\n"
		"SCOREBOX_API_KEY=of the file");
	snprintf(sealed, sizeof sealed, "%s/SCOREBOX_API_KEY", places.at[PLACE_SECRETS]);
	put(sealed, "sealed");
	snprintf(
		sealed, sizeof sealed, "%s/SCOREBOX_KAFKA_SASL_PASSWORD", places.at[PLACE_SECRETS]);
	put(sealed, "sealed");
	assert_int_equal(service_environment_make(&e, &settings, &wants, &why), STATUS_OK);
	has(&e, "SCOREBOX_MATCHES", " a b=\"c\" # no comment, quotes as they are");
	has(&e, "SCOREBOX_KAFKA_BROKERS", "new:2");
	assert_null(service_environment_value(&e, "LD_PRELOAD"));
	has(&e, "SCOREBOX_STATE_DIR", "%s/data/scorebox", root);
	has(&e, "SCOREBOX_OUTPUT_DIR", "%s/media/stick/scorebox", root);
	has(&e, "SCOREBOX_OUTPUT_MOUNT", "require");
	has(&e, "HOME", "%s/data/scorebox", root);
	has(&e, "NOTIFY_SOCKET", "%s/run/scorebox/notify", root);
	has(&e, "WATCHDOG_USEC", "30000000");
	/* What stands in the file is not sealed. */
	has(&e, "SCOREBOX_API_KEY", "of the file");
	assert_null(service_environment_value(&e, "SCOREBOX_API_KEY_FILE"));
	has(&e, "SCOREBOX_KAFKA_SASL_PASSWORD_FILE", "%s", sealed);
	assert_true(settings.given && settings.consumes);
	assert_int_equal(settings.clock_wait_ms, 60000);
	assert_int_equal(settings.confirm_ms, 300000); /* the daemon complains of it */
	/* Each name once, and nothing of ours beside. */
	for (unsigned i = 0; i < e.count; i++)
		for (unsigned k = 0; k < i; k++)
			assert_true(
				strncmp(e.list[i], e.list[k], strcspn(e.list[i], "=") + 1) != 0);
	assert_null(e.list[e.count]);
	service_environment_done(&e);
}

static void what_is_given_stays(void **state)
{
	struct service_environment e;
	struct board_settings settings;
	struct why why;

	(void)state;
	put(places.at[PLACE_SETTINGS],
		"SCOREBOX_STATE_DIR=/elsewhere\nSCOREBOX_OUTPUT_MOUNT=any\nSCOREBOX_OUTPUT_DIR=/out\n"
		"SCOREBOX_MODE=produce\nSCOREBOX_API_KEY_FILE=/boot/key\n");
	assert_int_equal(service_environment_make(&e, &settings, &wants, &why), STATUS_OK);
	has(&e, "SCOREBOX_STATE_DIR", "/elsewhere");
	has(&e, "SCOREBOX_MODE", "produce");
	has(&e, "SCOREBOX_OUTPUT_MOUNT", "any");
	has(&e, "SCOREBOX_OUTPUT_DIR", "/out");
	has(&e, "SCOREBOX_API_KEY_FILE", "/boot/key");
	assert_string_equal(settings.state_dir, "/elsewhere");
	assert_false(settings.consumes);
	service_environment_done(&e);
}

static void no_file_and_too_much(void **state)
{
	static char text[ENVIRONMENT_LINES * 40 * 2];
	struct service_environment e;
	struct board_settings settings;
	struct why why;
	size_t n = 0;

	(void)state;
	assert_int_equal(service_environment_make(&e, &settings, &wants, &why), STATUS_OK);
	assert_false(settings.given);
	has(&e, "SCOREBOX_OUTPUT_MOUNT", "require");
	has(&e, "SCOREBOX_MODE", "both");
	has(&e, "SCOREBOX_OUTPUT_DIR", "%s/media/stick/scorebox", root);
	assert_true(settings.consumes);
	service_environment_done(&e);
	put(places.at[PLACE_SETTINGS], "SCOREBOX_MODE=produce\n");
	assert_int_equal(service_environment_make(&e, &settings, &wants, &why), STATUS_OK);
	assert_null(service_environment_value(&e, "SCOREBOX_OUTPUT_DIR"));
	assert_false(settings.consumes);
	service_environment_done(&e);
	for (int i = 0; i < ENVIRONMENT_LINES + 20; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "SCOREBOX_X%d=%d\n", i, i);
	put(places.at[PLACE_SETTINGS], text);
	assert_int_equal(service_environment_make(&e, &settings, &wants, &why), STATUS_FULL);
	assert_true(settings.given);
	has(&e, "SCOREBOX_X159", "159");
	assert_null(service_environment_value(&e, "SCOREBOX_X160"));
	has(&e, "NOTIFY_SOCKET", "%s/run/scorebox/notify",
		root); /* without it the daemon would seem to hang */
	assert_null(e.list[e.count]);
	service_environment_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_and_defaults, make_root, remove_root),
		cmocka_unit_test_setup_teardown(what_is_given_stays, make_root, remove_root),
		cmocka_unit_test_setup_teardown(no_file_and_too_much, make_root, remove_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
