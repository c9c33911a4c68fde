/* row.h - one row of the API read, tolerantly: what is missing is empty, unknown keys are passed
 * over, the first of duplicate keys counts. The one user of cJSON; it reads into an arena of
 * fixed size (no malloc), so a row too rich for the arena is STATUS_FULL, never a larger
 * process. Field meanings and odd values: the API's captures (matchType absent for the Hundred,
 * `o` counting balls there, `score` absent or [] before play, T00:00:00 for an unknown start). */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { ROW_INNINGS = 8 };

struct row_innings {
	int64_t runs, wickets; /* 0 where missing; wickets 0..10, not enforced */
	char overs[16];	       /* text as the API writes it: "20", "19.4"; "" where missing */
	const char *label;     /* "India Inning 1"; "" where missing */
};

/* Strings are NUL-terminated UTF-8 as decoded from JSON (an embedded U+0000 is read as U+FFFD,
 * invalid bytes stay as they came), never NULL; they live until the reader's next call. */
struct row {
	const char *id, *name, *match_type, *status, *venue, *series_id;
	const char *date;      /* "2025-04-16" or "" */
	const char *start;     /* dateTimeGMT as it stands */
	int64_t start_us;      /* 0: missing or unreadable */
	bool start_time_known; /* false for T00:00:00 */
	const char *team[2];   /* "" where missing */
	unsigned teams;	       /* how many the row has; only two are kept */
	bool has_score;	       /* `score` is an array, maybe empty */
	unsigned innings;      /* kept; further ones count in innings_beyond */
	unsigned innings_beyond;
	struct row_innings score[ROW_INNINGS];
	bool started, ended;
	bool is_object; /* false: valid JSON, but no object */
	bool is_match;	/* has teams or score */
};

/* Nothing known: empty strings, no innings. */
void row_clear(struct row *out);

struct row_reader;
enum status row_reader_open(
	struct row_reader **out, size_t arena_bytes, struct why *why) MUST_CHECK;
void row_reader_close(struct row_reader *r);
/* STATUS_BAD_DATA: no JSON; STATUS_FULL: too rich for the arena. Trailing blanks allowed,
 * nothing else. */
enum status row_read(
	struct row_reader *r, struct view bytes, struct row *out, struct why *why) MUST_CHECK;

/* Any word of the comma list stands (ASCII case aside) in name, a team, series_id or id; "" or
 * "all": yes. */
bool row_matches_words(const struct row *row, const char *words);

/* Every scalar of a row with its path ("score.0.r", "teamInfo.1.name"; a dot or backslash within
 * a key is escaped by a backslash), in document order, from the row's own bytes: numbers as
 * written. Empty objects and arrays come as ROW_EMPTY ("{}" or "[]"). STATUS_BAD_DATA: not
 * strict JSON. Depth at most 64; no allocation; path at most 512 bytes (cut with "..." beyond).
 * `text` is decoded, invalid UTF-8 kept. */
enum row_kind { ROW_STRING, ROW_NUMBER, ROW_TRUE, ROW_FALSE, ROW_NULL, ROW_EMPTY };
typedef enum status row_field_call(
	void *context, const char *path, enum row_kind kind, struct view text);
enum status row_flatten(struct view bytes, struct buffer *scratch, row_field_call *call,
	void *context, struct why *why) MUST_CHECK;
