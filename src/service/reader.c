#include "service/reader_private.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SURVEY_TIMEOUT_MS =
		4000, /* the loop stands still for as long: below what is told as a stall */
	SURVEY_EVERY_MS = 10 * 60000, /* for partitions added to the topic */
	COMMIT_BYTES = 256 * 1024,
	COMMIT_AFTER_MS = 200,
	HELD_LOOK_MS = 1000,
	TURN_MS = 50, /* the loop's other callers get their turn */
	TELL_EVERY_MS = 600000,
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
	journal_figures(r->journal, &f->journal);
	health_end(r->parts->health, changed);
}

static void tell_failing(struct reader *r, const char *code, const char *reason, int64_t wait_ms)
{
	char span[40];
	unsigned long held;
	/* One broker's trouble is no news while all are down. */
	bool news = strcmp(code, "kafka.broker") != 0 || strcmp(r->told_code, "kafka.down") != 0;
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

static void tell_well(struct reader *r)
{
	if (r->failing)
		log_info("kafka.reading", "reading '%s' again", r->parts->config->kafka_topic);
	r->failing = r->unproven = false;
	r->told_code[0] = '\0';
	log_gate_reset(&r->gate);
	backoff_reset(&r->backoff);
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
	if (r->group)
		for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
			if (r->partition[i].ours)
				subscriber_commit(r->subscriber, i, r->partition[i].next);
	if (r->staged_records) {
		reader_show(r, "", false);
		r->calls.on_records(r->calls.context);
	}
	return true;
}

void reader_look_for_end(struct reader *r)
{
	if (!r->until_end || !r->targets_set || r->ended_told)
		return;
	bool any = false; /* with a group: what others read is theirs to finish */
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++) {
		const struct partition *p = &r->partition[i];
		if (p->ours && p->target > p->next)
			return;
		any |= p->ours;
	}
	if (!any || !reader_commit(r))
		return;
	r->ended_told = true;
	r->calls.on_end(r->calls.context);
}

static const char *survey_code(enum status s)
{
	return s == STATUS_NOT_FOUND ? "kafka.topic"
	       : s == STATUS_DENIED  ? "kafka.auth"
				     : "kafka.down";
}

static enum status ask(struct reader *r, bool *first_sight, struct why *why)
{
	const struct config *c = r->parts->config;
	enum status s = subscriber_survey(r->subscriber, SURVEY_TIMEOUT_MS, &r->survey, why);
	if (s == STATUS_AGAIN)
		return why_prefix(why, s, "no answer from %.200s", r->parts->brokers);
	if (s != STATUS_OK)
		return s;
	unsigned before = r->generation;
	s = journal_generation(r->journal, r->survey.cluster, c->kafka_topic, r->survey.topic_id,
		&r->generation, first_sight, why);
	if (s != STATUS_OK) {
		reader_troubled(r, s, why);
		return STATUS_FATAL;
	}
	if (before && before != r->generation)
		log_warn("kafka.generation",
			"another cluster or topic answers now; generation %u is read",
			r->generation);
	r->survey_ms = clock_mono_ms();
	return STATUS_OK;
}

static void try_again_later(struct reader *r, enum status s, const struct why *why)
{
	if (r->state == READER_STOPPED)
		return;
	int64_t wait = backoff_next_ms(&r->backoff);
	r->state = READER_SURVEYING;
	tell_failing(r, survey_code(s), why->text, wait);
	reader_timer(r, clock_mono_ms() + wait, reader_survey);
}

/* From our own positions: all partitions, or with a group those that it gave us. */
void reader_survey(void *context)
{
	struct reader *r = context;
	struct why why;
	int ours[SUBSCRIBER_PARTITIONS];
	bool first_sight = false;
	if (r->state == READER_STOPPED || !reader_commit(r))
		return;
	health_beat(r->parts->health, HEALTH_CONSUME);
	unsigned count = reader_ours(r, ours);
	enum status s = STATUS_OK;
	if (!r->group || count)
		s = ask(r, &first_sight, &why);
	if (s == STATUS_OK && (!r->group || count)) {
		reader_set_targets(r);
		if (r->group)
			s = reader_assign(r, ours, count, true, &why);
		else
			s = reader_assign(r, NULL, 0, first_sight, &why);
	}
	if (s != STATUS_OK) {
		try_again_later(r, s, &why);
		return;
	}
	subscriber_resume(r->subscriber); /* paused where the journal was full meanwhile */
	r->state = READER_READING;
	tell_well(r);
	log_debug("kafka.assigned", "generation %u, %u partitions", r->generation,
		r->survey.partitions);
	reader_show(r, "", true);
	reader_look_for_end(r);
	reader_timer(r, clock_mono_ms(), reader_turn);
}

/* With a group: these partitions became ours. It waits for our answer and gives them once: where we cannot
 * answer now, the survey that is tried again does. In a new generation all that we have begin again. */
static void assigned(struct reader *r, const int *list, unsigned count)
{
	struct why why;
	int ours[SUBSCRIBER_PARTITIONS];
	unsigned before = r->generation;
	bool first_sight = false;
	for (unsigned i = 0; i < count; i++)
		r->partition[list[i]].ours = true;
	log_info("kafka.assigned", "%u partitions of '%s' came to this box", count,
		r->parts->config->kafka_topic);
	if (!reader_commit(r))
		return;
	enum status s = ask(r, &first_sight, &why);
	if (s == STATUS_OK) {
		reader_set_targets(r);
		if (before && before != r->generation)
			s = reader_assign(r, ours, reader_ours(r, ours), true, &why);
		else
			s = reader_assign(r, list, count, true, &why);
	}
	if (s != STATUS_OK) {
		try_again_later(r, s, &why);
		return;
	}
	reader_show(r, "", true);
	reader_look_for_end(r);
}

static void revoked(struct reader *r, const int *list, unsigned count)
{
	struct why why;
	if (!reader_commit(r))
		return;
	for (unsigned i = 0; i < count; i++)
		r->partition[list[i]].ours = false;
	if (subscriber_release(r->subscriber, &why) != STATUS_OK)
		log_warn("kafka.release", "%s; the group gives the partitions anew", why.text);
	log_info("kafka.revoked", "%u partitions of '%s' left this box", count,
		r->parts->config->kafka_topic);
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
		assigned(r, e->list, e->count);
		break;
	case SUBSCRIBER_REVOKED:
		revoked(r, e->list, e->count);
		break;
	case SUBSCRIBER_TROUBLE:
		r->unproven |= !strcmp(e->code, "kafka.down") || !strcmp(e->code, "kafka.topic");
		tell_failing(r, e->code, e->reason, 1000);
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
		if (r->state == READER_FULL)
			reader_timer(r, clock_mono_ms() + READER_FULL_LOOK_MS, reader_turn);
		return;
	}
	subscriber_resume(r->subscriber);
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
	if (r->failing && r->state == READER_READING && subscriber_connected(r->subscriber)) {
		if (r->unproven) {
			reader_survey(r);
			return;
		}
		tell_well(r);
		reader_show(r, "", true);
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
	if (r->state == READER_FULL && e.kind == SUBSCRIBER_NOTHING) {
		full_turn(r);
		return;
	}
	if (r->state == READER_READING && !r->group && now - r->survey_ms >= SURVEY_EVERY_MS) {
		reader_survey(r);
		return;
	}
	reader_look_for_end(r);
	if (r->state != READER_STOPPED)
		reader_timer(r, e.kind == SUBSCRIBER_NOTHING ? now + 1000 : now, reader_turn);
}

static void ready(void *context, int fd, unsigned events)
{
	(void)fd, (void)events;
	reader_turn(context);
}

enum status reader_open(struct reader **out, struct loop *loop, struct journal *journal,
	const struct parts *parts, struct row_reader *rows, bool until_end,
	const struct reader_calls *calls, struct why *why)
{
	struct reader *r = calloc(1, sizeof *r);
	if (!r)
		return fail(why, STATUS_NO_MEMORY, "no memory for the reader");
	const struct kafka_settings kafka = parts_kafka(parts, parts->budget.consumer_queue);
	r->loop = loop;
	r->journal = journal;
	r->parts = parts;
	r->rows = rows;
	r->calls = *calls;
	r->until_end = until_end;
	r->group = *parts->config->kafka_group;
	r->backoff = (struct backoff){.first_ms = 1000, .ceiling_ms = 60000};
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
		r->partition[i].target = -1;
	enum status s = subscriber_open(&r->subscriber, &kafka, why);
	if (s == STATUS_OK)
		s = loop_watch(loop, subscriber_fd(r->subscriber), LOOP_READ, ready, r, why);
	if (s == STATUS_OK && r->group) {
		r->state = READER_READING;
		s = subscriber_join(r->subscriber, why);
	}
	if (s != STATUS_OK) {
		reader_close(r);
		return s;
	}
	reader_timer(r, clock_mono_ms(), r->group ? reader_turn : reader_survey);
	*out = r;
	return STATUS_OK;
}

void reader_stop(struct reader *r)
{
	if (r->state != READER_STOPPED)
		reader_commit(r);
	r->state = READER_STOPPED;
	loop_timer_stop(r->loop, reader_turn, r);
	loop_timer_stop(r->loop, reader_survey, r);
	if (r->subscriber)
		loop_forget(r->loop, subscriber_fd(r->subscriber));
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	reader_stop(r);
	subscriber_close(r->subscriber);
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
