/* properties.c - librdkafka's properties from our settings. */
#include "kafka/properties.h"

#include "kafka/options.h"
#include "kafka/setting.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KIB = 1024,
	BATCH_BYTES = 32 * KIB,
	/* A record larger than our largest: headers, framing, a little room. */
	ENVELOPE_BYTES = 64 * KIB,
	/* max.message.bytes where nobody sets it: Confluent Cloud's, twice that of Kafka itself. */
	USUAL_MESSAGE_BYTES = 2097164,
	BYTES_MAX = 1000000000, /* of a message, to librdkafka */
	WINDOW_MIN = 64,
	WINDOW_MAX = 16384,
};

void properties_set(struct setting *s, const char *name, const char *value)
{
	char reason[200];
	bool secret = strncmp(name, "sasl.", 5) == 0 || strcmp(name, "ssl.ca.pem") == 0;

	if (s->status != STATUS_OK)
		return;
	if (rd_kafka_conf_set(s->conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
		s->status = fail(s->why, STATUS_BAD_DATA, "Kafka property %s=%s: %s", name,
			secret ? "***" : value, reason);
}

static void set_number(struct setting *s, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, value);
	properties_set(s, name, text);
}

static uint64_t within(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

unsigned properties_window(const struct kafka_settings *settings)
{
	return (unsigned)within(
		settings->queue_bytes / (MESSAGE_COST + 320), WINDOW_MIN, WINDOW_MAX);
}

static void set_common(struct setting *s, const struct kafka_settings *settings)
{
	properties_set(s, "bootstrap.servers", settings->brokers);
	properties_set(s, "client.id", settings->client_id ? settings->client_id : "scorebox");
	/* A missing topic is told to a human, never made by asking for it. */
	properties_set(s, "allow.auto.create.topics", "false");
	properties_set(s, "topic.metadata.refresh.sparse", "true");
	properties_set(s, "topic.metadata.propagation.max.ms", "5000");
	properties_set(s, "enable.metrics.push", "false");
	properties_set(s, "statistics.interval.ms", "0");
	properties_set(s, "socket.keepalive.enable", "true");
	properties_set(s, "socket.nagle.disable", "true");
	properties_set(s, "socket.send.buffer.bytes", "131072");
	properties_set(s, "socket.receive.buffer.bytes", "131072");
	properties_set(s, "reconnect.backoff.ms", "250");
	properties_set(s, "reconnect.backoff.max.ms", "15000");
	properties_set(s, "log_level", "6");
	/* An idle connection that the broker closes is no event for a human. */
	properties_set(s, "log.connection.close", "false");
	properties_set(s, "log.thread.name", "false");
}

/* One try takes up to half a minute: name server, connection, handshake. Given up sooner, librdkafka would
 * take a slow handshake for a broker older than 0.10 and try again at once. */
static void set_tls(struct setting *s, const struct kafka_security *security)
{
	properties_set(s, "api.version.request.timeout.ms", "30000");
	properties_set(s, "socket.connection.setup.timeout.ms", "30000");
	properties_set(s, "reconnect.backoff.max.ms", "60000");
#if SCOREBOX_KAFKA_OPENSSL
	properties_openssl(s, security);
#else
	/* librdkafka's sockets are ends of pairs, which know no Nagle and have bounds of their own; transport.c
	 * sees to the real ones. */
	(void)security;
	properties_set(s, "socket.keepalive.enable", "false");
	properties_set(s, "socket.nagle.disable", "false");
	properties_set(s, "socket.send.buffer.bytes", "0");
	properties_set(s, "socket.receive.buffer.bytes", "0");
#endif
}

/* Counted from one try to the next, and spread by -25% to +50%: a refused login is tried at most every 10 s,
 * a connection that has lived longer than that comes back at once. */
static void set_login(struct setting *s, const struct kafka_security *security)
{
	properties_set(s, "reconnect.backoff.ms", "13500");
	if (!security->tls)
		properties_set(s, "reconnect.backoff.max.ms", "30000");
	properties_set(s, "sasl.mechanisms", security->mechanism);
	if (strcmp(security->mechanism, "OAUTHBEARER") == 0)
		return; /* the token is fetched by oauth.c */
	properties_set(s, "sasl.username", security->username);
	properties_set(s, "sasl.password", security->password);
}

/* In the mbedTLS build TLS is beneath librdkafka (transport.c), which then sees plaintext. */
static void set_security(struct setting *s, const struct kafka_security *security)
{
	bool inner_tls = security->tls && SCOREBOX_KAFKA_OPENSSL;

	if (security->sasl)
		properties_set(s, "security.protocol", inner_tls ? "sasl_ssl" : "sasl_plaintext");
	else
		properties_set(s, "security.protocol", inner_tls ? "ssl" : "plaintext");
	if (security->tls)
		set_tls(s, security);
	if (security->sasl)
		set_login(s, security);
}

static void set_producer(struct setting *s, const struct kafka_settings *settings)
{
	properties_set(s, "acks", "all");
	properties_set(s, "enable.idempotence", "true");
	/* The spool is what waits; a row librdkafka gave up by the clock would be a row lost. */
	properties_set(s, "message.timeout.ms", "0");
	/* Some seconds of trying, then the report fails and the human hears why (an in-sync replica missing
	 * for an hour shows in no other way); the publisher goes back to the oldest row and tries on. */
	properties_set(s, "message.send.max.retries", "10");
	properties_set(s, "partitioner", "murmur2_random");
	properties_set(
		s, "compression.codec", settings->compression ? settings->compression : "none");
	set_number(s, "linger.ms", settings->linger_ms > 0 ? (uint64_t)settings->linger_ms : 0);
	set_number(s, "batch.size", BATCH_BYTES);
	/* The publisher counts its window itself, overhead included. These only stand behind it, at twice the
	 * height: librdkafka counts a row until its report is thrown away, so a little longer than we do. */
	set_number(s, "queue.buffering.max.kbytes",
		within(2 * (settings->queue_bytes + settings->record_max_bytes) / KIB, 256,
			1u << 20));
	set_number(s, "queue.buffering.max.messages", 2 * properties_window(settings));
	set_number(s, "message.max.bytes",
		within(settings->record_max_bytes + ENVELOPE_BYTES, 2 * BATCH_BYTES, BYTES_MAX));
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t answer_bytes(const struct kafka_settings *settings)
{
	return within(settings->queue_bytes / 16, BATCH_BYTES, 1024 * KIB);
}

/* An answer holds at least one batch, whatever its size. Where that is more than we take, no partition of that
 * broker is read any more: so it is never less than a usual cluster's largest batch, nor less than what our own
 * producer may write with the same settings. A limit, not an allocation. */
static uint64_t receive_bytes(const struct kafka_settings *settings)
{
	uint64_t batch = larger(USUAL_MESSAGE_BYTES, settings->record_max_bytes + ENVELOPE_BYTES);

	return within(larger(answer_bytes(settings), batch) + KAFKA_ANSWER_BYTES, 0, BYTES_MAX);
}

/* At the worst there lie in memory: the queue up to its mark, one answer of each broker, and that answer
 * unpacked (JSON packs about 5:1). So a queue of N bytes takes half of it for the mark and an eighth for
 * an answer. */
static void set_consumer(struct setting *s, const struct kafka_settings *settings)
{
	uint64_t answer = answer_bytes(settings);

	properties_set(s, "enable.auto.commit", "false");
	properties_set(s, "enable.auto.offset.store", "false");
	properties_set(s, "auto.offset.reset", "error");
	properties_set(s, "enable.partition.eof", "true");
	properties_set(s, "check.crcs", "true");
	properties_set(s, "isolation.level", "read_committed");
	set_number(s, "message.max.bytes", answer);
	set_number(s, "fetch.message.max.bytes", answer / 2);
	set_number(s, "fetch.max.bytes", answer);
	set_number(s, "receive.message.max.bytes", receive_bytes(settings));
	set_number(s, "queued.max.messages.kbytes",
		within(settings->queue_bytes / 2 / KIB, 64, 1u << 20));
	set_number(s, "queued.min.messages", within(settings->queue_bytes / 512, 100, 100000));
	/* A small queue needs a small backoff: at the default of 1 s it draws 193 rows a second. */
	properties_set(s, "fetch.queue.backoff.ms", "5");
	if (settings->group && *settings->group) {
		properties_set(s, "group.id", settings->group);
		properties_set(s, "partition.assignment.strategy", "cooperative-sticky");
		/* So often the group's leader looks for partitions that were added. */
		properties_set(s, "topic.metadata.refresh.interval.ms", "30000");
		if (settings->instance && *settings->instance)
			properties_set(s, "group.instance.id", settings->instance);
	}
}

static enum status set_option(
	void *context, const struct option *option, const char *value, struct why *why)
{
	struct setting *s = context;

	(void)why;
	properties_set(s, option->name, value);
	return s->status;
}

enum status properties_make(rd_kafka_conf_t **out, enum role role,
	const struct kafka_settings *settings, struct why *why)
{
	struct setting s = {rd_kafka_conf_new(), why, STATUS_OK};

	set_common(&s, settings);
	set_security(&s, &settings->security);
	if (role == ROLE_PRODUCER)
		set_producer(&s, settings);
	else
		set_consumer(&s, settings);
	if (s.status == STATUS_OK)
		s.status = options_each(settings->options, (int)role, set_option, &s, why);
	if (s.status != STATUS_OK) {
		rd_kafka_conf_destroy(s.conf);
		return s.status;
	}
	*out = s.conf;
	return STATUS_OK;
}

static enum status take_receive(
	void *context, const struct option *option, const char *value, struct why *why)
{
	(void)why;
	if (strcmp(option->name, "receive.message.max.bytes") == 0)
		*(uint64_t *)context = strtoull(value, NULL, 10);
	return STATUS_OK;
}

uint64_t kafka_largest_batch(const struct kafka_settings *settings)
{
	uint64_t receive = receive_bytes(settings);
	struct why ignored;

	if (options_each(settings->options, ROLE_CONSUMER, take_receive, &receive, &ignored) !=
		STATUS_OK)
		receive = receive_bytes(settings); /* it would not start with such options */
	return receive > KAFKA_ANSWER_BYTES ? receive - KAFKA_ANSWER_BYTES : 0;
}
