/* config.h - the values of all settings after they were parsed (app/settings owns the one table that fills
 * it). Strings are never NULL; "" means not set. Owned by whoever loaded it; services borrow it. */
#pragma once
#include "base/budget.h"
#include "base/log.h"
#include "feed/source.h"
#include "kafka/client.h"
#include "store/spool.h"
#include <stdbool.h>
#include <stdint.h>

enum config_mode { MODE_PRODUCE, MODE_CONSUME, MODE_BOTH };
enum config_security {
	SECURITY_PLAINTEXT,
	SECURITY_TLS,
	SECURITY_SASL_PLAINTEXT,
	SECURITY_SASL_TLS
};
enum config_mount { MOUNT_AUTO, MOUNT_REQUIRE, MOUNT_ANY };
enum config_publish { PUBLISH_CHANGES, PUBLISH_ALL };
enum config_books { BOOKS_STARTED, BOOKS_ALL };
enum config_update { UPDATE_STICK, UPDATE_OFF };

struct config {
	enum config_mode mode;
	const char *state_dir;
	uint64_t memory_max; /* 0: the mode's default */
	enum log_level log_level;
	enum log_format log_format;
	int64_t clock_wait_ms;
	const char *timezone; /* POSIX TZ */

	const char *source_name; /* cricapi, custom */
	struct source source;	 /* profile with the overrides applied */
	const char *api_url, *api_key;
	const char *api_ca_file, *api_cert_file, *api_key_file, *api_proxy;
	int64_t api_timeout_ms;
	uint64_t api_max_body, api_max_record;
	const char *matches;
	bool poll_auto;
	int64_t poll_fixed_ms, poll_min_ms;
	enum config_publish publish;

	const char *kafka_brokers; /* "embedded": embedded is true */
	bool kafka_embedded;
	const char *kafka_topic, *kafka_group, *kafka_instance;
	enum config_security kafka_security;
	const char *sasl_mechanism, *sasl_username, *sasl_password;
	const char *kafka_oauth_url, *kafka_oauth_scope;
	const char *kafka_ca_file, *kafka_cert_file, *kafka_key_file;
	const char *registry_url, *registry_key, *registry_secret, *registry_ca_file;
	const char *kafka_compression;
	int64_t kafka_linger_ms;
	const char *kafka_options;

	uint64_t spool_max;
	enum spool_full_policy spool_full;
	uint64_t journal_max;
	const char *output_dir;
	enum config_mount output_mount;
	uint64_t output_min_free;
	enum config_books books;
	int64_t book_interval_ms;

	/* Of the SD image: its start-up and its supervisor read them, no service does. */
	struct {
		const char *hostname, *ntp, *net_address, *net_gateway, *net_dns;
		int seal; /* 0 or 1 */
		enum config_update update;
		int64_t update_confirm_ms;
	} board;

	/* not settings: of the command line */
	unsigned sweeps;    /* 0: until SIGTERM */
	bool until_end;	    /* consume --until-end */
	int64_t timeout_ms; /* without progress, of verbs that finish */
};

static inline bool config_kafka_tls(const struct config *c)
{
	return c->kafka_security == SECURITY_TLS || c->kafka_security == SECURITY_SASL_TLS;
}

static inline bool config_kafka_login(const struct config *c)
{
	return c->kafka_security == SECURITY_SASL_PLAINTEXT ||
	       c->kafka_security == SECURITY_SASL_TLS;
}

/* Certificates are verified on the way to Kafka: the brokers', or the token endpoint's. */
static inline bool config_kafka_trust(const struct config *c)
{
	return config_kafka_tls(c) || (config_kafka_login(c) && *c->kafka_oauth_url);
}

/* The authorities believed over TLS to Kafka: its own setting, else the API's; "" the system's. */
static inline const char *config_kafka_ca_file(const struct config *c)
{
	return *c->kafka_ca_file ? c->kafka_ca_file : c->api_ca_file;
}

/* The authorities believed of a schema registry: its own setting, else Kafka's. */
static inline const char *config_registry_ca_file(const struct config *c)
{
	return *c->registry_ca_file ? c->registry_ca_file : config_kafka_ca_file(c);
}
