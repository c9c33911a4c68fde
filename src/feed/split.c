/* split.c - cuts an API's answer into its rows while it arrives.
 *
 *  piece 1                        piece 2
 *  {"data":[{"id":"a",...},{"id"  :"b",...},{...}],"status":"success","info":{...}}
 *           ^-- row 1 ----^^-- kept --^^ rest ^
 *
 * A row that lies within one piece is handed on as a view into it; only what a piece's end cuts is kept. */
#include "feed/split.h"
#include "base/json.h"
#include "feed/pointer.h"
#include "feed/split_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HELD_BYTES = POINTER_KEY_RAW, /* raw text of a key or figure: six bytes may stand for one */
};

/* What is looked for around the rows, and the id within one. */
enum target {
	RECORDS,
	OK,
	REASON,
	TOTAL,
	HITS_TODAY,
	HITS_LIMIT,
	HITS_USED,
	ENVELOPE_TARGETS,
	ID = ENVELOPE_TARGETS,
	TARGETS
};

struct split {
	struct json json;
	struct pointer pointer[TARGETS];
	bool used[TARGETS];
	uint32_t levels; /* bit n: an envelope pointer waits at depth n */
	unsigned here;	 /* bit n: the value being read is target n */
	bool begun;	 /* its beginning was told by a part */

	char held[HELD_BYTES]; /* the raw text of a key or target that pieces' ends cut */
	size_t held_length;
	bool held_cut; /* there was more */
	char decoded[HELD_BYTES];

	bool in_records;
	unsigned records_depth; /* open containers inside the array of rows */
	bool row_open;
	uint64_t row_at;
	const char *row_from; /* the row's bytes that lie in the present piece begin here */
	struct buffer row;    /* those of the pieces before */
	size_t max_record;
	char id[SPLIT_ID_BYTES];
	size_t id_length;
	const char *id_reason; /* NULL: the id is usable */

	char ok_value[256];
	bool ok_any; /* no test: an answer with rows is a success */
	struct split_envelope envelope;
	split_row_call *call;
	void *context;
};

static enum status parse_test(struct split *s, const char *test, struct why *why)
{
	const char *equals = strchr(test, '=');
	char path[POINTER_BYTES + 1];

	s->ok_any = !*test;
	if (!*test)
		return STATUS_OK;
	if (!equals || (size_t)(equals - test) >= sizeof path ||
		strlen(equals + 1) >= sizeof s->ok_value)
		return fail(
			why, STATUS_BAD_DATA, "success test '%s' must read POINTER=VALUE", test);
	memcpy(path, test, (size_t)(equals - test));
	path[equals - test] = '\0';
	strcpy(s->ok_value, equals + 1);
	s->used[OK] = true;
	return pointer_parse(&s->pointer[OK], path, why);
}

static enum status parse_pointers(struct split *s, const struct source *source, struct why *why)
{
	const char *text[TARGETS] = {
		[RECORDS] = source->records,
		[REASON] = source->reason,
		[TOTAL] = source->total,
		[HITS_TODAY] = source->hits_today,
		[HITS_LIMIT] = source->hits_limit,
		[HITS_USED] = source->hits_used,
		[ID] = source->id,
	};
	enum status status = STATUS_OK;

	for (unsigned i = 0; i < TARGETS && status == STATUS_OK; i++) {
		s->used[i] = text[i] && (*text[i] || i == RECORDS);
		if (i == OK)
			status = parse_test(s, source->ok, why);
		else if (s->used[i])
			status = pointer_parse(&s->pointer[i], text[i], why);
	}
	return status;
}

/* Rows lie deeper than what is looked for around them: one look at `levels` spares seven. */
static void note_levels(struct split *s)
{
	s->levels = 0;
	for (unsigned i = 0; i < ENVELOPE_TARGETS; i++) {
		if (!s->pointer[i].done)
			s->levels |= (uint32_t)1 << s->pointer[i].level;
	}
}

static bool level_awaited(const struct split *s, unsigned depth)
{
	return depth <= POINTER_STEPS && s->levels >> depth & 1;
}

enum status split_open(struct split **out, const struct source *source, size_t max_record,
	split_row_call *call, void *context, struct why *why)
{
	struct split *s = calloc(1, sizeof *s);
	enum status status;

	if (!s)
		return fail(why, STATUS_NO_MEMORY, "no memory for the splitter");
	buffer_init(&s->row, max_record);
	s->max_record = max_record;
	s->call = call;
	s->context = context;
	status = parse_pointers(s, source, why);
	if (status != STATUS_OK) {
		split_close(s);
		return status;
	}
	split_reset(s);
	*out = s;
	return STATUS_OK;
}

void split_close(struct split *s)
{
	if (!s)
		return;
	buffer_done(&s->row);
	free(s);
}

void split_reset(struct split *s)
{
	json_start(&s->json);
	for (unsigned i = 0; i < TARGETS; i++) {
		pointer_restart(&s->pointer[i]);
		s->pointer[i].done = !s->used[i];
	}
	note_levels(s);
	buffer_clear(&s->row);
	s->here = 0;
	s->begun = false;
	s->held_length = 0;
	s->held_cut = false;
	s->in_records = false;
	s->row_open = false;
	s->envelope = (struct split_envelope){
		.total = -1,
		.hits_today = -1,
		.hits_limit = -1,
		.hits_used = -1,
	};
}

/* --- text of keys and targets --- */

static void hold(struct split *s, struct view part)
{
	size_t room = sizeof s->held - s->held_length;

	if (part.length > room) {
		part.length = room;
		s->held_cut = true;
	}
	memcpy(s->held + s->held_length, part.bytes, part.length);
	s->held_length += part.length;
}

/* The text of the key or scalar that ends now, decoded when it is a string; *cut: it was too
 * long to keep. Lives until the next call. */
static struct view whole_text(struct split *s, bool string, bool *cut, unsigned *lone)
{
	struct view raw = s->json.text;
	bool held = s->held_length > 0 || s->held_cut;

	if (held) {
		hold(s, raw);
		raw = view_of(s->held, s->held_length);
	}
	*cut = s->held_cut || raw.length > sizeof s->decoded;
	*lone = 0;
	s->held_length = 0;
	s->held_cut = false;
	if (!string || !s->json.escaped)
		return raw;
	if (*cut)
		raw.length = split_fitting(raw, sizeof s->decoded);
	return view_of(s->decoded, json_decode(raw, s->decoded, lone));
}

/* --- the id --- */

static void take_id(
	struct split *s, enum json_event event, struct view text, bool cut, unsigned lone)
{
	s->id_reason = NULL;
	if (event != JSON_STRING && (event != JSON_NUMBER || !split_is_whole_number(text)))
		s->id_reason = "id is neither a string nor a whole number";
	else if (cut)
		s->id_reason = split_id_too_long;
	else if (lone > 0)
		s->id_reason = "id holds half a surrogate pair";
	else
		s->id_reason = split_id_complaint(text);
	if (s->id_reason)
		return;
	memcpy(s->id, text.bytes, text.length);
	s->id_length = text.length;
}

/* --- figures and texts around the rows --- */

static void take_scalar(struct split *s, enum json_event event)
{
	bool cut;
	unsigned lone;
	struct view text = whole_text(s, event == JSON_STRING, &cut, &lone);
	int64_t *figures[ENVELOPE_TARGETS] = {
		[TOTAL] = &s->envelope.total,
		[HITS_TODAY] = &s->envelope.hits_today,
		[HITS_LIMIT] = &s->envelope.hits_limit,
		[HITS_USED] = &s->envelope.hits_used,
	};

	if (s->here & 1u << ID)
		take_id(s, event, text, cut, lone);
	if (s->here & 1u << OK) {
		s->envelope.ok_seen = true;
		s->envelope.ok = !cut && view_equals(text, s->ok_value);
	}
	if (s->here & 1u << REASON)
		split_cut_text(text, s->envelope.reason, sizeof s->envelope.reason);
	for (unsigned i = 0; i < ENVELOPE_TARGETS; i++) {
		if (figures[i] && s->here & 1u << i)
			*figures[i] = split_figure(text);
	}
	s->here = 0;
}

/* A target that turns out to be a container holds no text; the array of rows is the one looked
 * for. */
static void take_container(struct split *s, bool array)
{
	if (s->here & 1u << RECORDS && array) {
		s->envelope.has_records = true;
		s->in_records = true;
		s->records_depth = s->json.depth;
	}
	if (s->here & 1u << OK)
		s->envelope.ok_seen = true;
	if (s->here & 1u << ID)
		s->id_reason = "id is neither a string nor a whole number";
	s->here = 0;
}

/* --- rows --- */

static void begin_row(struct split *s)
{
	s->row_open = true;
	s->row_at = s->json.at;
	s->row_from = s->json.piece + (s->json.at - s->json.base);
	s->id_length = 0;
	s->id_reason = "no id";
	pointer_restart(&s->pointer[ID]);
	s->pointer[ID].done = !s->used[ID];
}

/* Keeps what of the open row lies before `end` in this piece, up to max_record bytes in all. */
static enum status keep_row(struct split *s, const char *end, struct why *why)
{
	size_t length = (size_t)(end - s->row_from);
	size_t room = s->max_record - s->row.length;

	if (buffer_add(&s->row, s->row_from, length < room ? length : room) != STATUS_OK)
		return fail(why, STATUS_NO_MEMORY, "no memory for a row of %zu bytes",
			s->row.length + length);
	s->row_from = end;
	return STATUS_OK;
}

static enum status end_row(struct split *s, bool object, struct why *why)
{
	struct split_row row = {.at = s->row_at, .length = s->json.after - s->row_at};
	const char *end = s->json.piece + (s->json.after - s->json.base);
	char too_large[64];

	row.bytes = view_of(s->row_from, (size_t)(end - s->row_from));
	if (s->row.length > 0) {
		enum status status = keep_row(s, end, why);

		if (status != STATUS_OK)
			return status;
		row.bytes = view_of(s->row.bytes, s->row.length);
	}
	row.id = view_of(s->id, s->id_length);
	if (row.length > s->max_record) {
		snprintf(
			too_large, sizeof too_large, "row is larger than %zu bytes", s->max_record);
		row.kind = SPLIT_ROW_TOO_LARGE;
		row.reason = too_large;
		row.bytes.length = s->max_record;
	} else if (!object || s->id_reason) {
		row.kind = SPLIT_ROW_NO_ID;
		row.reason = object ? s->id_reason : "row is no object";
	}
	s->row_open = false;
	s->envelope.rows++;

	enum status status = s->call(s->context, &row, why);

	buffer_clear(&s->row);
	return status;
}

/* --- events --- */

/* A value begins inside `depth` open containers; `in_array`: directly in an array. */
static void begin_value(struct split *s, unsigned depth, bool in_array, bool is_container)
{
	if (s->in_records && depth == s->records_depth)
		begin_row(s);
	if (level_awaited(s, depth)) {
		for (unsigned i = 0; i < ENVELOPE_TARGETS; i++) {
			if (pointer_value(&s->pointer[i], depth, in_array, is_container))
				s->here |= 1u << i;
		}
		note_levels(s);
	}
	if (s->row_open && pointer_value(&s->pointer[ID], depth - s->records_depth,
				   in_array && depth > s->records_depth, is_container))
		s->here |= 1u << ID;
}

/* The pointers, a bit each, that want to know the key just read. */
static unsigned key_awaited(const struct split *s)
{
	unsigned awaited = 0;

	if (s->row_open && pointer_awaits_key(&s->pointer[ID], s->json.depth - s->records_depth))
		awaited = 1u << ID;
	if (!level_awaited(s, s->json.depth))
		return awaited;
	for (unsigned i = 0; i < ENVELOPE_TARGETS; i++)
		awaited |= (unsigned)pointer_awaits_key(&s->pointer[i], s->json.depth) << i;
	return awaited;
}

static void take_key(struct split *s)
{
	unsigned awaited = key_awaited(s), lone;
	bool cut;
	struct view key;

	if (!awaited) {
		s->held_length = 0;
		s->held_cut = false;
		return;
	}
	key = whole_text(s, true, &cut, &lone);
	/* A key too long to keep is none of ours. */
	for (unsigned i = 0; i < TARGETS; i++) {
		if (awaited & 1u << i && !cut)
			pointer_key(&s->pointer[i], key);
	}
}

static enum status take_value(struct split *s, enum json_event event, struct why *why)
{
	unsigned depth = s->json.depth;

	if (!s->begun)
		begin_value(s, depth, depth > 0 && !json_in_object(&s->json), false);
	s->begun = false;
	if (s->here)
		take_scalar(s, event);
	if (s->row_open && depth == s->records_depth)
		return end_row(s, false, why);
	return STATUS_OK;
}

/* Inside a string, number or word that the piece's end cuts. */
static void take_part(struct split *s)
{
	unsigned depth = s->json.depth;

	if (!s->begun)
		begin_value(s, depth, depth > 0 && !json_in_object(&s->json), false);
	s->begun = true;
	if (s->here)
		hold(s, s->json.text);
}

static bool parent_is_array(const struct json *j)
{
	return j->depth > 1 && !(j->stack >> (j->depth - 2) & 1);
}

static enum status take_end(struct split *s, bool object, struct why *why)
{
	unsigned depth = s->json.depth;

	/* Of the container that closes its level was depth + 1. */
	if (level_awaited(s, depth + 1)) {
		for (unsigned i = 0; i < ENVELOPE_TARGETS; i++)
			pointer_closed(&s->pointer[i], depth);
		note_levels(s);
	}
	if (s->row_open && depth >= s->records_depth)
		pointer_closed(&s->pointer[ID], depth - s->records_depth);
	if (s->row_open && depth == s->records_depth)
		return end_row(s, object, why);
	if (s->in_records && depth < s->records_depth)
		s->in_records = false;
	return STATUS_OK;
}

static enum status take_event(struct split *s, enum json_event event, struct why *why)
{
	switch (event) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		begin_value(s, s->json.depth - 1, parent_is_array(&s->json), true);
		if (s->here)
			take_container(s, event == JSON_ARRAY);
		return STATUS_OK;
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		return take_end(s, event == JSON_OBJECT_END, why);
	case JSON_KEY:
		take_key(s);
		return STATUS_OK;
	case JSON_KEY_PART:
		hold(s, s->json.text);
		return STATUS_OK;
	case JSON_VALUE_PART:
		take_part(s);
		return STATUS_OK;
	case JSON_BAD:
		return fail(why, STATUS_BAD_DATA, "not JSON at byte %llu: %s",
			(unsigned long long)s->json.after, s->json.wrong);
	default:
		return take_value(s, event, why);
	}
}

enum status split_feed(struct split *s, const char *bytes, size_t length, struct why *why)
{
	enum json_event event;
	enum status status = STATUS_OK;

	json_feed(&s->json, bytes, length);
	s->row_from = bytes;
	while (status == STATUS_OK && (event = json_next(&s->json)) != JSON_MORE)
		status = take_event(s, event, why);
	if (status == STATUS_OK && s->row_open)
		status = keep_row(s, bytes + length, why);
	return status;
}

enum status split_end(struct split *s, struct split_envelope *out, struct why *why)
{
	enum json_event event;
	enum status status = STATUS_OK;

	json_finish(&s->json);
	/* A number at the very end is over only now: as a row it has been kept already. */
	s->row_from = s->json.piece;
	while (status == STATUS_OK && (event = json_next(&s->json)) != JSON_END)
		status = take_event(s, event, why);
	if (status != STATUS_OK)
		return status;
	if (s->ok_any)
		s->envelope.ok_seen = s->envelope.ok = s->envelope.has_records;
	*out = s->envelope;
	return STATUS_OK;
}
