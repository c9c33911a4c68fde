/* properties.h - private to kafka/: librdkafka's properties from our settings. Everything that decides how
 * much memory librdkafka takes is set here, derived from `queue_bytes`. */
#pragma once
#include "kafka/client.h"

struct rd_kafka_conf_s; /* rd_kafka_conf_t: librdkafka's header stays in the .c files */

enum role { ROLE_PRODUCER = 1, ROLE_CONSUMER = 2 };

/* The configuration is the caller's: rd_kafka_new takes it, else rd_kafka_conf_destroy. STATUS_BAD_DATA
 * names the property that librdkafka does not accept. */
enum status properties_make(struct rd_kafka_conf_s **out, enum role role,
	const struct kafka_settings *settings, struct why *why) MUST_CHECK;

/* What one message costs librdkafka beyond its bytes, and one header beyond its value; measured. */
enum { MESSAGE_COST = 320, HEADER_COST = 80 };
/* How many messages of the smallest size that matters may be out at once. */
unsigned properties_window(const struct kafka_settings *settings);
