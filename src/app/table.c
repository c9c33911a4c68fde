/* table.c - every setting, once. The order is the order in which they are shown. */
#include "app/setting.h"
#include "base/text.h"
#include "service/config.h"

#include <stdio.h>
#include <string.h>

#define AT(field) .offset = offsetof(struct config, field)
#define SECOND	  1000ll
#define MINUTE	  (60 * SECOND)
#define HOUR	  (60 * MINUTE)
#define KIB	  1024ll
#define MIB	  (1024 * KIB)
#define GIB	  (1024 * MIB)

const char *const setting_sections[SECTION_COUNT] = {
	[SECTION_PROCESS] = "The process",
	[SECTION_SOURCE] = "The score API",
	[SECTION_POLLING] = "Polling",
	[SECTION_KAFKA] = "Kafka",
	[SECTION_REGISTRY] = "Schema Registry, optional",
	[SECTION_STORAGE] = "What is kept on the board",
	[SECTION_BOOKS] = "The workbooks",
	[SECTION_BOARD] = "The SD image only",
};

const struct setting settings_table[] = {
	{"SCOREBOX_MODE", SECTION_PROCESS, SETTING_WORD, "produce", AT(mode),
		.words = "produce consume both", .shown = "produce; on the SD image both",
		.meaning = "What runs when no verb is given."},
	{"SCOREBOX_STATE_DIR", SECTION_PROCESS, SETTING_TEXT, "", AT(state_dir),
		.check = check_folder,
		.shown =
			"/var/lib/scorebox; not root: $STATE_DIRECTORY, else ~/.local/state/scorebox",
		.meaning = "Folder of the spool, the poller's state and the consumer's journal: on "
			   "the board's own disk, never on a stick."},
	{"SCOREBOX_MEMORY_MAX", SECTION_PROCESS, SETTING_SIZE, "", AT(memory_max), .least = MIB,
		.most = 64 * GIB, .shown = "12MiB produce, 16MiB consume, 20MiB both",
		.meaning = "Ceiling of the process and its rendering child together; every queue "
			   "and buffer is derived from it; refused with the sum when too small."},
	{"SCOREBOX_LOG_LEVEL", SECTION_PROCESS, SETTING_WORD, "info", AT(log_level),
		.words = "error warn info debug", .meaning = "The least that is logged."},
	{"SCOREBOX_LOG_FORMAT", SECTION_PROCESS, SETTING_WORD, "text", AT(log_format),
		.words = "text json", .meaning = "Form of the log lines on stderr."},
	{"SCOREBOX_CLOCK_WAIT", SECTION_PROCESS, SETTING_DURATION, "5m", AT(clock_wait_ms),
		.least = 0, .most = 24 * HOUR,
		.meaning =
			"How long to wait for a believable clock before the first TLS handshake, "
			"then go on and say so."},
	{"SCOREBOX_TIMEZONE", SECTION_PROCESS, SETTING_TEXT, "UTC", AT(timezone),
		.check = check_timezone,
		.meaning = "POSIX time zone such as IST-5:30, for the workbooks' local times."},

	{"SCOREBOX_SOURCE", SECTION_SOURCE, SETTING_TEXT, "cricapi", AT(source_name),
		.check = check_source_name,
		.meaning = "cricapi or custom: presets the pointers below."},
	{"SCOREBOX_API_URL", SECTION_SOURCE, SETTING_TEXT,
		"https://api.cricapi.com/v1/currentMatches", AT(api_url), .check = check_url,
		.hide = true, .meaning = "Address of the list of matches; https only."},
	{"SCOREBOX_API_KEY", SECTION_SOURCE, SETTING_SECRET, "", AT(api_key), .check = check_key,
		.meaning = "The API's key."},
	{"SCOREBOX_API_KEY_PARAM", SECTION_SOURCE, SETTING_TEXT, "", AT(source.key_param),
		.check = check_param, .shown = "of the source (apikey)",
		.meaning = "Query parameter that carries the key."},
	{"SCOREBOX_API_KEY_HEADER", SECTION_SOURCE, SETTING_TEXT, "", AT(source.key_header),
		.check = check_header,
		.meaning = "Request header that carries the key, instead of a parameter."},
	{"SCOREBOX_API_CA_FILE", SECTION_SOURCE, SETTING_FILE, "", AT(api_ca_file),
		.shown = "the system's CA file, else the set compiled in",
		.meaning =
			"PEM file of the authorities that are believed, in place of the system's."},
	{"SCOREBOX_API_CERT_FILE", SECTION_SOURCE, SETTING_FILE, "", AT(api_cert_file),
		.meaning = "Client certificate (PEM), where the API asks for one."},
	{"SCOREBOX_API_CERT_KEY_FILE", SECTION_SOURCE, SETTING_FILE, "", AT(api_key_file),
		.meaning = "Private key (PEM) of the client certificate."},
	{"SCOREBOX_API_PROXY", SECTION_SOURCE, SETTING_SECRET, "", AT(api_proxy),
		.check = check_proxy, .meaning = "HTTP proxy, http://[user:password@]host:port."},
	{"SCOREBOX_API_RECORDS", SECTION_SOURCE, SETTING_TEXT, "", AT(source.records),
		.shown = "of the source", .meaning = "JSON pointer to the array of rows."},
	{"SCOREBOX_API_ID", SECTION_SOURCE, SETTING_TEXT, "", AT(source.id),
		.shown = "of the source", .meaning = "JSON pointer, within a row, to its id."},
	{"SCOREBOX_API_OK", SECTION_SOURCE, SETTING_TEXT, "", AT(source.ok),
		.shown = "of the source",
		.meaning = "Success test, POINTER=VALUE such as /status=success."},
	{"SCOREBOX_API_REASON", SECTION_SOURCE, SETTING_TEXT, "", AT(source.reason),
		.shown = "of the source", .meaning = "JSON pointer to the failure text."},
	{"SCOREBOX_API_TOTAL", SECTION_SOURCE, SETTING_TEXT, "", AT(source.total),
		.shown = "of the source", .meaning = "JSON pointer to the number of rows in all."},
	{"SCOREBOX_API_OFFSET_PARAM", SECTION_SOURCE, SETTING_TEXT, "", AT(source.offset_param),
		.check = check_param, .shown = "of the source",
		.meaning = "Query parameter that asks for the next page, counted in rows."},
	{"SCOREBOX_API_TIMEOUT", SECTION_SOURCE, SETTING_DURATION, "30s", AT(api_timeout_ms),
		.least = SECOND, .most = 10 * MINUTE,
		.meaning = "Longest time one request may take."},
	{"SCOREBOX_API_MAX_BODY", SECTION_SOURCE, SETTING_SIZE, "4MiB", AT(api_max_body),
		.least = KIB, .most = 4 * GIB,
		.meaning = "Largest answer that is read; a real page has some 20 to 30 KB."},
	{"SCOREBOX_API_MAX_RECORD", SECTION_SOURCE, SETTING_SIZE, "256KiB", AT(api_max_record),
		.least = KIB, .most = 16 * MIB,
		.meaning = "Largest row; at most a quarter of SCOREBOX_SPOOL_MAX."},

	{"SCOREBOX_MATCHES", SECTION_POLLING, SETTING_TEXT, "", AT(matches), .shown = "all",
		.meaning = "Comma list of words, any of which must stand in name, team, series_id "
			   "or id; other matches are not published."},
	{"SCOREBOX_POLL_INTERVAL", SECTION_POLLING, SETTING_POLL, "auto", AT(poll_fixed_ms),
		.least = 0, .most = 7 * 24 * HOUR,
		.meaning =
			"auto spreads the API's quota over the day; a fixed duration ignores the "
			"quota but obeys a block or Retry-After."},
	{"SCOREBOX_POLL_MIN", SECTION_POLLING, SETTING_DURATION, "15s", AT(poll_min_ms),
		.least = 100, .most = 24 * HOUR, .meaning = "auto never polls faster."},
	{"SCOREBOX_PUBLISH", SECTION_POLLING, SETTING_WORD, "changes", AT(publish),
		.words = "changes all",
		.meaning = "Publish a match when it changed, or at every poll."},

	{"SCOREBOX_KAFKA_BROKERS", SECTION_KAFKA, SETTING_TEXT, "", AT(kafka_brokers),
		.check = check_brokers,
		.meaning = "host:port list; embedded, for demo and tests only, keeps nothing."},
	{"SCOREBOX_KAFKA_TOPIC", SECTION_KAFKA, SETTING_TEXT, "cricket-live-data", AT(kafka_topic),
		.check = kafka_check_topic, .meaning = "The topic that is written and read."},
	{"SCOREBOX_KAFKA_GROUP", SECTION_KAFKA, SETTING_TEXT, "", AT(kafka_group),
		.check = check_group,
		.meaning =
			"Without a group every box reads all partitions and has all workbooks; a "
			"group shares the partitions among its boxes."},
	{"SCOREBOX_KAFKA_INSTANCE", SECTION_KAFKA, SETTING_TEXT, "", AT(kafka_instance),
		.check = check_group,
		.meaning = "Name of this box within the group: turns on static membership."},
	{"SCOREBOX_KAFKA_SECURITY", SECTION_KAFKA, SETTING_WORD, "plaintext", AT(kafka_security),
		.words = "plaintext tls sasl_plaintext sasl_tls",
		.meaning =
			"How to talk to Kafka: over TLS or in the clear, with a login (sasl_) or "
			"without."},
	{"SCOREBOX_KAFKA_SASL_MECHANISM", SECTION_KAFKA, SETTING_TEXT, "PLAIN", AT(sasl_mechanism),
		.check = kafka_check_mechanism,
		.meaning = "How to log in: PLAIN; in the OpenSSL build also SCRAM-SHA-256, "
			   "SCRAM-SHA-512 or OAUTHBEARER."},
	{"SCOREBOX_KAFKA_SASL_USERNAME", SECTION_KAFKA, SETTING_TEXT, "", AT(sasl_username),
		.meaning = "Name to log in with; for OAUTHBEARER the client's id."},
	{"SCOREBOX_KAFKA_SASL_PASSWORD", SECTION_KAFKA, SETTING_SECRET, "", AT(sasl_password),
		.meaning = "Its password; for OAUTHBEARER the client's secret."},
	{"SCOREBOX_KAFKA_OAUTH_URL", SECTION_KAFKA, SETTING_TEXT, "", AT(kafka_oauth_url),
		.check = check_oauth_url, .hide = true,
		.meaning = "Token endpoint of the OpenID provider, for OAUTHBEARER; https only."},
	{"SCOREBOX_KAFKA_OAUTH_SCOPE", SECTION_KAFKA, SETTING_TEXT, "", AT(kafka_oauth_scope),
		.meaning = "Scope that is asked for with the token, where the provider wants one."},
	{"SCOREBOX_KAFKA_CA_FILE", SECTION_KAFKA, SETTING_FILE, "", AT(kafka_ca_file),
		.shown = "as the API's",
		.meaning = "PEM file of the authorities that are believed over TLS to Kafka."},
	{"SCOREBOX_KAFKA_CERT_FILE", SECTION_KAFKA, SETTING_FILE, "", AT(kafka_cert_file),
		.meaning = "Client certificate (PEM), where the brokers ask for one."},
	{"SCOREBOX_KAFKA_KEY_FILE", SECTION_KAFKA, SETTING_FILE, "", AT(kafka_key_file),
		.meaning = "Private key (PEM) of that certificate."},
	{"SCOREBOX_KAFKA_COMPRESSION", SECTION_KAFKA, SETTING_TEXT, "lz4", AT(kafka_compression),
		.check = kafka_check_compression, .meaning = "none, lz4, gzip, snappy or zstd."},
	{"SCOREBOX_KAFKA_LINGER", SECTION_KAFKA, SETTING_DURATION, "50ms", AT(kafka_linger_ms),
		.least = 0, .most = MINUTE,
		.meaning = "How long to wait for more rows before a batch is sent."},
	{"SCOREBOX_KAFKA_OPTIONS", SECTION_KAFKA, SETTING_TEXT, "", AT(kafka_options),
		.check = kafka_check_options, .hide = true,
		.meaning =
			"Further librdkafka properties, a=b,c=d, from a short allow list; others "
			"are refused by name."},

	{"SCOREBOX_SCHEMA_REGISTRY_URL", SECTION_REGISTRY, SETTING_TEXT, "", AT(registry_url),
		.check = check_registry_url, .hide = true,
		.meaning =
			"Address of a schema registry: values are framed with the id of the latest "
			"schema of the subject TOPIC-value; http only without a login."},
	{"SCOREBOX_SCHEMA_REGISTRY_KEY", SECTION_REGISTRY, SETTING_SECRET, "", AT(registry_key),
		.check = check_user, .meaning = "Key, or user name, to log in with there."},
	{"SCOREBOX_SCHEMA_REGISTRY_SECRET", SECTION_REGISTRY, SETTING_SECRET, "",
		AT(registry_secret), .check = check_password,
		.meaning = "Its secret, or password."},
	{"SCOREBOX_SCHEMA_REGISTRY_CA_FILE", SECTION_REGISTRY, SETTING_FILE, "",
		AT(registry_ca_file), .shown = "as Kafka's",
		.meaning = "PEM file of the authorities that are believed of the registry."},

	{"SCOREBOX_SPOOL_MAX", SECTION_STORAGE, SETTING_SIZE, "64MiB", AT(spool_max), .least = MIB,
		.most = 1024 * GIB,
		.meaning = "Most that waits for Kafka on disk; in effect at most a quarter of the "
			   "partition."},
	{"SCOREBOX_SPOOL_FULL", SECTION_STORAGE, SETTING_WORD, "latest", AT(spool_full),
		.words = "latest block",
		.meaning = "latest drops superseded states, oldest first, never a match's newest, "
			   "each counted; block stops polling until there is room."},
	{"SCOREBOX_JOURNAL_MAX", SECTION_STORAGE, SETTING_SIZE, "1GiB", AT(journal_max),
		.least = MIB, .most = 1024 * GIB,
		.meaning = "Most that the consumer's journal takes, in effect at most half of the "
			   "partition; ended matches leave first, their workbooks stay."},

	{"SCOREBOX_OUTPUT_DIR", SECTION_BOOKS, SETTING_TEXT, "", AT(output_dir),
		.check = check_folder, .meaning = "Where the workbooks go: the attached storage."},
	{"SCOREBOX_OUTPUT_MOUNT", SECTION_BOOKS, SETTING_WORD, "auto", AT(output_mount),
		.words = "auto require any",
		.meaning = "require: write only below a mount point; auto: so for /media and /mnt; "
			   "any: write anyway."},
	{"SCOREBOX_OUTPUT_MIN_FREE", SECTION_BOOKS, SETTING_SIZE, "32MiB", AT(output_min_free),
		.least = 0, .most = 1024 * GIB,
		.meaning =
			"With less room than this no workbook is begun; the journal goes on, old "
			"workbooks stay."},
	{"SCOREBOX_BOOKS", SECTION_BOOKS, SETTING_WORD, "started", AT(books),
		.words = "started all",
		.meaning = "started: fixtures stand in Matches.xlsx only until play begins; all: "
			   "each has a workbook."},
	{"SCOREBOX_BOOK_INTERVAL", SECTION_BOOKS, SETTING_DURATION, "60s", AT(book_interval_ms),
		.least = 0, .most = 24 * HOUR,
		.meaning = "A changed match's workbook is rewritten at most this often, at once "
			   "when the match ends, and at shutdown."},

	{"SCOREBOX_HOSTNAME", SECTION_BOARD, SETTING_TEXT, "scorebox", AT(board.hostname),
		.check = check_hostname, .meaning = "Name of this box in the network."},
	{"SCOREBOX_NTP", SECTION_BOARD, SETTING_TEXT, "", AT(board.ntp), .check = check_servers,
		.shown = "what DHCP names, else pool.ntp.org",
		.meaning = "Time servers, a comma list of names or addresses."},
	{"SCOREBOX_NET_ADDRESS", SECTION_BOARD, SETTING_TEXT, "dhcp", AT(board.net_address),
		.check = check_net_address,
		.meaning =
			"dhcp, or the box's own addresses, a comma list of ADDRESS/PREFIX such as "
			"192.168.1.20/24."},
	{"SCOREBOX_NET_GATEWAY", SECTION_BOARD, SETTING_TEXT, "", AT(board.net_gateway),
		.check = check_addresses, .shown = "what DHCP names",
		.meaning = "Address of the router, with an address of one's own; one for IPv4, one "
			   "for IPv6."},
	{"SCOREBOX_NET_DNS", SECTION_BOARD, SETTING_TEXT, "", AT(board.net_dns),
		.check = check_addresses, .shown = "what DHCP names",
		.meaning = "Addresses of the name servers, a comma list."},
	{"SCOREBOX_SEAL", SECTION_BOARD, SETTING_WORD, "0", AT(board.seal), .words = "0 1",
		.meaning =
			"1: at the next start keys and passwords move from the settings file on the "
			"card's FAT to its data partition, where a laptop does not show them."},
	{"SCOREBOX_UPDATE", SECTION_BOARD, SETTING_WORD, "stick", AT(board.update),
		.words = "stick off",
		.meaning =
			"stick: take a newer, signed update that is found on a stick; off: only by "
			"hand."},
	{"SCOREBOX_UPDATE_CONFIRM", SECTION_BOARD, SETTING_DURATION, "5m",
		AT(board.update_confirm_ms), .least = SECOND, .most = 24 * HOUR,
		.meaning =
			"How long an update must have worked before it is kept; else the box goes "
			"back to what it had."},
};
const size_t settings_count = sizeof settings_table / sizeof *settings_table;
_Static_assert(sizeof settings_table / sizeof *settings_table <= SETTINGS_MAX, "SETTINGS_MAX");
/* value_word's place is stored into these fields as an int. */
_Static_assert(
	sizeof(enum config_mode) == sizeof(int) && sizeof(enum log_level) == sizeof(int), "enums");

const char *setting_default(const struct setting *s)
{
	return s->shown ? s->shown : s->fallback;
}

int setting_place(const char *name)
{
	for (size_t i = 0; i < settings_count; i++)
		if (!strcmp(settings_table[i].name, name))
			return (int)i;
	return -1;
}

const struct setting *setting_of_name(const char *name, bool *as_file)
{
	static const char suffix[] = "_FILE";
	size_t length = strlen(name), suffix_length = sizeof suffix - 1;
	int place = setting_place(name);
	char own[80];

	*as_file = false;
	if (place >= 0)
		return &settings_table[place];
	if (length <= suffix_length || length >= sizeof own ||
		strcmp(name + length - suffix_length, suffix) != 0)
		return NULL;
	memcpy(own, name, length - suffix_length);
	own[length - suffix_length] = '\0';
	place = setting_place(own);
	*as_file = true;
	return place >= 0 && settings_table[place].type == SETTING_SECRET ? &settings_table[place]
									  : NULL;
}

const char *setting_nearest(const char *name, char *out, size_t out_bytes)
{
	int least = 5; /* further away it is no slip of the finger */

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		for (int as_file = 0; as_file <= (s->type == SETTING_SECRET); as_file++) {
			char candidate[64];

			snprintf(candidate, sizeof candidate, "%s%s", s->name,
				as_file ? "_FILE" : "");

			int distance = text_distance(name, candidate);

			if (distance < least) {
				least = distance;
				snprintf(out, out_bytes, "%s", candidate);
			}
		}
	}
	return least < 5 ? out : NULL;
}
