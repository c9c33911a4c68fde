/* kept.h - private to kafka/: a copy of the connection settings. Their strings are lent for one call only;
 * who makes a new client later needs them again. */
#pragma once
#include "kafka/client.h"

struct kept {
	struct kafka_settings settings;
	char *strings;
};

enum status kept_init(struct kept *k, const struct kafka_settings *settings) MUST_CHECK;
void kept_done(struct kept *k); /* zeroed is fine */
