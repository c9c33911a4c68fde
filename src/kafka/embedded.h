/* embedded.h - librdkafka's mock cluster on loopback: memory only, at most 5 MiB a partition (the oldest
 * goes silently beyond), gone with the process. For `demo`, `broker` and tests: it keeps nothing. */
#pragma once
#include "base/status.h"

struct embedded;
/* `topics`: comma list, each made with `partitions`. */
enum status embedded_open(struct embedded **out, unsigned brokers, unsigned partitions,
	const char *topics, struct why *why) MUST_CHECK;
const char *embedded_bootstrap(const struct embedded *e); /* "127.0.0.1:port" list */
void embedded_close(struct embedded *e);
/* The rd_kafka_mock_cluster_t behind it: tests make it fail in chosen ways. */
void *embedded_cluster(struct embedded *e);
