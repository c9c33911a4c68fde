/* split.h - cuts an API's answer into its rows while it arrives: the body is never held whole. A
 * strict RFC 8259 scanner (depth at most 64, UTF-8 is not looked into: bytes travel as they
 * came; a UTF-8 byte order mark before the document is refused). Memory: one row of at most
 * max_record bytes and one captured scalar. Where keys repeat, the first counts. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include "feed/source.h"
#include <stdbool.h>
#include <stdint.h>

enum split_row_kind {
	/* A row with a usable id: a string of 1..256 bytes of UTF-8, decoded, no control characters;
	 * or a whole number. */
	SPLIT_ROW,
	SPLIT_ROW_NO_ID,     /* an object without a usable id, or no object: reason tells */
	SPLIT_ROW_TOO_LARGE, /* over max_record: only its first bytes are here */
};

struct split_row {
	enum split_row_kind kind;
	struct view bytes;  /* the row's own bytes, from its first to its last */
	struct view id;	    /* decoded */
	const char *reason; /* why it is no SPLIT_ROW */
	uint64_t length;    /* true length, also of a row too large */
	uint64_t at;	    /* byte offset in the body */
};
/* A status other than OK stops the split: split_feed returns it. */
typedef enum status split_row_call(void *context, const struct split_row *row, struct why *why);

/* What stood around the rows; complete after split_end. Unknown figures are -1. */
struct split_envelope {
	bool has_records; /* the records pointer led to an array */
	bool ok_seen, ok; /* the success test was met with / passed */
	char reason[200]; /* the failure text, cut */
	int64_t total, hits_today, hits_limit, hits_used;
	/* Elements of the array, of every kind: the next offset is what was asked plus this. */
	uint64_t rows;
};

struct split;
enum status split_open(struct split **out, const struct source *source, size_t max_record,
	split_row_call *call, void *context, struct why *why) MUST_CHECK;
void split_close(struct split *s);
void split_reset(struct split *s); /* ready for a new body; keeps memory */
/* STATUS_BAD_DATA: "not JSON at byte 1042: ..."; afterwards only reset or close. */
enum status split_feed(
	struct split *s, const char *bytes, size_t length, struct why *why) MUST_CHECK;
/* The body is over. STATUS_BAD_DATA where the document is not. */
enum status split_end(struct split *s, struct split_envelope *out, struct why *why) MUST_CHECK;
