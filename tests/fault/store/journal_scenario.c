#include "scenario.h"
#include "store/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { MATCHES = 4, PARTITIONS = 2, BATCHES = 5, BATCH = 5, BODY_BYTES = 6000 };

/* The topic: offset o of partition p is a fixed record. Each batch reads on from the journal's position. */
static struct {
	int64_t confirmed[PARTITIONS]; /* next offset of the last confirmed commit */
	int64_t offered[PARTITIONS];   /* the highest offset ever offered + 1 */
	unsigned generation;
	bool opened;
	char name[64];
} ledger;

static int match_at(int partition, int64_t offset)
{
	/* A match is always in the same partition, as its key decides. */
	return partition + 2 * (int)(offset % 2);
}

static bool is_error(int64_t offset)
{
	return offset % 11 == 7;
}

static size_t body_at(int partition, int64_t offset, char out[BODY_BYTES])
{
	size_t length = offset % 13 == 5 ? 5500 : 700;
	int n = snprintf(out, BODY_BYTES, "%d/%lld ", partition, (long long)offset);

	memset(out + n, 'a' + (int)(offset % 26), length - (size_t)n);
	return length;
}

static struct journal_record record_at(int partition, int64_t offset)
{
	static char body[BODY_BYTES], key[64], event[64];
	const int64_t seq = offset / 2 + 1;
	struct journal_record r = {
		.generation = ledger.generation,
		.partition = partition,
		.offset = offset,
		.kafka_us = offset * 10 + 5,
		.ce_us = offset * 10 + 5,
		.match = view_of(key,
			(size_t)snprintf(key, sizeof key, "match-%d", match_at(partition, offset))),
		.event_id = view_of(event,
			(size_t)snprintf(event, sizeof event, "event-%lld", (long long)offset)),
		.self = {.run = {(uint8_t)(offset % 3 + 1)}, .seq = (uint64_t)seq},
		.ended = offset > 20,
		.body = view_of(body, body_at(partition, offset, body)),
	};

	/* Every fifth is its predecessor sent again. */
	if (offset % 5 == 4 && offset >= 6) {
		r.self.run[0] = (uint8_t)((offset - 6) % 3 + 1);
		r.self.seq = (uint64_t)((offset - 6) / 2 + 1);
	}
	return r;
}

static bool is_dead(enum status st)
{
	return st == STATUS_IO || st == STATUS_FATAL;
}

static enum status offer(struct journal *j, int partition, int64_t offset, struct why *why)
{
	struct journal_record r = record_at(partition, offset);
	bool duplicate;

	if (ledger.offered[partition] <= offset)
		ledger.offered[partition] = offset + 1;
	if (is_error(offset))
		return journal_add_error(j, ledger.generation, partition, offset, 1, "not JSON",
			r.match, r.body, why);
	return journal_add(j, &r, &duplicate, why);
}

static bool play_batch(struct journal *j)
{
	struct journal_position p[PARTITIONS];
	struct why why;
	enum status st = journal_begin(j, &why);

	if (st != STATUS_OK)
		return !is_dead(st);
	for (int part = 0; st == STATUS_OK && part < PARTITIONS; part++) {
		st = journal_position(j, ledger.generation, part, &p[part], &why);
		for (int i = 0; st == STATUS_OK && i < BATCH; i++)
			st = offer(j, part, p[part].next_offset + i, &why);
	}
	/* Full without harm, or lost as a whole: commit tells. */
	st = is_dead(st) ? st : journal_commit(j, &why);
	for (int part = 0; st == STATUS_OK && part < PARTITIONS; part++) {
		struct journal_position now;

		if (journal_position(j, ledger.generation, part, &now, &why) == STATUS_OK)
			ledger.confirmed[part] = now.next_offset;
	}
	return !is_dead(st);
}

static enum status render(void *context, const struct journal_match *m, struct why *why)
{
	struct journal_record latest;
	enum status st = journal_latest(context, m->id, &latest, why);

	if (st == STATUS_OK && latest.damaged)
		fail_msg("a record that nobody wrote");
	return st;
}

static bool play_workbooks(struct journal *j)
{
	struct journal_match m;
	struct why why;
	enum status st = journal_each_unrendered(j, render, j, &why);

	if (is_dead(st))
		return false;
	st = journal_match_of(j, view_of("match-1", 7), &m, &why);
	if (st == STATUS_OK)
		st = journal_rendered(j, m.id, "match-1.xlsx", m.records, &why);
	return !is_dead(st);
}

static void play(struct journal *j)
{
	struct why why;
	unsigned left;
	bool is_new;
	enum status st = journal_generation(
		j, "cluster", "topic", "", &ledger.generation, &is_new, &why);

	if (st != STATUS_OK)
		return;
	for (int batch = 0; batch < BATCHES; batch++) {
		if (!play_batch(j))
			return;
		if (batch % 3 == 2 && !play_workbooks(j))
			return;
		if (batch == 2 && is_dead(journal_gap(j, ledger.generation, 9, 5, 10, 1, &why)))
			return;
		if (batch == 3 && is_dead(journal_make_room(j, 1, &left, &why)))
			return;
	}
}

static void path_in(const char *folder, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/journal.db", folder);
}

void journal_scenario(const char *folder)
{
	struct journal_opening opening;
	struct journal *j = NULL;
	struct why why;
	char path[PATH_MAX];

	memset(&ledger, 0, sizeof ledger);
	path_in(folder, path);
	if (journal_open(&j, path, 8 << 20, &opening, &why) != STATUS_OK)
		return;
	if (opening.set_aside[0])
		fail_msg("a sound journal was set aside as %s", opening.set_aside);
	ledger.opened = true;
	snprintf(ledger.name, sizeof ledger.name, "%s", journal_name(j));
	play(j);
	journal_close(j);
}

/* ---- afterwards ---- */

static int cursor_count(struct journal *j, int match, enum journal_order order, const char *what)
{
	static char body[BODY_BYTES];
	struct journal_cursor *c;
	struct journal_match m;
	struct journal_record r;
	struct why why = {""};
	char key[64];
	int count = 0;
	int64_t last_us = INT64_MIN;
	enum status st;

	snprintf(key, sizeof key, "match-%d", match);
	st = journal_match_of(j, view_of(key, strlen(key)), &m, &why);
	if (st == STATUS_NOT_FOUND)
		return 0;
	if (st == STATUS_OK)
		st = journal_cursor_open(&c, j, m.id, order, &why);
	if (st != STATUS_OK)
		fail_msg("%s: match %d: %s", what, match, why.text);
	while ((st = journal_cursor_next(c, &r, &why)) == STATUS_OK) {
		const size_t length = body_at(r.partition, r.offset, body);

		if (r.damaged || r.body.length != length || memcmp(r.body.bytes, body, length) ||
			is_error(r.offset) || match_at(r.partition, r.offset) != match)
			fail_msg("%s: record %d/%lld is not what was written", what, r.partition,
				(long long)r.offset);
		if (order == JOURNAL_BY_TIME && r.order_us < last_us)
			fail_msg("%s: out of order", what);
		last_us = r.order_us;
		count++;
	}
	if (st != STATUS_NOT_FOUND)
		fail_msg("%s: reading stops: %s", what, why.text);
	journal_cursor_close(c);
	if (order == JOURNAL_BY_ARRIVAL && (uint64_t)count != m.records)
		fail_msg("%s: match %d has %d records, its line says %llu", what, match, count,
			(unsigned long long)m.records);
	return count;
}

static enum status count_error(void *context, const struct journal_error_row *e, struct why *why)
{
	(void)e;
	(void)why;
	++*(int *)context;
	return STATUS_OK;
}

static void check_content(struct journal *j, const char *what)
{
	struct journal_figures figures;
	struct why why;
	int64_t expected = 0, errors = 0;
	int found = 0, found_errors = 0;

	for (int part = 0; part < PARTITIONS; part++) {
		struct journal_position p;

		if (journal_position(j, ledger.generation, part, &p, &why) != STATUS_OK)
			fail_msg("%s: %s", what, why.text);
		if (p.next_offset < ledger.confirmed[part] || p.next_offset > ledger.offered[part])
			fail_msg("%s: position %lld of partition %d, confirmed %lld, offered %lld",
				what, (long long)p.next_offset, part,
				(long long)ledger.confirmed[part], (long long)ledger.offered[part]);
		for (int64_t o = 0; o < p.next_offset; o++)
			*(is_error(o) ? &errors : &expected) += 1;
		if (!p.next_offset)
			continue;
		struct journal_record r = record_at(part, p.next_offset - 1);
		if (!p.has_anchor || p.anchor_offset != p.next_offset - 1 ||
			p.anchor_crc != journal_crc(r.match, r.body))
			fail_msg("%s: wrong anchor", what);
	}
	for (int m = 0; m < MATCHES; m++) {
		found += cursor_count(j, m, JOURNAL_BY_ARRIVAL, what);
		cursor_count(j, m, JOURNAL_BY_TIME, what);
	}
	if (journal_each_error(j, count_error, &found_errors, &why) != STATUS_OK)
		fail_msg("%s: %s", what, why.text);
	journal_figures(j, &figures);
	if (found != expected || found_errors != errors || figures.records != (uint64_t)found ||
		figures.errors != (uint64_t)found_errors)
		fail_msg(
			"%s: %d records and %d errors below the position, expected %lld and %lld, figures say %llu and %llu",
			what, found, found_errors, (long long)expected, (long long)errors,
			(unsigned long long)figures.records, (unsigned long long)figures.errors);
}

void journal_scenario_check(const char *folder, const char *what)
{
	struct journal_opening opening;
	struct journal *j;
	struct why why = {""};
	char path[PATH_MAX];
	bool is_new;

	path_in(folder, path);
	if (journal_open(&j, path, 8 << 20, &opening, &why) != STATUS_OK)
		fail_msg("%s: does not open again: %s", what, why.text);
	if (opening.set_aside[0])
		fail_msg("%s: a sound journal was set aside", what);
	if (ledger.opened && strcmp(ledger.name, journal_name(j)))
		fail_msg("%s: another journal", what);
	unsigned generation;
	if (journal_generation(j, "cluster", "topic", "", &generation, &is_new, &why) != STATUS_OK)
		fail_msg("%s: %s", what, why.text);
	if (ledger.generation && generation != ledger.generation)
		fail_msg("%s: generation %u became %u", what, ledger.generation, generation);
	ledger.generation = generation;
	check_content(j, what);
	if (!play_batch(j) || !play_workbooks(j))
		fail_msg("%s: cannot work on", what);
	check_content(j, what);
	journal_close(j);
}
