#include "book/sheet_timeline.h"
#include "book/merge.h"
#include "cricket/innings.h"
#include "cricket/overs.h"
#include "cricket/timeline.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

enum { COLUMN_TIME, COLUMN_STATUS, FIRST_INNINGS };
enum {
	INNINGS_LABEL,
	INNINGS_RUNS,
	INNINGS_WICKETS,
	INNINGS_OVERS,
	INNINGS_BALLS,
	INNINGS_COLUMNS
};
enum { LAST_EVENT, LAST_NEED, LAST_BALLS, LAST_RATE, LAST_COLUMNS };

struct timeline {
	struct sheet sheet;
	bool writes; /* false: the sheet is left out, the story is told all the same */
	struct story *story;
	struct survey *survey;
	struct row_reader *reader;
	unsigned innings;
	struct merge merge;
	struct score before;
	bool has_before;
	int64_t seen_us; /* the state before this one */
	bool cut;	 /* Excel's last row is used up */
};

static unsigned last_column(const struct timeline *t, unsigned which)
{
	return FIRST_INNINGS + t->innings * INNINGS_COLUMNS + which;
}

static void write_titles(struct timeline *t)
{
	static const char *const of_innings[INNINGS_COLUMNS] = {
		"Innings", "Runs", "Wickets", "Overs", "Balls"};
	char title[32];

	sheet_title(&t->sheet, COLUMN_TIME, "Time (UTC)");
	sheet_title(&t->sheet, COLUMN_STATUS, "Status");
	for (unsigned k = 0; k < t->innings; k++) {
		for (unsigned i = 0; i < INNINGS_COLUMNS; i++) {
			snprintf(title, sizeof(title), "%s %u", of_innings[i], k + 1);
			if (i == INNINGS_LABEL)
				sheet_title(
					&t->sheet, FIRST_INNINGS + k * INNINGS_COLUMNS + i, title);
			else
				sheet_figure_title(
					&t->sheet, FIRST_INNINGS + k * INNINGS_COLUMNS + i, title);
		}
	}
	sheet_title(&t->sheet, last_column(t, LAST_EVENT), "Event");
	sheet_figure_title(&t->sheet, last_column(t, LAST_NEED), "Need");
	sheet_figure_title(&t->sheet, last_column(t, LAST_BALLS), "Balls left");
	sheet_figure_title(&t->sheet, last_column(t, LAST_RATE), "Required rate");
	sheet_end_row(&t->sheet);
}

/* A row may be written; the very last one of a sheet says that there is no more room. */
static bool has_room(struct timeline *t)
{
	if (!t->writes || t->cut)
		return false;
	if (t->sheet.row + 1 < SHEET_ROWS)
		return true;
	t->cut = true;
	t->sheet.tone = TONE_NOTE;
	sheet_fill(&t->sheet, COLUMN_TIME, COLUMN_STATUS);
	sheet_words(&t->sheet, COLUMN_STATUS,
		"no more rows fit a sheet: the later states stand in Records");
	sheet_end_row(&t->sheet);
	return false;
}

static void write_note(struct timeline *t, int64_t at_us, const char *text)
{
	if (!has_room(t))
		return;
	t->sheet.tone = TONE_NOTE;
	sheet_time(&t->sheet, COLUMN_TIME, at_us);
	sheet_words(&t->sheet, COLUMN_STATUS, text);
	sheet_fill(&t->sheet, FIRST_INNINGS, last_column(t, LAST_COLUMNS));
	sheet_end_row(&t->sheet);
}

/* ---- what did not reach us ---- */

/* Offsets that had expired before this box read them (with a group another may have), shown before the first record behind them. */
static void note_gaps(struct timeline *t, const struct journal_record *r)
{
	for (unsigned i = 0; i < t->survey->gap_count; i++) {
		struct survey_gap *g = &t->survey->gaps[i];
		char text[160];

		if (g->shown || g->row.generation != r->generation ||
			g->row.partition != r->partition || r->offset < g->row.to)
			continue;
		snprintf(text, sizeof(text),
			"%" PRId64
			" records of partition %d had expired before this box read them (offsets %" PRId64
			" to %" PRId64 "): states may be missing here",
			g->row.to - g->row.from, g->row.partition, g->row.from, g->row.to - 1);
		write_note(t, r->order_us, text);
		g->shown = true;
	}
}

static void note_missing(struct timeline *t, const struct journal_record *r, bool earlier)
{
	char text[80];

	if (!r->prev_missing && r->dropped == 0)
		return;
	if (earlier && t->story->states == 1 && r->dropped == 0) {
		write_note(t, r->order_us,
			"earlier states stand in an earlier workbook of this match");
		return;
	}
	if (r->dropped > 0)
		snprintf(text, sizeof(text), "%" PRIu32 " state%s not received", r->dropped,
			r->dropped == 1 ? "" : "s");
	else
		snprintf(text, sizeof(text), "at least 1 state not received");
	t->story->missing += r->dropped ? r->dropped : 1;
	write_note(t, r->order_us, text);
}

/* ---- a state ---- */

static void write_innings(struct timeline *t, const struct row *row, const struct score *now)
{
	for (unsigned k = 0; k < t->innings; k++) {
		unsigned column = FIRST_INNINGS + k * INNINGS_COLUMNS;

		if (k >= now->innings) {
			sheet_fill(&t->sheet, column, column + INNINGS_COLUMNS);
			continue;
		}
		sheet_words(&t->sheet, column + INNINGS_LABEL, row->score[k].label);
		sheet_integer(&t->sheet, column + INNINGS_RUNS, now->at[k].runs);
		sheet_integer(&t->sheet, column + INNINGS_WICKETS, now->at[k].wickets);
		sheet_words_right(&t->sheet, column + INNINGS_OVERS, row->score[k].overs);
		if (now->at[k].balls >= 0)
			sheet_integer(&t->sheet, column + INNINGS_BALLS, now->at[k].balls);
		else
			sheet_fill(&t->sheet, column + INNINGS_BALLS, column + INNINGS_COLUMNS);
	}
}

static void write_known(struct timeline *t, unsigned which, int64_t n)
{
	unsigned column = last_column(t, which);

	if (n >= 0)
		sheet_integer(&t->sheet, column, n);
	else
		sheet_fill(&t->sheet, column, column + 1);
}

static void write_state(struct timeline *t, const struct journal_record *r, const struct row *row,
	const struct score *now, const struct chase_need *need)
{
	char event[TIMELINE_EVENT_BYTES];
	int64_t wickets;

	if (!has_room(t))
		return;
	timeline_event(t->has_before ? &t->before : NULL, now, event, &wickets);
	t->sheet.tone = now->ended && (!t->has_before || !t->before.ended) ? TONE_RESULT
			: wickets > 0					   ? TONE_WICKET
									   : TONE_PLAIN;
	sheet_time(&t->sheet, COLUMN_TIME, r->ce_us ? r->ce_us : r->kafka_us);
	sheet_words(&t->sheet, COLUMN_STATUS, row->status);
	write_innings(t, row, now);
	sheet_words(&t->sheet, last_column(t, LAST_EVENT), event);
	write_known(t, LAST_NEED, now->ended ? -1 : need->runs);
	write_known(t, LAST_BALLS, now->ended || need->runs < 0 ? -1 : need->balls);
	if (!now->ended && need->rate >= 0)
		sheet_rate(&t->sheet, last_column(t, LAST_RATE), need->rate);
	else
		sheet_fill(&t->sheet, last_column(t, LAST_RATE), last_column(t, LAST_COLUMNS));
	sheet_end_row(&t->sheet);
}

static enum status see_row(struct timeline *t, const struct journal_record *r, struct why *why)
{
	struct row row;
	struct score now;
	struct chase_need need;
	struct why unread;
	enum status st = row_read(t->reader, r->body, &row, &unread);

	t->story->rows++;
	if (st != STATUS_OK || !row.is_object) {
		char text[160];

		t->story->unreadable++;
		if (r->damaged)
			snprintf(text, sizeof(text),
				"a state that the journal's card gave back damaged");
		else
			snprintf(text, sizeof(text),
				"a state that cannot be read (%.100s): its bytes stand in Records",
				st == STATUS_OK ? "no object" : unread.text);
		write_note(t, r->order_us, text);
		return STATUS_OK;
	}
	score_of(&row, t->story->counts_balls, &now);
	chase_see(&t->story->chase, &row, &now, &need);
	if (need.innings >= 0 && need.target > 0)
		t->story->target[need.innings] = need.target;
	st = scorecard_see(t->story->card, &now, why);
	if (st != STATUS_OK)
		return st;
	write_state(t, r, &row, &now, &need);
	t->before = now;
	t->has_before = true;
	return STATUS_OK;
}

static void see_time(struct timeline *t, int64_t at_us)
{
	struct story *s = t->story;

	if (s->states++ == 0)
		s->first_us = at_us;
	else if (at_us - t->seen_us > s->longest_gap_us)
		s->longest_gap_us = at_us - t->seen_us;
	t->seen_us = at_us;
	s->last_us = at_us;
}

static enum status see_all(
	struct timeline *t, struct journal *j, const struct journal_match *match, struct why *why)
{
	struct journal_cursor *cursor;
	struct journal_record r;
	enum status st = journal_cursor_open(&cursor, j, match->id, JOURNAL_BY_TIME, why);

	if (st != STATUS_OK)
		return st;
	while ((st = journal_cursor_next(cursor, &r, why)) == STATUS_OK) {
		see_time(t, r.order_us);
		note_gaps(t, &r);
		note_missing(t, &r, match->tombstones > 0);
		if (merge_is_row(&t->merge, &r))
			st = see_row(t, &r, why);
		if (st != STATUS_OK)
			break;
	}
	journal_cursor_close(cursor);
	return st == STATUS_NOT_FOUND ? scorecard_end(t->story->card, why) : st;
}

enum status sheet_timeline_write(struct lxw_worksheet *handle, struct sheet_shared *shared,
	struct survey *survey, struct journal *j, const struct journal_match *match,
	struct row_reader *reader, struct story *story, uint32_t *rows, struct why *why)
{
	struct timeline *t = calloc(1, sizeof(*t));
	enum status st;

	if (!t)
		return fail(why, STATUS_NO_MEMORY, "no memory for the Timeline");
	t->story = story;
	t->survey = survey;
	t->reader = reader;
	t->innings = survey->innings;
	t->writes = handle != NULL;
	st = scorecard_open(&story->card, story->counts_balls, why);
	if (st == STATUS_OK && handle)
		st = sheet_begin(
			&t->sheet, handle, shared, last_column(t, LAST_COLUMNS), false, why);
	if (st == STATUS_OK && handle)
		write_titles(t);
	if (st == STATUS_OK)
		st = see_all(t, j, match, why);
	if (st == STATUS_OK && handle)
		st = sheet_finish(&t->sheet, true, why);
	*rows = t->sheet.row;
	sheet_done(&t->sheet);
	free(t);
	return st;
}
