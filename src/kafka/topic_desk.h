/* topic_desk.h - private to kafka/: a client for a few questions, shared by topic_look.c and topic_make.c. */
#pragma once
#include "kafka/handle.h"
#include "kafka/topic.h"

struct rd_kafka_metadata;
struct rd_kafka_op_s; /* rd_kafka_event_t */
struct rd_kafka_AdminOptions_s;

struct desk {
	struct handle *handle;
	const char *topic;
	struct rd_kafka_queue_s *answers;
	int fd;
	int64_t until_ms; /* monotonic */
	bool heard;	  /* why a connection failed: better than "timed out" */
};

enum status desk_open(struct desk *d, const struct kafka_settings *settings, int64_t timeout_ms,
	struct why *why) MUST_CHECK;
void desk_close(struct desk *d); /* also after desk_open failed */

/* The topic's part of the cluster's metadata, for rd_kafka_metadata_destroy. It may bear an error of the topic.
 * On failure the reason is the first that a broker or its connection gave. */
enum status desk_metadata(
	struct desk *d, const struct rd_kafka_metadata **out, struct why *why) MUST_CHECK;
/* Options for one request (enum rd_kafka_admin_op_t), to be destroyed; its answer comes to `answers`. */
struct rd_kafka_AdminOptions_s *desk_options(struct desk *d, int operation);
/* NULL: no answer within the time, or `why` tells that it is an error. To be destroyed. */
struct rd_kafka_op_s *desk_answer(struct desk *d, struct why *why);
