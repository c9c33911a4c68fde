/* verbs.c - the table of verbs, and from the command line to a call of one. */
#include "app/verb.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct verb verbs[] = {
	{"produce", NEEDS_PRODUCE, OPTION_SWEEPS | OPTION_TIMEOUT, false,
		"[--sweeps N | --once] [--timeout D]",
		"poll the API and publish every change to Kafka, until SIGTERM", verb_run},
	{"consume", NEEDS_CONSUME, OPTION_UNTIL_END | OPTION_TIMEOUT, false,
		"[--until-end] [--timeout D]",
		"read the topic and keep one workbook per match, until SIGTERM", verb_run},
	{"both", NEEDS_BOTH, 0, false, "", "produce and consume in one process", verb_run},
	{"check", NEEDS_MODE, OPTION_ONLINE, false,
		"[--online [--create-topic [--partitions N] [--replication N]] [--register-schema]]",
		"say all that is wrong with the settings; --online: try the peers too", verb_check},
	{"status", NEEDS_STATE_DIR, 0, false, "",
		"print what the daemon last wrote about itself (JSON)", verb_status},
	{"demo", NEEDS_NOTHING, 0, true, "",
		"the whole path on this machine, nothing else installed: "
		"workbooks in ./scorebox-demo/",
		verb_demo},
	{"serve", NEEDS_NOTHING, 0, true,
		"[--listen A] [--port P] [--ca-out FILE] [--name HOST[,HOST...]] [--rows N]\n"
		"                  [--key K] [--quota N] [--speed N | --step] [--fault KIND[@N[+]]] FILE|DIR...",
		"a replay of the API from recorded pages and matches", verb_serve},
	{"broker", NEEDS_NOTHING, OPTION_BROKER, false, "[--partitions N] [--topic T]",
		"an embedded Kafka broker on loopback; it keeps nothing", verb_broker},
	{"spool ls", NEEDS_STORE, 0, false, "",
		"list the rows that wait for Kafka, and the dead letters", verb_spool_ls},
	{"spool verify", NEEDS_STORE, 0, false, "", "check the spool's database",
		verb_spool_verify},
	{"spool drain", NEEDS_DRAIN, OPTION_TIMEOUT, false, "[--timeout D]",
		"send what waits to Kafka without polling", verb_drain},
	{"books", NEEDS_BOOKS, OPTION_TIMEOUT, false, "[--timeout D]",
		"write all workbooks anew from the journal, without Kafka", verb_books},
	{"update", NEEDS_NOTHING, OPTION_UPDATE | OPTION_WORD, false,
		"[--downgrade | --if-newer] [--reboot] FILE",
		"on the SD image: put a signed new version into the slot that does not run",
		verb_update},
	{"board run", NEEDS_NOTHING, OPTION_ROOT, false, "[--root DIR]",
		"keep the box of the SD image going; its init starts this", verb_board_run},
	{"board settings", NEEDS_NOTHING, OPTION_SEAL | OPTION_WORDS, false,
		"[--seal DIR] FILE OUT",
		"for the SD image: the good lines of its settings file as clean ones",
		verb_board_settings},
	{"board grow", NEEDS_NOTHING, OPTION_WORDS, false, "DISK N",
		"for the SD image: the last partition, N, fills the card", verb_board_grow},
	{"board grow-fs", NEEDS_NOTHING, OPTION_WORD, false, "MOUNTPOINT",
		"for the SD image: the ext4 that is mounted there fills its partition",
		verb_board_grow_fs},
	{"version", NEEDS_NOTHING, 0, false, "",
		"this program's version and those of its libraries", verb_version},
	{"help", NEEDS_NOTHING, OPTION_FORMS | OPTION_WORD, false,
		"[VERB | --markdown | --env | --card | --leds | --man | --completion | --schema]",
		"verbs and settings, or one verb's options", verb_help},
	{NULL, NEEDS_NOTHING, 0, false, NULL, NULL, NULL},
};

static const struct verb by_mode = {"", NEEDS_MODE, 0, false, "", "", verb_run};

int usage_error(const char *format, ...)
{
	char text[500];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	log_error("usage", "%s; nothing was started; see `scorebox help`", text);
	return EXIT_WRONG_USAGE;
}

int exit_code_of(enum status s)
{
	switch (s) {
	case STATUS_OK:
		return EXIT_DONE;
	case STATUS_AGAIN:
		return EXIT_PEER;
	case STATUS_BUSY:
		return EXIT_INSTANCE;
	case STATUS_FULL:
	case STATUS_BAD_DATA:
	case STATUS_IO:
	case STATUS_DENIED:
	case STATUS_NOT_FOUND:
		return EXIT_STORAGE;
	case STATUS_NO_MEMORY:
	case STATUS_FATAL:
		break;
	}
	return EXIT_INTERNAL;
}

/* ---- the command line ---- */

/* Neither a verb nor a setting: somebody who sees this program for the first time. */
static int nothing_given(void)
{
	log_error("config",
		"no verb was given and no setting is set; nothing was started. "
		"Try `scorebox demo`: it needs nothing. The real thing needs at least "
		"SCOREBOX_API_KEY_FILE (or SCOREBOX_API_KEY) and SCOREBOX_KAFKA_BROKERS, for workbooks also "
		"SCOREBOX_OUTPUT_DIR and SCOREBOX_MODE=both; `scorebox help` lists all verbs and settings");
	return EXIT_SETTINGS;
}

/* A verb of two words comes before one of one word. */
static const struct verb *find_verb(int argc, char **argv, int *words)
{
	char two[64];

	snprintf(two, sizeof two, "%s %s", argv[0], argc > 1 ? argv[1] : "");
	for (const struct verb *v = verbs; v->name; v++) {
		*words = strchr(v->name, ' ') ? 2 : 1;
		if (!strcmp(v->name, *words == 2 ? two : argv[0]))
			return v;
	}
	return NULL;
}

static const struct verb *help_verb(void)
{
	int words;
	char name[] = "help";

	return find_verb(1, (char *[]){name}, &words);
}

static int read_rest(struct call *call, int argc, char **argv)
{
	struct why why;
	int used;

	if (options_parse(&call->options, call->verb->options, false, argc, argv, &used, &why) !=
			STATUS_OK ||
		options_agree(&call->options, call->verb->options, &why) != STATUS_OK)
		return usage_error(
			"%s%s%s", call->verb->name, *call->verb->name ? ": " : "", why.text);
	if (call->options.help && call->verb->run != verb_help) {
		call->options.word = call->verb->name;
		call->verb = help_verb();
	}
	return EXIT_DONE;
}

int call_read(struct call *call, int argc, char **argv)
{
	struct why why;
	int used = 0, words = 0;

	if (argc && !strcmp(argv[0], "--version"))
		argv[0] += 2;
	if (options_parse(&call->options, 0, true, argc, argv, &used, &why) != STATUS_OK)
		return usage_error("%s", why.text);
	argc -= used;
	argv += used;
	if (call->options.help) {
		call->verb = help_verb();
		return EXIT_DONE;
	}
	call->request.env_file = call->options.env_file;
	call->verb = argc ? find_verb(argc, argv, &words) : &by_mode;
	if (!argc && settings_none_given(&call->request))
		return nothing_given();
	if (!call->verb && !strcmp(argv[0], "spool"))
		return usage_error("spool wants one of ls, verify, drain");
	if (!call->verb && !strcmp(argv[0], "board"))
		return usage_error("board wants a second word; `scorebox help board` lists them");
	if (!call->verb)
		return usage_error("there is no verb '%s'", argv[0]);
	call->argc = argc;
	call->argv = argv;
	return call->verb->raw ? EXIT_DONE : read_rest(call, argc - words, argv + words);
}

/* ---- the settings ---- */

static void report_at_start(void *context, bool wrong, const char *text)
{
	(void)context;
	if (wrong)
		log_error("config", "%s; nothing was started; correct it and start again", text);
	else
		log_warn("config", "%s", text);
}

static void want(struct settings_request *r, enum verb_needs needs)
{
	static const struct {
		bool mode_given, any_purpose;
		enum config_mode mode;
		unsigned purpose;
	} wants[] = {
		[NEEDS_MODE] = {.any_purpose = true},
		[NEEDS_PRODUCE] = {true, true, MODE_PRODUCE, 0},
		[NEEDS_CONSUME] = {true, true, MODE_CONSUME, 0},
		[NEEDS_BOTH] = {true, true, MODE_BOTH, 0},
		[NEEDS_DRAIN] = {true, false, MODE_PRODUCE, SETTINGS_PUBLISH},
		[NEEDS_BOOKS] = {true, false, MODE_CONSUME, SETTINGS_RENDER},
		[NEEDS_STORE] = {true, false, MODE_PRODUCE, 0},
		[NEEDS_STATE_DIR] = {true, false, MODE_PRODUCE, SETTINGS_STATE_ONLY},
	};

	r->mode_given = wants[needs].mode_given;
	r->any_purpose = wants[needs].any_purpose;
	r->mode = wants[needs].mode;
	r->purpose = wants[needs].purpose;
}

void call_apply(const struct call *call, struct config *config)
{
	config->sweeps = call->options.sweeps;
	config->until_end = call->options.until_end;
	if (call->options.timeout_ms)
		config->timeout_ms = call->options.timeout_ms;
}

int call_settings(struct call *call)
{
	struct why why;

	if (call->verb->needs == NEEDS_NOTHING)
		return EXIT_DONE;
	call->request.env_file = call->options.env_file;
	call->request.report = report_at_start;
	want(&call->request, call->verb->needs);

	enum status s = settings_load(&call->settings, &call->request, &why);

	if (s == STATUS_BAD_DATA)
		return EXIT_SETTINGS; /* all was said */
	if (s != STATUS_OK) {
		log_error("config", "%s; nothing was started", why.text);
		return exit_code_of(s);
	}
	call_apply(call, settings_config(call->settings));
	call->config = settings_config(call->settings);
	return EXIT_DONE;
}
