/* options.c - the further librdkafka properties a human may set. */
#include "kafka/options.h"

#include "kafka/properties.h"

#include <stdio.h>
#include <string.h>

#define BOTH (ROLE_PRODUCER | ROLE_CONSUMER)

static const struct option allowed[] = {
	{"broker.address.family", BOTH},
	{"broker.address.ttl", BOTH},
	{"client.rack", BOTH},
	{"connections.max.idle.ms", BOTH},
	{"reconnect.backoff.ms", BOTH},
	{"reconnect.backoff.max.ms", BOTH},
	{"retry.backoff.ms", BOTH},
	{"retry.backoff.max.ms", BOTH},
	{"socket.timeout.ms", BOTH},
	{"socket.connection.setup.timeout.ms", BOTH},
	{"socket.keepalive.enable", BOTH},
	{"topic.metadata.refresh.interval.ms", BOTH},
	{"topic.metadata.propagation.max.ms", BOTH},
	{"debug", BOTH},
	{"compression.level", ROLE_PRODUCER},
	{"request.timeout.ms", ROLE_PRODUCER},
	{"fetch.wait.max.ms", ROLE_CONSUMER},
	{"fetch.error.backoff.ms", ROLE_CONSUMER},
	{"receive.message.max.bytes", ROLE_CONSUMER},
	{"heartbeat.interval.ms", ROLE_CONSUMER},
	{"session.timeout.ms", ROLE_CONSUMER},
	{"max.poll.interval.ms", ROLE_CONSUMER},
};

enum { ALLOWED = sizeof allowed / sizeof *allowed, NAME_BYTES = 64, VALUE_BYTES = 128 };

static const struct option *find(const char *name)
{
	for (int i = 0; i < ALLOWED; i++)
		if (strcmp(allowed[i].name, name) == 0)
			return &allowed[i];
	return NULL;
}

static enum status not_allowed(const char *name, struct why *why)
{
	char list[sizeof why->text];
	size_t used = 0;

	list[0] = '\0';
	for (int i = 0; i < ALLOWED && used < sizeof list; i++)
		used += (size_t)snprintf(
			list + used, sizeof list - used, "%s%s", i > 0 ? " " : "", allowed[i].name);
	return fail(why, STATUS_BAD_DATA, "Kafka option '%s' is not allowed; allowed are: %s", name,
		list);
}

/* Copies [start, end) without the blanks around it. False: too long. */
static int copy_trimmed(const char *start, const char *end, char *out, size_t out_bytes)
{
	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	while (start < end && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if ((size_t)(end - start) >= out_bytes)
		return 0;
	memcpy(out, start, (size_t)(end - start));
	out[end - start] = '\0';
	return 1;
}

static enum status take(const char *item, const char *end, int roles, option_call *call,
	void *context, struct why *why)
{
	const char *equals = memchr(item, '=', (size_t)(end - item));
	char name[NAME_BYTES], value[VALUE_BYTES];

	if (!copy_trimmed(item, equals ? equals : end, name, sizeof name))
		return fail(why, STATUS_BAD_DATA, "Kafka option '%.40s...': the name is too long",
			item);
	if (!*name && !equals)
		return fail(why, STATUS_BAD_DATA, "Kafka options: nothing between two commas");

	const struct option *option = find(name);

	if (!option)
		return not_allowed(name, why);
	if (!equals)
		return fail(why, STATUS_BAD_DATA, "Kafka option '%s': no '=value' behind it", name);
	if (!copy_trimmed(equals + 1, end, value, sizeof value) || !*value)
		return fail(why, STATUS_BAD_DATA,
			"Kafka option '%s': its value is empty or too long", name);
	return option->roles & roles ? call(context, option, value, why) : STATUS_OK;
}

enum status options_each(
	const char *options, int roles, option_call *call, void *context, struct why *why)
{
	const char *item = options;

	while (item && *item) {
		const char *end = item + strcspn(item, ",");
		enum status s = take(item, end, roles, call, context, why);

		if (s != STATUS_OK)
			return s;
		item = *end ? end + 1 : end;
	}
	return STATUS_OK;
}
