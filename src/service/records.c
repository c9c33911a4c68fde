#include "service/reader_private.h"

#include "base/frame.h"
#include "service/event.h"

#include <inttypes.h>

enum { KEY_MAX_BYTES = 512 };

static void journal_is_full(struct reader *r)
{
	if (!reader_commit(r))
		return;
	log_error("journal.full",
		"the journal is at its cap and no match may leave it yet; nothing lost, what is unread waits in Kafka; reading is paused (raise SCOREBOX_JOURNAL_MAX, or see that workbooks can be written)");
	r->state = READER_FULL;
	subscriber_pause(r->subscriber);
	reader_show(r, "the journal is full", true);
	r->full_ms = clock_mono_ms();
	r->calls.on_full(r->calls.context);
}

/* True when something left the journal. */
bool reader_make_room(struct reader *r)
{
	struct why why;
	unsigned left = 0;
	if (!reader_commit(r))
		return false;
	enum status s = journal_make_room(r->journal, clock_wall_us(), &left, &why);
	if (s != STATUS_OK && s != STATUS_FULL)
		reader_troubled(r, s, &why);
	if (left)
		log_info("journal.room",
			"%u matches that ended or rested for 7 days left the journal; their workbooks stay",
			left);
	return left > 0;
}

static enum status add_error(
	struct reader *r, const struct subscriber_event *e, const char *reason, struct why *why)
{
	if (r->errors_told++ < 10)
		log_warn("kafka.record",
			"partition %d offset %" PRId64
			" is no match: %s; kept in the sheet Errors of Matches.xlsx; reading goes on",
			e->partition, e->offset, reason);
	return journal_add_error(r->journal, r->generation, e->partition, e->offset, e->time_us,
		reason, e->key, e->value, why);
}

/* One record into the open transaction. */
static enum status add(struct reader *r, const struct subscriber_event *e, struct why *why)
{
	struct journal_record record = {.generation = r->generation,
		.partition = e->partition,
		.offset = e->offset,
		.kafka_us = e->time_us,
		.match = e->key,
		.body = e->value};
	struct row row;
	struct why unread;
	struct view value;
	uint32_t schema_id;
	bool duplicate;
	if (e->key_null || !e->key.length)
		return add_error(r, e, "no key", why);
	if (e->key.length > KEY_MAX_BYTES)
		return add_error(r, e, "the key is longer than 512 bytes", why);
	if (e->value_null || !e->value.length)
		return add_error(r, e, "no value", why);
	bool framed = frame_strip(e->value, &schema_id, &value);
	if (!value.length)
		return add_error(r, e, "a schema registry's frame and no value behind it", why);
	enum status s = row_read(r->rows, value, &row, &unread);
	if (s == STATUS_BAD_DATA && framed)
		why_prefix(&unread, s, "behind the frame of schema id %" PRIu32, schema_id);
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
	if (!reader_stage(r))
		return;
	enum status s = add(r, e, &why);
	if (s == STATUS_FULL) {
		/* a card that is full may have lost the batch: read again from the journal's positions */
		if (reader_make_room(r))
			reader_survey(r);
		else if (r->state != READER_STOPPED)
			journal_is_full(r);
	} else if (s == STATUS_BAD_DATA) {
		/* a generation, partition or offset that the journal cannot number */
		log_error("journal.record",
			"partition %d offset %" PRId64 ": %s; this record is passed over",
			e->partition, e->offset, why.text);
		p->next = e->offset + 1;
	} else if (s != STATUS_OK) {
		reader_troubled(r, s, &why);
	} else {
		p->next = e->offset + 1;
		r->progress++;
		reader_moved(r, e->partition);
		r->staged_records++;
		r->last_record_us = clock_wall_us();
	}
}

/* The record at our anchor must be the one we know. */
void reader_record(struct reader *r, const struct subscriber_event *e)
{
	struct partition *p = &r->partition[e->partition];
	if (!p->ours || r->state != READER_READING)
		return;
	if (p->anchored) {
		p->anchored = false;
		if (e->offset == p->anchor_offset &&
			journal_crc(e->key, e->value) != p->anchor_crc) {
			if (reader_renew_generation(
				    r, "the last record we read is another one now"))
				reader_survey(r);
			return;
		}
	}
	if (e->offset >= p->next)
		take_record(r, e);
}

void reader_end_of_partition(struct reader *r, const struct subscriber_event *e)
{
	struct partition *p = &r->partition[e->partition];
	struct why why;
	if (!p->ours || r->state != READER_READING)
		return;
	p->anchored = false;
	if (e->offset > p->next) { /* offsets without records: compaction, transaction marks */
		if (!reader_stage(r))
			return;
		enum status s = journal_skip(
			r->journal, r->generation, e->partition, e->offset, &why);
		if (s != STATUS_OK) {
			reader_troubled(r, s, &why);
			return;
		}
		p->next = e->offset;
	}
	reader_moved(r, e->partition);
	reader_look_for_end(r);
}
