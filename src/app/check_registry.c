/* check_registry.c - `check --online` and the schema registry. */
#include "app/online.h"

#include "app/options.h"
#include "app/schema.h"
#include "base/text.h"
#include "feed/registry.h"
#include "service/service.h"

#include <inttypes.h>

enum { QUESTION_MS = 15000, TURN_MS = 1000 };

struct asking {
	struct online *online;
	const struct config *config;
	char subject[REGISTRY_SUBJECT_BYTES];
	struct trust *trust;
	struct registry_result result;
	bool done;
};

static int code_of(enum registry_outcome outcome)
{
	switch (outcome) {
	case REGISTRY_OK:
		return EXIT_DONE;
	case REGISTRY_AWAY:
	case REGISTRY_NO_SUBJECT:
		return EXIT_PEER;
	case REGISTRY_DENIED:
	case REGISTRY_INCOMPATIBLE:
	case REGISTRY_UNUSABLE:
		break;
	}
	return EXIT_SETTINGS;
}

static void answered(void *context, const struct registry_result *result)
{
	struct asking *a = context;

	a->result = *result;
	a->done = true;
}

/* One question and its answer, which is in a->result on STATUS_OK. */
static enum status ask_in(struct asking *a, struct loop *loop, const char *schema, struct why *why)
{
	const struct registry_question q = {
		.url = a->config->registry_url,
		.user = a->config->registry_key,
		.secret = a->config->registry_secret,
		.subject = a->subject,
		.schema = schema,
		.timeout_ms = QUESTION_MS,
		.trust = a->trust,
	};
	struct registry *r = NULL;
	enum status s = registry_ask(&r, loop, &q, answered, a, why);

	a->done = false;
	while (s == STATUS_OK && !a->done)
		s = loop_turn(loop, TURN_MS, why);
	registry_close(r);
	return s;
}

/* True when the registry said yes; all else is told. */
static bool ask(struct asking *a, const char *schema)
{
	struct loop *loop = NULL;
	struct why why;
	enum status s = loop_open(&loop, &why);

	if (s == STATUS_OK)
		s = ask_in(a, loop, schema, &why);
	loop_close(loop);
	if (s != STATUS_OK)
		online_tell(a->online, "registry",
			s == STATUS_NO_MEMORY ? EXIT_INTERNAL : EXIT_SETTINGS, "%s", why.text);
	else if (a->result.outcome != REGISTRY_OK)
		online_tell(a->online, "registry", code_of(a->result.outcome), "%s",
			a->result.why.text);
	return s == STATUS_OK && a->result.outcome == REGISTRY_OK;
}

static const char *schema_of(const struct config *c)
{
	bool cricapi = text_equals_ignoring_case(c->source_name, "cricapi");

	return (const char *)(cricapi ? schema_match : schema_row);
}

static void check(struct asking *a)
{
	uint32_t registered = 0;

	if (a->online->options->register_schema) {
		if (!ask(a, schema_of(a->config)))
			return;
		registered = a->result.id;
		online_tell(a->online, "registry", EXIT_DONE,
			"the rows' schema is registered for '%s', with id %" PRIu32, a->subject,
			registered);
	}
	if (!ask(a, NULL))
		return;
	online_tell(a->online, "registry", EXIT_DONE,
		"subject '%s': values are framed with schema id %" PRIu32 ", version %u%s",
		a->subject, a->result.id, a->result.version,
		registered && registered != a->result.id
			? "; that is the subject's latest, which was registered by somebody else"
			: "");
}

void online_registry(struct online *o)
{
	const struct config *c = o->config;
	struct asking a = {.online = o, .config = c};
	struct why why;

	if (!*c->registry_url) {
		if (o->options->register_schema)
			online_tell(o, "registry", EXIT_SETTINGS,
				"--register-schema needs SCOREBOX_SCHEMA_REGISTRY_URL; nothing was registered");
		return;
	}
	/* A consumer reads what comes, framed or not, and asks nobody. */
	if (c->mode == MODE_CONSUME && !o->options->register_schema)
		return;
	registry_subject(c->kafka_topic, a.subject);
	if (trust_open(&a.trust, config_registry_ca_file(c), NULL, NULL, &why) == STATUS_OK)
		check(&a);
	else
		online_tell(o, "registry", EXIT_SETTINGS,
			"%s; look at SCOREBOX_SCHEMA_REGISTRY_CA_FILE", why.text);
	trust_close(a.trust);
}
