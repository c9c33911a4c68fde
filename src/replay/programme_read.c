/* programme_read.c - recorded pages, timed lines and match files become matches and states. */
#include "replay/programme.h"

#include "base/json.h"
#include "replay/matchfile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 32 };

/* What the walk over a document is after: `depth` counts containers, so that one walker serves
 * pages (rows are objects at depth 3, in `data`) and timed lines (the row is the object at depth
 * 2). */
struct walk {
	struct json json;
	const char *text;
	unsigned row_depth;
	char key[8]; /* the last key above the row, "" when it was longer */
	bool list;   /* pages: a list `data` was there */
	uint64_t row_at;
	bool id_next; /* the row's key "id" was just read */
	struct view id;
};

static void remember_key(struct walk *w)
{
	size_t length = w->json.text.length < sizeof w->key ? w->json.text.length : 0;

	memcpy(w->key, w->json.text.bytes, length);
	w->key[length] = '\0';
}

/* Follows keys and ids; true when a row has just ended. */
static bool walk_event(struct walk *w, enum json_event e, const char *wanted)
{
	unsigned depth = w->json.depth;
	bool id_next = w->id_next;

	w->id_next = false;
	if (e == JSON_KEY && depth == 1)
		remember_key(w);
	if (strcmp(w->key, wanted) != 0)
		return false;
	if (e == JSON_OBJECT && depth == w->row_depth) {
		w->row_at = w->json.at;
		w->id = view_of("", 0);
	} else if (e == JSON_KEY && depth == w->row_depth) {
		w->id_next = view_equals(w->json.text, "id") && w->id.length == 0;
	} else if (e == JSON_STRING && id_next) {
		w->id = w->json.text;
	}
	return e == JSON_OBJECT_END && depth == w->row_depth - 1;
}

static struct view walk_row(const struct walk *w)
{
	return view_of(w->text + w->row_at, (size_t)(w->json.after - w->row_at));
}

static void walk_start(struct walk *w, const char *text, size_t length, unsigned row_depth)
{
	*w = (struct walk){.text = text, .row_depth = row_depth};
	json_start(&w->json);
	json_feed(&w->json, text, length);
}

/* The next event of a document that is there as a whole: the first time it runs out, that is its
 * end. */
static enum json_event walk_next(struct walk *w)
{
	enum json_event e = json_next(&w->json);

	if (e != JSON_MORE)
		return e;
	json_finish(&w->json);
	return json_next(&w->json);
}

/* A scalar or a list where `data` has its rows. */
static bool is_no_row(const struct walk *w, enum json_event e)
{
	if (e == JSON_ARRAY)
		return w->json.depth == 3;
	return w->json.depth == 2 && e != JSON_OBJECT_END && e != JSON_ARRAY_END && e != JSON_KEY;
}

/* One event of a page: rows go into the programme. */
static enum status page_event(
	struct programme *p, struct walk *w, enum json_event e, struct why *why)
{
	bool in_data = strcmp(w->key, "data") == 0;

	if (in_data && e == JSON_ARRAY && w->json.depth == 2)
		w->list = true;
	else if (in_data && w->list && is_no_row(w, e))
		return fail(why, STATUS_BAD_DATA, "`data` holds something that is no object");
	if (!walk_event(w, e, "data") || !w->list)
		return STATUS_OK;
	if (w->id.length == 0)
		return fail(why, STATUS_BAD_DATA, "a row of `data` has no id");

	enum status s = programme_begin_match(p, w->id, why);

	return s == STATUS_OK ? programme_add_state(&p->matches[p->count - 1], 0, walk_row(w), why)
			      : s;
}

static enum status read_page(struct programme *p, const char *text, size_t length, struct why *why)
{
	struct walk w;
	enum json_event e;

	walk_start(&w, text, length, 3);
	while ((e = walk_next(&w)) != JSON_END) {
		if (e == JSON_BAD)
			return fail(why, STATUS_BAD_DATA, "no JSON at byte %llu: %s",
				(unsigned long long)w.json.after, w.json.wrong);

		enum status s = page_event(p, &w, e, why);

		if (s != STATUS_OK)
			return s;
	}
	return w.list ? STATUS_OK : fail(why, STATUS_BAD_DATA, "`data` is no list");
}

enum status programme_add_page(struct programme *p, char *text, size_t length, struct why *why)
{
	size_t before = p->count;
	enum status s = programme_keep_text(p, text, why);

	if (s != STATUS_OK)
		return s;
	s = read_page(p, text, length, why);
	if (s != STATUS_OK)
		programme_cut(p, before);
	return s;
}

/* The match of this id among those above `from`; made when it is new. The last one is asked first:
 * lines of one match mostly follow each other. */
static enum status find_match(
	struct programme *p, size_t from, struct view id, size_t *out, struct why *why)
{
	for (size_t i = p->count; i > from; i--) {
		struct view other = p->matches[i - 1].id;

		if (other.length == id.length && memcmp(other.bytes, id.bytes, id.length) == 0) {
			*out = i - 1;
			return STATUS_OK;
		}
	}

	enum status s = programme_begin_match(p, id, why);

	if (s == STATUS_OK)
		*out = p->count - 1;
	return s;
}

static int64_t seconds_to_ms(struct view number)
{
	char text[NUMBER_BYTES];
	size_t length = number.length < sizeof text ? number.length : sizeof text - 1;

	memcpy(text, number.bytes, length);
	text[length] = '\0';

	double seconds = strtod(text, NULL);

	return seconds > 0 && seconds < 1e9 ? (int64_t)(seconds * 1000) : 0;
}

/* {"t":3635,"seq":2,"ev":"0.1","match":{...}}: `t` in seconds, the bytes of `match` are the row. */
static enum status read_line(
	struct programme *p, size_t from, const char *line, size_t length, struct why *why)
{
	struct walk w;
	enum json_event e;
	int64_t at_ms = 0;
	struct view row = view_of(NULL, 0), id = view_of(NULL, 0);
	size_t match;

	walk_start(&w, line, length, 2);
	while ((e = walk_next(&w)) != JSON_END) {
		if (e == JSON_BAD)
			return fail(why, STATUS_BAD_DATA, "no JSON: %s", w.json.wrong);
		if (e == JSON_NUMBER && w.json.depth == 1 && strcmp(w.key, "t") == 0)
			at_ms = seconds_to_ms(w.json.text);
		if (walk_event(&w, e, "match")) {
			row = walk_row(&w);
			id = w.id;
		}
	}
	if (row.length == 0 || id.length == 0)
		return fail(why, STATUS_BAD_DATA, "no `match` with an id");

	enum status s = find_match(p, from, id, &match, why);

	return s == STATUS_OK ? programme_add_state(&p->matches[match], at_ms, row, why) : s;
}

static bool only_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p == end;
}

enum status programme_add_lines(struct programme *p, char *text, size_t length, struct why *why)
{
	size_t before = p->count;
	const char *end = text + length;
	unsigned long number = 0;
	enum status s = programme_keep_text(p, text, why);

	for (const char *line = text; s == STATUS_OK && line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		if (!stop)
			stop = end;
		number++;
		if (!only_blanks(line, stop)) {
			s = read_line(p, before, line, (size_t)(stop - line), why);
			if (s != STATUS_OK)
				s = why_prefix(why, s, "line %lu", number);
		}
		line = stop + 1;
	}
	if (s != STATUS_OK)
		programme_cut(p, before);
	else if (p->count == before)
		s = fail(why, STATUS_BAD_DATA, "no line in it");
	return s;
}

/* A state of a match file, copied to the rows' own memory. */
struct played {
	struct programme *programme;
	struct why *why;
};

static enum status take_state(void *context, int64_t at_ms, struct view row)
{
	struct played *played = context;
	struct programme *p = played->programme;
	char *copy = malloc(row.length);

	if (!copy)
		return fail(played->why, STATUS_NO_MEMORY, "no memory for a row");
	memcpy(copy, row.bytes, row.length);

	enum status s = programme_keep_text(p, copy, played->why);

	return s == STATUS_OK ? programme_add_state(&p->matches[p->count - 1], at_ms,
					view_of(copy, row.length), played->why)
			      : s;
}

enum status programme_add_match(struct programme *p, char *text, size_t length, struct why *why)
{
	size_t before = p->count;
	struct played played = {p, why};
	struct matchfile *facts = malloc(sizeof *facts);
	enum status s = facts ? STATUS_OK
			      : fail(why, STATUS_NO_MEMORY, "no memory for a match file");

	if (s == STATUS_OK)
		s = matchfile_read(facts, text, length, why);
	if (s == STATUS_OK)
		s = programme_begin_match(p, view_of("", 0), why);
	if (s == STATUS_OK)
		s = matchfile_play(facts, take_state, &played);
	if (s != STATUS_OK)
		programme_cut(p, before);
	free(facts);
	free(text);
	return s;
}
