/* Generations of topics, positions in their partitions, gaps. */
#include "store/journal_private.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const int most_partitions = 32767;
static const int64_t most_offset = (1ll << 40) - 1;

int64_t journal_rowid(unsigned generation, int partition, int64_t offset)
{
	return (int64_t)generation << 55 | (int64_t)partition << 40 | offset;
}

enum status journal_check_place(unsigned generation, int partition, int64_t offset, struct why *why)
{
	if (!generation || generation > JOURNAL_GENERATIONS)
		return fail(
			why, STATUS_BAD_DATA, "generation %u is none of this journal", generation);
	if (partition < 0 || partition > most_partitions)
		return fail(why, STATUS_BAD_DATA, "partition %d: a journal holds 0 to %d",
			partition, most_partitions);
	if (offset < 0 || offset > most_offset)
		return fail(why, STATUS_BAD_DATA,
			"offset %lld of partition %d: a journal holds 0 to %lld", (long long)offset,
			partition, (long long)most_offset);
	return STATUS_OK;
}

uint32_t journal_crc(struct view key, struct view value)
{
	uLong sum = crc32(0, NULL, 0);

	if (key.length)
		sum = crc32(sum, (const Bytef *)key.bytes, (uInt)key.length);
	if (value.length)
		sum = crc32(sum, (const Bytef *)value.bytes, (uInt)value.length);
	return (uint32_t)sum;
}

/* ---- generations ---- */

static enum status add_generation(
	struct journal *j, struct sqlite3_stmt *q, int place, unsigned *out, struct why *why)
{
	int64_t top = 0;
	enum status st = database_number(&j->db, SQL_GENERATION_TOP, &top, why);

	if (st != STATUS_OK)
		return st;
	if (top >= JOURNAL_GENERATIONS)
		return fail(why, STATUS_DENIED,
			"journal '%s' has used up its %d generations of topics: move it away, a new one "
			"will read the topic from its beginning",
			j->db.path, JOURNAL_GENERATIONS);
	bind_number(q, place, top + 1);
	st = database_do(&j->db, q, why);
	if (st == STATUS_OK)
		*out = (unsigned)(top + 1);
	return st;
}

static enum status find_generation(
	struct journal *j, const char *const names[3], unsigned *out, struct why *why)
{
	static const enum journal_sql steps[] = {SQL_GENERATION_FIND, SQL_GENERATION_ADD};
	enum status st = STATUS_NOT_FOUND;

	for (int i = 0; i < 2 && st == STATUS_NOT_FOUND; i++) {
		struct sqlite3_stmt *q;

		st = journal_statement(j, steps[i], &q, why);
		if (st != STATUS_OK)
			return st;
		for (int n = 0; n < 3; n++)
			bind_text(q, n + 1, names[n]);
		if (steps[i] == SQL_GENERATION_ADD)
			return add_generation(j, q, 4, out, why);
		st = database_row(&j->db, q, why);
		if (st == STATUS_OK)
			*out = (unsigned)sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
	}
	return st;
}

/* The broker did not tell the topic's id when this generation was made; now it does. */
static enum status name_generation(
	struct journal *j, unsigned generation, const char *topic_id, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st;

	if (!*topic_id)
		return STATUS_OK;
	st = journal_statement(j, SQL_GENERATION_NAME, &q, why);
	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, generation);
	bind_text(q, 2, topic_id);
	return database_do(&j->db, q, why);
}

static enum status has_position(struct journal *j, unsigned generation, bool *out, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_POSITION_ANY, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, generation);
	st = database_row(&j->db, q, why);
	if (st == STATUS_OK)
		*out = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return st;
}

/* STATUS_DENIED is a rule of ours, not a failure of the database: nothing was written. */
static enum status end_generation(struct journal *j, enum status st, struct why *why)
{
	if (st == STATUS_DENIED && !j->begun) {
		database_rollback(&j->db);
		return st;
	}
	if (st != STATUS_OK)
		return st == STATUS_DENIED ? st : journal_broke(j, st, why);
	return journal_save(j, why);
}

enum status journal_generation(struct journal *j, const char *cluster, const char *topic,
	const char *topic_id, unsigned *out_generation, bool *out_is_new, struct why *why)
{
	const char *const names[] = {cluster, topic, topic_id};
	unsigned generation = 0;
	bool known = false;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK)
		st = journal_txn(j, why);
	if (st != STATUS_OK)
		return st;
	st = journal_flush_places(j, why);
	if (st == STATUS_OK)
		st = find_generation(j, names, &generation, why);
	if (st == STATUS_OK)
		st = name_generation(j, generation, topic_id, why);
	if (st == STATUS_OK)
		st = has_position(j, generation, &known, why);
	st = end_generation(j, st, why);
	if (st == STATUS_OK) {
		*out_generation = generation;
		*out_is_new = !known;
	}
	return st;
}

enum status journal_generation_renew(
	struct journal *j, unsigned old, unsigned *out_generation, struct why *why)
{
	struct sqlite3_stmt *q;
	unsigned generation = 0;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK)
		st = journal_txn(j, why);
	if (st != STATUS_OK)
		return st;
	st = journal_statement(j, SQL_GENERATION_RENEW, &q, why);
	if (st == STATUS_OK) {
		bind_number(q, 1, old);
		st = add_generation(j, q, 2, &generation, why);
	}
	st = end_generation(j, st, why);
	if (st == STATUS_OK)
		*out_generation = generation;
	return st;
}

/* ---- positions ---- */

static uint32_t place_sum(const struct journal_place *p)
{
	const int64_t values[] = {p->generation, p->partition, p->position.next_offset,
		p->position.has_anchor, p->position.anchor_offset, p->position.anchor_crc};

	return database_sum(values, sizeof values / sizeof *values);
}

/* The line was changed by the card: read on after the last record that is here. What is read again is
 * recognised; a position believed too high would skip records for good. */
static enum status guess_place(struct journal *j, struct journal_place *p, struct why *why)
{
	struct sqlite3_stmt *q;
	const int64_t first = journal_rowid(p->generation, p->partition, 0);
	enum status st = journal_statement(j, SQL_POSITION_GUESS, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, first);
	bind_number(q, 2, first + most_offset);
	st = database_row(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	memset(&p->position, 0, sizeof p->position);
	p->position.known = true;
	if (sqlite3_column_type(q, 0) != SQLITE_NULL)
		p->position.next_offset = sqlite3_column_int64(q, 0) - first + 1;
	sqlite3_reset(q);
	return STATUS_OK;
}

static enum status read_place(struct journal *j, struct journal_place *p, struct why *why)
{
	struct sqlite3_stmt *q;
	bool right = true;
	enum status st = journal_statement(j, SQL_POSITION_READ, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, p->generation);
	bind_number(q, 2, p->partition);
	st = database_row(&j->db, q, why);
	if (st == STATUS_OK) {
		p->position.known = true;
		p->position.next_offset = sqlite3_column_int64(q, 0);
		p->position.anchor_offset = sqlite3_column_int64(q, 1);
		p->position.has_anchor = sqlite3_column_type(q, 2) != SQLITE_NULL;
		p->position.anchor_crc = (uint32_t)sqlite3_column_int64(q, 2);
		right = place_sum(p) == (uint32_t)sqlite3_column_int64(q, 3);
		sqlite3_reset(q);
	}
	if (!right)
		return guess_place(j, p, why);
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

static enum status more_places(struct journal *j, struct why *why)
{
	const size_t capacity = j->place_capacity ? 2 * j->place_capacity : 16;
	struct journal_place *places = realloc(j->places, capacity * sizeof *places);

	if (!places)
		return fail(why, STATUS_NO_MEMORY,
			"journal: no memory for the positions of %zu partitions", capacity);
	j->places = places;
	j->place_capacity = capacity;
	return STATUS_OK;
}

enum status journal_place(struct journal *j, unsigned generation, int partition,
	struct journal_place **out, struct why *why)
{
	struct journal_place fresh = {.generation = generation, .partition = partition};
	enum status st = STATUS_OK;

	for (size_t n = 0, i = j->place_last; n < j->place_count; n++, i++) {
		struct journal_place *p = &j->places[i % j->place_count];

		if (p->generation == generation && p->partition == partition) {
			j->place_last = i % j->place_count;
			*out = p;
			return STATUS_OK;
		}
	}
	st = read_place(j, &fresh, why);
	if (st == STATUS_OK && j->place_count == j->place_capacity)
		st = more_places(j, why);
	if (st != STATUS_OK)
		return st;
	j->place_last = j->place_count++;
	j->places[j->place_last] = fresh;
	*out = &j->places[j->place_last];
	return STATUS_OK;
}

void journal_move(struct journal_place *p, int64_t next_offset)
{
	if (p->position.known && next_offset <= p->position.next_offset)
		return;
	p->position.known = true;
	p->position.next_offset = next_offset;
	p->dirty = true;
}

enum status journal_flush_places(struct journal *j, struct why *why)
{
	enum status st = STATUS_OK;

	for (size_t i = 0; st == STATUS_OK && i < j->place_count; i++) {
		struct journal_place *p = &j->places[i];
		struct sqlite3_stmt *q;

		if (!p->dirty)
			continue;
		st = journal_statement(j, SQL_POSITION_WRITE, &q, why);
		if (st != STATUS_OK)
			break;
		bind_number(q, 1, p->generation);
		bind_number(q, 2, p->partition);
		bind_number(q, 3, p->position.next_offset);
		bind_number(q, 4, p->position.anchor_offset);
		if (p->position.has_anchor)
			bind_number(q, 5, p->position.anchor_crc);
		else
			sqlite3_bind_null(q, 5);
		bind_number(q, 6, place_sum(p));
		st = database_do(&j->db, q, why);
		p->dirty = st != STATUS_OK;
	}
	return st;
}

enum status journal_position(struct journal *j, unsigned generation, int partition,
	struct journal_position *out, struct why *why)
{
	struct journal_place *p;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK)
		st = journal_check_place(generation, partition, 0, why);
	if (st != STATUS_OK)
		return st;
	st = journal_place(j, generation, partition, &p, why);
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	*out = p->position;
	return STATUS_OK;
}

enum status journal_skip(
	struct journal *j, unsigned generation, int partition, int64_t next_offset, struct why *why)
{
	struct journal_place *p;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK)
		st = journal_check_place(
			generation, partition, next_offset ? next_offset - 1 : 0, why);
	if (st == STATUS_OK)
		st = journal_txn(j, why);
	if (st != STATUS_OK)
		return st;
	st = journal_place(j, generation, partition, &p, why);
	if (st != STATUS_OK)
		return journal_broke(j, st, why);
	journal_move(p, next_offset);
	return journal_save(j, why);
}

/* The transaction comes first: beginning one may forget what memory has. */
static enum status place_first(
	struct journal *j, unsigned generation, int partition, struct why *why)
{
	struct journal_place *p;
	enum status st = journal_txn(j, why);

	if (st == STATUS_OK)
		st = journal_place(j, generation, partition, &p, why);
	if (st == STATUS_OK)
		journal_move(p, 0);
	return st;
}

enum status journal_placed(struct journal *j, unsigned generation, const int *partitions,
	unsigned count, struct why *why)
{
	struct journal_position at = {0};
	enum status st = journal_alive(j, why);

	for (unsigned i = 0; st == STATUS_OK && i < count; i++) {
		st = journal_position(j, generation, partitions[i], &at, why);
		if (st != STATUS_OK)
			return st;
		if (!at.known)
			st = place_first(j, generation, partitions[i], why);
	}
	return st == STATUS_OK ? journal_save(j, why) : journal_broke(j, st, why);
}

/* ---- gaps ---- */

static enum status write_gap(struct journal *j, const struct journal_gap_row *g, struct why *why)
{
	struct journal_place *p;
	struct sqlite3_stmt *q;
	enum status st = journal_statement(j, SQL_GAP_ADD, &q, why);

	if (st != STATUS_OK)
		return st;
	bind_number(q, 1, g->generation);
	bind_number(q, 2, g->partition);
	bind_number(q, 3, g->from);
	bind_number(q, 4, g->to);
	bind_number(q, 5, g->at_us);
	st = database_do(&j->db, q, why);
	if (st != STATUS_OK)
		return st;
	j->now.gaps += sqlite3_changes(j->db.handle);
	st = journal_place(j, g->generation, g->partition, &p, why);
	if (st == STATUS_OK)
		journal_move(p, g->to);
	return st;
}

enum status journal_gap(struct journal *j, unsigned generation, int partition, int64_t from,
	int64_t to, int64_t now_us, struct why *why)
{
	const struct journal_gap_row g = {generation, partition, from, to, now_us};
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK)
		st = journal_check_place(generation, partition, from, why);
	if (st == STATUS_OK)
		st = journal_check_place(generation, partition, to, why);
	if (st == STATUS_OK && to <= from)
		st = fail(why, STATUS_BAD_DATA, "a gap from %lld to %lld", (long long)from,
			(long long)to);
	if (st == STATUS_OK)
		st = journal_txn(j, why);
	if (st != STATUS_OK)
		return st;
	st = write_gap(j, &g, why);
	return st == STATUS_OK ? journal_save(j, why) : journal_broke(j, st, why);
}

enum status journal_each_gap(
	struct journal *j, journal_gap_call *call, void *context, struct why *why)
{
	struct sqlite3_stmt *q;
	enum status st = journal_alive(j, why);

	if (st == STATUS_OK)
		st = journal_statement(j, SQL_GAP_EACH, &q, why);
	if (st != STATUS_OK)
		return st;
	while ((st = database_row(&j->db, q, why)) == STATUS_OK) {
		const struct journal_gap_row g = {
			.generation = (unsigned)sqlite3_column_int64(q, 0),
			.partition = (int)sqlite3_column_int64(q, 1),
			.from = sqlite3_column_int64(q, 2),
			.to = sqlite3_column_int64(q, 3),
			.at_us = sqlite3_column_int64(q, 4),
		};

		st = call(context, &g, why);
		if (st != STATUS_OK) {
			sqlite3_reset(q);
			return st;
		}
	}
	return st == STATUS_NOT_FOUND ? STATUS_OK : journal_broke(j, st, why);
}
