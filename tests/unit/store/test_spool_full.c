/* The cap: what is dropped, what never is, what is told of it, and that the files stay below it. */
#include "store_test.h"

#include <sys/stat.h>

static const uint64_t cap = 1 << 20;

struct fixture {
	struct test_folder at;
	struct spool *spool;
	struct spool_opening opening;
	enum spool_full_policy policy;
	char body[2000];
	uint64_t largest; /* bytes of all files together, ever */
};

static void open_spool(struct fixture *f)
{
	ok(spool_open(&f->spool, f->at.path, cap, f->policy, test_run, &f->opening, &why));
}

static int setup_with(void **state, enum spool_full_policy policy)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->policy = policy;
	memset(f->body, 'b', sizeof f->body);
	test_folder_make(&f->at, "spool.db");
	open_spool(f);
	*state = f;
	return 0;
}

static int setup_latest(void **state)
{
	return setup_with(state, SPOOL_LATEST);
}

static int setup_block(void **state)
{
	return setup_with(state, SPOOL_BLOCK);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	spool_close(f->spool);
	test_folder_remove(&f->at);
	free(f);
	return 0;
}

static void measure(struct fixture *f)
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
	if (sum > f->largest)
		f->largest = sum;
}

/* One page with one new state of each of `matches`. */
static enum status page(struct fixture *f, int matches, int state)
{
	char match[32];
	uint8_t digest[SEEN_DIGEST_BYTES] = {0};
	struct why reason;
	enum status st = STATUS_OK;

	memcpy(digest, &state, sizeof state);
	ok(spool_page_begin(f->spool, &why));
	for (int i = 0; i < matches && st == STATUS_OK; i++) {
		snprintf(match, sizeof match, "match-%d", i);
		memcpy(f->body, &state, sizeof state);
		st = spool_add(f->spool, text_view(match), digest, 1000 + state,
			view_of(f->body, sizeof f->body), &reason);
	}
	if (st == STATUS_OK)
		ok(spool_page_commit(f->spool, &why));
	else
		ok(spool_page_abort(f->spool, &why));
	measure(f);
	return st;
}

struct tally {
	int rows;
	uint64_t dropped;
	int newest[64]; /* per match */
	uint64_t expected_seq;
};

/* For each match: dropped and surviving states add up without a hole; the first `delivered` of each are
 * known to be away. */
static void tally(struct fixture *f, int matches, int delivered, struct tally *t)
{
	struct spool_row row = {.id = 0};
	struct why reason;
	uint64_t last_seq[64] = {0};
	enum status st;

	memset(t, 0, sizeof *t);
	while ((st = spool_next(f->spool, row.id, &row, &reason)) == STATUS_OK) {
		int match = atoi(row.match.bytes + 6), state;

		assert_in_range(match, 0, matches - 1);
		memcpy(&state, row.body.bytes, sizeof state);
		assert_true(state > t->newest[match]);
		t->newest[match] = state;
		t->rows++;
		t->dropped += row.dropped;
		/* One state a page and match: the seq of a match rises by `matches`. */
		uint64_t before = last_seq[match];
		uint64_t skipped = before ? (row.self.seq - before) / (unsigned)matches - 1
					  : (row.self.seq - 1) / (unsigned)matches -
						    (unsigned)delivered;
		assert_int_equal(skipped, row.dropped);
		last_seq[match] = row.self.seq;
	}
	assert_int_equal(st, STATUS_NOT_FOUND);
	spool_in_flight_floor(f->spool, 0);
}

static void superseded_states_are_dropped_and_told(void **state)
{
	struct fixture *f = *state;
	struct spool_figures figures;
	struct tally t;

	for (int i = 1; i <= 200; i++)
		assert_int_equal(page(f, 10, i), STATUS_OK);
	spool_figures(f->spool, &figures);
	assert_true(figures.dropped > 1000);
	assert_int_equal(figures.dropped + figures.rows, 2000);
	assert_true(figures.last_loss_us > 0);
	tally(f, 10, 0, &t);
	assert_int_equal(t.rows, figures.rows);
	assert_int_equal(t.dropped, figures.dropped);
	for (int i = 0; i < 10; i++)
		assert_int_equal(t.newest[i], 200);
	assert_true(f->largest <= cap);
	ok(spool_verify(f->spool, &why));

	spool_close(f->spool);
	open_spool(f);
	tally(f, 10, 0, &t);
	assert_int_equal(t.dropped, figures.dropped);
}

/* Drops are claimed once, by the row that follows, and are gone with it. */
static void told_drops_are_not_told_again(void **state)
{
	struct fixture *f = *state;
	struct spool_row row = {.id = 0};
	struct spool_figures figures;
	struct tally t;

	for (int i = 1; i <= 100; i++)
		assert_int_equal(page(f, 4, i), STATUS_OK);
	for (;;) {
		struct why reason;
		enum status st = spool_next(f->spool, row.id, &row, &reason);

		if (st == STATUS_NOT_FOUND)
			break;
		assert_int_equal(st, STATUS_OK);
		assert_int_equal(spool_delivered(f->spool, row.id), STATUS_OK);
	}
	ok(spool_free(f->spool, &why));
	for (int i = 101; i <= 110; i++)
		assert_int_equal(page(f, 4, i), STATUS_OK);
	spool_figures(f->spool, &figures);
	tally(f, 4, 100, &t);
	assert_int_equal(t.rows, 40);
	assert_int_equal(t.dropped, 0);
}

static void newest_states_are_never_dropped(void **state)
{
	struct fixture *f = *state;
	struct spool_figures figures;
	int i = 1;

	/* One state each of ever more matches: nothing is superseded. */
	struct why reason;
	enum status st = STATUS_OK;
	uint8_t digest[SEEN_DIGEST_BYTES] = {0};
	char match[32];
	for (; st == STATUS_OK; i++) {
		assert_true(i < 1000);
		ok(spool_page_begin(f->spool, &why));
		snprintf(match, sizeof match, "single-%d", i);
		st = spool_add(f->spool, text_view(match), digest, 1,
			view_of(f->body, sizeof f->body), &reason);
		if (st == STATUS_OK)
			ok(spool_page_commit(f->spool, &why));
	}
	assert_int_equal(st, STATUS_FULL);
	ok(spool_page_abort(f->spool, &why));
	spool_figures(f->spool, &figures);
	assert_int_equal(figures.dropped, 0);
	assert_int_equal(figures.rows, i - 2);
	assert_true(figures.bytes > figures.max_bytes / 10 * 9);
	assert_true(figures.bytes <= figures.max_bytes);
	measure(f);
	assert_true(f->largest <= cap);
}

static void rows_in_flight_stay(void **state)
{
	struct fixture *f = *state;
	struct spool_row row = {.id = 0};
	int64_t ids[20];

	for (int i = 1; i <= 10; i++)
		assert_int_equal(page(f, 2, i), STATUS_OK);
	for (int i = 0; i < 20; i++) {
		ok(spool_next(f->spool, row.id, &row, &why));
		ids[i] = row.id;
	}
	for (int i = 11; i <= 300; i++)
		assert_int_equal(page(f, 2, i), STATUS_OK);
	for (int i = 0; i < 20; i++) {
		ok(spool_next(f->spool, i ? ids[i - 1] : 0, &row, &why));
		assert_int_equal(row.id, ids[i]);
	}
	/* The publisher went back to the beginning: now they may go. */
	spool_in_flight_floor(f->spool, 0);
	for (int i = 301; i <= 500; i++)
		assert_int_equal(page(f, 2, i), STATUS_OK);
	ok(spool_next(f->spool, 0, &row, &why));
	assert_true(row.id > ids[19]);
}

/* A pending row supersedes nothing: its page may break. */
static void a_broken_page_costs_no_newest_state(void **state)
{
	struct fixture *f = *state;
	struct tally t;

	for (int i = 1; i <= 60; i++)
		assert_int_equal(page(f, 6, i), STATUS_OK);
	for (int round = 0; round < 20; round++) {
		char match[32];
		uint8_t digest[SEEN_DIGEST_BYTES] = {9};

		ok(spool_page_begin(f->spool, &why));
		for (int i = 0; i < 6; i++) {
			struct why reason;
			enum status st;

			snprintf(match, sizeof match, "match-%d", i);
			st = spool_add(f->spool, text_view(match), digest, 1,
				view_of(f->body, sizeof f->body), &reason);
			assert_true(st == STATUS_OK || st == STATUS_FULL);
		}
		ok(spool_page_abort(f->spool, &why));
	}
	memset(&t, 0, sizeof t);
	struct spool_row row = {.id = 0};
	struct why reason;
	while (spool_next(f->spool, row.id, &row, &reason) == STATUS_OK) {
		int seen;

		memcpy(&seen, row.body.bytes, sizeof seen);
		t.newest[atoi(row.match.bytes + 6)] = seen;
	}
	for (int i = 0; i < 6; i++)
		assert_int_equal(t.newest[i], 60);
}

static void block_waits_and_drains(void **state)
{
	struct fixture *f = *state;
	struct spool_figures figures;
	struct spool_row row = {.id = 0};
	struct why reason;
	int i = 1;

	while (page(f, 10, i) == STATUS_OK)
		i++;
	assert_true(i > 10);
	spool_figures(f->spool, &figures);
	assert_int_equal(figures.dropped, 0);
	assert_int_equal(figures.rows, (i - 1) * 10);
	assert_int_equal(page(f, 10, i), STATUS_FULL);
	while (spool_next(f->spool, row.id, &row, &reason) == STATUS_OK)
		assert_int_equal(spool_delivered(f->spool, row.id), STATUS_OK);
	ok(spool_free(f->spool, &why));
	for (int n = 0; n < 5; n++)
		assert_int_equal(page(f, 10, i + n), STATUS_OK);
	assert_true(f->largest <= cap);
}

static void a_row_of_a_quarter_fits(void **state)
{
	struct fixture *f = *state;
	static char large[256 * 1024];
	uint8_t digest[SEEN_DIGEST_BYTES] = {0};
	struct spool_row row = {.id = 0};

	memset(large, 'L', sizeof large);
	for (int i = 1; i <= 40; i++)
		assert_int_equal(page(f, 5, i), STATUS_OK);
	for (int i = 0; i < 4; i++) {
		digest[0]++;
		ok(spool_page_begin(f->spool, &why));
		ok(spool_add(f->spool, text_view("large"), digest, 1, view_of(large, sizeof large),
			&why));
		ok(spool_page_commit(f->spool, &why));
		measure(f);
		do
			ok(spool_next(f->spool, row.id, &row, &why));
		while (!view_is(row.match, "large"));
		assert_int_equal(row.body.length, sizeof large);
		assert_memory_equal(row.body.bytes, large, sizeof large);
		assert_int_equal(spool_delivered(f->spool, row.id), STATUS_OK);
		ok(spool_free(f->spool, &why));
	}
	assert_true(f->largest <= cap);
}

int main(void)
{
#define latest(name) cmocka_unit_test_setup_teardown(name, setup_latest, teardown)
	const struct CMUnitTest tests[] = {
		latest(superseded_states_are_dropped_and_told),
		latest(told_drops_are_not_told_again),
		latest(newest_states_are_never_dropped),
		latest(rows_in_flight_stay),
		latest(a_broken_page_costs_no_newest_state),
		latest(a_row_of_a_quarter_fits),
		cmocka_unit_test_setup_teardown(block_waits_and_drains, setup_block, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
