/* kept.h - private to kafka/: a copy of the connection settings. Their strings are lent for one call only;
 * who makes a new client later needs them again. */
#pragma once
#include "kafka/client.h"

struct kept {
	struct kafka_settings settings;
	char *strings; /* wiped before they are freed */
	size_t bytes;
};

enum status kept_init(struct kept *k, const struct kafka_settings *settings) MUST_CHECK;
/* The same with another name and password. On failure nothing changes. */
enum status kept_login(struct kept *k, const char *username, const char *password) MUST_CHECK;
void kept_done(struct kept *k); /* zeroed is fine */
