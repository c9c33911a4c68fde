/* handle.h - private to kafka/: one librdkafka client, its one queue, its topic, and the signs of life of
 * its brokers. Used by one thread; librdkafka's own threads only touch what is atomic or locked here. */
#pragma once
#include "kafka/properties.h"
#include <stdbool.h>
#include <stdint.h>

struct handle;
struct rd_kafka_s; /* rd_kafka_t and so on: librdkafka's header stays in the .c files */
struct rd_kafka_topic_s;
struct rd_kafka_queue_s;

/* `wake_fd` (an eventfd, the caller's) becomes readable when the queue stops being empty. STATUS_BAD_DATA:
 * librdkafka does not take the properties together. */
enum status handle_open(struct handle **out, enum role role, const struct kafka_settings *settings,
	int wake_fd, struct why *why) MUST_CHECK;
/* Destroys it in a thread of its own, as a broker thread may be held up by a name server for half a minute:
 * waits at most wait_ms for the end, then leaves the thread to itself. NULL is fine. */
void handle_retire(struct handle *h, int64_t wait_ms);
/* The same for a member of a group, which tells its group first, at most leave_ms long, so that others take
 * over at once and not when its session ends. No rebalance may be unanswered. */
void handle_leave(struct handle *h, int64_t leave_ms, int64_t wait_ms);
/* Another thread uses the client and its topic: they are destroyed only after it has let go. */
void handle_hold(struct handle *h);
void handle_let_go(struct handle *h);

/* Another name and password, for logins from now on: connections that stand stay. */
enum status handle_login(struct handle *h, const char *username, const char *password) MUST_CHECK;
/* Certificates were renewed on disk, and librdkafka reads them only when a client is made (OpenSSL build). */
bool handle_outdated(struct handle *h);
struct oauth *handle_oauth(struct handle *h); /* NULL: another login, or none */
struct rd_kafka_s *handle_client(struct handle *h);
struct rd_kafka_topic_s *handle_topic(struct handle *h);
struct rd_kafka_queue_s *handle_queue(struct handle *h);

/* A broker has answered since it was opened, or since all were last told down. */
bool handle_is_up(const struct handle *h);
void handle_is_down(struct handle *h); /* all brokers were told down just now */
/* As trouble_words; of a login it names user and mechanism. */
void handle_explain(struct handle *h, int err, const char *topic, const char *detail, char *out,
	size_t out_bytes);
/* To be told of every error event that librdkafka has: what it says of TLS is taken from there. */
void handle_heard(struct handle *h, int err, const char *text);
struct tls_watch *handle_watch(struct handle *h); /* NULL: no TLS, or not of librdkafka's own */
/* What a connection under TLS failed with last, in plain words, with its code. False: no such failure, or not
 * known here. */
bool handle_trouble(struct handle *h, const char **code, char *out, size_t out_bytes);
