#include "book/charts_private.h"
#include "book/clean.h"
#include "cricket/overs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

unsigned charts_worm_column(unsigned innings, unsigned which)
{
	return CHARTS_FIRST_COLUMN + innings * WORM_COLUMNS + which;
}

unsigned charts_target_column(const struct charts *c)
{
	return CHARTS_FIRST_COLUMN + c->innings * WORM_COLUMNS;
}

unsigned charts_over_column(const struct charts *c)
{
	return charts_target_column(c) + 2;
}

unsigned charts_columns(const struct charts *c)
{
	return charts_over_column(c) + 1 + c->innings;
}

static double worm_x(const struct charts *c, int32_t balls)
{
	return c->story->counts_balls ? balls : (double)balls / OVERS_BALLS;
}

/* A series' name: the team, cleaned; a name that begins with '=' would be read as a formula. */
static void name_series(struct charts *c, const struct row *last, unsigned k)
{
	char team[400], text[64 * 3 + 8];

	match_team_of(last, k, team, sizeof(team));
	if (!team[0])
		snprintf(team, sizeof(team), "Innings %u", k + 1);
	clean_text(view_of(team, strlen(team)), 40, text, sizeof(text), NULL);
	if (strlen(text) > sizeof(c->names[k]) - 16) /* many bytes a letter: cut at a border */
		clean_text(view_of(team, strlen(team)), 16, text, sizeof(text), NULL);
	snprintf(c->names[k], sizeof(c->names[k]), "%s%s%s", text[0] == '=' ? " " : "", text,
		c->second[k] ? " (2nd innings)" : "");
}

static void name_sides(struct charts *c, const struct row *last)
{
	bool seen[2] = {false, false};

	for (unsigned k = 0; k < c->innings; k++) {
		int side = match_side_of(last, k);

		c->side[k] = side >= 0 ? side : (int)(k % 2);
		c->second[k] = seen[c->side[k]];
		seen[c->side[k]] = true;
		name_series(c, last, k);
	}
}

static void gather_worm(struct charts *c, enum match_kind kind)
{
	c->most_x = worm_x(c, match_full_balls(kind));
	for (unsigned k = 0; k < c->innings; k++) {
		const struct card_point *p = scorecard_points(c->story->card, k, &c->points[k]);

		if (c->points[k] > 0 && worm_x(c, p[c->points[k] - 1].balls) > c->most_x)
			c->most_x = worm_x(c, p[c->points[k] - 1].balls);
		if (c->story->target[k] > 0)
			c->target = c->story->target[k];
	}
}

static void fill_bars(struct charts *c, unsigned k)
{
	struct bars *b = &c->bars[k];
	unsigned count;
	const struct card_span *spans = scorecard_spans(c->story->card, k, &count);

	for (unsigned i = 0; i < count; i++) {
		int32_t overs = spans[i].to_over - spans[i].from_over + 1;

		for (int32_t o = spans[i].from_over; o <= spans[i].to_over; o++) {
			b->runs[o - 1] += (double)spans[i].runs / overs;
			b->mean[o - 1] = overs > 1;
			c->means = c->means || overs > 1;
		}
		if (spans[i].wickets > 0)
			b->wickets[spans[i].to_over - 1] =
				(uint8_t)(spans[i].wickets < 10 ? spans[i].wickets : 10);
		b->overs = (unsigned)spans[i].to_over;
	}
	if (b->overs > c->most_overs)
		c->most_overs = b->overs;
}

/* No manhattan beyond 100 overs: its bars could not be told apart. */
static bool bars_fit(const struct charts *c)
{
	bool any = false;

	for (unsigned k = 0; k < c->innings; k++) {
		unsigned count;
		const struct card_span *spans = scorecard_spans(c->story->card, k, &count);

		for (unsigned i = 0; i < count; i++)
			if (spans[i].to_over > CHARTS_MOST_OVERS || spans[i].from_over < 1)
				return false;
		any = any || count > 0;
	}
	return any;
}

enum status charts_open(
	struct charts **out, const struct story *story, const struct row *last, struct why *why)
{
	struct charts *c = calloc(1, sizeof(*c));

	if (!c)
		return fail(why, STATUS_NO_MEMORY, "no memory for the charts");
	c->story = story;
	c->innings = scorecard_innings(story->card);
	name_sides(c, last);
	gather_worm(c, match_kind_of(last));
	if (bars_fit(c)) {
		c->bars = calloc(c->innings, sizeof(*c->bars));
		if (!c->bars) {
			charts_close(c);
			return fail(why, STATUS_NO_MEMORY, "no memory for the charts");
		}
		for (unsigned k = 0; k < c->innings; k++)
			fill_bars(c, k);
		if (c->story->counts_balls == false && match_kind_of(last) == MATCH_T20 &&
			c->most_overs < 20)
			c->most_overs = 20;
	}
	*out = c;
	return STATUS_OK;
}

void charts_close(struct charts *c)
{
	if (c)
		free(c->bars);
	free(c);
}

bool charts_has_worm(const struct charts *c)
{
	for (unsigned k = 0; k < c->innings; k++)
		if (c->points[k] > 1)
			return true;
	return false;
}

bool charts_has_manhattan(const struct charts *c)
{
	return c->bars != NULL;
}

bool charts_has_means(const struct charts *c)
{
	return c->bars && c->means;
}

unsigned charts_rows(const struct charts *c)
{
	unsigned most = 0;

	for (unsigned k = 0; k < c->innings; k++)
		if (c->points[k] > most)
			most = c->points[k];
	if (c->bars && c->most_overs > most)
		most = c->most_overs;
	if (most > 0 && most < 2)
		most = 2; /* the target's two points */
	return most > 0 ? most + 1 : 0;
}

struct cursor {
	struct lxw_worksheet *w;
	lxw_row_t row;
	lxw_format *format;
};

static void figure(const struct cursor *at, unsigned column, double value)
{
	worksheet_write_number(at->w, at->row, (lxw_col_t)column, value, at->format);
}

static void write_titles(const struct charts *c, const struct cursor *at)
{
	static const char *const worm[WORM_COLUMNS] = {"bowled", "total", "wickets"};
	char title[32];

	for (unsigned k = 0; k < c->innings; k++) {
		for (unsigned i = 0; i < WORM_COLUMNS; i++) {
			snprintf(title, sizeof(title), "worm %u: %s", k + 1, worm[i]);
			worksheet_write_string(
				at->w, 0, (lxw_col_t)charts_worm_column(k, i), title, at->format);
		}
		snprintf(title, sizeof(title), "innings %u", k + 1);
		worksheet_write_string(
			at->w, 0, (lxw_col_t)(charts_over_column(c) + 1 + k), title, at->format);
	}
	worksheet_write_string(
		at->w, 0, (lxw_col_t)charts_target_column(c), "target: bowled", at->format);
	worksheet_write_string(
		at->w, 0, (lxw_col_t)(charts_target_column(c) + 1), "target", at->format);
	worksheet_write_string(at->w, 0, (lxw_col_t)charts_over_column(c),
		c->story->counts_balls ? "set" : "over", at->format);
}

static void write_figures(const struct charts *c, const struct cursor *at, unsigned i)
{
	for (unsigned k = 0; k < c->innings; k++) {
		unsigned count;
		const struct card_point *p = scorecard_points(c->story->card, k, &count);

		if (i < count) {
			figure(at, charts_worm_column(k, WORM_X), worm_x(c, p[i].balls));
			figure(at, charts_worm_column(k, WORM_TOTAL), p[i].total);
			if (p[i].wickets > 0)
				figure(at, charts_worm_column(k, WORM_WICKET), p[i].total);
		}
		if (c->bars && i < c->bars[k].overs)
			figure(at, charts_over_column(c) + 1 + k, c->bars[k].runs[i]);
	}
	if (c->target > 0 && i < 2) {
		figure(at, charts_target_column(c), i == 0 ? 0 : c->most_x);
		figure(at, charts_target_column(c) + 1, (double)c->target);
	}
	if (c->bars && i < c->most_overs)
		figure(at, charts_over_column(c), i + 1);
}

bool charts_write_row(
	const struct charts *c, struct lxw_worksheet *w, uint32_t row, struct lxw_format *format)
{
	struct cursor at = {w, row, format};

	if (row >= charts_rows(c))
		return false;
	if (row == 0)
		write_titles(c, &at);
	else
		write_figures(c, &at, row - 1);
	return true;
}

void charts_hide_columns(const struct charts *c, struct lxw_worksheet *w)
{
	lxw_row_col_options hidden = {.hidden = LXW_TRUE};

	if (charts_rows(c) > 0)
		worksheet_set_column_opt(w, CHARTS_FIRST_COLUMN, (lxw_col_t)(charts_columns(c) - 1),
			8, NULL, &hidden);
}
