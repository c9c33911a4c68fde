/* Records in. One that carries on its run costs one insertion; late ones and duplicates look things up. */
#include "store/journal_private.h"

#include <sqlite3.h>
#include <string.h>

/* Pages that stay free for counters, positions and deletions. */
enum { SPARE_PAGES = 16, RECORD_OVERHEAD_BYTES = 160 };

enum status journal_begin(struct journal *j, struct why *why)
{
	enum status st = journal_alive(j, why);

	if (st != STATUS_OK)
		return st;
	if (j->begun)
		return fail(why, STATUS_FATAL, "a batch is open already");
	room_look_again(&j->room, &j->db);
	if (room_log_is_long(&j->room, &j->db)) {
		st = database_checkpoint(&j->db, why);
		if (st != STATUS_OK)
			return journal_broke(j, st, why);
	}
	if (room_log_is_long(&j->room, &j->db))
		return fail(why, STATUS_AGAIN,
			"journal '%s': a reader keeps the write-ahead log of %u pages", j->db.path,
			j->db.wal_pages);
	j->begun = true;
	j->batch_status = STATUS_OK;
	return STATUS_OK;
}

static enum status usable(const struct journal *j, struct why *why)
{
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK && j->begun && j->batch_status != STATUS_OK)
		st = fail(why, j->batch_status, "the batch is lost (%s): read on from the position",
			status_name(j->batch_status));
	return st;
}

enum status journal_commit(struct journal *j, struct why *why)
{
	enum status st = usable(j, why);

	if (st == STATUS_OK)
		st = journal_save_now(j, why);
	j->begun = false;
	return st;
}

enum status journal_abort(struct journal *j, struct why *why)
{
	enum status st = journal_alive(j, why);

	j->begun = false;
	if (st == STATUS_OK && database_in_transaction(&j->db))
		journal_undo(j);
	return st;
}

uint64_t journal_staged_bytes(const struct journal *j)
{
	return j->staged_bytes;
}

static enum status have_room(struct journal *j, uint64_t bytes, struct why *why)
{
	const int64_t wanted = room_pages_for(bytes) + SPARE_PAGES;
	const int64_t staged = (int64_t)(j->staged_bytes * 3 / 2 / DATABASE_PAGE_BYTES) +
			       (int64_t)j->staged_records / 4;

	if (room_pages_left(&j->room) - staged >= wanted + SPARE_PAGES)
		return STATUS_OK;
	enum status st = room_refresh(&j->room, &j->db, why);
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	if (room_pages_left(&j->room) >= wanted)
		return STATUS_OK;
	return fail(why, STATUS_FULL, "the journal is full: %llu of %llu KiB%s",
		(unsigned long long)room_used_bytes(&j->room) / 1024,
		(unsigned long long)room_most_bytes(&j->room) / 1024,
		j->room.card_full ? ", and the card has no room left" : "");
}

static enum status write_record(struct journal *j, const struct journal_line *l,
	const struct journal_record *r, const struct journal_arrival *a, struct why *why)
{
	struct sqlite3_stmt *q;
	const size_t event = r->event_id.length < JOURNAL_EVENT_BYTES ? r->event_id.length
								      : JOURNAL_EVENT_BYTES;
	enum status st = journal_statement(j, SQL_RECORD_ADD, &q, why);

	if (st != STATUS_OK)
		return st;
	const int64_t numbers[] = {a->rowid, l->id, a->run, (int64_t)r->self.seq, a->order_us,
		r->ce_us, r->kafka_us,
		(a->duplicate ? RECORD_DUPLICATE : 0) | (r->ended ? RECORD_ENDED : 0), a->prev_run,
		(int64_t)r->prev.seq, r->dropped, j->now.number + 1, a->sum};
	const int count = (int)(sizeof numbers / sizeof *numbers);
	for (int i = 0; i < count; i++)
		bind_number(q, i + 1, numbers[i]);
	bind_bytes(q, count + 1, r->event_id.bytes, event);
	bind_bytes(q, count + 2, r->body.bytes, r->body.length);
	return database_do(&j->db, q, why);
}

static void count_in(struct journal *j, struct journal_line *l, const struct journal_record *r,
	const struct journal_arrival *a)
{
	if (l->records == l->rendered)
		j->unrendered++;
	l->records++;
	l->dirty = true;
	j->now.number++;
	j->now.records++;
	if (a->duplicate) {
		j->now.duplicates++;
		return;
	}
	if (!l->latest || a->order_us < l->first_us)
		l->first_us = a->order_us;
	if (!l->latest || a->order_us > l->last_us)
		l->last_us = a->order_us;
	if (journal_is_later(l, a, (int64_t)r->self.seq)) {
		l->latest = a->rowid;
		l->latest_us = a->order_us;
		l->latest_run = a->run;
		l->latest_seq = (int64_t)r->self.seq;
		l->ended = r->ended;
	}
}

static enum status is_here(
	struct journal *j, enum journal_sql which, int64_t rowid, bool *out, struct why *why)
{
	int64_t found[2];
	enum status st = journal_look_up(j, which, &rowid, 1, found, why);

	*out = st == STATUS_OK;
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

static enum status add_new(struct journal *j, const struct journal_record *r,
	struct journal_arrival *a, struct why *why)
{
	struct journal_line *l;
	enum status st = journal_line(j, r->match, &l, why);

	if (st == STATUS_OK)
		st = journal_run_id(j, &r->self, &a->run, why);
	if (st == STATUS_OK)
		st = journal_run_id(j, &r->prev, &a->prev_run, why);
	if (st == STATUS_OK)
		st = journal_find_place(j, l, r, a, why);
	if (st == STATUS_OK)
		st = write_record(j, l, r, a, why);
	if (st != STATUS_OK)
		return st;
	a->here = !sqlite3_changes(
		j->db.handle); /* above the position, yet here: the card changed that */
	if (a->here)
		return STATUS_OK;
	count_in(j, l, r, a);
	return a->late ? journal_lift_successors(j, l, (int64_t)r->self.seq, a, why) : STATUS_OK;
}

static void move_on(
	struct journal *j, struct journal_place *p, int64_t offset, uint32_t sum, uint64_t bytes)
{
	if (offset >= p->position.next_offset) {
		p->position.has_anchor = true;
		p->position.anchor_offset = offset;
		p->position.anchor_crc = sum;
		journal_move(p, offset + 1);
	}
	j->staged_bytes += bytes;
	j->staged_records++;
}

/* A seq beyond what the table holds came from no producer of ours. */
static struct identity believable(const struct identity *i)
{
	return i->seq <= INT64_MAX ? *i : (struct identity){.seq = 0};
}

enum status journal_add(
	struct journal *j, const struct journal_record *given, bool *out_duplicate, struct why *why)
{
	struct journal_record copy = *given;
	const struct journal_record *r = &copy;
	const uint64_t bytes = r->match.length + r->event_id.length + r->body.length +
			       RECORD_OVERHEAD_BYTES;
	struct journal_arrival a = {.sum = journal_crc(r->match, r->body)};
	struct journal_place *p;
	bool here = false;
	enum status st = usable(j, why);

	copy.self = believable(&given->self);
	copy.prev = believable(&given->prev);
	if (st == STATUS_OK)
		st = journal_check_place(r->generation, r->partition, r->offset, why);
	if (st == STATUS_OK && (!r->match.length || r->match.length > JOURNAL_KEY_BYTES))
		st = fail(why, STATUS_BAD_DATA, "key of %zu bytes: 1 to %d are allowed",
			r->match.length, JOURNAL_KEY_BYTES);
	if (st == STATUS_OK)
		st = journal_txn(j, why);
	if (st == STATUS_OK)
		st = have_room(j, bytes, why);
	if (st != STATUS_OK)
		return st;
	a.rowid = journal_rowid(r->generation, r->partition, r->offset);
	st = journal_place(j, r->generation, r->partition, &p, why);
	if (st == STATUS_OK && r->offset < p->position.next_offset)
		st = is_here(j, SQL_RECORD_HAS, a.rowid, &here, why);
	if (st == STATUS_OK && !here)
		st = add_new(j, r, &a, why);
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	if (!here)
		move_on(j, p, r->offset, a.sum, bytes);
	*out_duplicate = here || a.here || a.duplicate;
	return journal_save(j, why);
}

static enum status write_error(
	struct journal *j, const struct journal_error_row *e, int64_t rowid, struct why *why)
{
	struct sqlite3_stmt *q;
	const size_t key = e->key.length < JOURNAL_ERROR_BYTES ? e->key.length
							       : JOURNAL_ERROR_BYTES;
	const size_t value = e->bytes.length < JOURNAL_ERROR_BYTES ? e->bytes.length
								   : JOURNAL_ERROR_BYTES;
	enum status st = journal_statement(j, SQL_ERROR_ADD, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, rowid);
	bind_number(q, 2, e->kafka_us);
	bind_text(q, 3, e->reason);
	bind_bytes(q, 4, e->key.bytes, key);
	bind_bytes(q, 5, e->bytes.bytes, value);
	st = database_do(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	const int64_t number = sqlite3_last_insert_rowid(j->db.handle);
	st = journal_statement(j, SQL_ERROR_PRUNE, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, number - JOURNAL_ERRORS);
	return database_do(&j->db, q, why);
}

enum status journal_add_error(struct journal *j, unsigned generation, int partition, int64_t offset,
	int64_t kafka_us, const char *reason, struct view key, struct view value, struct why *why)
{
	const struct journal_error_row e = {
		generation, partition, offset, kafka_us, reason, key, value};
	const uint64_t bytes = 2 * JOURNAL_ERROR_BYTES + RECORD_OVERHEAD_BYTES;
	struct journal_place *p;
	bool here = false;
	enum status st = usable(j, why);

	if (st == STATUS_OK)
		st = journal_check_place(generation, partition, offset, why);
	if (st == STATUS_OK)
		st = journal_txn(j, why);
	if (st == STATUS_OK)
		st = have_room(j, bytes, why);
	if (st != STATUS_OK)
		return st;
	const int64_t rowid = journal_rowid(generation, partition, offset);
	st = journal_place(j, generation, partition, &p, why);
	if (st == STATUS_OK && offset < p->position.next_offset)
		st = is_here(j, SQL_ERROR_HAS, rowid, &here, why);
	if (st == STATUS_OK && !here)
		st = write_error(j, &e, rowid, why);
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	if (!here) {
		j->now.errors++;
		move_on(j, p, offset, journal_crc(key, value), bytes);
	}
	return journal_save(j, why);
}
