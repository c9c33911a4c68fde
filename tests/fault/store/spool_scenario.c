#include "scenario.h"
#include "store/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MATCHES = 5, PAGES = 7, STATES = 64, BODY_BYTES = 6000 };
enum visibility { HIDDEN, SHOWN, MAYBE };

/* The ledger: state i was body i of match `match`, staged in page `page`. */
static struct {
	struct {
		int match, page;
		enum visibility seen;
		bool leaving, refused, gone;
		int64_t id;
	} states[STATES];
	int count;
	int pages;
	int note; /* the last value confirmed; a later one may stand too */
} ledger;

static const uint8_t run[RUN_BYTES] = {5, 5};

static size_t body_of(int state, char out[BODY_BYTES])
{
	/* Now and then one that needs overflow pages. */
	size_t length = state % 9 == 4 ? 5500 : 700;
	int n = snprintf(out, BODY_BYTES, "state %d ", state);

	memset(out + n, 'a' + state % 26, length - (size_t)n);
	return length;
}

static void digest_of(int state, uint8_t out[SEEN_DIGEST_BYTES])
{
	memset(out, 0, SEEN_DIGEST_BYTES);
	memcpy(out, &state, sizeof state);
	out[15] = 1;
}

static struct view match_name(int match, char out[64])
{
	return view_of(out, (size_t)snprintf(out, 64, "match-%d-0000-4000-8000", match));
}

static bool is_dead(enum status st)
{
	return st == STATUS_IO || st == STATUS_FATAL;
}

static enum status stage(struct spool *s, int page, struct why *why)
{
	static char body[BODY_BYTES];

	for (int i = 0; i < 3; i++) {
		const int state = ledger.count, match = (page + i) % MATCHES;
		struct spool_last last;
		uint8_t digest[SEEN_DIGEST_BYTES];
		char name[64];
		enum status st = spool_last(s, match_name(match, name), &last, why);

		if (st != STATUS_OK)
			return st;
		digest_of(state, digest);
		ledger.states[state].match = match;
		ledger.states[state].page = page;
		ledger.count++;
		st = spool_add(s, match_name(match, name), digest, state + 1,
			view_of(body, body_of(state, body)), why);
		if (st != STATUS_OK)
			return st;
	}
	return STATUS_OK;
}

/* Something later is on the card, so a commit that failed is not. */
static void settle(int page)
{
	for (int i = 0; i < ledger.count; i++)
		if (ledger.states[i].page < page && ledger.states[i].seen == MAYBE)
			ledger.states[i].seen = HIDDEN;
}

static void mark_page(int page, enum visibility seen)
{
	for (int i = 0; i < ledger.count; i++)
		if (ledger.states[i].page == page)
			ledger.states[i].seen = seen;
}

/* Every fourth page breaks. Returns false when the handle is dead. */
static bool play_page(struct spool *s, int page)
{
	struct why why;
	bool is_new;
	enum status st;

	spool_sweep_begin(s);
	st = spool_page_begin(s, &why);
	if (st != STATUS_OK)
		return !is_dead(st);
	st = stage(s, page, &why);
	if (st == STATUS_OK && page % 4 == 1)
		st = spool_dead_letter(s, "no id", view_of("{}", 2), 1, &is_new, &why);
	if (st == STATUS_OK && page % 4 != 3) {
		mark_page(page, MAYBE);
		st = spool_page_commit(s, &why);
		if (st == STATUS_OK) {
			settle(page);
			mark_page(page, SHOWN);
			return true;
		}
	}
	if (is_dead(st))
		return false;
	return !is_dead(spool_page_abort(s, &why));
}

static bool play_publisher(struct spool *s, int page)
{
	struct spool_row row = {.id = 0};
	struct why why;
	enum status st = STATUS_OK;
	int state;

	for (int i = 0; i < 4 && st == STATUS_OK; i++) {
		st = spool_next(s, row.id, &row, &why);
		if (st != STATUS_OK)
			break;
		if (sscanf(row.body.bytes, "state %d ", &state) != 1 || state >= ledger.count)
			fail_msg("a row that nobody wrote: '%.20s'", row.body.bytes);
		ledger.states[state].leaving = true;
		if (page % 3 == 2 && i == 0) {
			ledger.states[state].refused = true;
			st = spool_refuse(s, row.id, "too large", &why);
			ledger.states[state].gone = st == STATUS_OK;
		} else if (spool_delivered(s, row.id) == STATUS_OK) {
			ledger.states[state].id = row.id;
		}
	}
	if (is_dead(st))
		return false;
	st = spool_free(s, &why);
	for (int i = 0; st == STATUS_OK && i < ledger.count; i++)
		if (ledger.states[i].id) {
			ledger.states[i].gone = true;
			ledger.states[i].id = 0;
		}
	return !is_dead(st);
}

static void play(struct spool *s)
{
	char value[16];
	struct why why;

	for (int page = 0; page < PAGES; page++) {
		ledger.pages = page + 1;
		if (!play_page(s, page))
			return;
		if (page % 3 == 2 && !play_publisher(s, page))
			return;
		snprintf(value, sizeof value, "%d", page);
		enum status st = spool_note_set(s, "note", value, &why);
		if (is_dead(st))
			return;
		if (st == STATUS_OK) {
			ledger.note = page;
			settle(page + 1);
		}
	}
	if (spool_forget_unseen(s, 100, 86400000, &why) != STATUS_OK)
		return;
}

static void path_in(const char *folder, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/spool.db", folder);
}

void spool_scenario(const char *folder)
{
	struct spool_opening opening;
	struct spool *s = NULL;
	struct why why;
	char path[PATH_MAX];

	memset(&ledger, 0, sizeof ledger);
	ledger.note = -1;
	path_in(folder, path);
	if (spool_open(&s, path, 4 << 20, SPOOL_LATEST, run, &opening, &why) != STATUS_OK)
		return;
	if (opening.set_aside[0])
		fail_msg("a sound spool was set aside as %s", opening.set_aside);
	play(s);
	spool_close(s);
}

/* ---- afterwards ---- */

static void expect(bool right, const char *what, const char *complaint, int state)
{
	if (!right)
		fail_msg("%s: %s (state %d, match %d, page %d)", what, complaint, state,
			state >= 0 ? ledger.states[state].match : -1,
			state >= 0 ? ledger.states[state].page : -1);
}

struct found {
	bool here[STATES];
	struct identity self[STATES];
	int newest[MATCHES];
};

/* Only what the broker refused goes missing; the state behind it tells so. */
static void check_dropped(const struct spool_row *row, int state, const char *what)
{
	unsigned refused = 0, surely = 0;

	for (int i = 0; i < state; i++) {
		if (ledger.states[i].match != ledger.states[state].match ||
			ledger.states[i].seen != SHOWN)
			continue;
		refused += ledger.states[i].refused;
		surely = ledger.states[i].refused && ledger.states[i].gone;
	}
	expect(row->dropped <= refused, what, "dropped without need", state);
	expect(row->dropped >= surely, what, "refused, and not told", state);
}

static void check_row(const struct spool_row *row, struct found *f, const char *what)
{
	static char body[BODY_BYTES];
	char name[64];
	int state;

	expect(sscanf(row->body.bytes, "state %d ", &state) == 1 && state >= 0 &&
			state < ledger.count,
		what, "a row of nobody", -1);
	const size_t length = body_of(state, body);
	expect(row->body.length == length && !memcmp(row->body.bytes, body, length), what,
		"a changed body", state);
	struct view match = match_name(ledger.states[state].match, name);
	expect(row->match.length == match.length &&
			!memcmp(row->match.bytes, match.bytes, match.length),
		what, "a changed key", state);
	expect(row->fetched_us == state + 1, what, "a changed time", state);
	expect(!f->here[state], what, "twice", state);
	expect(ledger.states[state].seen != HIDDEN, what, "a row of a broken page", state);
	expect(!ledger.states[state].gone, what, "freed, and here again", state);
	check_dropped(row, state, what);
	f->here[state] = true;
	f->self[state] = row->self;
	for (int i = 0; i < ledger.count; i++)
		expect(i == state || !f->here[i] || !identity_equal(&f->self[i], &row->self), what,
			"an identity twice", state);
}

static void check_rows(struct spool *s, struct found *f, const char *what)
{
	struct spool_row row = {.id = 0};
	struct why why;
	enum status st;

	while ((st = spool_next(s, row.id, &row, &why)) == STATUS_OK)
		check_row(&row, f, what);
	if (st != STATUS_NOT_FOUND)
		fail_msg("%s: reading stops: %s", what, why.text);
	for (int i = 0; i < ledger.count; i++)
		if (ledger.states[i].seen == SHOWN && !ledger.states[i].leaving)
			expect(f->here[i], what, "confirmed, and lost", i);
}

/* A page whose commit was not confirmed is here whole or not at all. */
static void settle_pages(struct found *f, const char *what)
{
	for (int i = 0; i < ledger.count; i++)
		for (int n = 0; n < i; n++)
			if (ledger.states[i].page == ledger.states[n].page &&
				ledger.states[i].seen == MAYBE)
				expect(f->here[i] == f->here[n], what, "half a page", i);
	for (int m = 0; m < MATCHES; m++)
		f->newest[m] = -1;
	for (int i = 0; i < ledger.count; i++)
		if (ledger.states[i].seen == SHOWN || f->here[i])
			f->newest[ledger.states[i].match] = i;
}

static void check_seen(struct spool *s, const struct found *f, const char *what)
{
	for (int m = 0; m < MATCHES; m++) {
		struct spool_last last;
		struct why why;
		uint8_t digest[SEEN_DIGEST_BYTES];
		char name[64];

		if (spool_last(s, match_name(m, name), &last, &why) != STATUS_OK)
			fail_msg("%s: spool_last: %s", what, why.text);
		expect(last.known == (f->newest[m] >= 0), what, "known or not", f->newest[m]);
		if (!last.known)
			continue;
		digest_of(f->newest[m], digest);
		expect(!memcmp(last.digest, digest, sizeof digest), what,
			"not the state directly before", f->newest[m]);
		if (f->here[f->newest[m]])
			expect(identity_equal(&last.state, &f->self[f->newest[m]]), what,
				"another identity", f->newest[m]);
	}
}

/* And it works on. */
static void check_use(struct spool *s, const char *what)
{
	struct why why = {""};
	char value[16] = "-1";
	enum status st;

	st = spool_note_get(s, "note", value, sizeof value, &why);
	int note = st == STATUS_OK ? (int)strtol(value, NULL, 10) : -1;
	expect(note >= ledger.note && note <= ledger.pages, what, "the note went back", -1);
	st = spool_page_begin(s, &why);
	if (st == STATUS_OK)
		st = stage(s, ledger.pages, &why);
	if (st == STATUS_OK)
		st = spool_page_commit(s, &why);
	if (st == STATUS_OK)
		st = spool_verify(s, &why);
	if (st != STATUS_OK)
		fail_msg("%s: cannot work on: %s: %s", what, status_name(st), why.text);
}

void spool_scenario_check(const char *folder, const char *what)
{
	struct spool_opening opening;
	struct spool *s;
	struct why why;
	struct found found = {.newest = {0}};
	char path[PATH_MAX];

	path_in(folder, path);
	if (spool_open(&s, path, 4 << 20, SPOOL_LATEST, run, &opening, &why) != STATUS_OK)
		fail_msg("%s: does not open again: %s", what, why.text);
	expect(!opening.set_aside[0], what, "a sound spool was set aside", -1);
	check_rows(s, &found, what);
	settle_pages(&found, what);
	check_seen(s, &found, what);
	check_use(s, what);
	spool_close(s);
}
