/* test_source.c - profiles, what is wrong with a custom one, and what counts as a change. */
#include "feed/change.h"
#include "feed/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void profiles_are_known_and_right(void **state)
{
	struct source s;

	(void)state;
	assert_int_equal(source_profile("cricapi", &s), STATUS_OK);
	assert_string_equal(s.records, "/data");
	assert_string_equal(s.offset_param, "offset");
	assert_int_equal(source_check(&s, NULL), STATUS_OK);
	assert_int_equal(source_profile("Custom", &s), STATUS_OK);
	assert_string_equal(s.records, "");
	assert_int_equal(source_check(&s, NULL), STATUS_OK);
	assert_int_equal(source_profile("cricbuzz", &s), STATUS_NOT_FOUND);
}

static void complaints_name_what_is_wrong(void **state)
{
	struct why why;
	struct source s;
	struct {
		const char **field;
		const char *value, *complaint;
	} cases[] = {
		{&s.records, "data", "records: pointer 'data' must start with '/'"},
		{&s.id, "", "id: a pointer within a row is needed, as in /id"},
		{&s.id, "id", "id: pointer 'id' must start with '/'"},
		{&s.ok, "/status",
			"success test '/status' must read POINTER=VALUE, as in /status=success"},
		{&s.ok, "status=x", "success test: pointer 'status' must start with '/'"},
		{&s.reason, "/a~", "reason: in pointer '/a~' a '~' wants 0 or 1 behind it"},
		{&s.total, "x", "total: pointer 'x' must start with '/'"},
		{&s.hits_limit, "x", "hits limit: pointer 'x' must start with '/'"},
		{&s.offset_param, "a&b", "paging parameter 'a&b' may not hold '&'"},
		{&s.key_param, "a b", "key parameter 'a b' may not hold '?'"},
		{&s.key_header, "X-Key:", "key header 'X-Key:' may not hold ':'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(source_profile("cricapi", &s), STATUS_OK);
		*cases[i].field = cases[i].value;
		assert_int_equal(source_check(&s, &why), STATUS_BAD_DATA);
		assert_string_equal(why.text, cases[i].complaint);
	}
}

static void a_change_is_told_from_the_state_before_only(void **state)
{
	struct digest a, b;

	(void)state;
	memset(&a, 1, sizeof a);
	memset(&b, 1, sizeof b);
	assert_true(change_is_new(NULL, &a, false));
	assert_false(change_is_new(&a, &b, false));
	assert_true(change_is_new(&a, &b, true));
	b.bytes[DIGEST_BYTES - 1] = 2;
	assert_true(change_is_new(&a, &b, false));
	assert_true(change_is_new(&b, &a, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_are_known_and_right),
		cmocka_unit_test(complaints_name_what_is_wrong),
		cmocka_unit_test(a_change_is_told_from_the_state_before_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
