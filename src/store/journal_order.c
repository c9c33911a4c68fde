/* Where a record stands in its match's Timeline. order_us is ce_time (or Kafka's), made non-decreasing
 * within a run by seq; a record that carries on its run needs no look at the index for it. */
#include "store/journal_private.h"

#include <sqlite3.h>
#include <string.h>

enum status journal_look_up(struct journal *j, enum journal_sql which, const int64_t *keys,
	int count, int64_t out[2], struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, which, &q, why);

	if (st != STATUS_OK)
		return st;
	for (int i = 0; i < count; i++)
		bind_number(q, i + 1, keys[i]);
	st = database_row(&j->db, q, why);
	if (st == STATUS_OK) {
		out[0] = sqlite3_column_int64(q, 0);
		out[1] = sqlite3_column_count(q) > 1 ? sqlite3_column_int64(q, 1) : 0;
		sqlite3_reset(q);
	}
	return st;
}

/* The highest seq of a run of this match, 0 where there is none. */
static enum status tail_of(
	struct journal *j, struct journal_line *l, int64_t run, unsigned *out, struct why *why)
{
	const int64_t keys[] = {l->id, run};
	int64_t found[2] = {0, INT64_MIN};

	for (unsigned i = 0; i < 2; i++)
		if (l->tails[i].run == run) {
			*out = i;
			return STATUS_OK;
		}
	enum status st = journal_look_up(j, SQL_RECORD_TAIL, keys, 2, found, why);
	if (st != STATUS_OK && st != STATUS_NOT_FOUND)
		return st;
	*out = l->next_tail;
	l->next_tail = !l->next_tail;
	l->tails[*out].run = run;
	l->tails[*out].seq = found[0];
	l->tails[*out].order_us = found[1];
	return STATUS_OK;
}

/* Not the newest of its run: an equal one makes it a duplicate; else it stands no earlier than the one
 * before it, and those after it no earlier than it. */
static enum status place_late(struct journal *j, struct journal_line *l, int64_t seq,
	struct journal_arrival *a, struct why *why)
{
	const int64_t keys[] = {l->id, a->run, seq};
	int64_t found[2];
	enum status st = journal_look_up(j, SQL_RECORD_STATE, keys, 3, found, why);

	if (st == STATUS_OK) {
		a->duplicate = true;
		a->order_us = found[0];
		return STATUS_OK;
	}
	if (st != STATUS_NOT_FOUND)
		return st;
	a->late = true;
	st = journal_look_up(j, SQL_RECORD_BEFORE, keys, 3, found, why);
	if (st == STATUS_OK && found[0] > a->order_us)
		a->order_us = found[0];
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

enum status journal_find_place(struct journal *j, struct journal_line *l,
	const struct journal_record *r, struct journal_arrival *a, struct why *why)
{
	const int64_t seq = (int64_t)r->self.seq;
	unsigned t;

	a->order_us = r->ce_us ? r->ce_us : r->kafka_us;
	if (!a->run)
		return STATUS_OK;
	enum status st = tail_of(j, l, a->run, &t, why);
	if (st != STATUS_OK)
		return st;
	if (seq <= l->tails[t].seq)
		return place_late(j, l, seq, a, why);
	if (a->order_us < l->tails[t].order_us)
		a->order_us = l->tails[t].order_us;
	l->tails[t].seq = seq;
	l->tails[t].order_us = a->order_us;
	return STATUS_OK;
}

bool journal_is_later(const struct journal_line *l, const struct journal_arrival *a, int64_t seq)
{
	if (!l->latest || a->order_us != l->latest_us)
		return !l->latest || a->order_us > l->latest_us;
	if (a->run != l->latest_run)
		return a->run > l->latest_run;
	return seq != l->latest_seq ? seq > l->latest_seq : a->rowid > l->latest;
}

/* Rare: a state arrives after its successors. */
enum status journal_lift_successors(struct journal *j, struct journal_line *l, int64_t seq,
	const struct journal_arrival *a, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_RECORD_LIFT, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, l->id);
	bind_number(q, 2, a->run);
	bind_number(q, 3, seq);
	bind_number(q, 4, a->order_us);
	st = database_do(&j->db, q, why);
	memset(l->tails, 0, sizeof l->tails);
	return st == STATUS_OK ? journal_find_latest(j, l, why) : st;
}

enum status journal_find_latest(struct journal *j, struct journal_line *l, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_RECORD_LATEST, &q, why);

	l->latest = 0;
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, l->id);
	st = database_row(&j->db, q, why);
	if (st != STATUS_OK)
		return st == STATUS_NOT_FOUND ? STATUS_OK : st;
	l->latest = sqlite3_column_int64(q, 0);
	l->latest_us = l->last_us = sqlite3_column_int64(q, 1);
	l->latest_run = sqlite3_column_int64(q, 2);
	l->latest_seq = sqlite3_column_int64(q, 3);
	l->ended = sqlite3_column_int64(q, 4) & RECORD_ENDED;
	sqlite3_reset(q);
	return STATUS_OK;
}
