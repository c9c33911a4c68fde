/* test_budget.c - the ceiling is shared out, never exceeded, and refused with its sum. */
#include "base/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { RECORD = 256 * 1024 };

static uint64_t sum(const struct budget *b)
{
	return b->program + b->trust + b->fetch + b->registry + b->row + b->reading + b->spool +
	       b->journal + b->producer + b->consumer + b->producer_queue + b->consumer_queue +
	       b->child;
}

static void defaults_do(void **state)
{
	struct budget b;

	(void)state;
	assert_int_equal(
		budget_share(BUDGET_PRODUCE, BUDGET_DEFAULT_PRODUCE, RECORD, 4, false, &b, NULL),
		STATUS_OK);
	assert_int_equal(b.producer_queue, 1 << 20);
	assert_int_equal(b.consumer + b.consumer_queue + b.journal + b.child, 0);
	assert_int_equal(
		budget_share(BUDGET_CONSUME, BUDGET_DEFAULT_CONSUME, RECORD, 4, false, &b, NULL),
		STATUS_OK);
	assert_int_equal(b.consumer_queue, 768 << 10);
	assert_int_equal(b.producer + b.producer_queue + b.spool + b.fetch + b.row, 0);
	assert_int_equal(budget_share(BUDGET_BOTH, BUDGET_DEFAULT_BOTH, RECORD, 4, false, &b, NULL),
		STATUS_OK);
	assert_int_equal(b.producer_queue, 1 << 20);
	assert_int_equal(b.consumer_queue, 768 << 10);
}

/* From too little to plenty in steps of 64 KiB: the sum never exceeds the ceiling, the queues only
 * grow, and the ceiling named in the refusal is the first that does. */
static void every_ceiling(enum budget_mode mode, uint64_t record)
{
	struct budget b, before = {0};
	struct why why, last_refusal = {""};
	double named = 0;
	uint64_t first = 0;

	for (uint64_t ceiling = 0; ceiling < 40u << 20; ceiling += 64 << 10) {
		enum status s = budget_share(mode, ceiling, record, 3, false, &b, &why);

		if (s != STATUS_OK) {
			assert_int_equal(s, STATUS_FULL);
			assert_int_equal(first, 0);
			last_refusal = why;
			continue;
		}
		if (!first)
			first = ceiling;
		assert_true(sum(&b) <= ceiling);
		assert_true(b.producer_queue >= before.producer_queue);
		assert_true(b.consumer_queue >= before.consumer_queue);
		assert_true(mode == BUDGET_CONSUME || b.producer_queue >= record);
		before = b;
	}

	const char *at = strstr(last_refusal.text, "that does is ");

	assert_non_null(at);
	assert_int_equal(sscanf(at, "that does is %lf MiB", &named), 1);
	assert_true(named * 1048576 + 110000 >= (double)first);
	assert_int_equal(
		budget_share(mode, (uint64_t)(named * 1048576), record, 3, false, &b, NULL),
		STATUS_OK);
}

static void any_ceiling_is_kept(void **state)
{
	(void)state;
	for (int mode = BUDGET_PRODUCE; mode <= BUDGET_BOTH; mode++) {
		every_ceiling((enum budget_mode)mode, RECORD);
		every_ceiling((enum budget_mode)mode, 4 << 20);
		every_ceiling((enum budget_mode)mode, 0);
	}
}

static void nonsense_is_refused(void **state)
{
	struct budget b;

	(void)state;
	assert_int_equal(
		budget_share(BUDGET_BOTH, UINT64_MAX, RECORD, 1, false, &b, NULL), STATUS_BAD_DATA);
	assert_int_equal(budget_share(BUDGET_BOTH, 1 << 24, UINT64_MAX, 1, false, &b, NULL),
		STATUS_BAD_DATA);
}

static void count_line(void *context, const char *line)
{
	int *lines = context;

	(*lines)++;
	assert_true(strlen(line) < 80);
	assert_non_null(strstr(line, "KiB"));
}

static void a_line_a_module_and_the_sum(void **state)
{
	struct budget b;
	int lines = 0;

	(void)state;
	assert_int_equal(budget_share(BUDGET_BOTH, BUDGET_DEFAULT_BOTH, RECORD, 2, false, &b, NULL),
		STATUS_OK);
	budget_print(&b, count_line, &lines);
	assert_int_equal(lines, 13);
	lines = 0;
	assert_int_equal(
		budget_share(BUDGET_CONSUME, BUDGET_DEFAULT_CONSUME, RECORD, 2, false, &b, NULL),
		STATUS_OK);
	budget_print(&b, count_line, &lines);
	assert_int_equal(lines, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_do),
		cmocka_unit_test(any_ceiling_is_kept),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(a_line_a_module_and_the_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
