/* topic.h - what a cluster says about a topic, and making one: for a human who asks, not for the daemon. Each
 * call connects, asks and lets go again, and blocks for up to its timeout. Asking never creates a topic. */
#pragma once
#include "kafka/client.h"

enum {
	TOPIC_UNKNOWN = -2
}; /* of a figure that the cluster did not tell; -1 is Kafka's own "no limit" */

struct topic_configs {
	int64_t retention_ms, retention_bytes; /* bytes: of each partition */
	int64_t min_insync;
	int64_t max_message_bytes; /* of a batch, as it is packed */
	int64_t oldest_ms,
		newest_ms; /* how far a record's time stamp may lie behind, or before, the broker's clock */
	char cleanup[40];   /* cleanup.policy; "" unknown */
	char time_type[24]; /* message.timestamp.type; "" unknown */
};

struct topic_facts {
	char cluster[64]; /* cluster id, "" unknown */
	bool embedded;	  /* librdkafka's mock cluster: it has neither ids nor configs */
	unsigned brokers; /* up now */
	char id[48];	  /* "" where the broker gives none */
	unsigned partitions;
	unsigned copies;     /* replicas of the partition that has the fewest */
	unsigned in_sync;    /* in-sync replicas of the partition that has the fewest */
	unsigned leaderless; /* partitions that nobody can write or read now */
	bool rights_known, may_read, may_write;
	bool configs_known;
	char configs_reason[200]; /* why they are not known */
	struct topic_configs configs;
};

/* STATUS_NOT_FOUND: there is no such topic; cluster, embedded and brokers are set all the same. STATUS_AGAIN:
 * not reachable now. STATUS_DENIED: no right to see it, or the login is refused. */
enum status topic_look(const struct kafka_settings *settings, int64_t timeout_ms,
	struct topic_facts *out, struct why *why) MUST_CHECK;

struct topic_config {
	const char *name, *value;
};
struct topic_plan {
	unsigned partitions;
	unsigned copies; /* 0: as many as the cluster gives by itself */
	const struct topic_config *configs;
	unsigned config_count;
};
/* Makes the topic, and waits until it has its leaders. STATUS_BUSY: it exists already (somebody was faster);
 * STATUS_DENIED: no right to; STATUS_BAD_DATA: the cluster does not want it so, with its reason. */
enum status topic_make(const struct kafka_settings *settings, const struct topic_plan *plan,
	int64_t timeout_ms, struct why *why) MUST_CHECK;
