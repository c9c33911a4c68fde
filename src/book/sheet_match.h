/* sheet_match.h - `Match`: the one printed page of a match (private to book/). */
#pragma once
#include "book/sheet.h"
#include "book/story.h"
#include "book/survey.h"
#include "cricket/row.h"
#include "store/journal.h"

struct lxw_workbook;
/* `last` is the match's last state (all empty where it could not be read); local times by the
 * process's TZ. */
enum status sheet_match_write(struct lxw_workbook *book, struct lxw_worksheet *handle,
	struct sheet_shared *shared, const struct row *last, const struct journal_match *match,
	const struct survey *survey, const struct story *story, uint32_t *rows,
	struct why *why) MUST_CHECK;
/* The match's name: its row's, else its teams, else its key. Cleaned. */
void sheet_match_title(const struct row *last, struct view key, char *out, size_t out_bytes);
