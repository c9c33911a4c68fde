/* The publisher's side: rows out, in the order of their ids; acknowledged rows away. */
#include "store/spool_private.h"
#include "base/clock.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Above this the buffer for one row is given back after an unusually long one. */
static const size_t keep_bytes = 64 * 1024;

uint32_t row_sum(const struct spool_row *r, int64_t run, int64_t prev_run)
{
	const int64_t values[] = {
		r->id, run, (int64_t)r->self.seq, prev_run, (int64_t)r->prev.seq, r->fetched_us};
	uLong sum = database_sum(values, sizeof values / sizeof *values);

	sum = crc32(sum, (const Bytef *)r->match.bytes, (uInt)r->match.length);
	return (uint32_t)crc32(sum, (const Bytef *)r->body.bytes, (uInt)r->body.length);
}

/* Reads the columns of SQL_ROW_NEXT; the views point into the statement. STATUS_BAD_DATA: the row is
 * not what was written. */
static enum status read_row(struct spool *s, struct sqlite3_stmt *q, struct spool_row *r,
	int64_t *prev_row, struct why *why)
{
	const int64_t run = sqlite3_column_int64(q, 1), prev_run = sqlite3_column_int64(q, 3);

	memset(r, 0, sizeof *r);
	r->id = sqlite3_column_int64(q, 0);
	r->self.seq = (uint64_t)sqlite3_column_int64(q, 2);
	r->prev.seq = (uint64_t)sqlite3_column_int64(q, 4);
	*prev_row = sqlite3_column_int64(q, 5);
	r->fetched_us = sqlite3_column_int64(q, 6);
	r->match = view_of(sqlite3_column_blob(q, 8), (size_t)sqlite3_column_bytes(q, 8));
	r->body = view_of(sqlite3_column_blob(q, 9), (size_t)sqlite3_column_bytes(q, 9));
	if (!r->match.bytes || !r->body.bytes) {
		if (sqlite3_errcode(s->db.handle) == SQLITE_NOMEM)
			return fail(why, STATUS_NO_MEMORY, "read row %lld: out of memory",
				(long long)r->id);
		return fail(why, STATUS_BAD_DATA, "row %lld is empty", (long long)r->id);
	}
	if (row_sum(r, run, prev_run) != (uint32_t)sqlite3_column_int64(q, 7))
		return fail(why, STATUS_BAD_DATA, "row %lld is damaged", (long long)r->id);
	enum status st = spool_run_bytes(s, run, r->self.run, why);
	return st == STATUS_OK ? spool_run_bytes(s, prev_run, r->prev.run, why) : st;
}

static enum status read_drops(struct spool *s, int64_t prev_row, uint32_t *out, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_GONE_READ, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, prev_row);
	st = database_row(&s->db, q, why);
	if (st == STATUS_OK) {
		*out = (uint32_t)sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
	}
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

/* The views move from the statement, which ends with the next transaction, into our buffer. */
static enum status keep_row(struct spool *s, struct spool_row *r, struct why *why)
{
	const size_t match = r->match.length, body = r->body.length;

	buffer_clear(&s->row);
	if (match + body <= keep_bytes)
		buffer_shrink(&s->row, keep_bytes);
	if (buffer_reserve(&s->row, match + body) != STATUS_OK ||
		buffer_add(&s->row, r->match.bytes, match) != STATUS_OK ||
		buffer_add(&s->row, r->body.bytes, body) != STATUS_OK)
		return fail(why, STATUS_NO_MEMORY, "read row %lld of %zu bytes: out of memory",
			(long long)r->id, body);
	r->match = view_of(s->row.bytes, match);
	r->body = view_of(s->row.bytes + match, body);
	return STATUS_OK;
}

static enum status step_to(struct spool *s, int64_t after, struct why *why)
{
	struct sqlite3_stmt *q = s->stepping;

	if (!q || s->stepped_to != after) {
		enum status st = spool_statement(s, SQL_ROW_NEXT, &q, why);

		s->stepping = NULL;
		if (st != STATUS_OK)
			return st;
		bind_number(q, 1, after);
		bind_number(q, 2, s->now.visible);
		s->stepping = q;
	}
	enum status st = database_row(&s->db, q, why);
	if (st != STATUS_OK)
		s->stepping = NULL; /* reset already */
	return st;
}

static enum status next(struct spool *s, int64_t after, struct spool_row *r, struct why *why)
{
	int64_t prev_row = 0;
	enum status st = step_to(s, after, why);

	if (st != STATUS_OK)
		return st;
	st = read_row(s, s->stepping, r, &prev_row, why);
	s->stepped_to = r->id;
	if (st == STATUS_OK && s->drops_untold)
		st = read_drops(s, prev_row, &r->dropped, why);
	return st == STATUS_OK ? keep_row(s, r, why) : st;
}

/* A row that the card gives back changed is not sent: it becomes a dead letter, and the next one is it. */
enum status spool_next(struct spool *s, int64_t after, struct spool_row *out, struct why *why)
{
	struct spool_row r = {0};
	enum status st = spool_alive(s, why);

	while (st == STATUS_OK) {
		st = next(s, after, &r, why);
		if (st != STATUS_BAD_DATA)
			break;
		after = r.id;
		st = spool_refuse(s, r.id, "damaged on the card", why);
	}
	if (st == STATUS_OK) {
		if (s->floor < r.id)
			s->floor = r.id;
		*out = r;
		return STATUS_OK;
	}
	return st == STATUS_NOT_FOUND || s->dead ? st : spool_broke(s, st, why);
}

enum status spool_delivered(struct spool *s, int64_t id)
{
	if (s->delivered_count == SPOOL_DELIVERED)
		return STATUS_FULL;
	s->delivered[s->delivered_count++] = id;
	return STATUS_OK;
}

static enum status run_range(
	struct spool *s, enum spool_sql which, int64_t from, int64_t to, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, which, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, from);
	bind_number(q, 2, to);
	return database_do(&s->db, q, why);
}

static enum status free_range(struct spool *s, int64_t from, int64_t to, struct why *why)
{
	enum status st = STATUS_OK;

	if (s->drops_untold)
		st = run_range(s, SQL_GONE_CLAIMED, from, to, why);
	if (st == STATUS_OK)
		st = run_range(s, SQL_ROWS_REMOVE, from, to, why);
	if (st == STATUS_OK)
		s->now.rows -= sqlite3_changes(s->db.handle);
	return st;
}

static int by_id(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* One commit: the first `count` of the sorted list. */
static enum status free_sorted(struct spool *s, unsigned count, struct why *why)
{
	enum status st = spool_txn(s, why);

	for (unsigned i = 0; st == STATUS_OK && i < count;) {
		const int64_t from = s->delivered[i];
		int64_t to = from;

		for (i++; i < count && s->delivered[i] <= to + 1; i++)
			to = s->delivered[i];
		st = free_range(s, from, to, why);
	}
	if (st != STATUS_OK)
		return spool_broke(s, st, why);
	if (s->drops_untold) {
		int64_t any = 1;

		st = database_number(&s->db, SQL_GONE_ANY, &any, why);
		if (st != STATUS_OK)
			return spool_broke(s, st, why);
		s->drops_untold = any;
	}
	s->oldest_stale = true;
	st = spool_save(s, why);
	if (st == STATUS_OK) {
		s->delivered_count -= count;
		memmove(s->delivered, s->delivered + count,
			s->delivered_count * sizeof *s->delivered);
	}
	return st;
}

/* Frees until only `stay` are left. Deletions need a little room in the log: a full card gives up its ballast at
 * the first failure. */
static enum status free_down_to(struct spool *s, unsigned stay, struct why *why)
{
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK || s->delivered_count <= stay)
		return st;
	qsort(s->delivered, s->delivered_count, sizeof *s->delivered, by_id);
	while (st == STATUS_OK && s->delivered_count > stay) {
		unsigned count = s->delivered_count - stay;

		if (count > SPOOL_FREE_ROWS)
			count = SPOOL_FREE_ROWS;
		st = free_sorted(s, count, why);
		if (st == STATUS_FULL)
			st = free_sorted(s, count, why);
	}
	return st;
}

enum status spool_free_oldest(struct spool *s, struct why *why)
{
	const unsigned stay = s->delivered_count > SPOOL_FREE_ROWS
				      ? s->delivered_count - SPOOL_FREE_ROWS
				      : 0;

	return free_down_to(s, stay, why);
}

enum status spool_free(struct spool *s, struct why *why)
{
	return free_down_to(s, 0, why);
}

static enum status refuse(struct spool *s, int64_t id, const char *reason, struct why *why)
{
	struct sqlite3_stmt *q, *gone;
	enum status st = spool_txn(s, why);

	if (st == STATUS_OK)
		st = spool_statement(s, SQL_ROW_LETTER, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, id);
	st = database_row(&s->db, q, why);
	if (st != STATUS_OK)
		return st;
	const int64_t prev_row = sqlite3_column_int64(q, 0);
	struct view match = view_of(sqlite3_column_blob(q, 1), (size_t)sqlite3_column_bytes(q, 1));
	struct view first = view_of(sqlite3_column_blob(q, 2), (size_t)sqlite3_column_bytes(q, 2));
	st = letter_add_state(s, reason, match.bytes ? match : view_of("", 0),
		first.bytes ? first : view_of("", 0), sqlite3_column_int64(q, 3), clock_wall_us(),
		why);
	sqlite3_reset(q);
	if (st == STATUS_OK)
		st = spool_statement(s, SQL_ROW_REMOVE, &gone, why);
	if (st != STATUS_OK)
		return st;
	bind_number(gone, 1, id);
	st = database_do(&s->db, gone, why);
	if (st == STATUS_OK)
		st = spool_gone(s, id, prev_row, 1, why);
	if (st == STATUS_OK)
		st = spool_note_loss(s, reason, 1, why);
	s->now.refused++;
	s->now.rows--;
	s->oldest_stale = true;
	return st;
}

enum status spool_refuse(struct spool *s, int64_t id, const char *reason, struct why *why)
{
	enum status st = spool_alive(s, why);

	for (int attempt = 1; st == STATUS_OK; attempt++) {
		st = refuse(s, id, reason, why);
		if (st == STATUS_OK || st == STATUS_NOT_FOUND)
			return spool_save(s, why);
		st = spool_broke(s, st, why);
		if (st == STATUS_FULL && attempt == 1)
			st = STATUS_OK;
	}
	return st;
}
