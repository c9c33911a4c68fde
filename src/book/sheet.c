#include "book/sheet.h"
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

double sheet_serial(int64_t wall_us)
{
	return (double)wall_us / 86400e6 + SHEET_EPOCH_DAYS;
}

enum status sheet_begin(struct sheet *s, struct lxw_worksheet *handle, struct sheet_shared *shared,
	unsigned columns, bool linked, struct why *why)
{
	*s = (struct sheet){
		.handle = handle, .shared = shared, .columns = columns, .linked = linked};
	s->widths = calloc(columns ? columns : 1, 1);
	return s->widths ? STATUS_OK
			 : fail(why, STATUS_NO_MEMORY, "no memory for the widths of %u columns",
				   columns);
}

bool sheet_is_full(const struct sheet *s)
{
	return s->row >= SHEET_ROWS;
}

void sheet_print(struct lxw_worksheet *handle, const char *header_line)
{
	worksheet_set_paper(handle, 9); /* A4 */
	worksheet_set_margins(handle, 0.5, 0.5, 0.75, 0.75);
	worksheet_set_header(handle, header_line);
	worksheet_set_footer(handle, "&L&A&Rpage &P of &N");
}

/* One <col> for neighbours of the same width. */
static void set_widths(struct sheet *s)
{
	unsigned from = 0;

	for (unsigned i = 0; i < s->columns; i++)
		if (s->widths[i] < SHEET_MIN_WIDTH)
			s->widths[i] = SHEET_MIN_WIDTH;
	for (unsigned i = 1; i <= s->columns; i++) {
		if (i < s->columns && s->widths[i] == s->widths[from])
			continue;
		worksheet_set_column(s->handle, (lxw_col_t)from, (lxw_col_t)(i - 1),
			s->widths[from] + 0.7, NULL);
		from = i;
	}
}

enum status sheet_finish(struct sheet *s, bool fit_width, struct why *why)
{
	lxw_worksheet *w = s->handle;
	unsigned last_column = s->columns ? s->columns - 1 : 0;
	uint32_t last_row = s->row ? s->row - 1 : 0;

	sheet_flush(s);
	if (s->failed || fflush(w->file) != 0 || ferror(w->file))
		return fail(why, STATUS_FULL,
			"the temp folder is full: sheet '%s' stopped at row %lu", w->name,
			(unsigned long)s->row);
	if (!s->linked) { /* what the library would have noted cell by cell */
		w->dim_rowmin = 0;
		w->dim_rowmax = last_row;
		w->dim_colmin = 0;
		w->dim_colmax = (lxw_col_t)last_column;
	}
	set_widths(s);
	worksheet_freeze_panes(w, 1, 1);
	worksheet_autofilter(w, 0, 0, last_row, (lxw_col_t)last_column);
	worksheet_repeat_rows(w, 0, 0);
	worksheet_ignore_errors(w, LXW_IGNORE_NUMBER_STORED_AS_TEXT, "A1:XFD1048576");
	worksheet_set_landscape(w);
	sheet_print(w, s->shared->header_line);
	if (fit_width)
		worksheet_fit_to_pages(w, 1, 0);
	else
		worksheet_repeat_columns(w, 0, 0);
	return STATUS_OK;
}

void sheet_done(struct sheet *s)
{
	free(s->widths);
	s->widths = NULL;
}
