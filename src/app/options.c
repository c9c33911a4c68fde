/* options.c - one table of options for all verbs. */
#include "app/options.h"

#include "app/values.h"

#include <string.h>

typedef enum status option_take(struct options *out, const char *value, struct why *why);

struct option_row {
	const char *name;
	unsigned option; /* 0: always taken */
	bool has_value;
	option_take *take;
	const char *help; /* NULL: another row tells */
};

static enum status take_env_file(struct options *out, const char *value, struct why *why)
{
	(void)why;
	out->env_file = value;
	return STATUS_OK;
}

static enum status take_help(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->help = true;
	return STATUS_OK;
}

static enum status take_sweeps(struct options *out, const char *value, struct why *why)
{
	uint64_t n = 1;
	enum status s = value_count(value, 1, 1000000, &n, why);

	out->sweeps = (unsigned)n;
	return s;
}

static enum status take_once(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->sweeps = 1;
	return STATUS_OK;
}

static enum status take_timeout(struct options *out, const char *value, struct why *why)
{
	enum status s = value_duration(value, &out->timeout_ms, why);

	if (s == STATUS_OK && out->timeout_ms == 0)
		s = fail(why, STATUS_BAD_DATA, "expected a duration above 0");
	return s;
}

static enum status take_until_end(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->until_end = true;
	return STATUS_OK;
}

static enum status take_online(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->online = true;
	return STATUS_OK;
}

static enum status take_register(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->register_schema = true;
	return STATUS_OK;
}

static enum status take_create_topic(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->create_topic = true;
	return STATUS_OK;
}

static enum status take_replication(struct options *out, const char *value, struct why *why)
{
	uint64_t n = 1;
	enum status s = value_count(value, 1, 100, &n, why);

	out->replication = (unsigned)n;
	return s;
}

static enum status take_partitions(struct options *out, const char *value, struct why *why)
{
	uint64_t n = 1;
	enum status s = value_count(value, 1, 256, &n, why);

	out->partitions = (unsigned)n;
	return s;
}

static enum status take_topic(struct options *out, const char *value, struct why *why)
{
	(void)why;
	out->topic = value;
	return STATUS_OK;
}

static enum status take_markdown(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->markdown = true;
	return STATUS_OK;
}

static enum status take_example(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->example = true;
	return STATUS_OK;
}

static enum status take_card(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->card = true;
	return STATUS_OK;
}

static enum status take_man(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->man = true;
	return STATUS_OK;
}

static enum status take_schema(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->schema = true;
	return STATUS_OK;
}

static enum status take_leds(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->leds = true;
	return STATUS_OK;
}

static enum status take_completion(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->completion = true;
	return STATUS_OK;
}

static enum status take_downgrade(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->downgrade = true;
	return STATUS_OK;
}

static enum status take_if_newer(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->if_newer = true;
	return STATUS_OK;
}

static enum status take_reboot(struct options *out, const char *value, struct why *why)
{
	(void)value;
	(void)why;
	out->reboot = true;
	return STATUS_OK;
}

static enum status take_root(struct options *out, const char *value, struct why *why)
{
	if (*value != '/')
		return fail(why, STATUS_BAD_DATA, "expected a folder's whole path");
	out->root = value;
	return STATUS_OK;
}

static enum status take_seal(struct options *out, const char *value, struct why *why)
{
	(void)why;
	out->seal = value;
	return STATUS_OK;
}

static const struct option_row rows[] = {
	{"--env-file", 0, true, take_env_file,
		"--env-file FILE   NAME=value lines; the environment wins"},
	{"--help", 0, false, take_help, NULL},
	{"-h", 0, false, take_help, NULL},
	{"--sweeps", OPTION_SWEEPS, true, take_sweeps,
		"--sweeps N        N full sweeps without waiting for the quota's pace, then until the spool is empty"},
	{"--once", OPTION_SWEEPS, false, take_once, "--once            the same as --sweeps 1"},
	{"--until-end", OPTION_UNTIL_END, false, take_until_end,
		"--until-end       up to the topic's end as it is now, write every workbook, exit"},
	{"--timeout", OPTION_TIMEOUT, true, take_timeout,
		"--timeout D       when it is to finish: give up after D without progress (60s); exit 69"},
	{"--online", OPTION_ONLINE, false, take_online,
		"--online          also clock, DNS, TLS, API (costs one hit), Kafka, topic, storage"},
	{"--register-schema", OPTION_ONLINE, false, take_register,
		"--register-schema with --online: registers the rows' JSON Schema for the topic's values"},
	{"--create-topic", OPTION_ONLINE, false, take_create_topic,
		"--create-topic    with --online: make the topic where it is missing"},
	{"--partitions", OPTION_ONLINE, true, take_partitions,
		"--partitions N    of the topic that is made (6); they can never be added to"},
	{"--replication", OPTION_ONLINE, true, take_replication,
		"--replication N   copies of each partition (3; with fewer brokers as the cluster does)"},
	{"--partitions", OPTION_BROKER, true, take_partitions,
		"--partitions N    partitions of the topic (4)"},
	{"--topic", OPTION_BROKER, true, take_topic,
		"--topic T         the topic (cricket-live-data)"},
	{"--seal", OPTION_SEAL, true, take_seal,
		"--seal DIR        where SCOREBOX_SEAL=1 moves the secrets of FILE to"},
	{"--markdown", OPTION_FORMS, false, take_markdown,
		"--markdown        the settings as the README's table"},
	{"--env", OPTION_FORMS, false, take_example,
		"--env             the settings as an example --env-file"},
	{"--leds", OPTION_FORMS, false, take_leds,
		"--leds            what the SD image's LED says, as the README's table"},
	{"--card", OPTION_FORMS, false, take_card,
		"--card            the settings file of a new card of the SD image"},
	{"--man", OPTION_FORMS, false, take_man, "--man             the manual page, as roff"},
	{"--completion", OPTION_FORMS, false, take_completion,
		"--completion      completion of this command line, for bash"},
	{"--schema", OPTION_FORMS, false, take_schema,
		"--schema          the JSON Schema of a row of cricapi"},
	{"--downgrade", OPTION_UPDATE, false, take_downgrade,
		"--downgrade       takes the running version, or an older one, too"},
	{"--if-newer", OPTION_UPDATE, false, take_if_newer,
		"--if-newer        leaves alone, as no error, what is not newer or has failed its trial here"},
	{"--reboot", OPTION_UPDATE, false, take_reboot,
		"--reboot          reboots at once to try it"},
	{"--root", OPTION_UPDATE | OPTION_ROOT, true, take_root,
		"--root DIR        the machine's files are below DIR: for tests, and for a card in another machine"},
};

static const struct option_row *find(const char *text, size_t length, unsigned taken)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strlen(rows[i].name) == length && !memcmp(rows[i].name, text, length) &&
			(!rows[i].option || rows[i].option & taken))
			return &rows[i];
	return NULL;
}

/* argv[*at] is an option; *at moves behind it and its value. */
static enum status take_option(
	struct options *out, unsigned taken, int argc, char **argv, int *at, struct why *why)
{
	const char *text = argv[(*at)++];
	const char *equals = strchr(text, '=');
	const char *value = equals ? equals + 1 : NULL;
	const struct option_row *row = find(
		text, equals ? (size_t)(equals - text) : strlen(text), taken);

	if (!row)
		return fail(why, STATUS_BAD_DATA, "option %s is not known here", text);
	if (!row->has_value && value)
		return fail(why, STATUS_BAD_DATA, "%s takes no value", row->name);
	if (row->has_value && !value) {
		if (*at == argc)
			return fail(why, STATUS_BAD_DATA, "%s wants a value", row->name);
		value = argv[(*at)++];
	}

	enum status s = row->take(out, value, why);

	return s == STATUS_OK ? s : why_prefix(why, s, "%s", text);
}

enum status options_parse(struct options *out, unsigned taken, bool stop_at_word, int argc,
	char **argv, int *used, struct why *why)
{
	enum status s = STATUS_OK;
	int at = 0;

	while (at < argc && s == STATUS_OK) {
		if (argv[at][0] == '-') {
			s = take_option(out, taken, argc, argv, &at, why);
		} else if (stop_at_word) {
			break;
		} else if (taken & (OPTION_WORD | OPTION_WORDS) && !out->word) {
			out->word = argv[at++];
		} else if (taken & OPTION_WORDS && !out->second_word) {
			out->second_word = argv[at++];
		} else {
			s = fail(why, STATUS_BAD_DATA, "'%s' is too much", argv[at]);
		}
	}
	*used = at;
	return s;
}

static enum status update_agrees(const struct options *o, struct why *why)
{
	if (o->help)
		return STATUS_OK;
	if (!o->word)
		return fail(why, STATUS_BAD_DATA, "the FILE of the update is missing");
	if (o->downgrade && o->if_newer)
		return fail(why, STATUS_BAD_DATA, "--downgrade and --if-newer exclude each other");
	if (o->reboot && o->root)
		return fail(why, STATUS_BAD_DATA, "--reboot and --root exclude each other");
	return STATUS_OK;
}

enum status options_agree(const struct options *o, unsigned taken, struct why *why)
{
	if (taken & OPTION_UPDATE)
		return update_agrees(o, why);
	if (!(taken & OPTION_ONLINE))
		return STATUS_OK;
	if (o->create_topic && !o->online)
		return fail(why, STATUS_BAD_DATA, "--create-topic wants --online");
	if (o->register_schema && !o->online)
		return fail(why, STATUS_BAD_DATA, "--register-schema wants --online");
	if (!o->create_topic && (o->partitions || o->replication))
		return fail(why, STATUS_BAD_DATA, "%s is for --create-topic",
			o->partitions ? "--partitions" : "--replication");
	return STATUS_OK;
}

void options_print(FILE *out, unsigned taken, bool settings)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].help && (rows[i].option ? rows[i].option & taken : settings))
			fprintf(out, "  %s\n", rows[i].help);
}
