/* The tables of journal.db and every statement that is run on them. */
#include "store/journal_private.h"

static const char schema[] =
	"CREATE TABLE meta(one INTEGER PRIMARY KEY, name TEXT NOT NULL, number INTEGER NOT"
	" NULL, records INTEGER NOT NULL, duplicates INTEGER NOT NULL, errors INTEGER NOT"
	" NULL, gaps INTEGER NOT NULL);"
	"CREATE TABLE generation(id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, topic TEXT"
	" NOT NULL, topic_id TEXT NOT NULL);"
	"CREATE TABLE position(generation INTEGER, partition INTEGER, next_offset INTEGER NOT"
	" NULL, anchor_offset INTEGER NOT NULL, anchor_crc INTEGER, sum INTEGER NOT NULL,"
	" PRIMARY KEY(generation, partition)) WITHOUT ROWID;"
	"CREATE TABLE run(id INTEGER PRIMARY KEY, run BLOB NOT NULL UNIQUE);"
	"CREATE TABLE match(id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE,"
	" records INTEGER NOT NULL, rendered INTEGER NOT NULL, file TEXT NOT NULL, first_us"
	" INTEGER NOT NULL, last_us INTEGER NOT NULL, latest INTEGER NOT NULL, ended INTEGER"
	" NOT NULL, tombstones INTEGER NOT NULL);"
	"CREATE INDEX match_file ON match(file COLLATE NOCASE) WHERE file <> '';"
	"CREATE TABLE record(id INTEGER PRIMARY KEY, match INTEGER NOT NULL, run INTEGER NOT"
	" NULL, seq INTEGER NOT NULL, order_us INTEGER NOT NULL, ce_us INTEGER NOT NULL,"
	" kafka_us INTEGER NOT NULL, flags INTEGER NOT NULL, prev_run INTEGER NOT NULL,"
	" prev_seq INTEGER NOT NULL, dropped INTEGER NOT NULL, number INTEGER NOT NULL, sum"
	" INTEGER NOT NULL, event_id BLOB NOT NULL, body BLOB NOT NULL);"
	"CREATE INDEX record_state ON record(match, run, seq);"
	"CREATE TABLE tombstone(id INTEGER PRIMARY KEY, key BLOB NOT NULL, file TEXT NOT"
	" NULL, records INTEGER NOT NULL, left_us INTEGER NOT NULL, purged INTEGER NOT NULL);"
	"CREATE INDEX tombstone_key ON tombstone(key);"
	"CREATE INDEX tombstone_file ON tombstone(file COLLATE NOCASE) WHERE file <> '';"
	"CREATE INDEX tombstone_unpurged ON tombstone(id) WHERE purged = 0;"
	"CREATE TABLE gap(generation INTEGER, partition INTEGER, from_offset INTEGER,"
	" to_offset INTEGER NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY(generation,"
	" partition, from_offset)) WITHOUT ROWID;"
	"CREATE TABLE error(number INTEGER PRIMARY KEY, place INTEGER NOT NULL UNIQUE,"
	" kafka_us INTEGER NOT NULL, reason TEXT NOT NULL, key BLOB NOT NULL, bytes BLOB NOT"
	" NULL);";

#define MATCH_COLUMNS "id, key, records, rendered, file, first_us, last_us, ended, tombstones"

static const char *const sql[SQL_JOURNAL_COUNT] = {
	[SQL_META_READ] =
		"SELECT name, number, records, duplicates, errors, gaps FROM meta WHERE one = 1",
	[SQL_META_WRITE] =
		"UPDATE meta SET number = ?1, records = ?2, duplicates = ?3, errors = ?4, gaps = ?5 WHERE one = 1",
	[SQL_META_NAME] = "INSERT INTO meta VALUES(1, ?1, 0, 0, 0, 0, 0)",

	[SQL_GENERATION_FIND] =
		"SELECT id FROM generation WHERE cluster = ?1 AND topic = ?2 AND (topic_id = ?3 OR ?3 = '' OR"
		" topic_id = '') ORDER BY id DESC LIMIT 1",
	[SQL_GENERATION_NAME] =
		"UPDATE generation SET topic_id = ?2 WHERE id = ?1 AND topic_id = ''",
	[SQL_GENERATION_ADD] = "INSERT INTO generation VALUES(?4, ?1, ?2, ?3)",
	[SQL_GENERATION_RENEW] =
		"INSERT INTO generation SELECT ?2, cluster, topic, '' FROM generation WHERE id = ?1",
	[SQL_GENERATION_TOP] = "SELECT coalesce(max(id), 0) FROM generation",
	[SQL_POSITION_READ] =
		"SELECT next_offset, anchor_offset, anchor_crc, sum FROM position WHERE generation = ?1 AND"
		" partition = ?2",
	[SQL_POSITION_WRITE] = "INSERT OR REPLACE INTO position VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_POSITION_GUESS] = "SELECT max(id) FROM record WHERE id BETWEEN ?1 AND ?2",
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
	[SQL_MATCH_EACH] = "SELECT " MATCH_COLUMNS " FROM match ORDER BY last_us DESC, key",
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
		"INSERT OR IGNORE INTO record VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
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
		"INSERT OR IGNORE INTO error(place, kafka_us, reason, key, bytes) VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_ERROR_HAS] = "SELECT 1 FROM error WHERE place = ?1",
	[SQL_ERROR_PRUNE] = "DELETE FROM error WHERE number <= ?1",
	[SQL_ERROR_EACH] = "SELECT place, kafka_us, reason, key, bytes FROM error ORDER BY number",
};

_Static_assert((int)SQL_JOURNAL_COUNT <= (int)DATABASE_STATEMENTS,
	"struct database holds too few statements");

const struct database_kind journal_database = {
	.name = "journal",
	.application_id = 0x53426a6e, /* "SBjn" */
	.version = 1,
	.schema = schema,
	.sql = sql,
	.cache_kib = 384,
};
