/* properties.c - librdkafka's properties from our settings. */
#include "kafka/properties.h"

#include "kafka/options.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

enum {
	KIB = 1024,
	BATCH_BYTES = 32 * KIB,
	/* A record larger than our largest: headers, framing, a little room. */
	ENVELOPE_BYTES = 64 * KIB,
	/* Below the topic's largest stored batch a partition would stick for ever, silently: Kafka's default
	 * max.message.bytes and the framing. A limit, not an allocation. */
	RECEIVE_FLOOR_BYTES = 1024 * KIB + 64 * KIB,
	WINDOW_MIN = 64,
	WINDOW_MAX = 16384,
};

/* Sets properties until one is refused. */
struct setting {
	rd_kafka_conf_t *conf;
	struct why *why;
	enum status status;
};

static void set(struct setting *s, const char *name, const char *value)
{
	char reason[200];

	if (s->status != STATUS_OK)
		return;
	if (rd_kafka_conf_set(s->conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
		s->status = fail(
			s->why, STATUS_BAD_DATA, "Kafka property %s=%s: %s", name, value, reason);
}

static void set_number(struct setting *s, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, value);
	set(s, name, text);
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
	set(s, "bootstrap.servers", settings->brokers);
	set(s, "client.id", settings->client_id ? settings->client_id : "scorebox");
	/* A missing topic is told to a human, never made by asking for it. */
	set(s, "allow.auto.create.topics", "false");
	set(s, "topic.metadata.refresh.sparse", "true");
	set(s, "topic.metadata.propagation.max.ms", "5000");
	set(s, "enable.metrics.push", "false");
	set(s, "statistics.interval.ms", "0");
	set(s, "socket.keepalive.enable", "true");
	set(s, "socket.nagle.disable", "true");
	set(s, "socket.send.buffer.bytes", "131072");
	set(s, "socket.receive.buffer.bytes", "131072");
	set(s, "reconnect.backoff.ms", "250");
	set(s, "reconnect.backoff.max.ms", "15000");
	set(s, "log_level", "6");
	/* An idle connection that the broker closes is no event for a human. */
	set(s, "log.connection.close", "false");
	set(s, "log.thread.name", "false");
}

static void set_producer(struct setting *s, const struct kafka_settings *settings)
{
	set(s, "acks", "all");
	set(s, "enable.idempotence", "true");
	/* The spool is what waits; a row librdkafka gave up by the clock would be a row lost. */
	set(s, "message.timeout.ms", "0");
	/* Some seconds of trying, then the report fails and the human hears why (an in-sync replica missing
	 * for an hour shows in no other way); the publisher goes back to the oldest row and tries on. */
	set(s, "message.send.max.retries", "10");
	set(s, "partitioner", "murmur2_random");
	set(s, "compression.codec", settings->compression ? settings->compression : "none");
	set_number(s, "linger.ms", settings->linger_ms > 0 ? (uint64_t)settings->linger_ms : 0);
	set_number(s, "batch.size", BATCH_BYTES);
	/* The publisher counts its window itself, overhead included. These only stand behind it, at twice the
	 * height: librdkafka counts a row until its report is thrown away, so a little longer than we do. */
	set_number(s, "queue.buffering.max.kbytes",
		within(2 * (settings->queue_bytes + settings->record_max_bytes) / KIB, 256,
			1u << 20));
	set_number(s, "queue.buffering.max.messages", 2 * properties_window(settings));
	set_number(s, "message.max.bytes",
		within(settings->record_max_bytes + ENVELOPE_BYTES, 2 * BATCH_BYTES, 1000000000));
}

/* At the worst there lie in memory: the queue up to its mark, one answer of each broker, and that answer
 * unpacked (JSON packs about 5:1). So a queue of N bytes takes half of it for the mark and an eighth for
 * an answer. */
static void set_consumer(struct setting *s, const struct kafka_settings *settings)
{
	uint64_t answer = within(settings->queue_bytes / 8, BATCH_BYTES, 1024 * KIB);
	uint64_t receive = answer + 64 * KIB;

	set(s, "enable.auto.commit", "false");
	set(s, "enable.auto.offset.store", "false");
	set(s, "auto.offset.reset", "error");
	set(s, "enable.partition.eof", "true");
	set(s, "check.crcs", "true");
	set(s, "isolation.level", "read_committed");
	set_number(s, "message.max.bytes", answer);
	set_number(s, "fetch.message.max.bytes", answer / 2);
	set_number(s, "fetch.max.bytes", answer);
	set_number(s, "receive.message.max.bytes",
		receive < RECEIVE_FLOOR_BYTES ? RECEIVE_FLOOR_BYTES : receive);
	set_number(s, "queued.max.messages.kbytes",
		within(settings->queue_bytes / 2 / KIB, 64, 1u << 20));
	set_number(s, "queued.min.messages", within(settings->queue_bytes / 512, 100, 100000));
	/* A small queue needs a small backoff: at the default of 1 s it draws 193 rows a second. */
	set(s, "fetch.queue.backoff.ms", "5");
	if (settings->group && *settings->group) {
		set(s, "group.id", settings->group);
		set(s, "partition.assignment.strategy", "cooperative-sticky");
		if (settings->instance && *settings->instance)
			set(s, "group.instance.id", settings->instance);
	}
}

static enum status set_option(
	void *context, const struct option *option, const char *value, struct why *why)
{
	struct setting *s = context;

	(void)why;
	set(s, option->name, value);
	return s->status;
}

enum status properties_make(rd_kafka_conf_t **out, enum role role,
	const struct kafka_settings *settings, struct why *why)
{
	struct setting s = {rd_kafka_conf_new(), why, STATUS_OK};

	set_common(&s, settings);
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
