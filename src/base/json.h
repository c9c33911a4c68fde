/* json.h - a strict RFC 8259 scanner that takes its document in pieces of any size and tells
 * what it meets, one event a call. It copies nothing and allocates nothing: a token that lies in
 * one piece is a view into it, a token cut by a piece's end comes in parts. The state is one
 * struct of fixed size, the nesting a stack of 64 bits. UTF-8 is not looked into, but a byte
 * order mark is no JSON. */
#pragma once
#include "base/buffer.h"
#include <stdbool.h>
#include <stdint.h>

enum { JSON_DEPTH = 64 };

enum json_event {
	JSON_MORE, /* the piece is used up: json_feed the next one, or json_finish */
	JSON_BAD,  /* no JSON: `wrong` says why, `after` where; the scanner stays here */
	JSON_END,  /* the document is complete (only after json_finish) */
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_OBJECT_END,
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
	/* The piece ended inside a key: its rest follows as another part or as JSON_KEY. */
	JSON_KEY_PART,
	/* Likewise inside a string, number or word; comes at least once when that happens. */
	JSON_VALUE_PART,
};

struct json {
	/* Of the event returned last. Raw bytes of a key, string (without quotes), number or word: those in this piece. */
	struct view text;
	bool escaped; /* the key or string, as far as it came, holds a backslash */
	uint64_t at;  /* offset of the token's first byte (the quote of a string) in the document */
	uint64_t after; /* offset behind its last byte, as far as it came */
	unsigned depth; /* containers open: an opening event counts itself, a closing one no more */
	const char *wrong;

	/* The scanner's own. */
	const char *piece, *next, *end, *from;
	uint64_t base, stack;
	const char *word;
	uint8_t state, token, hex;
	bool key, told, last;
};

void json_start(struct json *j);
/* Lends the next piece until json_next answers JSON_MORE. An empty one is fine. */
void json_feed(struct json *j, const char *bytes, size_t length);
/* There is no further piece; json_next tells the rest: a number at the very end, JSON_END or
 * JSON_BAD. */
void json_finish(struct json *j);
enum json_event json_next(struct json *j);
/* True inside an object: what comes next at this depth is a key. */
bool json_in_object(const struct json *j);

/* Decodes the raw text of a key or string that the scanner has accepted; `out` has room for
 * raw.length bytes (decoding never grows). Returns the length. Lone surrogates become U+FFFD,
 * counted in *lone (NULL: not wanted); \u0000 becomes a NUL byte. */
size_t json_decode(struct view raw, char *out, unsigned *lone);
