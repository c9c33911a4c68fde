#include "book/sheet.h"
#include "book/clean.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

enum { MOST_DIGITS = 15 };

/* ---- bytes ---- */

void sheet_flush(struct sheet *s)
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
		sheet_flush(s);
	}
	memcpy(s->piece + s->used, bytes, length);
	s->used += length;
}

enum { CELL_ROOM = 128 }; /* what a cell is without its text */

/* Where the next bytes go; there is room for CELL_ROOM of them. They are put together right there:
 * many small copies cost more than all else. */
static char *begin_put(struct sheet *s)
{
	if (SHEET_PIECE_BYTES - s->used < CELL_ROOM)
		sheet_flush(s);
	return s->piece + s->used;
}

static void end_put(struct sheet *s, const char *end)
{
	s->used = (size_t)(end - s->piece);
}

#define PUT(s, literal) \
	end_put(s, (char *)memcpy(begin_put(s), literal, sizeof(literal) - 1) + sizeof(literal) - 1)

/* Writes the escaped character, or the character itself. */
static char *write_escaped(char *out, char c)
{
	switch (c) {
	case '&':
		return (char *)memcpy(out, "&amp;", 5) + 5;
	case '<':
		return (char *)memcpy(out, "&lt;", 4) + 4;
	case '>':
		return (char *)memcpy(out, "&gt;", 4) + 4;
	default:
		*out = c;
		return out + 1;
	}
}

static void put_escaped(struct sheet *s, const char *text, size_t length)
{
	enum { STEP = CELL_ROOM / 5 };

	while (length > 0) {
		size_t step = length < STEP ? length : STEP;
		char *p = begin_put(s);

		for (size_t i = 0; i < step; i++)
			p = write_escaped(p, text[i]);
		end_put(s, p);
		text += step;
		length -= step;
	}
}

/* Digits of n, and letters of a column ("A", "Z", "AA", ... "XFD"), written at `out`; the end. */
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
	char *p = write_text(begin_put(s), "<row r=\"");

	end_put(s, write_text(write_digits(p, s->row + 1u), "\">"));
	s->open = true;
}

/* `<c r="B7" s="3"` and what follows; begins the row if that is to do. */
static void begin_cell(struct sheet *s, unsigned column, int32_t style, const char *rest)
{
	char *p;

	if (!s->open)
		begin_row(s);
	p = write_text(begin_put(s), "<c r=\"");
	p = write_digits(write_column(p, column), s->row + 1u);
	p = write_digits(write_text(p, "\" s=\""), (uint64_t)style);
	end_put(s, write_text(write_text(p, "\""), rest));
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
	char digits[24], *p = digits;
	size_t length;

	if (n < 0)
		*p++ = '-';
	length = (size_t)(write_digits(p, n < 0 ? -(uint64_t)n : (uint64_t)n) - digits);
	if (length > MOST_DIGITS + (size_t)(n < 0))
		sheet_text(s, column, view_of(digits, length));
	else
		value_cell(s, column, CELL_INTEGER, digits, length);
	widen(s, column, length);
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
	char digits[40], *p;
	uint64_t millionths;

	if (!isfinite(rate) || rate < 0 || rate > 1e6) {
		sheet_fill(s, column, column + 1);
		return;
	}
	millionths = (uint64_t)(rate * 1e6 + 0.5);
	p = write_digits(digits, millionths / 1000000);
	*p++ = '.';
	for (uint64_t unit = 100000; unit > 0; unit /= 10)
		*p++ = (char)('0' + millionths / unit % 10);
	value_cell(s, column, CELL_RATE, digits, (size_t)(p - digits));
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
	parts = (uint64_t)SHEET_EPOCH_DAYS * day + (uint64_t)(wall_us / 86400000000) * day +
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
