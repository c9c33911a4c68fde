/* journal_private.h - what the files of the journal share; see journal.h for what it promises.
 *
 * Tables of journal.db:
 *
 *	meta       one line: the journal's name and counters
 *	generation small number ↔ (cluster, topic, topic id);  position: next offset and anchor of a partition
 *	run        16 random bytes ↔ small number
 *	match      key, counts, file, and the record that is its latest
 *	record     rowid = generation | partition | offset; index (match, run, seq)
 *	tombstone  matches that left; purged = 0 while their records are still being deleted
 *	gap, error
 */
#pragma once
#include "store/database.h"
#include "store/journal.h"
#include "store/room.h"

enum {
	JOURNAL_KEY_BYTES = 512,
	JOURNAL_FILE_BYTES = 512,
	JOURNAL_EVENT_BYTES = 128,
	JOURNAL_ERROR_BYTES = 256,
	JOURNAL_ERRORS = 10000, /* the newest stay */
	JOURNAL_LINES = 256,	/* matches in memory, in sets of JOURNAL_WAYS by hash of the key */
	JOURNAL_WAYS = 4,
	JOURNAL_LINE_KEY = 64,
	JOURNAL_RUNS = 8,
	JOURNAL_GENERATIONS = 255,
};
enum { RECORD_DUPLICATE = 1, RECORD_ENDED = 2 };

enum journal_sql {
	SQL_META_READ,
	SQL_META_WRITE,
	SQL_META_NAME,
	SQL_GENERATION_FIND,
	SQL_GENERATION_NAME,
	SQL_GENERATION_ADD,
	SQL_GENERATION_RENEW,
	SQL_GENERATION_TOP,
	SQL_POSITION_READ,
	SQL_POSITION_WRITE,
	SQL_POSITION_ANY,
	SQL_POSITION_GUESS,
	SQL_RUN_OF,
	SQL_RUN_ADD,
	SQL_RUN_BYTES,
	SQL_MATCH_FIND,
	SQL_MATCH_BY_ID,
	SQL_MATCH_ADD,
	SQL_MATCH_SET,
	SQL_MATCH_COUNTS,
	SQL_MATCH_EACH,
	SQL_MATCH_UNRENDERED,
	SQL_MATCH_TAKEN,
	SQL_MATCH_RENDERED,
	SQL_MATCH_FORGET,
	SQL_MATCH_MAY_LEAVE,
	SQL_MATCH_REMOVE,
	SQL_RECORD_ADD,
	SQL_RECORD_HAS,
	SQL_RECORD_GET,
	SQL_RECORD_TAIL,
	SQL_RECORD_STATE,
	SQL_RECORD_BEFORE,
	SQL_RECORD_LIFT,
	SQL_RECORD_LATEST,
	SQL_RECORD_PURGE,
	SQL_TOMB_ADD,
	SQL_TOMB_UNPURGED,
	SQL_TOMB_PURGED,
	SQL_GAP_ADD,
	SQL_GAP_EACH,
	SQL_ERROR_ADD,
	SQL_ERROR_HAS,
	SQL_ERROR_PRUNE,
	SQL_ERROR_EACH,
	SQL_JOURNAL_COUNT
};

/* The line of table `meta`. */
struct journal_counts {
	int64_t number, records, duplicates, errors, gaps;
};

/* A match being written; flushed to its table before every commit. */
struct journal_line {
	int64_t id; /* 0: slot is empty */
	size_t key_length;
	char key[JOURNAL_LINE_KEY]; /* longer keys are looked up each time */
	int64_t records, rendered, first_us, last_us;
	int64_t latest, latest_us, latest_run, latest_seq;
	bool ended, dirty;
	/* The highest seq of the runs seen last: a higher one is neither duplicate nor late. */
	struct {
		int64_t run, seq, order_us;
	} tails[2];
	unsigned next_tail;
};

struct journal_place {
	unsigned generation;
	int partition;
	bool dirty;
	struct journal_position position;
};

struct journal {
	struct database db;
	struct room room;
	bool reader;
	char name[2 * RUN_BYTES + 1];

	struct journal_counts now, saved;
	int64_t matches, unrendered, saved_matches, saved_unrendered;

	bool dead;
	struct why died_of;
	bool begun;		  /* between journal_begin and _commit */
	enum status batch_status; /* not OK: the batch is lost */
	uint64_t staged_bytes, staged_records;

	struct journal_place *places;
	size_t place_count, place_capacity, place_last;
	struct journal_line lines[JOURNAL_LINES];
	unsigned next_way;
	struct {
		int64_t id;
		uint8_t run[RUN_BYTES];
	} runs[JOURNAL_RUNS];
	unsigned next_run;

	char key[JOURNAL_KEY_BYTES], file[JOURNAL_FILE_BYTES]; /* journal_match_of's */
	struct buffer latest;				       /* journal_latest's */
};

/* ---- journal_sql.c ---- */
extern const struct database_kind journal_database;

/* ---- journal.c ---- */
enum status journal_alive(const struct journal *j, struct why *why) MUST_CHECK;
enum status journal_txn(struct journal *j, struct why *why) MUST_CHECK;
/* Commits unless a batch is open, which does it later. */
enum status journal_save(struct journal *j, struct why *why) MUST_CHECK;
enum status journal_save_now(struct journal *j, struct why *why) MUST_CHECK;
/* Takes the open transaction back, and what memory knows of it. */
void journal_undo(struct journal *j);
/* Every failure of the database passes here. Returns `status`. */
enum status journal_broke(struct journal *j, enum status status, const struct why *why);
enum status journal_statement(struct journal *j, enum journal_sql which, struct sqlite3_stmt **out,
	struct why *why) MUST_CHECK;

/* ---- journal_place.c ---- */
int64_t journal_rowid(unsigned generation, int partition, int64_t offset);
enum status journal_check_place(
	unsigned generation, int partition, int64_t offset, struct why *why) MUST_CHECK;
/* The partition's entry; lives until the next call. */
enum status journal_place(struct journal *j, unsigned generation, int partition,
	struct journal_place **out, struct why *why) MUST_CHECK;
void journal_move(struct journal_place *p, int64_t next_offset);
enum status journal_flush_places(struct journal *j, struct why *why) MUST_CHECK;

/* ---- journal_line.c ---- */
enum status journal_line(
	struct journal *j, struct view key, struct journal_line **out, struct why *why) MUST_CHECK;
enum status journal_flush_lines(struct journal *j, struct why *why) MUST_CHECK;
void journal_forget_lines(struct journal *j);
enum status journal_run_id(
	struct journal *j, const struct identity *i, int64_t *out, struct why *why) MUST_CHECK;
/* STATUS_BAD_DATA: no such run. */
enum status journal_run_bytes(
	struct journal *j, int64_t id, uint8_t out[RUN_BYTES], struct why *why) MUST_CHECK;

/* ---- journal_order.c ---- */
/* What is found out about a record before it is written. */
struct journal_arrival {
	int64_t rowid, run, prev_run, order_us;
	bool duplicate;
	bool late; /* states of its run with a higher seq are here already */
	bool here; /* this very record is here already */
	uint32_t sum;
};
enum status journal_find_place(struct journal *j, struct journal_line *l,
	const struct journal_record *r, struct journal_arrival *a, struct why *why) MUST_CHECK;
bool journal_is_later(const struct journal_line *l, const struct journal_arrival *a, int64_t seq);
enum status journal_lift_successors(struct journal *j, struct journal_line *l, int64_t seq,
	const struct journal_arrival *a, struct why *why) MUST_CHECK;
/* Sets latest* and last_us from the records; latest is 0 where there are none. */
enum status journal_find_latest(
	struct journal *j, struct journal_line *l, struct why *why) MUST_CHECK;
/* The first two numbers of the row that statement `which` finds; STATUS_NOT_FOUND: none. */
enum status journal_look_up(struct journal *j, enum journal_sql which, const int64_t *keys,
	int count, int64_t out[2], struct why *why) MUST_CHECK;
