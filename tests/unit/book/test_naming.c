/* test_naming.c - file names that FAT and Windows take, and no two matches share. */
#include "base/text.h"
#include "book/naming.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct row row_of(const char *date, const char *a, const char *b, const char *name)
{
	return (struct row){.id = "",
		.name = name,
		.match_type = "",
		.status = "",
		.venue = "",
		.series_id = "",
		.date = date,
		.start = "",
		.team = {a, b}};
}

static struct view text(const char *s)
{
	return view_of(s, strlen(s));
}

static const int64_t day_us = 1744761600000000; /* 2025-04-16 */

static void names_a_match(void **state)
{
	static const struct {
		const char *date, *a, *b, *name, *id;
		bool whole;
		unsigned volume;
		const char *file, *why;
	} cases[] = {
		{"2025-04-16", "Delhi Capitals", "Rajasthan Royals", "",
			"18534a4e-e869-5cf2-85d4-2be5186c3ba8", false, 1,
			"2025-04-16_Delhi-Capitals-vs-Rajasthan-Royals_18534a4e.xlsx",
			"the plain case"},
		{"2025-04-16", "Delhi Capitals", "Rajasthan Royals", "",
			"18534a4e-e869-5cf2-85d4-2be5186c3ba8", true, 1,
			"2025-04-16_Delhi-Capitals-vs-Rajasthan-Royals_18534a4e-e869-5cf2-85d4-2be5186c3ba8.xlsx",
			"another match has it"},
		{"2025-04-16", "A", "B", "", "18534a4e-e869", false, 2,
			"2025-04-16_A-vs-B_18534a4e (2).xlsx", "second volume"},
		{"", "A", "B", "", "18534a4e-e869", false, 1, "2025-04-16_A-vs-B_18534a4e.xlsx",
			"no date: that of the first state"},
		{"16.04.2025", "A", "B", "", "x", false, 1, "2025-04-16_A-vs-B_x.xlsx",
			"a date in another form"},
		{"2025-04-16", "", "", "Sensor 7", "7", false, 1, "2025-04-16_Sensor-7_7.xlsx",
			"a custom source"},
		{"2025-04-16", "", "", "", "7", false, 1, "2025-04-16_7.xlsx", "nothing but an id"},
		{"2025-04-16", "Côte d'Ivoire", "Curaçao", "", "ab", false, 1,
			"2025-04-16_Côte-d'Ivoire-vs-Curaçao_ab.xlsx", "letters stay"},
		{"2025-04-16", "../../etc", "a\\b:c*?\"<>|", "", "../../etc/passwd", false, 1,
			"2025-04-16_-..-etc-vs-a-b-c_-..-et.xlsx", "no way out of the folder"},
		{"2025-04-16", "A", "B", "", "", false, 1, "2025-04-16_A-vs-B_match.xlsx",
			"an id of nothing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row r = row_of(cases[i].date, cases[i].a, cases[i].b, cases[i].name);
		char file[NAMING_BYTES];

		naming_workbook(
			&r, text(cases[i].id), day_us, cases[i].whole, cases[i].volume, file);
		if (strcmp(file, cases[i].file) != 0)
			fail_msg("%s: '%s', not '%s'", cases[i].why, file, cases[i].file);
	}
}

/* What must hold for any name, on FAT, on Windows, and for us. */
static void must_be_safe(const char *file)
{
	const char *p = file, *end = file + strlen(file);

	assert_in_range(strlen(file), 6, NAMING_BYTES - 1);
	assert_string_equal(end - 5, ".xlsx");
	assert_true(file[0] != '.' && file[0] != ' ' && end[-6] != ' ' && end[-6] != '.');
	while (p < end) {
		uint32_t c;
		int n = text_utf8_next(p, end, &c);

		assert_true(n > 0);
		assert_true(c >= 0x20 && c != 0x7F && c <= 0xFFFF &&
			    !(c < 0x80 && strchr("<>:\"/\\|?*", (int)c)));
		p += n;
	}
}

static void survives_anything(void **state)
{
	static const char *const nasty[] = {
		"CON",
		"nul.txt",
		"com1",
		"LPT9.x",
		"...",
		" . ",
		"",
		"\x01\x02",
		"\xff\xfe\xc0\x80",
		"a\xed\xa0\x80z",
		"\xf0\x9f\x8f\x8f cricket",
		"\xe2\x80\xae"
		"gpj.exe",
		"x%n%s",
		"-",
		"_",
		"trailing. . .",
		"\xef\xbb\xbf",
	};
	char big[4000], file[NAMING_BYTES];

	(void)state;
	srand(7);
	for (size_t i = 0; i < sizeof(nasty) / sizeof(nasty[0]); i++) {
		for (size_t k = 0; k < sizeof(nasty) / sizeof(nasty[0]); k++) {
			struct row r = row_of("2025-04-16", nasty[i], nasty[k], nasty[k]);

			for (int whole = 0; whole < 2; whole++) {
				naming_workbook(&r, text(nasty[i]), day_us, whole, i % 3, file);
				must_be_safe(file);
			}
		}
	}
	for (int round = 0; round < 2000; round++) {
		size_t length = (size_t)(rand() % 3999);

		for (size_t i = 0; i < length; i++)
			big[i] = (char)(rand() % 255 + 1);
		big[length] = '\0';
		struct row r = row_of(big, big, big + length / 2, big);

		naming_workbook(&r, text(big), day_us, round % 2, 1 + (unsigned)round % 4, file);
		must_be_safe(file);
	}
}

static void whole_ids_differ(void **state)
{
	char a[NAMING_ID_BYTES], b[NAMING_ID_BYTES];

	(void)state;
	naming_id(text("a/b"), a);
	naming_id(text("a:b"), b);
	assert_string_not_equal(a, b);
	naming_id(text("18534a4e-e869-5cf2-85d4-2be5186c3ba8-and-much-more-1"), a);
	naming_id(text("18534a4e-e869-5cf2-85d4-2be5186c3ba8-and-much-more-2"), b);
	assert_string_not_equal(a, b);
	naming_id(text("18534a4e-e869-5cf2-85d4-2be5186c3ba8"), a);
	assert_string_equal(a, "18534a4e-e869-5cf2-85d4-2be5186c3ba8");
}

static void names_what_is_kept(void **state)
{
	char kept[NAMING_KEPT_BYTES];

	(void)state;
	naming_kept("2025-04-16_A-vs-B_18534a4e.xlsx", day_us, 1, kept);
	assert_string_equal(kept, "2025-04-16_A-vs-B_18534a4e (before 2025-04-16).xlsx");
	naming_kept("Matches.xlsx", day_us, 3, kept);
	assert_string_equal(kept, "Matches (before 2025-04-16, 3).xlsx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_a_match),
		cmocka_unit_test(survives_anything),
		cmocka_unit_test(whole_ids_differ),
		cmocka_unit_test(names_what_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
