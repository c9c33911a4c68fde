/* sheet_records.h - `Records`: every record as it came, one row each, field by field (private to
 * book/). */
#pragma once
#include "book/sheet.h"
#include "book/survey.h"
#include "book/verify.h"
#include "store/journal.h"

struct lxw_workbook;
/* Adds the sheet, and `Records 2`, ... where the rows go over Excel's limit; their row counts to
 * `rows`. */
enum status sheet_records_write(struct lxw_workbook *book, struct sheet_shared *shared,
	struct survey *survey, struct journal *j, int64_t match, struct verify_rows *rows,
	struct why *why) MUST_CHECK;
