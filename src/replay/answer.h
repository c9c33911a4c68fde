/* answer.h - private to replay/: one HTTP answer, produced piece by piece while it is sent, so
 * that a body of 100 MB costs no more than a row. Rows are views: what they point into must
 * outlive the answer. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include "replay/synthetic.h"
#include <stdbool.h>
#include <stdint.h>

enum answer_body {
	BODY_TEXT,	/* opening */
	BODY_ROWS,	/* opening, rows with commas between, closing */
	BODY_SYNTHETIC, /* the same with `count` made-up rows */
	BODY_REPEAT,	/* opening, `count` times the closing's neighbour `block`, closing */
};
/* What happens once everything, or `stop_at` bytes, are sent. */
enum answer_end { ANSWER_KEEP, ANSWER_CLOSE, ANSWER_STALL, ANSWER_RESET };

enum { ANSWER_HEAD_BYTES = 512, ANSWER_TEXT_BYTES = 4096 };

struct answer {
	/* Filled in before answer_start. */
	int code;
	const char *reason;	  /* of the code; literal */
	const char *content_type; /* literal */
	const char *extra;	  /* further header lines, each with CR LF; literal */
	enum answer_body body;
	struct buffer opening, block, closing;
	struct view *rows;	/* malloc'd: answer_done frees it */
	uint64_t count;		/* rows, or blocks */
	uint64_t rows_bytes;	/* BODY_SYNTHETIC: their sum */
	bool no_length;		/* no Content-Length: the connection's end is the body's */
	bool chunked;		/* as one chunk, whose end never comes */
	uint64_t padding_lines; /* header lines of a kilobyte each */
	bool drip;		/* a byte a second */
	enum answer_end end;

	/* Its own. */
	char head[ANSWER_HEAD_BYTES];
	size_t head_bytes;
	uint64_t body_bytes;
	uint64_t sent, stop_at;
	unsigned stage;
	uint64_t row;
	bool comma;
	struct view piece;
	char scratch[SYNTHETIC_ROW_BYTES + 1];
};

void answer_init(struct answer *a);
void answer_done(struct answer *a); /* frees; may be followed by answer_init only */
/* Writes the head. `keep_alive` false makes ANSWER_KEEP an ANSWER_CLOSE. */
enum status answer_start(struct answer *a, bool keep_alive, struct why *why) MUST_CHECK;
/* Sends no more than the head and this share of the body. */
void answer_cut(struct answer *a, uint64_t body_bytes);
/* The next bytes, at most `room`; 0: there are none left. */
size_t answer_fill(struct answer *a, char *out, size_t room);
bool answer_in_body(const struct answer *a); /* the head is out */
