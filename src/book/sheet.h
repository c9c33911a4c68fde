/* sheet.h - a table in a workbook, written row by row (private to book/). The cells' XML goes
 * straight into the sheet's row file that libxlsxwriter keeps in constant-memory mode: no
 * allocation a cell, which is twice as fast under musl and ten times as small in calls; the
 * library does all the rest (styles, columns, parts, zip). Everything from outside passes clean.h
 * here and is a string cell, never a formula or a link. Order: sheet_begin, cells of a row by
 * rising column, sheet_end_row, ..., sheet_finish. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include "book/style.h"
#include <stdbool.h>
#include <stdint.h>

enum { SHEET_ROWS = 1048576, SHEET_COLUMNS = 16384, SHEET_MIN_WIDTH = 8, SHEET_MAX_WIDTH = 40 };
enum { SHEET_LINKS = 500 };
enum { SHEET_EPOCH_DAYS = 25569 }; /* 1970-01-01, as Excel counts days */
enum { SHEET_PIECE_BYTES = 16384 };

struct lxw_worksheet;

/* What the sheets of one workbook share. */
struct sheet_shared {
	struct styles styles;
	char *cleaned;	       /* CLEAN_BYTES */
	char header_line[512]; /* print header: the match's name */
};

struct sheet {
	struct lxw_worksheet *handle;
	struct sheet_shared *shared;
	unsigned columns;
	uint8_t *widths;    /* a column, in characters */
	uint32_t row;	    /* the next row, from 0; also how many are written */
	enum row_tone tone; /* of the row being written */
	bool open;	    /* a <row> is begun */
	bool failed;	    /* a write to the row file failed: the temp folder is full */
	unsigned links;	    /* made so far */
	bool linked;	    /* has links: its cells go through the library */
	char piece[SHEET_PIECE_BYTES];
	size_t used;
};

/* `linked`: sheet_link may be used; slower, and a link takes memory. */
enum status sheet_begin(struct sheet *s, struct lxw_worksheet *handle, struct sheet_shared *shared,
	unsigned columns, bool linked, struct why *why) MUST_CHECK;
void sheet_title(struct sheet *s, unsigned column, const char *title);
void sheet_figure_title(
	struct sheet *s, unsigned column, const char *title); /* over figures: to the right */
bool sheet_is_full(const struct sheet *s);
void sheet_text(struct sheet *s, unsigned column, struct view text);
void sheet_words(struct sheet *s, unsigned column, const char *text);
void sheet_words_right(struct sheet *s, unsigned column, const char *text);
void sheet_integer(struct sheet *s, unsigned column, int64_t n);
/* A number as text that is one in XML too (JSON's are); more than 15 digits come as text, so that
 * none is lost. */
void sheet_number_text(struct sheet *s, unsigned column, struct view digits);
void sheet_rate(struct sheet *s, unsigned column, double rate);
void sheet_boolean(struct sheet *s, unsigned column, bool value);
void sheet_time(struct sheet *s, unsigned column, int64_t wall_us); /* 0: left blank */
void sheet_day(
	struct sheet *s, unsigned column, int64_t wall_us); /* the same without the time of day */
/* A link to a file beside the workbook; the one place where links are made. The name is of our
 * making. */
void sheet_link(struct sheet *s, unsigned column, const char *file);
void sheet_fill(struct sheet *s, unsigned from,
	unsigned to); /* blank cells of the row's tone, [from, to) */
void sheet_end_row(struct sheet *s);
/* Columns, panes, filter, print: after the last row. STATUS_IO: a write failed on the way. */
enum status sheet_finish(struct sheet *s, bool fit_width, struct why *why) MUST_CHECK;
void sheet_flush(struct sheet *s); /* what is put together so far goes to the row file */
void sheet_done(struct sheet *s);  /* frees; zeroed struct is fine */

/* Print set-up that all sheets have: A4, footer "page n of m", the match's name on top. */
void sheet_print(struct lxw_worksheet *handle, const char *header_line);
/* Days since 1899-12-30, as Excel counts. */
double sheet_serial(int64_t wall_us);
