#include "service/framing.h"

#include "base/clock.h"
#include "feed/registry.h"
#include "tls/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUESTION_MS = 15000,
	FIRST_PAUSE_MS = 1000,
	PAUSE_CEILING_MS = 5 * 60000,
	HUMAN_PAUSE_MS = 15000, /* at least, where a human must act */
	CLOCK_LOOK_MS = 1000,
	TELL_EVERY_MS = 10 * 60000,
	TELL_KNOWN_EVERY_MS = 6 * 3600000, /* nothing waits */
	NOTE_BYTES = 32,
};

struct framing {
	struct loop *loop;
	struct spool *spool;
	const struct parts *parts;
	const struct config *config; /* the newest */
	struct framing_calls calls;
	struct registry *registry; /* a question is out */
	char subject[REGISTRY_SUBJECT_BYTES];
	char note[NOTE_BYTES + 2 * DIGEST_BYTES];
	uint32_t id; /* 0: not known */
	bool again;  /* asked anew while a question was out */
	int64_t clock_until_ms;
	struct backoff backoff;
	struct log_gate gate;
	char told_code[32];
};

static void ask(void *context);

static void show(struct framing *f, const char *trouble)
{
	struct health_facts *facts = health_begin(f->parts->health);
	facts->schema.wanted = true;
	facts->schema.id = f->id;
	snprintf(facts->schema.subject, sizeof facts->schema.subject, "%s", f->subject);
	snprintf(facts->schema.trouble, sizeof facts->schema.trouble, "%s", trouble);
	health_end(f->parts->health, true);
}

static void ask_at(struct framing *f, int64_t at_ms)
{
	if (loop_timer(f->loop, at_ms, ask, f) != STATUS_OK)
		log_error("loop.timers",
			"no timer left for asking the schema registry again; a restart asks");
}

/* ---- what we know ---- */

/* One note for each registry and subject: going back to one of before finds its id. */
static void name_note(struct framing *f)
{
	char pair[2048], hex[2 * DIGEST_BYTES + 1];
	struct digest d;
	int n = snprintf(pair, sizeof pair, "%s\n%s", f->parts->config->registry_url, f->subject);
	digest_of(pair, n < (int)sizeof pair ? (size_t)n : sizeof pair - 1, &d);
	digest_hex(d.bytes, DIGEST_BYTES, hex);
	snprintf(f->note, sizeof f->note, "schema %s", hex);
}

static enum status recall(struct framing *f, struct why *why)
{
	char text[32];
	enum status s = spool_note_get(f->spool, f->note, text, sizeof text, why);
	if (s == STATUS_OK)
		f->id = (uint32_t)strtoul(text, NULL, 10);
	return s == STATUS_NOT_FOUND || s == STATUS_FULL ? STATUS_OK : s;
}

static void remember(struct framing *f)
{
	char text[32];
	struct why why;
	snprintf(text, sizeof text, "%" PRIu32, f->id);
	enum status s = spool_note_set(f->spool, f->note, text, &why);
	if (s == STATUS_IO || s == STATUS_FATAL)
		f->calls.on_trouble(f->calls.context, s, &why);
	else if (s != STATUS_OK)
		log_warn("spool.note",
			"%s; nothing lost; the schema's id is asked for again at the next start",
			why.text);
}

static void use(struct framing *f, uint32_t id, unsigned version)
{
	uint32_t before = f->id;
	f->id = id;
	remember(f);
	if (before && before != id)
		log_info("registry.schema",
			"values are framed with schema id %" PRIu32
			" from now on (subject '%s', version %u); before it was %" PRIu32,
			id, f->subject, version, before);
	else if (!before || *f->told_code)
		log_info("registry.schema",
			"values are framed with schema id %" PRIu32 " (subject '%s', version %u)",
			id, f->subject, version);
	f->told_code[0] = '\0';
	log_gate_reset(&f->gate);
	backoff_reset(&f->backoff);
	show(f, "");
	f->calls.on_schema(f->calls.context, id);
}

/* ---- asking ---- */

static void failed(struct framing *f, const struct registry_result *r)
{
	char span[40];
	unsigned long held;
	bool human = r->outcome != REGISTRY_AWAY;
	int64_t now = clock_mono_ms(), wait = backoff_next_ms(&f->backoff);
	if (human && wait < HUMAN_PAUSE_MS)
		wait = HUMAN_PAUSE_MS;
	if (r->retry_after_ms > wait)
		wait = r->retry_after_ms;
	ask_at(f, now + wait);
	clock_span_text(wait, span, sizeof span);
	if (strcmp(f->told_code, r->code) != 0) {
		log_gate_reset(&f->gate);
		snprintf(f->told_code, sizeof f->told_code, "%s", r->code);
	}
	show(f, r->why.text);
	if (!log_gate_pass(&f->gate, now, f->id ? TELL_KNOWN_EVERY_MS : TELL_EVERY_MS, &held))
		return;
	if (f->id)
		log_line(human ? LOG_ERROR : LOG_WARN, r->code,
			"%s; nothing lost, values go on with schema id %" PRIu32
			"; asked again in %s",
			r->why.text, f->id, span);
	else
		log_line(human ? LOG_ERROR : LOG_WARN, r->code,
			"%s; nothing lost, polling goes on and rows wait in the spool until the schema's id is known; asked again in %s",
			r->why.text, span);
}

static void answered(void *context, const struct registry_result *r)
{
	struct framing *f = context;
	bool again = f->again;
	registry_close(f->registry);
	f->registry = NULL;
	f->again = false;
	if (again)
		ask_at(f, clock_mono_ms());
	else if (r->outcome == REGISTRY_OK)
		use(f, r->id, r->version);
	else
		failed(f, r);
}

static enum status ask_registry(struct framing *f, struct why *why)
{
	const struct config *c = f->config;
	struct registry_question q = {
		.url = f->parts->config->registry_url,
		.user = c->registry_key,
		.secret = c->registry_secret,
		.subject = f->subject,
		.timeout_ms = QUESTION_MS,
	};
	enum status s = trust_open(&q.trust, config_registry_ca_file(c), NULL, NULL, why);
	if (s == STATUS_OK)
		s = registry_ask(&f->registry, f->loop, &q, answered, f, why);
	trust_close(q.trust);
	return s;
}

/* Without a clock no certificate can be judged: the same patience as the poller's, which says so. */
static bool clock_is_awaited(struct framing *f)
{
	int64_t now = clock_mono_ms();
	if (clock_believable() || now >= f->clock_until_ms)
		return false;
	ask_at(f, now + CLOCK_LOOK_MS);
	return true;
}

static void ask(void *context)
{
	struct framing *f = context;
	struct registry_result none = {
		.outcome = REGISTRY_AWAY, .code = "registry.ask", .retry_after_ms = -1};
	if (f->registry || clock_is_awaited(f))
		return;
	enum status s = ask_registry(f, &none.why);
	if (s == STATUS_OK)
		return;
	if (s == STATUS_BAD_DATA || s == STATUS_DENIED)
		none.outcome = REGISTRY_DENIED;
	failed(f, &none);
}

/* ---- opening ---- */

enum status framing_open(struct framing **out, struct loop *loop, struct spool *spool,
	const struct parts *parts, const struct config *config, const struct framing_calls *calls,
	struct why *why)
{
	struct framing *f = calloc(1, sizeof *f);
	if (!f)
		return fail(why, STATUS_NO_MEMORY, "no memory for framing");
	f->loop = loop;
	f->spool = spool;
	f->parts = parts;
	f->config = config;
	f->calls = *calls;
	f->backoff = (struct backoff){.first_ms = FIRST_PAUSE_MS, .ceiling_ms = PAUSE_CEILING_MS};
	f->clock_until_ms = clock_mono_ms() + config->clock_wait_ms;
	registry_subject(parts->config->kafka_topic, f->subject);
	name_note(f);
	enum status s = recall(f, why);
	if (s != STATUS_OK) {
		framing_close(f);
		return s;
	}
	show(f, f->id ? "" : "the schema's id is not known yet");
	*out = f;
	if (f->id) {
		log_info("registry.schema",
			"values are framed with schema id %" PRIu32
			" as before (subject '%s'); the registry is asked for the latest",
			f->id, f->subject);
		f->calls.on_schema(f->calls.context, f->id);
	}
	ask_at(f, clock_mono_ms());
	return STATUS_OK;
}

void framing_close(struct framing *f)
{
	if (!f)
		return;
	loop_timer_stop(f->loop, ask, f);
	registry_close(f->registry);
	free(f);
}

void framing_renew(struct framing *f, const struct config *config)
{
	f->config = config;
	backoff_reset(&f->backoff);
	if (f->registry)
		f->again = true; /* the answer that is under way is of the old login */
	else
		ask_at(f, clock_mono_ms());
}
