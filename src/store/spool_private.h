/* spool_private.h - what the files of the spool share; see spool.h for what it promises.
 *
 * Tables of spool.db:
 *
 *	state   one line: next id, highest visible id, counters, the run. Rewritten with each commit
 *	run     16 random bytes ↔ small number
 *	seen    a line per match: digest and identity of its newest state (pending ones included), and the
 *	        id of the row that carries it
 *	row     what waits; prev_* is what `seen` said before, so that a broken page can be taken back
 *	gone    dropped states not yet told: keyed by the newest dropped row, claimed by the row whose
 *	        prev_row it is
 *	letter  dead letters; match: of a state that was refused, NULL where there never was one
 *	loss    losses by hour and kind;  note: the poller's small facts
 */
#pragma once
#include "store/database.h"
#include "store/room.h"
#include "store/spool.h"

enum {
	SPOOL_COMMIT_ROWS = 256,
	SPOOL_DELIVERED = 4000,
	SPOOL_FREE_ROWS = 1000, /* freed in one commit */
	SPOOL_MATCH_BYTES = 512,
	SPOOL_LETTER_BYTES = 2048,
	SPOOL_REPEATS = 32,
	SPOOL_RUNS = 8,
};

/* The numbers of the statements in spool.c. */
enum spool_sql {
	SQL_STATE_READ,
	SQL_STATE_WRITE,
	SQL_STATE_DRAWN,
	SQL_RUN_OF,
	SQL_RUN_BYTES,
	SQL_RUN_ADD,
	SQL_RUN_COUNT,
	SQL_RUN_SWEEP,
	SQL_SEEN_FIND,
	SQL_SEEN_ADD,
	SQL_SEEN_SET,
	SQL_SEEN_BACK,
	SQL_SEEN_REMOVE,
	SQL_SEEN_LAST_ROW,
	SQL_SEEN_AFTER,
	SQL_SEEN_STAMP,
	SQL_SEEN_FORGET,
	SQL_ROW_ADD,
	SQL_ROW_NEXT,
	SQL_ROW_NEWEST,
	SQL_ROW_PREV,
	SQL_ROW_REMOVE,
	SQL_ROWS_REMOVE,
	SQL_ROW_OLDEST,
	SQL_ROW_CANDIDATE,
	SQL_ROW_LETTER,
	SQL_ROWS_COUNT,
	SQL_PENDING_COUNT,
	SQL_GONE_READ,
	SQL_GONE_MOVE,
	SQL_GONE_ADD,
	SQL_GONE_CLAIMED,
	SQL_GONE_ANY,
	SQL_LETTER_FIND,
	SQL_LETTER_ADD,
	SQL_LETTER_PRUNE,
	SQL_LETTER_AGAIN,
	SQL_LETTER_EACH,
	SQL_LOSS_ADD,
	SQL_LOSS_PRUNE,
	SQL_NOTE_GET,
	SQL_NOTE_SET,
	SQL_SPOOL_COUNT
};

/* The line of table `state`. */
struct spool_state {
	int64_t next_id, visible, rows;
	int64_t run, seq; /* run: its small number */
	int64_t dropped, set_aside, letters, refused, last_loss_us;
};

/* One bit a match, by its id in `seen`. */
struct bits {
	uint8_t *bytes;
	size_t count;
};

/* The line of `seen` that was looked up last. */
struct seen_line {
	bool valid, known;
	size_t match_length;
	char match[SPOOL_MATCH_BYTES];
	int64_t id, run, seq, last_row, changed_us;
	uint8_t digest[SEEN_DIGEST_BYTES];
};

struct spool {
	struct database db;
	struct room room;
	enum spool_full_policy policy;
	struct spool_state now, saved; /* saved: as of the last commit */
	uint8_t run[RUN_BYTES];
	struct {
		int64_t id;
		uint8_t run[RUN_BYTES];
	} runs[SPOOL_RUNS];
	unsigned next_run;

	bool dead; /* disk or database failed: only closing is left */
	struct why died_of;

	bool page_open;
	enum status page_status; /* not OK: staged rows were lost, the page must be aborted */
	int64_t page_rows, page_lowest_prev;
	uint64_t staged_rows, staged_bytes; /* since the last commit */

	struct bits met, met_before_page, met_lately;
	struct seen_line last;
	int64_t forgot_us; /* spool_forget_unseen did work then */

	struct buffer row;	       /* match and body that spool_next gave out */
	struct sqlite3_stmt *stepping; /* spool_next's open statement */
	int64_t stepped_to;

	int64_t delivered[SPOOL_DELIVERED];
	unsigned delivered_count;
	int64_t floor;	   /* rows up to here may be in the publisher's hands */
	int64_t drop_from; /* rows up to here were looked at: nothing to drop */
	bool drops_untold; /* table gone has lines */

	struct {
		int64_t id, times, last_us;
	} repeats[SPOOL_REPEATS];
	unsigned repeat_count;
	int64_t oldest_us;
	bool oldest_stale;
};

/* ---- spool_sql.c ---- */
extern const struct database_kind spool_database;

/* ---- spool.c ---- */
enum status spool_alive(const struct spool *s, struct why *why) MUST_CHECK;
/* Begins a transaction where none is open; the publisher's open statement ends with it. */
enum status spool_txn(struct spool *s, struct why *why) MUST_CHECK;
/* Writes the counters and commits; nothing to do where no transaction is open. */
enum status spool_save(struct spool *s, struct why *why) MUST_CHECK;
/* Every failure of the database passes here: takes the transaction back and puts the counters where
 * the disk has them. Returns `status`. */
enum status spool_broke(struct spool *s, enum status status, const struct why *why);
enum status spool_statement(struct spool *s, enum spool_sql which, struct sqlite3_stmt **out,
	struct why *why) MUST_CHECK;
/* STATUS_BAD_DATA: no such run. */
enum status spool_run_bytes(
	struct spool *s, int64_t id, uint8_t out[RUN_BYTES], struct why *why) MUST_CHECK;

/* ---- spool_seen.c ---- */
enum status seen_find(
	struct spool *s, struct view match, struct why *why) MUST_CHECK; /* into s->last */
bool bits_has(const struct bits *b, int64_t bit);
void bits_set(struct bits *b, int64_t bit);
void bits_copy(struct bits *to, const struct bits *from);

/* ---- spool_page.c ---- */
enum status spool_take_back(
	struct spool *s, struct why *why) MUST_CHECK; /* all rows above visible */

/* ---- spool_full.c ---- */
enum status spool_make_room(struct spool *s, uint64_t bytes, struct why *why) MUST_CHECK;
enum status spool_note_loss(
	struct spool *s, const char *kind, int64_t states, struct why *why) MUST_CHECK;
/* The row `id` (which superseded `prev_row`) goes without being told: hands its share on. */
enum status spool_gone(
	struct spool *s, int64_t id, int64_t prev_row, int64_t states, struct why *why) MUST_CHECK;

/* ---- spool_letter.c ---- */
/* What never became a state: counted where an equal one is here. Within a transaction where it is new, or where
 * too many repeats were counted; the caller commits. */
enum status letter_add(struct spool *s, const char *reason, struct view bytes, int64_t now_us,
	bool *is_new, struct why *why) MUST_CHECK;
/* A state that is refused: each is a letter of its own. `first` are its first bytes of `length`. Within the
 * caller's transaction. */
enum status letter_add_state(struct spool *s, const char *reason, struct view match,
	struct view first, int64_t length, int64_t now_us, struct why *why) MUST_CHECK;
enum status letters_flush(struct spool *s, struct why *why) MUST_CHECK; /* the counted repeats */

/* ---- spool_out.c ---- */
uint32_t row_sum(const struct spool_row *r, int64_t run, int64_t prev_run);
