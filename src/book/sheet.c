#include "book/sheet.h"
#include "book/clean.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

enum { EPOCH_DAYS = 25569, MOST_DIGITS = 15 };

double sheet_serial(int64_t wall_us)
{
	return (double)wall_us / 86400e6 + EPOCH_DAYS;
}

/* ---- bytes ---- */

static void flush(struct sheet *s)
{
	if (s->used > 0 && fwrite(s->piece, 1, s->used, s->handle->file) != s->used)
		s->failed = true;
	s->used = 0;
}

static void put(struct sheet *s, const char *bytes, size_t length)
{
	while (length > SHEET_PIECE_BYTES - s->used) {
		size_t part = SHEET_PIECE_BYTES - s->used;

		memcpy(s->piece + s->used, bytes, part);
		s->used += part;
		bytes += part;
		length -= part;
		flush(s);
	}
	memcpy(s->piece + s->used, bytes, length);
	s->used += length;
}

#define PUT(s, literal) put(s, literal, sizeof(literal) - 1)

static void put_escaped(struct sheet *s, const char *text, size_t length)
{
	size_t from = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] != '&' && text[i] != '<' && text[i] != '>')
			continue;
		put(s, text + from, i - from);
		from = i + 1;
		if (text[i] == '&')
			PUT(s, "&amp;");
		else if (text[i] == '<')
			PUT(s, "&lt;");
		else
			PUT(s, "&gt;");
	}
	put(s, text + from, length - from);
}

/* Digits of n, and letters of a column ("A", "Z", "AA", ... "XFD"), written at `out`; returns the
 * end. A cell is put together so before it is put: many small copies cost more than all else. */
static char *write_digits(char *out, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	while (at < sizeof(digits))
		*out++ = digits[at++];
	return out;
}

static char *write_column(char *out, unsigned column)
{
	char letters[3];
	size_t at = sizeof(letters);

	for (column++; column > 0; column = (column - 1) / 26)
		letters[--at] = (char)('A' + (column - 1) % 26);
	while (at < sizeof(letters))
		*out++ = letters[at++];
	return out;
}

static char *write_text(char *out, const char *text)
{
	while (*text)
		*out++ = *text++;
	return out;
}

static void begin_row(struct sheet *s)
{
	char row[40], *p = write_text(row, "<row r=\"");

	p = write_text(write_digits(p, s->row + 1u), "\">");
	put(s, row, (size_t)(p - row));
	s->open = true;
}

/* `<c r="B7" s="3"` and what follows; begins the row if that is to do. */
static void begin_cell(struct sheet *s, unsigned column, int32_t style, const char *rest)
{
	char cell[96], *p = write_text(cell, "<c r=\"");

	if (!s->open)
		begin_row(s);
	p = write_digits(write_column(p, column), s->row + 1u);
	p = write_digits(write_text(p, "\" s=\""), (uint64_t)style);
	p = write_text(write_text(p, "\""), rest);
	put(s, cell, (size_t)(p - cell));
}

static void widen(struct sheet *s, unsigned column, size_t characters)
{
	if (column < s->columns && s->widths[column] < characters)
		s->widths[column] = (uint8_t)(characters < SHEET_MAX_WIDTH ? characters
									   : SHEET_MAX_WIDTH);
}

/* ---- cells ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The same cell by the library. */
static void library_text(struct sheet *s, unsigned column, struct view text, lxw_format *format)
{
	size_t units;

	clean_text(text, CLEAN_UNITS, s->shared->cleaned, CLEAN_BYTES, &units);
	worksheet_write_string(s->handle, s->row, (lxw_col_t)column, s->shared->cleaned, format);
	widen(s, column, units);
}

static void text_cell(struct sheet *s, unsigned column, struct view text, int32_t style)
{
	size_t units = text.length;

	if (!clean_is_plain(text)) {
		text.length = clean_text(
			text, CLEAN_UNITS, s->shared->cleaned, CLEAN_BYTES, &units);
		text.bytes = s->shared->cleaned;
	}
	if (text.length == 0) {
		begin_cell(s, column, style, "/>");
		return;
	}
	if (blank(text.bytes[0]) || blank(text.bytes[text.length - 1]) || units < text.length)
		begin_cell(s, column, style, " t=\"inlineStr\"><is><t xml:space=\"preserve\">");
	else
		begin_cell(s, column, style, " t=\"inlineStr\"><is><t>");
	put_escaped(s, text.bytes, text.length);
	PUT(s, "</t></is></c>");
	widen(s, column, units + 1);
}

void sheet_text(struct sheet *s, unsigned column, struct view text)
{
	if (s->linked)
		library_text(s, column, text, s->shared->styles.cell[s->tone][CELL_TEXT]);
	else
		text_cell(s, column, text, s->shared->styles.index[s->tone][CELL_TEXT]);
}

void sheet_words(struct sheet *s, unsigned column, const char *text)
{
	sheet_text(s, column, view_of(text, strlen(text)));
}

void sheet_words_right(struct sheet *s, unsigned column, const char *text)
{
	text_cell(s, column, view_of(text, strlen(text)),
		s->shared->styles.index[s->tone][CELL_RIGHT]);
}

static void value_cell(
	struct sheet *s, unsigned column, enum cell_kind kind, const char *digits, size_t length)
{
	if (s->linked) {
		char number[48];

		snprintf(number, sizeof(number), "%.*s", (int)length, digits);
		worksheet_write_number(s->handle, s->row, (lxw_col_t)column, strtod(number, NULL),
			s->shared->styles.cell[s->tone][kind]);
		return;
	}
	begin_cell(s, column, s->shared->styles.index[s->tone][kind], "><v>");
	put(s, digits, length);
	PUT(s, "</v></c>");
}

void sheet_integer(struct sheet *s, unsigned column, int64_t n)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%lld", (long long)n);

	if (length > MOST_DIGITS + (n < 0))
		sheet_text(s, column, view_of(digits, (size_t)length));
	else
		value_cell(s, column, CELL_INTEGER, digits, (size_t)length);
	widen(s, column, (size_t)length);
}

/* Excel keeps 15 digits; what has more, or an exponent that may not fit, would change. */
static bool fits_a_number(struct view digits, bool *whole)
{
	size_t n = 0;

	*whole = true;
	if (digits.length == 0 || digits.length > MOST_DIGITS + 3)
		return false;
	for (size_t i = 0; i < digits.length; i++) {
		char c = digits.bytes[i];

		if (c >= '0' && c <= '9')
			n++;
		else if (c == '.')
			*whole = false;
		else if (c != '-' || i > 0)
			return false;
	}
	return n > 0 && n <= MOST_DIGITS;
}

void sheet_number_text(struct sheet *s, unsigned column, struct view digits)
{
	bool whole;

	if (!fits_a_number(digits, &whole)) {
		sheet_text(s, column, digits);
		return;
	}
	value_cell(s, column, whole ? CELL_INTEGER : CELL_TEXT, digits.bytes, digits.length);
	widen(s, column, digits.length);
}

void sheet_rate(struct sheet *s, unsigned column, double rate)
{
	char digits[40];

	if (!isfinite(rate) || rate < -1e6 || rate > 1e6) {
		sheet_fill(s, column, column + 1);
		return;
	}
	value_cell(s, column, CELL_RATE, digits,
		(size_t)snprintf(digits, sizeof(digits), "%.6f", rate));
}

void sheet_boolean(struct sheet *s, unsigned column, bool value)
{
	if (s->linked) {
		worksheet_write_boolean(s->handle, s->row, (lxw_col_t)column, value,
			s->shared->styles.cell[s->tone][CELL_TEXT]);
		return;
	}
	begin_cell(s, column, s->shared->styles.index[s->tone][CELL_TEXT],
		value ? " t=\"b\"><v>1</v></c>" : " t=\"b\"><v>0</v></c>");
}

static void time_cell(
	struct sheet *s, unsigned column, int64_t wall_us, enum cell_kind kind, unsigned width)
{
	/* In units of 1e-10 day (8.6 µs), by integers: snprintf of a double costs more than the
	 * whole cell. */
	uint64_t parts, day = 10000000000u;
	char digits[32];
	size_t at = sizeof(digits);

	if (wall_us <= 0 || wall_us > 253402300799000000) { /* 9999-12-31 */
		sheet_fill(s, column, column + 1);
		return;
	}
	parts = (uint64_t)EPOCH_DAYS * day + (uint64_t)(wall_us / 86400000000) * day +
		(uint64_t)(wall_us % 86400000000) * 50 / 432;
	for (int i = 0; i < 10; i++, parts /= 10)
		digits[--at] = (char)('0' + parts % 10);
	digits[--at] = '.';
	do
		digits[--at] = (char)('0' + parts % 10);
	while (parts /= 10);
	value_cell(s, column, kind, digits + at, sizeof(digits) - at);
	widen(s, column, width);
}

void sheet_time(struct sheet *s, unsigned column, int64_t wall_us)
{
	time_cell(s, column, wall_us, CELL_TIME, 19);
}

void sheet_day(struct sheet *s, unsigned column, int64_t wall_us)
{
	time_cell(s, column, wall_us, CELL_DAY, 10);
}

/* A link proper takes the library 3 KiB of memory; those beyond SHEET_LINKS are HYPERLINK formulas,
 * which look and work alike. */
void sheet_link(struct sheet *s, unsigned column, const char *file)
{
	char text[600];
	lxw_error e;

	if (s->links++ < SHEET_LINKS) {
		snprintf(text, sizeof(text), "external:%s", file);
		e = worksheet_write_url_opt(s->handle, s->row, (lxw_col_t)column, text,
			s->shared->styles.link, file, NULL);
	} else {
		snprintf(text, sizeof(text), "=HYPERLINK(\"%s\",\"%s\")", file, file);
		e = worksheet_write_formula_str(
			s->handle, s->row, (lxw_col_t)column, text, s->shared->styles.link, file);
	}
	if (e != LXW_NO_ERROR)
		sheet_words(s, column, file);
	widen(s, column, strlen(file));
}

void sheet_fill(struct sheet *s, unsigned from, unsigned to)
{
	for (unsigned column = from; column < to; column++) {
		if (s->linked) {
			worksheet_write_blank(s->handle, s->row, (lxw_col_t)column,
				s->shared->styles.cell[s->tone][CELL_TEXT]);
			continue;
		}
		begin_cell(s, column, s->shared->styles.index[s->tone][CELL_TEXT], "/>");
	}
}

void sheet_end_row(struct sheet *s)
{
	if (!s->open && !s->linked)
		begin_row(s);
	if (!s->linked)
		PUT(s, "</row>");
	s->open = false;
	s->row++;
	s->tone = TONE_PLAIN;
}

/* ---- the sheet ---- */

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

static void title_cell(struct sheet *s, unsigned column, const char *title, int over_figures)
{
	if (s->linked)
		library_text(s, column, view_of(title, strlen(title)),
			s->shared->styles.header[over_figures]);
	else
		text_cell(s, column, view_of(title, strlen(title)),
			s->shared->styles.header_index[over_figures]);
	widen(s, column, s->widths[column] + 3u); /* the filter's button */
}

void sheet_title(struct sheet *s, unsigned column, const char *title)
{
	title_cell(s, column, title, 0);
}

void sheet_figure_title(struct sheet *s, unsigned column, const char *title)
{
	title_cell(s, column, title, 1);
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

	flush(s);
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
