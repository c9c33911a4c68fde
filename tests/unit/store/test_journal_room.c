/* The journal's cap: which matches leave, what stays of them, and that the files stay below it. */
#include "store_test.h"

#include <fcntl.h>
#include <sys/stat.h>

static const uint64_t cap = 2 << 20;
static const int64_t day_us = 86400ll * 1000 * 1000;
static const int64_t now_us = 20000 * 86400ll * 1000 * 1000;

struct fixture {
	struct test_folder at;
	struct journal *journal;
	unsigned generation;
	int64_t offset;
	uint64_t seq;
	char body[2000];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct journal_opening opening;
	bool is_new;

	assert_non_null(f);
	memset(f->body, 'b', sizeof f->body);
	test_folder_make(&f->at, "journal.db");
	ok(journal_open(&f->journal, f->at.path, cap, &opening, &why));
	assert_true(opening.created);
	ok(journal_generation(f->journal, "c", "t", "", &f->generation, &is_new, &why));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	journal_close(f->journal);
	test_folder_remove(&f->at);
	free(f);
	return 0;
}

static enum status add_one(
	struct fixture *f, const char *match, int64_t at, bool ended, struct why *why)
{
	struct journal_record r = {
		.generation = f->generation,
		.offset = f->offset,
		.kafka_us = at,
		.ce_us = at,
		.match = text_view(match),
		.self = {.run = {1}, .seq = f->seq + 1},
		.ended = ended,
		.body = view_of(f->body, sizeof f->body),
	};
	bool duplicate;
	enum status st = journal_add(f->journal, &r, &duplicate, why);

	if (st == STATUS_OK) {
		f->offset++;
		f->seq++;
	}
	return st;
}

static void add(struct fixture *f, const char *match, int count, int64_t at, bool ended)
{
	ok(journal_begin(f->journal, &why));
	for (int i = 0; i < count; i++)
		ok(add_one(f, match, at + i, ended && i == count - 1, &why));
	ok(journal_commit(f->journal, &why));
}

static void render(struct fixture *f, const char *match, const char *file)
{
	struct journal_match m;

	ok(journal_match_of(f->journal, text_view(match), &m, &why));
	ok(journal_rendered(f->journal, m.id, file, m.records, &why));
}

static bool is_here(struct fixture *f, const char *match)
{
	struct journal_match m;
	struct why reason;

	return journal_match_of(f->journal, text_view(match), &m, &reason) == STATUS_OK;
}

/* Fills the journal with states of one match; how many went in. */
static int fill(struct fixture *f, const char *match, int64_t at)
{
	struct why reason;
	enum status st = STATUS_OK;
	int count = 0;

	ok(journal_begin(f->journal, &why));
	while ((st = add_one(f, match, at + count, false, &reason)) == STATUS_OK) {
		count++;
		if (count % 50 == 0) {
			ok(journal_commit(f->journal, &why));
			ok(journal_begin(f->journal, &why));
		}
		assert_true(count < 5000);
	}
	assert_int_equal(st, STATUS_FULL);
	ok(journal_commit(f->journal, &why));
	return count;
}

static uint64_t on_disk(struct fixture *f)
{
	static const char *const suffixes[] = {"", "-wal", ".ballast"};
	uint64_t sum = 0;

	for (int i = 0; i < 3; i++) {
		char name[160];
		struct stat st;

		snprintf(name, sizeof name, "%s%s", f->at.path, suffixes[i]);
		if (!stat(name, &st))
			sum += (uint64_t)st.st_size;
	}
	return sum;
}

static void oldest_that_may_leave_go_first(void **state)
{
	struct fixture *f = *state;
	struct journal_match m;
	struct journal_figures figures;
	unsigned left = 0;

	add(f, "ended long ago", 60, now_us - 30 * day_us, true);
	render(f, "ended long ago", "old.xlsx");
	add(f, "rests", 60, now_us - 20 * day_us, false);
	render(f, "rests", "rests.xlsx");
	add(f, "not rendered", 10, now_us - 40 * day_us, true);
	add(f, "ended today", 60, now_us - day_us, true);
	render(f, "ended today", "today.xlsx");
	fill(f, "live", now_us);
	render(f, "live", "live.xlsx");
	ok(journal_begin(f->journal, &why));
	expect_status(STATUS_FATAL, journal_make_room(f->journal, now_us, &left, &why));
	ok(journal_abort(f->journal, &why));
	ok(journal_make_room(f->journal, now_us, &left, &why));
	assert_true(left >= 1);
	assert_false(is_here(f, "ended long ago"));
	assert_true(is_here(f, "not rendered"));
	assert_true(is_here(f, "live"));
	if (left < 3)
		assert_true(is_here(f, "ended today"));
	journal_figures(f->journal, &figures);
	assert_true(figures.bytes < cap);
	add(f, "ended long ago", 3, now_us, false);
	ok(journal_match_of(f->journal, text_view("ended long ago"), &m, &why));
	assert_int_equal(m.tombstones, 1);
	assert_int_equal(m.records, 3);
	assert_int_equal(m.rendered, 0);
	bool taken;
	ok(journal_file_taken(f->journal, "OLD.xlsx", m.id, &taken, &why));
	assert_true(taken);
	assert_true(on_disk(f) <= cap);
}

static void when_none_may_leave_it_says_so(void **state)
{
	struct fixture *f = *state;
	struct journal_position before, after;
	unsigned left = 0;
	struct why reason;

	fill(f, "live", now_us);
	assert_true(on_disk(f) <= cap);
	ok(journal_position(f->journal, f->generation, 0, &before, &why));
	assert_int_equal(before.next_offset, f->offset);
	expect_status(STATUS_FULL, journal_make_room(f->journal, now_us, &left, &why));
	ok(journal_begin(f->journal, &why));
	assert_int_equal(add_one(f, "live", now_us, false, &reason), STATUS_FULL);
	ok(journal_commit(f->journal, &why));
	ok(journal_position(f->journal, f->generation, 0, &after, &why));
	assert_int_equal(before.next_offset, after.next_offset);
	/* Its workbook is written, it ends: now it may. */
	render(f, "live", "live.xlsx");
	expect_status(STATUS_FULL, journal_make_room(f->journal, now_us, &left, &why));
	ok(journal_make_room(f->journal, now_us + 8 * day_us, &left, &why));
	assert_int_equal(left, 1);
	add(f, "live", 100, now_us, false);
}

static void it_goes_round_for_a_season(void **state)
{
	struct fixture *f = *state;
	char match[32], file[32];
	struct why reason;
	unsigned gone = 0;

	for (int i = 0; i < 60; i++) {
		snprintf(match, sizeof match, "match-%d", i);
		snprintf(file, sizeof file, "match-%d.xlsx", i);
		ok(journal_begin(f->journal, &why));
		for (int n = 0; n < 40; n++) {
			enum status st = add_one(
				f, match, now_us + i * day_us + n, n == 39, &reason);

			if (st == STATUS_FULL) {
				unsigned left = 0;

				ok(journal_commit(f->journal, &why));
				ok(journal_make_room(f->journal, now_us + i * day_us, &left, &why));
				gone += left;
				ok(journal_begin(f->journal, &why));
				ok(add_one(f, match, now_us + i * day_us + n, n == 39, &why));
			} else {
				assert_int_equal(st, STATUS_OK);
			}
		}
		ok(journal_commit(f->journal, &why));
		render(f, match, file);
		assert_true(on_disk(f) <= cap);
	}
	assert_true(gone > 10);
	assert_false(is_here(f, "match-0"));
	assert_true(is_here(f, "match-59"));
}

/* A reader that stays keeps the log from beginning anew: it must not grow for ever. */
static void a_reader_cannot_make_the_log_grow(void **state)
{
	struct fixture *f = *state;
	struct journal *reader;
	struct why reason;
	enum status st = STATUS_OK;

	add(f, "m", 1, now_us, false);
	ok(journal_open_reader(&reader, f->at.path, &why));
	ok(journal_snapshot_begin(reader, &why));
	for (int i = 0; i < 1000 && st == STATUS_OK; i++) {
		st = journal_begin(f->journal, &reason);
		if (st != STATUS_OK)
			break;
		st = add_one(f, "m", now_us + i, false, &reason);
		ok(journal_commit(f->journal, &why));
	}
	assert_int_equal(st, STATUS_AGAIN);
	assert_true(on_disk(f) <= cap);
	journal_snapshot_end(reader);
	ok(journal_begin(f->journal, &why));
	ok(add_one(f, "m", now_us, false, &why));
	ok(journal_commit(f->journal, &why));
	journal_close(reader);
}

static void damage_is_set_aside(void **state)
{
	struct fixture *f = *state;
	struct journal_opening opening;
	char name[33];

	add(f, "m", 20, now_us, false);
	snprintf(name, sizeof name, "%s", journal_name(f->journal));
	journal_close(f->journal);
	int fd = open(f->at.path, O_WRONLY);
	assert_int_equal(pwrite(fd, "garbage", 7, 0), 7);
	close(fd);
	ok(journal_open(&f->journal, f->at.path, cap, &opening, &why));
	assert_memory_equal(opening.set_aside, "journal.db.bad-", 15);
	assert_true(opening.created);
	assert_string_not_equal(journal_name(f->journal), name);
	assert_false(is_here(f, "m"));
}

static void a_changed_body_is_not_served(void **state)
{
	struct fixture *f = *state;
	struct journal_opening opening;
	struct journal_record r;
	struct journal_match m;
	char *found = NULL;
	static char file[4 << 20];

	memset(f->body, 'Q', sizeof f->body);
	add(f, "m", 1, now_us, false);
	journal_close(f->journal);
	int fd = open(f->at.path, O_RDWR);
	ssize_t size = read(fd, file, sizeof file);
	for (ssize_t i = 0; !found && i < size - 100; i++)
		if (!memcmp(file + i, "QQQQQQQQQQQQQQQQ", 16))
			found = file + i;
	assert_non_null(found);
	assert_int_equal(pwrite(fd, "x", 1, found - file + 50), 1);
	close(fd);
	ok(journal_open(&f->journal, f->at.path, cap, &opening, &why));
	ok(journal_match_of(f->journal, text_view("m"), &m, &why));
	ok(journal_latest(f->journal, m.id, &r, &why));
	assert_true(r.damaged);
	assert_int_equal(r.body.length, 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(oldest_that_may_leave_go_first),
		test(when_none_may_leave_it_says_so),
		test(it_goes_round_for_a_season),
		test(a_reader_cannot_make_the_log_grow),
		test(damage_is_set_aside),
		test(a_changed_body_is_not_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
