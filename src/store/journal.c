#include "store/journal_private.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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
	enum status st = aside[0] ? database_open(
					    &j->db, path, &journal_database, DATABASE_SHARED, why)
				  : database_open_or_renew(&j->db, path, &journal_database,
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
	enum status st = database_open(&j->db, path, &journal_database, DATABASE_READER, why);
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
