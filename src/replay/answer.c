/* answer.c - produces an answer piece by piece. */
#include "replay/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STAGE_HEAD,
	STAGE_PADDING,
	STAGE_BLANK,
	STAGE_OPENING,
	STAGE_ROWS,
	STAGE_CLOSING,
	STAGE_END
};

static const char padding_line[] =
#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	"X-Padding: " SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR
		SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR SIXTY_FOUR
			SIXTY_FOUR SIXTY_FOUR "\r\n";
#undef SIXTY_FOUR

void answer_init(struct answer *a)
{
	memset(a, 0, sizeof *a);
	buffer_init(&a->opening, ANSWER_TEXT_BYTES);
	buffer_init(&a->block, ANSWER_TEXT_BYTES);
	buffer_init(&a->closing, ANSWER_TEXT_BYTES);
	a->code = 200;
	a->reason = "OK";
	a->content_type = "application/json; charset=utf-8";
	a->extra = "";
	a->stop_at = UINT64_MAX;
}

void answer_done(struct answer *a)
{
	buffer_done(&a->opening);
	buffer_done(&a->block);
	buffer_done(&a->closing);
	free(a->rows);
	a->rows = NULL;
}

static uint64_t rows_bytes(const struct answer *a)
{
	uint64_t bytes = a->count > 0 ? a->count - 1 : 0; /* commas */

	switch (a->body) {
	case BODY_TEXT:
		return 0;
	case BODY_REPEAT:
		return a->count * a->block.length;
	case BODY_SYNTHETIC:
		return bytes + a->rows_bytes;
	case BODY_ROWS:
		for (uint64_t i = 0; i < a->count; i++)
			bytes += a->rows[i].length;
		return bytes;
	}
	return 0;
}

enum status answer_start(struct answer *a, bool keep_alive, struct why *why)
{
	char framing[64] = "";
	int n;

	/* Told as any good answer would, also when it ends badly. */
	bool stays = keep_alive && !a->no_length;

	if (a->end == ANSWER_KEEP && !stays)
		a->end = ANSWER_CLOSE;
	a->body_bytes = a->opening.length + rows_bytes(a) + a->closing.length;
	if (a->chunked)
		snprintf(framing, sizeof framing, "Transfer-Encoding: chunked\r\n");
	else if (!a->no_length)
		snprintf(framing, sizeof framing, "Content-Length: %llu\r\n",
			(unsigned long long)a->body_bytes);
	n = snprintf(a->head, sizeof a->head,
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s%sConnection: %s\r\n", a->code, a->reason,
		a->content_type, framing, a->extra, stays ? "keep-alive" : "close");
	if (n < 0 || (size_t)n >= sizeof a->head)
		return fail(why, STATUS_FULL, "an answer's head over %zu bytes", sizeof a->head);
	a->head_bytes = (size_t)n;
	return STATUS_OK;
}

void answer_cut(struct answer *a, uint64_t body_bytes)
{
	a->stop_at = a->head_bytes + a->padding_lines * (sizeof padding_line - 1) + 2 + body_bytes;
}

/* Between stages: goes on to the next one, with its only piece or its first. */
static void next_stage(struct answer *a, struct view piece)
{
	a->stage++;
	a->row = 0;
	a->piece = piece;
}

static void next_padding(struct answer *a)
{
	if (a->row++ < a->padding_lines) {
		a->piece = view_of(padding_line, sizeof padding_line - 1);
		return;
	}

	/* The blank line, and the size line of a chunk, which is no part of the body. */
	int n = a->chunked ? snprintf(a->scratch, sizeof a->scratch, "\r\n%llx\r\n",
				     (unsigned long long)a->body_bytes)
			   : snprintf(a->scratch, sizeof a->scratch, "\r\n");

	next_stage(a, view_of(a->scratch, (size_t)n));
}

/* Made-up rows bring their comma along: a piece a row. */
static void next_synthetic(struct answer *a)
{
	size_t length = synthetic_row(a->row, a->scratch + 1);
	bool comma = a->row++ > 0;

	a->scratch[0] = ',';
	a->piece = view_of(a->scratch + !comma, length + comma);
}

static void next_row(struct answer *a)
{
	if (a->body == BODY_TEXT || a->row == a->count) {
		next_stage(a, view_of(a->closing.bytes, a->closing.length));
	} else if (a->body == BODY_SYNTHETIC) {
		next_synthetic(a);
	} else if (a->body == BODY_REPEAT) {
		a->row++;
		a->piece = view_of(a->block.bytes, a->block.length);
	} else if (a->comma) {
		a->comma = false;
		a->piece = view_of(",", 1);
	} else {
		a->piece = a->rows[a->row++];
		a->comma = true;
	}
}

static void next_piece(struct answer *a)
{
	switch (a->stage) {
	case STAGE_HEAD:
		next_stage(a, view_of(a->head, a->head_bytes));
		break;
	case STAGE_PADDING:
		next_padding(a);
		break;
	case STAGE_BLANK:
		next_stage(a, view_of(a->opening.bytes, a->opening.length));
		break;
	case STAGE_OPENING:
		a->stage = STAGE_ROWS;
		break;
	case STAGE_ROWS:
		next_row(a);
		break;
	default:
		a->stage = STAGE_END;
		break;
	}
}

size_t answer_fill(struct answer *a, char *out, size_t room)
{
	size_t filled = 0;

	while (filled < room && a->sent < a->stop_at) {
		if (a->piece.length == 0) {
			if (a->stage == STAGE_END)
				break;
			next_piece(a);
			continue;
		}

		size_t n = a->piece.length < room - filled ? a->piece.length : room - filled;

		if (n > a->stop_at - a->sent)
			n = (size_t)(a->stop_at - a->sent);
		memcpy(out + filled, a->piece.bytes, n);
		filled += n;
		a->sent += n;
		a->piece.bytes += n;
		a->piece.length -= n;
	}
	return filled;
}

bool answer_in_body(const struct answer *a)
{
	return a->stage >= STAGE_OPENING;
}
