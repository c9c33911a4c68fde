/* trouble.c - what librdkafka's errors mean for the one who must act. */
#include "kafka/trouble.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

struct meaning {
	int err;
	const char *code;
	const char *words; /* printf format: topic, detail; NULL: the detail alone */
};

#define NO_TOPIC "topic '%s' does not exist: create it or set SCOREBOX_KAFKA_TOPIC (%s)"
#define NO_RIGHT "no right to topic '%s': give this user its ACL (%s)"
#define NO_LOGIN \
	"the broker refuses our credentials (topic '%s'): check SCOREBOX_KAFKA_SASL_USERNAME and _PASSWORD (%s)"
#define NO_ISR "topic '%s' has too few in-sync replicas: a broker of its cluster is away (%s)"
#define ANSWER_TOO_LARGE \
	"a batch of '%s' is larger than this box takes: set SCOREBOX_KAFKA_OPTIONS=receive.message.max.bytes=N, N = the topic's max.message.bytes + 65536 (%s)"
#define TOO_LARGE "a record is larger than topic '%s' takes: see its max.message.bytes (%s)"

static const struct meaning meanings[] = {
	{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "kafka.down", NULL},
	{RD_KAFKA_RESP_ERR__TRANSPORT, "kafka.down", NULL},
	{RD_KAFKA_RESP_ERR__RESOLVE, "kafka.down", NULL},
	{RD_KAFKA_RESP_ERR__SSL, "kafka.down", NULL},
	{RD_KAFKA_RESP_ERR__TIMED_OUT, "kafka.down", NULL},
	{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "kafka.down", NULL},
	{RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, "kafka.down", NULL},
	{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "kafka.topic", NO_TOPIC},
	{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID, "kafka.topic", NO_TOPIC},
	{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "kafka.topic", NO_TOPIC},
	{RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, "kafka.topic", NO_TOPIC},
	{RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, "kafka.topic",
		"the broker does not take '%s' for a topic's name (%s)"},
	{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "kafka.auth", NO_RIGHT},
	{RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "kafka.auth",
		"no right to the group that reads topic '%s': give this user its ACL or change SCOREBOX_KAFKA_GROUP (%s)"},
	{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "kafka.auth",
		"no right to write to '%s' idempotently: give this user IDEMPOTENT_WRITE on the cluster (%s)"},
	{RD_KAFKA_RESP_ERR__AUTHENTICATION, "kafka.auth", NO_LOGIN},
	{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, "kafka.auth", NO_LOGIN},
	{RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, "kafka.auth", NO_LOGIN},
	{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, "kafka.isr", NO_ISR},
	{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, "kafka.isr", NO_ISR},
	{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "kafka.toolarge", TOO_LARGE},
	{RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, "kafka.toolarge", TOO_LARGE},
	{RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, "kafka.toolarge", TOO_LARGE},
	{TROUBLE_ANSWER_TOO_LARGE, "kafka.toolarge", ANSWER_TOO_LARGE},
	{RD_KAFKA_RESP_ERR_INVALID_RECORD, "kafka.refused",
		"the broker's check of topic '%s' refuses a record (%s)"},
	{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, "kafka.clock",
		"topic '%s' refuses our time stamps: compare this board's clock with the broker's (%s)"},
	{RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, "kafka.disk",
		"a broker cannot write topic '%s' to its disk (%s)"},
	{RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, "kafka.fenced",
		"another box reads topic '%s' with our SCOREBOX_KAFKA_INSTANCE: give each its own (%s)"},
	{RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, "kafka.slow",
		"we were busy for too long and left the group that reads '%s' (%s)"},
	{RD_KAFKA_RESP_ERR__BAD_MSG, "kafka.corrupt", "topic '%s' holds a damaged record (%s)"},
	{RD_KAFKA_RESP_ERR__BAD_COMPRESSION, "kafka.corrupt",
		"topic '%s' holds a batch that does not unpack (%s)"},
	{RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, "kafka.corrupt",
		"topic '%s' holds a batch packed in a way this build cannot read (%s)"},
	{RD_KAFKA_RESP_ERR__FATAL, "kafka.fatal", NULL},
};

static const struct meaning *find(int err)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].err == err)
			return &meanings[i];
	return NULL;
}

int trouble_meant(int err, const char *text)
{
	if (err == RD_KAFKA_RESP_ERR__AUTHENTICATION &&
		strstr(text, " mechanism handshake failed: Local: "))
		return RD_KAFKA_RESP_ERR__TRANSPORT;
	if (err == RD_KAFKA_RESP_ERR__BAD_MSG && strstr(text, "Invalid response size"))
		return TROUBLE_ANSWER_TOO_LARGE;
	return err;
}

const char *trouble_code(int err)
{
	const struct meaning *m = find(err);

	return m ? m->code : "kafka.failed";
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats stand in the table above */
void trouble_words(int err, const char *topic, const char *detail, char *out, size_t out_bytes)
{
	const struct meaning *m = find(err);
	const char *text = detail && *detail ? detail : rd_kafka_err2str((rd_kafka_resp_err_t)err);

	if (m && m->words)
		snprintf(out, out_bytes, m->words, topic, text);
	else
		snprintf(out, out_bytes, "%s", text);
}
#pragma GCC diagnostic pop

void trouble_login(
	const char *mechanism, const char *user, const char *detail, char *out, size_t out_bytes)
{
	static const char no_token[] = "Failed to acquire SASL OAUTHBEARER token: ";

	if (strncmp(detail, no_token, sizeof no_token - 1) == 0)
		snprintf(out, out_bytes, "no token for the login of '%s' by %s: %s", user,
			mechanism, detail + sizeof no_token - 1);
	else
		snprintf(out, out_bytes,
			"the broker refuses the login of '%s' by %s: check SCOREBOX_KAFKA_SASL_USERNAME and _PASSWORD (%s)",
			user, mechanism, detail);
}

bool trouble_is_of_login(int err)
{
	return err == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
	       err == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
	       err == RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM;
}

void trouble_down(const char *brokers, const char *detail, char *out, size_t out_bytes)
{
	snprintf(out, out_bytes, "no broker of %.80s can be reached: %.140s", brokers, detail);
}

void trouble_check(const char *topic, const char *detail, char *out, size_t out_bytes)
{
	snprintf(out, out_bytes,
		"the broker's check of topic '%.60s' refuses one record after another: let SCOREBOX_SCHEMA_REGISTRY_URL and the topic's schema validation fit each other, or switch that off (%s)",
		topic, detail);
}

bool trouble_is_down(const char *code)
{
	return strcmp(code, "kafka.down") == 0 || strncmp(code, "kafka.tls.", 10) == 0;
}

bool trouble_is_of_record(int err)
{
	return err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
	       err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
	       err == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
	       err == RD_KAFKA_RESP_ERR_INVALID_RECORD ||
	       err == RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD;
}

bool trouble_is_of_check(int err)
{
	return err == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

bool trouble_is_of_link(int err)
{
	return err == RD_KAFKA_RESP_ERR__TRANSPORT || err == RD_KAFKA_RESP_ERR__RESOLVE ||
	       err == RD_KAFKA_RESP_ERR__SSL || err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
	       err == RD_KAFKA_RESP_ERR__TIMED_OUT || err == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE;
}
