/* topic_make.c - makes a topic by the admin API. */
#include "base/clock.h"
#include "kafka/topic_desk.h"

#include <librdkafka/rdkafka.h>
#include <time.h>

enum { LOOK_MS = 100 };

static rd_kafka_NewTopic_t *describe(
	const char *name, const struct topic_plan *plan, struct why *why)
{
	char reason[200];
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, (int)plan->partitions,
		plan->copies ? (int)plan->copies : -1, reason, sizeof reason);

	if (!topic) {
		(void)fail(why, STATUS_BAD_DATA, "%s", reason);
		return NULL;
	}
	for (unsigned i = 0; i < plan->config_count; i++)
		(void)rd_kafka_NewTopic_set_config(
			topic, plan->configs[i].name, plan->configs[i].value);
	return topic;
}

static enum status status_of(rd_kafka_resp_err_t err)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return STATUS_OK;
	case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
		return STATUS_BUSY;
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return STATUS_DENIED;
	default:
		return STATUS_BAD_DATA;
	}
}

static enum status read_result(rd_kafka_event_t *event, struct why *why)
{
	size_t count = 0;
	const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
		rd_kafka_event_CreateTopics_result(event), &count);
	enum status s;

	if (count != 1)
		return fail(why, STATUS_AGAIN, "the broker does not say whether it made it");
	s = status_of(rd_kafka_topic_result_error(results[0]));
	if (s == STATUS_OK)
		return s;

	const char *text = rd_kafka_topic_result_error_string(results[0]);

	return fail(why, s, "%s",
		text ? text : rd_kafka_err2str(rd_kafka_topic_result_error(results[0])));
}

static enum status ask(struct desk *d, rd_kafka_NewTopic_t *topic, struct why *why)
{
	rd_kafka_AdminOptions_t *options = desk_options(d, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	char ignored[100];
	enum status s = STATUS_AGAIN;
	rd_kafka_event_t *event;

	/* Without it the broker answers before anything is there. */
	(void)rd_kafka_AdminOptions_set_operation_timeout(
		options, LOOK_MS * 50, ignored, sizeof ignored);
	rd_kafka_CreateTopics(handle_client(d->handle), &topic, 1, options, d->answers);
	event = desk_answer(d, why);
	if (event)
		s = read_result(event, why);
	rd_kafka_event_destroy(event);
	rd_kafka_AdminOptions_destroy(options);
	return s;
}

static bool has_leaders(const struct rd_kafka_metadata_topic *t, unsigned partitions)
{
	if (t->err || t->partition_cnt < (int)partitions)
		return false;
	for (int i = 0; i < t->partition_cnt; i++)
		if (t->partitions[i].leader < 0)
			return false;
	return true;
}

/* The brokers hear of a new topic one after the other. */
static enum status wait_for_leaders(struct desk *d, unsigned partitions, struct why *why)
{
	static const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

	while (clock_mono_ms() < d->until_ms) {
		const struct rd_kafka_metadata *m;
		enum status s = desk_metadata(d, &m, why);
		bool there;

		if (s != STATUS_OK)
			return s;
		there = has_leaders(&m->topics[0], partitions);
		rd_kafka_metadata_destroy(m);
		if (there)
			return STATUS_OK;
		nanosleep(&pause, NULL);
	}
	return fail(
		why, STATUS_AGAIN, "it is made, but not all of its partitions have a leader yet");
}

enum status topic_make(const struct kafka_settings *settings, const struct topic_plan *plan,
	int64_t timeout_ms, struct why *why)
{
	struct desk d;
	enum status s = desk_open(&d, settings, timeout_ms, why);
	rd_kafka_NewTopic_t *topic = NULL;

	if (s == STATUS_OK) {
		topic = describe(settings->topic, plan, why);
		s = topic ? ask(&d, topic, why) : STATUS_BAD_DATA;
	}
	if (s == STATUS_OK)
		s = wait_for_leaders(&d, plan->partitions, why);
	if (topic)
		rd_kafka_NewTopic_destroy(topic);
	desk_close(&d);
	return s;
}
