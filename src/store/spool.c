#include "store/spool_private.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum status spool_alive(const struct spool *s, struct why *why)
{
	return s->dead ? fail(why, STATUS_FATAL, "the spool must be opened anew: %s",
				 s->died_of.text)
		       : STATUS_OK;
}

enum status spool_statement(
	struct spool *s, enum spool_sql which, struct sqlite3_stmt **out, struct why *why)
{
	return database_statement(&s->db, which, out, why);
}

static void end_stepping(struct spool *s)
{
	if (s->stepping)
		sqlite3_reset(s->stepping);
	s->stepping = NULL;
}

enum status spool_broke(struct spool *s, enum status status, const struct why *why)
{
	end_stepping(s);
	for (unsigned i = 0; i < DATABASE_STATEMENTS; i++)
		if (s->db.statements[i])
			sqlite3_reset(s->db.statements[i]);
	if (s->staged_rows && s->page_open)
		s->page_status = status;
	database_rollback(&s->db);
	s->now = s->saved;
	s->staged_rows = s->staged_bytes = 0;
	s->last.valid = false;
	s->drop_from = 0;
	s->drops_untold = true;
	s->oldest_stale = true;
	if (status == STATUS_IO || status == STATUS_FATAL) {
		s->dead = true;
		s->died_of = why ? *why : (struct why){"the disk failed"};
	} else if (status == STATUS_FULL) {
		room_card_is_full(&s->room, &s->db);
	}
	return status;
}

/* The log is moved into the database before a transaction, not after one: a failure here leaves nothing
 * half said. */
enum status spool_txn(struct spool *s, struct why *why)
{
	enum status st = STATUS_OK;

	if (database_in_transaction(&s->db))
		return STATUS_OK;
	end_stepping(s);
	if (s->db.wal_pages >= s->room.checkpoint_pages)
		st = database_checkpoint(&s->db, why);
	if (st == STATUS_OK)
		st = database_begin(&s->db, why);
	return st == STATUS_OK ? st : spool_broke(s, st, why);
}

static enum status write_state(struct spool *s, struct why *why)
{
	const struct spool_state *n = &s->now;
	const int64_t values[] = {n->next_id, n->visible, n->rows, n->run, n->seq, n->dropped,
		n->set_aside, n->letters, n->refused, n->last_loss_us};
	const int count = (int)(sizeof values / sizeof *values);
	struct sqlite3_stmt *q;

	if (!memcmp(n, &s->saved, sizeof *n))
		return STATUS_OK;
	enum status st = spool_statement(s, SQL_STATE_WRITE, &q, why);
	if (st != STATUS_OK)
		return st;
	for (int i = 0; i < count; i++)
		bind_number(q, i + 1, values[i]);
	bind_number(q, count + 1, database_sum(values, count));
	return database_do(&s->db, q, why);
}

static enum status read_oldest(struct spool *s, struct why *why)
{
	struct sqlite3_stmt *q;

	s->oldest_stale = false;
	s->oldest_us = 0;
	enum status st = spool_statement(s, SQL_ROW_OLDEST, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, s->now.visible);
	st = database_row(&s->db, q, why);
	if (st == STATUS_OK) {
		s->oldest_us = sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
	}
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

enum status spool_save(struct spool *s, struct why *why)
{
	enum status st = STATUS_OK;

	if (!database_in_transaction(&s->db))
		return STATUS_OK;
	if (s->oldest_stale)
		st = read_oldest(s, why);
	if (st == STATUS_OK)
		st = write_state(s, why);
	if (st == STATUS_OK)
		st = room_refresh(&s->room, &s->db, why);
	if (st == STATUS_OK)
		st = database_commit(&s->db, why);
	if (st != STATUS_OK)
		return spool_broke(s, st, why);
	s->saved = s->now;
	s->staged_rows = s->staged_bytes = 0;
	return STATUS_OK;
}

/* The line decides what is shown and what is taken back: changed by the card it would cost rows. */
static enum status read_state(struct spool *s, uint8_t drawn[RUN_BYTES], struct why *why)
{
	int64_t v[10];
	const int count = (int)(sizeof v / sizeof *v);
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_STATE_READ, &q, why);

	memset(drawn, 0, RUN_BYTES);
	if (st == STATUS_OK)
		st = database_row(&s->db, q, why);
	if (st == STATUS_NOT_FOUND)
		return fail(why, STATUS_FATAL, "spool '%s' has lost its state", s->db.path);
	if (st != STATUS_OK)
		return st;
	for (int i = 0; i < count; i++)
		v[i] = sqlite3_column_int64(q, i);
	const bool fresh = sqlite3_column_type(q, count) == SQLITE_NULL;
	const bool right = (uint32_t)sqlite3_column_int64(q, count) == database_sum(v, count);
	if (sqlite3_column_bytes(q, count + 1) == RUN_BYTES)
		memcpy(drawn, sqlite3_column_blob(q, count + 1), RUN_BYTES);
	sqlite3_reset(q);
	if (!fresh && !right)
		return fail(why, STATUS_FATAL, "spool '%s': its state is damaged", s->db.path);
	s->now = (struct spool_state){
		.next_id = v[0],
		.visible = v[1],
		.rows = v[2],
		.run = v[3],
		.seq = v[4],
		.dropped = v[5],
		.set_aside = v[6],
		.letters = v[7],
		.refused = v[8],
		.last_loss_us = v[9],
	};
	s->saved = s->now;
	return STATUS_OK;
}

enum status spool_run_bytes(struct spool *s, int64_t id, uint8_t out[RUN_BYTES], struct why *why)
{
	struct sqlite3_stmt *q;

	memset(out, 0, RUN_BYTES);
	if (!id)
		return STATUS_OK;
	for (unsigned i = 0; i < SPOOL_RUNS; i++)
		if (s->runs[i].id == id) {
			memcpy(out, s->runs[i].run, RUN_BYTES);
			return STATUS_OK;
		}
	enum status st = spool_statement(s, SQL_RUN_BYTES, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, id);
	st = database_row(&s->db, q, why);
	if (st == STATUS_NOT_FOUND || (st == STATUS_OK && sqlite3_column_bytes(q, 0) != RUN_BYTES))
		st = fail(why, STATUS_BAD_DATA, "spool '%s': run %lld is missing", s->db.path,
			(long long)id);
	if (st == STATUS_OK) {
		memcpy(out, sqlite3_column_blob(q, 0), RUN_BYTES);
		s->runs[s->next_run].id = id;
		memcpy(s->runs[s->next_run].run, out, RUN_BYTES);
		s->next_run = (s->next_run + 1) % SPOOL_RUNS;
	}
	sqlite3_reset(q);
	return st;
}

static enum status find_run(
	struct spool *s, const uint8_t run[RUN_BYTES], bool *known, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_RUN_OF, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_bytes(q, 1, run, RUN_BYTES);
	st = database_row(&s->db, q, why);
	sqlite3_reset(q);
	*known = st == STATUS_OK;
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

/* A run must never be begun twice: an equal (run, seq) is a duplicate to every consumer. Opened again
 * with the run that stands here, its count goes on; a run whose count may have been lost with a damaged
 * database, or that is an older one, is replaced by one drawn here. */
static enum status begin_run(struct spool *s, const uint8_t given[RUN_BYTES],
	const uint8_t drawn[RUN_BYTES], bool renewed, struct why *why)
{
	struct sqlite3_stmt *q;
	bool known = false;
	enum status st;

	if (s->now.run && !memcmp(given, drawn, RUN_BYTES)) {
		st = spool_run_bytes(s, s->now.run, s->run, why);
		return st == STATUS_BAD_DATA ? STATUS_FATAL : st;
	}
	st = find_run(s, given, &known, why);
	if (st != STATUS_OK)
		return st;
	memcpy(s->run, given, RUN_BYTES);
	if ((renewed || known) && getrandom(s->run, RUN_BYTES, 0) != RUN_BYTES)
		return fail_errno(why, STATUS_IO, "draw a run");
	st = spool_statement(s, SQL_RUN_ADD, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_bytes(q, 1, s->run, RUN_BYTES);
	st = database_do(&s->db, q, why);
	if (st != STATUS_OK)
		return st;
	s->now.run = sqlite3_last_insert_rowid(s->db.handle);
	s->now.seq = 0;
	st = spool_statement(s, SQL_STATE_DRAWN, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_bytes(q, 1, given, RUN_BYTES);
	return database_do(&s->db, q, why);
}

static enum status prune_losses(struct spool *s, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_LOSS_PRUNE, &q, why);

	return st == STATUS_OK ? database_do(&s->db, q, why) : st;
}

/* One transaction: the run, and what the last one left. */
static enum status start(struct spool *s, const uint8_t given[RUN_BYTES], const char *path,
	bool renewed, struct why *why)
{
	uint8_t drawn[RUN_BYTES];
	int64_t any = 0;
	enum status st = read_state(s, drawn, why);

	if (st == STATUS_OK)
		st = spool_txn(s, why);
	if (st == STATUS_OK)
		st = begin_run(s, given, drawn, renewed, why);
	if (st == STATUS_OK && s->db.created)
		s->now.set_aside = database_count_set_aside(path);
	if (st == STATUS_OK && renewed)
		st = spool_note_loss(s, "database set aside", 1, why);
	if (st == STATUS_OK)
		st = prune_losses(s, why);
	if (st == STATUS_OK)
		st = database_number(&s->db, SQL_GONE_ANY, &any, why);
	s->drops_untold = any;
	s->oldest_stale = true;
	return st == STATUS_OK ? spool_save(s, why) : st;
}

/* A process start leaves a line in table run; where that became many, those nobody refers to go. Only
 * with nothing waiting: rows refer to runs too, and reading them all is not worth it. */
static enum status sweep_runs(struct spool *s, struct why *why)
{
	struct sqlite3_stmt *q;
	int64_t count = 0;
	enum status st = database_number(&s->db, SQL_RUN_COUNT, &count, why);

	if (st != STATUS_OK || count < 256 || s->now.rows)
		return st;
	st = spool_txn(s, why);
	if (st == STATUS_OK)
		st = spool_statement(s, SQL_RUN_SWEEP, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, s->now.run);
	st = database_do(&s->db, q, why);
	return st == STATUS_OK ? spool_save(s, why) : st;
}

static enum status recover(struct spool *s, struct spool_opening *opening, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_PENDING_COUNT, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, s->now.visible);
	st = database_row(&s->db, q, why);
	if (st != STATUS_OK)
		return st;
	opening->pending_rows = (uint64_t)sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	if (opening->pending_rows)
		st = spool_take_back(s, why);
	opening->waiting_rows = (uint64_t)s->now.rows;
	return st == STATUS_OK ? sweep_runs(s, why) : st;
}

static enum status open_once(struct spool *s, const char *path, uint64_t max_bytes,
	const uint8_t run[RUN_BYTES], struct spool_opening *opening, struct why *why)
{
	char *aside = opening->set_aside;
	bool renewed = aside[0];
	enum status st = renewed ? database_open(&s->db, path, &spool_database, DATABASE_ALONE, why)
				 : database_open_or_renew(&s->db, path, &spool_database,
					   DATABASE_ALONE, aside, why);

	if (st == STATUS_OK)
		st = room_setup(&s->room, &s->db, max_bytes, 4, 0, why);
	if (st == STATUS_OK)
		st = start(s, run, path, aside[0], why);
	return st == STATUS_OK ? recover(s, opening, why) : st;
}

enum status spool_open(struct spool **out, const char *path, uint64_t max_bytes,
	enum spool_full_policy policy, const uint8_t run[RUN_BYTES], struct spool_opening *opening,
	struct why *why)
{
	struct spool *s = calloc(1, sizeof *s);

	if (!s)
		return fail(why, STATUS_NO_MEMORY, "open spool '%s': out of memory", path);
	memset(opening, 0, sizeof *opening);
	s->policy = policy;
	buffer_init(&s->row, max_bytes + SPOOL_MATCH_BYTES);
	enum status st = open_once(s, path, max_bytes, run, opening, why);
	/* Damage that only the first real use has shown. */
	if (st == STATUS_FATAL && !opening->set_aside[0]) {
		database_close(&s->db);
		s->dead = false;
		st = database_put_aside(path, opening->set_aside, why);
		if (st == STATUS_OK)
			st = open_once(s, path, max_bytes, run, opening, why);
	}
	if (st != STATUS_OK) {
		s->dead = true;
		spool_close(s);
		return st;
	}
	*out = s;
	return STATUS_OK;
}

void spool_close(struct spool *s)
{
	struct why ignored;

	if (!s)
		return;
	/* What fails here is made good by the next open; repeats of dead letters are only counts. */
	if (s->db.handle && !s->dead) {
		enum status st = spool_page_abort(s, &ignored);

		if (st == STATUS_OK && s->delivered_count)
			st = spool_free(s, &ignored);
		if (st == STATUS_OK && s->repeat_count)
			st = letters_flush(s, &ignored);
		if (st == STATUS_OK)
			st = spool_save(s, &ignored);
		(void)st;
	}
	end_stepping(s);
	database_close(&s->db);
	buffer_done(&s->row);
	free(s->met.bytes);
	free(s->met_before_page.bytes);
	free(s->met_lately.bytes);
	free(s);
}
