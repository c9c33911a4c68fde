/* test_fetch_outcome.c - Retry-After, and the outcomes that a unit test cannot wait for. */
#include "feed/fetch_outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <string.h>

/* Sun, 06 Nov 1994 08:49:37 GMT */
static const int64_t now_us = (int64_t)784111777 * 1000000;

static void retry_after_is_seconds_or_a_date(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{"120", 120000},
		{"0", 1000},
		{"3600", 3600000},
		{"3601", 3600000},
		{"5 ", 5000},
		{"99999999999999999999999", 3600000},
		{"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
		{"Sunday, 06-Nov-94 08:50:37 GMT", 60000},
		{"Sun Nov  6 08:50:37 1994", 60000},
		{"Sun, 06 Nov 1994 08:00:00 GMT", 1000},
		{"Mon, 07 Nov 1994 08:00:00 GMT", 3600000},
		{"", -1},
		{"soon", -1},
		{"-5", -1},
		{"1.5", -1},
		{"12 minutes", -1},
		{"Someday", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t ms = fetch_retry_after_ms(cases[i].text, now_us);

		if (ms != cases[i].ms)
			fail_msg("'%s': %lld", cases[i].text, (long long)ms);
	}
}

static const struct why no_why;
static const struct trust_verdict no_verdict;

static const struct fetch_names names = {"API key", "SCOREBOX_API_URL", "SCOREBOX_API_KEY",
	"SCOREBOX_API_TIMEOUT", "SCOREBOX_API_MAX_BODY"};

static struct fetch_facts facts(int curl_code)
{
	return (struct fetch_facts){
		.curl_code = curl_code,
		.curl_text = "",
		.names = &names,
		.host = "api.x:443",
		.peer_host = "api.x",
		.proxy_host = "",
		.content_type = "",
		.location = "",
		.retry_after = "",
		.expected_bytes = -1,
		.max_body_bytes = 100,
		.timeout_ms = 30000,
		.resolved = true,
		.connected = true,
		.secured = true,
		.refusal = &no_why,
		.verdict = &no_verdict,
		.now_us = now_us,
	};
}

static void expect(const struct fetch_facts *f, enum fetch_outcome outcome, const char *code,
	const char *words)
{
	struct fetch_result r;

	fetch_judge(f, &r);
	assert_int_equal(r.outcome, outcome);
	assert_string_equal(r.code, code);
	if (!strstr(r.why.text, words))
		fail_msg("'%s' is not in '%s'", words, r.why.text);
}

static void timeouts_name_their_phase(void **state)
{
	struct fetch_facts f = facts(CURLE_OPERATION_TIMEDOUT);

	(void)state;
	expect(&f, FETCH_TIMEOUT, "api.timeout", "did not finish within 30 s");
	f.curl_text = "Operation too slow. Less than 100 bytes/sec transferred the last 15 seconds";
	expect(&f, FETCH_SLOW, "api.slow", "less than 100 bytes/s");
	f.secured = false;
	expect(&f, FETCH_CONNECT, "api.connect", "does not finish the TLS handshake");
	f.connected = false;
	expect(&f, FETCH_CONNECT, "api.connect", "does not answer the connection");
	f.resolved = false;
	expect(&f, FETCH_DNS, "api.dns", "cannot resolve api.x:443");
	f.proxy_host = "proxy:3128";
	expect(&f, FETCH_DNS, "api.dns", "cannot resolve proxy:3128");
}

static void rare_ends_have_their_words(void **state)
{
	struct fetch_facts f = facts(CURLE_OUT_OF_MEMORY);

	(void)state;
	expect(&f, FETCH_REFUSED, "api.memory", "no memory");
	f = facts(CURLE_WEIRD_SERVER_REPLY);
	expect(&f, FETCH_HTTP, "api.http", "does not speak HTTP");
	f = facts(CURLE_COULDNT_RESOLVE_PROXY);
	f.proxy_host = "proxy:3128";
	expect(&f, FETCH_DNS, "api.dns", "cannot resolve proxy proxy:3128");
	f = facts(CURLE_RECV_ERROR);
	f.header_begun = true;
	f.bytes = 1834;
	f.expected_bytes = 9120;
	f.http_status = 200;
	expect(&f, FETCH_RESET, "api.reset", "after 1834 of 9120 bytes");
	f = facts(CURLE_RECV_ERROR);
	f.curl_text = "Too large response headers: 309999 > 307200";
	expect(&f, FETCH_HEADERS, "api.headers", "larger than 64 KiB");
	f = facts(CURLE_RECV_ERROR);
	f.curl_text =
		"ssl_read returned: (-0x7780) SSL - A fatal alert message was received from our peer";
	expect(&f, FETCH_TLS, "api.tls", "want a client certificate?");
	f.header_begun = true;
	expect(&f, FETCH_RESET, "api.reset", "broke the connection");
	f = facts(CURLE_SSL_CONNECT_ERROR);
	f.curl_text = "Recv failure: Connection reset by peer";
	expect(&f, FETCH_TLS, "api.tls",
		"TLS handshake with api.x failed: Recv failure: Connection reset by peer");
	f = facts(CURLE_PARTIAL_FILE);
	f.http_status = 503;
	expect(&f, FETCH_SERVER, "api.server", "HTTP 503");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retry_after_is_seconds_or_a_date),
		cmocka_unit_test(timeouts_name_their_phase),
		cmocka_unit_test(rare_ends_have_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
