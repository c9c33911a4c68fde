/* oauth.c - the login OAUTHBEARER: librdkafka asks for tokens, the settings know how to fetch one. librdkafka's
 * own way to an OpenID provider is not built in: it would bring no trusted roots to its HTTP client. */
#include "kafka/oauth.h"

#include "base/clock.h"
#include "kafka/handle.h"
#include "kafka/kept.h"
#include "tls/trust_files.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct oauth {
	pthread_mutex_t lock; /* over `kept`, which a renewal replaces */
	struct kept kept;
	atomic_bool stop;
};

/* librdkafka asks the name only for lines of its own. */
static void hand_over(struct oauth *o, rd_kafka_t *client, const struct kafka_security *security)
{
	char *token, reason[300];
	int64_t lifetime_ms;
	struct why why;

	if (security->fetch_token(security, &o->stop, &token, &lifetime_ms, &why) != STATUS_OK) {
		rd_kafka_oauthbearer_set_token_failure(client, why.text);
		return;
	}
	if (rd_kafka_oauthbearer_set_token(client, token, clock_wall_us() / 1000 + lifetime_ms,
		    security->username, NULL, 0, reason,
		    sizeof reason) != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_oauthbearer_set_token_failure(client, reason);
	explicit_bzero(token, strlen(token));
	free(token);
}

static void answer(struct oauth *o, rd_kafka_t *client)
{
	struct kept now;

	pthread_mutex_lock(&o->lock);
	enum status s = kept_init(&now, &o->kept.settings);

	pthread_mutex_unlock(&o->lock);
	if (s != STATUS_OK) {
		rd_kafka_oauthbearer_set_token_failure(client, "no memory");
		return;
	}
	hand_over(o, client, &now.settings.security);
	kept_done(&now);
}

/* In librdkafka's background thread, as oauth_start has it. */
static void on_wanted(rd_kafka_t *client, const char *unused, void *handle)
{
	(void)unused;
	answer(handle_oauth(handle), client);
}

enum status oauth_open(struct oauth **out, const struct kafka_security *security,
	rd_kafka_conf_t *conf, struct why *why)
{
	const struct kafka_settings settings = {.security = *security};
	struct oauth *o = calloc(1, sizeof *o);

	if (!o || kept_init(&o->kept, &settings) != STATUS_OK) {
		free(o);
		return fail(why, STATUS_NO_MEMORY, "login OAUTHBEARER");
	}
	o->kept.settings.security.trust = trust_files_share(security->trust);
	pthread_mutex_init(&o->lock, NULL);
	rd_kafka_conf_enable_sasl_queue(conf, 1);
	rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_wanted);
	*out = o;
	return STATUS_OK;
}

enum status oauth_start(struct oauth *o, rd_kafka_t *client, struct why *why)
{
	rd_kafka_error_t *error = o ? rd_kafka_sasl_background_callbacks_enable(client) : NULL;

	if (!error)
		return STATUS_OK;
	fail(why, STATUS_BAD_DATA, "login OAUTHBEARER: %s", rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	return STATUS_BAD_DATA;
}

enum status oauth_login(struct oauth *o, const char *id, const char *secret)
{
	pthread_mutex_lock(&o->lock);
	enum status s = kept_login(&o->kept, id, secret);

	pthread_mutex_unlock(&o->lock);
	return s;
}

void oauth_stop(struct oauth *o)
{
	if (o)
		atomic_store(&o->stop, true);
}

void oauth_close(struct oauth *o)
{
	if (!o)
		return;
	trust_files_close(o->kept.settings.security.trust);
	kept_done(&o->kept);
	pthread_mutex_destroy(&o->lock);
	free(o);
}
