/* kept.c - a copy of the connection settings. */
#include "kafka/kept.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Where the strings are that were lent. */
static const size_t strings[] = {
	offsetof(struct kafka_settings, brokers),
	offsetof(struct kafka_settings, topic),
	offsetof(struct kafka_settings, client_id),
	offsetof(struct kafka_settings, compression),
	offsetof(struct kafka_settings, options),
	offsetof(struct kafka_settings, group),
	offsetof(struct kafka_settings, instance),
	offsetof(struct kafka_settings, security.ca_file),
	offsetof(struct kafka_settings, security.cert_file),
	offsetof(struct kafka_settings, security.key_file),
	offsetof(struct kafka_settings, security.mechanism),
	offsetof(struct kafka_settings, security.username),
	offsetof(struct kafka_settings, security.password),
	offsetof(struct kafka_settings, security.oauth_url),
	offsetof(struct kafka_settings, security.oauth_scope),
};
enum { STRINGS = sizeof strings / sizeof *strings };

static const char **string_at(struct kafka_settings *s, int i)
{
	return (const char **)(void *)((char *)s + strings[i]);
}

static size_t string_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

enum status kept_init(struct kept *k, const struct kafka_settings *settings)
{
	struct kept made = {.settings = *settings};
	char *at;

	for (int i = 0; i < STRINGS; i++)
		made.bytes += string_bytes(*string_at(&made.settings, i));
	at = made.strings = malloc(made.bytes > 0 ? made.bytes : 1);
	if (!at)
		return STATUS_NO_MEMORY;
	for (int i = 0; i < STRINGS; i++) {
		const char **text = string_at(&made.settings, i); /* NULL stays NULL */
		size_t bytes = string_bytes(*text);

		if (bytes == 0)
			continue;
		memcpy(at, *text, bytes);
		*text = at;
		at += bytes;
	}
	*k = made;
	return STATUS_OK;
}

enum status kept_login(struct kept *k, const char *username, const char *password)
{
	struct kafka_settings settings = k->settings;
	struct kept made;

	settings.security.username = username;
	settings.security.password = password;
	if (kept_init(&made, &settings) != STATUS_OK)
		return STATUS_NO_MEMORY;
	kept_done(k);
	*k = made;
	return STATUS_OK;
}

void kept_done(struct kept *k)
{
	if (k->strings)
		explicit_bzero(k->strings, k->bytes); /* a password is among them */
	free(k->strings);
	k->strings = NULL;
}
