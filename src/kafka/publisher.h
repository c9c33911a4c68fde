/* publisher.h - hands rows to Kafka in a small window and tells which were acknowledged by all in-sync
 * replicas (acks=all, idempotent, partitioner murmur2_random, message.timeout.ms=0). It keeps nothing safe:
 * the spool does. One thread.
 *
 *	 put ──► FEEDING ──any failed report──► EMPTYING ──nothing out──► WAITING 1 s … 5 min ──► FEEDING
 *	                                         (purged)                 on_rewind: feed again from
 *	                                                                  the oldest undelivered row
 * After a size error rows of the failed range are fed one at a time; only a row refused alone is
 * reported by on_refused. Where the broker's own check (INVALID_RECORD) refuses five of them with none delivered
 * between, it is no fault of rows any more: the next such row is a failed report, until one is delivered again.
 * A fatal error of the client destroys it and makes a new one. */
#pragma once
#include "kafka/client.h"

struct publisher_calls {
	void *context;
	void (*on_delivered)(void *context, int64_t id);
	void (*on_refused)(void *context, int64_t id, const char *reason);
	void (*on_rewind)(void *context);
};

struct publisher;
/* Connects in the background. STATUS_BAD_DATA: a property is wrong; STATUS_NO_MEMORY. */
enum status publisher_open(struct publisher **out, const struct kafka_settings *settings,
	const struct publisher_calls *calls, struct why *why) MUST_CHECK;
/* Drops what is out (its rows stay in the spool). May take up to 1 s. NULL is fine. */
void publisher_close(struct publisher *p);

/* Another name and password, from the next login on. STATUS_NO_MEMORY, STATUS_BAD_DATA: nothing changed. */
enum status publisher_login(
	struct publisher *p, const char *username, const char *password) MUST_CHECK;

/* Readable when publisher_turn has something to do: an edge. Call publisher_turn at least once a second anyway. */
int publisher_fd(const struct publisher *p);
/* Serves reports and events, runs the state machine; calls the calls. */
void publisher_turn(struct publisher *p, int64_t now_ms);
/* When publisher_turn wants to be called next, at the latest (monotonic ms). */
int64_t publisher_due_ms(const struct publisher *p);

/* From now on every value goes behind a schema registry's frame (base/frame.h). */
void publisher_frame(struct publisher *p, uint32_t schema_id);

/* Copies the row. STATUS_FULL: the window is full, or the machine is not feeding now: wait for the fd. */
enum status publisher_put(struct publisher *p, int64_t id, struct view key, struct view value,
	const struct kafka_header *headers, unsigned count, int64_t time_ms,
	struct why *why) MUST_CHECK;
unsigned publisher_out(const struct publisher *p); /* rows put and not yet reported */

struct publisher_health {
	bool connected; /* at least one broker is up */
	bool waiting;	/* after a failure: until retry_ms (monotonic) */
	int64_t retry_ms;
	char reason[256]; /* the last trouble in plain words, "" when all is well */
	const char *code; /* kafka.down, kafka.topic, kafka.fatal, kafka.isr, ... ; "" */
	uint64_t delivered, failures, recreated;
};
void publisher_health(const struct publisher *p, struct publisher_health *out);
