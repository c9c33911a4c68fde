/* test_client.c - settings that are checked without a connection: options, brokers, topics, compression. */
#include "kafka/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

struct text_case {
	const char *text;
	enum status expected;
	const char *in_reason; /* NULL: any */
	const char *comment;
};

typedef enum status check(const char *text, struct why *why);

static void run(const struct text_case *cases, size_t count, check *call)
{
	for (size_t i = 0; i < count; i++) {
		struct why why = {""};
		enum status got = call(cases[i].text, &why);

		if (got != cases[i].expected)
			fail_msg("'%.60s' (%s): got %s: %s", cases[i].text, cases[i].comment,
				status_name(got), why.text);
		if (cases[i].in_reason && !strstr(why.text, cases[i].in_reason))
			fail_msg("'%.60s' (%s): reason is: %s", cases[i].text, cases[i].comment,
				why.text);
	}
}

#define RUN(cases, call) run(cases, sizeof(cases) / sizeof *(cases), call)

static void options(void **state)
{
	static const struct text_case cases[] = {
		{"", STATUS_OK, NULL, "none"},
		{"socket.timeout.ms=20000", STATUS_OK, NULL, "one"},
		{" socket.timeout.ms = 20000 , client.rack=a ", STATUS_OK, NULL, "blanks"},
		{"broker.address.family=v4,debug=broker", STATUS_OK, NULL, "two"},
		{"fetch.wait.max.ms=100,compression.level=3", STATUS_OK, NULL, "of both roles"},
		{"acks=0", STATUS_BAD_DATA,
			"'acks' is not allowed; allowed are: broker.address.family",
			"undoes a promise"},
		{"enable.idempotence=false", STATUS_BAD_DATA, "not allowed", "undoes a promise"},
		{"message.timeout.ms=1", STATUS_BAD_DATA, "not allowed", "undoes a promise"},
		{"enable.ssl.certificate.verification=false", STATUS_BAD_DATA, "not allowed",
			"undoes security"},
		{"ssl.endpoint.identification.algorithm=none", STATUS_BAD_DATA, "not allowed",
			"undoes security"},
		{"ssl.cipher.suites=ALL:@SECLEVEL=0", STATUS_BAD_DATA, "not allowed",
			"undoes security"},
		{"security.protocol=plaintext", STATUS_BAD_DATA, "not allowed", "undoes security"},
		{"client.dns.lookup=resolve_canonical_bootstrap_servers_only", STATUS_BAD_DATA,
			"not allowed", "names from the name server would be verified"},
		{"queued.max.messages.kbytes=1", STATUS_BAD_DATA, "not allowed",
			"undoes the ceiling"},
		{"socket.timeout.ms=ten", STATUS_BAD_DATA, "socket.timeout.ms=ten", "no number"},
		{"socket.timeout.ms=1", STATUS_BAD_DATA, "socket.timeout.ms=1", "out of range"},
		{"broker.address.family=v5", STATUS_BAD_DATA, "v5", "no such value"},
		{"socket.timeout.ms", STATUS_BAD_DATA, "no '=value'", "no value"},
		{"socket.timeout.ms=", STATUS_BAD_DATA, "empty", "empty value"},
		{"client.rack=a,,client.rack=b", STATUS_BAD_DATA, "between two commas",
			"empty item"},
		{"=5", STATUS_BAD_DATA, "not allowed", "no name"},
		{"Socket.Timeout.Ms=20000", STATUS_BAD_DATA, "not allowed", "case counts"},
	};

	(void)state;
	RUN(cases, kafka_check_options);
	struct why why;
	assert_int_equal(kafka_check_options(NULL, &why), STATUS_OK);
}

static void long_options(void **state)
{
	char text[400];
	struct why why;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(kafka_check_options(text, &why), STATUS_BAD_DATA);
	memcpy(text, "client.rack=", 12);
	assert_int_equal(kafka_check_options(text, &why), STATUS_BAD_DATA);
	assert_non_null(strstr(why.text, "too long"));
}

static void brokers(void **state)
{
	static const struct text_case cases[] = {
		{"kafka-1:9092", STATUS_OK, NULL, "plain"},
		{"kafka-1", STATUS_OK, NULL, "no port"},
		{"a:1,b:2,c:65535", STATUS_OK, NULL, "list"},
		{"a:1, b:2 ,c", STATUS_OK, NULL, "blanks"},
		{"10.0.0.1:9092", STATUS_OK, NULL, "address"},
		{"[::1]:9092", STATUS_OK, NULL, "IPv6"},
		{"[fe80::1%0]:9092,[::1]", STATUS_OK, NULL, "IPv6 with zone; without port"},
		{"", STATUS_BAD_DATA, "host:port", "nothing"},
		{"a:1,", STATUS_BAD_DATA, NULL, "comma at the end"},
		{",a:1", STATUS_BAD_DATA, NULL, "comma in front"},
		{"a:1, ,b:2", STATUS_BAD_DATA, NULL, "blank item"},
		{"a:0", STATUS_BAD_DATA, "'a:0'", "port 0"},
		{"a:65536", STATUS_BAD_DATA, NULL, "port too high"},
		{"a:", STATUS_BAD_DATA, NULL, "empty port"},
		{"a:9o92", STATUS_BAD_DATA, NULL, "letter in the port"},
		{"a:000000001", STATUS_BAD_DATA, NULL, "long port"},
		{"SSL://a:9092", STATUS_BAD_DATA, NULL, "a listener, not an address"},
		{"::1:9092", STATUS_BAD_DATA, NULL, "IPv6 without brackets"},
		{"[::1:9092", STATUS_BAD_DATA, NULL, "bracket left open"},
		{"[]:9092", STATUS_BAD_DATA, NULL, "empty brackets"},
		{"a b:9092", STATUS_BAD_DATA, NULL, "blank inside"},
		{":9092", STATUS_BAD_DATA, NULL, "no host"},
		{"kafka.example.com:9092;kafka2:9092", STATUS_BAD_DATA, NULL, "wrong separator"},
	};

	(void)state;
	RUN(cases, kafka_check_brokers);
}

static void topics(void **state)
{
	static const struct text_case cases[] = {
		{"cricket-live-data", STATUS_OK, NULL, "the default"},
		{"a", STATUS_OK, NULL, "shortest"},
		{"A.b_c-9", STATUS_OK, NULL, "all kinds"},
		{"...", STATUS_OK, NULL, "three dots are allowed"},
		{"", STATUS_BAD_DATA, "1 to 249", "empty"},
		{".", STATUS_BAD_DATA, NULL, "dot"},
		{"..", STATUS_BAD_DATA, NULL, "dots"},
		{"a b", STATUS_BAD_DATA, "only", "blank"},
		{"a/b", STATUS_BAD_DATA, NULL, "slash"},
		{"caf\xC3\xA9", STATUS_BAD_DATA, NULL, "beyond ASCII"},
	};
	char text[251];
	struct why why;

	(void)state;
	RUN(cases, kafka_check_topic);
	memset(text, 'x', 250);
	text[250] = '\0';
	assert_int_equal(kafka_check_topic(text, &why), STATUS_BAD_DATA);
	text[249] = '\0';
	assert_int_equal(kafka_check_topic(text, &why), STATUS_OK);
}

static void compression(void **state)
{
	static const struct text_case cases[] = {
		{"none", STATUS_OK, NULL, ""},
		{"lz4", STATUS_OK, NULL, ""},
		{"gzip", STATUS_OK, NULL, ""},
		{"snappy", STATUS_OK, NULL, ""},
		{"zstd", STATUS_OK, NULL, ""},
		{"LZ4", STATUS_BAD_DATA, "none, lz4", "case counts"},
		{"", STATUS_BAD_DATA, NULL, "empty"},
		{"brotli", STATUS_BAD_DATA, "brotli", "unknown"},
	};

	(void)state;
	RUN(cases, kafka_check_compression);
}

static void addresses_over_tls(void **state)
{
	bool openssl = strstr(kafka_tls_library(), "OpenSSL") != NULL;
	struct why why = {""};

	(void)state;
	assert_int_equal(kafka_check_brokers_tls("k1:9093,127.0.0.1", &why), STATUS_OK);
	assert_int_equal(kafka_check_brokers_tls("k1:9093,[::1]:9093", &why),
		openssl ? STATUS_BAD_DATA : STATUS_OK);
	if (openssl)
		assert_non_null(strstr(why.text, "give the broker a name"));
}

static void version(void **state)
{
	(void)state;
	assert_true(strlen(kafka_library_version()) >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(long_options),
		cmocka_unit_test(brokers),
		cmocka_unit_test(topics),
		cmocka_unit_test(compression),
		cmocka_unit_test(addresses_over_tls),
		cmocka_unit_test(version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
