/* registry.c - one question to a schema registry. */
#include "feed/registry.h"

#include "base/log.h"
#include "base/text.h"
#include "feed/fetch.h"
#include "feed/login.h"
#include "feed/registry_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	URL_BYTES = 1024,
	ANSWER_MAX_BYTES = 4 << 20,
	SCHEMA_MAX_BYTES = 64 << 10,
	SUBJECT_NOT_FOUND = 40401,
	VERSION_NOT_FOUND = 40402,
};

struct registry {
	struct fetch *fetch;
	struct registry_answer answer;
	registry_call *done;
	void *context;
	bool registers;
	char subject[REGISTRY_SUBJECT_BYTES], host[264];
};

static const struct fetch_names names = {
	.key = "login",
	.url_setting = "SCOREBOX_SCHEMA_REGISTRY_URL",
	.key_setting = "SCOREBOX_SCHEMA_REGISTRY_KEY and _SECRET",
};

void registry_subject(const char *topic, char out[REGISTRY_SUBJECT_BYTES])
{
	snprintf(out, REGISTRY_SUBJECT_BYTES, "%.249s-value", topic);
}

/* ---- the answer ---- */

static void set(struct registry_result *out, enum registry_outcome outcome, const char *code)
{
	out->outcome = outcome;
	snprintf(out->code, sizeof out->code, "registry.%s", code);
}

static const char *message_of(const struct registry *r)
{
	return *r->answer.message ? r->answer.message : "no reason given";
}

static void judge_answer(const struct registry *r, struct registry_result *out)
{
	const struct registry_answer *a = &r->answer;

	if (!a->well || a->id < 1 || a->id > UINT32_MAX) {
		set(out, REGISTRY_UNUSABLE, "answer");
		fail(&out->why, STATUS_BAD_DATA,
			"%s answers without a schema's id; is it a schema registry? check %s",
			r->host, names.url_setting);
	} else if (!r->registers && strcmp(a->type, "JSON") != 0) {
		set(out, REGISTRY_UNUSABLE, "type");
		fail(&out->why, STATUS_BAD_DATA,
			"the latest schema of subject '%s' is %s, and rows are JSON: readers would trip; "
			"register the rows' own, or use another topic",
			r->subject, *a->type ? a->type : "AVRO");
	} else {
		set(out, REGISTRY_OK, "ok");
		out->id = (uint32_t)a->id;
		out->version = a->version > 0 ? (unsigned)a->version : 0;
	}
}

static void judge_not_found(const struct registry *r, struct registry_result *out)
{
	if (r->answer.error_code == SUBJECT_NOT_FOUND ||
		r->answer.error_code == VERSION_NOT_FOUND) {
		set(out, REGISTRY_NO_SUBJECT, "subject");
		fail(&out->why, STATUS_NOT_FOUND,
			"the registry knows no schema of subject '%s' (`scorebox check --online "
			"--register-schema` registers it)",
			r->subject);
	} else {
		set(out, REGISTRY_UNUSABLE, "answer");
		fail(&out->why, STATUS_BAD_DATA,
			"%s answered HTTP 404, not as a registry does; check %s", r->host,
			names.url_setting);
	}
}

/* Answers of the registry itself that the transport cannot know. False: none of them. */
static bool judge_status(
	const struct registry *r, const struct fetch_result *f, struct registry_result *out)
{
	switch (f->http_status) {
	case 404:
		judge_not_found(r, out);
		return true;
	case 409:
		set(out, REGISTRY_INCOMPATIBLE, "incompatible");
		fail(&out->why, STATUS_DENIED,
			"subject '%s' has earlier versions that the rows' schema is not compatible with "
			"(%.120s); lower the subject's compatibility level, or use another topic",
			r->subject, message_of(r));
		return true;
	case 422:
		set(out, REGISTRY_UNUSABLE, "refused");
		fail(&out->why, STATUS_BAD_DATA,
			"%s does not take this schema: %.160s (HTTP 422); does it know JSON Schema?",
			r->host, message_of(r));
		return true;
	default:
		return false;
	}
}

static enum registry_outcome outcome_of(enum fetch_outcome outcome)
{
	switch (outcome) {
	case FETCH_AUTH:
	case FETCH_TLS:
		return REGISTRY_DENIED;
	case FETCH_REDIRECT:
	case FETCH_NOT_JSON:
	case FETCH_TOO_BIG:
		return REGISTRY_UNUSABLE;
	case FETCH_OK:
	case FETCH_DNS:
	case FETCH_CONNECT:
	case FETCH_TIMEOUT:
	case FETCH_SLOW:
	case FETCH_RESET:
	case FETCH_PARTIAL:
	case FETCH_HEADERS:
	case FETCH_QUOTA:
	case FETCH_SERVER:
	case FETCH_HTTP:
	case FETCH_REFUSED:
	case FETCH_CANCELLED:
		break;
	}
	return REGISTRY_AWAY;
}

static void answered(void *context, const struct fetch_result *f)
{
	struct registry *r = context;
	struct registry_result result = {
		.outcome = REGISTRY_AWAY, .retry_after_ms = f->retry_after_ms};

	registry_answer_end(&r->answer);
	if (f->outcome == FETCH_OK) {
		judge_answer(r, &result);
	} else if (!judge_status(r, f, &result)) {
		/* "api.dns" is "registry.dns" here. */
		set(&result, outcome_of(f->outcome), strchr(f->code, '.') + 1);
		result.why = f->why;
	}
	r->done(r->context, &result);
}

static enum status take(void *context, const char *bytes, size_t length, struct why *why)
{
	struct registry *r = context;

	(void)why;
	registry_answer_feed(&r->answer, bytes, length);
	return STATUS_OK;
}

/* ---- the question ---- */

static enum status make_body(struct buffer *body, const char *schema, struct why *why)
{
	enum status s = buffer_add_text(body, "{\"schemaType\":\"JSON\",\"schema\":");

	if (s == STATUS_OK)
		s = text_json_string(body, schema, strlen(schema));
	if (s == STATUS_OK)
		s = buffer_add_text(body, "}");
	return s == STATUS_OK ? s : fail(why, s, "no room for the schema");
}

static enum status make_url(struct buffer *url, const struct registry_question *q, struct why *why)
{
	size_t length = strlen(q->url);
	enum status s;

	while (length && q->url[length - 1] == '/')
		length--;
	s = buffer_add(url, q->url, length);
	if (s == STATUS_OK)
		s = buffer_format(
			url, "/subjects/%s/versions%s", q->subject, q->schema ? "" : "/latest");
	return s == STATUS_OK ? s : fail(why, s, "%s is too long", names.url_setting);
}

static enum status open_fetch(struct registry *r, struct loop *loop,
	const struct registry_question *q, const char *url, const char *login, const char *body,
	struct why *why)
{
	const struct fetch_options options = {
		.url = url,
		.key = login,
		.key_param = "",
		.key_header = "Authorization",
		.proxy = "",
		.timeout_ms = q->timeout_ms,
		.max_body_bytes = ANSWER_MAX_BYTES,
		.trust = q->trust,
		.names = &names,
		.plain = !*login,
		.accept = "application/vnd.schemaregistry.v1+json, application/json",
		.post = body,
		.content_type = "application/vnd.schemaregistry.v1+json",
		.every_answer = true,
	};

	return fetch_open(&r->fetch, loop, &options, why);
}

static enum status open_all(
	struct registry *r, struct loop *loop, const struct registry_question *q, struct why *why)
{
	struct buffer url, body;
	char *login = *q->user ? login_basic(q->user, q->secret) : strdup("");
	enum status s;

	if (!login)
		return fail(why, STATUS_NO_MEMORY, "no memory for a login");
	buffer_init(&url, URL_BYTES);
	buffer_init(&body, SCHEMA_MAX_BYTES);
	s = make_url(&url, q, why);
	if (s == STATUS_OK && q->schema)
		s = make_body(&body, q->schema, why);
	if (s == STATUS_OK)
		s = open_fetch(r, loop, q, url.bytes, login, q->schema ? body.bytes : NULL, why);
	explicit_bzero(login, strlen(login));
	free(login);
	buffer_done(&url);
	buffer_done(&body);
	return s;
}

/* The host, with its port, for what is said of it. */
static void take_host(struct registry *r, const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	snprintf(r->host, sizeof r->host, "%.*s", (int)strcspn(host, "/?#"), host);
}

enum status registry_ask(struct registry **out, struct loop *loop,
	const struct registry_question *q, registry_call *done, void *context, struct why *why)
{
	struct registry *r = calloc(1, sizeof *r);
	enum status s;

	if (!r)
		return fail(why, STATUS_NO_MEMORY, "no memory for asking the schema registry");
	r->done = done;
	r->context = context;
	r->registers = q->schema != NULL;
	snprintf(r->subject, sizeof r->subject, "%s", q->subject);
	take_host(r, q->url);
	registry_answer_begin(&r->answer);
	s = open_all(r, loop, q, why);
	if (s == STATUS_OK)
		s = fetch_start(r->fetch, "", 0, take, answered, r, why);
	if (s != STATUS_OK) {
		registry_close(r);
		return s;
	}
	*out = r;
	return STATUS_OK;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	fetch_close(r->fetch);
	free(r);
}
