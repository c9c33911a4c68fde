/* oauth.h - private to kafka/: the login OAUTHBEARER. librdkafka asks for a token, and again before one runs
 * out, in a thread of its own that may wait for the answer; without one it asks again after 10 s. */
#pragma once
#include "kafka/client.h"

struct oauth;
struct rd_kafka_s;
struct rd_kafka_conf_s;

/* Copies what it needs, and sets up `conf`, whose opaque must be the handle (handle_oauth). */
enum status oauth_open(struct oauth **out, const struct kafka_security *security,
	struct rd_kafka_conf_s *conf, struct why *why) MUST_CHECK;
/* For the client made of that configuration. NULL is fine. */
enum status oauth_start(struct oauth *o, struct rd_kafka_s *client, struct why *why) MUST_CHECK;
/* Another id and secret from the next token on. On failure nothing changes. */
enum status oauth_login(struct oauth *o, const char *id, const char *secret) MUST_CHECK;
void oauth_stop(struct oauth *o);  /* a fetch under way gives up soon; NULL is fine */
void oauth_close(struct oauth *o); /* after rd_kafka_destroy; NULL is fine */
