/* sheet_timeline.h - `Timeline`: a row per state that differs from the one before it, in order
 * (private to book/). */
#pragma once
#include "book/sheet.h"
#include "book/story.h"
#include "book/survey.h"
#include "cricket/row.h"
#include "store/journal.h"

/* Reads the match's states in Timeline order, fills `story`, and, where `handle` is not NULL,
 * writes the sheet. Marks the survey's gaps that it shows. `earlier` tells that older states stand
 * in another volume. */
enum status sheet_timeline_write(struct lxw_worksheet *handle, struct sheet_shared *shared,
	struct survey *survey, struct journal *j, const struct journal_match *match,
	struct row_reader *reader, struct story *story, uint32_t *rows, struct why *why) MUST_CHECK;
