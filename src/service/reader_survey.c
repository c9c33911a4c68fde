/* reader_survey.c - what the cluster is asked, and what follows from its answers: assignments, new partitions,
 * partitions that the group gives and takes, and a client that has gone deaf. */
#include "service/reader_private.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	SURVEY_TIMEOUT_MS = 10000,
	DOUBLINGS = 4,	       /* of a patience that was in vain */
	TELL_REST_MS = 600000, /* partitions that nobody answers for */
};

struct reader_pace reader_pace = {
	.look_ms = 30000,
	.stuck_ms = 180000,
	.silent_ms = 600000,
};

/* ---- asking ---- */

static const char *survey_code(enum status s)
{
	return s == STATUS_NOT_FOUND ? "kafka.topic"
	       : s == STATUS_DENIED  ? "kafka.auth"
	       : s == STATUS_FULL    ? "kafka.partitions"
	       : s == STATUS_FATAL   ? "kafka.assign"
				     : "kafka.down";
}

/* Known of the library: rarely, after a cut of the network, it never reads on. Each time in vain we wait
 * twice as long. */
static int64_t patience_ms(int64_t usual_ms, unsigned in_vain)
{
	return usual_ms << (in_vain < DOUBLINGS ? in_vain : DOUBLINGS);
}

/* Nothing waits for a mere look: what is wrong with Kafka comes as an event. */
static void unanswered(struct reader *r, enum status s, const struct why *why)
{
	int64_t now = clock_mono_ms();
	if (r->state == READER_STOPPED)
		return;
	if (r->ask_all || r->given) {
		int64_t wait = backoff_next_ms(&r->backoff);
		r->trouble_partition = -1;
		r->trouble_ms = now;
		reader_tell_failing(r, survey_code(s), why->text, wait);
		reader_timer(r, now + wait, reader_ask_again);
	} else {
		log_debug("kafka.look", "%s", why->text);
	}
	if (r->releasing || now - r->heard_ms < patience_ms(reader_pace.silent_ms, r->silences))
		return;
	r->silences++;
	reader_recreate(r, "no question was answered and no record came", now - r->heard_ms);
}

static void ask(struct reader *r)
{
	struct why why;
	r->look_ms = clock_mono_ms();
	if (r->asking) { /* what it began with is not true any more */
		r->discard = true;
		return;
	}
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++) {
		r->partition[i].asked_next = r->partition[i].next;
		r->partition[i].told = -1; /* what we told last may have met a rebalance */
	}
	enum status s = subscriber_ask(r->subscriber, SURVEY_TIMEOUT_MS, &why);
	r->asking = s == STATUS_OK;
	if (s != STATUS_OK)
		unanswered(r, s, &why);
}

void reader_ask_again(void *context)
{
	struct reader *r = context;
	health_beat(r->parts->health, HEALTH_CONSUME);
	if (r->state != READER_STOPPED)
		ask(r);
}

/* From our own positions: all partitions, or with a group those that it gave us. */
void reader_survey(void *context)
{
	struct reader *r = context;
	int ours[SUBSCRIBER_PARTITIONS];
	if (r->state == READER_STOPPED || !reader_commit(r))
		return;
	/* librdkafka would take what we assign for our answer to the group. No record is taken until then: this
	 * was asked for because our positions are in doubt. */
	if (r->releasing) {
		r->survey_later = true;
		r->state = READER_SURVEYING;
		return;
	}
	if (r->group && !reader_ours(r, ours)) {
		subscriber_resume(r->subscriber);
		r->state = READER_READING;
		reader_tell_well(r);
		reader_show(r, "", true);
		reader_timer(r, clock_mono_ms(), reader_turn);
		return;
	}
	r->ask_all = true;
	r->state = READER_SURVEYING;
	reader_timer(r, clock_mono_ms() + 1000, reader_turn);
	reader_ask_again(r);
}

/* ---- answers ---- */

static enum status find_generation(struct reader *r, bool *first_sight, struct why *why)
{
	unsigned before = r->generation;
	enum status s = journal_generation(r->journal, r->survey.cluster,
		r->parts->config->kafka_topic, r->survey.topic_id, &r->generation, first_sight,
		why);
	if (s != STATUS_OK) {
		reader_troubled(r, s, why);
		return STATUS_FATAL;
	}
	/* The first of a journal is no news; one after that is, while we run as well as at a start. */
	if (before ? before != r->generation : *first_sight && r->generation > 1)
		log_warn("kafka.generation",
			"another topic '%s' answers now: made anew, or another cluster's (%s); nothing lost; generation %u begins at its earliest offset, known states are recognised",
			r->parts->config->kafka_topic, r->survey.cluster, r->generation);
	r->ask_all |= before && before != r->generation;
	snprintf(r->cluster, sizeof r->cluster, "%s", r->survey.cluster);
	if (*r->survey.topic_id || before != r->generation)
		snprintf(r->topic_id, sizeof r->topic_id, "%s", r->survey.topic_id);
	return STATUS_OK;
}

static bool is_another(const char *known, const char *now)
{
	return *known && *now && strcmp(known, now) != 0;
}

static unsigned list_given(const struct reader *r, int list[SUBSCRIBER_PARTITIONS])
{
	unsigned count = 0;
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
		if (r->partition[i].ours && r->partition[i].given)
			list[count++] = i;
	return count;
}

enum status reader_put_off_unknown(struct reader *r, bool first_sight, struct why *why)
{
	int list[SUBSCRIBER_PARTITIONS];
	unsigned count = 0;
	for (unsigned i = 0; i < r->survey.partitions; i++) {
		struct partition *p = &r->partition[i];
		p->unseen |= first_sight && !r->survey.span[i].known;
		if (r->survey.span[i].known || !p->ours)
			continue;
		p->ours = p->given = r->group;
		list[count++] = (int)i;
	}
	return r->group ? subscriber_put_off(r->subscriber, list, count, why) : STATUS_OK;
}

/* What is known has its position; a partition that the cluster does not tell of yet waits too. */
static void known_are_placed(struct reader *r)
{
	int list[SUBSCRIBER_PARTITIONS];
	for (unsigned i = 0; i < r->survey.partitions; i++)
		if (r->survey.span[i].known)
			r->partition[i].given = false;
	r->given = list_given(r, list) > 0;
}

/* Whether there are partitions for us to read that have no position. */
static bool rest_waits(const struct reader *r)
{
	if (r->group)
		return r->given;
	for (unsigned i = 0; i < r->survey.partitions; i++)
		if (!r->partition[i].ours)
			return true;
	return false;
}

/* One broker of several is away, or a partition has no leader: the others are read as ever. */
static void see_to_rest(struct reader *r)
{
	int64_t now = clock_mono_ms(), wait;
	unsigned long held;
	char span[40];
	if (!r->survey.unknown && r->rest_told)
		log_info("kafka.partial", "all partitions of '%s' answer again",
			r->parts->config->kafka_topic);
	if (!r->survey.unknown) {
		r->rest_told = false;
		log_gate_reset(&r->rest_gate);
	}
	if (!rest_waits(r)) {
		backoff_reset(&r->rest_backoff);
		return;
	}
	wait = backoff_next_ms(&r->rest_backoff);
	reader_timer(r, now + wait, reader_ask_again);
	if (!r->survey.unknown || !log_gate_pass(&r->rest_gate, now, TELL_REST_MS, &held))
		return;
	clock_span_text(wait, span, sizeof span);
	log_warn("kafka.partial",
		"%u of %u partitions of '%s' cannot be read now: %s; nothing lost, what is unread waits in Kafka, the others are read; retry in %s",
		r->survey.unknown, r->survey.partitions, r->parts->config->kafka_topic,
		r->survey.unknown_why.text, span);
	r->rest_told = true;
}

static void assign_all(struct reader *r, bool first_sight)
{
	struct why why;
	int ours[SUBSCRIBER_PARTITIONS];
	enum status s = reader_put_off_unknown(r, first_sight, &why);
	if (s == STATUS_OK)
		s = r->group ? reader_assign(r, ours, reader_ours(r, ours), true, &why)
			     : reader_assign(r, NULL, 0, first_sight, &why);
	if (s != STATUS_OK) {
		unanswered(r, s, &why);
		return;
	}
	r->ask_all = false;
	known_are_placed(r);
	subscriber_resume(r->subscriber); /* paused where the journal was full meanwhile */
	r->state = READER_READING;
	reader_tell_well(r);
	log_debug("kafka.assigned", "generation %u, %u partitions", r->generation,
		r->survey.partitions);
	reader_show(r, "", true);
	reader_look_for_end(r);
	reader_timer(r, clock_mono_ms(), reader_turn);
}

/* What the group gave beside what is read already. */
static void assign_given(struct reader *r)
{
	struct why why;
	int list[SUBSCRIBER_PARTITIONS];
	enum status s = reader_assign(r, list, list_given(r, list), true, &why);
	if (s != STATUS_OK) {
		unanswered(r, s, &why);
		return;
	}
	known_are_placed(r);
	reader_tell_well(r);
	reader_show(r, "", true);
	reader_look_for_end(r);
}

/* ---- looking ---- */

static void count_partitions(struct reader *r, unsigned generation_before)
{
	unsigned before = generation_before == r->generation ? r->known_partitions : 0;
	r->known_partitions = r->survey.partitions;
	if (!before || r->survey.partitions <= before)
		return;
	log_warn("kafka.partitions",
		"topic '%s' has %u partitions now, %u before; nothing lost, the new ones are read too; but matches move between partitions: do not add partitions to a live topic",
		r->parts->config->kafka_topic, r->survey.partitions, before);
}

/* Partitions of the topic that nobody gave us yet; without a group that is ours to do. */
static bool add_new(struct reader *r)
{
	struct why why;
	int list[SUBSCRIBER_PARTITIONS];
	unsigned count = 0;
	for (unsigned i = 0; i < r->survey.partitions; i++)
		if (r->survey.span[i].known && !r->partition[i].ours)
			list[count++] = r->survey.span[i].partition;
	if (!count || r->group)
		return true;
	enum status s = reader_assign(r, list, count, false, &why);
	if (s != STATUS_OK)
		unanswered(r, s, &why);
	else
		reader_show(r, "", true);
	return s == STATUS_OK;
}

static bool ends_below(const struct reader *r, const struct subscriber_span *span)
{
	const struct partition *p = &r->partition[span->partition];
	return span->known && p->ours && !p->given && span->high < p->asked_next;
}

/* Records wait in this partition, and none has come since we last looked. */
static bool stands_still(struct partition *p, const struct subscriber_span *span, int64_t now)
{
	bool moved = !span->known || !p->ours || p->given || p->next != p->asked_next ||
		     p->next >= span->high;
	if (moved || !p->still_ms || p->next != p->still_next)
		p->still_ms = now;
	p->still_next = p->next;
	return now - p->still_ms >= reader_pace.stuck_ms;
}

/* The new client is in vain, or not, for all that stand still. */
static void count_in_vain(struct reader *r, int64_t now)
{
	for (unsigned i = 0; i < r->survey.partitions; i++)
		r->partition[i].recreated += stands_still(
			&r->partition[i], &r->survey.span[i], now);
}

static void watch(struct reader *r)
{
	int64_t now = clock_mono_ms(), longest = 0;
	char what[120];
	for (unsigned i = 0; i < r->survey.partitions; i++) {
		struct partition *p = &r->partition[i];
		int64_t still = stands_still(p, &r->survey.span[i], now) ? now - p->still_ms : 0;
		if (still <= longest || still < patience_ms(reader_pace.stuck_ms, p->recreated))
			continue;
		longest = still;
		snprintf(what, sizeof what,
			"partition %u holds %" PRId64 " records that do not come", i,
			r->survey.span[i].high - p->next);
	}
	if (!longest)
		return;
	count_in_vain(r, now);
	reader_recreate(r, what, longest);
}

/* Every half minute: is the topic as it was, and do the records come? */
static void look(struct reader *r)
{
	/* An id that came too late for the start is held against the journal now. */
	bool anew = is_another(r->cluster, r->survey.cluster) ||
		    is_another(r->topic_id, r->survey.topic_id) ||
		    (r->generation && !*r->topic_id && *r->survey.topic_id);
	for (unsigned i = 0; i < r->survey.partitions; i++)
		anew |= ends_below(r, &r->survey.span[i]);
	if (anew) {
		reader_survey(r);
		return;
	}
	count_partitions(r, r->generation);
	if (r->state != READER_READING || !add_new(r))
		return;
	see_to_rest(r);
	watch(r);
}

void reader_answered(struct reader *r)
{
	struct why why;
	bool first_sight = false;
	enum status s = subscriber_answer(r->subscriber, &r->survey, &why);
	r->asking = false;
	if (r->discard) {
		r->discard = false;
		ask(r);
		return;
	}
	if (r->releasing) { /* asked again with the release */
		r->survey_later |= r->ask_all;
		return;
	}
	/* Who reads up to the end must know every end. */
	if (s == STATUS_OK && r->until_end && !r->targets_set && r->survey.unknown > 0) {
		why = r->survey.unknown_why;
		s = STATUS_AGAIN;
	}
	if (s == STATUS_AGAIN)
		why_prefix(&why, s, "no answer from %.200s", r->parts->brokers);
	if (s != STATUS_OK) {
		unanswered(r, s, &why);
		return;
	}
	r->heard_ms = clock_mono_ms();
	r->silences = 0;
	if (!r->ask_all && !r->given) {
		look(r);
		return;
	}
	unsigned generation_before = r->generation;
	if (find_generation(r, &first_sight, &why) != STATUS_OK)
		return;
	count_partitions(r, generation_before);
	reader_set_targets(r);
	for (unsigned i = 0; i < r->survey.partitions; i++)
		r->ask_all |= ends_below(r, &r->survey.span[i]);
	if (r->ask_all)
		assign_all(r, first_sight);
	else
		assign_given(r);
	if (r->ask_all || r->state == READER_STOPPED)
		return;
	see_to_rest(r);
	if (r->state == READER_READING)
		watch(r);
}

void reader_look(struct reader *r)
{
	int64_t now = clock_mono_ms();
	if (r->asking) /* a thread that died would be no answer either */
		return;
	if (r->state == READER_READING && !r->given && now - r->look_ms >= reader_pace.look_ms)
		ask(r);
}

/* ---- a client that has gone deaf ---- */

/* Everything is placed again, as at the start. */
static void connect_anew(struct reader *r, const char *shown)
{
	struct why why;
	if (!reader_commit(r))
		return;
	for (int i = 0; i < SUBSCRIBER_PARTITIONS; i++)
		r->partition[i].ours = r->partition[i].given = false;
	r->asking = r->discard = r->ask_all = r->given = r->releasing = r->survey_later = false;
	r->heard_ms = clock_mono_ms();
	reader_disconnect(r);
	enum status s = reader_connect(r, &why);
	if (s != STATUS_OK)
		reader_troubled(r, s, &why);
	else
		reader_show(r, shown, true);
}

void reader_recreate(struct reader *r, const char *what, int64_t since_ms)
{
	char span[40];
	clock_span_text(since_ms, span, sizeof span);
	log_warn("kafka.recreated",
		"%s, for %s; nothing lost, what is unread waits in Kafka; the client is closed and opened anew",
		what, span);
	r->recreated++;
	connect_anew(r, "the Kafka client was made anew");
}

void reader_read_files_anew(struct reader *r)
{
	log_info("kafka.files",
		"certificate files for Kafka have changed; nothing lost; the client is opened anew with them");
	connect_anew(r, "");
}

/* ---- with a group ---- */

/* These partitions became ours. The group waits for our answer and gives them once: they are placed when the
 * cluster has told their marks. */
void reader_assigned(struct reader *r, const int *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		r->partition[list[i]].ours = r->partition[list[i]].given = true;
	r->given |= count > 0;
	log_info("kafka.assigned", "%u partitions of '%s' came to this box", count,
		r->parts->config->kafka_topic);
	if (reader_commit(r))
		ask(r);
}

/* The journal is safe at once; the workbooks get their time before another box begins with these matches. */
void reader_revoked(struct reader *r, const int *list, unsigned count)
{
	if (!reader_commit(r))
		return;
	reader_tell_group(r, true);
	for (unsigned i = 0; i < count; i++)
		r->partition[list[i]].ours = r->partition[list[i]].given = false;
	log_info("kafka.revoked", "%u partitions of '%s' leave this box", count,
		r->parts->config->kafka_topic);
	r->releasing = true;
	if (!r->calls.on_leaving || !r->calls.on_leaving(r->calls.context))
		reader_release(r);
}

void reader_release(struct reader *r)
{
	struct why why;
	int list[SUBSCRIBER_PARTITIONS];
	if (!r->releasing || r->state == READER_STOPPED)
		return;
	r->releasing = false;
	r->given = list_given(r, list) > 0;
	if (subscriber_release(r->subscriber, &why) != STATUS_OK)
		log_warn("kafka.release", "%s; the group gives the partitions anew", why.text);
	reader_show(r, "", true);
	if (r->survey_later) {
		r->survey_later = false;
		reader_survey(r);
	} else if (r->given) {
		ask(r);
	}
}
