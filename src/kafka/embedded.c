/* embedded.c - librdkafka's mock cluster on loopback. */
#include "kafka/embedded.h"

#include "base/log.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICAS_MAX = 3, TOPIC_BYTES = 256 };

struct embedded {
	rd_kafka_t *host;
	rd_kafka_mock_cluster_t *cluster;
};

/* The host is a client without brokers, and warns of that; nobody needs to hear it. */
static void on_log(const rd_kafka_t *host, int level, const char *name, const char *text)
{
	(void)host;
	if (strstr(text, "bootstrap.servers"))
		return;
	if (level <= 4)
		log_warn("kafka.embedded", "%s: %s", name, text);
	else
		log_debug("kafka.embedded", "%s: %s", name, text);
}

static enum status make_topic(struct embedded *e, const char *name, unsigned brokers,
	unsigned partitions, struct why *why)
{
	unsigned replicas = brokers < REPLICAS_MAX ? brokers : REPLICAS_MAX;
	rd_kafka_resp_err_t err = rd_kafka_mock_topic_create(
		e->cluster, name, (int)partitions, (int)replicas);

	if (err && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return fail(why, STATUS_BAD_DATA, "embedded broker: topic '%s': %s", name,
			rd_kafka_err2str(err));
	return STATUS_OK;
}

static enum status make_topics(struct embedded *e, const char *topics, unsigned brokers,
	unsigned partitions, struct why *why)
{
	enum status s = STATUS_OK;
	const char *name = topics ? topics : "";

	while (s == STATUS_OK && *name) {
		size_t length = strcspn(name, ",");
		char copy[TOPIC_BYTES];

		if (length >= sizeof copy)
			return fail(why, STATUS_BAD_DATA,
				"embedded broker: the name of a topic is too long");
		memcpy(copy, name, length);
		copy[length] = '\0';
		if (length > 0)
			s = make_topic(e, copy, brokers, partitions, why);
		name += length + (name[length] == ',');
	}
	return s;
}

static enum status start(struct embedded *e, unsigned brokers, struct why *why)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char reason[300];

	rd_kafka_conf_set_log_cb(conf, on_log);
	e->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
	if (!e->host) {
		rd_kafka_conf_destroy(conf);
		return fail(why, STATUS_IO, "embedded broker: %s", reason);
	}
	e->cluster = rd_kafka_mock_cluster_new(e->host, (int)brokers);
	if (!e->cluster)
		return fail(why, STATUS_IO, "embedded broker: no socket on 127.0.0.1");
	/* A new group would wait 3 s for more members. */
	rd_kafka_mock_group_initial_rebalance_delay_ms(e->cluster, 0);
	return STATUS_OK;
}

enum status embedded_open(struct embedded **out, unsigned brokers, unsigned partitions,
	const char *topics, struct why *why)
{
	struct embedded *e = calloc(1, sizeof *e);
	enum status s;

	if (!e)
		return fail(why, STATUS_NO_MEMORY, "embedded broker");
	s = start(e, brokers, why);
	if (s == STATUS_OK)
		s = make_topics(e, topics, brokers, partitions, why);
	if (s != STATUS_OK) {
		embedded_close(e);
		return s;
	}
	*out = e;
	return STATUS_OK;
}

const char *embedded_bootstrap(const struct embedded *e)
{
	return rd_kafka_mock_cluster_bootstraps(e->cluster);
}

void *embedded_cluster(struct embedded *e)
{
	return e->cluster;
}

void embedded_close(struct embedded *e)
{
	if (!e)
		return;
	if (e->cluster)
		rd_kafka_mock_cluster_destroy(e->cluster);
	if (e->host)
		rd_kafka_destroy(e->host);
	free(e);
}
