/* test_fault.c - reading --fault. */
#include "replay/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	const char *comment, *text;
	uint64_t request;
	enum fault_kind kind;
} good[] = {
	{"none", NULL, 1, FAULT_NONE},
	{"empty", "", 1, FAULT_NONE},
	{"every request", "500", 7, FAULT_500},
	{"before N", "reset@3", 2, FAULT_NONE},
	{"N", "reset@3", 3, FAULT_RESET},
	{"after N", "reset@3", 4, FAULT_NONE},
	{"from N on, before", "gzip@3+", 2, FAULT_NONE},
	{"from N on", "gzip@3+", 3, FAULT_GZIP},
	{"from N on, later", "gzip@3+", 3000, FAULT_GZIP},
	{"a list", "html@1,slow@2", 2, FAULT_SLOW},
	{"the first rule counts", "401@2,500", 2, FAULT_401},
	{"the other one else", "401@2,500", 3, FAULT_500},
	{"a name with a dash", "chunked-truncated@1", 1, FAULT_CHUNKED},
};

static const char *const bad[] = {"fire", "500@", "500@0", "500@x", "500@1x", "500@1++", "500@+",
	"@1", ",500", "500@-1",
	"html,html,html,html,html,html,html,html,html,html,html,html,html,html,html,html,html"};

static void plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct fault_plan plan;
		struct why why;

		print_message("%s\n", good[i].comment);
		assert_int_equal(fault_parse(good[i].text, &plan, &why), STATUS_OK);
		assert_int_equal(fault_of(&plan, good[i].request), good[i].kind);
	}
}

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct fault_plan plan;
		struct why why = {""};

		print_message("%s\n", bad[i]);
		assert_int_equal(fault_parse(bad[i], &plan, &why), STATUS_BAD_DATA);
		assert_string_not_equal(why.text, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(plans), cmocka_unit_test(refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
