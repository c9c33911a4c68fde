/* The tables of spool.db and every statement that is run on them. */
#include "store/spool_private.h"

static const char schema[] =
	"CREATE TABLE state(one INTEGER PRIMARY KEY, next_id INTEGER, visible INTEGER, rows"
	" INTEGER, run INTEGER, seq INTEGER, dropped INTEGER, set_aside INTEGER, letters"
	" INTEGER, refused INTEGER, last_loss_us INTEGER, sum INTEGER, drawn BLOB);"
	"INSERT INTO state VALUES(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, x'');"
	"CREATE TABLE run(id INTEGER PRIMARY KEY, run BLOB NOT NULL UNIQUE);"
	"CREATE TABLE seen(id INTEGER PRIMARY KEY, match BLOB NOT NULL UNIQUE, digest BLOB"
	" NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL, last_row INTEGER NOT NULL,"
	" changed_us INTEGER NOT NULL, met_day INTEGER NOT NULL);"
	"CREATE TABLE row(id INTEGER PRIMARY KEY, seen INTEGER NOT NULL, run INTEGER NOT"
	" NULL, seq INTEGER NOT NULL, prev_run INTEGER NOT NULL, prev_seq INTEGER NOT NULL,"
	" prev_row INTEGER NOT NULL, prev_us INTEGER NOT NULL, fetched_us INTEGER NOT NULL,"
	" sum INTEGER NOT NULL, prev_digest BLOB NOT NULL, match BLOB NOT NULL, body BLOB NOT"
	" NULL);"
	"CREATE TABLE gone(last_row INTEGER PRIMARY KEY, states INTEGER NOT NULL);"
	"CREATE TABLE letter(id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, reason TEXT NOT"
	" NULL, times INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,"
	" length INTEGER NOT NULL, bytes BLOB NOT NULL, match BLOB);"
	"CREATE INDEX letter_sum ON letter(sum);"
	"CREATE TABLE loss(hour INTEGER, kind TEXT, states INTEGER NOT NULL, first_us INTEGER"
	" NOT NULL, last_us INTEGER NOT NULL, PRIMARY KEY(hour, kind)) WITHOUT ROWID;"
	"CREATE TABLE note(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

static const char *const upgrades[] = {
	"ALTER TABLE letter ADD COLUMN match BLOB;",
};

static const char *const sql[SQL_SPOOL_COUNT] = {
	[SQL_STATE_READ] =
		"SELECT next_id, visible, rows, run, seq, dropped, set_aside, letters, refused, last_loss_us,"
		" sum, drawn FROM state WHERE one = 1",
	[SQL_STATE_WRITE] =
		"UPDATE state SET next_id = ?1, visible = ?2, rows = ?3, run = ?4, seq = ?5, dropped = ?6,"
		" set_aside = ?7, letters = ?8, refused = ?9, last_loss_us = ?10, sum = ?11 WHERE one = 1",
	[SQL_STATE_DRAWN] = "UPDATE state SET drawn = ?1 WHERE one = 1",
	[SQL_RUN_OF] = "SELECT id FROM run WHERE run = ?1",
	[SQL_RUN_BYTES] = "SELECT run FROM run WHERE id = ?1",
	[SQL_RUN_ADD] = "INSERT INTO run(run) VALUES(?1)",
	[SQL_RUN_COUNT] = "SELECT count(*) FROM run",
	[SQL_RUN_SWEEP] = "DELETE FROM run WHERE id < ?1 AND id NOT IN (SELECT run FROM seen)",

	[SQL_SEEN_FIND] =
		"SELECT id, run, seq, last_row, changed_us, digest FROM seen WHERE match = ?1",
	[SQL_SEEN_ADD] = "INSERT INTO seen(match, digest, run, seq, last_row, changed_us, met_day)"
			 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_SEEN_SET] =
		"UPDATE seen SET digest = ?2, run = ?3, seq = ?4, last_row = ?5, changed_us = ?6,"
		" met_day = ?7 WHERE id = ?1",
	[SQL_SEEN_BACK] =
		"UPDATE seen SET digest = ?2, run = ?3, seq = ?4, last_row = ?5, changed_us = ?6 WHERE id = ?1",
	[SQL_SEEN_REMOVE] = "DELETE FROM seen WHERE id = ?1",
	[SQL_SEEN_LAST_ROW] = "SELECT last_row FROM seen WHERE id = ?1",
	[SQL_SEEN_AFTER] =
		"SELECT id, met_day, last_row FROM seen WHERE id > ?1 ORDER BY id LIMIT 1",
	[SQL_SEEN_STAMP] = "UPDATE seen SET met_day = ?2 WHERE id = ?1",
	[SQL_SEEN_FORGET] = "DELETE FROM seen WHERE id = ?1 AND last_row <"
			    " (SELECT coalesce(min(id), 9223372036854775807) FROM row)",

	[SQL_ROW_ADD] =
		"INSERT INTO row VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	[SQL_ROW_NEXT] =
		"SELECT id, run, seq, prev_run, prev_seq, prev_row, fetched_us, sum, match, body FROM row"
		" WHERE id > ?1 AND id <= ?2 ORDER BY id",
	[SQL_ROW_NEWEST] =
		"SELECT id, seen, prev_run, prev_seq, prev_row, prev_us, prev_digest FROM row WHERE id > ?1"
		" ORDER BY id DESC LIMIT 1",
	[SQL_ROW_PREV] = "SELECT prev_row FROM row WHERE id = ?1",
	[SQL_ROW_REMOVE] = "DELETE FROM row WHERE id = ?1",
	[SQL_ROWS_REMOVE] = "DELETE FROM row WHERE id BETWEEN ?1 AND ?2",
	[SQL_ROW_OLDEST] = "SELECT fetched_us FROM row WHERE id <= ?1 ORDER BY id LIMIT 1",
	[SQL_ROW_CANDIDATE] =
		"SELECT id, seen, prev_row FROM row WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 1",
	[SQL_ROW_LETTER] =
		"SELECT prev_row, match, substr(body, 1, 2048), length(body) FROM row WHERE id = ?1",
	[SQL_ROWS_COUNT] = "SELECT count(*) FROM row WHERE id <= ?1",
	[SQL_PENDING_COUNT] = "SELECT count(*) FROM row WHERE id > ?1",

	[SQL_GONE_READ] = "SELECT states FROM gone WHERE last_row = ?1",
	[SQL_GONE_MOVE] = "UPDATE gone SET last_row = ?2, states = states + ?3 WHERE last_row = ?1",
	[SQL_GONE_ADD] = "INSERT INTO gone VALUES(?1, ?2)",
	[SQL_GONE_CLAIMED] =
		"DELETE FROM gone WHERE last_row IN (SELECT prev_row FROM row WHERE id BETWEEN ?1 AND ?2)",
	[SQL_GONE_ANY] = "SELECT EXISTS (SELECT 1 FROM gone)",

	[SQL_LETTER_FIND] =
		"SELECT id FROM letter WHERE sum = ?1 AND length = ?2 AND reason = ?3 AND bytes = ?4"
		" AND match IS NULL",
	[SQL_LETTER_ADD] =
		"INSERT INTO letter(sum, reason, times, first_us, last_us, length, bytes, match)"
		" VALUES(?1, ?2, 1, ?3, ?3, ?4, ?5, ?6)",
	[SQL_LETTER_PRUNE] = "DELETE FROM letter WHERE id <= ?1",
	[SQL_LETTER_AGAIN] =
		"UPDATE letter SET times = times + ?2, last_us = max(last_us, ?3) WHERE id = ?1",
	[SQL_LETTER_EACH] =
		"SELECT last_us, times, reason, bytes, length, match FROM letter ORDER BY id",
	[SQL_LOSS_ADD] =
		"INSERT INTO loss VALUES(?1, ?2, ?3, ?4, ?4) ON CONFLICT(hour, kind) DO UPDATE SET"
		" states = states + excluded.states, last_us = excluded.last_us",
	[SQL_LOSS_PRUNE] =
		"DELETE FROM loss WHERE hour < (SELECT hour FROM loss ORDER BY hour DESC LIMIT 1 OFFSET 2000)",
	[SQL_NOTE_GET] = "SELECT value FROM note WHERE name = ?1",
	[SQL_NOTE_SET] =
		"INSERT INTO note VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
};

_Static_assert((int)SQL_SPOOL_COUNT <= (int)DATABASE_STATEMENTS,
	"struct database holds too few statements");

const struct database_kind spool_database = {
	.name = "spool",
	.application_id = 0x53427370, /* "SBsp" */
	.version = 2,
	.schema = schema,
	.upgrades = upgrades,
	.sql = sql,
	.cache_kib = 256,
};
