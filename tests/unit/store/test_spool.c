/* The spool seen from outside: pages, order, what is remembered of each match, letters, notes. */
#include "store_test.h"

#include <sqlite3.h>

struct fixture {
	struct test_folder at;
	struct spool *spool;
	struct spool_opening opening;
};

static void open_spool(struct fixture *f)
{
	ok(spool_open(&f->spool, f->at.path, 64 << 20, SPOOL_LATEST, test_run, &f->opening, &why));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	test_folder_make(&f->at, "spool.db");
	open_spool(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	spool_close(f->spool);
	test_folder_remove(&f->at);
	free(f);
	return 0;
}

static void reopen(struct fixture *f)
{
	spool_close(f->spool);
	open_spool(f);
}

/* As the poller does: only what changed is staged. Returns whether it was. */
static bool offer(struct fixture *f, const char *match, const char *body)
{
	struct spool_last last;
	uint8_t digest[SEEN_DIGEST_BYTES];

	ok(spool_last(f->spool, text_view(match), &last, &why));
	digest_of(body, digest);
	if (last.met || (last.known && !memcmp(last.digest, digest, sizeof digest)))
		return false;
	ok(spool_add(f->spool, text_view(match), digest, 1000000, text_view(body), &why));
	return true;
}

static void begin(struct fixture *f)
{
	ok(spool_page_begin(f->spool, &why));
}

static void commit(struct fixture *f)
{
	ok(spool_page_commit(f->spool, &why));
}

/* One sweep of one page. */
static void sweep(struct fixture *f, const char *match, const char *body)
{
	spool_sweep_begin(f->spool);
	begin(f);
	offer(f, match, body);
	commit(f);
}

/* All visible bodies, joined by blanks. */
static const char *waiting(struct fixture *f)
{
	static char out[4096];
	struct spool_row row;
	struct why why;
	int64_t after = 0;
	enum status st;

	out[0] = '\0';
	while ((st = spool_next(f->spool, after, &row, &why)) == STATUS_OK) {
		assert_true(row.id > after);
		after = row.id;
		if (out[0])
			strcat(out, " ");
		strncat(out, row.body.bytes, row.body.length);
	}
	assert_int_equal(st, STATUS_NOT_FOUND);
	return out;
}

static struct spool_row row_number(struct fixture *f, int n)
{
	struct spool_row row = {.id = 0};

	for (int i = 0; i <= n; i++)
		ok(spool_next(f->spool, row.id, &row, &why));
	return row;
}

static uint64_t rows(struct fixture *f)
{
	struct spool_figures figures;

	spool_figures(f->spool, &figures);
	return figures.rows;
}

static void page_is_shown_at_once(void **state)
{
	struct fixture *f = *state;

	spool_sweep_begin(f->spool);
	begin(f);
	assert_true(offer(f, "m1", "a1"));
	assert_true(offer(f, "m2", "b1"));
	assert_string_equal(waiting(f), "");
	assert_int_equal(rows(f), 0);
	commit(f);
	assert_string_equal(waiting(f), "a1 b1");
	assert_int_equal(rows(f), 2);
	reopen(f);
	assert_string_equal(waiting(f), "a1 b1");
	assert_int_equal(f->opening.waiting_rows, 2);
	assert_int_equal(f->opening.pending_rows, 0);
	ok(spool_verify(f->spool, &why));
}

static void broken_page_is_taken_back(void **state)
{
	struct fixture *f = *state;
	struct spool_last before, after;

	sweep(f, "m1", "a1");
	ok(spool_last(f->spool, text_view("m1"), &before, &why));
	spool_sweep_begin(f->spool);
	begin(f);
	assert_true(offer(f, "m1", "a2"));
	assert_true(offer(f, "m2", "b1"));
	ok(spool_page_abort(f->spool, &why));
	assert_string_equal(waiting(f), "a1");
	/* It was met in the page that went, so it counts as not met. */
	ok(spool_last(f->spool, text_view("m1"), &after, &why));
	assert_false(after.met);
	assert_memory_equal(before.digest, after.digest, SEEN_DIGEST_BYTES);
	assert_int_equal(after.changed_us, 1000000);
	assert_true(identity_equal(&before.state, &after.state));
	ok(spool_last(f->spool, text_view("m2"), &after, &why));
	assert_false(after.known);
	sweep(f, "m1", "a2");
	assert_string_equal(waiting(f), "a1 a2");
	struct spool_row row = row_number(f, 1);
	assert_true(identity_equal(&row.prev, &before.state));
	ok(spool_page_abort(f->spool, &why));
}

static void power_cut_takes_the_page_back(void **state)
{
	struct fixture *f = *state;
	struct fixture copy = {.spool = NULL};
	struct spool_last last;
	char match[32];

	sweep(f, "m7", "old");
	spool_sweep_begin(f->spool);
	begin(f);
	for (int i = 0; i < 600; i++) { /* more than two commits */
		snprintf(match, sizeof match, "m%d", i);
		offer(f, match, "new");
	}
	test_folder_make(&copy.at, "spool.db");
	test_folder_copy(&f->at, &copy.at);
	open_spool(&copy);
	assert_true(copy.opening.pending_rows >= 512);
	assert_int_equal(copy.opening.waiting_rows, 1);
	assert_string_equal(waiting(&copy), "old");
	uint8_t digest[SEEN_DIGEST_BYTES];
	digest_of("old", digest);
	ok(spool_last(copy.spool, text_view("m7"), &last, &why));
	assert_memory_equal(last.digest, digest, sizeof digest);
	ok(spool_last(copy.spool, text_view("m8"), &last, &why));
	assert_false(last.known);
	ok(spool_verify(copy.spool, &why));
	spool_close(copy.spool);
	test_folder_remove(&copy.at);
	commit(f);
	assert_int_equal(rows(f), 601);
}

static void a_state_that_returns_is_three_rows(void **state)
{
	struct fixture *f = *state;

	sweep(f, "m1", "A");
	sweep(f, "m1", "A");
	sweep(f, "m1", "B");
	sweep(f, "m1", "A");
	assert_string_equal(waiting(f), "A B A");
	struct spool_row first = row_number(f, 0), second = row_number(f, 1),
			 third = row_number(f, 2);
	assert_false(identity_known(&first.prev));
	assert_true(identity_equal(&second.prev, &first.self));
	assert_true(identity_equal(&third.prev, &second.self));
	assert_int_equal(first.self.seq, 1);
	assert_int_equal(third.self.seq, 3);
	assert_memory_equal(third.self.run, test_run, RUN_BYTES);
}

static void a_match_is_met_once_in_a_sweep(void **state)
{
	struct fixture *f = *state;

	spool_sweep_begin(f->spool);
	begin(f);
	assert_true(offer(f, "m1", "a1"));
	assert_false(offer(f, "m1", "a2"));
	commit(f);
	begin(f);
	assert_false(offer(f, "m1", "a2"));
	commit(f);
	spool_sweep_begin(f->spool);
	begin(f);
	assert_true(offer(f, "m1", "a2"));
	commit(f);
	assert_string_equal(waiting(f), "a1 a2");
}

static void one_page_may_hold_a_match_twice(void **state)
{
	struct fixture *f = *state;
	uint8_t digest[SEEN_DIGEST_BYTES] = {1};
	struct spool_last last;

	sweep(f, "m1", "a1");
	begin(f);
	for (int i = 0; i < 3; i++) {
		digest[0]++;
		ok(spool_add(f->spool, text_view("m1"), digest, 1, text_view("x"), &why));
	}
	ok(spool_last(f->spool, text_view("m1"), &last, &why));
	assert_int_equal(last.changed_us, 1);
	ok(spool_page_abort(f->spool, &why));
	ok(spool_last(f->spool, text_view("m1"), &last, &why));
	digest_of("a1", digest);
	assert_memory_equal(last.digest, digest, sizeof digest);
	assert_int_equal(last.changed_us, 1000000);
	assert_int_equal(last.state.seq, 1);
}

static void the_count_of_a_run_goes_on(void **state)
{
	static const uint8_t other[RUN_BYTES] = {0xb0};
	struct fixture *f = *state;

	sweep(f, "m1", "a1");
	reopen(f);
	sweep(f, "m1", "a2");
	spool_close(f->spool);
	ok(spool_open(&f->spool, f->at.path, 64 << 20, SPOOL_LATEST, other, &f->opening, &why));
	sweep(f, "m1", "a3");
	/* The first run again, as no caller should: it must not begin at 1 a second time. */
	reopen(f);
	sweep(f, "m1", "a4");
	struct spool_row row = row_number(f, 1);
	assert_int_equal(row.self.seq, 2);
	assert_memory_equal(row.self.run, test_run, RUN_BYTES);
	row = row_number(f, 2);
	assert_int_equal(row.self.seq, 1);
	assert_memory_equal(row.self.run, other, RUN_BYTES);
	assert_int_equal(row.prev.seq, 2);
	assert_memory_equal(row.prev.run, test_run, RUN_BYTES);
	row = row_number(f, 3);
	assert_int_equal(row.self.seq, 1);
	assert_true(memcmp(row.self.run, test_run, RUN_BYTES));
}

static void delivered_rows_are_freed(void **state)
{
	struct fixture *f = *state;
	char match[32];
	struct spool_figures figures;

	spool_sweep_begin(f->spool);
	begin(f);
	for (int i = 0; i < 10; i++) {
		snprintf(match, sizeof match, "m%d", i);
		offer(f, match, match);
	}
	commit(f);
	const int64_t first = row_number(f, 0).id;
	const int order[] = {3, 1, 2, 8, 1, 99};
	for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
		assert_int_equal(spool_delivered(f->spool, first + order[i]), STATUS_OK);
	assert_int_equal(rows(f), 10);
	ok(spool_free(f->spool, &why));
	assert_string_equal(waiting(f), "m0 m4 m5 m6 m7 m9");
	assert_int_equal(rows(f), 6);
	reopen(f);
	assert_string_equal(waiting(f), "m0 m4 m5 m6 m7 m9");
	for (int i = 0; i < 10; i++)
		assert_int_equal(spool_delivered(f->spool, first + i), STATUS_OK);
	ok(spool_free(f->spool, &why));
	spool_figures(f->spool, &figures);
	assert_int_equal(figures.rows, 0);
	assert_int_equal(figures.oldest_us, 0);
	ok(spool_verify(f->spool, &why));
}

/* The oldest go first, whatever the order of the acknowledgements; the others are still remembered. */
static void four_thousand_are_remembered(void **state)
{
	struct fixture *f = *state;
	char name[3][8] = {"m1", "m2", "m3"};

	for (int i = 0; i < 3; i++)
		sweep(f, name[i], "a");
	const int64_t first = row_number(f, 0).id;
	for (int i = 3999; i >= 0; i--)
		assert_int_equal(
			spool_delivered(f->spool, i < 3 ? first + i * 999 : first + 3000 + i),
			STATUS_OK);
	assert_int_equal(spool_delivered(f->spool, 1), STATUS_FULL);
	ok(spool_free_oldest(f->spool, &why));
	assert_int_equal(rows(f), 2);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(
			spool_delivered(f->spool, i < 2 ? first + i + 1 : first + 9000 + i),
			STATUS_OK);
	assert_int_equal(spool_delivered(f->spool, 1), STATUS_FULL);
	ok(spool_free(f->spool, &why));
	assert_int_equal(rows(f), 0);
	assert_int_equal(spool_delivered(f->spool, 1), STATUS_OK);
}

static void ids_are_never_used_twice(void **state)
{
	struct fixture *f = *state;
	struct spool_row row;

	sweep(f, "m1", "a1");
	int64_t id = row_number(f, 0).id;
	assert_int_equal(spool_delivered(f->spool, id), STATUS_OK);
	ok(spool_free(f->spool, &why));
	reopen(f);
	sweep(f, "m1", "a2");
	assert_true(row_number(f, 0).id > id);
	expect_status(STATUS_NOT_FOUND, spool_next(f->spool, row_number(f, 0).id, &row, &why));
}

static void new_rows_show_while_the_publisher_reads(void **state)
{
	struct fixture *f = *state;
	struct spool_row row;

	sweep(f, "m1", "a1");
	ok(spool_next(f->spool, 0, &row, &why));
	const int64_t first = row.id;
	sweep(f, "m2", "b1");
	/* The views of a row outlive other calls until the next spool_next. */
	assert_true(view_is(row.body, "a1"));
	ok(spool_next(f->spool, first, &row, &why));
	assert_true(view_is(row.body, "b1"));
	expect_status(STATUS_NOT_FOUND, spool_next(f->spool, row.id, &row, &why));
	sweep(f, "m3", "c1");
	ok(spool_next(f->spool, row.id, &row, &why));
	assert_true(view_is(row.body, "c1"));
	ok(spool_next(f->spool, first, &row, &why));
	assert_true(view_is(row.body, "b1"));
}

static void what_is_refused_becomes_a_letter(void **state)
{
	struct fixture *f = *state;
	struct spool_figures figures;

	sweep(f, "m1", "a1");
	sweep(f, "m2", "b1");
	ok(spool_refuse(f->spool, row_number(f, 0).id, "larger than the broker allows", &why));
	ok(spool_refuse(f->spool, 12345, "larger than the broker allows", &why));
	assert_string_equal(waiting(f), "b1");
	spool_figures(f->spool, &figures);
	assert_int_equal(figures.refused, 1);
	assert_int_equal(figures.dead_letters, 1);
	assert_int_equal(figures.rows, 1);
	assert_true(figures.last_loss_us > 0);
	reopen(f);
	spool_figures(f->spool, &figures);
	assert_int_equal(figures.refused, 1);
}

static void the_next_state_counts_the_refused(void **state)
{
	struct fixture *f = *state;

	sweep(f, "m1", "a1");
	sweep(f, "m1", "a2");
	sweep(f, "m2", "b1");
	sweep(f, "m1", "a3");
	sweep(f, "m1", "a4");
	ok(spool_refuse(f->spool, row_number(f, 1).id, "no", &why));
	ok(spool_refuse(f->spool, row_number(f, 2).id, "no", &why));
	reopen(f);
	assert_string_equal(waiting(f), "a1 b1 a4");
	assert_int_equal(row_number(f, 0).dropped, 0);
	assert_int_equal(row_number(f, 1).dropped, 0);
	assert_int_equal(row_number(f, 2).dropped, 2);
	ok(spool_delivered(f->spool, row_number(f, 2).id));
	ok(spool_free(f->spool, &why));
	sweep(f, "m1", "a5");
	assert_int_equal(row_number(f, 2).dropped, 0);
}

struct letters {
	uint64_t whole;
	char match[64];
	int count;
	uint64_t times;
	char reason[64], bytes[64];
	size_t length;
};

static void see_letter(void *context, const struct spool_letter *letter)
{
	struct letters *l = context;

	l->count++;
	l->times += letter->times;
	l->length = letter->bytes.length;
	l->whole = letter->length;
	snprintf(l->match, sizeof l->match, "%.*s", (int)letter->match.length, letter->match.bytes);
	snprintf(l->reason, sizeof l->reason, "%s", letter->reason);
	snprintf(l->bytes, sizeof l->bytes, "%.*s",
		(int)(letter->bytes.length < 60 ? letter->bytes.length : 60), letter->bytes.bytes);
}

static void equal_letters_are_counted(void **state)
{
	struct fixture *f = *state;
	struct letters l = {0};
	struct spool_figures figures;
	bool is_new = false;

	ok(spool_dead_letter(f->spool, "no id", text_view("{}"), 5, &is_new, &why));
	assert_true(is_new);
	for (int i = 0; i < 40; i++) {
		ok(spool_dead_letter(f->spool, "no id", text_view("{}"), 6 + i, &is_new, &why));
		assert_false(is_new);
	}
	reopen(f);
	ok(spool_dead_letter(f->spool, "no id", text_view("{}"), 90, &is_new, &why));
	assert_false(is_new);
	ok(spool_each(f->spool, NULL, see_letter, &l, &why));
	assert_int_equal(l.count, 1);
	assert_int_equal(l.times, 42);
	assert_string_equal(l.bytes, "{}");
	ok(spool_dead_letter(f->spool, "another reason", text_view("{}"), 91, &is_new, &why));
	assert_true(is_new);
	ok(spool_dead_letter(f->spool, "empty", view_of(NULL, 0), 91, &is_new, &why));
	assert_true(is_new);
	spool_figures(f->spool, &figures);
	assert_int_equal(figures.dead_letters, 3);
}

static void letters_are_cut_and_few(void **state)
{
	struct fixture *f = *state;
	struct letters l = {0};
	struct spool_figures figures;
	static char bytes[5000];
	bool is_new;

	memset(bytes, 'x', sizeof bytes);
	begin(f);
	for (int i = 0; i < 1100; i++) {
		memcpy(bytes, &i, sizeof i);
		ok(spool_dead_letter(
			f->spool, "long", view_of(bytes, sizeof bytes), 1, &is_new, &why));
		assert_true(is_new);
	}
	commit(f);
	ok(spool_each(f->spool, NULL, see_letter, &l, &why));
	assert_int_equal(l.count, 1000);
	assert_int_equal(l.length, 2048);
	spool_figures(f->spool, &figures);
	assert_int_equal(figures.dead_letters, 1100);
}

/* Two states that differ behind the bytes that are kept are two losses. */
static void a_refused_state_is_a_letter_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct letters l = {0};
	char body[3001];

	memset(body, 'x', 3000);
	body[3000] = '\0';
	sweep(f, "m1", body);
	body[2999] = 'y';
	sweep(f, "m1", body);
	for (int i = 0; i < 2; i++)
		ok(spool_refuse(f->spool, row_number(f, 0).id, "no", &why));
	reopen(f);
	ok(spool_each(f->spool, NULL, see_letter, &l, &why));
	assert_int_equal(l.count, 2);
	assert_int_equal(l.times, 2);
	assert_string_equal(l.match, "m1");
	assert_int_equal(l.whole, 3000);
	assert_int_equal(l.length, 2048);
}

/* The same bytes may be bad input and a refused state: neither is counted to the other. */
static void input_and_state_are_apart(void **state)
{
	struct fixture *f = *state;
	struct letters l = {0};
	bool is_new = false;

	sweep(f, "m1", "{}");
	ok(spool_refuse(f->spool, row_number(f, 0).id, "no", &why));
	ok(spool_dead_letter(f->spool, "no", text_view("{}"), 5, &is_new, &why));
	assert_true(is_new);
	ok(spool_dead_letter(f->spool, "no", text_view("{}"), 6, &is_new, &why));
	assert_false(is_new);
	ok(spool_each(f->spool, NULL, see_letter, &l, &why));
	assert_int_equal(l.count, 2);
	assert_int_equal(l.times, 3);
	assert_string_equal(l.match, "");
	assert_int_equal(l.whole, 2);
}

/* Counted repeats of 32 letters wait to be written: a row that is refused then still goes in one commit with
 * its letter and the counters. */
static void a_refusal_is_one_commit(void **state)
{
	struct fixture *f = *state;
	struct fixture copy = {0};
	struct spool_figures figures;
	char text[16];
	bool is_new;

	sweep(f, "m1", "a1");
	sweep(f, "m2", "a1");
	ok(spool_refuse(f->spool, row_number(f, 0).id, "no", &why));
	for (int i = 0; i < 64; i++) {
		snprintf(text, sizeof text, "{%d}", i % 32);
		ok(spool_dead_letter(f->spool, "no id", text_view(text), 1, &is_new, &why));
	}
	ok(spool_refuse(f->spool, row_number(f, 0).id, "no", &why));
	test_folder_make(&copy.at, "spool.db");
	test_folder_copy(&f->at, &copy.at);
	open_spool(&copy);
	ok(spool_verify(copy.spool, &why));
	spool_figures(copy.spool, &figures);
	assert_int_equal(figures.rows, 0);
	assert_int_equal(figures.refused, 2);
	spool_close(copy.spool);
	test_folder_remove(&copy.at);
}

static void run_sql(const struct test_folder *at, const char *sql)
{
	struct sqlite3 *handle;
	char *reason = NULL;

	assert_int_equal(sqlite3_open(at->path, &handle), SQLITE_OK);
	if (sqlite3_exec(handle, sql, NULL, NULL, &reason) != SQLITE_OK)
		fail_msg("%s: %s", sql, reason);
	sqlite3_close(handle);
}

/* Version 1 had no match in a letter. What waits in such a spool, and its letters, are all there. */
static void a_spool_of_version_1_is_opened(void **state)
{
	struct fixture *f = *state;
	struct letters l = {0};
	bool is_new;

	sweep(f, "m1", "a1");
	sweep(f, "m2", "b1");
	ok(spool_dead_letter(f->spool, "no id", text_view("{}"), 5, &is_new, &why));
	spool_close(f->spool);
	run_sql(&f->at, "ALTER TABLE letter DROP COLUMN match; PRAGMA user_version=1");
	open_spool(f);
	assert_string_equal(f->opening.set_aside, "");
	assert_string_equal(waiting(f), "a1 b1");
	ok(spool_dead_letter(f->spool, "no id", text_view("{}"), 6, &is_new, &why));
	assert_false(is_new);
	ok(spool_refuse(f->spool, row_number(f, 0).id, "no", &why));
	reopen(f);
	ok(spool_verify(f->spool, &why));
	ok(spool_each(f->spool, NULL, see_letter, &l, &why));
	assert_int_equal(l.count, 2);
	assert_int_equal(l.times, 3);
	assert_string_equal(l.match, "m1");
	assert_string_equal(waiting(f), "b1");
}

static void a_spool_of_a_later_version_is_left_alone(void **state)
{
	struct fixture *f = *state;

	spool_close(f->spool);
	run_sql(&f->at, "PRAGMA user_version=99");
	f->spool = NULL;
	expect_status(STATUS_DENIED, spool_open(&f->spool, f->at.path, 64 << 20, SPOOL_LATEST,
					     test_run, &f->opening, &why));
}

static void letters_outlive_their_page(void **state)
{
	struct fixture *f = *state;
	struct letters l = {0};
	bool is_new;

	begin(f);
	offer(f, "m1", "a1");
	ok(spool_dead_letter(f->spool, "no id", text_view("[]"), 1, &is_new, &why));
	ok(spool_page_abort(f->spool, &why));
	ok(spool_each(f->spool, NULL, see_letter, &l, &why));
	assert_int_equal(l.count, 1);
	assert_string_equal(waiting(f), "");
}

static void notes_survive(void **state)
{
	struct fixture *f = *state;
	char value[32];
	static char large[5000];

	expect_status(
		STATUS_NOT_FOUND, spool_note_get(f->spool, "block", value, sizeof value, &why));
	ok(spool_note_set(f->spool, "block", "until 5", &why));
	ok(spool_note_set(f->spool, "block", "until 6", &why));
	begin(f);
	ok(spool_note_set(f->spool, "quota", "87", &why));
	ok(spool_note_get(f->spool, "quota", value, sizeof value, &why));
	commit(f);
	reopen(f);
	ok(spool_note_get(f->spool, "block", value, sizeof value, &why));
	assert_string_equal(value, "until 6");
	ok(spool_note_get(f->spool, "quota", value, sizeof value, &why));
	assert_string_equal(value, "87");
	expect_status(STATUS_FULL, spool_note_get(f->spool, "block", value, 7, &why));
	memset(large, 'x', sizeof large - 1);
	expect_status(STATUS_BAD_DATA, spool_note_set(f->spool, "block", large, &why));
}

static void unseen_matches_are_forgotten(void **state)
{
	static const int64_t day_us = 86400000000, week_ms = 7 * 86400000ll;
	struct fixture *f = *state;
	struct spool_last last;
	int64_t now = 20000 * day_us;

	spool_sweep_begin(f->spool);
	begin(f);
	uint8_t digest[SEEN_DIGEST_BYTES] = {1};
	for (int i = 0; i < 3; i++) {
		const char *const names[] = {"stays", "goes", "waits"};
		ok(spool_add(f->spool, text_view(names[i]), digest, now, text_view("x"), &why));
	}
	commit(f);
	for (int i = 0; i < 2; i++)
		assert_int_equal(spool_delivered(f->spool, row_number(f, i).id), STATUS_OK);
	ok(spool_free(f->spool, &why));
	for (int d = 0; d < 12; d++) {
		now += day_us;
		spool_sweep_begin(f->spool);
		ok(spool_last(f->spool, text_view("stays"), &last, &why));
		assert_true(last.known);
		if (d == 5)
			reopen(f);
		ok(spool_forget_unseen(f->spool, now, week_ms, &why));
	}
	ok(spool_last(f->spool, text_view("goes"), &last, &why));
	assert_false(last.known);
	ok(spool_last(f->spool, text_view("waits"), &last, &why));
	assert_true(last.known);
}

static void wrong_arguments_are_named(void **state)
{
	struct fixture *f = *state;
	static char name[600];
	uint8_t digest[SEEN_DIGEST_BYTES] = {0};
	struct spool_last last;

	memset(name, 'n', sizeof name - 1);
	expect_status(STATUS_BAD_DATA, spool_last(f->spool, text_view(name), &last, &why));
	expect_status(
		STATUS_FATAL, spool_add(f->spool, text_view("m"), digest, 1, text_view("x"), &why));
	begin(f);
	expect_status(STATUS_BAD_DATA,
		spool_add(f->spool, text_view(name), digest, 1, text_view("x"), &why));
	expect_status(STATUS_BAD_DATA,
		spool_add(f->spool, text_view(""), digest, 1, text_view("x"), &why));
	expect_status(STATUS_BAD_DATA,
		spool_add(f->spool, text_view("m"), digest, 1, text_view(""), &why));
	ok(spool_add(f->spool, view_of(name, 512), digest, 1, text_view("x"), &why));
	expect_status(STATUS_FATAL, spool_page_begin(f->spool, &why));
	commit(f);
	struct spool_row row = row_number(f, 0);
	assert_int_equal(row.match.length, 512);
}

static void second_owner_is_refused(void **state)
{
	struct fixture *f = *state;
	struct spool *second = NULL;
	struct spool_opening opening;

	expect_status(STATUS_BUSY,
		spool_open(&second, f->at.path, 64 << 20, SPOOL_LATEST, test_run, &opening, &why));
	assert_null(second);
}

static void idle_sweeps_write_nothing(void **state)
{
	struct fixture *f = *state;
	char command[256], match[32];

	for (int round = 0; round < 3; round++) {
		spool_sweep_begin(f->spool);
		begin(f);
		for (int i = 0; i < 50; i++) {
			snprintf(match, sizeof match, "m%d", i);
			assert_true(offer(f, match, "same") == !round);
		}
		commit(f);
		snprintf(command, sizeof command,
			round ? "cmp -s %s-wal %s.then" : "cp %s-wal %s.then", f->at.path,
			f->at.path);
		assert_int_equal(system(command), 0);
	}
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(page_is_shown_at_once),
		test(broken_page_is_taken_back),
		test(power_cut_takes_the_page_back),
		test(a_state_that_returns_is_three_rows),
		test(a_match_is_met_once_in_a_sweep),
		test(one_page_may_hold_a_match_twice),
		test(the_count_of_a_run_goes_on),
		test(delivered_rows_are_freed),
		test(four_thousand_are_remembered),
		test(the_next_state_counts_the_refused),
		test(ids_are_never_used_twice),
		test(new_rows_show_while_the_publisher_reads),
		test(what_is_refused_becomes_a_letter),
		test(equal_letters_are_counted),
		test(a_refused_state_is_a_letter_of_its_own),
		test(input_and_state_are_apart),
		test(a_refusal_is_one_commit),
		test(a_spool_of_version_1_is_opened),
		test(a_spool_of_a_later_version_is_left_alone),
		test(letters_are_cut_and_few),
		test(letters_outlive_their_page),
		test(notes_survive),
		test(unseen_matches_are_forgotten),
		test(wrong_arguments_are_named),
		test(second_owner_is_refused),
		test(idle_sweeps_write_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
