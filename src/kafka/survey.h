/* survey.h - private to kafka/: what the cluster says about a topic: subscriber_survey does it. */
#pragma once
#include "kafka/handle.h"
#include "kafka/subscriber.h"

/* `*ask_topic_id` becomes false when the brokers do not know topic ids: they are not asked again. */
enum status survey_take(struct handle *h, const char *topic, int64_t timeout_ms, bool *ask_topic_id,
	struct subscriber_survey *out, struct why *why) MUST_CHECK;

/* What an answer's error (rd_kafka_resp_err_t) means: STATUS_NOT_FOUND, _DENIED, else _AGAIN, in plain words. */
enum status survey_refused(int err, const char *topic, struct why *why);
