#include "service/reader.h"

#include "base/clock.h"
#include "cricket/row.h"
#include "kafka/subscriber.h"
#include "service/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SURVEY_TIMEOUT_MS = 5000,
	SURVEY_EVERY_MS = 10 * 60000,	/* for partitions added to the topic */
	COMMIT_BYTES = 256 * 1024,
	COMMIT_AFTER_MS = 200,
	TURN_MS = 50,			/* the loop's other callers get their turn */
	FULL_LOOK_MS = 10000,
	TELL_EVERY_MS = 600000,
	KEY_MAX_BYTES = 512,
};

enum reader_state { READER_SURVEYING, READER_READING, READER_FULL, READER_STOPPED };

struct partition {
	bool ours;
	int64_t next;		/* first offset not in the journal */
	bool anchored;		/* the next record must be the anchor */
	int64_t anchor_offset;
	uint32_t anchor_crc;
	int64_t target;		/* until_end: -1 none */
};

struct reader {
	struct loop *loop;
	struct journal *journal;
	const struct parts *parts;
	struct subscriber *subscriber;
	struct row_reader *rows;
	struct reader_calls calls;
	enum reader_state state;
	bool group, until_end, targets_set, ended_told;
	unsigned generation;
	struct partition partition[SUBSCRIBER_PARTITIONS];
	struct subscriber_survey survey;
	bool staged;		/* a journal transaction is open */
	uint64_t staged_records;
	int64_t staged_ms, survey_ms;
	uint64_t progress;
	int64_t last_record_us;
	struct backoff backoff;
	struct log_gate gate;
	char told_code[32];
	bool failing;
	uint64_t errors_told;
};

static void survey(void *context);
static void turn(void *context);

static void set_timer(struct reader *r, int64_t at_ms, loop_due *call)
{
	if (loop_timer(r->loop, at_ms, call, r) != STATUS_OK)
		log_error("loop.timers", "no timer left for the reader");
}

static void troubled(struct reader *r, enum status s, const struct why *why)
{
	if (r->state == READER_STOPPED)
		return;
	r->state = READER_STOPPED;
	r->calls.on_trouble(r->calls.context, s, why);
}

/* ---- status ---- */

static void show(struct reader *r, const char *reason, bool changed)
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
	if (strcmp(r->told_code, code) != 0) {
		log_gate_reset(&r->gate);
		snprintf(r->told_code, sizeof r->told_code, "%s", code);
	}
	clock_span_text(wait_ms, span, sizeof span);
	if (log_gate_pass(&r->gate, clock_mono_ms(), TELL_EVERY_MS, &held))
		log_warn(code, "%s; nothing lost, what is unread waits in Kafka; retry in %s", reason, span);
	r->failing = true;
	show(r, reason, true);
}

static void tell_well(struct reader *r)
{
	if (r->failing)
		log_info("kafka.reading", "reading '%s' again", r->parts->config->kafka_topic);
	r->failing = false;
	r->told_code[0] = '\0';
	log_gate_reset(&r->gate);
	backoff_reset(&r->backoff);
}

/* ---- commits ---- */

static bool stage(struct reader *r)
{
	struct why why;
	if (r->staged)
		return true;
	enum status s = journal_begin(r->journal, &why);
	if (s != STATUS_OK) {
		troubled(r, s, &why);
		return false;
	}
	r->staged = true;
	r->staged_records = 0;
	r->staged_ms = clock_mono_ms();
	return true;
}

static bool commit(struct reader *r)
{
	struct why why;
	if (!r->staged)
		return true;
	enum status s = journal_commit(r->journal, &why);
	r->staged = false;
	if (s != STATUS_OK) {
		troubled(r, s, &why);
		return false;
	}
	if (r->group)
		for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
			if (r->partition[i].ours)
				subscriber_commit(r->subscriber, i, r->partition[i].next);
	if (r->staged_records) {
		show(r, "", false);
		r->calls.on_records(r->calls.context);
	}
	return true;
}

static void look_for_end(struct reader *r)
{
	if (!r->until_end || !r->targets_set || r->ended_told)
		return;
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
		if (r->partition[i].target > r->partition[i].next)
			return;
	if (!commit(r))
		return;
	r->ended_told = true;
	r->calls.on_end(r->calls.context);
}

/* ---- positions ---- */

static bool gap(struct reader *r, int partition, int64_t from, int64_t to)
{
	struct why why;
	log_error("kafka.gap", "partition %d: offsets %" PRId64 "..%" PRId64 " expired before they were read; lost=%" PRId64 "; recorded in the journal and shown in the workbooks; reading goes on at %" PRId64,
		  partition, from, to - 1, to - from, to);
	enum status s = journal_gap(r->journal, r->generation, partition, from, to, clock_wall_us(), &why);
	if (s != STATUS_OK)
		troubled(r, s, &why);
	return s == STATUS_OK;
}

/* Where to start this partition; false: its end lies below our position, so the topic is another one. */
static bool place(struct reader *r, const struct subscriber_span *span, bool first_sight, struct subscriber_start *start)
{
	struct partition *p = &r->partition[span->partition];
	struct journal_position at;
	struct why why;
	enum status s = journal_position(r->journal, r->generation, span->partition, &at, &why);
	if (s != STATUS_OK) {
		troubled(r, s, &why);
		return true;
	}
	if (at.next_offset > span->high)
		return false;
	p->ours = true;
	p->next = at.next_offset;
	p->anchored = at.has_anchor && at.anchor_offset >= span->low;
	p->anchor_offset = at.anchor_offset;
	p->anchor_crc = at.anchor_crc;
	*start = (struct subscriber_start){ span->partition, p->anchored ? at.anchor_offset : at.next_offset };
	if (span->low > at.next_offset) {
		bool nothing_missed = !at.next_offset && first_sight;
		if (nothing_missed)
			log_info("kafka.earliest", "partition %d begins at offset %" PRId64 ": what was before is gone from the topic",
				 span->partition, span->low);
		else if (!gap(r, span->partition, at.next_offset, span->low))
			return true;
		p->next = start->offset = span->low;
	}
	return true;
}

static bool renew_generation(struct reader *r, const char *what)
{
	struct why why;
	unsigned before = r->generation;
	if (r->staged) {
		r->staged = false;
		if (journal_abort(r->journal, &why) != STATUS_OK) {
			troubled(r, STATUS_IO, &why);
			return false;
		}
	}
	enum status s = journal_generation_renew(r->journal, before, &r->generation, &why);
	if (s != STATUS_OK) {
		troubled(r, s, &why);
		return false;
	}
	log_warn("kafka.generation", "topic '%s' was made anew (%s); nothing lost; generation %u begins at its earliest offset, known states are recognised",
		 r->parts->config->kafka_topic, what, r->generation);
	return true;
}

static void set_targets(struct reader *r)
{
	if (!r->until_end || r->targets_set)
		return;
	for (unsigned i = 0; i < r->survey.partitions; i++)
		r->partition[r->survey.span[i].partition].target = r->survey.span[i].high;
	r->targets_set = true;
}

static bool wanted(const int *list, unsigned count, int partition)
{
	for (unsigned i = 0; list && i < count; i++)
		if (list[i] == partition)
			return true;
	return !list;
}

/* Gives the subscriber its positions for the partitions in `list` (NULL: all). */
static enum status assign(struct reader *r, const int *list, unsigned count, bool first_sight, struct why *why)
{
	struct subscriber_start starts[SUBSCRIBER_PARTITIONS];
	unsigned n = 0;
	for (unsigned i = 0; i < r->survey.partitions; i++) {
		const struct subscriber_span *span = &r->survey.span[i];
		if (!wanted(list, count, span->partition))
			continue;
		if (place(r, span, first_sight, &starts[n])) {
			n++;
			continue;
		}
		if (!renew_generation(r, "its end lies below our position"))
			return STATUS_FATAL;
		return assign(r, list, count, true, why);	/* once: a new generation has no positions */
	}
	return r->state == READER_STOPPED ? STATUS_FATAL : subscriber_assign(r->subscriber, starts, n, why);
}

static const char *survey_code(enum status s)
{
	return s == STATUS_NOT_FOUND ? "kafka.topic" : s == STATUS_DENIED ? "kafka.auth" : "kafka.down";
}

static enum status ask(struct reader *r, bool *first_sight, struct why *why)
{
	const struct config *c = r->parts->config;
	enum status s = subscriber_survey(r->subscriber, SURVEY_TIMEOUT_MS, &r->survey, why);
	if (s != STATUS_OK)
		return s;
	unsigned before = r->generation;
	s = journal_generation(r->journal, r->survey.cluster, c->kafka_topic, r->survey.topic_id, &r->generation,
			       first_sight, why);
	if (s != STATUS_OK) {
		troubled(r, s, why);
		return STATUS_FATAL;
	}
	if (before && before != r->generation)
		log_warn("kafka.generation", "another cluster or topic answers now; generation %u is read", r->generation);
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
	set_timer(r, clock_mono_ms() + wait, survey);
}

/* Without a group: all partitions, from our own positions. */
static void survey(void *context)
{
	struct reader *r = context;
	struct why why;
	bool first_sight = false;
	if (r->state == READER_STOPPED || !commit(r))
		return;
	health_beat(r->parts->health, HEALTH_CONSUME);
	enum status s = ask(r, &first_sight, &why);
	if (s == STATUS_OK) {
		set_targets(r);
		s = assign(r, NULL, 0, first_sight, &why);
	}
	if (s != STATUS_OK) {
		try_again_later(r, s, &why);
		return;
	}
	r->state = READER_READING;
	tell_well(r);
	log_debug("kafka.assigned", "generation %u, %u partitions", r->generation, r->survey.partitions);
	show(r, "", true);
	look_for_end(r);
	set_timer(r, clock_mono_ms(), turn);
}

/* With a group: these partitions became ours. */
static void assigned(struct reader *r, const int *list, unsigned count)
{
	struct why why;
	bool first_sight = false;
	enum status s = ask(r, &first_sight, &why);
	if (s == STATUS_OK) {
		set_targets(r);
		for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
			if (!wanted(list, count, i) && !r->partition[i].ours)
				r->partition[i].target = -1;
		s = assign(r, list, count, true, &why);
	}
	if (s != STATUS_OK && r->state != READER_STOPPED)
		log_warn(survey_code(s), "%s; the group gives the partitions again", why.text);
	log_info("kafka.assigned", "%u partitions of '%s' came to this box", count, r->parts->config->kafka_topic);
	show(r, "", true);
	look_for_end(r);
}

static void revoked(struct reader *r, const int *list, unsigned count)
{
	struct why why;
	if (!commit(r))
		return;
	for (unsigned i = 0; i < count; i++)
		r->partition[list[i]].ours = false;
	if (subscriber_release(r->subscriber, &why) != STATUS_OK)
		log_warn("kafka.release", "%s; the group gives the partitions anew", why.text);
	log_info("kafka.revoked", "%u partitions of '%s' left this box", count, r->parts->config->kafka_topic);
}

/* ---- records ---- */

static void journal_is_full(struct reader *r)
{
	if (!commit(r))
		return;
	log_error("journal.full", "the journal is at its cap and no match may leave it yet; nothing lost, what is unread waits in Kafka; reading is paused (raise SCOREBOX_JOURNAL_MAX, or see that workbooks can be written)");
	r->state = READER_FULL;
	subscriber_pause(r->subscriber);
	show(r, "the journal is full", true);
	set_timer(r, clock_mono_ms() + FULL_LOOK_MS, turn);
}

/* True when something left the journal. */
static bool make_room(struct reader *r)
{
	struct why why;
	unsigned left = 0;
	if (!commit(r))
		return false;
	enum status s = journal_make_room(r->journal, clock_wall_us(), &left, &why);
	if (s != STATUS_OK && s != STATUS_FULL)
		troubled(r, s, &why);
	if (left)
		log_info("journal.room", "%u matches that ended or rested for 7 days left the journal; their workbooks stay", left);
	return left > 0;
}

static enum status add_error(struct reader *r, const struct subscriber_event *e, const char *reason, struct why *why)
{
	if (r->errors_told++ < 10)
		log_warn("kafka.record", "partition %d offset %" PRId64 " is no match: %s; kept in the sheet Errors of Matches.xlsx; reading goes on",
			 e->partition, e->offset, reason);
	return journal_add_error(r->journal, r->generation, e->partition, e->offset, e->time_us, reason,
				 e->key, e->value, why);
}

/* One record into the open transaction. */
static enum status add(struct reader *r, const struct subscriber_event *e, struct why *why)
{
	struct journal_record record = { .generation = r->generation, .partition = e->partition, .offset = e->offset,
					 .kafka_us = e->time_us, .match = e->key, .body = e->value };
	struct row row;
	struct why unread;
	bool duplicate;
	if (e->key_null || !e->key.length)
		return add_error(r, e, "no key", why);
	if (e->key.length > KEY_MAX_BYTES)
		return add_error(r, e, "the key is longer than 512 bytes", why);
	if (e->value_null || !e->value.length)
		return add_error(r, e, "no value", why);
	enum status s = row_read(r->rows, e->value, &row, &unread);
	if (s == STATUS_BAD_DATA)
		return add_error(r, e, unread.text, why);
	if (s == STATUS_OK && !row.is_object)
		return add_error(r, e, "JSON, but no object", why);
	record.ended = s == STATUS_OK && row.ended;
	event_read(e, &record);
	return journal_add(r->journal, &record, &duplicate, why);
}

static void take_record(struct reader *r, const struct subscriber_event *e)
{
	struct why why;
	struct partition *p = &r->partition[e->partition];
	enum status s = STATUS_FULL;
	for (int try = 0; s == STATUS_FULL && try < 2; try++) {
		if (try && !make_room(r))
			break;
		if (!stage(r))
			return;
		s = add(r, e, &why);
	}
	if (s == STATUS_FULL) {
		if (r->state != READER_STOPPED)
			journal_is_full(r);
	} else if (s == STATUS_BAD_DATA) {
		/* a generation, partition or offset that the journal cannot number */
		log_error("journal.record", "partition %d offset %" PRId64 ": %s; this record is passed over", e->partition, e->offset, why.text);
		p->next = e->offset + 1;
	} else if (s != STATUS_OK) {
		troubled(r, s, &why);
	} else {
		p->next = e->offset + 1;
		r->progress++;
		r->staged_records++;
		r->last_record_us = clock_wall_us();
	}
}

/* The record at our anchor must be the one we know. */
static void record(struct reader *r, const struct subscriber_event *e)
{
	struct partition *p = &r->partition[e->partition];
	if (!p->ours || r->state != READER_READING)
		return;
	if (p->anchored) {
		p->anchored = false;
		if (e->offset == p->anchor_offset && journal_crc(e->key, e->value) != p->anchor_crc) {
			if (renew_generation(r, "the last record we read is another one now"))
				survey(r);
			return;
		}
	}
	if (e->offset >= p->next)
		take_record(r, e);
}

static void end_of_partition(struct reader *r, const struct subscriber_event *e)
{
	struct partition *p = &r->partition[e->partition];
	struct why why;
	if (!p->ours || r->state != READER_READING)
		return;
	p->anchored = false;
	if (e->offset > p->next) {	/* offsets without records: compaction, transaction marks */
		enum status s = stage(r) ? journal_skip(r->journal, r->generation, e->partition, e->offset, &why) : STATUS_OK;
		if (s != STATUS_OK)
			troubled(r, s, &why);
		p->next = e->offset;
	}
	look_for_end(r);
}

static void handle(struct reader *r, const struct subscriber_event *e)
{
	switch (e->kind) {
	case SUBSCRIBER_NOTHING:
		break;
	case SUBSCRIBER_RECORD:
		record(r, e);
		break;
	case SUBSCRIBER_END:
		end_of_partition(r, e);
		break;
	case SUBSCRIBER_OUT_OF_RANGE:
		log_warn("kafka.position", "partition %d: our position is no longer there; the topic is looked at again", e->partition);
		survey(r);
		break;
	case SUBSCRIBER_ASSIGNED:
		assigned(r, e->list, e->count);
		break;
	case SUBSCRIBER_REVOKED:
		revoked(r, e->list, e->count);
		break;
	case SUBSCRIBER_TROUBLE:
		tell_failing(r, e->code, e->reason, 1000);
		break;
	case SUBSCRIBER_FATAL:
		if (e->fenced) {
			log_error("kafka.fenced", "another box uses SCOREBOX_KAFKA_INSTANCE \"%s\": %s; nothing lost; this one stops (give each box its own)",
				  r->parts->config->kafka_instance, e->reason);
			r->state = READER_STOPPED;
			r->calls.on_fenced(r->calls.context);
		} else {
			struct why why;
			fail(&why, STATUS_FATAL, "the Kafka client gave up: %s", e->reason);
			troubled(r, STATUS_FATAL, &why);
		}
		break;
	}
}

/* ---- the loop ---- */

static void full_turn(struct reader *r)
{
	if (!make_room(r)) {
		if (r->state == READER_FULL)
			set_timer(r, clock_mono_ms() + FULL_LOOK_MS, turn);
		return;
	}
	subscriber_resume(r->subscriber);
	survey(r);
}

static void turn(void *context)
{
	struct reader *r = context;
	struct subscriber_event e = { .kind = SUBSCRIBER_NOTHING };
	struct why why;
	int64_t began = clock_mono_ms();
	if (r->state == READER_STOPPED)
		return;
	do {
		enum status s = subscriber_next(r->subscriber, 0, &e, &why);
		if (s != STATUS_OK) {
			troubled(r, s, &why);
			return;
		}
		handle(r, &e);
		if (r->state == READER_STOPPED)
			return;
		if (r->staged && journal_staged_bytes(r->journal) >= COMMIT_BYTES && !commit(r))
			return;
	} while (e.kind != SUBSCRIBER_NOTHING && clock_mono_ms() - began < TURN_MS);
	int64_t now = clock_mono_ms();
	if (r->staged && (e.kind == SUBSCRIBER_NOTHING || now - r->staged_ms >= COMMIT_AFTER_MS) && !commit(r))
		return;
	if (r->failing && r->state == READER_READING && subscriber_connected(r->subscriber)) {
		tell_well(r);
		show(r, "", true);
	}
	if (r->state == READER_FULL && e.kind == SUBSCRIBER_NOTHING) {
		full_turn(r);
		return;
	}
	if (r->state == READER_READING && !r->group && now - r->survey_ms >= SURVEY_EVERY_MS) {
		survey(r);
		return;
	}
	look_for_end(r);
	if (r->state != READER_STOPPED)
		set_timer(r, e.kind == SUBSCRIBER_NOTHING ? now + 1000 : now, turn);
}

static void ready(void *context, int fd, unsigned events)
{
	(void)fd, (void)events;
	turn(context);
}

enum status reader_open(struct reader **out, struct loop *loop, struct journal *journal, const struct parts *parts,
			uint64_t arena_bytes, bool until_end, const struct reader_calls *calls, struct why *why)
{
	struct reader *r = calloc(1, sizeof *r);
	if (!r)
		return fail(why, STATUS_NO_MEMORY, "no memory for the reader");
	const struct kafka_settings kafka = parts_kafka(parts, parts->budget.consumer_queue);
	r->loop = loop;
	r->journal = journal;
	r->parts = parts;
	r->calls = *calls;
	r->until_end = until_end;
	r->group = *parts->config->kafka_group;
	r->backoff = (struct backoff){ .first_ms = 1000, .ceiling_ms = 60000 };
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
		r->partition[i].target = -1;
	enum status s = row_reader_open(&r->rows, arena_bytes, why);
	if (s == STATUS_OK)
		s = subscriber_open(&r->subscriber, &kafka, why);
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
	set_timer(r, clock_mono_ms(), r->group ? turn : survey);
	*out = r;
	return STATUS_OK;
}

void reader_stop(struct reader *r)
{
	if (r->state != READER_STOPPED)
		commit(r);
	r->state = READER_STOPPED;
	loop_timer_stop(r->loop, turn, r);
	loop_timer_stop(r->loop, survey, r);
	if (r->subscriber)
		loop_forget(r->loop, subscriber_fd(r->subscriber));
}

void reader_close(struct reader *r)
{
	if (!r)
		return;
	reader_stop(r);
	subscriber_close(r->subscriber);
	row_reader_close(r->rows);
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
