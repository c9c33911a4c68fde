/* setting.h - private to kafka/: a configuration of librdkafka in the making. */
#pragma once
#include "kafka/properties.h"

/* Properties are set until one is refused. */
struct setting {
	struct rd_kafka_conf_s *conf;
	struct why *why;
	enum status status;
};

/* Does nothing once `status` is no longer STATUS_OK. */
void properties_set(struct setting *s, const char *name, const char *value);
/* properties_openssl.c, in that build only: TLS by librdkafka itself. */
void properties_openssl(struct setting *s, const struct kafka_security *security);
