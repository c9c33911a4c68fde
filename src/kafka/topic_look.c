/* topic_look.c - what a cluster says about a topic: metadata, rights, configs. */
#include "kafka/survey.h"
#include "kafka/topic_desk.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct timespec a_moment = {.tv_nsec = 700 * 1000000L};

/* ---- metadata ---- */

static unsigned least(unsigned a, int b)
{
	return b >= 0 && (unsigned)b < a ? (unsigned)b : a;
}

static enum status read_topic(const struct rd_kafka_metadata_topic *t, struct topic_facts *out,
	const char *name, struct why *why)
{
	rd_kafka_resp_err_t err = t->err;

	if (!err && t->partition_cnt < 1)
		err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	if (err)
		return survey_refused(err, name, why);
	out->partitions = (unsigned)t->partition_cnt;
	out->copies = out->in_sync = UINT32_MAX;
	for (int i = 0; i < t->partition_cnt; i++) {
		out->copies = least(out->copies, t->partitions[i].replica_cnt);
		out->in_sync = least(out->in_sync, t->partitions[i].isr_cnt);
		out->leaderless += t->partitions[i].leader < 0;
	}
	return STATUS_OK;
}

static enum status ask_metadata(struct desk *d, struct topic_facts *out, struct why *why)
{
	const struct rd_kafka_metadata *m;
	enum status s = desk_metadata(d, &m, why);
	char *cluster;

	if (s != STATUS_OK)
		return s;
	out->brokers = (unsigned)m->broker_cnt;
	/* Came with the metadata: does not wait. */
	cluster = rd_kafka_clusterid(handle_client(d->handle), 0);
	if (cluster) {
		snprintf(out->cluster, sizeof out->cluster, "%s", cluster);
		out->embedded = strncmp(cluster, "mockCluster", 11) == 0;
		rd_kafka_mem_free(handle_client(d->handle), cluster);
	}
	s = read_topic(&m->topics[0], out, d->topic, why);
	rd_kafka_metadata_destroy(m);
	return s;
}

/* ---- its id, and what this user may do with it ---- */

static void read_rights(const rd_kafka_TopicDescription_t *t, struct topic_facts *out)
{
	size_t count = 0;
	const rd_kafka_AclOperation_t *rights = rd_kafka_TopicDescription_authorized_operations(
		t, &count);

	out->rights_known = rights && count > 0;
	for (size_t i = 0; rights && i < count; i++) {
		out->may_read |= rights[i] == RD_KAFKA_ACL_OPERATION_READ ||
				 rights[i] == RD_KAFKA_ACL_OPERATION_ALL;
		out->may_write |= rights[i] == RD_KAFKA_ACL_OPERATION_WRITE ||
				  rights[i] == RD_KAFKA_ACL_OPERATION_ALL;
	}
}

static void read_description(const rd_kafka_event_t *event, struct topic_facts *out)
{
	size_t count = 0;
	const rd_kafka_DescribeTopics_result_t *result = rd_kafka_event_DescribeTopics_result(
		(rd_kafka_event_t *)(uintptr_t)event);
	const rd_kafka_TopicDescription_t **topics =
		result ? rd_kafka_DescribeTopics_result_topics(result, &count) : NULL;
	const char *id;

	if (!topics || count != 1 ||
		rd_kafka_error_code(rd_kafka_TopicDescription_error(topics[0])))
		return;
	read_rights(topics[0], out);
	id = rd_kafka_Uuid_base64str(rd_kafka_TopicDescription_topic_id(topics[0]));
	if (!id || strspn(id, "A=") == strlen(id)) /* all zeros: older than topic ids */
		return;
	snprintf(out->id, sizeof out->id, "%s", id);
	for (char *c = out->id; *c; c++) /* as Kafka's own tools write it */
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

static void ask_description(struct desk *d, struct topic_facts *out)
{
	rd_kafka_AdminOptions_t *options = desk_options(d, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
	const char *name = d->topic;
	rd_kafka_TopicCollection_t *names = rd_kafka_TopicCollection_of_topic_names(&name, 1);
	struct why ignored;
	rd_kafka_event_t *event;

	rd_kafka_error_destroy(rd_kafka_AdminOptions_set_include_authorized_operations(options, 1));
	rd_kafka_DescribeTopics(handle_client(d->handle), names, options, d->answers);
	event = desk_answer(d, &ignored);
	if (event)
		read_description(event, out);
	rd_kafka_event_destroy(event);
	rd_kafka_TopicCollection_destroy(names);
	rd_kafka_AdminOptions_destroy(options);
}

/* ---- configs ---- */

static const struct {
	const char *name;
	size_t at;
} figures[] = {
	{"retention.ms", offsetof(struct topic_configs, retention_ms)},
	{"retention.bytes", offsetof(struct topic_configs, retention_bytes)},
	{"min.insync.replicas", offsetof(struct topic_configs, min_insync)},
	{"max.message.bytes", offsetof(struct topic_configs, max_message_bytes)},
	{"message.timestamp.before.max.ms", offsetof(struct topic_configs, oldest_ms)},
	{"message.timestamp.after.max.ms", offsetof(struct topic_configs, newest_ms)},
};
enum { FIGURES = sizeof figures / sizeof *figures };

static int64_t *figure(struct topic_configs *c, int i)
{
	return (int64_t *)(void *)((char *)c + figures[i].at);
}

static void read_config(const rd_kafka_ConfigEntry_t *entry, struct topic_configs *c)
{
	const char *name = rd_kafka_ConfigEntry_name(entry);
	const char *value = rd_kafka_ConfigEntry_value(entry);

	if (!value)
		return;
	for (int i = 0; i < FIGURES; i++)
		if (strcmp(name, figures[i].name) == 0)
			*figure(c, i) = strtoll(value, NULL, 10);
	if (strcmp(name, "cleanup.policy") == 0)
		snprintf(c->cleanup, sizeof c->cleanup, "%s", value);
	if (strcmp(name, "message.timestamp.type") == 0)
		snprintf(c->time_type, sizeof c->time_type, "%s", value);
}

static void read_configs(rd_kafka_event_t *event, struct topic_facts *out)
{
	size_t count = 0, entries = 0;
	const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
		rd_kafka_event_DescribeConfigs_result(event), &count);
	const rd_kafka_ConfigEntry_t **list;

	if (count == 1 && rd_kafka_ConfigResource_error(resources[0])) {
		snprintf(out->configs_reason, sizeof out->configs_reason, "%s",
			rd_kafka_ConfigResource_error_string(resources[0]));
		return;
	}
	list = count == 1 ? rd_kafka_ConfigResource_configs(resources[0], &entries) : NULL;
	for (size_t i = 0; i < entries; i++)
		read_config(list[i], &out->configs);
	out->configs_known = entries > 0;
}

static void ask_configs(struct desk *d, struct topic_facts *out)
{
	rd_kafka_AdminOptions_t *options = desk_options(d, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(
		RD_KAFKA_RESOURCE_TOPIC, d->topic);
	struct why why;
	rd_kafka_event_t *event;

	snprintf(out->configs_reason, sizeof out->configs_reason, "the broker tells none");
	rd_kafka_DescribeConfigs(handle_client(d->handle), &resource, 1, options, d->answers);
	event = desk_answer(d, &why);
	if (event)
		read_configs(event, out);
	else
		snprintf(out->configs_reason, sizeof out->configs_reason, "%s", why.text);
	rd_kafka_event_destroy(event);
	rd_kafka_ConfigResource_destroy(resource);
	rd_kafka_AdminOptions_destroy(options);
}

enum status topic_look(const struct kafka_settings *settings, int64_t timeout_ms,
	struct topic_facts *out, struct why *why)
{
	struct desk d;
	enum status s = desk_open(&d, settings, timeout_ms, why);

	memset(out, 0, sizeof *out);
	for (int i = 0; i < FIGURES; i++)
		*figure(&out->configs, i) = TOPIC_UNKNOWN;
	if (s == STATUS_OK)
		s = ask_metadata(&d, out, why);
	if (s == STATUS_NOT_FOUND &&
		!out->embedded) { /* not every broker knows a topic just made */
		nanosleep(&a_moment, NULL);
		s = ask_metadata(&d, out, why);
	}
	if (s == STATUS_OK && !out->embedded) {
		ask_description(&d, out);
		ask_configs(&d, out);
	}
	desk_close(&d);
	return s;
}
