/* kept.c - a copy of the connection settings. */
#include "kafka/kept.h"

#include <stdlib.h>
#include <string.h>

/* Copies one string behind the others. NULL stays NULL. */
static const char *keep_string(char **at, const char *text)
{
	char *copy = *at;

	if (!text)
		return NULL;
	size_t bytes = strlen(text) + 1;

	memcpy(copy, text, bytes);
	*at += bytes;
	return copy;
}

static size_t string_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

enum status kept_init(struct kept *k, const struct kafka_settings *s)
{
	size_t bytes = string_bytes(s->brokers) + string_bytes(s->topic) +
		       string_bytes(s->client_id) + string_bytes(s->compression) +
		       string_bytes(s->options) + string_bytes(s->group) +
		       string_bytes(s->instance);
	char *at = malloc(bytes > 0 ? bytes : 1);

	if (!at)
		return STATUS_NO_MEMORY;
	k->strings = at;
	k->settings = *s;
	k->settings.brokers = keep_string(&at, s->brokers);
	k->settings.topic = keep_string(&at, s->topic);
	k->settings.client_id = keep_string(&at, s->client_id);
	k->settings.compression = keep_string(&at, s->compression);
	k->settings.options = keep_string(&at, s->options);
	k->settings.group = keep_string(&at, s->group);
	k->settings.instance = keep_string(&at, s->instance);
	return STATUS_OK;
}

void kept_done(struct kept *k)
{
	free(k->strings);
	k->strings = NULL;
}
