/* The cap: superseded states leave, oldest first, never a match's newest. */
#include "store/spool_private.h"
#include "base/clock.h"

#include <sqlite3.h>
#include <stdio.h>

/* Pages that stay free so that rows can be deleted and counters written when all else is taken. */
enum { SPARE_PAGES = 8 };

static const int64_t hour_us = 3600ll * 1000 * 1000;

enum status spool_note_loss(struct spool *s, const char *kind, int64_t states, struct why *why)
{
	struct sqlite3_stmt *q;
	const int64_t now_us = clock_wall_us();
	enum status st = spool_statement(s, SQL_LOSS_ADD, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, now_us / hour_us);
	bind_text(q, 2, kind);
	bind_number(q, 3, states);
	bind_number(q, 4, now_us);
	st = database_do(&s->db, q, why);
	if (st == STATUS_OK)
		s->now.last_loss_us = now_us;
	return st;
}

/* A chain of dropped states of one match hangs at its newest one; the next row of the match, whose
 * prev_row that is, will claim it. */
enum status spool_gone(
	struct spool *s, int64_t id, int64_t prev_row, int64_t states, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_GONE_MOVE, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, prev_row);
	bind_number(q, 2, id);
	bind_number(q, 3, states);
	st = database_do(&s->db, q, why);
	if (st != STATUS_OK || sqlite3_changes(s->db.handle) || !states)
		return st;
	st = spool_statement(s, SQL_GONE_ADD, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, id);
	bind_number(q, 2, states);
	s->drops_untold = true;
	return database_do(&s->db, q, why);
}

static enum status number_of(
	struct spool *s, enum spool_sql which, int64_t key, int64_t *out, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, which, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, key);
	st = database_row(&s->db, q, why);
	if (st == STATUS_OK) {
		*out = sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
	}
	return st;
}

/* Superseded: a newer row of the match is here and visible. Pending rows do not count, their page may
 * yet be taken back; going back along prev_row leads to the newest visible one. */
static enum status is_superseded(
	struct spool *s, int64_t id, int64_t seen, bool *out, struct why *why)
{
	int64_t newest = 0, ignored;
	enum status st = number_of(s, SQL_SEEN_LAST_ROW, seen, &newest, why);

	while (st == STATUS_OK && newest > s->now.visible)
		st = number_of(s, SQL_ROW_PREV, newest, &newest, why);
	*out = false;
	if (st == STATUS_OK && newest > id) {
		st = number_of(s, SQL_ROW_PREV, newest, &ignored, why);
		*out = st == STATUS_OK;
	}
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

static enum status drop(struct spool *s, int64_t id, int64_t prev_row, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_ROW_REMOVE, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, id);
	st = database_do(&s->db, q, why);
	if (st == STATUS_OK)
		st = spool_gone(s, id, prev_row, 1, why);
	if (st == STATUS_OK)
		st = spool_note_loss(s, "superseded state dropped", 1, why);
	if (st != STATUS_OK)
		return st;
	s->now.dropped++;
	s->now.rows--;
	s->oldest_stale = true;
	return STATUS_OK;
}

/* Drops the oldest row that may go. STATUS_NOT_FOUND: none. */
static enum status drop_oldest(struct spool *s, struct why *why)
{
	struct sqlite3_stmt *q;
	bool superseded = false;

	if (s->drop_from < s->floor)
		s->drop_from = s->floor;
	for (;;) {
		enum status st = spool_statement(s, SQL_ROW_CANDIDATE, &q, why);
		if (st != STATUS_OK)
			return st;
		bind_number(q, 1, s->drop_from);
		bind_number(q, 2, s->now.visible);
		st = database_row(&s->db, q, why);
		if (st != STATUS_OK)
			return st;
		const int64_t id = sqlite3_column_int64(q, 0), seen = sqlite3_column_int64(q, 1);
		const int64_t prev_row = sqlite3_column_int64(q, 2);
		sqlite3_reset(q);
		st = is_superseded(s, id, seen, &superseded, why);
		if (st != STATUS_OK)
			return st;
		s->drop_from = id;
		if (superseded)
			return drop(s, id, prev_row, why);
	}
}

/* As of the last look, less what was staged since (rows fill their pages to two thirds at worst). */
static bool surely_enough(const struct spool *s, int64_t wanted)
{
	int64_t staged = (int64_t)(s->staged_bytes * 3 / 2 / DATABASE_PAGE_BYTES) +
			 (int64_t)s->staged_rows / 8;

	return room_pages_left(&s->room) - staged >= wanted + SPARE_PAGES + 16;
}

enum status spool_make_room(struct spool *s, uint64_t bytes, struct why *why)
{
	const int64_t wanted = room_pages_for(bytes) + SPARE_PAGES;
	enum status st = STATUS_OK;

	if (surely_enough(s, wanted))
		return STATUS_OK;
	for (;;) {
		st = room_refresh(&s->room, &s->db, why);
		if (st != STATUS_OK)
			return spool_broke(s, st, why);
		if (room_pages_left(&s->room) >= wanted)
			return STATUS_OK;
		st = s->policy == SPOOL_LATEST ? drop_oldest(s, why) : STATUS_NOT_FOUND;
		if (st == STATUS_NOT_FOUND)
			return fail(why, STATUS_FULL,
				"the spool is full: %llu of %llu KiB, %lld states wait%s",
				(unsigned long long)room_used_bytes(&s->room) / 1024,
				(unsigned long long)room_most_bytes(&s->room) / 1024,
				(long long)s->now.rows,
				s->room.card_full ? ", and the card has no room left" : "");
		if (st != STATUS_OK)
			return spool_broke(s, st, why);
	}
}

void spool_in_flight_floor(struct spool *s, int64_t id)
{
	s->floor = id;
	if (s->drop_from > id)
		s->drop_from = id;
}
