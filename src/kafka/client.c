/* client.c - the checks of connection settings, without a connection. */
#include "kafka/client.h"

#include "kafka/options.h"
#include "kafka/properties.h"

#include <librdkafka/rdkafka.h>
#if SCOREBOX_KAFKA_OPENSSL
#include <openssl/crypto.h>
#endif
#include <stdlib.h>
#include <string.h>

enum {
	TOPIC_MAX = 249,
	HOST_MAX = 253,
	PORT_MAX = 65535,
	PUBLIC_ROOTS = 28,   /* in sessions: 144 of them were seen to take 2.4 MiB */
	CLUSTER_BROKERS = 3, /* that a cluster of ordinary size names beyond the list */
};

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

/* How many of the bytes in front are letters, digits or one of `more`. */
static size_t span_of(const char *text, const char *more)
{
	size_t n = 0;

	while (text[n] &&
		(strchr(letters, text[n]) || strchr(digits, text[n]) || strchr(more, text[n])))
		n++;
	return n;
}

static enum status try_option(
	void *context, const struct option *option, const char *value, struct why *why)
{
	rd_kafka_conf_t *conf = context;
	char reason[200];

	if (rd_kafka_conf_set(conf, option->name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK)
		return fail(why, STATUS_BAD_DATA, "Kafka option %s=%s: %s", option->name, value,
			reason);
	return STATUS_OK;
}

enum status kafka_check_options(const char *options, struct why *why)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	enum status s = options_each(options, ROLE_PRODUCER | ROLE_CONSUMER, try_option, conf, why);

	rd_kafka_conf_destroy(conf);
	return s;
}

enum status kafka_check_compression(const char *name, struct why *why)
{
	static const char *const known[] = {"none", "lz4", "gzip", "snappy", "zstd"};
	rd_kafka_conf_t *conf;
	char reason[200];
	rd_kafka_conf_res_t answer = RD_KAFKA_CONF_INVALID;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(name, known[i]) != 0)
			continue;
		conf = rd_kafka_conf_new();
		answer = rd_kafka_conf_set(conf, "compression.codec", name, reason, sizeof reason);
		rd_kafka_conf_destroy(conf);
		if (answer == RD_KAFKA_CONF_OK)
			return STATUS_OK;
		return fail(why, STATUS_BAD_DATA, "compression '%s' is not in this build: %s", name,
			reason);
	}
	return fail(why, STATUS_BAD_DATA,
		"compression '%s' is not one of none, lz4, gzip, snappy, zstd", name);
}

enum status kafka_check_topic(const char *topic, struct why *why)
{
	size_t length = strlen(topic);

	if (length == 0 || length > TOPIC_MAX)
		return fail(why, STATUS_BAD_DATA, "a topic has 1 to %d characters, this has %zu",
			TOPIC_MAX, length);
	if (strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0)
		return fail(why, STATUS_BAD_DATA, "a topic may not be called '%s'", topic);
	if (span_of(topic, "._-") != length)
		return fail(why, STATUS_BAD_DATA, "topic '%s': only a-z A-Z 0-9 . _ - are allowed",
			topic);
	return STATUS_OK;
}

/* The port behind the colon at `text`, up to `end`. */
static bool is_port(const char *text, const char *end)
{
	long port = 0;

	if (end - text < 1 || end - text > 5)
		return false;
	for (const char *p = text; p < end; p++) {
		if (!strchr(digits, *p))
			return false;
		port = port * 10 + (*p - '0');
	}
	return port >= 1 && port <= PORT_MAX;
}

static bool is_broker(const char *text, const char *end)
{
	size_t host;
	const char *rest;

	if (text < end && *text == '[') {
		host = strspn(text + 1, "0123456789abcdefABCDEF:.%");
		rest = text + 1 + host;
		if (host < 2 || rest >= end || *rest != ']')
			return false;
		rest++;
	} else {
		host = span_of(text, "._-");
		rest = text + host;
		if (host < 1 || host > HOST_MAX)
			return false;
	}
	return rest == end || (*rest == ':' && is_port(rest + 1, end));
}

enum status kafka_check_brokers(const char *brokers, struct why *why)
{
	const char *item = brokers;

	for (unsigned count = 1;; count++) {
		if (count > KAFKA_BROKERS_MAX)
			return fail(why, STATUS_BAD_DATA,
				"more than %d brokers; three are enough to find the others",
				KAFKA_BROKERS_MAX);

		const char *end = item + strcspn(item, ",");
		const char *last = end;

		item += strspn(item, " \t");
		while (last > item && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		if (!is_broker(item, last))
			return fail(why, STATUS_BAD_DATA,
				"'%.*s' is not host:port (as in kafka-1:9092, [::1]:9092)",
				(int)(last - item > 100 ? 100
					: last > item	? last - item
							: 0),
				item);
		if (!*end)
			return STATUS_OK;
		item = end + 1;
	}
}

enum status kafka_check_brokers_tls(const char *brokers, struct why *why)
{
	if (!SCOREBOX_KAFKA_OPENSSL || !strchr(brokers, '['))
		return STATUS_OK;
	return fail(why, STATUS_BAD_DATA,
		"the OpenSSL build cannot verify an IPv6 address over TLS: give the broker a name");
}

static const struct mechanism {
	const char *name;
	bool openssl; /* needs it */
} mechanisms[] = {
	{"PLAIN", false},
	{"SCRAM-SHA-256", true},
	{"SCRAM-SHA-512", true},
	{"OAUTHBEARER", true},
};

enum status kafka_check_mechanism(const char *name, struct why *why)
{
	for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++) {
		if (strcmp(name, mechanisms[i].name) != 0)
			continue;
		if (!mechanisms[i].openssl || SCOREBOX_KAFKA_OPENSSL)
			return STATUS_OK;
		return fail(why, STATUS_BAD_DATA,
			"%s is in the OpenSSL build only: cmake --preset native-openssl; this build has %s",
			name, kafka_mechanisms());
	}
	return fail(why, STATUS_BAD_DATA,
		"expected PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER");
}

const char *kafka_mechanisms(void)
{
	return SCOREBOX_KAFKA_OPENSSL ? "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"
				      : "PLAIN";
}

static bool is_local(const char *item)
{
	size_t host;

	item += strspn(item, " \t");
	host = strcspn(item, ":, \t");
	return !strncmp(item, "[::1]", 5) || (host == 9 && !strncmp(item, "localhost", host)) ||
	       (!strncmp(item, "127.", 4) && strspn(item, "0123456789.") == host);
}

bool kafka_brokers_are_local(const char *brokers)
{
	for (const char *item = brokers;; item++) {
		if (!is_local(item))
			return false;
		item += strcspn(item, ",");
		if (!*item)
			return true;
	}
}

unsigned kafka_sessions(const char *brokers, bool tls, bool public_roots)
{
	unsigned count = CLUSTER_BROKERS + 1;

	for (const char *p = brokers; *p; p++)
		count += *p == ',';
	if (!tls)
		return 1;
	if (SCOREBOX_KAFKA_OPENSSL && public_roots)
		count += PUBLIC_ROOTS;
	return count;
}

const char *kafka_tls_library(void)
{
#if SCOREBOX_KAFKA_OPENSSL
	return OpenSSL_version(OPENSSL_VERSION);
#else
	return "Mbed TLS";
#endif
}

const char *kafka_library_version(void)
{
	return rd_kafka_version_str();
}
