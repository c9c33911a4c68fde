/* Notes, figures, and a look at everything: what `status`, `spool ls` and `spool verify` are made of. */
#include "store/spool_private.h"

#include <sqlite3.h>
#include <string.h>

enum { NOTE_BYTES = 4096 };

static enum status find_note(
	struct spool *s, const char *name, struct sqlite3_stmt **q, struct why *why)
{
	enum status st = spool_statement(s, SQL_NOTE_GET, q, why);

	if (st != STATUS_OK)
		return st;
	bind_text(*q, 1, name);
	return database_row(&s->db, *q, why);
}

static enum status same_note(
	struct spool *s, const char *name, const char *value, bool *same, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = find_note(s, name, &q, why);

	*same = false;
	if (st == STATUS_NOT_FOUND)
		return STATUS_OK;
	if (st != STATUS_OK)
		return st;
	const char *stands = (const char *)sqlite3_column_text(q, 0);
	*same = stands && !strcmp(stands, value);
	sqlite3_reset(q);
	return STATUS_OK;
}

static enum status write_note(struct spool *s, const char *name, const char *value, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_txn(s, why);

	if (st == STATUS_OK)
		st = spool_statement(s, SQL_NOTE_SET, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_text(q, 1, name);
	bind_text(q, 2, value);
	return database_do(&s->db, q, why);
}

enum status spool_note_set(struct spool *s, const char *name, const char *value, struct why *why)
{
	bool same = false;
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK)
		return st;
	if (strlen(value) > NOTE_BYTES)
		return fail(why, STATUS_BAD_DATA, "note '%s' is longer than %d bytes", name,
			NOTE_BYTES);
	st = same_note(s, name, value, &same, why);
	if (st == STATUS_OK && same)
		return STATUS_OK;
	if (st == STATUS_OK)
		st = write_note(s, name, value, why);
	if (st != STATUS_OK)
		return spool_broke(s, st, why);
	return s->page_open ? STATUS_OK : spool_save(s, why);
}

enum status spool_note_get(
	struct spool *s, const char *name, char *out, size_t out_bytes, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK)
		return st;
	st = find_note(s, name, &q, why);
	if (st == STATUS_NOT_FOUND)
		return fail(why, st, "no note '%s'", name);
	if (st != STATUS_OK)
		return spool_broke(s, st, why);
	const char *value = (const char *)sqlite3_column_text(q, 0);
	const size_t length = (size_t)sqlite3_column_bytes(q, 0);
	if (!value)
		st = fail(why, STATUS_NO_MEMORY, "read note '%s': out of memory", name);
	else if (length >= out_bytes)
		st = fail(why, STATUS_FULL, "note '%s' has %zu bytes", name, length);
	else
		memcpy(out, value, length + 1);
	sqlite3_reset(q);
	return st;
}

void spool_figures(const struct spool *s, struct spool_figures *out)
{
	*out = (struct spool_figures){
		.rows = (uint64_t)s->now.rows,
		.bytes = room_used_bytes(&s->room),
		.max_bytes = room_most_bytes(&s->room),
		.oldest_us = s->oldest_us,
		.dropped = (uint64_t)s->now.dropped,
		.set_aside = (uint64_t)s->now.set_aside,
		.dead_letters = (uint64_t)s->now.letters,
		.refused = (uint64_t)s->now.refused,
		.last_loss_us = s->now.last_loss_us,
	};
}

static enum status each_letter(
	struct spool *s, spool_letter_call *call, void *context, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_LETTER_EACH, &q, why);

	if (st != STATUS_OK)
		return st;
	while ((st = database_row(&s->db, q, why)) == STATUS_OK) {
		const char *reason = (const char *)sqlite3_column_text(q, 2);
		struct spool_letter letter = {
			.at_us = sqlite3_column_int64(q, 0),
			.times = (uint64_t)sqlite3_column_int64(q, 1),
			.reason = reason ? reason : "",
			.bytes = view_of(
				sqlite3_column_blob(q, 3), (size_t)sqlite3_column_bytes(q, 3)),
			.length = (uint64_t)sqlite3_column_int64(q, 4),
			.match = view_of(
				sqlite3_column_blob(q, 5), (size_t)sqlite3_column_bytes(q, 5)),
		};

		if (!letter.bytes.bytes)
			letter.bytes = view_of("", 0);
		if (!letter.match.bytes)
			letter.match = view_of("", 0);
		call(context, &letter);
	}
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

enum status spool_each(struct spool *s, spool_row_call *row, spool_letter_call *letter,
	void *context, struct why *why)
{
	struct spool_row r;
	const int64_t floor = s->floor;
	int64_t after = 0;
	enum status st;

	while ((st = spool_next(s, after, &r, why)) == STATUS_OK) {
		after = r.id;
		if (row)
			row(context, &r);
	}
	s->floor = floor; /* nothing was taken to be sent */
	if (st != STATUS_NOT_FOUND || !letter)
		return st == STATUS_NOT_FOUND ? STATUS_OK : st;
	if (s->repeat_count)
		st = letters_flush(s, why);
	else
		st = STATUS_OK;
	if (st == STATUS_OK)
		st = spool_save(s, why);
	return st == STATUS_OK ? each_letter(s, letter, context, why) : st;
}

static void count_row(void *context, const struct spool_row *row)
{
	(void)row;
	++*(int64_t *)context;
}

/* Each row's sum is looked at by spool_next, which would make a damaged row a dead letter. */
enum status spool_verify(struct spool *s, struct why *why)
{
	const int64_t rows = s->now.rows, refused = s->now.refused;
	int64_t found = 0;
	enum status st = spool_alive(s, why);

	if (st == STATUS_OK)
		st = database_check(&s->db, true, why);
	if (st == STATUS_OK)
		st = spool_each(s, count_row, NULL, &found, why);
	if (st != STATUS_OK)
		return st;
	if (s->now.refused != refused)
		return fail(why, STATUS_BAD_DATA,
			"%lld rows were damaged on the card; they are dead letters now",
			(long long)(s->now.refused - refused));
	if (found != rows)
		return fail(why, STATUS_BAD_DATA, "%lld rows wait where %lld should",
			(long long)found, (long long)rows);
	return STATUS_OK;
}
