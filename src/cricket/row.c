/* row.c - one row of the API, read by cJSON into an arena. base/json looks at the bytes first:
 * cJSON alone would take much that is no JSON, and turns numbers into doubles, so the overs come
 * from there. */
#include "cricket/row.h"
#include "base/clock.h"
#include "base/json.h"

#include <cJSON.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row_reader {
	size_t arena_bytes, used;
	size_t last; /* where the block taken last begins */
	bool ran_out;
	char *arena;
};

/* --- the arena --- */

/* cJSON has one pair of hooks for the process. A thread that reads a row puts its arena here;
 * all others (librdkafka carries the same cJSON) get plain memory. */
static _Thread_local struct row_reader *current;

static void *arena_take(struct row_reader *r, size_t bytes)
{
	size_t rounded = (bytes + 7) & ~(size_t)7;
	char *taken = r->arena + r->used;

	if (rounded < bytes || rounded > r->arena_bytes - r->used) {
		r->ran_out = true;
		return NULL;
	}
	r->last = r->used;
	r->used += rounded;
	return taken;
}

static void *hook_malloc(size_t bytes)
{
	return current ? arena_take(current, bytes) : malloc(bytes);
}

/* Only the block taken last is given back: cJSON takes one for every number it reads. */
static void hook_free(void *p)
{
	char *byte = p;

	if (!current || !byte || byte < current->arena ||
		byte >= current->arena + current->arena_bytes)
		free(p);
	else if (byte == current->arena + current->last)
		current->used = current->last;
}

static void set_hooks(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = hook_malloc, .free_fn = hook_free});
}

enum status row_reader_open(struct row_reader **out, size_t arena_bytes, struct why *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct row_reader *r = calloc(1, sizeof *r);

	pthread_once(&once, set_hooks);
	if (r)
		r->arena = malloc(arena_bytes);
	if (!r || !r->arena) {
		free(r);
		return fail(why, STATUS_NO_MEMORY, "no memory for reading rows: %zu bytes",
			arena_bytes);
	}
	r->arena_bytes = arena_bytes;
	*out = r;
	return STATUS_OK;
}

void row_reader_close(struct row_reader *r)
{
	if (!r)
		return;
	free(r->arena);
	free(r);
}

/* --- the first look, by the strict scanner --- */

struct look {
	struct view overs[ROW_INNINGS]; /* numbers as written; length 0: none */
	struct view id;			/* likewise, where the id is a number */
	bool needs_patch; /* an escape that cJSON would refuse or end the text at may be there */
	bool is_object;

	bool score_seen, score_next, in_score, id_seen, id_next, overs_seen, overs_next;
	unsigned innings; /* objects met in `score` */
};

static bool has_odd_escape(struct view raw)
{
	for (size_t i = 0; i + 5 < raw.length; i++) {
		if (raw.bytes[i] == '\\' && raw.bytes[i + 1] == 'u' &&
			(memcmp(raw.bytes + i + 2, "0000", 4) == 0 ||
				strchr("dD", raw.bytes[i + 2])))
			return true;
	}
	return false;
}

static void look_at_key(struct look *l, struct view key, unsigned depth)
{
	if (depth == 1) {
		l->score_next = !l->score_seen && view_equals(key, "score");
		l->score_seen |= l->score_next;
		l->id_next = !l->id_seen && view_equals(key, "id");
		l->id_seen |= l->id_next;
	} else if (depth == 3 && l->in_score) {
		l->overs_next = !l->overs_seen && view_equals(key, "o");
		l->overs_seen |= l->overs_next;
	}
}

static void look_at_event(struct look *l, enum json_event event, const struct json *j)
{
	switch (event) {
	case JSON_KEY:
		look_at_key(l, j->text, j->depth);
		break;
	case JSON_NUMBER:
		if (l->overs_next && j->depth == 3 && l->innings <= ROW_INNINGS)
			l->overs[l->innings - 1] = j->text;
		if (l->id_next && j->depth == 1)
			l->id = j->text;
		break;
	case JSON_OBJECT:
		l->is_object |= j->depth == 1;
		if (l->in_score && j->depth == 3) {
			l->innings++;
			l->overs_seen = false;
		}
		break;
	case JSON_ARRAY:
		l->in_score |= l->score_next && j->depth == 2;
		break;
	case JSON_ARRAY_END:
		if (j->depth == 1)
			l->in_score = false;
		break;
	default:
		break;
	}
	if (j->escaped && (event == JSON_KEY || event == JSON_STRING))
		l->needs_patch |= has_odd_escape(j->text);
	if (event != JSON_KEY)
		l->score_next = l->id_next = l->overs_next = false;
}

static enum status look_at(struct look *l, struct view bytes, struct why *why)
{
	struct json j;
	enum json_event event;

	*l = (struct look){0};
	json_start(&j);
	json_feed(&j, bytes.bytes, bytes.length);
	while ((event = json_next(&j)) != JSON_BAD && event != JSON_MORE)
		look_at_event(l, event, &j);
	if (event == JSON_MORE) {
		/* A bare number ends only here. */
		json_finish(&j);
		while ((event = json_next(&j)) != JSON_BAD && event != JSON_END)
			;
	}
	if (event == JSON_BAD)
		return fail(
			why, STATUS_BAD_DATA, "not JSON at byte %" PRIu64 ": %s", j.after, j.wrong);
	return STATUS_OK;
}

/* --- the reading by cJSON --- */

/* The \u escape at p as cJSON can take it: \u0000 and halves of surrogate pairs become \ufffd.
 * Returns how many bytes are settled. */
static size_t patch_escape(char *p, const char *end)
{
	unsigned unit = (unsigned)strtoul((char[]){p[2], p[3], p[4], p[5], '\0'}, NULL, 16);
	unsigned low = 0;

	if (unit >= 0xD800 && unit <= 0xDBFF && end - p >= 12 && p[6] == '\\' && p[7] == 'u')
		low = (unsigned)strtoul((char[]){p[8], p[9], p[10], p[11], '\0'}, NULL, 16);
	if (low >= 0xDC00 && low <= 0xDFFF)
		return 12;
	if (unit == 0 || (unit >= 0xD800 && unit <= 0xDFFF))
		memcpy(p + 2, "fffd", 4);
	return 6;
}

/* A copy in the arena, of the same length, with such escapes replaced. */
static bool patch(struct row_reader *r, struct view *bytes)
{
	char *copy = arena_take(r, bytes->length);
	char *p = copy;

	if (!copy)
		return false;
	memcpy(copy, bytes->bytes, bytes->length);
	while ((p = memchr(p, '\\', (size_t)(copy + bytes->length - p))))
		p += p[1] == 'u' ? patch_escape(p, copy + bytes->length) : 2;
	bytes->bytes = copy;
	return true;
}

static const cJSON *parse(struct row_reader *r, struct view bytes)
{
	/* cJSON notes the place of the last error in a global. */
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	const cJSON *root;

	pthread_mutex_lock(&one_at_a_time);
	current = r;
	root = cJSON_ParseWithLength(bytes.bytes, bytes.length);
	current = NULL;
	pthread_mutex_unlock(&one_at_a_time);
	return root;
}

static const char *text_of(const cJSON *item)
{
	return cJSON_IsString(item) && item->valuestring ? item->valuestring : "";
}

static const char *text_at(const cJSON *object, const char *key)
{
	return text_of(cJSON_GetObjectItemCaseSensitive(object, key));
}

static bool flag_at(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsTrue(item) || strcmp(text_of(item), "true") == 0;
}

/* Some sources write every number as a string. */
static int64_t whole_at(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	const double limit = 9007199254740992.0; /* 2^53: doubles are exact up to here */

	if (cJSON_IsString(item))
		return strtoll(text_of(item), NULL, 10);
	if (!cJSON_IsNumber(item) || item->valuedouble > limit || item->valuedouble < -limit)
		return 0;
	return (int64_t)item->valuedouble;
}

static void read_overs(struct row_innings *innings, const cJSON *object, struct view written)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "o");
	size_t room = sizeof innings->overs;

	if (cJSON_IsString(item))
		snprintf(innings->overs, room, "%.15s", text_of(item));
	else if (cJSON_IsNumber(item) && written.length > 0 && written.length < room)
		snprintf(innings->overs, room, "%.*s", (int)written.length, written.bytes);
	else if (cJSON_IsNumber(item))
		snprintf(innings->overs, room, "%.8g", item->valuedouble);
}

static void read_score(struct row *out, const cJSON *score, const struct look *look)
{
	const cJSON *item;

	out->has_score = cJSON_IsArray(score);
	if (!out->has_score)
		return;
	cJSON_ArrayForEach(item, score)
	{
		struct row_innings *innings = &out->score[out->innings];

		if (!cJSON_IsObject(item))
			continue;
		if (out->innings == ROW_INNINGS) {
			out->innings_beyond++;
			continue;
		}
		innings->runs = whole_at(item, "r");
		innings->wickets = whole_at(item, "w");
		innings->label = text_at(item, "inning");
		read_overs(innings, item, look->overs[out->innings]);
		out->innings++;
	}
}

static void read_teams(struct row *out, const cJSON *teams)
{
	const cJSON *item;

	out->is_match |= cJSON_IsArray(teams);
	if (!cJSON_IsArray(teams))
		return;
	cJSON_ArrayForEach(item, teams)
	{
		if (out->teams < 2)
			out->team[out->teams] = text_of(item);
		out->teams++;
	}
}

static void read_start(struct row *out)
{
	size_t length = strlen(out->start);
	int64_t us;

	if (clock_parse(out->start, length, &us) != STATUS_OK)
		return;
	out->start_us = us;
	out->start_time_known = length >= 19 && memcmp(out->start + 11, "00:00:00", 8) != 0;
}

/* An id that is a number is kept as it is written: as a double it would lose digits. */
static enum status read_id(
	struct row_reader *r, struct row *out, const cJSON *root, struct view written)
{
	char *id;

	out->id = text_at(root, "id");
	if (written.length == 0)
		return STATUS_OK;
	id = arena_take(r, written.length + 1);
	if (!id)
		return STATUS_FULL;
	memcpy(id, written.bytes, written.length);
	id[written.length] = '\0';
	out->id = id;
	return STATUS_OK;
}

static enum status read_fields(
	struct row_reader *r, struct row *out, const cJSON *root, const struct look *look)
{
	out->name = text_at(root, "name");
	out->match_type = text_at(root, "matchType");
	out->status = text_at(root, "status");
	out->venue = text_at(root, "venue");
	out->series_id = text_at(root, "series_id");
	out->date = text_at(root, "date");
	out->start = text_at(root, "dateTimeGMT");
	out->started = flag_at(root, "matchStarted");
	out->ended = flag_at(root, "matchEnded");
	read_start(out);
	read_teams(out, cJSON_GetObjectItemCaseSensitive(root, "teams"));
	read_score(out, cJSON_GetObjectItemCaseSensitive(root, "score"), look);
	out->is_match |= out->has_score;
	return read_id(r, out, root, look->id);
}

void row_clear(struct row *out)
{
	*out = (struct row){
		.id = "",
		.name = "",
		.match_type = "",
		.status = "",
		.venue = "",
		.series_id = "",
		.date = "",
		.start = "",
		.team = {"", ""},
	};
	for (unsigned i = 0; i < ROW_INNINGS; i++)
		out->score[i].label = "";
}

enum status row_read(struct row_reader *r, struct view bytes, struct row *out, struct why *why)
{
	struct view patched = bytes;
	struct look look;
	struct row row;
	const cJSON *root = NULL;
	enum status status = look_at(&look, bytes, why);

	if (status != STATUS_OK)
		return status;
	row_clear(&row);
	row.is_object = look.is_object;
	r->used = r->last = 0;
	r->ran_out = false;
	if (look.is_object && (!look.needs_patch || patch(r, &patched)))
		root = parse(r, patched);
	if (root)
		status = read_fields(r, &row, root, &look);
	if (r->ran_out || status == STATUS_FULL)
		return fail(why, STATUS_FULL,
			"a row of %zu bytes is too rich for %zu bytes of reading room",
			bytes.length, r->arena_bytes);
	if (look.is_object && !root)
		return fail(why, STATUS_BAD_DATA, "this row cannot be read");
	*out = row;
	return STATUS_OK;
}
