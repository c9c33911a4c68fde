/* charts.h - worm and manhattan of the page `Match` (private to book/). A chart refers to cells:
 * its figures stand in hidden columns to the right of the page, a column a series, titles in the
 * first row. */
#pragma once
#include "base/status.h"
#include "book/story.h"
#include "cricket/row.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lxw_workbook;
struct lxw_worksheet;
struct lxw_format;

enum { CHARTS_FIRST_COLUMN = 30, CHARTS_MOST_OVERS = 100 };

struct charts;
enum status charts_open(struct charts **out, const struct story *story, const struct row *last,
	struct why *why) MUST_CHECK;
void charts_close(struct charts *c); /* NULL is fine */
/* The rows that the figures take, titles included; 0: nothing to draw. */
unsigned charts_rows(const struct charts *c);
/* Writes one row's figures; true when there were any. */
bool charts_write_row(
	const struct charts *c, struct lxw_worksheet *w, uint32_t row, struct lxw_format *format);
void charts_hide_columns(const struct charts *c, struct lxw_worksheet *w);

bool charts_has_worm(const struct charts *c);
bool charts_has_manhattan(const struct charts *c);
bool charts_has_means(const struct charts *c); /* some bars are means of several overs */
/* Put at `row`, column A, `width` by `height` pixels. STATUS_NO_MEMORY where the library makes no
 * chart. */
enum status charts_put_worm(const struct charts *c, struct lxw_workbook *book,
	struct lxw_worksheet *w, uint32_t row, unsigned width, unsigned height,
	struct why *why) MUST_CHECK;
enum status charts_put_manhattan(const struct charts *c, struct lxw_workbook *book,
	struct lxw_worksheet *w, uint32_t row, unsigned width, unsigned height,
	struct why *why) MUST_CHECK;
