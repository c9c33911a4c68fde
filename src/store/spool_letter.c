/* Dead letters: rows that never became a state, or that the broker refuses, with their reason. Repeats are
 * counted in memory and written along with something else: an API serves the same broken row at every
 * poll, and an idle sweep writes nothing. */
#include "store/spool_private.h"

#include <sqlite3.h>
#include <string.h>
#include <zlib.h>

/* A small spool keeps fewer, so that letters never take more than a sixteenth of it. */
static int64_t letters_kept(const struct spool *s)
{
	const uint64_t kept = s->room.cap / 16 / (SPOOL_LETTER_BYTES + SPOOL_MATCH_BYTES + 256);

	return kept < 1000 ? (int64_t)kept : 1000;
}

static enum status write_repeats(struct spool *s, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = STATUS_OK;

	for (unsigned i = 0; st == STATUS_OK && i < s->repeat_count; i++) {
		st = spool_statement(s, SQL_LETTER_AGAIN, &q, why);
		if (st != STATUS_OK)
			break;
		bind_number(q, 1, s->repeats[i].id);
		bind_number(q, 2, s->repeats[i].times);
		bind_number(q, 3, s->repeats[i].last_us);
		st = database_do(&s->db, q, why);
	}
	return st;
}

enum status letters_flush(struct spool *s, struct why *why)
{
	enum status st = spool_txn(s, why);

	if (st == STATUS_OK)
		st = write_repeats(s, why);
	if (st != STATUS_OK)
		return spool_broke(s, st, why);
	s->repeat_count = 0;
	return STATUS_OK;
}

static enum status count_repeat(struct spool *s, int64_t id, int64_t now_us, struct why *why)
{
	enum status st = STATUS_OK;
	unsigned i = 0;

	while (i < s->repeat_count && s->repeats[i].id != id)
		i++;
	if (i == SPOOL_REPEATS) {
		st = letters_flush(s, why);
		i = 0;
	}
	if (st != STATUS_OK)
		return st;
	if (i == s->repeat_count) {
		s->repeats[i].id = id;
		s->repeats[i].times = 0;
		s->repeat_count++;
	}
	s->repeats[i].times++;
	s->repeats[i].last_us = now_us;
	return STATUS_OK;
}

static uint32_t letter_sum(const char *reason, struct view bytes)
{
	uLong sum = crc32(0, (const Bytef *)reason, (uInt)strlen(reason) + 1);

	if (!bytes.length)
		return (uint32_t)sum;
	return (uint32_t)crc32(sum, (const Bytef *)bytes.bytes, (uInt)bytes.length);
}

static struct view first_bytes(struct view bytes)
{
	return view_of(
		bytes.bytes, bytes.length < SPOOL_LETTER_BYTES ? bytes.length : SPOOL_LETTER_BYTES);
}

static enum status find_letter(struct spool *s, uint32_t sum, const char *reason, struct view bytes,
	int64_t *id, struct why *why)
{
	struct sqlite3_stmt *q;
	const struct view kept = first_bytes(bytes);
	enum status st = spool_statement(s, SQL_LETTER_FIND, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, sum);
	bind_number(q, 2, (int64_t)bytes.length);
	bind_text(q, 3, reason);
	bind_bytes(q, 4, kept.bytes, kept.length);
	st = database_row(&s->db, q, why);
	if (st == STATUS_OK) {
		*id = sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
	}
	return st;
}

/* `match` without bytes: NULL. */
static enum status write_letter(struct spool *s, const char *reason, uint32_t sum,
	struct view bytes, int64_t length, struct view match, int64_t now_us, struct why *why)
{
	struct sqlite3_stmt *q;
	const struct view kept = first_bytes(bytes);
	enum status st = spool_statement(s, SQL_LETTER_ADD, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, sum);
	bind_text(q, 2, reason);
	bind_number(q, 3, now_us);
	bind_number(q, 4, length);
	bind_bytes(q, 5, kept.bytes, kept.length);
	if (match.bytes)
		bind_bytes(q, 6, match.bytes, match.length);
	else
		sqlite3_bind_null(q, 6);
	st = database_do(&s->db, q, why);
	if (st != STATUS_OK)
		return st;
	s->now.letters++;
	const int64_t id = sqlite3_last_insert_rowid(s->db.handle);
	st = spool_statement(s, SQL_LETTER_PRUNE, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, id - letters_kept(s));
	return database_do(&s->db, q, why);
}

enum status letter_add(struct spool *s, const char *reason, struct view bytes, int64_t now_us,
	bool *is_new, struct why *why)
{
	const uint32_t sum = letter_sum(reason, bytes);
	int64_t id = 0;
	enum status st = find_letter(s, sum, reason, bytes, &id, why);

	if (st == STATUS_OK) {
		*is_new = false;
		return count_repeat(s, id, now_us, why);
	}
	if (st != STATUS_NOT_FOUND)
		return st;
	st = spool_txn(s, why);
	if (st == STATUS_OK)
		st = write_letter(s, reason, sum, bytes, (int64_t)bytes.length, view_of(NULL, 0),
			now_us, why);
	if (st == STATUS_OK)
		*is_new = true;
	return st;
}

enum status letter_add_state(struct spool *s, const char *reason, struct view match,
	struct view first, int64_t length, int64_t now_us, struct why *why)
{
	return write_letter(
		s, reason, letter_sum(reason, first), first, length, match, now_us, why);
}

enum status spool_dead_letter(struct spool *s, const char *reason, struct view bytes,
	int64_t now_us, bool *is_new, struct why *why)
{
	bool new_one = false;
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK)
		return st;
	st = letter_add(s, reason, bytes, now_us, &new_one, why);
	if (st != STATUS_OK)
		return spool_broke(s, st, why);
	if (!s->page_open)
		st = spool_save(s, why);
	if (st == STATUS_OK)
		*is_new = new_one;
	return st;
}
