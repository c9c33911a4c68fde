/* source.c - the profiles, and what a custom one must look like. */
#include "feed/source.h"
#include "base/text.h"
#include "feed/pointer.h"

#include <stdio.h>
#include <string.h>

/* CricAPI v1: {"apikey", "data": [rows], "status": "success", "info": {figures}}; a failure has
 * no data but {"status": "failure", "reason": "..."}. */
static const struct source cricapi = {
	.records = "/data",
	.id = "/id",
	.ok = "/status=success",
	.reason = "/reason",
	.total = "/info/totalRows",
	.offset_param = "offset",
	.hits_today = "/info/hitsToday",
	.hits_limit = "/info/hitsLimit",
	.hits_used = "/info/hitsUsed",
	.key_param = "apikey",
	.key_header = "",
};

/* A bare list of objects with an id each is the least that can be asked of an API. */
static const struct source custom = {
	.records = "",
	.id = "/id",
	.ok = "",
	.reason = "",
	.total = "",
	.offset_param = "",
	.hits_today = "",
	.hits_limit = "",
	.hits_used = "",
	.key_param = "apikey",
	.key_header = "",
};

enum status source_profile(const char *name, struct source *out)
{
	if (text_equals_ignoring_case(name, "cricapi"))
		*out = cricapi;
	else if (text_equals_ignoring_case(name, "custom"))
		*out = custom;
	else
		return STATUS_NOT_FOUND;
	return STATUS_OK;
}

static enum status check_pointer(const char *what, const char *text, struct why *why)
{
	struct pointer pointer;
	enum status status = pointer_parse(&pointer, text, why);

	return status == STATUS_OK ? status : why_prefix(why, status, "%s", what);
}

static enum status check_test(const char *test, struct why *why)
{
	const char *equals = strchr(test, '=');
	char path[POINTER_BYTES + 1];

	if (!*test)
		return STATUS_OK;
	if (!equals)
		return fail(why, STATUS_BAD_DATA,
			"success test '%s' must read POINTER=VALUE, as in /status=success", test);
	if ((size_t)(equals - test) >= sizeof path || strlen(equals + 1) >= POINTER_BYTES)
		return fail(why, STATUS_BAD_DATA, "success test is longer than %d bytes",
			POINTER_BYTES);
	snprintf(path, sizeof path, "%.*s", (int)(equals - test), test);
	return check_pointer("success test", path, why);
}

/* What goes into a query as it stands. */
static enum status check_parameter(const char *what, const char *name, struct why *why)
{
	for (const char *c = name; *c; c++) {
		if (*c <= ' ' || *c > '~' || strchr("&=?#%+:", *c))
			return fail(why, STATUS_BAD_DATA, "%s '%s' may not hold '%c'", what, name,
				*c > ' ' && *c <= '~' ? *c : '?');
	}
	return STATUS_OK;
}

enum status source_check(const struct source *s, struct why *why)
{
	const struct {
		const char *what, *pointer;
	} pointers[] = {
		{"records", s->records},
		{"id", s->id},
		{"reason", s->reason},
		{"total", s->total},
		{"hits today", s->hits_today},
		{"hits limit", s->hits_limit},
		{"hits used", s->hits_used},
	};
	enum status status = STATUS_OK;

	if (!*s->id)
		return fail(
			why, STATUS_BAD_DATA, "id: a pointer within a row is needed, as in /id");
	for (size_t i = 0; i < sizeof pointers / sizeof *pointers && status == STATUS_OK; i++)
		status = check_pointer(pointers[i].what, pointers[i].pointer, why);
	if (status == STATUS_OK)
		status = check_test(s->ok, why);
	if (status == STATUS_OK)
		status = check_parameter("paging parameter", s->offset_param, why);
	if (status == STATUS_OK)
		status = check_parameter("key parameter", s->key_param, why);
	if (status == STATUS_OK)
		status = check_parameter("key header", s->key_header, why);
	return status;
}
