/* survey.c - what the cluster says about a topic. */
#include "kafka/survey.h"

#include "base/clock.h"
#include "kafka/trouble.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The controller is asked for it, perhaps over a connection that is still to be made; nothing is read meanwhile. Who
 * does not hear it in time asks again with the next look. */
enum { TOPIC_ID_WAIT_MS = 1000 };

/* In Kafka's ListOffsets these stand for a time; the answer is the offset. */
enum { ASK_LOW = RD_KAFKA_OFFSET_BEGINNING, ASK_HIGH = RD_KAFKA_OFFSET_END };

static int left_ms(int64_t until_ms)
{
	int64_t left = until_ms - clock_mono_ms();

	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

enum status survey_refused(int err, const char *topic, struct why *why)
{
	char words[TROUBLE_REASON_BYTES];
	const char *code = trouble_code(err);
	enum status s = STATUS_AGAIN;

	if (strcmp(code, "kafka.topic") == 0)
		s = STATUS_NOT_FOUND;
	else if (strcmp(code, "kafka.auth") == 0)
		s = STATUS_DENIED;
	trouble_words(err, topic, rd_kafka_err2str((rd_kafka_resp_err_t)err), words, sizeof words);
	return fail(why, s, "%s", words);
}

/* Who is asked about a partition: its leader's id. */
enum { EVERY_LEADER = -1, NO_LEADER = -1 };

static enum status read_metadata(const struct rd_kafka_metadata *m, const char *topic, int *leaders,
	struct subscriber_survey *out, struct why *why)
{
	if (m->topic_cnt != 1)
		return fail(why, STATUS_AGAIN, "the broker says nothing about topic '%s'", topic);

	const struct rd_kafka_metadata_topic *t = &m->topics[0];

	if (t->err)
		return survey_refused(t->err, topic, why);
	if (t->partition_cnt < 1)
		return survey_refused(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, topic, why);
	if (t->partition_cnt > SUBSCRIBER_PARTITIONS)
		return fail(why, STATUS_FULL,
			"topic '%s' has %d partitions; at most %d can be read", topic,
			t->partition_cnt, SUBSCRIBER_PARTITIONS);
	out->partitions = (unsigned)t->partition_cnt;
	for (unsigned i = 0; i < out->partitions; i++) {
		out->span[i].partition = (int)i;
		leaders[i] = NO_LEADER;
	}
	for (int i = 0; i < t->partition_cnt; i++)
		if (t->partitions[i].id >= 0 && t->partitions[i].id < t->partition_cnt)
			leaders[t->partitions[i].id] = t->partitions[i].leader;
	return STATUS_OK;
}

static enum status find_leaders(struct handle *h, const char *topic, int64_t until_ms, int *leaders,
	struct subscriber_survey *out, struct why *why)
{
	const struct rd_kafka_metadata *m;
	rd_kafka_resp_err_t err = rd_kafka_metadata(
		handle_client(h), 0, handle_topic(h), &m, left_ms(until_ms));

	if (err)
		return survey_refused(err, topic, why);

	enum status s = read_metadata(m, topic, leaders, out, why);

	rd_kafka_metadata_destroy(m);
	return s;
}

static bool is_asked(const int *leaders, unsigned partition, int leader)
{
	return leaders[partition] >= 0 && (leader == EVERY_LEADER || leaders[partition] == leader);
}

/* One watermark of the leader's partitions: one request to a broker, not two to each partition. */
static enum status ask_marks(struct handle *h, const char *topic, int64_t ask, const int *leaders,
	int leader, int64_t until_ms, struct subscriber_survey *out, struct why *why)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(
		(int)out->partitions);
	enum status s = STATUS_OK;

	for (unsigned i = 0; i < out->partitions; i++)
		if (is_asked(leaders, i, leader))
			rd_kafka_topic_partition_list_add(list, topic, (int32_t)i)->offset = ask;

	rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(
		handle_client(h), list, left_ms(until_ms));

	for (int i = 0; !err && i < list->cnt; i++)
		err = list->elems[i].err;
	if (err)
		s = survey_refused(err, topic, why);
	for (int i = 0; s == STATUS_OK && i < list->cnt; i++) {
		struct subscriber_span *span = &out->span[list->elems[i].partition];

		*(ask == ASK_LOW ? &span->low : &span->high) = list->elems[i].offset;
		span->known = ask == ASK_HIGH;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return s;
}

static enum status ask_leader(struct handle *h, const char *topic, const int *leaders, int leader,
	int64_t until_ms, struct subscriber_survey *out, struct why *why)
{
	enum status s = ask_marks(h, topic, ASK_LOW, leaders, leader, until_ms, out, why);

	return s == STATUS_OK ? ask_marks(h, topic, ASK_HIGH, leaders, leader, until_ms, out, why)
			      : s;
}

/* Whether this is the first partition of its leader: once for each leader. */
static bool is_first(const int *leaders, unsigned partition)
{
	for (unsigned i = 0; i < partition; i++)
		if (leaders[i] == leaders[partition])
			return false;
	return leaders[partition] >= 0;
}

/* All at once, in half of the time; librdkafka fails them all when one broker is away, so then each by itself,
 * with its part of what is left. */
static enum status ask_leaders(struct handle *h, const char *topic, const int *leaders,
	int64_t until_ms, struct subscriber_survey *out, struct why *why)
{
	int64_t now_ms = clock_mono_ms();
	enum status s = STATUS_AGAIN;
	unsigned left = 0;

	for (unsigned i = 0; i < out->partitions; i++)
		left += is_first(leaders, i);
	if (left > 0)
		s = ask_leader(h, topic, leaders, EVERY_LEADER,
			left > 1 ? now_ms + (until_ms - now_ms) / 2 : until_ms, out, why);
	if (s == STATUS_OK || left < 2)
		return s;
	for (unsigned i = 0; left > 0 && i < out->partitions; i++) {
		if (!is_first(leaders, i))
			continue;
		now_ms = clock_mono_ms();
		s = ask_leader(h, topic, leaders, leaders[i], now_ms + (until_ms - now_ms) / left,
			out, why);
		left--;
	}
	return s;
}

/* What the question came to: nothing at all is the last broker's error. */
static enum status count_unknown(const char *topic, const int *leaders, enum status s,
	struct subscriber_survey *out, struct why *why)
{
	for (unsigned i = 0; i < out->partitions; i++) {
		if (out->span[i].known)
			continue;
		out->unknown++;
		if (leaders[i] < 0)
			s = fail(why, STATUS_AGAIN, "partition %u of topic '%s' has no leader", i,
				topic);
	}
	if (out->unknown == out->partitions)
		return s;
	if (out->unknown > 0)
		out->unknown_why = *why;
	return STATUS_OK;
}

static void read_topic_id(rd_kafka_event_t *event, char *out, size_t out_bytes, bool *ask_again)
{
	const rd_kafka_DescribeTopics_result_t *result = rd_kafka_event_DescribeTopics_result(
		event);
	size_t count = 0;
	const rd_kafka_TopicDescription_t **topics =
		result ? rd_kafka_DescribeTopics_result_topics(result, &count) : NULL;
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);
	const char *text = NULL;

	if (err && err != RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE &&
		err != RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
		return; /* not now */
	if (count == 1 && !rd_kafka_error_code(rd_kafka_TopicDescription_error(topics[0])))
		text = rd_kafka_Uuid_base64str(rd_kafka_TopicDescription_topic_id(topics[0]));
	/* All zeros: the broker is older than topic ids (Kafka 2.8). */
	if (text && *text && strspn(text, "A=") != strlen(text))
		snprintf(out, out_bytes, "%s", text);
	else
		*ask_again = false;
}

static void ask_topic_id(struct handle *h, const char *topic, int64_t until_ms, bool *ask_again,
	char *out, size_t out_bytes)
{
	int wait_ms = left_ms(until_ms) < TOPIC_ID_WAIT_MS ? left_ms(until_ms) : TOPIC_ID_WAIT_MS;
	rd_kafka_TopicCollection_t *names = rd_kafka_TopicCollection_of_topic_names(&topic, 1);
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(
		handle_client(h), RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(handle_client(h));
	char ignored[100];
	rd_kafka_event_t *event;

	out[0] = '\0';
	if (wait_ms > 0) {
		(void)rd_kafka_AdminOptions_set_request_timeout(
			options, wait_ms, ignored, sizeof ignored);
		rd_kafka_DescribeTopics(handle_client(h), names, options, queue);
		event = rd_kafka_queue_poll(queue, wait_ms);
		if (event)
			read_topic_id(event, out, out_bytes, ask_again);
		rd_kafka_event_destroy(event);
	}
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_TopicCollection_destroy(names);
}

enum status survey_take(struct handle *h, const char *topic, int64_t timeout_ms, bool *ask_id,
	struct subscriber_survey *out, struct why *why)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	int leaders[SUBSCRIBER_PARTITIONS] = {0};
	enum status s;
	char *cluster;

	memset(out, 0, sizeof *out);
	s = find_leaders(h, topic, until_ms, leaders, out, why);
	if (s != STATUS_OK)
		return s;
	s = ask_leaders(h, topic, leaders, until_ms, out, why);
	s = count_unknown(topic, leaders, s, out, why);
	if (s != STATUS_OK)
		return s;
	/* Known since the metadata came: does not wait. */
	cluster = rd_kafka_clusterid(handle_client(h), 0);
	if (cluster) {
		/* librdkafka's mock cluster leaves the question for topic ids unanswered: spares a second. */
		*ask_id = *ask_id && strncmp(cluster, "mockCluster", 11) != 0;
		snprintf(out->cluster, sizeof out->cluster, "%s", cluster);
		rd_kafka_mem_free(handle_client(h), cluster);
	}
	if (*ask_id)
		ask_topic_id(h, topic, until_ms, ask_id, out->topic_id, sizeof out->topic_id);
	return STATUS_OK;
}
