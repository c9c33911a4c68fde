/* json.c - the strict scanner: a state machine over bytes, with a fast path for the insides of
 * strings. */
#include "base/json.h"

#include <string.h>

enum state {
	WANT_VALUE,
	WANT_VALUE_OR_END,
	WANT_KEY,
	WANT_KEY_OR_END,
	WANT_COLON,
	WANT_COMMA_OR_END,
	WANT_NOTHING,
	IN_STRING,
	IN_ESCAPE,
	IN_HEX,
	IN_WORD,
	/* Numbers: what was read last. */
	AFTER_MINUS,
	AFTER_ZERO,
	IN_WHOLE,
	AFTER_POINT,
	IN_FRACTION,
	AFTER_E,
	AFTER_SIGN,
	IN_EXPONENT,
	FAILED,
};

/* What a step answers when there is nothing to tell yet. */
#define GO_ON ((enum json_event)(JSON_VALUE_PART + 1))

void json_start(struct json *j)
{
	*j = (struct json){.state = WANT_VALUE, .piece = ""};
	j->next = j->end = j->from = j->piece;
}

void json_feed(struct json *j, const char *bytes, size_t length)
{
	j->base += (uint64_t)(j->end - j->piece);
	j->piece = j->next = j->from = bytes;
	j->end = bytes + length;
}

void json_finish(struct json *j)
{
	json_feed(j, "", 0);
	j->last = true;
}

bool json_in_object(const struct json *j)
{
	return j->depth > 0 && (j->stack >> (j->depth - 1) & 1);
}

static uint64_t here(const struct json *j)
{
	return j->base + (uint64_t)(j->next - j->piece);
}

static enum json_event bad(struct json *j, const char *wrong)
{
	j->state = FAILED;
	j->wrong = wrong;
	j->after = here(j);
	return JSON_BAD;
}

/* The piece ended inside a token: what there is of it is handed out once. */
static enum json_event pause_token(struct json *j)
{
	if (j->last)
		return bad(j, "the document ends too early");
	j->text = view_of(j->from, (size_t)(j->next - j->from));
	j->after = here(j);
	if (j->told && j->text.length == 0)
		return JSON_MORE;
	j->told = true;
	j->from = j->next;
	return j->key ? JSON_KEY_PART : JSON_VALUE_PART;
}

static void begin_token(struct json *j, enum json_event token, enum state state)
{
	j->at = here(j);
	j->token = (uint8_t)token;
	j->state = (uint8_t)state;
	j->from = j->next;
	j->told = false;
	j->escaped = false;
	j->key = false;
}

static void value_is_over(struct json *j)
{
	j->state = j->depth > 0 ? WANT_COMMA_OR_END : WANT_NOTHING;
}

/* The token ends before `next`; a closing quote there is passed by the caller afterwards. */
static enum json_event end_token(struct json *j)
{
	j->text = view_of(j->from, (size_t)(j->next - j->from));
	j->after = here(j);
	if (j->key)
		j->state = WANT_COLON;
	else
		value_is_over(j);
	return (enum json_event)j->token;
}

/* Passes bytes that stand for themselves in a string, eight at a time: a quote, a backslash or a
 * control character leaves its byte's high bit in one of the three tests. Bytes behind the first
 * such one may show a bit too (a borrow), those before it never. */
static const char *pass_plain(const char *p, const char *end)
{
	const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
	const bool little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	while (end - p >= 8) {
		uint64_t w, quote, slash, stops;

		memcpy(&w, p, 8);
		quote = w ^ ones * '"';
		slash = w ^ ones * '\\';
		stops = (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
				((w - ones * 0x20) & ~w)) &
			highs;
		if (stops && little_endian)
			return p + (__builtin_ctzll(stops) >> 3);
		if (stops)
			break;
		p += 8;
	}
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}

static enum json_event scan_string(struct json *j)
{
	j->next = pass_plain(j->next, j->end);
	if (j->next == j->end)
		return pause_token(j);
	if (*j->next == '"') {
		enum json_event event = end_token(j);

		j->next++;
		j->after++;
		return event;
	}
	if (*j->next != '\\')
		return bad(j, "control character in a string");
	j->next++;
	j->escaped = true;
	j->state = IN_ESCAPE;
	return GO_ON;
}

static enum json_event scan_escape(struct json *j)
{
	if (j->next == j->end)
		return pause_token(j);
	if (*j->next == 'u') {
		j->hex = 4;
		j->state = IN_HEX;
	} else if (*j->next && strchr("\"\\/bfnrt", *j->next)) {
		j->state = IN_STRING;
	} else {
		return bad(j, "unknown escape in a string");
	}
	j->next++;
	return GO_ON;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static enum json_event scan_hex(struct json *j)
{
	for (; j->hex > 0; j->hex--, j->next++) {
		if (j->next == j->end)
			return pause_token(j);
		if (hex_value(*j->next) < 0)
			return bad(j, "\\u wants four hexadecimal digits");
	}
	j->state = IN_STRING;
	return GO_ON;
}

static enum json_event scan_word(struct json *j)
{
	for (; *j->word; j->word++, j->next++) {
		if (j->next == j->end)
			return pause_token(j);
		if (*j->next != *j->word)
			return bad(j, "unknown word");
	}
	return end_token(j);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The state after `c` within a number; FAILED: c is no part of it. */
static enum state number_step(enum state state, char c)
{
	bool e = c == 'e' || c == 'E';

	switch (state) {
	case AFTER_MINUS:
		return c == '0' ? AFTER_ZERO : digit(c) ? IN_WHOLE : FAILED;
	case IN_WHOLE:
		return digit(c) ? IN_WHOLE : c == '.' ? AFTER_POINT : e ? AFTER_E : FAILED;
	case AFTER_ZERO:
		return c == '.' ? AFTER_POINT : e ? AFTER_E : FAILED;
	case AFTER_POINT:
		return digit(c) ? IN_FRACTION : FAILED;
	case IN_FRACTION:
		return digit(c) ? IN_FRACTION : e ? AFTER_E : FAILED;
	case AFTER_E:
		return digit(c) ? IN_EXPONENT : c == '+' || c == '-' ? AFTER_SIGN : FAILED;
	case AFTER_SIGN:
	case IN_EXPONENT:
		return digit(c) ? IN_EXPONENT : FAILED;
	default:
		return FAILED;
	}
}

static bool number_may_end(enum state state)
{
	return state == AFTER_ZERO || state == IN_WHOLE || state == IN_FRACTION ||
	       state == IN_EXPONENT;
}

static enum json_event scan_number(struct json *j)
{
	enum state state = (enum state)j->state;

	for (; j->next < j->end; j->next++) {
		enum state step = number_step(state, *j->next);

		if (step == FAILED && number_may_end(state))
			return end_token(j);
		if (step == FAILED)
			return bad(j, "a number that is none");
		state = step;
	}
	j->state = (uint8_t)state;
	if (!j->last)
		return pause_token(j);
	if (!number_may_end((enum state)j->state))
		return bad(j, "the document ends within a number");
	return end_token(j);
}

static enum json_event open_container(struct json *j, enum json_event event)
{
	bool object = event == JSON_OBJECT;

	if (j->depth == JSON_DEPTH)
		return bad(j, "nested deeper than 64");
	begin_token(j, event, object ? WANT_KEY_OR_END : WANT_VALUE_OR_END);
	j->next++;
	j->after = here(j);
	j->stack = (j->stack & ~((uint64_t)1 << j->depth)) | (uint64_t)object << j->depth;
	j->depth++;
	return event;
}

static enum json_event close_container(struct json *j)
{
	bool object = json_in_object(j);

	j->at = here(j);
	j->next++;
	j->after = here(j);
	j->depth--;
	value_is_over(j);
	return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_event begin_word(struct json *j, enum json_event event, const char *word)
{
	begin_token(j, event, IN_WORD);
	j->word = word;
	return scan_word(j);
}

static enum json_event begin_string(struct json *j, enum json_event event)
{
	begin_token(j, event, IN_STRING);
	j->key = event == JSON_KEY;
	j->next++;
	j->from = j->next;
	return scan_string(j);
}

static enum json_event begin_value(struct json *j)
{
	char c = *j->next;

	switch (c) {
	case '"':
		return begin_string(j, JSON_STRING);
	case '{':
		return open_container(j, JSON_OBJECT);
	case '[':
		return open_container(j, JSON_ARRAY);
	case 't':
		return begin_word(j, JSON_TRUE, "true");
	case 'f':
		return begin_word(j, JSON_FALSE, "false");
	case 'n':
		return begin_word(j, JSON_NULL, "null");
	default:
		break;
	}
	if (c != '-' && !digit(c))
		return bad(
			j, j->depth > 0 ? "a value is missing" : "this does not begin like JSON");
	begin_token(j, JSON_NUMBER, c == '-' ? AFTER_MINUS : c == '0' ? AFTER_ZERO : IN_WHOLE);
	j->next++;
	return scan_number(j);
}

/* After a value within a container. */
static enum json_event continue_container(struct json *j)
{
	bool object = json_in_object(j);

	if (*j->next == (object ? '}' : ']'))
		return close_container(j);
	if (*j->next != ',')
		return bad(j, object ? "',' or '}' is missing" : "',' or ']' is missing");
	j->next++;
	j->state = object ? WANT_KEY : WANT_VALUE;
	return GO_ON;
}

static enum json_event begin_key(struct json *j)
{
	return *j->next == '"' ? begin_string(j, JSON_KEY) : bad(j, "a key is missing");
}

static enum json_event pass_colon(struct json *j)
{
	if (*j->next != ':')
		return bad(j, "':' is missing");
	j->next++;
	j->state = WANT_VALUE;
	return GO_ON;
}

/* A byte that is no blank, between tokens. */
static enum json_event between_tokens(struct json *j)
{
	switch ((enum state)j->state) {
	case WANT_VALUE:
		return begin_value(j);
	case WANT_VALUE_OR_END:
		return *j->next == ']' ? close_container(j) : begin_value(j);
	case WANT_KEY:
		return begin_key(j);
	case WANT_KEY_OR_END:
		return *j->next == '}' ? close_container(j) : begin_key(j);
	case WANT_COLON:
		return pass_colon(j);
	case WANT_COMMA_OR_END:
		return continue_container(j);
	default:
		return bad(j, "something follows the document");
	}
}

static const char *pass_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

static enum json_event piece_is_over(struct json *j)
{
	if (!j->last)
		return JSON_MORE;
	if (j->state == WANT_NOTHING)
		return JSON_END;
	return bad(j, here(j) == 0 ? "there is nothing" : "the document ends too early");
}

static enum json_event step(struct json *j)
{
	switch ((enum state)j->state) {
	case IN_STRING:
		return scan_string(j);
	case IN_ESCAPE:
		return scan_escape(j);
	case IN_HEX:
		return scan_hex(j);
	case IN_WORD:
		return scan_word(j);
	case FAILED:
		return JSON_BAD;
	case WANT_VALUE:
	case WANT_VALUE_OR_END:
	case WANT_KEY:
	case WANT_KEY_OR_END:
	case WANT_COLON:
	case WANT_COMMA_OR_END:
	case WANT_NOTHING:
		j->next = pass_blanks(j->next, j->end);
		return j->next < j->end ? between_tokens(j) : piece_is_over(j);
	default:
		return scan_number(j);
	}
}

enum json_event json_next(struct json *j)
{
	enum json_event event;

	do
		event = step(j);
	while (event == GO_ON);
	return event;
}
