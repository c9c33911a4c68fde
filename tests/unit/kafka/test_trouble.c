/* test_trouble.c - librdkafka's errors in codes and plain words. */
#include "kafka/trouble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <string.h>

struct trouble_case {
	rd_kafka_resp_err_t err;
	const char *code;
	const char *in_words;
};

static void codes_and_words(void **state)
{
	static const struct trouble_case cases[] = {
		{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "kafka.down", "detail"},
		{RD_KAFKA_RESP_ERR__TRANSPORT, "kafka.down", "detail"},
		{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "kafka.topic",
			"create it or set SCOREBOX_KAFKA_TOPIC"},
		{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "kafka.topic", "'scores'"},
		{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "kafka.auth", "ACL"},
		{RD_KAFKA_RESP_ERR__AUTHENTICATION, "kafka.auth", "_PASSWORD"},
		{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, "kafka.isr", "in-sync replicas"},
		{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, "kafka.isr",
			"in-sync replicas"},
		{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "kafka.toolarge", "max.message.bytes"},
		{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, "kafka.clock", "clock"},
		{RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, "kafka.fenced", "SCOREBOX_KAFKA_INSTANCE"},
		{RD_KAFKA_RESP_ERR_INVALID_REQUEST, "kafka.failed", "detail"},
	};
	char words[TROUBLE_REASON_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		trouble_words(cases[i].err, "scores", "detail", words, sizeof words);
		assert_string_equal(trouble_code(cases[i].err), cases[i].code);
		if (!strstr(words, cases[i].in_words))
			fail_msg("%s: %s", cases[i].code, words);
	}
}

static void without_detail(void **state)
{
	char words[TROUBLE_REASON_BYTES];

	(void)state;
	trouble_words(RD_KAFKA_RESP_ERR_INVALID_REQUEST, "scores", "", words, sizeof words);
	assert_true(words[0]);
	trouble_words(RD_KAFKA_RESP_ERR_INVALID_REQUEST, "scores", NULL, words, sizeof words);
	assert_true(words[0]);
}

/* A row may only be given up for what is the row's own fault: a wrong clock is not. */
static void blame(void **state)
{
	(void)state;
	assert_true(trouble_is_of_record(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
	assert_true(trouble_is_of_record(RD_KAFKA_RESP_ERR_INVALID_RECORD));
	assert_true(trouble_is_of_check(RD_KAFKA_RESP_ERR_INVALID_RECORD));
	assert_false(trouble_is_of_check(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
	assert_false(trouble_is_of_record(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP));
	assert_false(trouble_is_of_record(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
	assert_false(trouble_is_of_record(RD_KAFKA_RESP_ERR__PURGE_QUEUE));
	assert_true(trouble_is_of_link(RD_KAFKA_RESP_ERR__RESOLVE));
	assert_false(trouble_is_of_link(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS));
}

static void a_login_names_who_and_how(void **state)
{
	char words[TROUBLE_REASON_BYTES];

	(void)state;
	trouble_login("PLAIN", "board", "Invalid username or password", words, sizeof words);
	assert_string_equal(words,
		"the broker refuses the login of 'board' by PLAIN: check SCOREBOX_KAFKA_SASL_USERNAME and _PASSWORD (Invalid username or password)");
	trouble_login("OAUTHBEARER", "board", "Failed to acquire SASL OAUTHBEARER token: no answer",
		words, sizeof words);
	assert_string_equal(words, "no token for the login of 'board' by OAUTHBEARER: no answer");
	assert_true(trouble_is_of_login(RD_KAFKA_RESP_ERR__AUTHENTICATION));
	assert_false(trouble_is_of_login(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
	assert_true(trouble_is_down("kafka.down") && trouble_is_down("kafka.tls.ca"));
	assert_false(trouble_is_down("kafka.auth") || trouble_is_down(""));
}

/* The texts are librdkafka's own: rd_kafka_broker_handle_SaslHandshake. */
static void a_lost_connection_is_no_refused_login(void **state)
{
	static const char lost[] =
		"sasl_ssl://k1:9093/1: SASL OAUTHBEARER mechanism handshake failed: Local: Broker transport failure: broker's supported mechanisms: (n/a)";
	static const char refused[] =
		"sasl_ssl://k1:9093/1: SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: SCRAM-SHA-256";

	(void)state;
	assert_int_equal(trouble_meant(RD_KAFKA_RESP_ERR__AUTHENTICATION, lost),
		RD_KAFKA_RESP_ERR__TRANSPORT);
	assert_int_equal(trouble_meant(RD_KAFKA_RESP_ERR__AUTHENTICATION, refused),
		RD_KAFKA_RESP_ERR__AUTHENTICATION);
	assert_int_equal(trouble_meant(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, "Broker: no"),
		RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED);
}

/* rd_kafka_recv. The setting is named however long the broker's name is. */
static void an_answer_too_large_is_no_damage(void **state)
{
	static const char text[] =
		"kafka-1.example.com:9092/1: Receive failed: Invalid response size 2621626 (0..1114124): increase receive.message.max.bytes (after 41ms in state UP)";
	int err = trouble_meant(RD_KAFKA_RESP_ERR__BAD_MSG, text);
	char words[TROUBLE_REASON_BYTES];

	(void)state;
	assert_string_equal(trouble_code(err), "kafka.toolarge");
	trouble_words(err, "cricket-live-data", text, words, sizeof words);
	assert_non_null(strstr(words, "SCOREBOX_KAFKA_OPTIONS=receive.message.max.bytes="));
	assert_null(strstr(words, "damaged"));
	assert_false(trouble_is_of_record(err) || trouble_is_of_link(err));
	err = trouble_meant(RD_KAFKA_RESP_ERR__BAD_MSG, "MessageSet at offset 7 fails its CRC");
	assert_string_equal(trouble_code(err), "kafka.corrupt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_and_words),
		cmocka_unit_test(a_lost_connection_is_no_refused_login),
		cmocka_unit_test(an_answer_too_large_is_no_damage),
		cmocka_unit_test(a_login_names_who_and_how),
		cmocka_unit_test(without_detail),
		cmocka_unit_test(blame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
