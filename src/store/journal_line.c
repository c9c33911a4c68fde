/* The match being written: its line is kept in memory between records and flushed before each commit, so
 * that a record costs one row and one index entry. */
#include "store/journal_private.h"

#include <sqlite3.h>
#include <string.h>

void journal_forget_lines(struct journal *j)
{
	memset(j->lines, 0, sizeof j->lines);
}

static enum status flush(struct journal *j, struct journal_line *l, struct why *why)
{
	struct sqlite3_stmt *q;

	if (!l->dirty)
		return STATUS_OK;
	enum status st = journal_statement(j, SQL_MATCH_SET, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, l->id);
	bind_number(q, 2, l->records);
	bind_number(q, 3, l->first_us);
	bind_number(q, 4, l->last_us);
	bind_number(q, 5, l->latest);
	bind_number(q, 6, l->ended);
	st = database_do(&j->db, q, why);
	l->dirty = st != STATUS_OK;
	return st;
}

enum status journal_flush_lines(struct journal *j, struct why *why)
{
	enum status st = STATUS_OK;

	for (int i = 0; st == STATUS_OK && i < JOURNAL_LINES; i++)
		st = flush(j, &j->lines[i], why);
	return st;
}

static struct journal_line *set_of(struct journal *j, struct view key)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < key.length; i++)
		hash = (hash ^ (uint8_t)key.bytes[i]) * 16777619u;
	return &j->lines[(hash ^ hash >> 16) % (JOURNAL_LINES / JOURNAL_WAYS) * JOURNAL_WAYS];
}

static bool is_of(const struct journal_line *l, struct view key)
{
	return l->id && l->key_length == key.length && key.length <= JOURNAL_LINE_KEY &&
	       !memcmp(l->key, key.bytes, key.length);
}

static enum status read_latest(struct journal *j, struct journal_line *l, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_RECORD_GET, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, l->latest);
	st = database_row(&j->db, q, why);
	if (st == STATUS_NOT_FOUND)
		return journal_find_latest(j, l, why); /* the card changed the number */
	if (st != STATUS_OK)
		return st;
	l->latest_run = sqlite3_column_int64(q, 1);
	l->latest_seq = sqlite3_column_int64(q, 2);
	l->latest_us = sqlite3_column_int64(q, 3);
	sqlite3_reset(q);
	return STATUS_OK;
}

static enum status read_line(
	struct journal *j, struct view key, struct journal_line *l, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_MATCH_FIND, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_bytes(q, 1, key.bytes, key.length);
	st = database_row(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	l->id = sqlite3_column_int64(q, 0);
	l->records = sqlite3_column_int64(q, 2);
	l->rendered = sqlite3_column_int64(q, 3);
	l->first_us = sqlite3_column_int64(q, 5);
	l->last_us = sqlite3_column_int64(q, 6);
	l->ended = sqlite3_column_int64(q, 7);
	l->latest = sqlite3_column_int64(q, 9);
	sqlite3_reset(q);
	return l->latest ? read_latest(j, l, why) : STATUS_OK;
}

static enum status add_line(
	struct journal *j, struct view key, struct journal_line *l, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_MATCH_ADD, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_bytes(q, 1, key.bytes, key.length);
	st = database_do(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	l->id = sqlite3_last_insert_rowid(j->db.handle);
	j->matches++;
	return STATUS_OK;
}

enum status journal_line(
	struct journal *j, struct view key, struct journal_line **out, struct why *why)
{
	struct journal_line *set = set_of(j, key);

	for (int i = 0; i < JOURNAL_WAYS; i++)
		if (is_of(&set[i], key)) {
			*out = &set[i];
			return STATUS_OK;
		}
	/* A long key cannot be told from others here: it has one place, so that it is never here twice. */
	struct journal_line *l =
		&set[key.length <= JOURNAL_LINE_KEY ? j->next_way++ % JOURNAL_WAYS : 0];
	enum status st = flush(j, l, why);
	if (st != STATUS_OK)
		return st;
	memset(l, 0, sizeof *l);
	st = read_line(j, key, l, why);
	if (st == STATUS_NOT_FOUND)
		st = add_line(j, key, l, why);
	if (st != STATUS_OK) {
		memset(l, 0, sizeof *l);
		return st;
	}
	l->key_length = key.length;
	if (key.length <= JOURNAL_LINE_KEY)
		memcpy(l->key, key.bytes, key.length);
	*out = l;
	return STATUS_OK;
}

/* ---- runs ---- */

static void keep_run(struct journal *j, int64_t id, const uint8_t run[RUN_BYTES])
{
	j->runs[j->next_run].id = id;
	memcpy(j->runs[j->next_run].run, run, RUN_BYTES);
	j->next_run = (j->next_run + 1) % JOURNAL_RUNS;
}

/* 0 where the identity is unknown. */
enum status journal_run_id(
	struct journal *j, const struct identity *i, int64_t *out, struct why *why)
{
	struct sqlite3_stmt *q;

	*out = 0;
	if (!identity_known(i))
		return STATUS_OK;
	for (int n = 0; n < JOURNAL_RUNS; n++)
		if (j->runs[n].id && !memcmp(j->runs[n].run, i->run, RUN_BYTES)) {
			*out = j->runs[n].id;
			return STATUS_OK;
		}
	enum status st = journal_statement(j, SQL_RUN_OF, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_bytes(q, 1, i->run, RUN_BYTES);
	st = database_row(&j->db, q, why);
	if (st == STATUS_OK) {
		*out = sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
	} else if (st == STATUS_NOT_FOUND) {
		st = journal_statement(j, SQL_RUN_ADD, &q, why);
		if (st != STATUS_OK)
			return st;
		bind_bytes(q, 1, i->run, RUN_BYTES);
		st = database_do(&j->db, q, why);
		*out = sqlite3_last_insert_rowid(j->db.handle);
	}
	if (st == STATUS_OK)
		keep_run(j, *out, i->run);
	return st;
}

enum status journal_run_bytes(
	struct journal *j, int64_t id, uint8_t out[RUN_BYTES], struct why *why)
{
	struct sqlite3_stmt *q;

	memset(out, 0, RUN_BYTES);
	if (!id)
		return STATUS_OK;
	for (int n = 0; n < JOURNAL_RUNS; n++)
		if (j->runs[n].id == id) {
			memcpy(out, j->runs[n].run, RUN_BYTES);
			return STATUS_OK;
		}
	enum status st = journal_statement(j, SQL_RUN_BYTES, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, id);
	st = database_row(&j->db, q, why);
	if (st == STATUS_OK && sqlite3_column_bytes(q, 0) == RUN_BYTES) {
		memcpy(out, sqlite3_column_blob(q, 0), RUN_BYTES);
		keep_run(j, id, out);
	} else if (st == STATUS_OK || st == STATUS_NOT_FOUND) {
		st = fail(why, STATUS_BAD_DATA, "journal '%s': run %lld is missing", j->db.path,
			(long long)id);
	}
	sqlite3_reset(q);
	return st;
}
