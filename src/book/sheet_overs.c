#include "book/sheet_overs.h"
#include "cricket/overs.h"
#include <stdio.h>
#include <stdlib.h>

enum {
	COLUMN_INNINGS,
	COLUMN_OVER,
	COLUMN_RUNS,
	COLUMN_WICKETS,
	COLUMN_TOTAL,
	COLUMN_RATE,
	COLUMN_PARTNERSHIP,
	COLUMNS
};

static void write_titles(struct sheet *s, bool counts_balls)
{
	static const char *const titles[COLUMNS] = {
		"Innings", "Over", "Runs", "Wickets", "Total", "Run rate", "Partnership"};

	for (unsigned i = 0; i < COLUMNS; i++) {
		if (counts_balls && i == COLUMN_OVER)
			sheet_figure_title(s, i, "Over (set of 5)");
		else if (counts_balls && i == COLUMN_RATE)
			sheet_figure_title(s, i, "Run rate (per 6 balls)");
		else
			sheet_figure_title(s, i, titles[i]);
	}
	sheet_end_row(s);
}

static void write_span(struct sheet *s, unsigned innings, const struct card_span *span)
{
	char overs[32];

	s->tone = span->wickets > 0 ? TONE_WICKET : TONE_PLAIN;
	sheet_integer(s, COLUMN_INNINGS, innings + 1);
	if (span->from_over == span->to_over) {
		sheet_integer(s, COLUMN_OVER, span->to_over);
	} else {
		snprintf(overs, sizeof(overs), "%ld-%ld", (long)span->from_over,
			(long)span->to_over);
		sheet_words_right(s, COLUMN_OVER, overs);
	}
	sheet_integer(s, COLUMN_RUNS, span->runs);
	sheet_integer(s, COLUMN_WICKETS, span->wickets);
	sheet_integer(s, COLUMN_TOTAL, span->total);
	if (span->balls > 0)
		sheet_rate(s, COLUMN_RATE, overs_run_rate(span->total, span->balls));
	else
		sheet_fill(s, COLUMN_RATE, COLUMN_PARTNERSHIP);
	sheet_integer(s, COLUMN_PARTNERSHIP, span->partnership);
	sheet_end_row(s);
}

enum status sheet_overs_write(struct lxw_worksheet *handle, struct sheet_shared *shared,
	const struct story *story, uint32_t *rows, struct why *why)
{
	struct sheet *s = malloc(sizeof(*s));
	enum status st;

	if (!s)
		return fail(why, STATUS_NO_MEMORY, "no memory for the Overs");
	st = sheet_begin(s, handle, shared, COLUMNS, false, why);
	if (st == STATUS_OK) {
		write_titles(s, story->counts_balls);
		for (unsigned k = 0; k < scorecard_innings(story->card); k++) {
			unsigned count;
			const struct card_span *spans = scorecard_spans(story->card, k, &count);

			for (unsigned i = 0; i < count; i++)
				write_span(s, k, &spans[i]);
		}
		st = sheet_finish(s, true, why);
	}
	*rows = s->row;
	sheet_done(s);
	free(s);
	return st;
}
