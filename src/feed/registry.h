/* registry.h - one question to a schema registry: the latest schema of a subject, or the registration of one.
 * Driven by the service's loop; nothing of it stays in memory afterwards. https, or http without a login; no
 * redirects; an answer has at most 4 MiB, of which nothing but some figures is kept. Source: Confluent Schema
 * Registry's REST API v1 (Redpanda and Apicurio speak it too). */
#pragma once
#include "base/loop.h"
#include "base/status.h"
#include "tls/trust.h"
#include <stdint.h>

enum { REGISTRY_SUBJECT_BYTES = 256 }; /* a topic has at most 249 */

struct registry_question {	   /* all lent for the call, but `trust`, which is shared */
	const char *url;	   /* https://host[:port][/path] */
	const char *user, *secret; /* "" none */
	const char *subject;
	const char *schema; /* NULL: ask for the latest; else register this JSON Schema */
	int64_t timeout_ms;
	struct trust *trust;
};

enum registry_outcome {
	REGISTRY_OK,
	REGISTRY_AWAY,	       /* not reached, slow, or in trouble of its own: try again */
	REGISTRY_NO_SUBJECT,   /* reached; the subject has no schema */
	REGISTRY_DENIED,       /* the login, its rights, or TLS */
	REGISTRY_INCOMPATIBLE, /* registration: earlier versions do not allow it */
	REGISTRY_UNUSABLE,     /* not JSON Schema, a schema it cannot take, no registry at all */
};
struct registry_result {
	enum registry_outcome outcome;
	char code[32];		/* for the log: "registry.dns", "registry.auth", ... */
	struct why why;		/* in plain words, with the next step; never holds the secret */
	uint32_t id;		/* of REGISTRY_OK: rises from 1 */
	int64_t retry_after_ms; /* the registry's own wish; -1 none */
	unsigned version; /* of the latest; 0 after a registration, whose answer does not tell it */
};
typedef void registry_call(void *context, const struct registry_result *result);

/* The subject of a topic's values. */
void registry_subject(const char *topic, char out[REGISTRY_SUBJECT_BYTES]);

struct registry;
/* Asks; `done` is called once, later, from the loop, and may close. STATUS_BAD_DATA: the URL is none, or a
 * login would go over http. */
enum status registry_ask(struct registry **out, struct loop *loop,
	const struct registry_question *question, registry_call *done, void *context,
	struct why *why) MUST_CHECK;
void registry_close(
	struct registry *r); /* without an answer yet: there will be none; NULL is fine */
