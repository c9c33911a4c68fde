/* The journal seen from outside: order, duplicates, positions, generations, what is known of matches. */
#include "store_test.h"

struct fixture {
	struct test_folder at;
	struct journal *journal;
	unsigned generation;
	int64_t offset;
};

static void open_journal(struct fixture *f)
{
	struct journal_opening opening;

	ok(journal_open(&f->journal, f->at.path, 64 << 20, &opening, &why));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	bool is_new;

	assert_non_null(f);
	test_folder_make(&f->at, "journal.db");
	open_journal(f);
	ok(journal_generation(f->journal, "cluster", "topic", "id", &f->generation, &is_new, &why));
	assert_true(is_new);
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

static void reopen(struct fixture *f)
{
	journal_close(f->journal);
	open_journal(f);
}

static struct identity identity(int run, uint64_t seq)
{
	struct identity i = {.seq = seq};

	if (seq)
		i.run[0] = (uint8_t)run;
	return i;
}

/* A record as the subscriber hands it on; run 0: no headers. */
static struct journal_record record(
	struct fixture *f, const char *match, int run, uint64_t seq, int64_t at, const char *body)
{
	return (struct journal_record){
		.generation = f->generation,
		.offset = f->offset++,
		.kafka_us = at,
		.ce_us = run ? at : 0,
		.match = text_view(match),
		.event_id = text_view("event"),
		.self = identity(run, run ? seq : 0),
		.body = text_view(body),
	};
}

static bool add_record(struct fixture *f, const struct journal_record *r)
{
	bool duplicate = false;

	ok(journal_add(f->journal, r, &duplicate, &why));
	return duplicate;
}

static bool add(
	struct fixture *f, const char *match, int run, uint64_t seq, int64_t at, const char *body)
{
	struct journal_record r = record(f, match, run, seq, at, body);

	return add_record(f, &r);
}

static struct journal_match match_of(struct fixture *f, const char *key)
{
	struct journal_match m;

	ok(journal_match_of(f->journal, text_view(key), &m, &why));
	return m;
}

/* Bodies in order, joined by blanks; `?` after a record whose predecessor is missing. */
static const char *bodies(struct journal *j, const char *key, enum journal_order order)
{
	static char out[8192];
	struct journal_cursor *c;
	struct journal_match m;
	struct journal_record r;
	struct why reason;
	enum status st;

	out[0] = '\0';
	ok(journal_match_of(j, text_view(key), &m, &why));
	ok(journal_cursor_open(&c, j, m.id, order, &why));
	while ((st = journal_cursor_next(c, &r, &reason)) == STATUS_OK) {
		size_t n = strlen(out);

		assert_true(view_is(r.match, key));
		snprintf(out + n, sizeof out - n, "%s%.*s%s%s", n ? " " : "", (int)r.body.length,
			r.body.bytes, r.prev_missing ? "?" : "", r.duplicate ? "=" : "");
	}
	assert_int_equal(st, STATUS_NOT_FOUND);
	journal_cursor_close(c);
	return out;
}

static void begin(struct fixture *f)
{
	ok(journal_begin(f->journal, &why));
}

static void commit(struct fixture *f)
{
	ok(journal_commit(f->journal, &why));
}

static void records_and_position_are_one_commit(void **state)
{
	struct fixture *f = *state;
	struct journal_position p;

	begin(f);
	add(f, "m", 1, 1, 100, "a");
	add(f, "m", 1, 2, 200, "b");
	commit(f);
	begin(f);
	add(f, "m", 1, 3, 300, "c");
	ok(journal_abort(f->journal, &why));
	ok(journal_position(f->journal, f->generation, 0, &p, &why));
	assert_int_equal(p.next_offset, 2);
	assert_true(p.has_anchor);
	assert_int_equal(p.anchor_offset, 1);
	assert_int_equal(p.anchor_crc, journal_crc(text_view("m"), text_view("b")));
	assert_string_equal(bodies(f->journal, "m", JOURNAL_BY_TIME), "a b");
	begin(f);
	f->offset = 2;
	add(f, "m", 1, 3, 300, "c");
	journal_close(f->journal); /* not committed */
	open_journal(f);
	ok(journal_position(f->journal, f->generation, 0, &p, &why));
	assert_int_equal(p.next_offset, 2);
	assert_string_equal(bodies(f->journal, "m", JOURNAL_BY_ARRIVAL), "a b");
}

struct order_case {
	const char *comment;
	struct {
		int run;
		uint64_t seq;
		int64_t at;
		const char *body;
	} records[8];
	const char *by_time, *by_arrival;
};

static const struct order_case order_cases[] = {
	{"one run, in order", {{1, 1, 10, "a"}, {1, 2, 20, "b"}, {1, 3, 30, "c"}}, "a b c",
		"a b c"},
	{"two boxes interleaved anyhow",
		{{1, 1, 10, "a1"}, {1, 2, 30, "a3"}, {2, 1, 20, "b2"}, {2, 2, 40, "b4"}},
		"a1 b2 a3 b4", "a1 a3 b2 b4"},
	{"resent after an outage",
		{{1, 1, 10, "a"}, {1, 2, 20, "b"}, {1, 1, 10, "a"}, {1, 2, 20, "b"},
			{1, 3, 30, "c"}},
		"a b c", "a b a= b= c"},
	{"the clock went back within a run", {{1, 1, 100, "a"}, {1, 2, 50, "b"}, {1, 3, 120, "c"}},
		"a b c", "a b c"},
	{"a late state, and its time", {{1, 1, 10, "a"}, {1, 3, 30, "c"}, {1, 2, 20, "b"}}, "a b c",
		"a c b"},
	{"a late state that lifts its successors",
		{{1, 1, 10, "a"}, {1, 3, 30, "c"}, {1, 2, 90, "b"}, {2, 1, 50, "x"},
			{1, 4, 40, "d"}},
		"a x b c d", "a c b x d"},
	{"a state that returns", {{1, 1, 10, "a"}, {1, 2, 20, "b"}, {1, 3, 30, "a"}}, "a b a",
		"a b a"},
	{"no headers: Kafka's time, then the offset",
		{{0, 0, 20, "b"}, {0, 0, 10, "a"}, {0, 0, 20, "c"}, {0, 0, 20, "c"}}, "a b c c",
		"b a c c"},
	{"three runs by turns",
		{{1, 1, 10, "a"}, {2, 1, 11, "b"}, {3, 1, 12, "c"}, {1, 2, 13, "d"},
			{2, 2, 14, "e"}, {3, 2, 15, "f"}, {1, 2, 13, "d"}},
		"a b c d e f", "a b c d e f d="},
	{"equal seq of different runs", {{1, 7, 10, "a"}, {2, 7, 20, "b"}}, "a b", "a b"},
};

static void the_timeline_s_order(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof order_cases / sizeof *order_cases; i++) {
		const struct order_case *c = &order_cases[i];
		struct journal_record latest;
		char match[16];

		snprintf(match, sizeof match, "m%u", i);
		begin(f);
		for (int n = 0; n < 8 && c->records[n].body; n++)
			add(f, match, c->records[n].run, c->records[n].seq, c->records[n].at,
				c->records[n].body);
		commit(f);
		if (strcmp(bodies(f->journal, match, JOURNAL_BY_TIME), c->by_time))
			fail_msg("%s: by time '%s', not '%s'", c->comment,
				bodies(f->journal, match, JOURNAL_BY_TIME), c->by_time);
		if (strcmp(bodies(f->journal, match, JOURNAL_BY_ARRIVAL), c->by_arrival))
			fail_msg("%s: by arrival '%s', not '%s'", c->comment,
				bodies(f->journal, match, JOURNAL_BY_ARRIVAL), c->by_arrival);
		ok(journal_latest(f->journal, match_of(f, match).id, &latest, &why));
		const char *end = strrchr(c->by_time, ' ');
		if (!view_is(latest.body, end ? end + 1 : c->by_time))
			fail_msg("%s: latest is '%.*s'", c->comment, (int)latest.body.length,
				latest.body.bytes);
		assert_int_equal(latest.order_us, match_of(f, match).last_us);
	}
}

/* The same, a commit and a reopening after each record: nothing hangs on what memory remembers. */
static void the_order_outlives_restarts(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < sizeof order_cases / sizeof *order_cases; i++) {
		const struct order_case *c = &order_cases[i];
		char match[16];

		snprintf(match, sizeof match, "m%u", i);
		for (int n = 0; n < 8 && c->records[n].body; n++) {
			begin(f);
			add(f, match, c->records[n].run, c->records[n].seq, c->records[n].at,
				c->records[n].body);
			commit(f);
			reopen(f);
		}
		assert_string_equal(bodies(f->journal, match, JOURNAL_BY_TIME), c->by_time);
		assert_string_equal(bodies(f->journal, match, JOURNAL_BY_ARRIVAL), c->by_arrival);
	}
}

static void a_record_seen_again_is_passed_over(void **state)
{
	struct fixture *f = *state;
	struct journal_figures figures;

	begin(f);
	assert_false(add(f, "m", 0, 0, 10, "a"));
	assert_false(add(f, "m", 0, 0, 20, "b"));
	f->offset = 0;
	assert_true(add(f, "m", 0, 0, 10, "a"));
	commit(f);
	reopen(f);
	begin(f);
	f->offset = 1;
	assert_true(add(f, "m", 0, 0, 20, "b"));
	assert_false(add(f, "m", 0, 0, 30, "c"));
	commit(f);
	assert_string_equal(bodies(f->journal, "m", JOURNAL_BY_ARRIVAL), "a b c");
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.records, 3);
	assert_int_equal(figures.duplicates, 0);
}

static void an_identity_is_of_one_match(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_false(add(f, "m1", 1, 1, 10, "a"));
	assert_false(add(f, "m2", 1, 1, 10, "a"));
	assert_true(add(f, "m2", 1, 1, 10, "a"));
	commit(f);
}

static void a_missing_predecessor_is_told(void **state)
{
	struct fixture *f = *state;
	struct journal_record r;

	begin(f);
	r = record(f, "m", 1, 5, 10, "a");
	r.prev = identity(1, 3);
	add_record(f, &r);
	r = record(f, "m", 1, 6, 20, "b");
	r.prev = identity(1, 5);
	add_record(f, &r);
	r = record(f, "m", 2, 1, 30, "c");
	r.prev = identity(1, 6);
	r.dropped = 7;
	r.ended = true;
	add_record(f, &r);
	r = record(f, "m", 2, 3, 40, "d");
	r.prev = identity(2, 2);
	add_record(f, &r);
	commit(f);
	assert_string_equal(bodies(f->journal, "m", JOURNAL_BY_TIME), "a? b c d?");
	begin(f);
	add(f, "m", 2, 2, 35, "late");
	commit(f);
	assert_string_equal(bodies(f->journal, "m", JOURNAL_BY_TIME), "a? b c late d");
}

static void every_field_comes_back(void **state)
{
	struct fixture *f = *state;
	struct journal_record r = record(f, "match-key", 3, 9, 1234567, "{\"a\":1}"), out;
	char event[300];

	memset(event, 'e', sizeof event);
	r.partition = 32767;
	r.offset = (1ll << 40) - 1;
	r.kafka_us = 99;
	r.event_id = view_of(event, sizeof event);
	r.prev = identity(4, 8);
	r.dropped = 5;
	r.ended = true;
	begin(f);
	add_record(f, &r);
	commit(f);
	ok(journal_latest(f->journal, match_of(f, "match-key").id, &out, &why));
	assert_int_equal(out.generation, f->generation);
	assert_int_equal(out.partition, 32767);
	assert_int_equal(out.offset, (1ll << 40) - 1);
	assert_int_equal(out.kafka_us, 99);
	assert_int_equal(out.ce_us, 1234567);
	assert_int_equal(out.order_us, 1234567);
	assert_true(view_is(out.match, "match-key"));
	assert_int_equal(out.event_id.length, 128);
	assert_true(identity_equal(&out.self, &r.self));
	assert_true(identity_equal(&out.prev, &r.prev));
	assert_int_equal(out.dropped, 5);
	assert_true(out.ended);
	assert_true(view_is(out.body, "{\"a\":1}"));
	assert_false(out.duplicate);
	assert_false(out.damaged);
	assert_true(out.prev_missing);
	assert_int_equal(out.number, 1);
}

static void what_does_not_fit_is_named(void **state)
{
	struct fixture *f = *state;
	struct journal_record r = record(f, "m", 1, 1, 1, "x");
	static char key[513];
	bool duplicate;

	begin(f);
	r.partition = 32768;
	expect_status(STATUS_BAD_DATA, journal_add(f->journal, &r, &duplicate, &why));
	r.partition = 0;
	r.offset = 1ll << 40;
	expect_status(STATUS_BAD_DATA, journal_add(f->journal, &r, &duplicate, &why));
	r.offset = 0;
	r.generation = 256;
	expect_status(STATUS_BAD_DATA, journal_add(f->journal, &r, &duplicate, &why));
	r.generation = f->generation;
	r.match = view_of(key, sizeof key);
	expect_status(STATUS_BAD_DATA, journal_add(f->journal, &r, &duplicate, &why));
	r.match = view_of(key, 512);
	r.self.seq = UINT64_MAX; /* of no producer of ours: as if without headers */
	ok(journal_add(f->journal, &r, &duplicate, &why));
	r.offset = 1;
	ok(journal_add(f->journal, &r, &duplicate, &why));
	assert_false(duplicate);
	commit(f);
	r.match = view_of(key, 512);
	struct journal_match m;
	ok(journal_match_of(f->journal, r.match, &m, &why));
	assert_int_equal(m.records, 2);
	assert_int_equal(m.key.length, 512);
}

static void generations(void **state)
{
	struct fixture *f = *state;
	unsigned same, other, renewed, again;
	bool is_new;

	ok(journal_generation(f->journal, "cluster", "topic", "id", &same, &is_new, &why));
	assert_int_equal(same, f->generation);
	assert_true(is_new);
	begin(f);
	add(f, "m", 1, 1, 10, "a");
	ok(journal_generation(f->journal, "cluster", "topic", "id", &same, &is_new, &why));
	assert_false(is_new);
	commit(f);
	ok(journal_generation(f->journal, "cluster", "topic", "other id", &other, &is_new, &why));
	assert_int_not_equal(other, same);
	assert_true(is_new);
	ok(journal_generation_renew(f->journal, same, &renewed, &why));
	ok(journal_generation(f->journal, "cluster", "topic", "id", &again, &is_new, &why));
	assert_int_equal(again, renewed);
	assert_true(is_new);
	/* The same identity read again from the new topic is a duplicate all the same. */
	begin(f);
	f->generation = renewed;
	f->offset = 0;
	assert_true(add(f, "m", 1, 1, 10, "a"));
	assert_false(add(f, "m", 0, 0, 20, "b"));
	commit(f);
	assert_string_equal(bodies(f->journal, "m", JOURNAL_BY_ARRIVAL), "a a= b");
	/* A new one has no id until one is told: a topic made anew between two looks has another. */
	for (unsigned i = renewed; i < 255; i++) {
		char id[16];

		snprintf(id, sizeof id, "id %u", i + 1);
		ok(journal_generation_renew(f->journal, renewed, &again, &why));
		assert_int_equal(again, i + 1);
		ok(journal_generation(f->journal, "cluster", "topic", id, &again, &is_new, &why));
		assert_int_equal(again, i + 1);
	}
	expect_status(STATUS_DENIED, journal_generation_renew(f->journal, renewed, &again, &why));
	expect_status(STATUS_DENIED,
		journal_generation(f->journal, "new", "new", "", &again, &is_new, &why));
	ok(journal_generation(f->journal, "cluster", "topic", "other id", &again, &is_new, &why));
	assert_int_equal(again, other);
}

/* A broker that does not answer the question for the topic's id in time must not look like another topic:
 * all would be read again, and records without an identity would stand twice. */
static void topic_id_untold(void **state)
{
	struct fixture *f = *state;
	unsigned silent, told, other;
	bool is_new;

	begin(f);
	add(f, "m", 0, 0, 10, "a");
	commit(f);
	ok(journal_generation(f->journal, "cluster", "topic", "", &silent, &is_new, &why));
	assert_int_equal(silent, f->generation);
	assert_false(is_new);
	ok(journal_generation(f->journal, "cluster", "fresh", "", &silent, &is_new, &why));
	ok(journal_generation(f->journal, "cluster", "fresh", "id", &told, &is_new, &why));
	assert_int_equal(told, silent);
	ok(journal_generation(f->journal, "cluster", "fresh", "another id", &other, &is_new, &why));
	assert_int_not_equal(other, told);
	ok(journal_generation(f->journal, "cluster", "fresh", "id", &told, &is_new, &why));
	assert_int_equal(told, silent);
}

struct gaps {
	int count;
	int64_t from, to;
};

static enum status see_gap(void *context, const struct journal_gap_row *g, struct why *why)
{
	struct gaps *gaps = context;

	(void)why;
	gaps->count++;
	gaps->from = g->from;
	gaps->to = g->to;
	return STATUS_OK;
}

static void gaps_and_skips_move_the_position(void **state)
{
	struct fixture *f = *state;
	struct journal_position p;
	struct journal_figures figures;
	struct gaps gaps = {0};

	ok(journal_gap(f->journal, f->generation, 3, 100, 251, 5, &why));
	ok(journal_gap(f->journal, f->generation, 3, 100, 251, 6, &why));
	ok(journal_position(f->journal, f->generation, 3, &p, &why));
	assert_int_equal(p.next_offset, 251);
	assert_false(p.has_anchor);
	ok(journal_skip(f->journal, f->generation, 3, 260, &why));
	ok(journal_skip(f->journal, f->generation, 3, 255, &why));
	reopen(f);
	ok(journal_position(f->journal, f->generation, 3, &p, &why));
	assert_int_equal(p.next_offset, 260);
	ok(journal_each_gap(f->journal, see_gap, &gaps, &why));
	assert_int_equal(gaps.count, 1);
	assert_int_equal(gaps.from, 100);
	assert_int_equal(gaps.to, 251);
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.gaps, 1);
	expect_status(STATUS_BAD_DATA, journal_gap(f->journal, f->generation, 3, 5, 5, 6, &why));
}

static enum status see_error(void *context, const struct journal_error_row *e, struct why *why)
{
	int *count = context;

	(void)why;
	++*count;
	assert_int_equal(e->partition, 2);
	assert_int_equal(e->offset, 7);
	assert_int_equal(e->kafka_us, 44);
	assert_string_equal(e->reason, "not JSON");
	assert_true(view_is(e->key, "key"));
	assert_int_equal(e->bytes.length, 256);
	return STATUS_OK;
}

static void errors_are_kept_once(void **state)
{
	struct fixture *f = *state;
	struct journal_position p;
	struct journal_figures figures;
	char value[1000];
	int count = 0;

	memset(value, 'v', sizeof value);
	for (int i = 0; i < 2; i++)
		ok(journal_add_error(f->journal, f->generation, 2, 7, 44, "not JSON",
			text_view("key"), view_of(value, sizeof value), &why));
	ok(journal_each_error(f->journal, see_error, &count, &why));
	assert_int_equal(count, 1);
	ok(journal_position(f->journal, f->generation, 2, &p, &why));
	assert_int_equal(p.next_offset, 8);
	assert_true(p.has_anchor);
	assert_int_equal(p.anchor_crc, journal_crc(text_view("key"), view_of(value, sizeof value)));
	ok(journal_add_error(f->journal, f->generation, 2, 8, 44, "null record", view_of(NULL, 0),
		view_of(NULL, 0), &why));
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.errors, 2);
}

struct seen {
	char keys[256];
	struct journal *journal;
};

static enum status see_match(void *context, const struct journal_match *m, struct why *why)
{
	struct seen *s = context;
	struct journal_record latest;
	size_t n = strlen(s->keys);
	enum status st = journal_latest(s->journal, m->id, &latest, why);

	snprintf(s->keys + n, sizeof s->keys - n, "%s%.*s:%.*s", n ? " " : "", (int)m->key.length,
		m->key.bytes, (int)latest.body.length, latest.body.bytes);
	return st;
}

static void matches_newest_first(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {.journal = f->journal};
	struct journal_figures figures;

	begin(f);
	add(f, "old", 1, 1, 10, "o");
	add(f, "new", 1, 2, 30, "n");
	add(f, "mid", 1, 3, 20, "m");
	ok(journal_each_match(
		f->journal, see_match, &seen, &why)); /* uncommitted lines count too */
	assert_string_equal(seen.keys, "new:n mid:m old:o");
	commit(f);
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.matches, 3);
	assert_int_equal(figures.unrendered, 3);
	ok(journal_rendered(f->journal, match_of(f, "new").id, "New.xlsx", 1, &why));
	seen.keys[0] = '\0';
	ok(journal_each_unrendered(f->journal, see_match, &seen, &why));
	assert_string_equal(seen.keys, "mid:m old:o");
}

static void workbooks_are_remembered(void **state)
{
	struct fixture *f = *state;
	struct journal_figures figures;
	struct journal_match m;
	bool taken;

	begin(f);
	add(f, "a", 1, 1, 10, "x");
	add(f, "b", 1, 2, 10, "x");
	ok(journal_rendered(f->journal, match_of(f, "a").id, "2025 A-vs-B.xlsx", 1, &why));
	add(f, "b", 1, 3, 20, "y");
	commit(f);
	m = match_of(f, "a");
	assert_true(view_is(m.file, "2025 A-vs-B.xlsx"));
	assert_int_equal(m.rendered, 1);
	ok(journal_file_taken(f->journal, "2025 a-VS-b.XLSX", match_of(f, "b").id, &taken, &why));
	assert_true(taken);
	ok(journal_file_taken(f->journal, "2025 A-vs-B.xlsx", match_of(f, "a").id, &taken, &why));
	assert_false(taken);
	ok(journal_file_taken(f->journal, "", match_of(f, "a").id, &taken, &why));
	assert_false(taken);
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.unrendered, 1);
	begin(f);
	add(f, "a", 1, 4, 30, "z");
	commit(f);
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.unrendered, 2);
	assert_int_equal(match_of(f, "a").records, 2);
	ok(journal_rendered(f->journal, match_of(f, "a").id, "2025 A-vs-B.xlsx", 2, &why));
	ok(journal_forget_rendered(f->journal, &why));
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.unrendered, 2);
	assert_int_equal(match_of(f, "a").rendered, 0);
	assert_true(view_is(match_of(f, "a").file, "2025 A-vs-B.xlsx"));
	reopen(f);
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.unrendered, 2);
	expect_status(STATUS_NOT_FOUND, journal_rendered(f->journal, 999, "x", 2, &why));
	expect_status(STATUS_NOT_FOUND, journal_match_by_id(f->journal, 999, &m, &why));
}

static void a_reader_sees_one_moment(void **state)
{
	struct fixture *f = *state;
	struct journal *reader;
	char name[33];

	begin(f);
	add(f, "m", 1, 1, 10, "a");
	commit(f);
	ok(journal_open_reader(&reader, f->at.path, &why));
	snprintf(name, sizeof name, "%s", journal_name(f->journal));
	assert_int_equal(strlen(name), 32);
	assert_string_equal(journal_name(reader), name);
	ok(journal_snapshot_begin(reader, &why));
	begin(f);
	add(f, "m", 1, 2, 20, "b");
	commit(f);
	assert_string_equal(bodies(reader, "m", JOURNAL_BY_TIME), "a");
	journal_snapshot_end(reader);
	assert_string_equal(bodies(reader, "m", JOURNAL_BY_TIME), "a b");
	journal_close(reader);
	reopen(f);
	assert_string_equal(journal_name(f->journal), name);
	expect_status(STATUS_NOT_FOUND, journal_open_reader(&reader, "/tmp/no/journal.db", &why));
}

static void many_matches_go_through_few_lines(void **state)
{
	struct fixture *f = *state;
	struct journal_figures figures;
	char key[100];

	for (int round = 1; round <= 3; round++) {
		begin(f);
		for (int i = 0; i < 700; i++) {
			snprintf(key, sizeof key, "%s%d",
				i % 5 ? "m"
				      : "a key that is longer than the lines in memory keep, so looked up each time ",
				i);
			add(f, key, 1, (uint64_t)(round * 1000 + i), round * 1000 + i, "x");
		}
		commit(f);
	}
	for (int i = 0; i < 700; i += 35) {
		snprintf(key, sizeof key, "%s%d",
			i % 5 ? "m"
			      : "a key that is longer than the lines in memory keep, so looked up each time ",
			i);
		assert_int_equal(match_of(f, key).records, 3);
		assert_int_equal(match_of(f, key).first_us, 1000 + i);
		assert_int_equal(match_of(f, key).last_us, 3000 + i);
	}
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.matches, 700);
	assert_int_equal(figures.records, 2100);
	reopen(f);
	journal_figures(f->journal, &figures);
	assert_int_equal(figures.matches, 700);
	assert_int_equal(figures.records, 2100);
	assert_int_equal(figures.unrendered, 700);
}

/* What is kept is what was read, so that anchors hold; what is given out is the value behind the frame. */
static void a_frame_is_kept_and_not_given_out(void **state)
{
	static const char framed[] = "\0\0\1\x86\xca{\"id\":\"m\"}";
	struct fixture *f = *state;
	struct view wire = view_of(framed, sizeof framed - 1);
	struct journal_record r = record(f, "m", 1, 2, 200, ""), got;
	struct journal_position p;

	begin(f);
	add(f, "m", 1, 1, 100, "{}");
	r.offset = f->offset++;
	r.body = wire;
	add_record(f, &r);
	commit(f);
	reopen(f);
	ok(journal_position(f->journal, f->generation, 0, &p, &why));
	assert_int_equal(p.anchor_crc, journal_crc(text_view("m"), wire));
	assert_string_equal(bodies(f->journal, "m", JOURNAL_BY_TIME), "{} {\"id\":\"m\"}");
	ok(journal_latest(f->journal, match_of(f, "m").id, &got, &why));
	assert_true(view_is(got.body, "{\"id\":\"m\"}"));
	assert_int_equal(got.schema_id, 100042);
	assert_false(got.damaged);
}

/* A partition that was seen with nothing in it is known at the next start; one that was not seen is not. */
static void an_empty_partition_is_remembered(void **state)
{
	struct fixture *f = *state;
	const int seen[] = {0, 2};
	struct journal_position p;
	bool is_new = false;

	ok(journal_generation(f->journal, "c", "t", "id", &f->generation, &is_new, &why));
	assert_true(is_new);
	ok(journal_position(f->journal, f->generation, 0, &p, &why));
	assert_false(p.known);
	ok(journal_placed(f->journal, f->generation, seen, 2, &why));
	reopen(f);
	ok(journal_generation(f->journal, "c", "t", "id", &f->generation, &is_new, &why));
	assert_false(is_new);
	for (int i = 0; i < 3; i++) {
		ok(journal_position(f->journal, f->generation, i, &p, &why));
		assert_int_equal(p.known, i != 1);
		assert_int_equal(p.next_offset, 0);
		assert_false(p.has_anchor);
	}
	/* What is known stays as it is. */
	ok(journal_skip(f->journal, f->generation, 2, 7, &why));
	ok(journal_placed(f->journal, f->generation, seen, 2, &why));
	ok(journal_position(f->journal, f->generation, 2, &p, &why));
	assert_int_equal(p.next_offset, 7);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(records_and_position_are_one_commit),
		test(an_empty_partition_is_remembered),
		test(the_timeline_s_order),
		test(the_order_outlives_restarts),
		test(a_record_seen_again_is_passed_over),
		test(an_identity_is_of_one_match),
		test(a_missing_predecessor_is_told),
		test(every_field_comes_back),
		test(a_frame_is_kept_and_not_given_out),
		test(what_does_not_fit_is_named),
		test(generations),
		test(topic_id_untold),
		test(gaps_and_skips_move_the_position),
		test(errors_are_kept_once),
		test(matches_newest_first),
		test(workbooks_are_remembered),
		test(a_reader_sees_one_moment),
		test(many_matches_go_through_few_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
