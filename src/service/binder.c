#include "service/binder.h"

#include "base/clock.h"
#include "base/text.h"
#include "book/book.h"
#include "cricket/row.h"
#include "service/schedule.h"
#include "service/service.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TICK_MS = 1000,
	SHELF_EVERY_MS = 5000,
	CHILD_TIMEOUT_MS = 60000,
	AUDIT_REST_MS = 60000, /* after one that failed */
	FIXTURES = 64,	       /* marked at once */
};

struct binder {
	struct loop *loop;
	struct journal *journal;
	const struct parts *parts;
	struct row_reader *rows;
	struct binder_calls calls;
	char journal_path[PATH_MAX];

	struct shelf shelf;
	bool shelf_known;
	int64_t shelf_ms;
	bool audit_wanted;
	int64_t audit_ms; /* when one was begun; 0: not since the storage came */

	struct book_child *child;
	struct book_job job;
	bool job_ended; /* the match was over when its job began */
	struct schedule schedule;

	bool index_wanted;
	int64_t index_ms, index_took_ms;

	bool begun, finishing, anew;
	int64_t finish_ms;
	uint64_t progress;
};

static void tick(void *context);

static void set_tick(struct binder *b, int64_t at_ms)
{
	if (loop_timer(b->loop, at_ms, tick, b) != STATUS_OK)
		log_error("loop.timers", "no timer left for the workbooks");
}

static void troubled(struct binder *b, enum status s, const struct why *why)
{
	loop_timer_stop(b->loop, tick, b);
	b->calls.on_trouble(b->calls.context, s, why);
}

/* ---- choosing ---- */

struct choice {
	struct binder *b;
	int64_t now;
	int64_t match; /* 0: none */
	bool ended;
	int64_t fixture[FIXTURES];
	uint64_t fixture_records[FIXTURES];
	unsigned fixtures;
};

static bool is_fixture(struct binder *b, const struct journal_match *m)
{
	struct journal_record last;
	struct row row;
	struct why why;
	if (b->parts->config->books == BOOKS_ALL || m->file.length)
		return false;
	if (journal_latest(b->journal, m->id, &last, &why) != STATUS_OK ||
		row_read(b->rows, last.body, &row, &why) != STATUS_OK)
		return false;
	return row.is_match && !row.started && !row.innings;
}

static enum status consider(void *context, const struct journal_match *m, struct why *why)
{
	struct choice *c = context;
	(void)why;
	if (c->fixtures < FIXTURES && is_fixture(c->b, m)) {
		c->fixture[c->fixtures] = m->id;
		c->fixture_records[c->fixtures++] = m->records;
		return STATUS_OK;
	}
	if (c->fixtures == FIXTURES)
		return STATUS_AGAIN;
	if (!schedule_is_due(&c->b->schedule, m->id, m->ended, c->b->finishing, c->now))
		return STATUS_OK;
	c->match = m->id;
	c->ended = m->ended;
	return STATUS_AGAIN; /* found: stop here */
}

/* Fixtures stand in Matches.xlsx only: nothing of them waits. */
static bool settle_fixtures(struct choice *c)
{
	struct why why;
	for (unsigned i = 0; i < c->fixtures; i++) {
		enum status s = journal_rendered(
			c->b->journal, c->fixture[i], "", c->fixture_records[i], &why);
		if (s != STATUS_OK) {
			troubled(c->b, s, &why);
			return false;
		}
	}
	return true;
}

static bool choose(struct binder *b, int64_t now, int64_t *match, bool *ended)
{
	struct choice c;
	struct why why;
	do {
		c = (struct choice){.b = b, .now = now};
		enum status s = journal_each_unrendered(b->journal, consider, &c, &why);
		if (s != STATUS_OK && s != STATUS_AGAIN) {
			troubled(b, s, &why);
			return false;
		}
		if (!settle_fixtures(&c))
			return false;
	} while (!c.match && c.fixtures == FIXTURES);
	*match = c.match;
	*ended = c.ended;
	return c.match != 0;
}

static bool index_is_due(struct binder *b, int64_t now)
{
	int64_t rest = schedule_rest_ms(&b->schedule, b->index_took_ms);
	return b->index_wanted && (b->finishing || !b->index_ms || now - b->index_ms >= rest);
}

/* ---- the child ---- */

static void child_ready(void *context, int fd, unsigned events)
{
	(void)fd, (void)events;
	tick(context);
}

/* All is tried again later, but nothing in a circle while somebody waits for the end. */
static void job_failed(struct binder *b)
{
	if (b->job.kind == BOOK_MATCH)
		schedule_failed(&b->schedule, b->job.match);
	else if (b->job.kind == BOOK_AUDIT)
		b->audit_wanted = !b->finishing;
	else if (b->finishing)
		b->index_wanted = false;
}

static void start(struct binder *b, enum book_job_kind kind, int64_t match)
{
	const struct config *c = b->parts->config;
	struct why why;
	b->job = (struct book_job){
		.kind = kind,
		.journal_path = b->journal_path,
		.folder = c->output_dir,
		.state_dir = c->state_dir,
		.timezone = c->timezone,
		.match = match,
		.started_only = c->books == BOOKS_STARTED,
		.anew = b->anew,
		.min_free_bytes = c->output_min_free,
		.memory_bytes = b->parts->budget.child,
		.timeout_ms = CHILD_TIMEOUT_MS,
	};
	int64_t now = clock_mono_ms();
	if (kind == BOOK_MATCH)
		schedule_started(&b->schedule, match, now);
	else if (kind == BOOK_INDEX)
		b->index_ms = now;
	enum status s = book_child_start(&b->child, &b->job, &why);
	if (s == STATUS_OK)
		s = loop_watch(b->loop, book_child_fd(b->child), LOOP_READ, child_ready, b, &why);
	if (s == STATUS_OK)
		return;
	log_warn("book.child", "%s; nothing lost, the journal has all; tried again", why.text);
	book_child_close(b->child);
	b->child = NULL;
	job_failed(b);
}

static void missing(void *context, int64_t match)
{
	struct binder *b = context;
	struct journal_match m;
	struct why why;
	char file[256];
	enum status s = journal_match_by_id(b->journal, match, &m, &why);
	if (s == STATUS_OK) {
		snprintf(file, sizeof file, "%.*s", (int)m.file.length, m.file.bytes);
		s = journal_rendered(b->journal, match, file, 0, &why);
	}
	if (s != STATUS_OK && s != STATUS_NOT_FOUND)
		troubled(b, s, &why);
}

static void tell_book(struct binder *b, const struct book_result *r)
{
	bool first = b->job.kind == BOOK_MATCH && b->job_ended;
	log_line(first ? LOG_INFO : LOG_DEBUG, "book.written",
		"'%s', %" PRIu64 " records, %" PRIu64 " KiB, %" PRId64 " ms, child peak %" PRIu64
		" KiB",
		r->file, r->records, r->bytes >> 10, r->took_ms, r->peak_kib);
	if (*r->kept)
		log_warn("book.kept",
			"'%s' held more, or was of another journal: it is kept as '%s'; nothing lost",
			r->file, r->kept);
	struct health_facts *f = health_begin(b->parts->health);
	snprintf(f->last_book, sizeof f->last_book, "%s", r->file);
	f->last_book_us = clock_wall_us();
	f->books_written++;
	if (r->peak_kib > f->child_peak_kib)
		f->child_peak_kib = (unsigned)r->peak_kib;
	journal_figures(b->journal, &f->journal);
	health_end(b->parts->health, false);
}

static void match_written(struct binder *b, const struct book_result *r)
{
	struct why why;
	schedule_written(&b->schedule, b->job.match, b->job_ended, r->took_ms);
	enum status s = journal_rendered(b->journal, b->job.match, r->file, r->records, &why);
	if (s != STATUS_OK) {
		troubled(b, s, &why);
		return;
	}
	b->index_wanted = true;
	if (!r->skipped)
		tell_book(b, r);
	b->calls.on_written(b->calls.context);
}

static void job_done(struct binder *b, const struct book_result *r)
{
	int64_t now = clock_mono_ms();
	b->progress++;
	schedule_wear(&b->schedule, r->bytes, now);
	if (r->status == STATUS_OK) {
		if (b->job.kind == BOOK_MATCH) {
			match_written(b, r);
		} else if (b->job.kind == BOOK_INDEX) {
			b->index_wanted = false;
			b->index_took_ms = r->took_ms;
		}
		return;
	}
	log_warn("book.failed",
		"%s: %s; nothing lost, the journal has all and the workbook from before stays; tried again",
		b->job.kind == BOOK_MATCH   ? "a match's workbook"
		: b->job.kind == BOOK_INDEX ? "Matches.xlsx"
					    : "looking through the output folder",
		r->why.text);
	job_failed(b);
	struct health_facts *f = health_begin(b->parts->health);
	f->books_failed++;
	health_end(b->parts->health, true);
	b->shelf_ms = 0; /* look at the storage before the next one */
}

/* True while a child runs. */
static bool child_runs(struct binder *b, int64_t now)
{
	struct book_result result;
	if (!b->child)
		return false;
	if (book_child_turn(b->child, now, &result, missing, b) == STATUS_AGAIN)
		return true;
	loop_forget(b->loop, book_child_fd(b->child));
	book_child_close(b->child);
	b->child = NULL;
	job_done(b, &result);
	return false;
}

/* ---- storage ---- */

static const char *const shelf_names[] = {
	"ok", "none", "absent", "not mounted", "read-only", "full"};

static void shelf_changed(struct binder *b, const struct shelf *now)
{
	struct journal_figures f;
	static const char *const codes[] = {"output.ok", "output.none", "output.absent",
		"output.not-mounted", "output.read-only", "output.full"};
	journal_figures(b->journal, &f);
	if (now->state == SHELF_OK) {
		log_info("output.ok", "workbooks go to '%s', %" PRIu64 " MiB free",
			b->parts->config->output_dir, now->free_bytes >> 20);
		book_sweep_folder(b->parts->config->output_dir);
		/* What was written, and how long it took, was the other storage's. */
		schedule_anew(&b->schedule);
		b->audit_wanted = b->index_wanted = true;
		b->audit_ms = b->index_ms = 0;
	} else if (now->state == SHELF_NONE) {
		log_info("output.none",
			"SCOREBOX_OUTPUT_DIR is not set: the journal is kept, no workbooks are written");
	} else {
		log_line(now->state == SHELF_FULL ? LOG_ERROR : LOG_WARN, codes[now->state],
			"%s; nothing lost, the journal goes on; workbooks waiting: %" PRIu64
			"; looked at again every 5 s",
			now->text, f.unrendered);
	}
}

static bool shelf_is_fine(struct binder *b, int64_t now)
{
	struct shelf look;
	if (b->shelf_known && b->shelf_ms && now - b->shelf_ms < SHELF_EVERY_MS)
		return b->shelf.state == SHELF_OK;
	static const enum shelf_mount mounts[] = {[MOUNT_AUTO] = SHELF_AUTO,
		[MOUNT_REQUIRE] = SHELF_REQUIRE,
		[MOUNT_ANY] = SHELF_ANY};
	const struct config *c = b->parts->config;
	shelf_look(c->output_dir, mounts[c->output_mount], c->output_min_free, &look);
	bool changed = !b->shelf_known || look.state != b->shelf.state ||
		       (look.state == SHELF_OK && (look.device != b->shelf.device ||
							  look.mount_id != b->shelf.mount_id));
	b->shelf = look;
	b->shelf_known = true;
	b->shelf_ms = now;
	if (changed) {
		shelf_changed(b, &look);
		struct health_facts *f = health_begin(b->parts->health);
		snprintf(f->stick, sizeof f->stick, "%s", shelf_names[look.state]);
		snprintf(f->stick_text, sizeof f->stick_text, "%s", look.text);
		health_end(b->parts->health, true);
	}
	return look.state == SHELF_OK;
}

/* ---- the loop ---- */

static void finished(struct binder *b)
{
	struct journal_figures f;
	journal_figures(b->journal, &f);
	b->finishing = false;
	loop_timer_stop(b->loop, tick, b);
	b->calls.on_finished(b->calls.context,
		b->shelf.state == SHELF_NONE || (b->shelf.state == SHELF_OK && !f.unrendered));
}

/* Starts the next job; false when nothing is due. */
static bool start_next(struct binder *b, int64_t now)
{
	int64_t match;
	bool ended;
	if (b->audit_wanted && (!b->audit_ms || now - b->audit_ms >= AUDIT_REST_MS)) {
		b->audit_wanted = false;
		b->audit_ms = now;
		start(b, BOOK_AUDIT, 0);
	} else if (choose(b, now, &match, &ended)) {
		b->job_ended = ended;
		start(b, BOOK_MATCH, match);
	} else if (index_is_due(b, now)) {
		start(b, BOOK_INDEX, 0);
	} else {
		return false;
	}
	return true;
}

static void tick(void *context)
{
	struct binder *b = context;
	int64_t now = clock_mono_ms();
	bool gives_up = b->finishing && now >= b->finish_ms;
	if (b->parts->config->until_end && !b->finishing && !b->begun)
		return; /* one rendering, when all is read */
	set_tick(b, now + TICK_MS);
	if (!gives_up) {
		if (child_runs(b, now))
			return;
		if (shelf_is_fine(b, now) && start_next(b, now)) {
			if (!b->child) /* it did not even start: not in a circle */
				set_tick(b, now + TICK_MS);
			return;
		}
	}
	if (b->finishing)
		finished(b);
}

enum status binder_open(struct binder **out, struct loop *loop, struct journal *journal,
	const struct parts *parts, struct row_reader *rows, const struct binder_calls *calls,
	struct why *why)
{
	struct binder *b = calloc(1, sizeof *b);
	if (!b)
		return fail(why, STATUS_NO_MEMORY, "no memory for the workbooks' schedule");
	b->loop = loop;
	b->journal = journal;
	b->parts = parts;
	b->rows = rows;
	b->calls = *calls;
	schedule_init(&b->schedule, parts->config->book_interval_ms, clock_mono_ms());
	enum status s = STATUS_OK;
	if (!parts_path(parts, SERVICE_JOURNAL_FILE, b->journal_path, sizeof b->journal_path))
		s = fail(why, STATUS_DENIED, "path too long");
	if (s != STATUS_OK) {
		binder_close(b);
		return s;
	}
	set_tick(b, clock_mono_ms());
	*out = b;
	return STATUS_OK;
}

void binder_close(struct binder *b)
{
	if (!b)
		return;
	loop_timer_stop(b->loop, tick, b);
	if (b->child) {
		loop_forget(b->loop, book_child_fd(b->child));
		book_child_close(b->child);
	}
	free(b);
}

void binder_kick(struct binder *b)
{
	b->index_wanted = true;
	if (!b->child)
		set_tick(b, clock_mono_ms() + TICK_MS / 20);
}

void binder_anew(struct binder *b)
{
	b->anew = true;
}

void binder_begin(struct binder *b)
{
	b->begun = true;
	set_tick(b, clock_mono_ms());
}

void binder_finish(struct binder *b, int64_t until_ms)
{
	b->finishing = true;
	b->finish_ms = until_ms;
	b->index_wanted = true;
	b->shelf_ms = 0;
	set_tick(b, clock_mono_ms());
}

uint64_t binder_progress(const struct binder *b)
{
	return b->progress;
}
