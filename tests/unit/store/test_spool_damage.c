/* Damage on the card: whatever bytes are wrong, what is served was once written, and work goes on. */
#include "store_test.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { ROWS = 60 };

static void write_spool(const struct test_folder *at)
{
	struct spool_opening opening;
	struct spool *s;
	char match[32], body[900];
	uint8_t digest[SEEN_DIGEST_BYTES] = {0};

	ok(spool_open(&s, at->path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
	ok(spool_page_begin(s, &why));
	for (int i = 0; i < ROWS; i++) {
		snprintf(match, sizeof match, "m%d", i);
		snprintf(body, sizeof body, "body of m%d%*s", i, 800, "end");
		ok(spool_add(s, text_view(match), digest, i + 1, text_view(body), &why));
	}
	ok(spool_page_commit(s, &why));
	spool_close(s);
}

struct outcome {
	int good, wrong, reopened;
};

static void look_at(const struct spool_row *row, struct outcome *o)
{
	char body[900];

	snprintf(body, sizeof body, "body of %.*s%*s", (int)row->match.length, row->match.bytes,
		800, "end");
	if (view_is(row->body, body) && row->fetched_us == atoi(row->match.bytes + 1) + 1)
		o->good++;
	else
		o->wrong++;
}

/* As the service does: on FATAL close, open again, go on. */
static void read_all(const struct test_folder *at, struct outcome *o)
{
	struct spool_opening opening;
	struct spool *s;
	struct why reason = {""};

	memset(o, 0, sizeof *o);
	for (; o->reopened < 4; o->reopened++) {
		struct spool_row row = {.id = 0};
		enum status st;

		o->good = 0;
		ok(spool_open(&s, at->path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
		while ((st = spool_next(s, row.id, &row, &reason)) == STATUS_OK)
			look_at(&row, o);
		spool_close(s);
		if (st == STATUS_NOT_FOUND)
			return;
		assert_int_equal(st, STATUS_FATAL);
	}
	fail_msg("the spool does not come to rest: %s", reason.text);
}

static enum status stage_fresh(struct spool *s, struct why *why)
{
	uint8_t digest[SEEN_DIGEST_BYTES] = {7};
	enum status st = spool_page_begin(s, why);

	if (st == STATUS_OK)
		st = spool_add(s, text_view("new"), digest, 1, text_view("fresh"), why);
	return st == STATUS_OK ? spool_page_commit(s, why) : st;
}

static enum status find_fresh(struct spool *s, struct why *why)
{
	struct spool_row row = {.id = 0};
	enum status st;

	while ((st = spool_next(s, row.id, &row, why)) == STATUS_OK)
		if (view_is(row.body, "fresh"))
			return STATUS_OK;
	return st;
}

/* And it must take new states: at once, or after the damage has shown and it was opened anew. */
static void use_it(const struct test_folder *at)
{
	struct spool_opening opening;
	struct spool *s;
	struct why reason = {""};

	for (int attempt = 0; attempt < 3; attempt++) {
		ok(spool_open(&s, at->path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
		enum status st = stage_fresh(s, &reason);
		if (st == STATUS_OK)
			st = find_fresh(s, &reason);
		spool_close(s);
		if (st == STATUS_OK)
			return;
		assert_int_equal(st, STATUS_FATAL);
	}
	fail_msg("the spool takes nothing new: %s", reason.text);
}

static void change(const char *path, off_t at, const void *bytes, size_t length)
{
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, length, at), length);
	close(fd);
}

static void flipped_bytes_are_never_served(void **state)
{
	struct test_folder pristine, at;
	struct stat st;
	int set_aside = 0, single_rows = 0;

	(void)state;
	test_folder_make(&pristine, "spool.db");
	write_spool(&pristine);
	assert_int_equal(stat(pristine.path, &st), 0);
	for (off_t where = 0; where < st.st_size; where += 4096) {
		/* The head of each page, its middle, and its end. */
		static const int offsets[] = {3, 9, 2000, 4090};

		for (int n = 0; n < 4; n++) {
			struct outcome o;
			uint8_t noise[6];

			test_folder_make(&at, "spool.db");
			test_folder_copy(&pristine, &at);
			memset(noise, 0x5a ^ (int)(where / 4096), sizeof noise);
			change(at.path, where + offsets[n], noise, sizeof noise);
			read_all(&at, &o);
			assert_int_equal(o.wrong, 0);
			if (test_folder_has(&at, ".bad-"))
				set_aside++;
			else if (o.good < ROWS)
				single_rows++;
			use_it(&at);
			test_folder_remove(&at);
		}
	}
	assert_true(set_aside > 0);
	assert_true(single_rows > 0);
	test_folder_remove(&pristine);
}

static void a_lost_database_is_set_aside_and_counted(void **state)
{
	static const char *const contents[] = {
		"this is no database at all, but long enough to look like one\n", "x"};
	struct spool_opening opening;
	struct spool_figures figures;
	struct test_folder at;
	struct spool *s;

	(void)state;
	for (int i = 0; i < 2; i++) {
		test_folder_make(&at, "spool.db");
		write_spool(&at);
		FILE *f = fopen(at.path, "w");
		assert_non_null(f);
		for (int n = 0; n < 300; n++)
			fputs(contents[i], f);
		fclose(f);
		ok(spool_open(&s, at.path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
		assert_memory_equal(opening.set_aside, "spool.db.bad-", 13);
		assert_true(test_folder_has(&at, opening.set_aside));
		spool_figures(s, &figures);
		assert_int_equal(figures.set_aside, 1);
		assert_true(figures.last_loss_us > 0);
		spool_close(s);
		test_folder_remove(&at);
	}
}

/* The count of the run went with the damaged database: it must not begin anew under the same run. */
static void a_new_database_draws_a_new_run(void **state)
{
	struct spool_opening opening;
	struct spool_row row;
	struct test_folder at;
	struct spool *s;

	(void)state;
	test_folder_make(&at, "spool.db");
	write_spool(&at);
	change(at.path, 0, "garbage", 7);
	use_it(&at);
	ok(spool_open(&s, at.path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
	assert_string_equal(opening.set_aside, "");
	ok(spool_next(s, 0, &row, &why));
	assert_int_equal(row.self.seq, 1);
	assert_true(memcmp(row.self.run, test_run, RUN_BYTES));
	spool_close(s);
	test_folder_remove(&at);
}

static void only_four_are_kept(void **state)
{
	struct spool_opening opening;
	struct test_folder at;
	struct spool *s;
	char command[256];

	(void)state;
	test_folder_make(&at, "spool.db");
	for (int i = 0; i < 7; i++) {
		write_spool(&at);
		change(at.path, 0, "garbage", 7);
		ok(spool_open(&s, at.path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
		spool_close(s);
		assert_true(test_folder_has(&at, opening.set_aside));
	}
	snprintf(command, sizeof command, "test $(ls %s | grep -c 'bad-') = 4", at.folder);
	assert_int_equal(system(command), 0);
	test_folder_remove(&at);
}

static void a_torn_log_is_cut(void **state)
{
	struct spool_opening opening;
	struct test_folder from, at;
	struct spool *s;
	struct stat st;
	char log[160];
	uint8_t digest[SEEN_DIGEST_BYTES] = {0};

	(void)state;
	test_folder_make(&from, "spool.db");
	ok(spool_open(&s, from.path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
	for (int i = 0; i < 5; i++) {
		digest[0]++;
		ok(spool_page_begin(s, &why));
		ok(spool_add(s, text_view("m"), digest, 1, text_view("state"), &why));
		ok(spool_page_commit(s, &why));
	}
	snprintf(log, sizeof log, "%s-wal", from.path);
	assert_int_equal(stat(log, &st), 0);
	for (off_t length = st.st_size; length > 0; length -= 1900) {
		struct outcome o = {0};
		struct spool *copy;
		struct spool_row row = {.id = 0};
		struct why reason;

		test_folder_make(&at, "spool.db");
		test_folder_copy(&from, &at);
		snprintf(log, sizeof log, "%s-wal", at.path);
		assert_int_equal(truncate(log, length), 0);
		ok(spool_open(&copy, at.path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
		while (spool_next(copy, row.id, &row, &reason) == STATUS_OK) {
			assert_true(view_is(row.body, "state"));
			o.good++;
		}
		assert_true(o.good <= 5);
		ok(spool_verify(copy, &why));
		spool_close(copy);
		test_folder_remove(&at);
	}
	spool_close(s);
	test_folder_remove(&from);
}

static void another_program_s_database_is_left_alone(void **state)
{
	struct spool_opening opening;
	struct journal_opening made;
	struct test_folder at;
	struct journal *j;
	struct spool *s = NULL;

	(void)state;
	test_folder_make(&at, "spool.db");
	ok(journal_open(&j, at.path, 4 << 20, &made, &why));
	journal_close(j);
	expect_status(STATUS_DENIED,
		spool_open(&s, at.path, 4 << 20, SPOOL_LATEST, test_run, &opening, &why));
	assert_null(s);
	assert_false(test_folder_has(&at, ".bad-"));
	test_folder_remove(&at);
}

static void a_missing_folder_is_named(void **state)
{
	struct spool_opening opening;
	struct spool *s = NULL;

	(void)state;
	expect_status(STATUS_IO, spool_open(&s, "/tmp/no/such/folder/spool.db", 4 << 20,
					 SPOOL_LATEST, test_run, &opening, &why));
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flipped_bytes_are_never_served),
		cmocka_unit_test(a_lost_database_is_set_aside_and_counted),
		cmocka_unit_test(a_new_database_draws_a_new_run),
		cmocka_unit_test(only_four_are_kept),
		cmocka_unit_test(a_torn_log_is_cut),
		cmocka_unit_test(another_program_s_database_is_left_alone),
		cmocka_unit_test(a_missing_folder_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
