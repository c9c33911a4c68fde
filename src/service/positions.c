#include "service/reader_private.h"

#include "base/clock.h"

#include <inttypes.h>

/* With a group another box may have read them while the partition was its own: that is not known here. */
static void tell_gap(const struct reader *r, int partition, int64_t from, int64_t to)
{
	if (r->group)
		log_warn("kafka.gap",
			"partition %d: offsets %" PRId64 "..%" PRId64
			" are gone from the topic and were not read by this box, missing here=%" PRId64
			"; another box of group '%s' may have them; recorded in the journal and shown in this box's workbooks; reading goes on at %" PRId64,
			partition, from, to - 1, to - from, r->parts->config->kafka_group, to);
	else
		log_error("kafka.gap",
			"partition %d: offsets %" PRId64 "..%" PRId64
			" expired before they were read; lost=%" PRId64
			"; recorded in the journal and shown in the workbooks; reading goes on at %" PRId64,
			partition, from, to - 1, to - from, to);
}

static bool gap(struct reader *r, int partition, int64_t from, int64_t to)
{
	struct why why;
	tell_gap(r, partition, from, to);
	enum status s = journal_gap(
		r->journal, r->generation, partition, from, to, clock_wall_us(), &why);
	if (s != STATUS_OK)
		reader_troubled(r, s, &why);
	return s == STATUS_OK;
}

/* Where to start this partition; false: its end lies below our position, so the topic is another one. */
static bool place(struct reader *r, const struct subscriber_span *span, bool first_sight,
	struct subscriber_start *start)
{
	struct partition *p = &r->partition[span->partition];
	struct journal_position at;
	struct why why;
	enum status s = journal_position(r->journal, r->generation, span->partition, &at, &why);
	if (s != STATUS_OK) {
		reader_troubled(r, s, &why);
		return true;
	}
	if (at.next_offset > span->high)
		return false;
	p->ours = true;
	p->still_ms = 0;
	p->told = -1;
	p->next = at.next_offset;
	p->anchored = at.has_anchor && at.anchor_offset >= span->low;
	p->anchor_offset = at.anchor_offset;
	p->anchor_crc = at.anchor_crc;
	*start = (struct subscriber_start){
		span->partition, p->anchored ? at.anchor_offset : at.next_offset};
	if (span->low > at.next_offset) {
		bool nothing_missed = !at.known && (first_sight || p->unseen);
		if (nothing_missed) {
			log_info("kafka.earliest",
				"partition %d begins at offset %" PRId64
				": what was before is gone from the topic",
				span->partition, span->low);
			/* kept: at the next start it is no first sight any more, and no gap either */
			s = journal_skip(
				r->journal, r->generation, span->partition, span->low, &why);
			if (s != STATUS_OK) {
				reader_troubled(r, s, &why);
				return true;
			}
		} else if (!gap(r, span->partition, at.next_offset, span->low))
			return true;
		p->next = start->offset = span->low;
	}
	p->unseen = false;
	return true;
}

/* Also those of which there is nothing to read yet. Where the card has no room for it now, another assignment has. */
static bool keep_positions(struct reader *r, const struct subscriber_start *starts, unsigned count)
{
	int list[SUBSCRIBER_PARTITIONS];
	struct why why;
	for (unsigned i = 0; i < count; i++)
		list[i] = starts[i].partition;
	enum status s = journal_placed(r->journal, r->generation, list, count, &why);
	if (s != STATUS_OK && s != STATUS_FULL)
		reader_troubled(r, s, &why);
	return s == STATUS_OK || s == STATUS_FULL;
}

bool reader_renew_generation(struct reader *r, const char *what)
{
	struct why why;
	unsigned before = r->generation;
	if (r->staged) {
		r->staged = false;
		if (journal_abort(r->journal, &why) != STATUS_OK) {
			reader_troubled(r, STATUS_IO, &why);
			return false;
		}
	}
	enum status s = journal_generation_renew(r->journal, before, &r->generation, &why);
	r->topic_id[0] = '\0'; /* the next answer tells the new one's */
	if (s != STATUS_OK) {
		reader_troubled(r, s, &why);
		return false;
	}
	log_warn("kafka.generation",
		"topic '%s' was made anew (%s); nothing lost; generation %u begins at its earliest offset, known states are recognised",
		r->parts->config->kafka_topic, what, r->generation);
	return true;
}

void reader_set_targets(struct reader *r)
{
	if (!r->until_end || r->targets_set)
		return;
	for (unsigned i = 0; i < r->survey.partitions; i++)
		r->partition[r->survey.span[i].partition].target = r->survey.span[i].high;
	r->targets_set = true;
}

bool reader_wanted(const int *list, unsigned count, int partition)
{
	for (unsigned i = 0; list && i < count; i++)
		if (list[i] == partition)
			return true;
	return !list;
}

unsigned reader_ours(const struct reader *r, int list[SUBSCRIBER_PARTITIONS])
{
	unsigned count = 0;
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
		if (r->partition[i].ours)
			list[count++] = i;
	return count;
}

enum status reader_assign(
	struct reader *r, const int *list, unsigned count, bool first_sight, struct why *why)
{
	struct subscriber_start starts[SUBSCRIBER_PARTITIONS] = {{0, 0}};
	int ours[SUBSCRIBER_PARTITIONS];
	unsigned n = 0;
	for (unsigned i = 0; i < r->survey.partitions; i++) {
		const struct subscriber_span *span = &r->survey.span[i];
		if (!span->known || !reader_wanted(list, count, span->partition))
			continue;
		if (place(r, span, first_sight, &starts[n])) {
			n++;
			continue;
		}
		if (!reader_renew_generation(r, "its end lies below our position"))
			return STATUS_FATAL;
		enum status s = reader_put_off_unknown(r, true, why);
		if (s != STATUS_OK)
			return s;
		/* the others that are ours begin again too */
		count = reader_ours(r, ours);
		list = r->group ? ours : NULL;
		return reader_assign(
			r, list, count, true, why); /* once: a new generation has no positions */
	}
	if (r->state == READER_STOPPED || !keep_positions(r, starts, n))
		return STATUS_FATAL;
	return list && !r->group ? subscriber_add(r->subscriber, starts, n, why)
				 : subscriber_assign(r->subscriber, starts, n, why);
}
