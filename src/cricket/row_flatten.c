/* row_flatten.c - every scalar of a row with its path, straight from the row's bytes. */
#include "cricket/row.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 512 };

static const char dots[] = "...";

/* The path grows and shrinks with the nesting; each level remembers how long it was on entry. */
struct walk {
	struct json json;
	struct view row;
	char path[PATH_BYTES + sizeof dots];
	size_t length;
	bool cut; /* the path is longer than what is kept */
	struct {
		size_t length;	   /* of the container's own path */
		uint64_t elements; /* met so far; an array's next index */
		bool cut;
	} level[JSON_DEPTH + 1];
	struct buffer *scratch;
	row_field_call *call;
	void *context;
};

static void add_to_path(struct walk *w, const char *bytes, size_t length)
{
	size_t room = PATH_BYTES - (sizeof dots - 1) - w->length;

	if (w->cut)
		return;
	if (length > room) {
		/* Not within a character. */
		length = room;
		while (length > 0 && ((unsigned char)bytes[length] & 0xC0) == 0x80)
			length--;
		w->cut = true;
	}
	memcpy(w->path + w->length, bytes, length);
	w->length += length;
	if (w->cut) {
		memcpy(w->path + w->length, dots, sizeof dots - 1);
		w->length += sizeof dots - 1;
	}
	w->path[w->length] = '\0';
}

/* Back to the path of the innermost open container. */
static void restore_path(struct walk *w)
{
	w->length = w->level[w->json.depth].length;
	w->cut = w->level[w->json.depth].cut;
	w->path[w->length] = '\0';
}

static void add_separator(struct walk *w, unsigned depth)
{
	if (depth > 1)
		add_to_path(w, ".", 1);
}

static void add_key(struct walk *w, struct view key)
{
	const char *p = key.bytes, *end = key.bytes + key.length;

	while (p < end) {
		const char *from = p;

		while (p < end && *p != '.' && *p != '\\' && *p)
			p++;
		add_to_path(w, from, (size_t)(p - from));
		if (p < end && *p)
			add_to_path(w, (char[]){'\\', *p}, 2);
		else if (p < end)
			add_to_path(w, "\xEF\xBF\xBD", 3);
		p++;
	}
}

static enum status decode(struct walk *w, struct view *text)
{
	enum status status;

	if (!w->json.escaped)
		return STATUS_OK;
	buffer_clear(w->scratch);
	status = buffer_reserve(w->scratch, text->length);
	if (status != STATUS_OK)
		return status;
	*text = view_of(w->scratch->bytes, json_decode(*text, w->scratch->bytes, NULL));
	return STATUS_OK;
}

static enum status take_key(struct walk *w)
{
	struct view key = w->json.text;
	enum status status = decode(w, &key);

	if (status != STATUS_OK)
		return status;
	restore_path(w);
	add_separator(w, w->json.depth);
	add_key(w, key);
	return STATUS_OK;
}

/* A value begins inside `depth` containers: an element's path is its index, a member's stands
 * already. */
static void begin_value(struct walk *w, unsigned depth, bool in_array)
{
	char index[24];

	if (in_array) {
		w->length = w->level[depth].length;
		w->cut = w->level[depth].cut;
		add_separator(w, depth);
		add_to_path(w, index,
			(size_t)snprintf(
				index, sizeof index, "%" PRIu64, w->level[depth].elements));
	}
	w->level[depth].elements++;
}

static bool parent_is_array(const struct json *j, unsigned depth)
{
	return depth > 0 && !(j->stack >> (depth - 1) & 1);
}

static void open_level(struct walk *w)
{
	unsigned depth = w->json.depth;

	begin_value(w, depth - 1, parent_is_array(&w->json, depth - 1));
	w->level[depth].length = w->length;
	w->level[depth].cut = w->cut;
	w->level[depth].elements = 0;
}

static enum status close_level(struct walk *w, const char *empty)
{
	unsigned depth = w->json.depth + 1;

	if (w->level[depth].elements > 0)
		return STATUS_OK;
	w->path[w->level[depth].length] = '\0';
	return w->call(w->context, w->path, ROW_EMPTY, view_of(empty, 2));
}

static enum status take_scalar(struct walk *w, enum json_event event)
{
	static const enum row_kind kinds[] = {
		[JSON_STRING] = ROW_STRING,
		[JSON_NUMBER] = ROW_NUMBER,
		[JSON_TRUE] = ROW_TRUE,
		[JSON_FALSE] = ROW_FALSE,
		[JSON_NULL] = ROW_NULL,
	};
	struct view text = w->json.text;
	enum status status = STATUS_OK;

	begin_value(w, w->json.depth, parent_is_array(&w->json, w->json.depth));
	if (event == JSON_STRING)
		status = decode(w, &text);
	else /* also right for the bare number that only the row's end ended */
		text = view_of(w->row.bytes + w->json.at, w->json.after - w->json.at);
	if (status != STATUS_OK)
		return status;
	return w->call(w->context, w->path, kinds[event], text);
}

static enum status take_event(struct walk *w, enum json_event event)
{
	switch (event) {
	case JSON_KEY:
		return take_key(w);
	case JSON_OBJECT:
	case JSON_ARRAY:
		open_level(w);
		return STATUS_OK;
	case JSON_OBJECT_END:
		return close_level(w, "{}");
	case JSON_ARRAY_END:
		return close_level(w, "[]");
	case JSON_STRING:
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		return take_scalar(w, event);
	default:
		return STATUS_OK;
	}
}

enum status row_flatten(struct view bytes, struct buffer *scratch, row_field_call *call,
	void *context, struct why *why)
{
	struct walk w = {.row = bytes, .scratch = scratch, .call = call, .context = context};
	enum json_event event;
	enum status status = STATUS_OK;

	json_start(&w.json);
	json_feed(&w.json, bytes.bytes, bytes.length);
	do {
		event = json_next(&w.json);
		/* All of the row is there: only a bare number is not over with its last byte. */
		if ((event == JSON_MORE || event == JSON_VALUE_PART) && !w.json.last) {
			json_finish(&w.json);
			continue;
		}
		status = take_event(&w, event);
	} while (status == STATUS_OK && event != JSON_BAD && event != JSON_END);
	if (status != STATUS_OK)
		return status;
	if (event == JSON_BAD)
		return fail(why, STATUS_BAD_DATA, "not JSON at byte %" PRIu64 ": %s", w.json.after,
			w.json.wrong);
	return STATUS_OK;
}
