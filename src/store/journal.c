#include "store/journal_private.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char schema[] =
	"CREATE TABLE meta(one INTEGER PRIMARY KEY, name TEXT NOT NULL, number INTEGER NOT NULL, records INTEGER NOT NULL,"
	" duplicates INTEGER NOT NULL, errors INTEGER NOT NULL, gaps INTEGER NOT NULL);"
	"CREATE TABLE generation(id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, topic TEXT NOT NULL, topic_id TEXT NOT NULL);"
	"CREATE TABLE position(generation INTEGER, partition INTEGER, next_offset INTEGER NOT NULL,"
	" anchor_offset INTEGER NOT NULL, anchor_crc INTEGER, PRIMARY KEY(generation, partition)) WITHOUT ROWID;"
	"CREATE TABLE run(id INTEGER PRIMARY KEY, run BLOB NOT NULL UNIQUE);"
	"CREATE TABLE match(id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, records INTEGER NOT NULL,"
	" rendered INTEGER NOT NULL, file TEXT NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,"
	" latest INTEGER NOT NULL, ended INTEGER NOT NULL, tombstones INTEGER NOT NULL);"
	"CREATE INDEX match_file ON match(file COLLATE NOCASE) WHERE file <> '';"
	"CREATE TABLE record(id INTEGER PRIMARY KEY, match INTEGER NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL,"
	" order_us INTEGER NOT NULL, ce_us INTEGER NOT NULL, kafka_us INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" prev_run INTEGER NOT NULL, prev_seq INTEGER NOT NULL, dropped INTEGER NOT NULL, number INTEGER NOT NULL,"
	" sum INTEGER NOT NULL, event_id BLOB NOT NULL, body BLOB NOT NULL);"
	"CREATE INDEX record_state ON record(match, run, seq);"
	"CREATE TABLE tombstone(id INTEGER PRIMARY KEY, key BLOB NOT NULL, file TEXT NOT NULL, records INTEGER NOT NULL,"
	" left_us INTEGER NOT NULL, purged INTEGER NOT NULL);"
	"CREATE INDEX tombstone_key ON tombstone(key);"
	"CREATE INDEX tombstone_file ON tombstone(file COLLATE NOCASE) WHERE file <> '';"
	"CREATE INDEX tombstone_unpurged ON tombstone(id) WHERE purged = 0;"
	"CREATE TABLE gap(generation INTEGER, partition INTEGER, from_offset INTEGER, to_offset INTEGER NOT NULL,"
	" at_us INTEGER NOT NULL, PRIMARY KEY(generation, partition, from_offset)) WITHOUT ROWID;"
	"CREATE TABLE error(number INTEGER PRIMARY KEY, place INTEGER NOT NULL UNIQUE, kafka_us INTEGER NOT NULL,"
	" reason TEXT NOT NULL, key BLOB NOT NULL, bytes BLOB NOT NULL);";

#define MATCH_COLUMNS "id, key, records, rendered, file, first_us, last_us, ended, tombstones"

static const char *const sql[SQL_JOURNAL_COUNT] = {
	[SQL_META_READ] =
		"SELECT name, number, records, duplicates, errors, gaps FROM meta WHERE one = 1",
	[SQL_META_WRITE] =
		"UPDATE meta SET number = ?1, records = ?2, duplicates = ?3, errors = ?4, gaps = ?5 WHERE one = 1",
	[SQL_META_NAME] = "INSERT INTO meta VALUES(1, ?1, 0, 0, 0, 0, 0)",

	[SQL_GENERATION_FIND] =
		"SELECT id FROM generation WHERE cluster = ?1 AND topic = ?2 AND topic_id = ?3"
		" ORDER BY id DESC LIMIT 1",
	[SQL_GENERATION_ADD] = "INSERT INTO generation VALUES(?4, ?1, ?2, ?3)",
	[SQL_GENERATION_RENEW] =
		"INSERT INTO generation SELECT ?2, cluster, topic, topic_id FROM generation WHERE id = ?1",
	[SQL_GENERATION_TOP] = "SELECT coalesce(max(id), 0) FROM generation",
	[SQL_POSITION_READ] =
		"SELECT next_offset, anchor_offset, anchor_crc FROM position WHERE generation = ?1 AND"
		" partition = ?2",
	[SQL_POSITION_WRITE] = "INSERT OR REPLACE INTO position VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_POSITION_ANY] = "SELECT EXISTS (SELECT 1 FROM position WHERE generation = ?1)",

	[SQL_RUN_OF] = "SELECT id FROM run WHERE run = ?1",
	[SQL_RUN_ADD] = "INSERT INTO run(run) VALUES(?1)",
	[SQL_RUN_BYTES] = "SELECT run FROM run WHERE id = ?1",

	[SQL_MATCH_FIND] = "SELECT " MATCH_COLUMNS ", latest FROM match WHERE key = ?1",
	[SQL_MATCH_BY_ID] = "SELECT " MATCH_COLUMNS ", latest FROM match WHERE id = ?1",
	[SQL_MATCH_ADD] =
		"INSERT INTO match(key, records, rendered, file, first_us, last_us, latest, ended, tombstones)"
		" VALUES(?1, 0, 0, '', 0, 0, 0, 0, (SELECT count(*) FROM tombstone WHERE key = ?1 AND file <> ''))",
	[SQL_MATCH_SET] =
		"UPDATE match SET records = ?2, first_us = ?3, last_us = ?4, latest = ?5, ended = ?6 WHERE id = ?1",
	[SQL_MATCH_COUNTS] = "SELECT count(*), coalesce(sum(records > rendered), 0) FROM match",
	[SQL_MATCH_EACH] = "SELECT " MATCH_COLUMNS " FROM match ORDER BY last_us DESC, id DESC",
	[SQL_MATCH_UNRENDERED] =
		"SELECT " MATCH_COLUMNS
		" FROM match WHERE records > rendered ORDER BY last_us DESC, id DESC",
	[SQL_MATCH_TAKEN] =
		"SELECT 1 FROM match WHERE file = ?1 COLLATE NOCASE AND file <> '' AND id <> ?2 UNION ALL"
		" SELECT 1 FROM tombstone WHERE file = ?1 COLLATE NOCASE AND file <> '' AND id <> ?2 LIMIT 1",
	[SQL_MATCH_RENDERED] = "UPDATE match SET rendered = ?2, file = ?3 WHERE id = ?1",
	[SQL_MATCH_FORGET] = "UPDATE match SET rendered = 0 WHERE rendered <> 0",
	[SQL_MATCH_MAY_LEAVE] =
		"SELECT id FROM match WHERE records = rendered AND (ended OR last_us < ?1)"
		" ORDER BY last_us, id LIMIT 1",
	[SQL_MATCH_REMOVE] = "DELETE FROM match WHERE id = ?1",

	[SQL_RECORD_ADD] =
		"INSERT INTO record VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
	[SQL_RECORD_HAS] = "SELECT 1 FROM record WHERE id = ?1",
	[SQL_RECORD_GET] =
		"SELECT id, run, seq, order_us, ce_us, kafka_us, flags, prev_run, prev_seq, dropped, number, sum,"
		" event_id, body FROM record WHERE id = ?1",
	[SQL_RECORD_TAIL] =
		"SELECT seq, order_us FROM record WHERE match = ?1 AND run = ?2 ORDER BY seq DESC LIMIT 1",
	[SQL_RECORD_STATE] =
		"SELECT order_us FROM record WHERE match = ?1 AND run = ?2 AND seq = ?3 LIMIT 1",
	[SQL_RECORD_BEFORE] =
		"SELECT order_us FROM record WHERE match = ?1 AND run = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT 1",
	[SQL_RECORD_LIFT] =
		"UPDATE record SET order_us = ?4 WHERE match = ?1 AND run = ?2 AND seq > ?3 AND order_us < ?4",
	[SQL_RECORD_LATEST] =
		"SELECT id, order_us, run, seq, flags FROM record WHERE match = ?1 AND flags & 1 = 0"
		" ORDER BY order_us DESC, run DESC, seq DESC, id DESC LIMIT 1",
	[SQL_RECORD_PURGE] =
		"DELETE FROM record WHERE id IN (SELECT id FROM record WHERE match = ?1 LIMIT 256)",

	[SQL_TOMB_ADD] =
		"INSERT INTO tombstone SELECT id, key, file, records, ?2, 0 FROM match WHERE id = ?1",
	[SQL_TOMB_UNPURGED] = "SELECT id FROM tombstone WHERE purged = 0 ORDER BY id LIMIT 1",
	[SQL_TOMB_PURGED] = "UPDATE tombstone SET purged = 1 WHERE id = ?1",

	[SQL_GAP_ADD] = "INSERT OR IGNORE INTO gap VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_GAP_EACH] =
		"SELECT generation, partition, from_offset, to_offset, at_us FROM gap ORDER BY 1, 2, 3",
	[SQL_ERROR_ADD] =
		"INSERT INTO error(place, kafka_us, reason, key, bytes) VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_ERROR_HAS] = "SELECT 1 FROM error WHERE place = ?1",
	[SQL_ERROR_PRUNE] = "DELETE FROM error WHERE number <= ?1",
	[SQL_ERROR_EACH] = "SELECT place, kafka_us, reason, key, bytes FROM error ORDER BY number",
};

_Static_assert((int)SQL_JOURNAL_COUNT <= (int)DATABASE_STATEMENTS,
	"struct database holds too few statements");

static const struct database_kind journal_kind = {
	.name = "journal",
	.application_id = 0x53426a6e, /* "SBjn" */
	.version = 1,
	.schema = schema,
	.sql = sql,
	.cache_kib = 768,
};

enum status journal_alive(const struct journal *j, struct why *why)
{
	return j->dead ? fail(why, STATUS_FATAL, "the journal must be opened anew: %s",
				 j->died_of.text)
		       : STATUS_OK;
}

enum status journal_statement(
	struct journal *j, enum journal_sql which, struct sqlite3_stmt **out, struct why *why)
{
	return database_statement(&j->db, which, out, why);
}

static void forget_all(struct journal *j)
{
	j->now = j->saved;
	j->matches = j->saved_matches;
	j->unrendered = j->saved_unrendered;
	j->staged_bytes = j->staged_records = 0;
	j->place_count = 0;
	journal_forget_lines(j);
	memset(j->runs, 0, sizeof j->runs);
}

void journal_undo(struct journal *j)
{
	for (unsigned i = 0; i < DATABASE_STATEMENTS; i++)
		if (j->db.statements[i])
			sqlite3_reset(j->db.statements[i]);
	database_rollback(&j->db);
	forget_all(j);
}

enum status journal_broke(struct journal *j, enum status status, const struct why *why)
{
	if (j->reader)
		return status;
	journal_undo(j);
	if (j->begun)
		j->batch_status = status;
	if (status == STATUS_IO || status == STATUS_FATAL) {
		j->dead = true;
		j->died_of = why ? *why : (struct why){"the disk failed"};
	} else if (status == STATUS_FULL) {
		room_card_is_full(&j->room, &j->db);
	}
	return status;
}

enum status journal_txn(struct journal *j, struct why *why)
{
	enum status st = STATUS_OK;

	if (database_in_transaction(&j->db))
		return STATUS_OK;
	if (j->db.wal_pages >= j->room.checkpoint_pages)
		st = database_checkpoint(&j->db, why);
	if (st == STATUS_OK)
		st = database_begin(&j->db, why);
	return st == STATUS_OK ? st : journal_broke(j, st, why);
}

static enum status write_meta(struct journal *j, struct why *why)
{
	struct sqlite3_stmt *q;

	if (!memcmp(&j->now, &j->saved, sizeof j->now))
		return STATUS_OK;
	enum status st = journal_statement(j, SQL_META_WRITE, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, j->now.number);
	bind_number(q, 2, j->now.records);
	bind_number(q, 3, j->now.duplicates);
	bind_number(q, 4, j->now.errors);
	bind_number(q, 5, j->now.gaps);
	return database_do(&j->db, q, why);
}

enum status journal_save_now(struct journal *j, struct why *why)
{
	enum status st;

	if (!database_in_transaction(&j->db))
		return STATUS_OK;
	st = journal_flush_lines(j, why);
	if (st == STATUS_OK)
		st = journal_flush_places(j, why);
	if (st == STATUS_OK)
		st = write_meta(j, why);
	if (st == STATUS_OK)
		st = room_refresh(&j->room, &j->db, why);
	if (st == STATUS_OK)
		st = database_commit(&j->db, why);
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	j->saved = j->now;
	j->saved_matches = j->matches;
	j->saved_unrendered = j->unrendered;
	j->staged_bytes = j->staged_records = 0;
	return STATUS_OK;
}

enum status journal_save(struct journal *j, struct why *why)
{
	return j->begun ? STATUS_OK : journal_save_now(j, why);
}

static enum status read_meta(struct journal *j, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_META_READ, &q, why);

	if (st == STATUS_OK)
		st = database_row(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	const char *name = (const char *)sqlite3_column_text(q, 0);
	snprintf(j->name, sizeof j->name, "%s", name ? name : "");
	j->now = (struct journal_counts){
		.number = sqlite3_column_int64(q, 1),
		.records = sqlite3_column_int64(q, 2),
		.duplicates = sqlite3_column_int64(q, 3),
		.errors = sqlite3_column_int64(q, 4),
		.gaps = sqlite3_column_int64(q, 5),
	};
	sqlite3_reset(q);
	j->saved = j->now;
	return STATUS_OK;
}

static enum status draw_name(struct journal *j, struct why *why)
{
	struct sqlite3_stmt *q;
	uint8_t bytes[RUN_BYTES];
	char name[2 * RUN_BYTES + 1];

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return fail_errno(why, STATUS_IO, "draw a name for the journal");
	for (int i = 0; i < RUN_BYTES; i++)
		snprintf(name + 2 * i, 3, "%02x", bytes[i]);
	enum status st = journal_txn(j, why);
	if (st == STATUS_OK)
		st = journal_statement(j, SQL_META_NAME, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_text(q, 1, name);
	st = database_do(&j->db, q, why);
	if (st == STATUS_OK)
		st = database_commit(&j->db, why);
	return st == STATUS_OK ? read_meta(j, why) : st;
}

static enum status start(struct journal *j, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = read_meta(j, why);

	if (st == STATUS_NOT_FOUND && !j->reader)
		st = draw_name(j, why);
	if (st == STATUS_OK)
		st = journal_statement(j, SQL_MATCH_COUNTS, &q, why);
	if (st == STATUS_OK)
		st = database_row(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	j->matches = j->saved_matches = sqlite3_column_int64(q, 0);
	j->unrendered = j->saved_unrendered = sqlite3_column_int64(q, 1);
	sqlite3_reset(q);
	return STATUS_OK;
}

static enum status open_once(struct journal *j, const char *path, uint64_t max_bytes,
	struct journal_opening *opening, struct why *why)
{
	char *aside = opening->set_aside;
	enum status st = aside[0] ? database_open(&j->db, path, &journal_kind, DATABASE_SHARED, why)
				  : database_open_or_renew(&j->db, path, &journal_kind,
					    DATABASE_SHARED, aside, why);

	if (st == STATUS_OK)
		st = room_setup(&j->room, &j->db, max_bytes, 2, 8, why);
	return st == STATUS_OK ? start(j, why) : st;
}

enum status journal_open(struct journal **out, const char *path, uint64_t max_bytes,
	struct journal_opening *opening, struct why *why)
{
	struct journal *j = calloc(1, sizeof *j);

	if (!j)
		return fail(why, STATUS_NO_MEMORY, "open journal '%s': out of memory", path);
	memset(opening, 0, sizeof *opening);
	buffer_init(&j->latest, SIZE_MAX / 2);
	enum status st = open_once(j, path, max_bytes, opening, why);
	/* Damage that only the first real use has shown. */
	if (st == STATUS_FATAL && !opening->set_aside[0]) {
		database_close(&j->db);
		j->dead = false;
		st = database_put_aside(path, opening->set_aside, why);
		if (st == STATUS_OK)
			st = open_once(j, path, max_bytes, opening, why);
	}
	if (st != STATUS_OK) {
		journal_close(j);
		return st;
	}
	opening->created = j->db.created;
	*out = j;
	return STATUS_OK;
}

enum status journal_open_reader(struct journal **out, const char *path, struct why *why)
{
	struct journal *j = calloc(1, sizeof *j);

	if (!j)
		return fail(why, STATUS_NO_MEMORY, "open journal '%s': out of memory", path);
	j->reader = true;
	buffer_init(&j->latest, SIZE_MAX / 2);
	enum status st = database_open(&j->db, path, &journal_kind, DATABASE_READER, why);
	if (st == STATUS_OK)
		st = start(j, why);
	if (st == STATUS_NOT_FOUND)
		st = fail(why, STATUS_NOT_FOUND, "journal '%s' is not there, or empty", path);
	if (st != STATUS_OK) {
		journal_close(j);
		return st;
	}
	*out = j;
	return STATUS_OK;
}

/* An open batch is not committed: its owner did not ask for it. */
void journal_close(struct journal *j)
{
	if (!j)
		return;
	database_close(&j->db);
	buffer_done(&j->latest);
	free(j->places);
	free(j);
}

const char *journal_name(const struct journal *j)
{
	return j->name;
}

void journal_figures(const struct journal *j, struct journal_figures *out)
{
	*out = (struct journal_figures){
		.records = (uint64_t)j->now.records,
		.matches = (uint64_t)j->matches,
		.bytes = room_used_bytes(&j->room),
		.max_bytes = room_most_bytes(&j->room),
		.duplicates = (uint64_t)j->now.duplicates,
		.errors = (uint64_t)j->now.errors,
		.gaps = (uint64_t)j->now.gaps,
		.unrendered = (uint64_t)j->unrendered,
	};
}
