/* A card that is full for real, of other people's files: a small tmpfs of our own. Rows can still be freed
 * (the ballast goes first), superseded states make room for new ones, and all is well when there is room. */
#include "store/journal.h"
#include "store/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SKIPPED = 77, CARD_KIB = 8192 };

static char card[64];
static const uint8_t run[RUN_BYTES] = {3};
static char body[1500];

static void ok(enum status st, const struct why *why)
{
	if (st != STATUS_OK)
		fail_msg("%s: %s", status_name(st), why->text);
}

/* Leaves `kib` free. */
static void fill_card(unsigned kib)
{
	char name[96];
	struct statvfs st;

	snprintf(name, sizeof name, "%s/filler", card);
	int fd = open(name, O_CREAT | O_RDWR | O_APPEND, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fstatvfs(fd, &st), 0);
	static char block[4096];
	for (uint64_t left = st.f_bavail * st.f_bsize / 4096; left > kib / 4; left--)
		if (write(fd, block, sizeof block) != sizeof block)
			break;
	close(fd);
}

static void empty_card(void)
{
	char name[96];

	snprintf(name, sizeof name, "%s/filler", card);
	unlink(name);
}

static enum status page(struct spool *s, int state, struct why *why)
{
	enum status st = spool_page_begin(s, why);

	for (int m = 0; m < 8 && st == STATUS_OK; m++) {
		char match[32];
		uint8_t digest[SEEN_DIGEST_BYTES] = {0};

		memcpy(digest, &state, sizeof state);
		struct view key = view_of(
			match, (size_t)snprintf(match, sizeof match, "match-%d", m));
		st = spool_add(s, key, digest, state, view_of(body, sizeof body), why);
	}
	if (st == STATUS_OK)
		st = spool_page_commit(s, why);
	if (st == STATUS_OK)
		return st;
	struct why reason;
	ok(spool_page_abort(s, &reason), &reason);
	return st;
}

static int drain(struct spool *s)
{
	struct spool_row row = {.id = 0};
	struct why why;
	int count = 0;

	while (spool_next(s, row.id, &row, &why) == STATUS_OK) {
		count++;
		if (spool_delivered(s, row.id) == STATUS_FULL) {
			ok(spool_free(s, &why), &why);
			assert_int_equal(spool_delivered(s, row.id), STATUS_OK);
		}
	}
	ok(spool_free(s, &why), &why);
	return count;
}

static void play_spool(enum spool_full_policy policy, unsigned free_kib)
{
	char path[96];
	struct spool_opening opening;
	struct spool_figures before, after;
	struct spool *s;
	struct why why;
	int state = 1;
	enum status st = STATUS_OK;

	snprintf(path, sizeof path, "%s/spool-%d-%u.db", card, policy, free_kib);
	ok(spool_open(&s, path, 64 << 20, policy, run, &opening, &why), &why);
	for (; state < 5; state++)
		ok(page(s, state, &why), &why);
	fill_card(free_kib);
	for (; state < 400 && st == STATUS_OK; state++) {
		st = page(s, state, &why);
		assert_true(st == STATUS_OK || st == STATUS_FULL);
	}
	spool_figures(s, &before);
	assert_true(before.rows > 0);
	/* Restarted on the full card. */
	spool_close(s);
	ok(spool_open(&s, path, 64 << 20, policy, run, &opening, &why), &why);
	assert_string_equal(opening.set_aside, "");
	assert_int_equal(opening.waiting_rows, before.rows);
	assert_int_equal(drain(s), before.rows);
	spool_figures(s, &after);
	assert_int_equal(after.rows, 0);
	/* What was freed can be used again, full card or not. */
	ok(page(s, state++, &why), &why);
	assert_int_equal(drain(s), 8);
	empty_card();
	for (int i = 0; i < 20; i++)
		ok(page(s, state++, &why), &why);
	assert_int_equal(drain(s), 160);
	ok(spool_verify(s, &why), &why);
	spool_close(s);
	unlink(path);
	snprintf(path, sizeof path, "%s/spool-%d-%u.db.ballast", card, policy, free_kib);
	unlink(path);
}

static void spool_on_a_full_card(void **state)
{
	static const unsigned free_kib[] = {0, 4, 60, 200, 700};

	(void)state;
	for (unsigned i = 0; i < sizeof free_kib / sizeof *free_kib; i++) {
		play_spool(SPOOL_LATEST, free_kib[i]);
		play_spool(SPOOL_BLOCK, free_kib[i]);
	}
}

static enum status batch(struct journal *j, unsigned generation, int64_t *offset, struct why *why)
{
	enum status st = journal_begin(j, why);
	struct journal_position p;
	bool duplicate;

	for (int i = 0; i < 20 && st == STATUS_OK; i++) {
		struct journal_record r = {
			.generation = generation,
			.offset = *offset + i,
			.kafka_us = 1,
			.ended = true,
			.match = view_of("match", 5),
			.body = view_of(body, sizeof body),
		};
		st = journal_add(j, &r, &duplicate, why);
	}
	enum status committed = journal_commit(j, why);
	ok(journal_position(j, generation, 0, &p, why), why);
	*offset = p.next_offset;
	return st == STATUS_OK ? committed : st;
}

static void play_journal(unsigned free_kib)
{
	char path[96];
	struct journal_opening opening;
	struct journal_figures figures;
	struct journal_match m;
	struct journal *j;
	struct why why;
	unsigned generation, left = 0;
	int64_t offset = 0;
	bool is_new;
	enum status st = STATUS_OK;

	snprintf(path, sizeof path, "%s/journal-%u.db", card, free_kib);
	ok(journal_open(&j, path, 64 << 20, &opening, &why), &why);
	ok(journal_generation(j, "c", "t", "", &generation, &is_new, &why), &why);
	for (int i = 0; i < 5; i++)
		ok(batch(j, generation, &offset, &why), &why);
	fill_card(free_kib);
	while (st == STATUS_OK && offset < 100000)
		st = batch(j, generation, &offset, &why);
	assert_int_equal(st, STATUS_FULL);
	journal_figures(j, &figures);
	assert_int_equal(figures.records, offset);
	ok(journal_match_of(j, view_of("match", 5), &m, &why), &why);
	assert_int_equal(m.records, offset);
	/* The workbook is written, the match may leave: then there is room, though the card is as full. */
	st = journal_rendered(j, m.id, "match.xlsx", m.records, &why);
	if (st == STATUS_FULL) /* the ballast went for it */
		st = journal_rendered(j, m.id, "match.xlsx", m.records, &why);
	ok(st, &why);
	ok(journal_make_room(j, 100ll * 86400 * 1000000, &left, &why), &why);
	assert_int_equal(left, 1);
	ok(batch(j, generation, &offset, &why), &why);
	empty_card();
	for (int i = 0; i < 20; i++)
		ok(batch(j, generation, &offset, &why), &why);
	journal_close(j);
	unlink(path);
	snprintf(path, sizeof path, "%s/journal-%u.db.ballast", card, free_kib);
	unlink(path);
}

static void journal_on_a_full_card(void **state)
{
	static const unsigned free_kib[] = {0, 4, 60, 200, 700};

	(void)state;
	for (unsigned i = 0; i < sizeof free_kib / sizeof *free_kib; i++)
		play_journal(free_kib[i]);
}

/* In a mount namespace of our own: as root, or where users may have one. */
static bool make_card(void)
{
	char options[32];

	snprintf(card, sizeof card, "/tmp/scorebox-card-XXXXXX");
	snprintf(options, sizeof options, "size=%dk", CARD_KIB);
	if (!mkdtemp(card))
		return false;
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return false;
	if (mount("card", card, "tmpfs", 0, options))
		return false;
	/* Without a user of our own in the namespace nothing can be written there. */
	char name[96];
	snprintf(name, sizeof name, "%s/filler", card);
	int fd = open(name, O_CREAT | O_RDWR, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return !unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spool_on_a_full_card),
		cmocka_unit_test(journal_on_a_full_card),
	};

	memset(body, 'b', sizeof body);
	if (!make_card()) {
		printf("SKIPPED: no mount of our own for a small card: %s\n", strerror(errno));
		rmdir(card);
		return SKIPPED;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	umount(card);
	rmdir(card);
	return failed;
}
