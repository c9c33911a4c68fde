#include "service/reader_private.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	COMMIT_BYTES = 256 * 1024,
	COMMIT_AFTER_MS = 200,
	HELD_LOOK_MS = 1000,
	TURN_MS = 50, /* the loop's other callers get their turn */
	TELL_EVERY_MS = 600000,
	GROUP_EVERY_MS = 2000,
	CALM_MS = 60000, /* without a word of a trouble, it is over */
};

void reader_timer(struct reader *r, int64_t at_ms, loop_due *call)
{
	if (loop_timer(r->loop, at_ms, call, r) != STATUS_OK)
		log_error("loop.timers", "no timer left for the reader");
}

void reader_troubled(struct reader *r, enum status s, const struct why *why)
{
	if (r->state == READER_STOPPED)
		return;
	r->state = READER_STOPPED;
	r->calls.on_trouble(r->calls.context, s, why);
}

/* ---- status ---- */

void reader_show(struct reader *r, const char *reason, bool changed)
{
	struct health_facts *f = health_begin(r->parts->health);
	f->reading = r->state == READER_READING && !*reason;
	snprintf(f->reader, sizeof f->reader, "%s", reason);
	f->partitions = r->survey.partitions;
	f->generation = r->generation;
	f->last_record_us = r->last_record_us;
	f->reader_recreated = r->recreated;
	journal_figures(r->journal, &f->journal);
	health_end(r->parts->health, changed);
}

/* No broker can be reached, with or without a reason that TLS has. */
static bool is_down(const char *code)
{
	return !strcmp(code, "kafka.down") || !strncmp(code, "kafka.tls.", 10);
}

void reader_tell_failing(struct reader *r, const char *code, const char *reason, int64_t wait_ms)
{
	char span[40];
	unsigned long held;
	/* One broker's trouble is no news while all are down. */
	bool news = strcmp(code, "kafka.broker") != 0 || !is_down(r->told_code);
	if (news && strcmp(r->told_code, code) != 0) {
		log_gate_reset(&r->gate);
		snprintf(r->told_code, sizeof r->told_code, "%s", code);
	}
	clock_span_text(wait_ms, span, sizeof span);
	if (log_gate_pass(&r->gate, clock_mono_ms(), TELL_EVERY_MS, &held))
		log_warn(code, "%s; nothing lost, what is unread waits in Kafka; retry in %s",
			reason, span);
	r->failing = true;
	reader_show(r, reason, true);
}

void reader_tell_well(struct reader *r)
{
	if (r->failing)
		log_info("kafka.reading", "reading '%s' again", r->parts->config->kafka_topic);
	r->failing = r->unproven = false;
	r->told_code[0] = '\0';
	log_gate_reset(&r->gate);
	backoff_reset(&r->backoff);
}

/* A connection is no answer to an error that came over one: that is over when its partition moves. */
static bool is_over(const struct reader *r)
{
	return is_down(r->told_code) || !strcmp(r->told_code, "kafka.broker") ||
	       clock_mono_ms() - r->trouble_ms >= CALM_MS;
}

void reader_moved(struct reader *r, int partition)
{
	r->partition[partition].recreated = 0;
	r->silences = 0;
	r->heard_ms = clock_mono_ms();
	if (!r->failing || r->unproven || is_down(r->told_code) ||
		r->trouble_partition != partition)
		return;
	reader_tell_well(r);
	reader_show(r, "", true);
}

/* ---- commits ---- */

bool reader_stage(struct reader *r)
{
	struct why why;
	if (r->staged)
		return true;
	enum status s = journal_begin(r->journal, &why);
	if (s == STATUS_AGAIN) { /* at most as long as a child renders */
		log_debug("journal.held", "%s; reading is paused", why.text);
		r->held = true;
		r->state = READER_FULL;
		subscriber_pause(r->subscriber);
		reader_timer(r, clock_mono_ms() + HELD_LOOK_MS, reader_turn);
		return false;
	}
	if (s != STATUS_OK) {
		reader_troubled(r, s, &why);
		return false;
	}
	r->staged = true;
	r->staged_records = 0;
	r->staged_ms = clock_mono_ms();
	return true;
}

bool reader_commit(struct reader *r)
{
	struct why why;
	if (!r->staged)
		return true;
	enum status s = journal_commit(r->journal, &why);
	r->staged = false;
	if (s != STATUS_OK) {
		reader_troubled(r, s, &why);
		return false;
	}
	if (r->staged_records) {
		reader_show(r, "", false);
		r->calls.on_records(r->calls.context);
	}
	return true;
}

void reader_tell_group(struct reader *r, bool at_once)
{
	struct subscriber_start next[SUBSCRIBER_PARTITIONS];
	unsigned count = 0;
	int64_t now = clock_mono_ms();
	if (!r->group || r->staged || (!at_once && now - r->told_ms < GROUP_EVERY_MS))
		return;
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++) {
		struct partition *p = &r->partition[i];
		if (!p->ours || p->given || p->next == p->told)
			continue;
		p->told = p->next;
		next[count++] = (struct subscriber_start){i, p->next};
	}
	r->told_ms = now;
	subscriber_commit(r->subscriber, next, count);
}

void reader_look_for_end(struct reader *r)
{
	if (!r->until_end || !r->targets_set || r->ended_told)
		return;
	bool any = false; /* with a group: what others read is theirs to finish */
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++) {
		const struct partition *p = &r->partition[i];
		/* without a group also what nobody answers for just now */
		if ((p->ours || !r->group) && p->target > p->next)
			return;
		any |= p->ours;
	}
	if (!any || !reader_commit(r))
		return;
	r->ended_told = true;
	r->calls.on_end(r->calls.context);
}

static void handle(struct reader *r, const struct subscriber_event *e)
{
	switch (e->kind) {
	case SUBSCRIBER_NOTHING:
		break;
	case SUBSCRIBER_RECORD:
		reader_record(r, e);
		break;
	case SUBSCRIBER_END:
		reader_end_of_partition(r, e);
		break;
	case SUBSCRIBER_OUT_OF_RANGE:
		log_warn("kafka.position",
			"partition %d: our position is no longer there; the topic is looked at again",
			e->partition);
		reader_survey(r);
		break;
	case SUBSCRIBER_ASSIGNED:
		reader_assigned(r, e->list, e->count);
		break;
	case SUBSCRIBER_REVOKED:
		reader_revoked(r, e->list, e->count);
		break;
	case SUBSCRIBER_SURVEYED:
		reader_answered(r);
		break;
	case SUBSCRIBER_TROUBLE:
		r->unproven |= is_down(e->code) || !strcmp(e->code, "kafka.topic");
		r->trouble_partition = e->partition;
		r->trouble_ms = clock_mono_ms();
		reader_tell_failing(r, e->code, e->reason, 1000);
		break;
	case SUBSCRIBER_FATAL:
		if (e->fenced) {
			log_error("kafka.fenced",
				"another box uses SCOREBOX_KAFKA_INSTANCE \"%s\": %s; nothing lost; this one stops (give each box its own)",
				r->parts->config->kafka_instance, e->reason);
			r->state = READER_STOPPED;
			r->calls.on_fenced(r->calls.context);
		} else {
			struct why why;
			fail(&why, STATUS_AGAIN, "the Kafka client gave up: %s", e->reason);
			reader_troubled(r, STATUS_AGAIN, &why);
		}
		break;
	}
}

/* ---- the loop ---- */

static void full_turn(struct reader *r)
{
	if (r->held) {
		if (!reader_stage(r))
			return;
		r->held = false;
	} else if (!reader_make_room(r)) {
		r->full_ms = clock_mono_ms();
		return;
	}
	reader_survey(r);
}

void reader_turn(void *context)
{
	struct reader *r = context;
	struct subscriber_event e = {.kind = SUBSCRIBER_NOTHING};
	struct why why;
	int64_t began = clock_mono_ms();
	if (r->state == READER_STOPPED)
		return;
	if (r->failing && r->state == READER_READING && !r->given && !r->releasing &&
		subscriber_connected(r->subscriber)) {
		if (r->unproven) {
			reader_survey(r);
			return;
		}
		if (is_over(r)) {
			reader_tell_well(r);
			reader_show(r, "", true);
		}
	}
	do {
		enum status s = subscriber_next(r->subscriber, 0, &e, &why);
		if (s != STATUS_OK) {
			reader_troubled(r, s, &why);
			return;
		}
		handle(r, &e);
		if (r->state == READER_STOPPED)
			return;
		if (r->staged && journal_staged_bytes(r->journal) >= COMMIT_BYTES &&
			!reader_commit(r))
			return;
	} while (e.kind != SUBSCRIBER_NOTHING && clock_mono_ms() - began < TURN_MS);
	int64_t now = clock_mono_ms();
	if (r->staged && (e.kind == SUBSCRIBER_NOTHING || now - r->staged_ms >= COMMIT_AFTER_MS) &&
		!reader_commit(r))
		return;
	bool looks = r->held || now - r->full_ms >= READER_FULL_LOOK_MS;
	if (r->state == READER_FULL && e.kind == SUBSCRIBER_NOTHING && looks)
		full_turn(r);
	if (!r->releasing && subscriber_outdated(r->subscriber)) {
		reader_read_files_anew(r);
		return;
	}
	reader_look(r);
	reader_tell_group(r, false);
	reader_look_for_end(r);
	if (r->state != READER_STOPPED)
		reader_timer(r, e.kind == SUBSCRIBER_NOTHING ? now + 1000 : now, reader_turn);
}

static void ready(void *context, int fd, unsigned events)
{
	(void)fd, (void)events;
	reader_turn(context);
}

enum status reader_connect(struct reader *r, struct why *why)
{
	const struct kafka_settings kafka = parts_kafka(r->parts, r->parts->budget.consumer_queue);
	enum status s = subscriber_open(&r->subscriber, &kafka, why);
	if (s == STATUS_OK)
		s = loop_watch(r->loop, subscriber_fd(r->subscriber), LOOP_READ, ready, r, why);
	if (s == STATUS_OK && r->group) {
		r->state = READER_READING;
		s = subscriber_join(r->subscriber, why);
	} else {
		r->state = READER_SURVEYING;
	}
	if (s == STATUS_OK)
		reader_timer(r, clock_mono_ms(), r->group ? reader_turn : reader_survey);
	return s;
}

enum status reader_login(struct reader *r, const char *username, const char *password)
{
	return r->subscriber ? subscriber_login(r->subscriber, username, password) : STATUS_OK;
}

void reader_disconnect(struct reader *r)
{
	loop_timer_stop(r->loop, reader_turn, r);
	loop_timer_stop(r->loop, reader_survey, r);
	loop_timer_stop(r->loop, reader_ask_again, r);
	if (r->subscriber)
		loop_forget(r->loop, subscriber_fd(r->subscriber));
	subscriber_close(r->subscriber);
	r->subscriber = NULL;
}

enum status reader_open(struct reader **out, struct loop *loop, struct journal *journal,
	const struct parts *parts, struct row_reader *rows, bool until_end,
	const struct reader_calls *calls, struct why *why)
{
	struct reader *r = calloc(1, sizeof *r);
	if (!r)
		return fail(why, STATUS_NO_MEMORY, "no memory for the reader");
	r->loop = loop;
	r->journal = journal;
	r->parts = parts;
	r->rows = rows;
	r->calls = *calls;
	r->until_end = until_end;
	r->group = *parts->config->kafka_group;
	r->backoff = (struct backoff){.first_ms = 1000, .ceiling_ms = 60000};
	r->rest_backoff = r->backoff;
	r->heard_ms = clock_mono_ms();
	r->trouble_partition = -1;
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
		r->partition[i].target = -1;
	enum status s = reader_connect(r, why);
	if (s != STATUS_OK) {
		reader_close(r);
		return s;
	}
	*out = r;
	return STATUS_OK;
}

void reader_stop(struct reader *r)
{
	if (r->state != READER_STOPPED && reader_commit(r) && r->subscriber)
		reader_tell_group(r, true);
	r->state = READER_STOPPED;
	loop_timer_stop(r->loop, reader_turn, r);
	loop_timer_stop(r->loop, reader_survey, r);
	loop_timer_stop(r->loop, reader_ask_again, r);
	if (r->subscriber)
		loop_forget(r->loop, subscriber_fd(r->subscriber));
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	reader_stop(r);
	reader_disconnect(r);
	free(r);
}

uint64_t reader_progress(const struct reader *r)
{
	return r->progress;
}

void reader_look_for_room(struct reader *r)
{
	if (r->state == READER_FULL)
		full_turn(r);
}
