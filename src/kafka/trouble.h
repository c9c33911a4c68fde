/* trouble.h - private to kafka/: what librdkafka's errors mean for the one who must act. `err` is an rd_kafka_resp_err_t. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { TROUBLE_REASON_BYTES = 256 };

/* Beside librdkafka's own, which end at -200: an answer is larger than we take. */
enum { TROUBLE_ANSWER_TOO_LARGE = -1000 };

/* The error that an event means. librdkafka calls a connection that ends while the login is being arranged a
 * refused login (rd_kafka_broker_handle_SaslHandshake); nobody refused anything then. And an answer larger than
 * receive.message.max.bytes a bad message (rd_kafka_recv); nothing is damaged then. */
int trouble_meant(int err, const char *text);

/* "kafka.down", "kafka.topic", ...: never NULL; "kafka.failed" for what has no name of its own. */
const char *trouble_code(int err);
/* Plain words, the next step included where there is one. `detail` is librdkafka's own text, may be "". */
void trouble_words(int err, const char *topic, const char *detail, char *out, size_t out_bytes);

/* The words for a login that fails: the broker refuses it, or there is no token for it. */
void trouble_login(
	const char *mechanism, const char *user, const char *detail, char *out, size_t out_bytes);
bool trouble_is_of_login(int err);

/* The words for "kafka.down"; `detail` is what the last broker's connection failed with. */
void trouble_down(const char *brokers, const char *detail, char *out, size_t out_bytes);

/* The words for a check of the broker's (trouble_is_of_check) that takes no record at all. */
void trouble_check(const char *topic, const char *detail, char *out, size_t out_bytes);

/* "kafka.down", or the reason for it that TLS has, "kafka.tls.": over as soon as a broker answers. */
bool trouble_is_down(const char *code);

/* The broker refuses these bytes, not us: alone in its batch the row would be refused again. */
bool trouble_is_of_record(int err);
/* And of these: for what is in them, by a check that somebody has set up for the topic. */
bool trouble_is_of_check(int err);
/* The connection failed: librdkafka tries again by itself. */
bool trouble_is_of_link(int err);
