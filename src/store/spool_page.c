/* The poller's side: a page of rows, staged in small commits, shown whole or taken back whole. */
#include "store/spool_private.h"

#include <sqlite3.h>
#include <string.h>

/* What a row and its line in `seen` take beside match and body. */
enum { ROW_OVERHEAD_BYTES = 160 };

static const int64_t day_us = 24 * 3600ll * 1000 * 1000;

enum status spool_page_begin(struct spool *s, struct why *why)
{
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK)
		return st;
	if (s->page_open)
		return fail(why, STATUS_FATAL, "a page is open already");
	room_look_again(&s->room, &s->db);
	bits_copy(&s->met_before_page, &s->met);
	s->page_open = true;
	s->page_status = STATUS_OK;
	s->page_rows = 0;
	s->page_lowest_prev = INT64_MAX;
	return STATUS_OK;
}

static enum status page_usable(const struct spool *s, struct why *why)
{
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK)
		return st;
	if (!s->page_open)
		return fail(why, STATUS_FATAL, "no page is open");
	if (s->page_status != STATUS_OK)
		return fail(why, s->page_status, "the page has lost rows (%s): abort it",
			status_name(s->page_status));
	return STATUS_OK;
}

static enum status write_row(
	struct spool *s, const struct spool_row *r, const struct seen_line *before, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_ROW_ADD, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, r->id);
	bind_number(q, 2, before->id);
	bind_number(q, 3, s->now.run);
	bind_number(q, 4, (int64_t)r->self.seq);
	bind_number(q, 5, before->run);
	bind_number(q, 6, before->seq);
	bind_number(q, 7, before->last_row);
	bind_number(q, 8, before->changed_us);
	bind_number(q, 9, r->fetched_us);
	bind_number(q, 10, row_sum(r, s->now.run, before->run));
	bind_bytes(q, 11, before->digest, before->seq ? SEEN_DIGEST_BYTES : 0);
	bind_bytes(q, 12, r->match.bytes, r->match.length);
	bind_bytes(q, 13, r->body.bytes, r->body.length);
	return database_do(&s->db, q, why);
}

/* Leaves in *before what `seen` said, with the id of the line, new or old. */
static enum status write_seen(struct spool *s, const struct spool_row *r, const uint8_t *digest,
	struct seen_line *before, struct why *why)
{
	const enum spool_sql which = before->known ? SQL_SEEN_SET : SQL_SEEN_ADD;
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, which, &q, why);

	if (st != STATUS_OK)
		return st;
	if (before->known)
		bind_number(q, 1, before->id);
	else
		bind_bytes(q, 1, r->match.bytes, r->match.length);
	bind_bytes(q, 2, digest, SEEN_DIGEST_BYTES);
	bind_number(q, 3, s->now.run);
	bind_number(q, 4, (int64_t)r->self.seq);
	bind_number(q, 5, r->id);
	bind_number(q, 6, r->fetched_us);
	bind_number(q, 7, r->fetched_us / day_us);
	st = database_do(&s->db, q, why);
	if (st == STATUS_OK && !before->known)
		before->id = sqlite3_last_insert_rowid(s->db.handle);
	return st;
}

/* Bounded commits; a row longer than a commit gets one of its own, upon an empty log. */
static enum status make_commits_small(struct spool *s, uint64_t bytes, struct why *why)
{
	bool full = s->staged_rows >= SPOOL_COMMIT_ROWS ||
		    (s->staged_bytes && s->staged_bytes + bytes > s->room.commit_bytes);
	enum status st = full ? spool_save(s, why) : STATUS_OK;

	if (st == STATUS_OK && bytes > s->room.commit_bytes && !database_in_transaction(&s->db)) {
		s->db.wal_pages = s->room.checkpoint_pages; /* so that spool_txn empties the log */
		st = spool_txn(s, why);
	}
	return st == STATUS_OK ? spool_txn(s, why) : st;
}

static enum status add(struct spool *s, struct spool_row *r, const uint8_t *digest, struct why *why)
{
	const uint64_t bytes = r->match.length + r->body.length + ROW_OVERHEAD_BYTES;
	enum status st = make_commits_small(s, bytes, why);

	if (st != STATUS_OK)
		return st;
	st = spool_make_room(s, bytes, why);
	if (st == STATUS_OK)
		st = seen_find(s, r->match, why);
	if (st != STATUS_OK)
		return st;
	struct seen_line *before = &s->last;
	r->id = s->now.next_id;
	r->self.seq = (uint64_t)s->now.seq + 1;
	r->prev.seq = (uint64_t)before->seq;
	st = write_seen(s, r, digest, before, why);
	if (st == STATUS_OK)
		st = write_row(s, r, before, why);
	if (st != STATUS_OK)
		return spool_broke(s, st, why);

	if (before->last_row && before->last_row < s->page_lowest_prev)
		s->page_lowest_prev = before->last_row;
	before->known = true;
	before->run = s->now.run;
	before->seq = (int64_t)r->self.seq;
	before->last_row = r->id;
	before->changed_us = r->fetched_us;
	memcpy(before->digest, digest, SEEN_DIGEST_BYTES);
	bits_set(&s->met, before->id);
	s->now.next_id++;
	s->now.seq++;
	s->page_rows++;
	s->staged_rows++;
	s->staged_bytes += bytes;
	return STATUS_OK;
}

enum status spool_add(struct spool *s, struct view match, const uint8_t digest[SEEN_DIGEST_BYTES],
	int64_t fetched_us, struct view body, struct why *why)
{
	struct spool_row r = {.match = match, .body = body, .fetched_us = fetched_us};
	enum status st = page_usable(s, why);

	if (st != STATUS_OK)
		return st;
	if (!match.length || match.length > SPOOL_MATCH_BYTES)
		return fail(why, STATUS_BAD_DATA, "match id of %zu bytes: 1 to %d are allowed",
			match.length, SPOOL_MATCH_BYTES);
	if (!body.length)
		return fail(why, STATUS_BAD_DATA, "match '%.*s' has an empty body",
			(int)match.length, match.bytes);
	return add(s, &r, digest, why);
}

enum status spool_page_commit(struct spool *s, struct why *why)
{
	enum status st = page_usable(s, why);

	if (st != STATUS_OK)
		return st;
	if (s->page_rows) {
		st = spool_txn(s, why);
		if (st != STATUS_OK) {
			s->page_status = st;
			return st;
		}
		s->oldest_stale = s->oldest_stale || !s->now.rows;
		s->now.visible = s->now.next_id - 1;
		s->now.rows += s->page_rows;
		if (s->page_lowest_prev <= s->drop_from)
			s->drop_from = s->page_lowest_prev - 1;
	}
	st = spool_save(s, why);
	if (st != STATUS_OK) {
		s->page_status = st;
		return st;
	}
	s->page_open = false;
	return STATUS_OK;
}

/* The newest pending row goes, and `seen` says again what it said before it. */
static enum status take_back_one(struct spool *s, struct why *why)
{
	struct sqlite3_stmt *row, *seen, *gone;
	enum status st = spool_statement(s, SQL_ROW_NEWEST, &row, why);

	if (st != STATUS_OK)
		return st;
	bind_number(row, 1, s->now.visible);
	st = database_row(&s->db, row, why);
	if (st != STATUS_OK)
		return st;
	const int64_t id = sqlite3_column_int64(row, 0), seq = sqlite3_column_int64(row, 3);
	st = spool_statement(s, seq ? SQL_SEEN_BACK : SQL_SEEN_REMOVE, &seen, why);
	if (st == STATUS_OK) {
		bind_number(seen, 1, sqlite3_column_int64(row, 1));
		if (seq) {
			bind_bytes(seen, 2, sqlite3_column_blob(row, 6),
				(size_t)sqlite3_column_bytes(row, 6));
			bind_number(seen, 3, sqlite3_column_int64(row, 2));
			bind_number(seen, 4, seq);
			bind_number(seen, 5, sqlite3_column_int64(row, 4));
			bind_number(seen, 6, sqlite3_column_int64(row, 5));
		}
		st = database_do(&s->db, seen, why);
	}
	sqlite3_reset(row);
	if (st == STATUS_OK)
		st = spool_statement(s, SQL_ROW_REMOVE, &gone, why);
	if (st != STATUS_OK)
		return st;
	bind_number(gone, 1, id);
	return database_do(&s->db, gone, why);
}

static enum status take_back_all(struct spool *s, struct why *why)
{
	enum status st = spool_txn(s, why);

	for (unsigned n = 1; st == STATUS_OK; n++) {
		st = take_back_one(s, why);
		if (st == STATUS_OK && n % SPOOL_COMMIT_ROWS == 0) {
			st = spool_save(s, why);
			if (st == STATUS_OK)
				st = spool_txn(s, why);
		}
	}
	if (st != STATUS_NOT_FOUND)
		return spool_broke(s, st, why);
	s->last.valid = false;
	return spool_save(s, why);
}

/* A full card gives up its ballast at the first failure: then there is room for the second try. */
enum status spool_take_back(struct spool *s, struct why *why)
{
	enum status st = take_back_all(s, why);

	return st == STATUS_FULL ? take_back_all(s, why) : st;
}

enum status spool_page_abort(struct spool *s, struct why *why)
{
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK || !s->page_open)
		return st;
	if (s->page_rows || s->page_status != STATUS_OK)
		st = spool_take_back(s, why);
	else
		st = spool_save(s, why);
	if (st != STATUS_OK)
		return st;
	bits_copy(&s->met, &s->met_before_page);
	s->page_open = false;
	return STATUS_OK;
}
