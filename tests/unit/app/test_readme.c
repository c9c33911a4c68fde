/* test_readme.c - the README's table of settings is the program's own. */
#include "app/settings.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const char begin_mark[] = "<!-- settings:begin -->\n";
static const char end_mark[] = "\n<!-- settings:end -->";

static void the_table_is_the_programs(void **state)
{
	char *readme, *table = NULL, *begin, *end;
	size_t length, table_length = 0;
	struct why why;

	(void)state;
	if (file_read(SCOREBOX_README, 1 << 20, &readme, &length, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	begin = strstr(readme, begin_mark);
	end = strstr(readme, end_mark);
	assert_non_null(begin);
	assert_non_null(end);
	*end = '\0';

	FILE *out = open_memstream(&table, &table_length);

	settings_print_markdown(out);
	fclose(out);
	if (strcmp(begin + strlen(begin_mark), table))
		fail_msg(
			"README.md is behind: put the output of `scorebox help --markdown` between its marks");
	free(table);
	free(readme);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_is_the_programs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
