/* The matches of the journal and their workbooks. */
#include "store/journal_private.h"

#include <sqlite3.h>
#include <string.h>

static const int64_t day_us = 24 * 3600ll * 1000 * 1000;
enum { STALE_DAYS = 7 };

static struct view column_view(struct sqlite3_stmt *q, int column)
{
	const void *bytes = sqlite3_column_blob(q, column);

	return view_of(bytes ? bytes : "", bytes ? (size_t)sqlite3_column_bytes(q, column) : 0);
}

/* The columns of MATCH_COLUMNS. */
static void read_match(struct sqlite3_stmt *q, struct journal_match *m)
{
	*m = (struct journal_match){
		.id = sqlite3_column_int64(q, 0),
		.key = column_view(q, 1),
		.records = (uint64_t)sqlite3_column_int64(q, 2),
		.rendered = (uint64_t)sqlite3_column_int64(q, 3),
		.file = column_view(q, 4),
		.first_us = sqlite3_column_int64(q, 5),
		.last_us = sqlite3_column_int64(q, 6),
		.ended = sqlite3_column_int64(q, 7),
		.tombstones = (unsigned)sqlite3_column_int64(q, 8),
	};
}

static enum status begin_reading(struct journal *j, struct why *why)
{
	enum status st = journal_alive(j, why);

	if (st != STATUS_OK || j->reader)
		return st;
	st = journal_flush_lines(j, why);
	return st == STATUS_OK ? st : journal_broke(j, st, why);
}

static enum status each(struct journal *j, enum journal_sql which, journal_match_call *call,
	void *context, struct why *why)
{
	struct journal_match m;
	struct sqlite3_stmt *q;
	enum status st = begin_reading(j, why);

	if (st == STATUS_OK)
		st = journal_statement(j, which, &q, why);
	if (st != STATUS_OK)
		return st;
	while ((st = database_row(&j->db, q, why)) == STATUS_OK) {
		read_match(q, &m);
		st = call(context, &m, why);
		if (st != STATUS_OK) {
			sqlite3_reset(q);
			return st;
		}
	}
	return st == STATUS_NOT_FOUND ? STATUS_OK : journal_broke(j, st, why);
}

enum status journal_each_match(
	struct journal *j, journal_match_call *call, void *context, struct why *why)
{
	return each(j, SQL_MATCH_EACH, call, context, why);
}

enum status journal_each_unrendered(
	struct journal *j, journal_match_call *call, void *context, struct why *why)
{
	return each(j, SQL_MATCH_UNRENDERED, call, context, why);
}

static struct view keep(char *to, size_t room, struct view from)
{
	const size_t length = from.length < room ? from.length : room;

	memcpy(to, from.bytes, length);
	return view_of(to, length);
}

/* Key and file move out of the statement, which ends here. */
static enum status one_match(
	struct journal *j, struct sqlite3_stmt *q, struct journal_match *out, struct why *why)
{
	enum status st = database_row(&j->db, q, why);

	if (st == STATUS_NOT_FOUND)
		return fail(why, st, "no such match in the journal");
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	read_match(q, out);
	out->key = keep(j->key, sizeof j->key, out->key);
	out->file = keep(j->file, sizeof j->file, out->file);
	sqlite3_reset(q);
	return STATUS_OK;
}

enum status journal_match_of(
	struct journal *j, struct view key, struct journal_match *out, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = begin_reading(j, why);

	if (st == STATUS_OK)
		st = journal_statement(j, SQL_MATCH_FIND, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_bytes(q, 1, key.bytes, key.length);
	return one_match(j, q, out, why);
}

enum status journal_match_by_id(
	struct journal *j, int64_t id, struct journal_match *out, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = begin_reading(j, why);

	if (st == STATUS_OK)
		st = journal_statement(j, SQL_MATCH_BY_ID, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, id);
	return one_match(j, q, out, why);
}

enum status journal_file_taken(
	struct journal *j, const char *file, int64_t by_other_than, bool *out, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = begin_reading(j, why);

	if (st == STATUS_OK)
		st = journal_statement(j, SQL_MATCH_TAKEN, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_text(q, 1, file);
	bind_number(q, 2, by_other_than);
	st = database_row(&j->db, q, why);
	if (st != STATUS_OK && st != STATUS_NOT_FOUND)
		return journal_broke(j, st, why);
	*out = st == STATUS_OK;
	sqlite3_reset(q);
	return STATUS_OK;
}

static enum status write_rendered(struct journal *j, int64_t match, const char *file,
	uint64_t records, bool *was_open, bool *is_open, struct why *why)
{
	struct journal_match m = {0};
	struct sqlite3_stmt *q;
	enum status st = journal_match_by_id(j, match, &m, why);

	if (st != STATUS_OK)
		return st;
	*was_open = m.records > m.rendered;
	*is_open = m.records > records;
	st = journal_statement(j, SQL_MATCH_RENDERED, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, match);
	bind_number(q, 2, (int64_t)records);
	bind_text(q, 3, file);
	return database_do(&j->db, q, why);
}

enum status journal_rendered(
	struct journal *j, int64_t match, const char *file, uint64_t records, struct why *why)
{
	bool was_open = false, is_open = false;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK && (strlen(file) > JOURNAL_FILE_BYTES || records > INT64_MAX))
		st = fail(why, STATUS_BAD_DATA, "file name of %zu bytes", strlen(file));
	if (st == STATUS_OK)
		st = journal_txn(j, why);
	if (st != STATUS_OK)
		return st;
	st = write_rendered(j, match, file, records, &was_open, &is_open, why);
	if (st == STATUS_NOT_FOUND) {
		/* The match left meanwhile; nothing was written. */
		enum status saved = journal_save(j, NULL);
		return saved == STATUS_OK ? st : saved;
	}
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	for (int i = 0; i < JOURNAL_LINES; i++)
		if (j->lines[i].id == match)
			j->lines[i].rendered = (int64_t)records;
	j->unrendered += (int)is_open - (int)was_open;
	return journal_save_now(j, why);
}

enum status journal_forget_rendered(struct journal *j, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK)
		st = journal_txn(j, why);
	if (st != STATUS_OK)
		return st;
	st = journal_flush_lines(j, why);
	if (st == STATUS_OK)
		st = journal_statement(j, SQL_MATCH_FORGET, &q, why);
	if (st == STATUS_OK)
		st = database_do(&j->db, q, why);
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	journal_forget_lines(j);
	j->unrendered = j->matches;
	return journal_save_now(j, why);
}

/* ---- making room ---- */

static enum status run_with(
	struct journal *j, enum journal_sql which, int64_t first, int64_t second, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, which, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, first);
	if (sqlite3_bind_parameter_count(q) > 1)
		bind_number(q, 2, second);
	return database_do(&j->db, q, why);
}

/* Step one, in one commit: the match is out of sight and its tombstone stands. */
static enum status let_go(
	struct journal *j, int64_t stale_before_us, int64_t now_us, struct why *why)
{
	struct sqlite3_stmt *q;
	int64_t id = 0;
	enum status st = journal_txn(j, why);

	if (st == STATUS_OK)
		st = journal_statement(j, SQL_MATCH_MAY_LEAVE, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, stale_before_us);
	st = database_row(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	id = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	st = run_with(j, SQL_TOMB_ADD, id, now_us, why);
	if (st == STATUS_OK)
		st = run_with(j, SQL_MATCH_REMOVE, id, 0, why);
	if (st == STATUS_OK)
		j->matches--;
	return st == STATUS_OK ? journal_save_now(j, why) : st;
}

/* Step two, in small commits, carried on by the next call where it was cut short. */
static enum status purge_one(struct journal *j, struct why *why)
{
	int64_t id = 0;
	int gone = 1;
	enum status st = database_number(&j->db, SQL_TOMB_UNPURGED, &id, why);

	while (st == STATUS_OK && gone) {
		st = journal_txn(j, why);
		if (st == STATUS_OK)
			st = run_with(j, SQL_RECORD_PURGE, id, 0, why);
		if (st != STATUS_OK)
			return st;
		gone = sqlite3_changes(j->db.handle);
		j->now.records -= gone;
		if (!gone)
			st = run_with(j, SQL_TOMB_PURGED, id, 0, why);
		if (st == STATUS_OK)
			st = journal_save_now(j, why);
	}
	return st;
}

static enum status purge_all(struct journal *j, struct why *why)
{
	enum status st;

	do
		st = purge_one(j, why);
	while (st == STATUS_OK);
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

static bool has_a_tenth(const struct journal *j)
{
	return room_pages_left(&j->room) >= j->room.max_pages / 10;
}

static enum status make_room(struct journal *j, int64_t now_us, unsigned *left, struct why *why)
{
	enum status st = purge_all(j, why);

	if (st == STATUS_OK)
		st = room_refresh(&j->room, &j->db, why);
	while (st == STATUS_OK && !has_a_tenth(j)) {
		st = let_go(j, now_us - STALE_DAYS * day_us, now_us, why);
		if (st == STATUS_OK) {
			++*left;
			st = purge_all(j, why);
		}
	}
	return st;
}

enum status journal_make_room(
	struct journal *j, int64_t now_us, unsigned *out_left, struct why *why)
{
	unsigned left = 0;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK && j->begun)
		st = fail(why, STATUS_FATAL, "a batch is open: no room can be made");
	if (st != STATUS_OK)
		return st;
	/* The lines in memory may be of matches that leave. */
	journal_forget_lines(j);
	for (int attempt = 1; attempt <= 2; attempt++) {
		st = make_room(j, now_us, &left, why);
		if (st == STATUS_OK || st == STATUS_NOT_FOUND)
			break;
		st = journal_broke(j, st, why);
		if (st != STATUS_FULL)
			return st;
	}
	if (st == STATUS_FULL)
		return st;
	enum status saved = journal_save_now(j, why);
	if (saved != STATUS_OK)
		return saved;
	if (st == STATUS_NOT_FOUND && !left)
		return fail(why, STATUS_FULL,
			"the journal is full and no match may leave: none has ended or rested for %d days "
			"with its workbook written",
			STALE_DAYS);
	*out_left = left;
	return STATUS_OK;
}
