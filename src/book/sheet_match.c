#include "book/sheet_match.h"
#include "base/clock.h"
#include "book/charts.h"
#include "book/clean.h"
#include "cricket/innings.h"
#include "cricket/match.h"
#include "cricket/overs.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xlsxwriter.h>

enum {
	COLUMN_INNINGS,
	COLUMN_TEAM,
	COLUMN_SCORE,
	COLUMN_RUNS,
	COLUMN_WICKETS,
	COLUMN_OVERS,
	COLUMN_BALLS,
	COLUMN_RATE,
	COLUMN_TARGET,
	COLUMNS,
};
static const struct {
	const char *title;
	double width;
	bool right;
} columns[COLUMNS] = {
	[COLUMN_INNINGS] = {"Innings", 12, false},
	[COLUMN_TEAM] = {"Team", 28, false},
	[COLUMN_SCORE] = {"Score", 16, false},
	[COLUMN_RUNS] = {"Runs", 9, true},
	[COLUMN_WICKETS] = {"Wickets", 9, true},
	[COLUMN_OVERS] = {"Overs", 9, true},
	[COLUMN_BALLS] = {"Balls", 9, true},
	[COLUMN_RATE] = {"Run rate", 9, true},
	[COLUMN_TARGET] = {"Target", 9, true},
};
enum {
	PAGE_WIDTH = 810,
	CHART_HEIGHT = 400,
	ALONE_HEIGHT = 640,
	ROW_PIXELS = 20,
	TEXT_BYTES = 1200
};

struct page {
	lxw_workbook *book;
	lxw_worksheet *w;
	struct sheet_shared *shared;
	struct charts *charts; /* NULL: none */
	lxw_row_t row;	       /* now being written */
	bool touched;	       /* it has cells */
	uint32_t rows;	       /* that have cells: what the sheet's XML will hold */
	enum status failed;
	struct why *why;
};

/* Ends the row: what the charts need of it is written with it, as rows cannot be gone back to. */
static void next_row(struct page *p)
{
	if (p->charts &&
		charts_write_row(p->charts, p->w, p->row, p->shared->styles.page[PAGE_HIDDEN]))
		p->touched = true;
	p->rows += p->touched;
	p->touched = false;
	p->row++;
}

static void cell(struct page *p, int column, const char *text, enum page_style style)
{
	clean_text(view_of(text, strlen(text)), CLEAN_UNITS, p->shared->cleaned, CLEAN_BYTES, NULL);
	if (p->shared->cleaned[0])
		worksheet_write_string(p->w, p->row, (lxw_col_t)column, p->shared->cleaned,
			p->shared->styles.page[style]);
	else
		worksheet_write_blank(
			p->w, p->row, (lxw_col_t)column, p->shared->styles.page[style]);
	p->touched = true;
}

static void number(struct page *p, int column, double value, enum page_style style)
{
	worksheet_write_number(
		p->w, p->row, (lxw_col_t)column, value, p->shared->styles.page[style]);
	p->touched = true;
}

/* A text over the whole page's width, in lines of about so many characters. */
static void wide(struct page *p, const char *text, enum page_style style, size_t characters,
	double line_points)
{
	size_t units = clean_text(
		view_of(text, strlen(text)), 1000, p->shared->cleaned, CLEAN_BYTES, NULL);
	double lines = (double)(1 + units / characters);

	worksheet_set_row(p->w, p->row, lines * line_points, NULL);
	worksheet_merge_range(p->w, p->row, 0, p->row, COLUMNS - 1, p->shared->cleaned,
		p->shared->styles.page[style]);
	p->touched = true;
	next_row(p);
}

void sheet_match_title(const struct row *last, struct view key, char *out, size_t out_bytes)
{
	if (last->name[0])
		clean_text(view_of(last->name, strlen(last->name)), 200, out, out_bytes, NULL);
	else if (last->team[0][0] && last->team[1][0])
		snprintf(out, out_bytes, "%.80s vs %.80s", last->team[0], last->team[1]);
	else
		clean_text(key, 200, out, out_bytes, NULL);
}

/* "India vs Australia, 2nd T20I, ..." is a title and what it is about. */
static void write_title(struct page *p, const struct row *last, struct view key)
{
	char title[TEXT_BYTES];
	char *rest;

	sheet_match_title(last, key, title, sizeof(title));
	rest = strstr(title, ", ");
	if (rest) {
		*rest = '\0';
		rest += 2;
	}
	wide(p, title, PAGE_TITLE, 52, 31);
	if (rest && *rest)
		wide(p, rest, PAGE_SUBTITLE, 100, 18);
	next_row(p);
}

static void labelled(struct page *p, const char *label, const char *value)
{
	if (!value[0])
		return;
	cell(p, 0, label, PAGE_LABEL);
	cell(p, 1, value, PAGE_VALUE);
	next_row(p);
}

static int64_t local_offset_us(int64_t wall_us, char *name, size_t name_bytes)
{
	time_t at = (time_t)(wall_us / 1000000);
	struct tm local;

	name[0] = '\0';
	if (!localtime_r(&at, &local))
		return 0;
	snprintf(name, name_bytes, "%s", local.tm_zone ? local.tm_zone : "");
	return (int64_t)local.tm_gmtoff * 1000000;
}

static void write_start(struct page *p, const struct row *last)
{
	char zone[32], label[64];
	int64_t offset;

	if (!last->start_us) {
		labelled(p, "Start (UTC)", last->start[0] ? last->start : last->date);
		return;
	}
	cell(p, 0, "Start (UTC)", PAGE_LABEL);
	if (!last->start_time_known) {
		number(p, 1, sheet_serial(last->start_us), PAGE_DAY);
		cell(p, 2, "time of day not announced", PAGE_LABEL);
		next_row(p);
		return;
	}
	number(p, 1, sheet_serial(last->start_us), PAGE_DATE);
	next_row(p);
	offset = local_offset_us(last->start_us, zone, sizeof(zone));
	snprintf(label, sizeof(label), "Start (%s)", zone);
	if (!strcmp(zone, "UTC") && !offset)
		return;
	cell(p, 0, strlen(label) <= 12 ? label : "Start (local)", PAGE_LABEL);
	number(p, 1, sheet_serial(last->start_us + offset), PAGE_DATE);
	next_row(p);
}

static void write_band(struct page *p, const struct row *last)
{
	static const struct {
		enum page_style style;
		const char *text; /* where the status says nothing */
	} bands[] = {
		[MATCH_FIXTURE] = {PAGE_BAND_FIXTURE, "Not started"},
		[MATCH_LIVE] = {PAGE_BAND_LIVE, "Live"},
		[MATCH_WON] = {PAGE_BAND_WON, "Over"},
		[MATCH_TIED] = {PAGE_BAND_TIED, "Tied"},
		[MATCH_NO_RESULT] = {PAGE_BAND_NO_RESULT, "No result"},
		[MATCH_OVER] = {PAGE_BAND_OVER, "Over"},
	};
	enum match_result result = match_result_of(last);

	next_row(p);
	wide(p, last->status[0] ? last->status : bands[result].text, bands[result].style, 85, 27);
	next_row(p);
}

static void write_innings(
	struct page *p, const struct row *last, const struct story *story, unsigned k)
{
	const struct row_innings *in = &last->score[k];
	int64_t balls = overs_balls(in->overs, story->counts_balls);
	char team[400], text[INNINGS_TEXT_BYTES];

	match_team_of(last, k, team, sizeof(team));
	innings_text(in, text);
	worksheet_set_row(p->w, p->row, 18, NULL);
	number(p, COLUMN_INNINGS, k + 1, PAGE_TEXT);
	cell(p, COLUMN_TEAM, team, PAGE_TEXT);
	cell(p, COLUMN_SCORE, text, PAGE_SCORE);
	number(p, COLUMN_RUNS, (double)in->runs, PAGE_INTEGER);
	number(p, COLUMN_WICKETS, (double)in->wickets, PAGE_INTEGER);
	cell(p, COLUMN_OVERS, in->overs, PAGE_INTEGER);
	for (int column = COLUMN_BALLS; column < COLUMNS; column++)
		cell(p, column, "", PAGE_INTEGER);
	if (balls >= 0)
		number(p, COLUMN_BALLS, (double)balls, PAGE_INTEGER);
	if (balls > 0)
		number(p, COLUMN_RATE, overs_run_rate(in->runs, balls), PAGE_RATE);
	if (story->target[k] > 0)
		number(p, COLUMN_TARGET, (double)story->target[k], PAGE_INTEGER);
	next_row(p);
}

static void write_table(struct page *p, const struct row *last, const struct story *story)
{
	worksheet_set_row(p->w, p->row, 18, NULL);
	for (int i = 0; i < COLUMNS; i++)
		cell(p, i, columns[i].title,
			columns[i].right ? PAGE_HEADER_RIGHT : PAGE_HEADER_LEFT);
	next_row(p);
	for (unsigned k = 0; k < last->innings && k < ROW_INNINGS; k++)
		write_innings(p, last, story, k);
	if (last->innings == 0) {
		cell(p, 0, "No innings yet.", PAGE_NOTE);
		next_row(p);
	}
	next_row(p);
}

/* ---- the honesty line ---- */

struct line {
	char text[TEXT_BYTES];
	size_t used;
};

static void say(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct line *l, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(l->text + l->used, sizeof(l->text) - l->used, format, args);
	va_end(args);
	if (n > 0)
		l->used += (size_t)n < sizeof(l->text) - l->used ? (size_t)n
								 : sizeof(l->text) - l->used - 1;
}

/* "2025-04-16 14:02–17:41", or with both days. */
static void say_span(struct line *l, int64_t from_us, int64_t to_us)
{
	char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];

	clock_format(from_us, 0, from);
	clock_format(to_us, 0, to);
	if (!strncmp(from, to, 10))
		say(l, "%.10s %.5s–%.5s UTC", from, from + 11, to + 11);
	else
		say(l, "%.10s %.5s – %.10s %.5s UTC", from, from + 11, to, to + 11);
}

static void say_gaps(struct line *l, const struct survey *survey)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < survey->gap_count; i++)
		lost += (uint64_t)(survey->gaps[i].row.to - survey->gaps[i].row.from);
	if (survey->gap_count + survey->further_gaps == 0)
		return;
	say(l,
		" %s%" PRIu64
		" records had expired from Kafka before this box read them (in %" PRIu64
		" gaps of this match's partitions): some may have been states of this match.",
		survey->further_gaps ? "At least " : "", lost,
		survey->gap_count + survey->further_gaps);
}

static void write_honesty(struct page *p, const struct story *story, const struct survey *survey)
{
	struct line l = {"", 0};
	char gap[40], last[CLOCK_TEXT_BYTES];

	clock_span_text(story->longest_gap_us / 1000, gap, sizeof(gap));
	clock_format(story->last_us, 0, last);
	say(&l, "%" PRIu64 " state%s seen ", story->rows, story->rows == 1 ? "" : "s");
	say_span(&l, story->first_us, story->last_us);
	if (story->states > 1)
		say(&l, ", longest gap %s", gap);
	say(&l, ", last poll %.10s %.8s UTC.", last, last + 11);
	if (story->missing)
		say(&l, " At least %" PRIu64 " state%s not received: see the Timeline.",
			story->missing, story->missing == 1 ? " was" : "s were");
	say_gaps(&l, survey);
	if (survey->duplicates)
		say(&l, " %" PRIu64 " record%s came more than once: marked in Records.",
			survey->duplicates, survey->duplicates == 1 ? "" : "s");
	if (story->counts_balls)
		say(&l, " Overs are counted in balls, in sets of five; run rates per six balls.");
	wide(p, l.text, PAGE_NOTE, 150, 14);
	next_row(p);
}

/* ---- the whole page ---- */

/* Room for a chart: rows of the default height below it. */
static void pass_over(struct page *p, unsigned pixels)
{
	for (unsigned i = 0; i * ROW_PIXELS < pixels + ROW_PIXELS; i++)
		next_row(p);
}

static void draw(struct page *p)
{
	unsigned height = charts_has_manhattan(p->charts) ? CHART_HEIGHT : ALONE_HEIGHT;

	if (p->failed == STATUS_OK && charts_has_worm(p->charts)) {
		p->failed = charts_put_worm(
			p->charts, p->book, p->w, p->row, PAGE_WIDTH, height, p->why);
		pass_over(p, height);
	}
	if (p->failed == STATUS_OK && charts_has_manhattan(p->charts)) {
		p->failed = charts_put_manhattan(
			p->charts, p->book, p->w, p->row, PAGE_WIDTH, CHART_HEIGHT, p->why);
		pass_over(p, CHART_HEIGHT);
	}
	if (p->failed == STATUS_OK && charts_has_means(p->charts))
		wide(p, "Pale bars: the mean of several overs, where no poll saw the end of each.",
			PAGE_NOTE, 150, 14);
}

static void set_up(struct page *p)
{
	lxw_row_t last = p->row ? p->row - 1 : 0;

	for (int i = 0; i < COLUMNS; i++)
		worksheet_set_column(p->w, (lxw_col_t)i, (lxw_col_t)i, columns[i].width, NULL);
	worksheet_gridlines(p->w, LXW_HIDE_ALL_GRIDLINES);
	worksheet_ignore_errors(p->w, LXW_IGNORE_NUMBER_STORED_AS_TEXT, "A1:XFD1048576");
	worksheet_set_portrait(p->w);
	worksheet_print_area(p->w, 0, 0, last, COLUMNS - 1);
	sheet_print(p->w, p->shared->header_line);
	worksheet_center_horizontally(p->w);
	worksheet_fit_to_pages(p->w, 1, 1);
	worksheet_activate(p->w);
}

enum status sheet_match_write(struct lxw_workbook *book, struct lxw_worksheet *handle,
	struct sheet_shared *shared, const struct row *last, const struct journal_match *match,
	const struct survey *survey, const struct story *story, uint32_t *rows, struct why *why)
{
	struct page p = {.book = book, .w = handle, .shared = shared, .why = why};

	if (story->is_match) {
		p.failed = charts_open(&p.charts, story, last, why);
		if (p.failed != STATUS_OK)
			return p.failed;
	}
	write_title(&p, last, match->key);
	if (story->is_match) {
		char kind[40];

		match_kind_text(last, kind, sizeof(kind));
		labelled(&p, "Type", kind);
		labelled(&p, "Venue", last->venue);
		write_start(&p, last);
		write_band(&p, last);
		write_table(&p, last, story);
	} else if (last->status[0]) {
		wide(&p, last->status, PAGE_BAND_OVER, 85, 27);
		next_row(&p);
	}
	write_honesty(&p, story, survey);
	if (p.charts)
		draw(&p);
	set_up(&p);
	if (p.charts) {
		while (p.row < charts_rows(p.charts))
			next_row(&p);
		charts_hide_columns(p.charts, p.w);
	}
	charts_close(p.charts);
	*rows = p.rows;
	return p.failed;
}
