/* test_http.c - the request heads that clients send, and those they do not. */
#include "replay/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct {
	const char *comment, *head;
	enum http_outcome outcome;
	bool matches, keep_alive, method_known;
	const char *key;
	uint64_t offset;
} cases[] = {
	{"a plain one", "GET /v1/currentMatches?apikey=k&offset=25 HTTP/1.1\r\nHost: h\r\n\r\n",
		HTTP_READY, true, true, true, "k", 25},
	{"matches answers too", "GET /matches?offset=0&apikey=k HTTP/1.1\r\n\r\n", HTTP_READY, true,
		true, true, "k", 0},
	{"absolute form", "GET https://h/v1/currentMatches?apikey=k HTTP/1.1\r\n\r\n", HTTP_READY,
		true, true, true, "k", 0},
	{"another path", "GET /v1/series?apikey=k HTTP/1.1\r\n\r\n", HTTP_READY, false, true, true,
		"k", 0},
	{"percent and plus", "GET /matches?apikey=a%2Fb+c%zz HTTP/1.1\r\n\r\n", HTTP_READY, true,
		true, true, "a/b c%zz", 0},
	{"no query", "GET /matches HTTP/1.1\r\n\r\n", HTTP_READY, true, true, true, "", 0},
	{"a name that begins alike", "GET /matches?apikeys=x&apikey=y HTTP/1.1\r\n\r\n", HTTP_READY,
		true, true, true, "y", 0},
	{"offset is no number", "GET /matches?offset=2x HTTP/1.1\r\n\r\n", HTTP_READY, true, true,
		true, "", 0},
	{"offset is too long", "GET /matches?offset=9999999999999999 HTTP/1.1\r\n\r\n", HTTP_READY,
		true, true, true, "", 0},
	{"HTTP/1.0 closes", "GET /matches HTTP/1.0\r\n\r\n", HTTP_READY, true, false, true, "", 0},
	{"asked to close", "GET /matches HTTP/1.1\r\nconnection: CLOSE\r\n\r\n", HTTP_READY, true,
		false, true, "", 0},
	{"a body is not read", "GET /matches HTTP/1.1\r\nContent-Length: 5\r\n\r\n", HTTP_READY,
		true, false, true, "", 0},
	{"POST", "POST /matches HTTP/1.1\r\n\r\n", HTTP_READY, true, false, false, "", 0},
	{"not whole yet", "GET /matches HTTP/1.1\r\nHost: h\r\n", HTTP_MORE, false, false, false,
		"", 0},
	{"nothing", "", HTTP_MORE, false, false, false, "", 0},
	{"only blank lines", "\r\n\r\n", HTTP_BAD, false, false, false, "", 0},
	{"no HTTP", "hello\r\n\r\n", HTTP_BAD, false, false, false, "", 0},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP_BAD, false, false, false, "",
		0},
};

static void heads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_request r = {0};

		print_message("%s\n", cases[i].comment);
		assert_int_equal(
			http_parse(cases[i].head, strlen(cases[i].head), &r), cases[i].outcome);
		if (cases[i].outcome != HTTP_READY)
			continue;
		assert_int_equal(r.matches, cases[i].matches);
		assert_int_equal(r.keep_alive, cases[i].keep_alive);
		assert_int_equal(r.method_known, cases[i].method_known);
		assert_string_equal(r.key, cases[i].key);
		assert_int_equal(r.offset, cases[i].offset);
		assert_int_equal(r.bytes, strlen(cases[i].head));
	}
}

/* Two requests in one segment: the first one's length leads to the second. */
static void pipelined(void **state)
{
	static const char two[] = "GET /a HTTP/1.1\r\n\r\nGET /matches?apikey=2 HTTP/1.1\r\n\r\n";
	struct http_request r;

	(void)state;
	assert_int_equal(http_parse(two, strlen(two), &r), HTTP_READY);
	assert_int_equal(r.bytes, 19);
	assert_int_equal(http_parse(two + r.bytes, strlen(two) - r.bytes, &r), HTTP_READY);
	assert_string_equal(r.key, "2");
}

static void long_key_is_cut(void **state)
{
	char head[600] = "GET /matches?apikey=";
	struct http_request r;

	(void)state;
	memset(head + strlen(head), 'k', 400);
	strcat(head, " HTTP/1.1\r\n\r\n");
	assert_int_equal(http_parse(head, strlen(head), &r), HTTP_READY);
	assert_int_equal(strlen(r.key), HTTP_KEY_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(long_key_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
