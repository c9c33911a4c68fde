/* test_options.c - the command line behind a verb. */
#include "app/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { ARGUMENTS = 6 };

/* The words outlive the options, which point into them. */
static enum status parse(struct options *o, unsigned taken, bool stop, const char *const *words,
	int *used, struct why *why)
{
	static char bytes[ARGUMENTS][32];
	char *argv[ARGUMENTS];
	int count = 0;

	for (; count < ARGUMENTS && words[count]; count++) {
		snprintf(bytes[count], sizeof bytes[count], "%s", words[count]);
		argv[count] = bytes[count];
	}
	*o = (struct options){0};
	return options_parse(o, taken, stop, count, argv, used, why);
}

#define WORDS(...)                     \
	(const char *const[ARGUMENTS]) \
	{                              \
		__VA_ARGS__            \
	}

static void taken_options(void **state)
{
	struct options o;
	struct why why;
	int used;

	(void)state;
	assert_int_equal(parse(&o, OPTION_SWEEPS | OPTION_TIMEOUT, false,
				 WORDS("--sweeps", "3", "--timeout=5s"), &used, &why),
		STATUS_OK);
	assert_int_equal(o.sweeps, 3);
	assert_int_equal(o.timeout_ms, 5000);
	assert_int_equal(used, 3);
	assert_int_equal(parse(&o, OPTION_SWEEPS, false, WORDS("--once"), &used, &why), STATUS_OK);
	assert_int_equal(o.sweeps, 1);
	assert_int_equal(parse(&o, OPTION_UNTIL_END, false, WORDS("--until-end", "--env-file", "x"),
				 &used, &why),
		STATUS_OK);
	assert_true(o.until_end);
	assert_string_equal(o.env_file, "x");
	assert_int_equal(
		parse(&o, OPTION_WORD, false, WORDS("check", "-h"), &used, &why), STATUS_OK);
	assert_string_equal(o.word, "check");
	assert_true(o.help);
	assert_int_equal(
		parse(&o, 0, true, WORDS("--env-file=y", "produce", "--once"), &used, &why),
		STATUS_OK);
	assert_int_equal(used, 1);
	assert_string_equal(o.env_file, "y");
}

static void refused_options(void **state)
{
	static const struct {
		unsigned taken;
		const char *words[ARGUMENTS], *reason;
	} cases[] = {
		{0, {"--once"}, "--once is not known here"},
		{OPTION_SWEEPS, {"--onc"}, "not known"},
		{OPTION_SWEEPS, {"--sweeps"}, "wants a value"},
		{OPTION_SWEEPS, {"--sweeps", "0"}, "whole number"},
		{OPTION_SWEEPS, {"--sweeps=x"}, "whole number"},
		{OPTION_SWEEPS, {"--once=1"}, "takes no value"},
		{OPTION_TIMEOUT, {"--timeout", "60"}, "duration"},
		{OPTION_TIMEOUT, {"--timeout", "0"}, "above 0"},
		{OPTION_TIMEOUT, {"all"}, "too much"},
		{OPTION_WORD, {"a", "b"}, "'b' is too much"},
		{OPTION_BROKER, {"--partitions", "257"}, "1 to 256"},
		{OPTION_UPDATE, {"--root", "here"}, "whole path"},
		{OPTION_ONLINE, {"--partitions", "0"}, "1 to 256"},
		{OPTION_ONLINE, {"--replication", "many"}, "whole number"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		struct why why;
		int used;

		assert_int_equal(parse(&o, cases[i].taken, false, cases[i].words, &used, &why),
			STATUS_BAD_DATA);
		if (!strstr(why.text, cases[i].reason))
			fail_msg(
				"%s: '%s', not '%s'", cases[i].words[0], why.text, cases[i].reason);
	}
}

static void options_that_need_each_other(void **state)
{
	static const struct {
		const char *words[ARGUMENTS], *reason; /* NULL: they agree */
	} cases[] = {
		{{"--online"}, NULL},
		{{"--online", "--create-topic"}, NULL},
		{{"--create-topic", "--replication=3", "--partitions=12", "--online"}, NULL},
		{{"--create-topic"}, "--create-topic wants --online"},
		{{"--online", "--register-schema"}, NULL},
		{{"--register-schema"}, "--register-schema wants --online"},
		{{"--online", "--partitions", "3"}, "--partitions is for --create-topic"},
		{{"--replication", "3"}, "--replication is for --create-topic"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		struct why why = {""};
		int used;

		assert_int_equal(
			parse(&o, OPTION_ONLINE, false, cases[i].words, &used, &why), STATUS_OK);
		assert_int_equal(options_agree(&o, OPTION_ONLINE, &why),
			cases[i].reason ? STATUS_BAD_DATA : STATUS_OK);
		assert_string_equal(why.text, cases[i].reason ? cases[i].reason : "");
		assert_int_equal(options_agree(&o, OPTION_BROKER, &why), STATUS_OK);
	}
}

static void an_update_wants_a_file(void **state)
{
	static const struct {
		const char *words[ARGUMENTS], *reason; /* NULL: they agree */
	} cases[] = {
		{{"x.update"}, NULL},
		{{"--downgrade", "--reboot", "x.update"}, NULL},
		{{"x.update", "--if-newer", "--root", "/r"}, NULL},
		{{"--help"}, NULL},
		{{"--if-newer"}, "the FILE of the update is missing"},
		{{"--if-newer", "--downgrade", "x"},
			"--downgrade and --if-newer exclude each other"},
		{{"--reboot", "--root=/r", "x"}, "--reboot and --root exclude each other"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct options o;
		struct why why = {""};
		int used;

		assert_int_equal(
			parse(&o, OPTION_UPDATE | OPTION_WORD, false, cases[i].words, &used, &why),
			STATUS_OK);
		assert_int_equal(options_agree(&o, OPTION_UPDATE | OPTION_WORD, &why),
			cases[i].reason ? STATUS_BAD_DATA : STATUS_OK);
		assert_string_equal(why.text, cases[i].reason ? cases[i].reason : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_options),
		cmocka_unit_test(refused_options),
		cmocka_unit_test(options_that_need_each_other),
		cmocka_unit_test(an_update_wants_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
