/* verify.h - is the workbook on the storage the one we meant to write? (private to book/, and for
 * its tests). Read from the file, not from memory; apart from the library that wrote it. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { VERIFY_SHEETS = 64 };

struct verify_rows {
	unsigned sheets;
	uint64_t rows[VERIFY_SHEETS]; /* <row> elements of sheet 1, 2, ... as we wrote them */
};
/* Every entry whole (length, CRC-32), every sheet with exactly its rows and its closing tag, no
 * sheet more. STATUS_BAD_DATA otherwise: the reason names the sheet. */
enum status verify_workbook(
	const char *path, const struct verify_rows *expected, struct why *why) MUST_CHECK;

/* The custom properties we set. */
struct verify_properties {
	char journal[40]; /* 32 hex digits */
	char match[48];	  /* the match's key as in file names; "" in Matches.xlsx */
	char shape[128];  /* which layout and time zone made it */
	uint64_t records;
	int64_t last_us; /* the newest state in it; names a kept file */
};
/* STATUS_NOT_FOUND: no file, or not one of ours; STATUS_BAD_DATA: damaged. */
enum status book_read_properties(
	const char *path, struct verify_properties *out, struct why *why) MUST_CHECK;
