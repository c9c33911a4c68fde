#include "book/charts_private.h"
#include "book/style.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

enum { DEFAULT_WIDTH = 480, DEFAULT_HEIGHT = 288 }; /* pixels, of libxlsxwriter */

static const char SHEET[] = "Match";
static char font_name[] =
	"Calibri"; /* the library takes its options without const, and copies them */

static const struct {
	lxw_color_t first, second, pale;
} colours[2] = {
	{COLOUR_SIDE_A, COLOUR_SIDE_A_2ND, COLOUR_SIDE_A_PALE},
	{COLOUR_SIDE_B, COLOUR_SIDE_B_2ND, COLOUR_SIDE_B_PALE},
};

static lxw_color_t colour_of(const struct charts *c, unsigned k)
{
	return c->second[k] ? colours[c->side[k]].second : colours[c->side[k]].first;
}

static void dress_axis(lxw_chart_axis *axis, const char *name, bool grid)
{
	lxw_chart_font name_font = {
		.name = font_name, .size = 9, .bold = LXW_EXPLICIT_FALSE, .color = COLOUR_QUIET};
	lxw_chart_font number_font = {.name = font_name, .size = 9, .color = COLOUR_QUIET};
	lxw_chart_line line = {.color = COLOUR_LINE, .width = 0.75};

	chart_axis_set_name(axis, name);
	chart_axis_set_name_font(axis, &name_font);
	chart_axis_set_num_font(axis, &number_font);
	chart_axis_set_num_format(axis, "0");
	chart_axis_set_line(axis, &line);
	chart_axis_major_gridlines_set_visible(axis, grid);
	if (grid)
		chart_axis_major_gridlines_set_line(axis, &line);
}

static void dress(lxw_chart *chart, const char *title)
{
	lxw_chart_font title_font = {
		.name = font_name, .size = 12, .bold = LXW_TRUE, .color = COLOUR_INK};
	lxw_chart_font legend_font = {.name = font_name, .size = 9, .color = COLOUR_INK};
	lxw_chart_line border = {.color = COLOUR_LINE, .width = 0.75};

	chart_title_set_name(chart, title);
	chart_title_set_name_font(chart, &title_font);
	chart_legend_set_position(chart, LXW_CHART_LEGEND_BOTTOM);
	chart_legend_set_font(chart, &legend_font);
	chart_chartarea_set_line(chart, &border);
	chart_show_hidden_data(chart);
}

static enum status put(lxw_worksheet *w, lxw_chart *chart, uint32_t row, unsigned width,
	unsigned height, struct why *why)
{
	lxw_chart_options options = {
		.x_scale = (double)width / DEFAULT_WIDTH,
		.y_scale = (double)height / DEFAULT_HEIGHT,
		.object_position = LXW_OBJECT_MOVE_DONT_SIZE,
	};

	if (worksheet_insert_chart_opt(w, row, 0, chart, &options) != LXW_NO_ERROR)
		return fail(why, STATUS_NO_MEMORY, "a chart could not be placed");
	return STATUS_OK;
}

static lxw_chart_series *add_series(
	lxw_chart *chart, unsigned x, unsigned y, unsigned count, const char *name)
{
	lxw_chart_series *series = chart_add_series(chart, NULL, NULL);

	chart_series_set_categories(series, SHEET, 1, (lxw_col_t)x, count, (lxw_col_t)x);
	chart_series_set_values(series, SHEET, 1, (lxw_col_t)y, count, (lxw_col_t)y);
	chart_series_set_name(series, name);
	return series;
}

/* ---- worm ---- */

static void add_line(const struct charts *c, lxw_chart *chart, unsigned k)
{
	lxw_chart_line line = {.color = colour_of(c, k), .width = 2.25};
	lxw_chart_series *s = add_series(chart, charts_worm_column(k, WORM_X),
		charts_worm_column(k, WORM_TOTAL), c->points[k], c->names[k]);

	if (c->second[k])
		line.dash_type = LXW_CHART_LINE_DASH_DASH;
	chart_series_set_line(s, &line);
	chart_series_set_marker_type(s, LXW_CHART_MARKER_NONE);
}

static void add_wickets(const struct charts *c, lxw_chart *chart, unsigned k)
{
	lxw_chart_line none = {.none = LXW_TRUE}, rim = {.color = LXW_COLOR_WHITE, .width = 0.75};
	lxw_chart_fill fill = {.color = colour_of(c, k)};
	lxw_chart_series *s = add_series(chart, charts_worm_column(k, WORM_X),
		charts_worm_column(k, WORM_WICKET), c->points[k], "wickets");

	chart_series_set_line(s, &none);
	chart_series_set_marker_type(s, LXW_CHART_MARKER_CIRCLE);
	chart_series_set_marker_size(s, 8);
	chart_series_set_marker_fill(s, &fill);
	chart_series_set_marker_line(s, &rim);
}

static void add_target(const struct charts *c, lxw_chart *chart)
{
	lxw_chart_line dashed = {
		.color = COLOUR_QUIET, .width = 1.25, .dash_type = LXW_CHART_LINE_DASH_DASH};
	char name[40];

	snprintf(name, sizeof(name), "target %lld", (long long)c->target);
	lxw_chart_series *s = add_series(
		chart, charts_target_column(c), charts_target_column(c) + 1, 2, name);

	chart_series_set_line(s, &dashed);
	chart_series_set_marker_type(s, LXW_CHART_MARKER_NONE);
}

/* 20 overs in fives, 50 and 100 in tens. */
static double unit_of(double most)
{
	return most <= 25 ? 5 : most <= 120 ? 10 : 20;
}

enum status charts_put_worm(const struct charts *c, struct lxw_workbook *book,
	struct lxw_worksheet *w, uint32_t row, unsigned width, unsigned height, struct why *why)
{
	lxw_chart *chart = workbook_add_chart(book, LXW_CHART_SCATTER_STRAIGHT);
	int16_t unnamed[ROW_INNINGS + 1];
	int16_t series = 0, deleted = 0;

	if (!chart)
		return fail(why, STATUS_NO_MEMORY, "no memory for the worm");
	dress(chart, "Worm");
	dress_axis(chart->x_axis,
		c->story->counts_balls ? "balls bowled (dots: wickets)"
				       : "overs bowled (dots: wickets)",
		false);
	dress_axis(chart->y_axis, "total", true);
	chart_axis_set_min(chart->x_axis, 0);
	chart_axis_set_min(chart->y_axis, 0);
	if (c->most_x > 0) {
		double unit = unit_of(c->most_x), last = unit;

		while (last < c->most_x)
			last += unit;
		chart_axis_set_max(chart->x_axis, last);
		chart_axis_set_major_unit(chart->x_axis, unit);
	}
	for (unsigned k = 0; k < c->innings; k++, series++)
		add_line(c, chart, k);
	if (c->target > 0) {
		add_target(c, chart);
		series++;
	}
	for (unsigned k = 0; k < c->innings; k++) {
		add_wickets(c, chart, k);
		unnamed[deleted++] = series++;
	}
	unnamed[deleted] = -1;
	chart_legend_delete_series(chart, unnamed);
	return put(w, chart, row, width, height, why);
}

/* ---- manhattan ---- */

/* Dots above the bar: the library draws no second kind of series, but labels of its own wording. */
static enum status add_wicket_labels(
	const struct bars *b, lxw_chart_series *s, lxw_color_t colour, struct why *why)
{
	static char dots[][16] = {"", "●", "●●", "●●●", "●●●●", "●●●●●"};
	lxw_chart_font font = {.name = font_name, .size = 10, .color = colour};
	lxw_chart_data_label labels[CHARTS_MOST_OVERS], *list[CHARTS_MOST_OVERS + 1];
	bool any = false;

	memset(labels, 0, sizeof(labels));
	for (unsigned i = 0; i < b->overs; i++) {
		unsigned n = b->wickets[i] < 5 ? b->wickets[i] : 5;

		list[i] = &labels[i];
		labels[i].font = &font;
		if (n > 0)
			labels[i].value = dots[n];
		else
			labels[i].hide = LXW_TRUE;
		any = any || n > 0;
	}
	list[b->overs] = NULL;
	if (!any)
		return STATUS_OK;
	chart_series_set_labels(s);
	chart_series_set_labels_position(s, LXW_CHART_LABEL_POSITION_OUTSIDE_END);
	if (chart_series_set_labels_custom(s, list) != LXW_NO_ERROR)
		return fail(why, STATUS_NO_MEMORY, "no memory for the manhattan's wickets");
	return STATUS_OK;
}

static enum status add_pale_bars(
	const struct bars *b, lxw_chart_series *s, lxw_color_t pale, struct why *why)
{
	lxw_chart_fill fill = {.color = pale};
	lxw_chart_point point = {.fill = &fill}, none = {.fill = NULL};
	lxw_chart_point *list[CHARTS_MOST_OVERS + 1];
	bool any = false;

	for (unsigned i = 0; i < b->overs; i++) {
		list[i] = b->mean[i] ? &point : &none;
		any = any || b->mean[i];
	}
	list[b->overs] = NULL;
	if (any && chart_series_set_points(s, list) != LXW_NO_ERROR)
		return fail(why, STATUS_NO_MEMORY, "no memory for the manhattan's bars");
	return STATUS_OK;
}

static enum status add_bars(const struct charts *c, lxw_chart *chart, unsigned k, struct why *why)
{
	const struct bars *b = &c->bars[k];
	lxw_chart_fill fill = {.color = colour_of(c, k)};
	lxw_chart_series *s = add_series(chart, charts_over_column(c),
		charts_over_column(c) + 1 + k, c->most_overs, c->names[k]);
	enum status st;

	chart_series_set_fill(s, &fill);
	st = add_pale_bars(b, s, colours[c->side[k]].pale, why);
	return st == STATUS_OK ? add_wicket_labels(b, s, colour_of(c, k), why) : st;
}

enum status charts_put_manhattan(const struct charts *c, struct lxw_workbook *book,
	struct lxw_worksheet *w, uint32_t row, unsigned width, unsigned height, struct why *why)
{
	lxw_chart *chart = workbook_add_chart(book, LXW_CHART_COLUMN);

	if (!chart)
		return fail(why, STATUS_NO_MEMORY, "no memory for the manhattan");
	dress(chart, "Manhattan");
	dress_axis(chart->x_axis,
		c->story->counts_balls ? "set of five (dots: wickets)" : "over (dots: wickets)",
		false);
	dress_axis(chart->y_axis, c->story->counts_balls ? "runs in the set" : "runs in the over",
		true);
	chart_axis_set_min(chart->y_axis, 0);
	chart_set_series_gap(chart, 40);
	chart_set_series_overlap(chart, 0);
	if (c->most_overs > 30)
		chart_axis_set_interval_unit(chart->x_axis, c->most_overs > 60 ? 10 : 5);
	for (unsigned k = 0; k < c->innings; k++) {
		if (c->bars[k].overs == 0)
			continue;
		enum status st = add_bars(c, chart, k, why);

		if (st != STATUS_OK)
			return st;
	}
	return put(w, chart, row, width, height, why);
}
