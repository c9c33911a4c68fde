/* fault.c - reads --fault. */
#include "replay/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum fault_kind kind;
} kinds[] = {
	{"401", FAULT_401},
	{"429", FAULT_429},
	{"500", FAULT_500},
	{"html", FAULT_HTML},
	{"truncate", FAULT_TRUNCATE},
	{"slow", FAULT_SLOW},
	{"stall", FAULT_STALL},
	{"reset", FAULT_RESET},
	{"huge", FAULT_HUGE},
	{"redirect", FAULT_REDIRECT},
	{"gzip", FAULT_GZIP},
	{"headers", FAULT_HEADERS},
	{"chunked-truncated", FAULT_CHUNKED},
};

static enum status find_kind(const char *name, size_t length, enum fault_kind *out, struct why *why)
{
	char known[200] = "";

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, name, length) == 0) {
			*out = kinds[i].kind;
			return STATUS_OK;
		}
		strcat(strcat(known, " "), kinds[i].name);
	}
	return fail(why, STATUS_BAD_DATA, "no such fault: '%.*s'; there are%s", (int)length, name,
		known);
}

static enum status parse_rule(
	const char *text, size_t length, struct fault_rule *out, struct why *why)
{
	const char *at = memchr(text, '@', length);
	size_t name_length = at ? (size_t)(at - text) : length;
	enum status s = find_kind(text, name_length, &out->kind, why);

	out->from = 1;
	out->to = UINT64_MAX;
	if (s != STATUS_OK || !at)
		return s;

	const char *end = text + length;
	char *stop;
	unsigned long long n = strtoull(at + 1, &stop, 10);
	bool onwards = stop < end && *stop == '+';

	if (at[1] < '0' || at[1] > '9' || stop + onwards != end || n == 0)
		return fail(why, STATUS_BAD_DATA, "'%.*s' is no KIND, KIND@N or KIND@N+",
			(int)length, text);
	out->from = n;
	if (!onwards)
		out->to = n;
	return STATUS_OK;
}

enum status fault_parse(const char *text, struct fault_plan *out, struct why *why)
{
	out->count = 0;
	while (text && *text) {
		size_t length = strcspn(text, ",");

		if (out->count == FAULT_RULES)
			return fail(why, STATUS_BAD_DATA, "more than %d faults", FAULT_RULES);

		enum status s = parse_rule(text, length, &out->rules[out->count], why);

		if (s != STATUS_OK)
			return s;
		out->count++;
		text += length + (text[length] == ',');
	}
	return STATUS_OK;
}

enum fault_kind fault_of(const struct fault_plan *plan, uint64_t request)
{
	for (unsigned i = 0; i < plan->count; i++)
		if (request >= plan->rules[i].from && request <= plan->rules[i].to)
			return plan->rules[i].kind;
	return FAULT_NONE;
}

bool fault_replaces(enum fault_kind kind)
{
	switch (kind) {
	case FAULT_401:
	case FAULT_429:
	case FAULT_500:
	case FAULT_HTML:
	case FAULT_REDIRECT:
	case FAULT_GZIP:
	case FAULT_HUGE:
		return true;
	case FAULT_NONE:
	case FAULT_HEADERS:
	case FAULT_TRUNCATE:
	case FAULT_STALL:
	case FAULT_RESET:
	case FAULT_SLOW:
	case FAULT_CHUNKED:
		return false;
	}
	return false;
}
