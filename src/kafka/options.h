/* options.h - private to kafka/: the further librdkafka properties a human may set (SCOREBOX_KAFKA_OPTIONS).
 * A short list, as most of the rest would undo a promise: durability, order, memory. */
#pragma once
#include "base/status.h"

struct option {
	const char *name;
	int roles; /* enum role, or'ed */
};
typedef enum status option_call(
	void *context, const struct option *option, const char *value, struct why *why);

/* Calls for each "name=value" of `options` (NULL and "" are none) that concerns one of `roles`.
 * STATUS_BAD_DATA: a name not on the list, no value, or too long; else the call's first failure. */
enum status options_each(const char *options, int roles, option_call *call, void *context,
	struct why *why) MUST_CHECK;
