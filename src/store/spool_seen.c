/* The state directly before: one line a match in table `seen`, and in memory one bit a match for "met in
 * this sweep", so that a sweep over unchanged rows writes nothing. */
#include "store/spool_private.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hour_us = 3600ll * 1000 * 1000;
static const int64_t day_us = 24 * 3600ll * 1000 * 1000;
/* 8 million matches; beyond it a match is just never "met", which costs a comparison. */
static const size_t most_bits_bytes = 1 << 20;

bool bits_has(const struct bits *b, int64_t bit)
{
	size_t at = (size_t)bit / 8;

	return at < b->count && (b->bytes[at] >> (bit % 8) & 1);
}

static bool grow(struct bits *b, size_t count)
{
	size_t wanted = b->count ? b->count : 256;

	while (wanted < count)
		wanted *= 2;
	if (wanted > most_bits_bytes)
		return false;
	uint8_t *bytes = realloc(b->bytes, wanted);
	if (!bytes)
		return false;
	memset(bytes + b->count, 0, wanted - b->count);
	b->bytes = bytes;
	b->count = wanted;
	return true;
}

void bits_set(struct bits *b, int64_t bit)
{
	size_t at = (size_t)bit / 8;

	if (at < b->count || grow(b, at + 1))
		b->bytes[at] |= (uint8_t)(1u << (bit % 8));
}

static void bits_clear(struct bits *b)
{
	if (b->count)
		memset(b->bytes, 0, b->count);
}

static void bits_add(struct bits *to, const struct bits *from)
{
	if (to->count < from->count && !grow(to, from->count))
		return;
	for (size_t i = 0; i < from->count; i++)
		to->bytes[i] |= from->bytes[i];
}

void bits_copy(struct bits *to, const struct bits *from)
{
	bits_clear(to);
	bits_add(to, from);
}

void spool_sweep_begin(struct spool *s)
{
	bits_add(&s->met_lately, &s->met);
	bits_clear(&s->met);
}

enum status seen_find(struct spool *s, struct view match, struct why *why)
{
	struct seen_line *l = &s->last;
	struct sqlite3_stmt *q;

	if (l->valid && l->match_length == match.length &&
		!memcmp(l->match, match.bytes, match.length))
		return STATUS_OK;
	l->valid = false;
	enum status st = spool_statement(s, SQL_SEEN_FIND, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_bytes(q, 1, match.bytes, match.length);
	st = database_row(&s->db, q, why);
	if (st != STATUS_OK && st != STATUS_NOT_FOUND)
		return spool_broke(s, st, why);
	l->known = st == STATUS_OK;
	if (l->known) {
		l->id = sqlite3_column_int64(q, 0);
		l->run = sqlite3_column_int64(q, 1);
		l->seq = sqlite3_column_int64(q, 2);
		l->last_row = sqlite3_column_int64(q, 3);
		l->changed_us = sqlite3_column_int64(q, 4);
		const void *digest = sqlite3_column_blob(q, 5);
		bool whole = sqlite3_column_bytes(q, 5) == SEEN_DIGEST_BYTES;
		if (whole)
			memcpy(l->digest, digest, SEEN_DIGEST_BYTES);
		else
			memset(l->digest, 0, SEEN_DIGEST_BYTES);
	} else {
		l->id = l->run = l->seq = l->last_row = l->changed_us = 0;
		memset(l->digest, 0, SEEN_DIGEST_BYTES);
	}
	sqlite3_reset(q);
	memcpy(l->match, match.bytes, match.length);
	l->match_length = match.length;
	l->valid = true;
	return STATUS_OK;
}

enum status spool_last(struct spool *s, struct view match, struct spool_last *out, struct why *why)
{
	struct spool_last found = {0};
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK)
		return st;
	if (!match.length || match.length > SPOOL_MATCH_BYTES)
		return fail(why, STATUS_BAD_DATA, "match id of %zu bytes: 1 to %d are allowed",
			match.length, SPOOL_MATCH_BYTES);
	st = seen_find(s, match, why);
	if (st != STATUS_OK)
		return st;
	if (s->last.known) {
		found.known = true;
		found.met = bits_has(&s->met, s->last.id);
		memcpy(found.digest, s->last.digest, SEEN_DIGEST_BYTES);
		found.changed_us = s->last.changed_us;
		found.state.seq = (uint64_t)s->last.seq;
		st = spool_run_bytes(s, s->last.run, found.state.run, why);
		if (st == STATUS_BAD_DATA)
			memset(&found.state, 0, sizeof found.state);
		else if (st != STATUS_OK)
			return spool_broke(s, st, why);
		bits_set(&s->met, s->last.id);
	}
	*out = found;
	return STATUS_OK;
}

struct forgetting {
	int64_t today, restamp_before, forget_before;
};

/* One line of `seen`: a match met lately gets today's date, but only where the old one has grown stale
 * (a write per match and sweep would wear the card); one not met for long goes, unless a row waits. */
static enum status look_at(
	struct spool *s, const struct forgetting *f, int64_t id, int64_t met_day, struct why *why)
{
	struct sqlite3_stmt *q;
	bool met = bits_has(&s->met, id) || bits_has(&s->met_lately, id);
	bool forget = !met && met_day < f->forget_before;

	/* A date from the future: the clock was wrong once. */
	if (!forget && !(met && met_day < f->restamp_before) && met_day <= f->today)
		return STATUS_OK;
	enum status st = spool_txn(s, why);
	if (st == STATUS_OK)
		st = spool_statement(s, forget ? SQL_SEEN_FORGET : SQL_SEEN_STAMP, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, id);
	if (!forget)
		bind_number(q, 2, f->today);
	return database_do(&s->db, q, why);
}

static enum status next_seen(struct spool *s, int64_t *id, int64_t *met_day, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = spool_statement(s, SQL_SEEN_AFTER, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, *id);
	st = database_row(&s->db, q, why);
	if (st == STATUS_OK) {
		*id = sqlite3_column_int64(q, 0);
		*met_day = sqlite3_column_int64(q, 1);
		sqlite3_reset(q);
	}
	return st;
}

enum status spool_forget_unseen(struct spool *s, int64_t now_us, int64_t age_ms, struct why *why)
{
	const int64_t today = now_us / day_us, age = (age_ms * 1000 + day_us - 1) / day_us;
	struct forgetting f = {.today = today, .forget_before = today - age};
	int64_t id = 0, met_day = 0;
	enum status st = spool_alive(s, why);

	if (st != STATUS_OK)
		return st;
	if (s->forgot_us && now_us >= s->forgot_us && now_us - s->forgot_us < hour_us)
		return STATUS_OK;
	f.restamp_before = today - age / 4;
	for (unsigned n = 1; st == STATUS_OK; n++) {
		st = next_seen(s, &id, &met_day, why);
		if (st == STATUS_OK)
			st = look_at(s, &f, id, met_day, why);
		if (st == STATUS_OK && n % SPOOL_COMMIT_ROWS == 0)
			st = spool_save(s, why);
	}
	if (st != STATUS_NOT_FOUND)
		return spool_broke(s, st, why);
	s->forgot_us = now_us;
	s->last.valid = false;
	bits_clear(&s->met_lately);
	return spool_save(s, why);
}
