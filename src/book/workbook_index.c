#include "base/clock.h"
#include "book/sheet.h"
#include "book/workbook_private.h"
#include "cricket/innings.h"
#include "cricket/match.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

enum {
	INDEX_DATE,
	INDEX_START,
	INDEX_MATCH,
	INDEX_TYPE,
	INDEX_VENUE,
	INDEX_STATUS,
	INDEX_SCORE,
	INDEX_STATES,
	INDEX_CHANGE,
	INDEX_FILE,
	INDEX_COLUMNS
};
enum {
	ERROR_PARTITION,
	ERROR_OFFSET,
	ERROR_TIME,
	ERROR_REASON,
	ERROR_KEY,
	ERROR_BYTES,
	ERROR_COLUMNS
};
enum { XML_A_MATCH = 2000 };

/* A match that still says it is live counts as live so long as it changed within this time before
 * the newest change in the journal: flags alone cannot be trusted. */
static const int64_t LIVE_US = 3 * 3600ll * 1000000, LIVE_TEST_US = 16 * 3600ll * 1000000;

struct index {
	struct made *m;
	struct journal *j;
	struct sheet sheet;
	int64_t newest_us;
	bool live_now; /* this pass lists the live ones */
};

static bool is_live(const struct index *x, const struct journal_match *m, const struct row *row)
{
	int64_t within = match_kind_of(row) == MATCH_TEST ? LIVE_TEST_US : LIVE_US;

	return !m->ended && match_result_of(row) == MATCH_LIVE &&
	       m->last_us > x->newest_us - within;
}

/* The match's day: its date, else that of its start; 0 none. */
static int64_t day_of(const struct row *row)
{
	static const int64_t day = 86400000000;
	char midnight[40];
	int64_t at_us = row->start_us;

	snprintf(midnight, sizeof(midnight), "%.10sT00:00:00", row->date);
	if (row->date[0] && clock_parse(midnight, strlen(midnight), &at_us) != STATUS_OK)
		at_us = row->start_us;
	return at_us - at_us % day;
}

static void write_match(struct index *x, const struct journal_match *m, const struct row *row)
{
	struct sheet *s = &x->sheet;
	char text[600], file[256];

	sheet_day(s, INDEX_DATE, day_of(row));
	sheet_time(s, INDEX_START, row->start_time_known ? row->start_us : 0);
	if (row->name[0])
		sheet_words(s, INDEX_MATCH, row->name);
	else
		sheet_text(s, INDEX_MATCH, m->key);
	match_kind_text(row, text, sizeof(text));
	sheet_words(s, INDEX_TYPE, row->is_match ? text : "");
	sheet_words(s, INDEX_VENUE, row->venue);
	sheet_words(s, INDEX_STATUS, row->status);
	innings_all_text(row, text, sizeof(text));
	sheet_words(s, INDEX_SCORE, text);
	sheet_integer(s, INDEX_STATES, (int64_t)m->records);
	sheet_time(s, INDEX_CHANGE, m->last_us);
	snprintf(file, sizeof(file), "%.*s", m->file.length < 255 ? (int)m->file.length : 255,
		m->file.bytes);
	if (file[0] && m->rendered > 0)
		sheet_link(s, INDEX_FILE, file);
	else
		sheet_words(s, INDEX_FILE, file);
	sheet_end_row(s);
}

static enum status list_match(void *context, const struct journal_match *m, struct why *why)
{
	struct index *x = context;
	struct journal_record last;
	struct why unread;
	struct row row;
	enum status s;

	if (!x->newest_us)
		x->newest_us = m->last_us;
	s = journal_latest(x->j, m->id, &last, why);
	if (s == STATUS_NOT_FOUND)
		return STATUS_OK;
	if (s != STATUS_OK)
		return s;
	if (row_read(x->m->reader, last.body, &row, &unread) != STATUS_OK) {
		s = row_read(x->m->reader, view_of("{}", 2), &row,
			why); /* all empty: its key stands for it */
		if (s != STATUS_OK)
			return s;
	}
	if (is_live(x, m, &row) != x->live_now || sheet_is_full(&x->sheet))
		return STATUS_OK;
	x->sheet.tone = x->live_now ? TONE_LIVE : TONE_PLAIN;
	write_match(x, m, &row);
	return STATUS_OK;
}

static enum status write_matches(struct index *x, struct lxw_worksheet *handle, struct why *why)
{
	static const char *const titles[INDEX_COLUMNS] = {"Date", "Start (UTC)", "Match", "Type",
		"Venue", "Status", "Score", "States", "Last change", "File"};
	enum status s = sheet_begin(&x->sheet, handle, x->m->shared, INDEX_COLUMNS, true, why);

	if (s != STATUS_OK)
		return s;
	for (unsigned i = 0; i < INDEX_COLUMNS; i++)
		if (i == INDEX_STATES)
			sheet_figure_title(&x->sheet, i, titles[i]);
		else
			sheet_title(&x->sheet, i, titles[i]);
	sheet_end_row(&x->sheet);
	x->live_now = true;
	s = journal_each_match(x->j, list_match, x, why);
	x->live_now = false;
	if (s == STATUS_OK)
		s = journal_each_match(x->j, list_match, x, why);
	return s == STATUS_OK ? sheet_finish(&x->sheet, true, why) : s;
}

static enum status list_error(void *context, const struct journal_error_row *e, struct why *why)
{
	struct sheet *s = context;

	(void)why;
	if (sheet_is_full(s))
		return STATUS_OK;
	sheet_integer(s, ERROR_PARTITION, e->partition);
	sheet_integer(s, ERROR_OFFSET, e->offset);
	sheet_time(s, ERROR_TIME, e->kafka_us);
	sheet_words(s, ERROR_REASON, e->reason);
	sheet_text(s, ERROR_KEY, e->key);
	sheet_text(s, ERROR_BYTES, e->bytes);
	sheet_end_row(s);
	return STATUS_OK;
}

static enum status write_errors(struct index *x, struct lxw_worksheet *handle, struct why *why)
{
	static const char *const titles[ERROR_COLUMNS] = {
		"Partition", "Offset", "Kafka time", "Reason", "Key", "First bytes"};
	enum status s = sheet_begin(&x->sheet, handle, x->m->shared, ERROR_COLUMNS, false, why);

	if (s != STATUS_OK)
		return s;
	for (unsigned i = 0; i < ERROR_COLUMNS; i++)
		sheet_title(&x->sheet, i, titles[i]);
	sheet_end_row(&x->sheet);
	s = journal_each_error(x->j, list_error, &x->sheet, why);
	return s == STATUS_OK ? sheet_finish(&x->sheet, true, why) : s;
}

static enum status write_index(
	struct made *m, struct journal *j, struct verify_rows *rows, struct why *why)
{
	struct index *x = calloc(1, sizeof(*x));
	struct lxw_worksheet *matches, *errors;
	enum status s;

	if (!x)
		return fail(why, STATUS_NO_MEMORY, "no memory for the index");
	x->m = m;
	x->j = j;
	s = made_sheet(m, "Matches", &matches, why);
	if (s == STATUS_OK)
		s = made_sheet(m, "Errors", &errors, why);
	if (s == STATUS_OK)
		s = write_matches(x, matches, why);
	rows->rows[0] = x->sheet.row;
	sheet_done(&x->sheet);
	if (s == STATUS_OK)
		s = write_errors(x, errors, why);
	rows->rows[1] = x->sheet.row;
	rows->sheets = 2;
	sheet_done(&x->sheet);
	free(x);
	return s;
}

static enum status newest(void *context, const struct journal_match *m, struct why *why)
{
	(void)why;
	*(int64_t *)context = m->last_us;
	return STATUS_NOT_FOUND; /* the first is enough */
}

enum status workbook_render_index(const char *path, struct journal *j, const char *zone,
	const struct workbook_room *room, struct verify_rows *rows, struct why *why)
{
	struct made m = {.book = NULL};
	struct journal_figures figures;
	struct verify_properties ours = {.records = 0};
	enum status s = journal_each_match(j, newest, &ours.last_us, why);

	*rows = (struct verify_rows){.sheets = 0};
	journal_figures(j, &figures);
	if (s == STATUS_OK || s == STATUS_NOT_FOUND)
		s = made_open(
			&m, path, room, (figures.matches + figures.errors) * XML_A_MATCH, why);
	if (s == STATUS_OK) {
		ours.records = figures.records + figures.errors;
		snprintf(ours.journal, sizeof(ours.journal), "%s", journal_name(j));
		made_shape(zone, ours.shape, sizeof(ours.shape));
		made_name(&m, "Matches", "Index of workbooks", &ours);
		s = write_index(&m, j, rows, why);
	}
	if (s == STATUS_OK)
		s = made_close(&m, why);
	made_done(&m);
	return s;
}
