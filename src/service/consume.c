/* consume: reader and binder around one journal. `books` is the same without the reader. */
#include "base/clock.h"
#include "service/binder.h"
#include "service/parts.h"
#include "service/reader.h"
#include "service/service.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
	LOOK_EVERY_MS = 200,
	LAST_BOOKS_MS = 8000,
	BOOKS_BEFORE_LEAVING_MS = 5000, /* others wait for these partitions */
	REOPEN_FIRST_MS = 1000,
	REOPEN_CEILING_MS = 60000
};

enum consume_state {
	CONSUME_RUNNING,
	CONSUME_BINDING, /* everything is read: until all workbooks are written */
	CONSUME_LEAVING, /* told to stop: workbooks for 8 s at most */
	CONSUME_OVER,
};

struct consume {
	struct parts *parts;
	const struct login *login; /* the last that was taken over; NULL: as at start */
	struct loop *loop;
	struct journal *journal;
	struct row_reader *rows; /* of reader and binder */
	struct reader *reader;
	struct binder *binder;
	bool reads; /* false: books */
	enum consume_state state;
	struct patience patience;
	struct backoff reopen;
	bool releasing;		/* workbooks are written, then the reader's partitions go */
	bool troubled, by_peer; /* the journal's handle, or Kafka's client, is dead */
	int exit_code;
};

static void over(struct consume *c, int exit_code)
{
	c->state = CONSUME_OVER;
	c->exit_code = exit_code;
	loop_stop(c->loop);
}

static void records_came(void *context)
{
	struct consume *c = context;
	if (c->binder)
		binder_kick(c->binder);
}

static void all_read(void *context)
{
	struct consume *c = context;
	if (c->state != CONSUME_RUNNING)
		return;
	c->state = CONSUME_BINDING;
	binder_finish(c->binder, INT64_MAX);
}

static void journal_troubled(void *context, enum status s, const struct why *why)
{
	struct consume *c = context;
	if (c->troubled)
		return;
	c->troubled = true;
	c->by_peer = s == STATUS_AGAIN;
	log_error(c->by_peer ? "consume.client" : "journal.io",
		"%s; committed records are safe, the rest waits in Kafka; journal and client are closed and opened again",
		why->text);
	loop_stop(c->loop);
}

/* Only what is in its workbook may leave the journal: --until-end cannot wait for the end with them. */
static void journal_full(void *context)
{
	struct consume *c = context;
	binder_begin(c->binder);
}

static void fenced(void *context)
{
	over(context, EXIT_SETTINGS);
}

/* The box that gets these matches makes their workbooks from now on: ours are not to come later than its. */
static bool partitions_leave(void *context)
{
	struct consume *c = context;
	if (c->state != CONSUME_RUNNING)
		return false;
	c->releasing = true;
	binder_finish(c->binder, clock_mono_ms() + BOOKS_BEFORE_LEAVING_MS);
	return true;
}

static void release(struct consume *c)
{
	if (c->releasing && c->reader)
		reader_release(c->reader);
	c->releasing = false;
}

static void book_written(void *context)
{
	struct consume *c = context;
	if (c->reader)
		reader_look_for_room(c->reader);
}

static void books_finished(void *context, bool all_written)
{
	struct consume *c = context;
	struct journal_figures f;
	release(c);
	if (c->state == CONSUME_RUNNING) {
		binder_kick(c->binder); /* it goes on at its own pace */
		return;
	}
	journal_figures(c->journal, &f);
	if (!all_written)
		log_warn("book.waiting",
			"%llu workbooks wait; nothing lost, the journal has all; they are written at the next start",
			(unsigned long long)f.unrendered);
	over(c, c->state == CONSUME_LEAVING || all_written ? EXIT_DONE : EXIT_STORAGE);
}

static void leave(struct consume *c)
{
	if (c->state == CONSUME_LEAVING || c->state == CONSUME_OVER)
		return;
	c->state = CONSUME_LEAVING;
	if (!c->binder) { /* closed after a trouble: nothing to wait for */
		over(c, EXIT_DONE);
		return;
	}
	const struct config *config = c->parts->config;
	int64_t told_ms = atomic_load(&c->parts->stop_ms);
	c->releasing = false;
	if (c->reader && *config->kafka_group && !*config->kafka_instance) {
		/* Others begin with our matches as soon as we leave the group: the workbooks first. */
		reader_stop(c->reader);
		binder_finish(c->binder, told_ms + BOOKS_BEFORE_LEAVING_MS);
		return;
	}
	/* Closing the client takes seconds where brokers are away; a child renders meanwhile, and all ends
	 * before the keeper's patience does. */
	reader_close(c->reader);
	c->reader = NULL;
	binder_finish(c->binder, told_ms + LAST_BOOKS_MS);
}

static void woken(void *context, int fd, unsigned events)
{
	struct consume *c = context;
	(void)events;
	parts_woken(fd);
	if (parts_login_news(c->parts, &c->login) && c->reader)
		parts_login_tell(reader_login(c->reader, c->login->username, c->login->password));
	if (atomic_load(&c->parts->stop))
		leave(c);
}

static void look(void *context)
{
	struct consume *c = context;
	const struct config *config = c->parts->config;
	int64_t now = clock_mono_ms();
	health_beat(c->parts->health, HEALTH_CONSUME);
	parts_tell_stall(c->loop, "the consumer");
	if (c->reader && config->until_end) {
		uint64_t progress = reader_progress(c->reader) + binder_progress(c->binder);
		if (patience_over(&c->patience, progress, now, config->timeout_ms)) {
			log_error("verb.timeout",
				"nothing moved for --timeout; %llu records are in the journal, what is unread waits in Kafka for the next run",
				(unsigned long long)reader_progress(c->reader));
			over(c, EXIT_PEER);
			return;
		}
	}
	if (loop_timer(c->loop, now + LOOK_EVERY_MS, look, c) != STATUS_OK)
		over(c, EXIT_INTERNAL);
}

static enum status open_journal(struct consume *c, struct why *why)
{
	char path[PATH_MAX];
	struct journal_opening opening;
	if (!parts_path(c->parts, SERVICE_JOURNAL_FILE, path, sizeof path))
		return fail(why, STATUS_DENIED, "path too long");
	enum status s = journal_open(
		&c->journal, path, service_journal_cap(c->parts->config), &opening, why);
	if (s != STATUS_OK)
		return s;
	struct journal_figures f;
	journal_figures(c->journal, &f);
	parts_tell_set_aside("journal", opening.set_aside);
	if (*opening.set_aside)
		log_info("journal.again",
			"what Kafka still keeps is read again from the earliest; older workbooks stay");
	log_info("journal.open", "'%s' with %llu records of %llu matches, at most %llu MiB", path,
		(unsigned long long)f.records, (unsigned long long)f.matches,
		(unsigned long long)f.max_bytes >> 20);
	return STATUS_OK;
}

static enum status open_parts(struct consume *c, struct why *why)
{
	const struct parts *parts = c->parts;
	const struct reader_calls reads = {c, records_came, all_read, journal_full,
		journal_troubled, fenced, partitions_leave};
	const struct binder_calls binds = {c, book_written, books_finished, journal_troubled};
	enum status s = open_journal(c, why);
	if (s == STATUS_OK && !c->reads)
		s = journal_forget_rendered(c->journal, why);
	if (s == STATUS_OK)
		s = row_reader_open(&c->rows, BUDGET_ARENA, why);
	if (s == STATUS_OK)
		s = binder_open(&c->binder, c->loop, c->journal, parts, c->rows, &binds, why);
	if (s == STATUS_OK && !c->reads)
		binder_anew(c->binder);
	if (s == STATUS_OK && c->reads)
		s = reader_open(&c->reader, c->loop, c->journal, parts, c->rows,
			parts->config->until_end, &reads, why);
	return s;
}

static void close_parts(struct consume *c)
{
	loop_timer_stop(c->loop, look, c);
	reader_close(c->reader);
	binder_close(c->binder);
	row_reader_close(c->rows);
	journal_close(c->journal);
	c->rows = NULL;
	c->reader = NULL;
	c->binder = NULL;
	c->journal = NULL;
}

static void pause_after_trouble(struct consume *c)
{
	health_part_over(c->parts->health, HEALTH_CONSUME);
	if (!parts_pause(c->loop, backoff_next_ms(&c->reopen), "journal"))
		over(c, EXIT_INTERNAL);
}

static void run_once(struct consume *c)
{
	struct why why = {""};
	bool finishes = !c->reads || c->parts->config->until_end;
	int64_t began = clock_mono_ms();
	c->troubled = c->releasing = false;
	enum status s = open_parts(c, &why);
	if (s == STATUS_OK) {
		if (!c->reads)
			all_read(c);
		look(c);
		if (c->state != CONSUME_OVER && !c->troubled)
			s = loop_run(c->loop, 1000, &why);
	}
	if (s != STATUS_OK) {
		bool disk = s == STATUS_IO || s == STATUS_FULL || s == STATUS_FATAL ||
			    s == STATUS_BUSY || s == STATUS_AGAIN;
		log_error(disk ? "journal.io" : "consume.start", "%s; nothing lost; %s", why.text,
			disk && !finishes ? "tried again" : "the consumer stops");
		c->troubled = disk;
		if (!disk || finishes)
			over(c, disk			? EXIT_STORAGE
				: s == STATUS_NO_MEMORY ? EXIT_INTERNAL
							: EXIT_SETTINGS);
	} else if (c->troubled && finishes) {
		over(c, c->by_peer ? EXIT_PEER : EXIT_STORAGE);
	}
	close_parts(c);
	if (clock_mono_ms() - began > REOPEN_CEILING_MS)
		backoff_reset(&c->reopen);
}

static int run(struct parts *parts, bool reads)
{
	struct why why;
	struct consume c = {.parts = parts,
		.reads = reads,
		.reopen = {.first_ms = REOPEN_FIRST_MS, .ceiling_ms = REOPEN_CEILING_MS}};
	enum status s = loop_open(&c.loop, &why);
	if (s == STATUS_OK)
		s = loop_watch(c.loop, parts->wake[HEALTH_CONSUME], LOOP_READ, woken, &c, &why);
	if (s != STATUS_OK) {
		log_error("loop", "%s; nothing was started", why.text);
		loop_close(c.loop);
		return EXIT_INTERNAL;
	}
	while (c.state != CONSUME_OVER) {
		run_once(&c);
		if (atomic_load(&parts->stop)) /* told before the trouble: nobody wakes the pause */
			c.state = CONSUME_OVER;
		else if (c.state != CONSUME_OVER && c.troubled)
			pause_after_trouble(&c);
	}
	health_part_over(parts->health, HEALTH_CONSUME);
	loop_close(c.loop);
	return c.exit_code;
}

int consume_run(struct parts *parts)
{
	return run(parts, true);
}

int books_run(struct parts *parts)
{
	return run(parts, false);
}
