/* check_kafka.c - `check --online`: the brokers and the topic; `--create-topic` makes it. */
#include "app/online.h"
#include "kafka/topic.h"
#include "service/parts.h"
#include "service/service.h"
#include "tls/trust_files.h"

#include <inttypes.h>
#include <string.h>

enum {
	LOOK_MS = 10000,
	MAKE_MS = 20000,
	/* Partitions can never be added: room for 2, 3 or 6 boxes of a group with equal shares. More would be
	 * threads, files and, in some clouds, money, for a few rows a second. */
	PARTITIONS = 6,
	COPIES = 3, /* one broker may die while another one is being repaired */
	CONFIGS_MAX = 5,
	PLAN_BYTES = 400,
	ENVELOPE_BYTES = 64 * 1024,
	KAFKAS_MESSAGE_BYTES = 1048588, /* max.message.bytes where nobody sets it */
};

/* A box may be away for a fortnight. */
#define RETENTION "1209600000"

static struct kafka_settings settings_of(const struct config *c, struct trust_files *trust)
{
	return (struct kafka_settings){
		.brokers = c->kafka_brokers,
		.topic = c->kafka_topic,
		.compression = c->kafka_compression,
		.linger_ms = c->kafka_linger_ms,
		.options = c->kafka_options,
		.group = "",
		.instance = "",
		.queue_bytes = 1 << 20,
		.record_max_bytes = c->api_max_record,
		.security = parts_security(c, trust),
	};
}

/* ---- making it ---- */

struct plan {
	struct topic_plan topic;
	struct topic_config configs[CONFIGS_MAX];
	char message_bytes[24];
	char words[PLAN_BYTES];
};

static void add_config(struct plan *p, const char *name, const char *value)
{
	size_t used = strlen(p->words);

	p->configs[p->topic.config_count++] = (struct topic_config){name, value};
	snprintf(p->words + used, sizeof p->words - used, ", %s=%s", name, value);
}

static void draw_up(struct plan *p, const struct online *o, unsigned brokers)
{
	uint64_t largest = o->config->api_max_record + ENVELOPE_BYTES;
	char copies[32] = "the cluster's own replication";

	memset(p, 0, sizeof *p);
	p->topic.partitions = o->options->partitions ? o->options->partitions : PARTITIONS;
	p->topic.copies = o->options->replication ? o->options->replication
			  : brokers >= COPIES	  ? COPIES
						  : 0;
	p->topic.configs = p->configs;
	if (p->topic.copies)
		snprintf(copies, sizeof copies, "replication %u", p->topic.copies);
	snprintf(p->words, sizeof p->words, "%u partitions, %s", p->topic.partitions, copies);
	add_config(p, "cleanup.policy", "delete");
	add_config(p, "retention.ms", RETENTION);
	add_config(p, "retention.bytes", "-1");
	if (p->topic.copies >= COPIES)
		add_config(p, "min.insync.replicas", "2");
	if (largest > KAFKAS_MESSAGE_BYTES) {
		snprintf(p->message_bytes, sizeof p->message_bytes, "%" PRIu64, largest);
		add_config(p, "max.message.bytes", p->message_bytes);
	}
}

static void make(struct online *o, const struct kafka_settings *settings, unsigned brokers)
{
	const char *topic = o->config->kafka_topic;
	struct plan plan;
	struct why why;

	draw_up(&plan, o, brokers);
	switch (topic_make(settings, &plan.topic, MAKE_MS, &why)) {
	case STATUS_OK:
		online_tell(o, "create", EXIT_DONE, "made topic '%s': %s", topic, plan.words);
		break;
	case STATUS_BUSY:
		online_tell(o, "create", EXIT_PEER,
			"somebody else made '%s' at the same time; run this again", topic);
		break;
	case STATUS_DENIED:
		online_tell(o, "create", EXIT_PEER,
			"'%s' was not made: %s; give this user CREATE on the topic or the cluster, or let its "
			"owner make it: %s",
			topic, why.text, plan.words);
		break;
	case STATUS_BAD_DATA:
		online_tell(o, "create", EXIT_PEER,
			"the cluster does not make '%s' with %s: %s; try other figures with --partitions and "
			"--replication",
			topic, plan.words, why.text);
		break;
	default:
		online_tell(o, "create", EXIT_PEER,
			"whether '%s' was made is not known: %s; run this again", topic, why.text);
		break;
	}
}

/* It is there. What was asked for and what is may differ; that is never mended behind anybody's back. */
static void compare(struct online *o, const struct topic_facts *f)
{
	const char *topic = o->config->kafka_topic;
	unsigned partitions = o->options->partitions ? o->options->partitions : f->partitions;
	unsigned copies = o->options->replication ? o->options->replication : f->copies;

	if (partitions == f->partitions && copies == f->copies)
		online_tell(o, "create", EXIT_DONE,
			"'%s' exists with %u partitions, replication %u; nothing was made", topic,
			f->partitions, f->copies);
	else
		online_tell(o, "create", EXIT_SETTINGS,
			"'%s' exists with %u partitions, replication %u, not %u and %u; nothing was "
			"changed: set SCOREBOX_KAFKA_TOPIC to a new name, or leave these figures out",
			topic, f->partitions, f->copies, partitions, copies);
}

/* ---- looking ---- */

static void tell_missing(struct online *o, const struct topic_facts *f, const struct why *why)
{
	online_tell(o, "kafka", EXIT_DONE, "cluster %s, %u broker%s",
		*f->cluster ? f->cluster : "without a name", f->brokers,
		f->brokers == 1 ? "" : "s");
	online_tell(o, "topic", EXIT_PEER, "%s; `scorebox check --online --create-topic` makes it",
		why->text);
}

static void tell_failure(struct online *o, enum status s, const struct why *why)
{
	if (s == STATUS_DENIED)
		online_tell(o, "kafka", EXIT_PEER, "%s", why->text);
	else if (s == STATUS_BAD_DATA)
		online_tell(o, "kafka", EXIT_SETTINGS, "%s", why->text);
	else
		online_tell(o, "kafka", EXIT_PEER,
			"%s: %s; look at SCOREBOX_KAFKA_BROKERS and the network",
			o->config->kafka_brokers, why->text);
}

static void look(struct online *o, const struct kafka_settings *settings)
{
	struct topic_facts facts;
	struct why why;
	enum status s = topic_look(settings, LOOK_MS, &facts, &why);

	if (o->options->create_topic && s == STATUS_OK) {
		compare(o, &facts);
	} else if (o->options->create_topic && s == STATUS_NOT_FOUND) {
		make(o, settings, facts.brokers);
		s = topic_look(settings, LOOK_MS, &facts, &why);
	}
	if (s == STATUS_OK)
		online_topic(o, &facts, kafka_largest_batch(settings));
	else if (s == STATUS_NOT_FOUND)
		tell_missing(o, &facts, &why);
	else
		tell_failure(o, s, &why);
}

void online_kafka(struct online *o)
{
	const struct config *c = o->config;
	struct trust_files *trust = NULL;
	struct why why;

	if (c->kafka_embedded) {
		online_tell(o, "kafka", o->options->create_topic ? EXIT_SETTINGS : EXIT_DONE,
			"embedded: it starts with the daemon and keeps nothing");
		return;
	}
	if (config_kafka_trust(c) &&
		trust_files_open(&trust, config_kafka_ca_file(c), c->kafka_cert_file,
			c->kafka_key_file, &why) != STATUS_OK) {
		online_tell(o, "kafka", EXIT_SETTINGS,
			"%s; look at SCOREBOX_KAFKA_CA_FILE, _CERT_FILE and _KEY_FILE", why.text);
		return;
	}

	const struct kafka_settings settings = settings_of(c, trust);

	look(o, &settings);
	trust_files_close(trust);
}
