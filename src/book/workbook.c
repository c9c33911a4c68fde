#include "book/workbook.h"
#include "book/naming.h"
#include "book/sheet_match.h"
#include "book/sheet_overs.h"
#include "book/sheet_records.h"
#include "book/sheet_timeline.h"
#include "book/workbook_private.h"
#include "cricket/match.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xlsxwriter.h>

void workbook_match_properties(const struct journal *j, const struct journal_match *match,
	const char *zone, struct verify_properties *out)
{
	*out = (struct verify_properties){.records = match->records, .last_us = match->last_us};
	snprintf(out->journal, sizeof(out->journal), "%s", journal_name(j));
	naming_id(match->key, out->match);
	made_shape(zone, out->shape, sizeof(out->shape));
}

static void set_timezone(const char *zone)
{
	setenv("TZ", zone && zone[0] ? zone : "UTC", 1);
	tzset();
}

/* The match's last state as the page shows it; what cannot be read is as if it were empty. */
static enum status read_last(
	struct made *m, struct journal *j, int64_t match, struct row *out, struct why *why)
{
	struct journal_record last;
	struct why unread;
	enum status s = journal_latest(j, match, &last, why);

	if (s == STATUS_OK && row_read(m->reader, last.body, out, &unread) == STATUS_OK)
		return STATUS_OK;
	if (s != STATUS_OK && s != STATUS_NOT_FOUND)
		return s;
	row_clear(out);
	return STATUS_OK;
}

struct match_sheets {
	struct lxw_worksheet *match, *timeline, *overs;
};

/* In the order in which they stand in the book; Records come last and make their own. */
static enum status add_sheets(
	struct made *m, bool is_match, struct match_sheets *out, struct why *why)
{
	enum status s = made_sheet(m, "Match", &out->match, why);

	out->timeline = out->overs = NULL;
	if (s == STATUS_OK && is_match)
		s = made_sheet(m, "Timeline", &out->timeline, why);
	if (s == STATUS_OK && is_match)
		s = made_sheet(m, "Overs", &out->overs, why);
	return s;
}

/* Sheets 1, 2 and 3 in the order of their data: the Timeline's pass gathers what the others
 * show. */
static enum status write_sheets(struct made *m, struct journal *j,
	const struct journal_match *match, struct survey *survey, struct story *story,
	const char *zone, struct verify_rows *rows, struct why *why)
{
	struct match_sheets sheets;
	struct row last;
	struct verify_properties ours;
	char title[700];
	uint32_t counted[3] = {0, 0, 0};
	enum status s = read_last(m, j, match->id, &last, why);

	if (s != STATUS_OK)
		return s;
	story->is_match = survey->is_match;
	story->counts_balls = story->is_match && match_counts_balls(&last);
	sheet_match_title(&last, match->key, title, sizeof(title));
	workbook_match_properties(j, match, zone, &ours);
	made_name(m, title, last.venue, &ours);
	s = add_sheets(m, story->is_match, &sheets, why);
	if (s == STATUS_OK)
		s = sheet_timeline_write(sheets.timeline, m->shared, survey, j, match, m->reader,
			story, &counted[1], why);
	if (s == STATUS_OK && sheets.overs)
		s = sheet_overs_write(sheets.overs, m->shared, story, &counted[2], why);
	if (s == STATUS_OK) /* the reader has read other rows since */
		s = read_last(m, j, match->id, &last, why);
	if (s == STATUS_OK)
		s = sheet_match_write(m->book, sheets.match, m->shared, &last, match, survey, story,
			&counted[0], why);
	rows->sheets = story->is_match ? 3 : 1;
	for (unsigned i = 0; i < rows->sheets; i++)
		rows->rows[i] = counted[i];
	if (s == STATUS_OK)
		s = sheet_records_write(m->book, m->shared, survey, j, match->id, rows, why);
	return s;
}

enum status workbook_render(const char *path, struct journal *j, const struct journal_match *match,
	const char *zone, const struct workbook_room *room, struct verify_rows *rows,
	struct why *why)
{
	struct made m = {.book = NULL};
	struct survey survey;
	struct story story = {.counts_balls = false};
	enum status s = survey_make(&survey, j, match->id, why);

	set_timezone(zone);
	*rows = (struct verify_rows){.sheets = 0};
	if (s == STATUS_OK)
		s = made_open(&m, path, room, survey_xml_bytes(&survey), why);
	if (s == STATUS_OK)
		s = write_sheets(&m, j, match, &survey, &story, zone, rows, why);
	if (s == STATUS_OK)
		s = made_close(&m, why);
	made_done(&m);
	scorecard_close(story.card);
	survey_done(&survey);
	return s;
}
