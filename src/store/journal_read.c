/* Reading: one match in the order of its Timeline or of its arrival. The order is made from keys alone (a
 * few bytes a record, spilled beside the database), then each record is fetched by its rowid. */
#include "base/frame.h"
#include "store/journal_private.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static const size_t keep_bytes = 64 * 1024;

struct journal_cursor {
	struct journal *j;
	enum journal_order order;
	sqlite3_stmt *keys, *record;
	char key[JOURNAL_KEY_BYTES];
	size_t key_length;
	int64_t match;
	int64_t last_run, last_seq; /* of the record given out before */
};

static const char by_time[] =
	"SELECT id FROM record WHERE match = ?1 AND flags & 1 = 0 ORDER BY order_us, run, seq, id";
static const char by_arrival[] = "SELECT id FROM record WHERE match = ?1 ORDER BY id";
static const char one_record[] =
	"SELECT id, run, seq, order_us, ce_us, kafka_us, flags, prev_run, prev_seq, dropped, number, sum,"
	" event_id, body"
	" FROM record WHERE id = ?1";

/* The columns of SQL_RECORD_GET; views point into the statement. */
static enum status read_record(struct journal *j, struct sqlite3_stmt *q, struct view key,
	struct journal_record *r, struct why *why)
{
	const uint64_t rowid = (uint64_t)sqlite3_column_int64(q, 0);
	const int64_t flags = sqlite3_column_int64(q, 6);
	const void *body = sqlite3_column_blob(q, 13), *event = sqlite3_column_blob(q, 12);

	memset(r, 0, sizeof *r);
	if ((!body || !event) && sqlite3_errcode(j->db.handle) == SQLITE_NOMEM)
		return fail(why, STATUS_NO_MEMORY, "read a record: out of memory");
	r->generation = (unsigned)(rowid >> 55);
	r->partition = (int)(rowid >> 40 & 0x7fff);
	r->offset = (int64_t)(rowid & ((1ull << 40) - 1));
	r->order_us = sqlite3_column_int64(q, 3);
	r->ce_us = sqlite3_column_int64(q, 4);
	r->kafka_us = sqlite3_column_int64(q, 5);
	r->duplicate = flags & RECORD_DUPLICATE;
	r->ended = flags & RECORD_ENDED;
	r->dropped = (uint32_t)sqlite3_column_int64(q, 9);
	r->number = sqlite3_column_int64(q, 10);
	r->match = key;
	r->event_id = event ? view_of(event, (size_t)sqlite3_column_bytes(q, 12)) : view_of("", 0);
	r->body = body ? view_of(body, (size_t)sqlite3_column_bytes(q, 13)) : view_of("", 0);
	if (journal_crc(r->match, r->body) != (uint32_t)sqlite3_column_int64(q, 11)) {
		r->damaged = true;
		r->body = view_of("", 0);
	}
	(void)frame_strip(r->body, &r->schema_id, &r->body);
	r->self.seq = (uint64_t)sqlite3_column_int64(q, 2);
	r->prev.seq = (uint64_t)sqlite3_column_int64(q, 8);
	enum status st = journal_run_bytes(j, sqlite3_column_int64(q, 1), r->self.run, why);
	if (st == STATUS_OK)
		st = journal_run_bytes(j, sqlite3_column_int64(q, 7), r->prev.run, why);
	if (st == STATUS_BAD_DATA) {
		r->damaged = true;
		memset(&r->self, 0, sizeof r->self);
		memset(&r->prev, 0, sizeof r->prev);
		st = STATUS_OK;
	}
	return st;
}

static enum status is_missing(
	struct journal *j, int64_t match, int64_t run, int64_t seq, bool *out, struct why *why)
{
	struct sqlite3_stmt *q;

	*out = false;
	if (!run || !seq)
		return STATUS_OK;
	enum status st = journal_statement(j, SQL_RECORD_STATE, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, match);
	bind_number(q, 2, run);
	bind_number(q, 3, seq);
	st = database_row(&j->db, q, why);
	sqlite3_reset(q);
	*out = st == STATUS_NOT_FOUND;
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

/* ---- the latest state ---- */

static enum status keep_views(struct journal *j, struct journal_record *r, struct why *why)
{
	struct buffer *b = &j->latest;
	const size_t key = r->match.length, event = r->event_id.length, body = r->body.length;

	buffer_clear(b);
	if (key + event + body <= keep_bytes)
		buffer_shrink(b, keep_bytes);
	if (buffer_reserve(b, key + event + body) != STATUS_OK ||
		buffer_add(b, r->match.bytes, key) != STATUS_OK ||
		buffer_add(b, r->event_id.bytes, event) != STATUS_OK ||
		buffer_add(b, r->body.bytes, body) != STATUS_OK)
		return fail(
			why, STATUS_NO_MEMORY, "read a record of %zu bytes: out of memory", body);
	r->match = view_of(b->bytes, key);
	r->event_id = view_of(b->bytes + key, event);
	r->body = view_of(b->bytes + key + event, body);
	return STATUS_OK;
}

static enum status latest(struct journal *j, struct sqlite3_stmt *m, int64_t match,
	struct journal_record *r, struct why *why)
{
	struct view key = view_of(sqlite3_column_blob(m, 1), (size_t)sqlite3_column_bytes(m, 1));
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_RECORD_GET, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, sqlite3_column_int64(m, 9));
	st = database_row(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	const int64_t prev_run = sqlite3_column_int64(q, 7), prev_seq = sqlite3_column_int64(q, 8);
	st = read_record(j, q, key, r, why);
	if (st == STATUS_OK)
		st = keep_views(j, r, why);
	sqlite3_reset(q);
	return st == STATUS_OK ? is_missing(j, match, prev_run, prev_seq, &r->prev_missing, why)
			       : st;
}

enum status journal_latest(
	struct journal *j, int64_t match, struct journal_record *out, struct why *why)
{
	struct journal_record r;
	struct sqlite3_stmt *m;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK && !j->reader)
		st = journal_flush_lines(j, why);
	if (st == STATUS_OK)
		st = journal_statement(j, SQL_MATCH_BY_ID, &m, why);
	if (st != STATUS_OK)
		return st;
	bind_number(m, 1, match);
	st = database_row(&j->db, m, why);
	if (st == STATUS_OK) {
		st = latest(j, m, match, &r, why);
		sqlite3_reset(m);
	}
	if (st == STATUS_NOT_FOUND)
		return fail(why, st, "match %lld has no state", (long long)match);
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	*out = r;
	return STATUS_OK;
}

/* ---- the cursor ---- */

static enum status prepare(
	struct journal_cursor *c, const char *sql, sqlite3_stmt **out, struct why *why)
{
	int code = sqlite3_prepare_v2(c->j->db.handle, sql, -1, out, NULL);

	return code == SQLITE_OK ? STATUS_OK : database_failed(&c->j->db, code, why);
}

enum status journal_cursor_open(struct journal_cursor **out, struct journal *j, int64_t match,
	enum journal_order order, struct why *why)
{
	struct journal_match m;
	enum status st = journal_match_by_id(j, match, &m, why);

	if (st != STATUS_OK)
		return st;
	struct journal_cursor *c = calloc(1, sizeof *c);
	if (!c)
		return fail(
			why, STATUS_NO_MEMORY, "read match %lld: out of memory", (long long)match);
	c->j = j;
	c->match = match;
	c->order = order;
	c->key_length = m.key.length;
	memcpy(c->key, m.key.bytes, m.key.length);
	st = prepare(c, order == JOURNAL_BY_TIME ? by_time : by_arrival, &c->keys, why);
	if (st == STATUS_OK)
		st = prepare(c, one_record, &c->record, why);
	if (st != STATUS_OK) {
		journal_cursor_close(c);
		return st;
	}
	bind_number(c->keys, 1, match);
	*out = c;
	return STATUS_OK;
}

static enum status fetch(struct journal_cursor *c, struct journal_record *r, struct why *why)
{
	enum status st;

	sqlite3_reset(c->record);
	bind_number(c->record, 1, sqlite3_column_int64(c->keys, 0));
	st = database_row(&c->j->db, c->record, why);
	if (st == STATUS_NOT_FOUND) {
		database_suspect(&c->j->db);
		return fail(
			why, STATUS_FATAL, "journal '%s': index and records differ", c->j->db.path);
	}
	if (st == STATUS_OK)
		st = read_record(c->j, c->record, view_of(c->key, c->key_length), r, why);
	if (st != STATUS_OK)
		return st;
	const int64_t prev_run = sqlite3_column_int64(c->record, 7),
		      prev_seq = sqlite3_column_int64(c->record, 8);
	if (prev_run != c->last_run || prev_seq != c->last_seq)
		st = is_missing(c->j, c->match, prev_run, prev_seq, &r->prev_missing, why);
	c->last_run = sqlite3_column_int64(c->record, 1);
	c->last_seq = sqlite3_column_int64(c->record, 2);
	return st;
}

enum status journal_cursor_next(
	struct journal_cursor *c, struct journal_record *out, struct why *why)
{
	struct journal_record r;
	enum status st = journal_alive(c->j, why);

	if (st != STATUS_OK)
		return st;
	st = database_row(&c->j->db, c->keys, why);
	if (st == STATUS_NOT_FOUND)
		return st;
	if (st == STATUS_OK)
		st = fetch(c, &r, why);
	if (st != STATUS_OK)
		return journal_broke(c->j, st, why);
	*out = r;
	return STATUS_OK;
}

void journal_cursor_close(struct journal_cursor *c)
{
	if (!c)
		return;
	sqlite3_finalize(c->keys);
	sqlite3_finalize(c->record);
	free(c);
}

enum status journal_snapshot_begin(struct journal *j, struct why *why)
{
	int64_t ignored;

	if (!j->reader)
		return STATUS_OK;
	/* The moment is fixed by the first read, not by BEGIN. */
	enum status st = database_exec(&j->db, "BEGIN", why);
	if (st == STATUS_OK)
		st = database_number(&j->db, SQL_GENERATION_TOP, &ignored, why);
	if (st != STATUS_OK)
		database_rollback(&j->db);
	return st;
}

void journal_snapshot_end(struct journal *j)
{
	if (j->reader)
		database_rollback(&j->db);
}

enum status journal_each_error(
	struct journal *j, journal_error_call *call, void *context, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK)
		st = journal_statement(j, SQL_ERROR_EACH, &q, why);
	if (st != STATUS_OK)
		return st;
	while ((st = database_row(&j->db, q, why)) == STATUS_OK) {
		const uint64_t place = (uint64_t)sqlite3_column_int64(q, 0);
		const char *reason = (const char *)sqlite3_column_text(q, 2);
		const void *key = sqlite3_column_blob(q, 3), *bytes = sqlite3_column_blob(q, 4);
		const struct journal_error_row e = {
			.generation = (unsigned)(place >> 55),
			.partition = (int)(place >> 40 & 0x7fff),
			.offset = (int64_t)(place & ((1ull << 40) - 1)),
			.kafka_us = sqlite3_column_int64(q, 1),
			.reason = reason ? reason : "",
			.key = view_of(
				key ? key : "", key ? (size_t)sqlite3_column_bytes(q, 3) : 0),
			.bytes = view_of(
				bytes ? bytes : "", bytes ? (size_t)sqlite3_column_bytes(q, 4) : 0),
		};

		st = call(context, &e, why);
		if (st != STATUS_OK) {
			sqlite3_reset(q);
			return st;
		}
	}
	return st == STATUS_NOT_FOUND ? STATUS_OK : journal_broke(j, st, why);
}
