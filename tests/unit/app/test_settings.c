/* test_settings.c - settings from environment and file, and everything that may be wrong with them. */
#include "app/settings.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPORTS = 40, SET = 12 };

struct reports {
	unsigned wrong, warnings;
	char text[REPORTS][600];
	unsigned count;
};

static void report(void *context, bool wrong, const char *text)
{
	struct reports *r = context;

	r->wrong += wrong;
	r->warnings += !wrong;
	if (r->count < REPORTS)
		snprintf(r->text[r->count++], sizeof r->text[0], "%s", text);
}

static bool reported(const struct reports *r, const char *part)
{
	for (unsigned i = 0; i < r->count; i++)
		if (strstr(r->text[i], part))
			return true;
	return false;
}

static struct reports reports;
static char folder[64];

/* NULL: it was refused, as `reports` tells. */
static struct settings *load(enum config_mode mode, const char *env_file, const char *const *set)
{
	char *environment[SET + 1] = {NULL};
	const struct settings_request request = {
		.env_file = env_file,
		.environment = environment,
		.mode_given = true,
		.mode = mode,
		.any_purpose = true,
		.report = report,
		.context = &reports,
	};
	struct settings *s = NULL;
	struct why why;

	for (unsigned i = 0; set[i]; i++) {
		assert_true(i < SET);
		environment[i] = strdup(set[i]);
	}
	memset(&reports, 0, sizeof reports);

	enum status status = settings_load(&s, &request, &why);

	assert_int_equal(status, reports.wrong ? STATUS_BAD_DATA : STATUS_OK);
	for (unsigned i = 0; environment[i]; i++)
		free(environment[i]);
	return s;
}

#define WITH(...)                 \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static const char *write_file(const char *name, const char *text, mode_t mode)
{
	static char path[200];
	struct why why;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(file_replace(path, text, strlen(text), mode, &why), STATUS_OK);
	return path;
}

#define STATE	"SCOREBOX_STATE_DIR=/tmp/state"
#define KEY	"SCOREBOX_API_KEY=0123456789abcdef"
#define BROKERS "SCOREBOX_KAFKA_BROKERS=k1:9092,k2"
#define OUTPUT	"SCOREBOX_OUTPUT_DIR=/media/scores"

static void the_least_that_works(void **state)
{
	struct settings *s = load(MODE_BOTH, NULL, WITH(STATE, KEY, BROKERS, OUTPUT));
	const struct config *c;

	(void)state;
	assert_non_null(s);
	c = settings_config(s);
	assert_int_equal(reports.count, 0);
	assert_int_equal(c->mode, MODE_BOTH);
	assert_string_equal(c->state_dir, "/tmp/state");
	assert_string_equal(c->api_key, "0123456789abcdef");
	assert_string_equal(c->api_url, "https://api.cricapi.com/v1/currentMatches");
	assert_string_equal(c->source.records, "/data");
	assert_string_equal(c->source.key_param, "apikey");
	assert_string_equal(c->source.key_header, "");
	assert_string_equal(c->kafka_brokers, "k1:9092,k2");
	assert_false(c->kafka_embedded);
	assert_string_equal(c->kafka_topic, "cricket-live-data");
	assert_string_equal(c->kafka_compression, "lz4");
	assert_int_equal(c->kafka_linger_ms, 50);
	assert_int_equal(c->memory_max, 0);
	assert_int_equal(c->clock_wait_ms, 300000);
	assert_true(c->poll_auto);
	assert_int_equal(c->poll_min_ms, 15000);
	assert_int_equal(c->api_timeout_ms, 30000);
	assert_int_equal(c->api_max_body, 4 << 20);
	assert_int_equal(c->api_max_record, 256 << 10);
	assert_int_equal(c->spool_max, 64 << 20);
	assert_int_equal(c->journal_max, 1 << 30);
	assert_int_equal(c->spool_full, SPOOL_LATEST);
	assert_int_equal(c->output_mount, MOUNT_AUTO);
	assert_int_equal(c->output_min_free, 32 << 20);
	assert_int_equal(c->book_interval_ms, 60000);
	assert_int_equal(c->timeout_ms, 60000);
	assert_string_equal(c->timezone, "UTC");
	assert_string_equal(c->matches, "");
	assert_string_equal(c->kafka_options, "");
	assert_string_equal(c->api_proxy, "");
	settings_free(s);
}

static void everything_set(void **state)
{
	struct settings *s = load(MODE_PRODUCE, NULL,
		WITH(STATE, KEY, BROKERS, "SCOREBOX_POLL_INTERVAL=0", "SCOREBOX_PUBLISH=all",
			"SCOREBOX_SPOOL_FULL=block", "SCOREBOX_MATCHES= India, England ",
			"SCOREBOX_API_KEY_HEADER=X-Key", "SCOREBOX_TIMEZONE=IST-5:30",
			"SCOREBOX_API_RECORDS=/rows", "SCOREBOX_KAFKA_TOPIC=scores",
			"SCOREBOX_LOG_LEVEL=warn"));
	const struct config *c;

	(void)state;
	assert_non_null(s);
	c = settings_config(s);
	assert_false(c->poll_auto);
	assert_int_equal(c->poll_fixed_ms, 0);
	assert_int_equal(c->publish, PUBLISH_ALL);
	assert_int_equal(c->spool_full, SPOOL_BLOCK);
	assert_string_equal(c->matches, "India, England");
	assert_string_equal(c->source.key_header, "X-Key");
	assert_string_equal(c->source.key_param, "");
	assert_string_equal(c->source.records, "/rows");
	assert_string_equal(c->source.id, "/id");
	assert_int_equal(c->log_level, LOG_WARN);
	settings_free(s);
}

/* Each case: one setting beside the least that works, and a part of what is said of it. */
static void single_mistakes(void **state)
{
	static const struct {
		const char *set, *said;
	} cases[] = {
		{"SCOREBOX_POLL_MIN=abc",
			"SCOREBOX_POLL_MIN=\"abc\": expected a duration such as 15s"},
		{"SCOREBOX_POLL_MIN=1ms", "expected 100ms to 24h"},
		{"SCOREBOX_POLL_INTERVAL=often", "expected auto or a duration"},
		{"SCOREBOX_API_MAX_BODY=4MB", "expected a size such as 64MiB"},
		{"SCOREBOX_PUBLISH=some", "expected one of: changes all"},
		{"SCOREBOX_SOURCE=cricbuzz",
			"SCOREBOX_SOURCE=\"cricbuzz\": expected cricapi or custom"},
		{"SCOREBOX_SOURCE=custom", "SCOREBOX_API_URL is not set"},
		{"SCOREBOX_API_URL=http://api.example.com/x", "begins with https://"},
		{"SCOREBOX_API_URL=https://me:pw@api.example.com/x",
			"user and password do not belong"},
		{"SCOREBOX_API_URL=https://", "names no host"},
		{"SCOREBOX_API_URL=https://h:99999/", "host and port"},
		{"SCOREBOX_API_URL=https://h:/", "host and port"},
		{"SCOREBOX_API_CA_FILE=/nonexistent.pem",
			"SCOREBOX_API_CA_FILE=\"/nonexistent.pem\": the file cannot be read"},
		{"SCOREBOX_API_CERT_FILE=/dev/null", "go together"},
		{"SCOREBOX_API_PROXY=proxy:3128", "SCOREBOX_API_PROXY: expected http://"},
		{"SCOREBOX_API_RECORDS=data", "SCOREBOX_API_RECORDS"},
		{"SCOREBOX_API_KEY_FILE=/nonexistent",
			"SCOREBOX_API_KEY and SCOREBOX_API_KEY_FILE are both set"},
		{"SCOREBOX_TIMEZONE=IST", "expected a POSIX time zone"},
		{"SCOREBOX_TIMEZONE=../../etc/passwd", "expected a POSIX time zone"},
		{"SCOREBOX_KAFKA_TOPIC=a b", "SCOREBOX_KAFKA_TOPIC"},
		{"SCOREBOX_KAFKA_SECURITY=ssl",
			"expected one of: plaintext tls sasl_plaintext sasl_tls"},
		{"SCOREBOX_KAFKA_INSTANCE=box1", "set SCOREBOX_KAFKA_GROUP too"},
		{"SCOREBOX_KAFKA_COMPRESSION=brotli", "SCOREBOX_KAFKA_COMPRESSION"},
		{"SCOREBOX_KAFKA_OPTIONS=enable.idempotence=false", "SCOREBOX_KAFKA_OPTIONS: "},
		{"SCOREBOX_SPOOL_MAX=1023KiB", "expected 1MiB to"},
		{"SCOREBOX_SPOOL_MAX=1MiB", ""},
		{"SCOREBOX_API_MAX_RECORD=16MiB", "SCOREBOX_API_MAX_RECORD is above"},
		{"SCOREBOX_MEMORY_MAX=2MiB", "SCOREBOX_MEMORY_MAX: "},
		{"SCOREBOX_MATCHES=a\nb", "control character"},
		{"SCOREBOX_SEAL=yes", "expected one of: 0 1"},
		{"SCOREBOX_UPDATE=always", "expected one of: stick off"},
		{"SCOREBOX_UPDATE_CONFIRM=5", "expected a duration"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings *s = load(
			MODE_BOTH, NULL, WITH(STATE, KEY, BROKERS, OUTPUT, cases[i].set));

		if (!*cases[i].said)
			assert_non_null(s);
		else if (s || !reported(&reports, cases[i].said))
			fail_msg("%s: %u reports, '%s'", cases[i].set, reports.count,
				reports.text[0]);
		settings_free(s);
	}
}

/* Settings that only the SD image uses are checked everywhere. */
static void settings_of_the_board(void **state)
{
	static const struct {
		const char *set;
		bool good;
	} cases[] = {
		{"SCOREBOX_HOSTNAME=scorebox", true},
		{"SCOREBOX_HOSTNAME=Hut-2.ground.example", true},
		{"SCOREBOX_HOSTNAME=3com", true},
		{"SCOREBOX_HOSTNAME=a_b", false},
		{"SCOREBOX_HOSTNAME=-a", false},
		{"SCOREBOX_HOSTNAME=a-", false},
		{"SCOREBOX_HOSTNAME=a..b", false},
		{"SCOREBOX_HOSTNAME=a.", false},
		{"SCOREBOX_HOSTNAME=hut 2", false},
		{"SCOREBOX_HOSTNAME=a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g234",
			true},
		{"SCOREBOX_HOSTNAME=a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g2345",
			false},
		{"SCOREBOX_NTP=pool.ntp.org", true},
		{"SCOREBOX_NTP=10.0.2.2, fd00::1,0.de.pool.ntp.org", true},
		{"SCOREBOX_NTP=10.0.0.300", false},
		{"SCOREBOX_NTP=http://pool.ntp.org/", false},
		{"SCOREBOX_NTP=pool.ntp.org:123", false},
		{"SCOREBOX_NTP=,", false},
		{"SCOREBOX_NET_ADDRESS=dhcp", true},
		{"SCOREBOX_NET_ADDRESS=192.168.1.20/24", true},
		{"SCOREBOX_NET_ADDRESS=192.168.1.20/24 fd00::20/64", true},
		{"SCOREBOX_NET_ADDRESS=192.168.1.20", false},
		{"SCOREBOX_NET_ADDRESS=192.168.1.20/33", false},
		{"SCOREBOX_NET_ADDRESS=192.168.1.20/0", false},
		{"SCOREBOX_NET_ADDRESS=192.168.1.20/255.255.255.0", false},
		{"SCOREBOX_NET_ADDRESS=192.168.1.20/ 24", false},
		{"SCOREBOX_NET_ADDRESS=fd00::20/129", false},
		{"SCOREBOX_NET_ADDRESS=dhcp,192.168.1.20/24", false},
		{"SCOREBOX_NET_GATEWAY=192.168.1.1", true},
		{"SCOREBOX_NET_GATEWAY=192.168.1", false},
		{"SCOREBOX_NET_GATEWAY=router", false},
		{"SCOREBOX_NET_DNS=9.9.9.9,2620:fe::fe", true},
		{"SCOREBOX_NET_DNS=9.9.9.9;1.1.1.1", false},
		{"SCOREBOX_SEAL=1", true},
		{"SCOREBOX_UPDATE=off", true},
		{"SCOREBOX_UPDATE_CONFIRM=90s", true},
		{"SCOREBOX_UPDATE_CONFIRM=0", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings *s = load(
			MODE_BOTH, NULL, WITH(STATE, KEY, BROKERS, OUTPUT, cases[i].set));

		if (!s == cases[i].good || reports.count != !cases[i].good ||
			(!s && !reported(&reports, "expected ")))
			fail_msg("%s: %u reports, '%s'", cases[i].set, reports.count,
				reports.text[0]);
		settings_free(s);
	}

	struct settings *s = load(MODE_BOTH, NULL,
		WITH(STATE, KEY, BROKERS, OUTPUT, "SCOREBOX_SEAL=1", "SCOREBOX_UPDATE=off"));
	const struct config *c = settings_config(s);

	assert_string_equal(c->board.hostname, "scorebox");
	assert_string_equal(c->board.ntp, "");
	assert_string_equal(c->board.net_address, "dhcp");
	assert_int_equal(c->board.seal, 1);
	assert_int_equal(c->board.update, UPDATE_OFF);
	assert_int_equal(c->board.update_confirm_ms, 300000);
	settings_free(s);
}

#define SASL_TLS "SCOREBOX_KAFKA_SECURITY=sasl_tls"
#define USERNAME "SCOREBOX_KAFKA_SASL_USERNAME=me"
#define PASSWORD "SCOREBOX_KAFKA_SASL_PASSWORD=swordfish"
#define OAUTH	 "SCOREBOX_KAFKA_SASL_MECHANISM=OAUTHBEARER"
#define TOKENS	 "SCOREBOX_KAFKA_OAUTH_URL=https://login.example.com/token"

struct combination {
	const char *set[5];
	const char *said; /* NULL: it is right */
};

static void try_combination(const struct combination *c, unsigned warnings)
{
	const char *set[9] = {0}; /* the first of a name counts */
	unsigned n = 0;

	while (n < 5 && c->set[n]) {
		set[n] = c->set[n];
		n++;
	}
	set[n++] = STATE;
	set[n++] = KEY;
	set[n] = BROKERS;

	struct settings *s = load(MODE_PRODUCE, NULL, set);

	if (!c->said != !!s || (c->said && !reported(&reports, c->said)))
		fail_msg("%s %s %s: %u reports, '%s'", c->set[0], c->set[1] ? c->set[1] : "",
			c->set[2] ? c->set[2] : "", reports.count, reports.text[0]);
	assert_int_equal(reports.wrong, c->said ? 1 : 0);
	assert_int_equal(reports.warnings, warnings);
	assert_false(reported(&reports, "swordfish"));
	settings_free(s);
}

/* Each wrong combination of Kafka's security has one line of its own. */
static void kafka_security_combinations(void **state)
{
	static const struct combination cases[] = {
		{{SASL_TLS, USERNAME, PASSWORD}, NULL},
		{{"SCOREBOX_KAFKA_SECURITY=tls"}, NULL},
		{{"SCOREBOX_KAFKA_SECURITY=SASL_TLS", USERNAME, PASSWORD}, NULL},
		{{SASL_TLS, PASSWORD}, "SCOREBOX_KAFKA_SASL_USERNAME is not set: a login needs"},
		{{SASL_TLS, USERNAME},
			"SCOREBOX_KAFKA_SASL_PASSWORD is not set: a login needs one; put it in a file"},
		{{USERNAME},
			"SCOREBOX_KAFKA_SASL_USERNAME is set, but SCOREBOX_KAFKA_SECURITY=plaintext has no login; set that to sasl_tls"},
		{{"SCOREBOX_KAFKA_SECURITY=tls", PASSWORD},
			"SCOREBOX_KAFKA_SASL_PASSWORD is set, but SCOREBOX_KAFKA_SECURITY=tls has no login"},
		{{"SCOREBOX_KAFKA_SASL_MECHANISM=PLAIN"}, NULL},
		{{TOKENS},
			"SCOREBOX_KAFKA_OAUTH_URL is set, but SCOREBOX_KAFKA_SECURITY=plaintext"},
		{{"SCOREBOX_KAFKA_CA_FILE=/dev/null"},
			"SCOREBOX_KAFKA_CA_FILE is set, but SCOREBOX_KAFKA_SECURITY=plaintext has no TLS; set that to tls"},
		{{"SCOREBOX_KAFKA_SECURITY=sasl_plaintext", USERNAME, PASSWORD,
			 "SCOREBOX_KAFKA_BROKERS=localhost:9092",
			 "SCOREBOX_KAFKA_CA_FILE=/dev/null"},
			"has no TLS; set that to sasl_tls, or unset this"},
		{{"SCOREBOX_KAFKA_SECURITY=tls", "SCOREBOX_KAFKA_CERT_FILE=/dev/null"},
			"SCOREBOX_KAFKA_CERT_FILE and SCOREBOX_KAFKA_KEY_FILE go together"},
		{{"SCOREBOX_KAFKA_SECURITY=tls", "SCOREBOX_KAFKA_KEY_FILE=/dev/null"},
			"SCOREBOX_KAFKA_CERT_FILE and SCOREBOX_KAFKA_KEY_FILE go together"},
		{{"SCOREBOX_KAFKA_SECURITY=tls", "SCOREBOX_KAFKA_CERT_FILE=/nonexistent.pem"},
			"SCOREBOX_KAFKA_CERT_FILE=\"/nonexistent.pem\": the file cannot be read"},
		{{SASL_TLS, USERNAME, PASSWORD, "SCOREBOX_KAFKA_SASL_MECHANISM=GSSAPI"},
			"SCOREBOX_KAFKA_SASL_MECHANISM=\"GSSAPI\": expected PLAIN, SCRAM-SHA-256"},
		{{SASL_TLS, USERNAME, PASSWORD, TOKENS},
			"SCOREBOX_KAFKA_OAUTH_URL is for SCOREBOX_KAFKA_SASL_MECHANISM=OAUTHBEARER"},
		{{SASL_TLS, USERNAME, PASSWORD, "SCOREBOX_KAFKA_OAUTH_SCOPE=kafka"},
			"SCOREBOX_KAFKA_OAUTH_SCOPE is for"},
		{{"SCOREBOX_KAFKA_BROKERS=embedded", "SCOREBOX_KAFKA_SECURITY=tls"},
			"SCOREBOX_KAFKA_BROKERS=embedded speaks plaintext only"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		try_combination(&cases[i], 0);
}

static void what_a_build_lacks_is_refused(void **state)
{
	static const char *const mechanisms[] = {"SCRAM-SHA-256", "SCRAM-SHA-512"};
	static const struct combination oauth[] = {
		{{SASL_TLS, USERNAME, PASSWORD, OAUTH, TOKENS}, NULL},
		{{SASL_TLS, USERNAME, PASSWORD, OAUTH}, "SCOREBOX_KAFKA_OAUTH_URL is not set"},
		{{SASL_TLS, PASSWORD, OAUTH, TOKENS}, "asks for its token with a client's id"},
		{{SASL_TLS, USERNAME, PASSWORD, OAUTH, "SCOREBOX_KAFKA_OAUTH_URL=http://x/"},
			"SCOREBOX_KAFKA_OAUTH_URL: expected an address that begins with https://"},
		{{SASL_TLS, USERNAME, PASSWORD, OAUTH, "SCOREBOX_KAFKA_OAUTH_URL=https://a:b@x/"},
			"they go into SCOREBOX_KAFKA_SASL_USERNAME"},
	};
	bool openssl = strchr(kafka_mechanisms(), ',');
	char set[80], said[160];

	(void)state;
	for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++) {
		snprintf(set, sizeof set, "SCOREBOX_KAFKA_SASL_MECHANISM=%s", mechanisms[i]);
		snprintf(said, sizeof said,
			"%s is in the OpenSSL build only: cmake --preset native-openssl",
			mechanisms[i]);
		try_combination(&(struct combination){{SASL_TLS, USERNAME, PASSWORD, set},
					openssl ? NULL : said},
			0);
	}
	if (!openssl)
		try_combination(&(struct combination){{SASL_TLS, USERNAME, PASSWORD, OAUTH},
					"OAUTHBEARER is in the OpenSSL build only"},
			0);
	for (size_t i = 0; openssl && i < sizeof oauth / sizeof *oauth; i++)
		try_combination(&oauth[i], 0);
}

static void a_login_in_the_clear_is_warned_of(void **state)
{
	static const struct {
		const char *brokers;
		unsigned warnings;
	} cases[] = {
		{"SCOREBOX_KAFKA_BROKERS=kafka.example:9092", 1},
		{"SCOREBOX_KAFKA_BROKERS=localhost, 127.0.0.1:9092,[::1]:9092", 0},
		{"SCOREBOX_KAFKA_BROKERS=localhost,10.0.0.7", 1},
		{"SCOREBOX_KAFKA_BROKERS=127.evil.example", 1},
		{"SCOREBOX_KAFKA_BROKERS=localhost.example:1", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings *s = load(MODE_PRODUCE, NULL,
			WITH(STATE, KEY, cases[i].brokers, "SCOREBOX_KAFKA_SECURITY=sasl_plaintext",
				USERNAME, PASSWORD));

		assert_non_null(s);
		assert_int_equal(reports.warnings, cases[i].warnings);
		if (cases[i].warnings)
			assert_true(reported(&reports, "in the clear; use sasl_tls"));
		settings_free(s);
	}
}

/* Each name in the list and three brokers more may hold a TLS session at a time. */
static void tls_sessions_are_in_the_budget(void **state)
{
	static const char *const securities[] = {
		"SCOREBOX_KAFKA_SECURITY=plaintext", "SCOREBOX_KAFKA_SECURITY=tls"};
	struct budget budget[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct settings *s = load(
			MODE_PRODUCE, NULL, WITH(STATE, KEY, BROKERS, securities[i]));
		struct why why;

		assert_non_null(s);
		assert_int_equal(settings_budget(settings_config(s), &budget[i], &why), STATUS_OK);
		settings_free(s);
	}
	assert_true(budget[1].producer > budget[0].producer);
	/* OpenSSL keeps roots of its own. */
	bool openssl = strchr(kafka_mechanisms(), ',');

	assert_int_equal(kafka_sessions("k1:9092,k2", true, false), 5);
	assert_int_equal(kafka_sessions("k1:9092,k2", true, true), openssl ? 33 : 5);
	assert_int_equal(kafka_sessions("k1:9092,k2", false, true), 1);
}

static void all_mistakes_at_once(void **state)
{
	(void)state;
	assert_null(load(MODE_BOTH, NULL,
		WITH(STATE, "SCOREBOX_POLL_MIN=abc", "SCOREBOX_API_URL=ftp://x",
			"SCOREBOX_SPOOL_MAX=lots", "SCOREBOX_BOOKS=none",
			"SCOREBOX_KAFKA_SECURITY=ssl")));
	assert_int_equal(reports.wrong, 8);
	assert_true(reported(&reports, "SCOREBOX_POLL_MIN"));
	assert_true(reported(&reports, "SCOREBOX_API_URL: "));
	assert_true(reported(&reports, "SCOREBOX_SPOOL_MAX"));
	assert_true(reported(&reports, "SCOREBOX_BOOKS"));
	assert_true(reported(&reports, "SCOREBOX_KAFKA_SECURITY"));
	assert_true(reported(&reports, "SCOREBOX_API_KEY is not set"));
	assert_true(reported(&reports, "SCOREBOX_KAFKA_BROKERS is not set"));
	assert_true(reported(&reports, "SCOREBOX_OUTPUT_DIR is not set"));
}

static void what_a_mode_needs(void **state)
{
	(void)state;
	assert_null(load(MODE_PRODUCE, NULL, WITH(STATE)));
	assert_int_equal(reports.wrong, 2);
	assert_null(load(MODE_CONSUME, NULL, WITH(STATE)));
	assert_int_equal(reports.wrong, 2);
	assert_false(reported(&reports, "API_KEY"));

	struct settings *s = load(MODE_CONSUME, NULL, WITH(STATE, BROKERS, OUTPUT));

	assert_non_null(s);
	settings_free(s);
}

static void unknown_names(void **state)
{
	struct settings *s = load(MODE_PRODUCE, NULL,
		WITH(STATE, KEY, BROKERS, "SCOREBOX_POLL_INTERVALL=5s",
			"SCOREBOX_COLOUR_OF_THE_BALL=red", "SCOREBOX_API_KEYFILE=x", "OTHER=1"));

	(void)state;
	assert_non_null(s);
	assert_int_equal(reports.warnings, 3);
	assert_true(reported(&reports,
		"SCOREBOX_POLL_INTERVALL is no setting and has no effect; did you mean "
		"SCOREBOX_POLL_INTERVAL?"));
	assert_true(reported(&reports,
		"SCOREBOX_COLOUR_OF_THE_BALL is no setting and has no effect; `scorebox help`"));
	assert_true(reported(&reports, "did you mean SCOREBOX_API_KEY_FILE?"));
	settings_free(s);
}

static void the_environment_wins(void **state)
{
	const char *path = write_file("env",
		"\xEF\xBB\xBF# ours\r\nSCOREBOX_KAFKA_TOPIC=from-file\r\n"
		"SCOREBOX_MATCHES=\"from file\"\r\nSCOREBOX_BOOKS=all\r\n",
		0600);
	struct settings *s = load(MODE_PRODUCE, path,
		WITH(STATE, KEY, BROKERS, "SCOREBOX_KAFKA_TOPIC=from-env", "SCOREBOX_BOOKS="));

	(void)state;
	assert_non_null(s);
	assert_string_equal(settings_config(s)->kafka_topic, "from-env");
	assert_string_equal(settings_config(s)->matches, "from file");
	assert_int_equal(
		settings_config(s)->books, BOOKS_STARTED); /* empty: as if it were not set */
	settings_free(s);
}

static void mistakes_of_the_file_name_their_lines(void **state)
{
	const char *path = write_file(
		"env", "SCOREBOX_MATCHES='x\nwhat\nSCOREBOX_BOOKS=maybe\n", 0600);

	(void)state;
	assert_null(load(MODE_PRODUCE, path, WITH(STATE, KEY, BROKERS)));
	assert_int_equal(reports.wrong, 3);
	assert_true(reported(&reports, "line 1: the quote is not closed"));
	assert_true(reported(&reports, "line 2: expected NAME=value"));
	assert_true(reported(&reports, "SCOREBOX_BOOKS=\"maybe\""));
	assert_null(load(MODE_PRODUCE, "/nonexistent/env", WITH(STATE, KEY, BROKERS)));
	assert_true(reported(&reports, "--env-file '/nonexistent/env'"));
}

static void secrets_by_file(void **state)
{
	char set[300];
	struct settings *s;

	(void)state;
	snprintf(set, sizeof set, "SCOREBOX_API_KEY_FILE=%s",
		write_file("key", "secret-of-the-file \r\n", 0600));
	s = load(MODE_PRODUCE, NULL, WITH(STATE, BROKERS, set));
	assert_non_null(s);
	assert_int_equal(reports.count, 0);
	assert_string_equal(settings_config(s)->api_key, "secret-of-the-file");
	settings_free(s);

	write_file("key", "secret-of-the-file", 0644);
	s = load(MODE_PRODUCE, NULL, WITH(STATE, BROKERS, set));
	assert_non_null(s);
	assert_int_equal(reports.warnings, 1);
	assert_true(reported(&reports, "chmod 600"));
	settings_free(s);

	write_file("key", "-----BEGIN PRIVATE KEY-----\n", 0600);
	assert_null(load(MODE_PRODUCE, NULL, WITH(STATE, BROKERS, set)));
	assert_int_equal(reports.wrong, 1);
	assert_true(reported(&reports, "SCOREBOX_API_CERT_KEY_FILE"));

	write_file("key", "\n", 0600);
	assert_null(load(MODE_PRODUCE, NULL, WITH(STATE, BROKERS, set)));
	assert_int_equal(reports.wrong, 1);
	assert_null(load(
		MODE_PRODUCE, NULL, WITH(STATE, BROKERS, "SCOREBOX_API_KEY_FILE=/nonexistent")));
	assert_int_equal(reports.wrong, 1);
	assert_true(reported(&reports, "SCOREBOX_API_KEY_FILE: "));
}

/* In no report and in no form of the table. */
static void secrets_stay_secret(void **state)
{
	static const char *const secrets[] = {
		"0123456789abcdef", "hunter2hunter2", "wrong key with blanks"};
	struct settings *s = load(MODE_PRODUCE, NULL,
		WITH(STATE, KEY, BROKERS,
			"SCOREBOX_API_PROXY=http://me:hunter2hunter2@proxy:3128"));
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_non_null(s);
	settings_print_effective(s, out);
	settings_print_help(out);
	settings_print_markdown(out);
	settings_print_example(out);
	fclose(out);
	assert_non_null(strstr(text, "*** (16 characters)"));
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		assert_null(strstr(text, secrets[i]));
	free(text);
	settings_free(s);
	assert_null(load(MODE_PRODUCE, NULL,
		WITH(STATE, BROKERS, "SCOREBOX_API_KEY=wrong key with blanks",
			"SCOREBOX_API_PROXY=hunter2hunter2@",
			"SCOREBOX_API_URL=https://me:hunter2hunter2@host/",
			"SCOREBOX_KAFKA_OPTIONS=sasl.password=hunter2hunter2")));
	assert_int_equal(reports.wrong, 4);
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		assert_false(reported(&reports, secrets[i]));
}

static void the_state_folder_alone(void **state)
{
	char wrong[] = "SCOREBOX_POLL_MIN=abc", home[] = "HOME=/home/me",
	     given[] = "STATE_DIRECTORY=/var/lib/x:/y";
	const struct settings_request request = {
		.environment = (char *[]){wrong, home, given, NULL},
		.purpose = SETTINGS_STATE_ONLY,
		.report = report,
		.context = &reports,
	};
	struct settings *s = NULL;
	struct why why;

	(void)state;
	memset(&reports, 0, sizeof reports);
	assert_int_equal(settings_load(&s, &request, &why), STATUS_OK);
	assert_int_equal(reports.count, 0);
	assert_string_equal(
		settings_config(s)->state_dir, geteuid() ? "/var/lib/x" : "/var/lib/scorebox");
	settings_free(s);
}

/* The example file, with everything un-commented that has a value, is a valid env file. */
static void the_example_is_valid(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	settings_print_example(out);
	fclose(out);
	for (char *p = text; (p = strstr(p, "\n#SCOREBOX_")); p++)
		p[1] = ' ';

	struct settings *s = load(
		MODE_PRODUCE, write_file("env", text, 0600), WITH(STATE, KEY, BROKERS));

	assert_non_null(s);
	assert_int_equal(reports.count, 0);
	settings_free(s);
	free(text);
}

/* Nothing counts until somebody has been at it; then each line is right as it stands. */
static void a_new_cards_file_is_valid(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	unsigned names = 0;

	(void)state;
	settings_print_card(out);
	fclose(out);
	for (char *line = text, *end; *line; line = end + 2) {
		end = strchr(line, '\n') - 1;
		assert_int_equal(*end, '\r');
		assert_true(end - line <= 78);
		assert_true(end == line || *line == '#');
		for (char *p = line; p < end; p++)
			assert_in_range((unsigned char)*p, ' ', '~');
		if (!strncmp(line, "#SCOREBOX_", 10)) {
			*line = ' ';
			names++;
		}
	}
	assert_in_range(names, 10, 20);

	/* With OpenSSL under Kafka the usual ceiling is too small for both services over TLS; the image has none. */
	struct settings *s = load(MODE_BOTH, write_file("env", text, 0600),
		WITH(STATE, KEY, OUTPUT, USERNAME, PASSWORD, "SCOREBOX_MEMORY_MAX=24MiB"));

	assert_int_equal(reports.count, 0);
	assert_non_null(s);
	assert_int_equal(settings_config(s)->board.seal, 1);
	assert_string_equal(settings_config(s)->kafka_brokers, "kafka.example:9092");
	settings_free(s);
	free(text);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/settings-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/env", folder);
	unlink(path);
	snprintf(path, sizeof path, "%s/key", folder);
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_that_works),
		cmocka_unit_test(everything_set),
		cmocka_unit_test(single_mistakes),
		cmocka_unit_test(settings_of_the_board),
		cmocka_unit_test(kafka_security_combinations),
		cmocka_unit_test(what_a_build_lacks_is_refused),
		cmocka_unit_test(a_login_in_the_clear_is_warned_of),
		cmocka_unit_test(tls_sessions_are_in_the_budget),
		cmocka_unit_test(all_mistakes_at_once),
		cmocka_unit_test(what_a_mode_needs),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(the_environment_wins),
		cmocka_unit_test(mistakes_of_the_file_name_their_lines),
		cmocka_unit_test(secrets_by_file),
		cmocka_unit_test(secrets_stay_secret),
		cmocka_unit_test(the_state_folder_alone),
		cmocka_unit_test(the_example_is_valid),
		cmocka_unit_test(a_new_cards_file_is_valid),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
