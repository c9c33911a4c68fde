/* settings_cross.c - what must be set for the work asked for, and what must fit together. A setting
 * whose own text is wrong is not complained of again. */
#include "app/settings_private.h"
#include "app/values.h"
#include "base/text.h"
#include "feed/source.h"

#include <string.h>
#include <unistd.h>

/* ---- the state folder's default ---- */

static const char *home_state_dir(char *out, size_t out_bytes, char **environment)
{
	const char *given = NULL, *home = NULL;

	for (char **entry = environment; entry && *entry; entry++) {
		if (!strncmp(*entry, "STATE_DIRECTORY=", 16))
			given = *entry + 16;
		if (!strncmp(*entry, "HOME=", 5))
			home = *entry + 5;
	}
	/* systemd gives a list where the unit names several: the first is ours. */
	if (given && *given)
		snprintf(out, out_bytes, "%.*s", (int)strcspn(given, ":"), given);
	else if (home && *home == '/')
		snprintf(out, out_bytes, "%s/.local/state/scorebox", home);
	else
		return NULL;
	return out;
}

static void state_dir(struct loading *l)
{
	struct config *config = &l->made->config;
	char text[1100];
	const char *path = "/var/lib/scorebox";

	if (*config->state_dir || loading_bad(l, "SCOREBOX_STATE_DIR"))
		return;
	if (geteuid() != 0)
		path = home_state_dir(text, sizeof text, l->request->environment);
	if (!path) {
		loading_wrong(l,
			"SCOREBOX_STATE_DIR is not set, and neither is HOME; name a folder on the board's own disk");
		return;
	}
	config->state_dir = loading_keep(l, path);
	l->made->value[setting_place("SCOREBOX_STATE_DIR")].text = config->state_dir;
}

/* ---- the API ---- */

static void key_way(struct loading *l)
{
	struct source *source = &l->made->config.source;

	if (!*source->key_header || !loading_given(l, "SCOREBOX_API_KEY_HEADER"))
		return;
	if (loading_given(l, "SCOREBOX_API_KEY_PARAM"))
		loading_wrong(l,
			"SCOREBOX_API_KEY_HEADER and SCOREBOX_API_KEY_PARAM are both set; the key is sent in one of them");
	source->key_param = ""; /* not in the address as well */
}

static void source(struct loading *l)
{
	struct config *config = &l->made->config;
	bool cricapi = text_equals_ignoring_case(config->source_name, "cricapi");
	struct why why;

	key_way(l);
	if (source_check(&config->source, &why) != STATUS_OK)
		loading_wrong(l, "SCOREBOX_API_RECORDS, _ID, _OK, _REASON or _TOTAL: %s", why.text);
	if (!*config->api_cert_file != !*config->api_key_file &&
		!loading_bad(l, "SCOREBOX_API_CERT_FILE") &&
		!loading_bad(l, "SCOREBOX_API_CERT_KEY_FILE"))
		loading_wrong(l,
			"SCOREBOX_API_CERT_FILE and SCOREBOX_API_CERT_KEY_FILE go together; set both or none");
	if (!(l->purpose & SETTINGS_POLL))
		return;
	if (cricapi && !*config->api_key && !loading_bad(l, "SCOREBOX_API_KEY"))
		loading_wrong(l,
			"SCOREBOX_API_KEY is not set: the API wants a key (free at cricapi.com); "
			"put it in a file and name the file in SCOREBOX_API_KEY_FILE");
	if (!cricapi && !loading_given(l, "SCOREBOX_API_URL"))
		loading_wrong(l,
			"SCOREBOX_API_URL is not set: SCOREBOX_SOURCE=custom needs the address of its rows");
	if (strstr(config->api_url, "key=") || strstr(config->api_url, "token="))
		loading_warn(l,
			"SCOREBOX_API_URL seems to hold a key; "
			"it belongs into SCOREBOX_API_KEY_FILE, where it is kept out of the log");
}

/* ---- Kafka ---- */

/* Given, and not just as it would be anyway. */
static bool chosen(const struct loading *l, const char *name)
{
	int place = setting_place(name);

	return loading_given(l, name) && !loading_bad(l, name) &&
	       strcmp(l->made->value[place].text, settings_table[place].fallback) != 0;
}

/* A line for each of `names` that was chosen though the security that is set has no use for it. */
static void useless(struct loading *l, const char *const *names, size_t count, const char *lacks,
	const char *wanted)
{
	const char *security = l->made->value[setting_place("SCOREBOX_KAFKA_SECURITY")].text;

	for (size_t i = 0; i < count; i++)
		if (chosen(l, names[i]))
			loading_wrong(l,
				"%s is set, but SCOREBOX_KAFKA_SECURITY=%s %s; set that to %s, or unset this",
				names[i], security, lacks, wanted);
}

static void needed(struct loading *l, const char *name, const char *value, const char *reason)
{
	if (!*value && !loading_bad(l, name))
		loading_wrong(l, "%s is not set: %s", name, reason);
}

static void kafka_oauth(struct loading *l, bool oauth)
{
	static const char *const names[] = {
		"SCOREBOX_KAFKA_OAUTH_URL", "SCOREBOX_KAFKA_OAUTH_SCOPE"};

	if (oauth)
		needed(l, names[0], l->made->config.kafka_oauth_url,
			"OAUTHBEARER fetches its token there");
	for (size_t i = 0; !oauth && i < sizeof names / sizeof *names; i++)
		if (chosen(l, names[i]))
			loading_wrong(l,
				"%s is for SCOREBOX_KAFKA_SASL_MECHANISM=OAUTHBEARER; set that, or unset this",
				names[i]);
}

/* Whoever can listen between the board and the brokers reads the password, or the token. */
static void kafka_in_the_clear(struct loading *l)
{
	const struct config *config = &l->made->config;

	if (config->kafka_security == SECURITY_SASL_PLAINTEXT && *config->kafka_brokers &&
		!loading_bad(l, "SCOREBOX_KAFKA_BROKERS") &&
		!kafka_brokers_are_local(config->kafka_brokers))
		loading_warn(l,
			"SCOREBOX_KAFKA_SECURITY=sasl_plaintext sends %s over the network in the clear; use sasl_tls",
			strncmp(config->sasl_mechanism, "SCRAM", 5) ? "the login and all records"
								    : "all records");
}

static void kafka_login(struct loading *l)
{
	static const char *const names[] = {
		"SCOREBOX_KAFKA_SASL_MECHANISM",
		"SCOREBOX_KAFKA_SASL_USERNAME",
		"SCOREBOX_KAFKA_SASL_PASSWORD",
		"SCOREBOX_KAFKA_OAUTH_URL",
		"SCOREBOX_KAFKA_OAUTH_SCOPE",
	};
	const struct config *config = &l->made->config;
	bool oauth = !strcmp(config->sasl_mechanism, "OAUTHBEARER");

	if (!config_kafka_login(config)) {
		useless(l, names, sizeof names / sizeof *names, "has no login", "sasl_tls");
		return;
	}
	needed(l, names[1], config->sasl_username,
		oauth ? "OAUTHBEARER asks for its token with a client's id and secret"
		      : "a login needs a name and a password");
	needed(l, names[2], config->sasl_password,
		"a login needs one; put it in a file and name the file in SCOREBOX_KAFKA_SASL_PASSWORD_FILE");
	if (!loading_bad(l, names[0]))
		kafka_oauth(l, oauth);
	kafka_in_the_clear(l);
}

static void kafka_tls(struct loading *l)
{
	static const char *const names[] = {
		"SCOREBOX_KAFKA_CA_FILE",
		"SCOREBOX_KAFKA_CERT_FILE",
		"SCOREBOX_KAFKA_KEY_FILE",
	};
	const struct config *config = &l->made->config;
	bool login = config->kafka_security == SECURITY_SASL_PLAINTEXT;

	if (!config_kafka_tls(config)) {
		/* A token endpoint's certificate is verified whatever the brokers speak. */
		bool token = config_kafka_trust(config);

		useless(l, names + token, sizeof names / sizeof *names - token, "has no TLS",
			login ? "sasl_tls" : "tls");
		return;
	}
	if (!*config->kafka_cert_file != !*config->kafka_key_file && !loading_bad(l, names[1]) &&
		!loading_bad(l, names[2]))
		loading_wrong(l, "%s and %s go together; set both or none", names[1], names[2]);

	struct why why;

	if (!loading_bad(l, "SCOREBOX_KAFKA_BROKERS") &&
		kafka_check_brokers_tls(config->kafka_brokers, &why) != STATUS_OK)
		loading_wrong(l, "SCOREBOX_KAFKA_BROKERS: %s", why.text);
}

static void kafka_security(struct loading *l)
{
	const struct config *config = &l->made->config;

	if (loading_bad(l, "SCOREBOX_KAFKA_SECURITY"))
		return;
	kafka_login(l);
	kafka_tls(l);
	if (config->kafka_embedded && config->kafka_security != SECURITY_PLAINTEXT)
		loading_wrong(l,
			"SCOREBOX_KAFKA_BROKERS=embedded speaks plaintext only; unset SCOREBOX_KAFKA_SECURITY, or name a real broker");
}

static void kafka(struct loading *l)
{
	const struct config *config = &l->made->config;

	kafka_security(l);
	if (*config->kafka_instance && !*config->kafka_group &&
		!loading_bad(l, "SCOREBOX_KAFKA_GROUP"))
		loading_wrong(l,
			"SCOREBOX_KAFKA_INSTANCE names this box within a group: set SCOREBOX_KAFKA_GROUP too");
	if (!(l->purpose & (SETTINGS_PUBLISH | SETTINGS_READ)))
		return;
	if (!*config->kafka_brokers && !loading_bad(l, "SCOREBOX_KAFKA_BROKERS"))
		loading_wrong(l, "SCOREBOX_KAFKA_BROKERS is not set: name a broker, host:port");
}

/* ---- sizes and folders ---- */

static void sizes(struct loading *l)
{
	const struct config *config = &l->made->config;
	char most[32];

	value_size_text(config->spool_max / 4, most, sizeof most);
	if (config->api_max_record > config->spool_max / 4)
		loading_wrong(l,
			"SCOREBOX_API_MAX_RECORD is above %s, a quarter of SCOREBOX_SPOOL_MAX; "
			"lower the one or raise the other",
			most);
	if (config->api_max_record > config->api_max_body)
		loading_wrong(l,
			"SCOREBOX_API_MAX_RECORD is above SCOREBOX_API_MAX_BODY; lower the one or raise the other");
}

static void output(struct loading *l)
{
	const struct config *config = &l->made->config;

	if (l->purpose & SETTINGS_RENDER && !*config->output_dir &&
		!loading_bad(l, "SCOREBOX_OUTPUT_DIR"))
		loading_wrong(l,
			"SCOREBOX_OUTPUT_DIR is not set: name the folder for the workbooks, "
			"such as /media/scores");
}

enum status settings_budget(const struct config *config, struct budget *out, struct why *why)
{
	static const enum budget_mode modes[] = {BUDGET_PRODUCE, BUDGET_CONSUME, BUDGET_BOTH};
	static const uint64_t defaults[] = {
		BUDGET_DEFAULT_PRODUCE, BUDGET_DEFAULT_CONSUME, BUDGET_DEFAULT_BOTH};
	uint64_t ceiling = config->memory_max ? config->memory_max : defaults[config->mode];

	return budget_share(modes[config->mode], ceiling, config->api_max_record,
		kafka_sessions(config->kafka_brokers, config_kafka_tls(config),
			!*config_kafka_ca_file(config)),
		*config->registry_url, out, why);
}

static void memory(struct loading *l)
{
	struct budget budget;
	struct why why;

	if (l->purpose && !loading_bad(l, "SCOREBOX_MEMORY_MAX") &&
		!loading_bad(l, "SCOREBOX_API_MAX_RECORD") &&
		settings_budget(&l->made->config, &budget, &why) != STATUS_OK)
		loading_wrong(l, "SCOREBOX_MEMORY_MAX: %s", why.text);
}

/* ---- what a signal cannot change ---- */

static bool renewable(const struct setting *s)
{
	bool login = s->section == SECTION_REGISTRY &&
		     strcmp(s->name, "SCOREBOX_SCHEMA_REGISTRY_URL");

	/* No service has taken the board's settings: nothing of them stays in force. */
	return s->section == SECTION_SOURCE || s->section == SECTION_POLLING ||
	       s->section == SECTION_BOARD || login || !strncmp(s->name, "SCOREBOX_LOG_", 13) ||
	       !strcmp(s->name, "SCOREBOX_MODE") ||
	       !strcmp(s->name, "SCOREBOX_KAFKA_SASL_USERNAME") ||
	       !strcmp(s->name, "SCOREBOX_KAFKA_SASL_PASSWORD");
}

void settings_report_fixed(
	const struct settings *running, const struct settings *made, settings_report *report)
{
	char text[160];

	for (size_t i = 0; i < settings_count; i++) {
		if (renewable(&settings_table[i]) ||
			!strcmp(running->value[i].text, made->value[i].text))
			continue;
		snprintf(text, sizeof text,
			"%s has changed; the value from the start stays in force until a restart",
			settings_table[i].name);
		report(NULL, false, text);
	}
}

void settings_cross_check(struct loading *l)
{
	state_dir(l);
	if (l->purpose == SETTINGS_STATE_ONLY)
		return;
	source(l);
	kafka(l);
	settings_check_registry(l);
	sizes(l);
	output(l);
	memory(l);
}
