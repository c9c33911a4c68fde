/* client.h - what publisher and subscriber share: connection settings, and properties derived from the
 * memory budget. Nothing of librdkafka shows through these headers. */
#pragma once
#include "base/buffer.h"
#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct trust_files;
struct kafka_security;

/* Fetches a token for the login OAUTHBEARER; called in a thread that may wait for it, until `stop` is true. On
 * STATUS_OK *token is the caller's to wipe and free, and good for *lifetime_ms from now. */
typedef enum status kafka_token_call(const struct kafka_security *security, const atomic_bool *stop,
	char **token, int64_t *lifetime_ms, struct why *why);

/* How we talk to the brokers. All zero: in the clear, without a login. Strings are never NULL where `tls` or
 * `sasl` needs them; lent for the call like those of kafka_settings. */
struct kafka_security {
	bool tls, sasl;
	/* Over TLS. `trust` is shared (mbedTLS build); the files
	 * are for librdkafka's own reading (OpenSSL build). "" where not given. */
	struct trust_files *trust;
	/* How long from the opening no connection is begun while the clock is not believable (mbedTLS build). */
	int64_t clock_wait_ms;
	const char *ca_file, *cert_file, *key_file;
	/* With a login: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER. For the last the name and password are
	 * the client's id and secret at the token endpoint. */
	const char *mechanism, *username, *password;
	const char *oauth_url, *oauth_scope;
	kafka_token_call *fetch_token; /* for OAUTHBEARER */
};

struct kafka_settings {	     /* strings are lent by the settings for the call */
	const char *brokers; /* host:port list */
	const char *topic;
	const char *client_id;	 /* "scorebox" when NULL */
	const char *compression; /* none lz4 gzip snappy zstd */
	int64_t linger_ms;
	const char *options;	      /* "a=b,c=d", checked against the allow list */
	const char *group, *instance; /* "" none */
	uint64_t queue_bytes;	      /* what librdkafka may hold, of ours or for us */
	uint64_t
		record_max_bytes; /* the largest record we send; one of this size can be read too */
	struct kafka_security security;
};

/* Every property must be on the allow list, the value acceptable to librdkafka. STATUS_BAD_DATA names the
 * first that is not, and lists the allowed ones. */
enum status kafka_check_options(const char *options, struct why *why) MUST_CHECK;
/* "host:port,host:port", port optional (9092), IPv6 in brackets; at most KAFKA_BROKERS_MAX of them, since
 * each has a thread in the library. */
enum { KAFKA_BROKERS_MAX = 64 };
enum status kafka_check_brokers(const char *brokers, struct why *why) MUST_CHECK;
enum status kafka_check_compression(const char *name, struct why *why) MUST_CHECK;
/* Kafka's rule: 1..249 of [a-zA-Z0-9._-], not "." or "..". */
enum status kafka_check_topic(const char *topic, struct why *why) MUST_CHECK;
/* Of brokers that are well formed: whether this build can verify them over TLS. librdkafka's own TLS compares an
 * IPv6 address with its brackets, which no certificate has. */
enum status kafka_check_brokers_tls(const char *brokers, struct why *why) MUST_CHECK;
/* Is it a mechanism that Kafka knows and this build has? If not, the reason names the ones there are, or the
 * build that has it. */
enum status kafka_check_mechanism(const char *name, struct why *why) MUST_CHECK;
const char *kafka_mechanisms(void); /* of this build: "PLAIN, ..." */

/* True when every broker of a list that passed kafka_check_brokers is this machine by its name or address. */
bool kafka_brokers_are_local(const char *brokers);
/* How many TLS sessions one client holds at its worst: one for each name in the list, and for each broker that
 * the cluster then names (three are counted). Without TLS 1, the room that a broker's thread takes. With
 * `public_roots` (no CA file is named) OpenSSL's own copy of those counts as 28 more. */
unsigned kafka_sessions(const char *brokers, bool tls, bool public_roots);
const char *kafka_library_version(void);
/* What speaks TLS to the brokers: "Mbed TLS", or "OpenSSL 3.5.7 ...". */
const char *kafka_tls_library(void);

/* The largest batch that a consumer with these settings can read (receive.message.max.bytes, less what stands
 * around it). To be held against the topic's max.message.bytes: a larger one stops the partitions of its broker. */
uint64_t kafka_largest_batch(const struct kafka_settings *settings);
enum { KAFKA_ANSWER_BYTES = 64 * 1024 }; /* what stands around the batches in an answer */

struct kafka_header {
	const char *name;
	struct view value;
};
