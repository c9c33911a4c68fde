/* Damage on the card, as in test_spool_damage.c: no body is served that was not written, and work goes on. */
#include "store_test.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { RECORDS = 60, MATCHES = 5 };

static void body_of(int offset, char out[900])
{
	snprintf(out, 900, "body of record %d%*s", offset, 600, "end");
}

static struct journal_record record_at(
	unsigned generation, int offset, char key[32], char body[900])
{
	snprintf(key, 32, "match-%d", offset % MATCHES);
	body_of(offset, body);
	return (struct journal_record){
		.generation = generation,
		.offset = offset,
		.kafka_us = offset + 1,
		.ce_us = offset + 1,
		.match = text_view(key),
		.self = {.run = {(uint8_t)(1 + offset % 2)}, .seq = (uint64_t)offset + 1},
		.body = text_view(body),
	};
}

static enum status add_up_to(struct journal *j, int to, struct why *why)
{
	struct journal_position p;
	char key[32], body[900];
	unsigned generation;
	bool flag;
	enum status st = journal_generation(j, "c", "t", "", &generation, &flag, why);

	if (st == STATUS_OK)
		st = journal_position(j, generation, 0, &p, why);
	if (st == STATUS_OK)
		st = journal_begin(j, why);
	for (int64_t o = p.next_offset; st == STATUS_OK && o < to; o++) {
		struct journal_record r = record_at(generation, (int)o, key, body);

		st = journal_add(j, &r, &flag, why);
	}
	return st == STATUS_OK ? journal_commit(j, why) : st;
}

static void write_journal(const struct test_folder *at)
{
	struct journal_opening opening;
	struct journal *j;

	ok(journal_open(&j, at->path, 4 << 20, &opening, &why));
	ok(add_up_to(j, RECORDS, &why));
	for (int m = 0; m < MATCHES; m++) {
		struct journal_match match;
		char key[32];

		snprintf(key, sizeof key, "match-%d", m);
		ok(journal_match_of(j, text_view(key), &match, &why));
		ok(journal_rendered(j, match.id, key, match.records, &why));
	}
	journal_close(j);
}

struct reading {
	struct journal *journal;
	int good, damaged;
};

static enum status read_match(void *context, const struct journal_match *m, struct why *why)
{
	struct reading *r = context;
	struct journal_record record;
	enum status st = journal_latest(r->journal, m->id, &record, why);
	char body[900];

	if (st == STATUS_OK && !record.damaged) {
		body_of((int)record.offset, body);
		if (!view_is(record.body, body))
			fail_msg("served a body that nobody wrote");
	}
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

static enum status read_records(
	struct reading *r, int match, enum journal_order order, struct why *why)
{
	struct journal_cursor *c;
	struct journal_record record;
	struct journal_match m;
	char key[32], body[900];
	enum status st;

	snprintf(key, sizeof key, "match-%d", match);
	st = journal_match_of(r->journal, text_view(key), &m, why);
	if (st != STATUS_OK)
		return st == STATUS_NOT_FOUND ? STATUS_OK : st;
	st = journal_cursor_open(&c, r->journal, m.id, order, why);
	if (st != STATUS_OK)
		return st;
	while ((st = journal_cursor_next(c, &record, why)) == STATUS_OK) {
		body_of((int)record.offset, body);
		if (record.damaged)
			r->damaged++;
		else if (view_is(record.body, body))
			r->good++;
		else
			fail_msg("served a body that nobody wrote");
	}
	journal_cursor_close(c);
	return st == STATUS_NOT_FOUND ? STATUS_OK : st;
}

static enum status use(struct reading *r, struct why *why)
{
	enum status st = journal_each_match(r->journal, read_match, r, why);

	for (int m = 0; m < MATCHES && st == STATUS_OK; m++)
		st = read_records(r, m, JOURNAL_BY_TIME, why);
	for (int m = 0; m < MATCHES && st == STATUS_OK; m++)
		st = read_records(r, m, JOURNAL_BY_ARRIVAL, why);
	return st == STATUS_OK ? add_up_to(r->journal, RECORDS + 20, why) : st;
}

/* As the service does: on FATAL close, open again, go on. */
static void live_with_it(const struct test_folder *at, struct reading *r)
{
	struct journal_opening opening;
	struct why reason = {""};

	for (int attempt = 0; attempt < 4; attempt++) {
		memset(r, 0, sizeof *r);
		ok(journal_open(&r->journal, at->path, 4 << 20, &opening, &why));
		enum status st = use(r, &reason);
		journal_close(r->journal);
		if (st == STATUS_OK)
			return;
		if (st != STATUS_FATAL)
			fail_msg("%s: %s", status_name(st), reason.text);
	}
	fail_msg("the journal does not come to rest: %s", reason.text);
}

static void flipped_bytes_are_never_served(void **state)
{
	struct test_folder pristine, at;
	struct stat st;
	int set_aside = 0, damaged = 0;

	(void)state;
	test_folder_make(&pristine, "journal.db");
	write_journal(&pristine);
	assert_int_equal(stat(pristine.path, &st), 0);
	for (off_t where = 0; where < st.st_size; where += 4096) {
		static const int offsets[] = {3, 9, 2000, 4088};

		for (int n = 0; n < 4; n++) {
			struct reading r;
			uint8_t noise[6];

			test_folder_make(&at, "journal.db");
			test_folder_copy(&pristine, &at);
			memset(noise, 0x5a ^ (int)(where / 4096), sizeof noise);
			int fd = open(at.path, O_RDWR);
			assert_int_equal(
				pwrite(fd, noise, sizeof noise, where + offsets[n]), sizeof noise);
			close(fd);
			live_with_it(&at, &r);
			set_aside += test_folder_has(&at, ".bad-");
			damaged += r.damaged > 0;
			test_folder_remove(&at);
		}
	}
	assert_true(set_aside > 0);
	assert_true(damaged > 0);
	test_folder_remove(&pristine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flipped_bytes_are_never_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
