/* test_fetch.c - one GET over TLS against a server that behaves in every wrong way. */
#include "feed/fetch.h"
#include "base/clock.h"
#include "scripted.h"
#include "../tls/paper.h"
#include "tls/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#define KEY	"s3cret key+1"
#define CA_FILE "fetch-test-ca.pem"

static struct paper paper; /* of localhost, its own issuer */
static struct trust *trust;
static struct loop *loop;

/* What a transfer brought. */
struct got {
	struct fetch_result result;
	unsigned done;
	char body[4096];
	size_t length;
	uint64_t total;
	enum status answer;  /* what the body call answers */
	struct fetch *again; /* done starts another on this */
	int64_t answered_us;
};

static int prepare(void **state)
{
	(void)state;
	assert_int_equal(tls_setup(NULL), STATUS_OK);
	paper_make(&paper, &(struct paper_plan){.host = "localhost", .is_ca = 1});
	paper_write(CA_FILE, paper.pem);
	assert_int_equal(trust_open(&trust, CA_FILE, NULL, NULL, NULL), STATUS_OK);
	return loop_open(&loop, NULL) != STATUS_OK;
}

static int clean_up(void **state)
{
	(void)state;
	loop_close(loop);
	trust_close(trust);
	paper_free(&paper);
	unlink(CA_FILE);
	return 0;
}

static struct fetch_options options(const char *host, int port)
{
	static char url[128];

	snprintf(url, sizeof url, "https://%s:%d/v1/currentMatches?x=1", host, port);
	return (struct fetch_options){
		.url = url,
		.key = KEY,
		.key_param = "apikey",
		.key_header = "",
		.proxy = "",
		.timeout_ms = 5000,
		.max_body_bytes = 1 << 20,
		.trust = trust,
	};
}

static enum status on_body(void *context, const char *bytes, size_t length, struct why *why)
{
	struct got *g = context;
	size_t room = sizeof g->body - 1 - g->length;

	if (g->answer != STATUS_OK)
		return (fail)(why, g->answer, "no room for this page");
	if (g->again)
		g->answered_us = fetch_answered_us(g->again);
	g->total += length;
	if (length > room)
		length = room;
	memcpy(g->body + g->length, bytes, length);
	g->length += length;
	g->body[g->length] = '\0';
	return STATUS_OK;
}

static void on_done(void *context, const struct fetch_result *result)
{
	struct got *g = context;

	g->result = *result;
	if (g->done++ == 0 && g->again)
		assert_int_equal(
			fetch_start(g->again, "offset", 25, on_body, on_done, g, NULL), STATUS_OK);
}

static void turn_until_done(struct got *g, unsigned done)
{
	int64_t end_ms = clock_mono_ms() + 20000;

	while (g->done < done && clock_mono_ms() < end_ms)
		assert_int_equal(loop_turn(loop, 50, NULL), STATUS_OK);
	assert_int_equal(g->done, done);
}

/* One transfer with these options; the fetch is gone afterwards. */
static void ask(const struct fetch_options *o, struct got *g)
{
	struct fetch *f;
	struct why why;

	if (fetch_open(&f, loop, o, &why) != STATUS_OK)
		fail_msg("%s", why.text);
	assert_int_equal(fetch_start(f, "offset", 0, on_body, on_done, g, &why), STATUS_OK);
	assert_int_equal(g->done, 0);
	turn_until_done(g, 1);
	fetch_close(f);
	assert_null(strstr(g->result.why.text, "s3cret"));
}

static void ask_scripted(const struct scripted_exchange *script, struct got *g)
{
	struct scripted *s = scripted_open(&paper, script);
	struct fetch_options o = options("localhost", scripted_port(s));

	ask(&o, g);
	scripted_close(s);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static void a_page_comes_with_its_time(void **state)
{
	static const struct scripted_exchange script[] = {
		{OK_HEAD "Content-Length: 10\r\n\r\n{\"data\":1}", 0, SCRIPTED_KEEP},
		{OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":2}\r\n0\r\n\r\n",
			0, SCRIPTED_KEEP},
		{NULL, 0, SCRIPTED_KEEP},
	};
	struct scripted *s = scripted_open(&paper, script);
	struct fetch_options o = options("localhost", scripted_port(s));
	struct got g = {.done = 0};
	int64_t before = clock_wall_us();

	(void)state;
	assert_int_equal(fetch_open(&g.again, loop, &o, NULL), STATUS_OK);
	assert_int_equal(fetch_start(g.again, "offset", 0, on_body, on_done, &g, NULL), STATUS_OK);
	turn_until_done(&g, 2); /* on_done asks for the next page */
	assert_int_equal(g.result.outcome, FETCH_OK);
	assert_int_equal(g.result.http_status, 200);
	assert_int_equal(g.result.bytes, 7);
	assert_string_equal(g.body, "{\"data\":1}{\"a\":2}");
	assert_true(g.result.answered_us >= before && g.result.answered_us <= clock_wall_us());
	assert_true(g.answered_us == g.result.answered_us);
	assert_int_equal(strncmp(fetch_source_text(g.again), "https://localhost:", 18), 0);
	assert_string_equal(strrchr(fetch_source_text(g.again), ':') + 6, "/v1/currentMatches");
	fetch_close(g.again);
	scripted_stop(s);
	assert_int_equal(scripted_connections(s), 1);
	assert_non_null(strstr(scripted_requests(s),
		"GET /v1/currentMatches?x=1&apikey=s3cret%20key%2B1&offset=0 HTTP/1.1\r\n"));
	assert_non_null(strstr(scripted_requests(s), "&offset=25 HTTP/1.1\r\n"));
	assert_non_null(strstr(scripted_requests(s), "Accept: application/json\r\n"));
	scripted_close(s);
}

static void the_key_may_go_in_a_header(void **state)
{
	static const struct scripted_exchange script[] = {
		{OK_HEAD "Content-Length: 2\r\n\r\n[]", 0, SCRIPTED_KEEP},
		{OK_HEAD "Content-Length: 2\r\n\r\n[]", 0, SCRIPTED_KEEP},
		{NULL, 0, SCRIPTED_KEEP},
	};
	struct scripted *s = scripted_open(&paper, script);
	struct fetch_options o = options("localhost", scripted_port(s));
	struct got g = {.done = 0};
	struct fetch *f;

	(void)state;
	o.key_param = "";
	o.key_header = "X-Key";
	assert_int_equal(fetch_open(&f, loop, &o, NULL), STATUS_OK);
	assert_int_equal(fetch_start(f, "", 0, on_body, on_done, &g, NULL), STATUS_OK);
	turn_until_done(&g, 1);
	o.key = "renewed";
	assert_int_equal(fetch_renew(f, &o, NULL), STATUS_OK);
	assert_int_equal(fetch_start(f, "", 0, on_body, on_done, &g, NULL), STATUS_OK);
	turn_until_done(&g, 2);
	assert_int_equal(g.result.outcome, FETCH_OK);
	fetch_close(f);
	scripted_stop(s);
	assert_int_equal(scripted_connections(s), 2);
	assert_non_null(strstr(scripted_requests(s), "GET /v1/currentMatches?x=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(scripted_requests(s), "X-Key: " KEY "\r\n"));
	assert_non_null(strstr(scripted_requests(s), "X-Key: renewed\r\n"));
	scripted_close(s);
}

static void a_connection_that_died_meanwhile_is_made_anew(void **state)
{
	static const enum scripted_end ends[] = {SCRIPTED_CLOSE, SCRIPTED_CUT, SCRIPTED_RESET};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct scripted_exchange script[] = {
			{OK_HEAD "Content-Length: 2\r\n\r\n[]", 0, SCRIPTED_KEEP},
			{OK_HEAD "Content-Length: 2\r\n\r\n[]", 0, ends[i]},
			{OK_HEAD "Content-Length: 2\r\n\r\n[]", 0, SCRIPTED_KEEP},
			{NULL, 0, SCRIPTED_KEEP},
		};
		struct scripted *s = scripted_open(&paper, script);
		struct fetch_options o = options("localhost", scripted_port(s));
		struct got g = {.done = 0};
		struct fetch *f;

		assert_int_equal(fetch_open(&f, loop, &o, NULL), STATUS_OK);
		for (unsigned n = 1; n <= 3; n++) {
			assert_int_equal(
				fetch_start(f, "", 0, on_body, on_done, &g, NULL), STATUS_OK);
			turn_until_done(&g, n);
			/* A reset may reach us before the answer that was sent just before it. */
			if (g.result.outcome != FETCH_OK && !(n == 2 && ends[i] == SCRIPTED_RESET))
				fail_msg("end %zu, transfer %u: %s", i, n, g.result.why.text);
		}
		fetch_close(f);
		scripted_stop(s);
		assert_int_equal(scripted_connections(s), 2);
		scripted_close(s);
	}
}

static void every_answer_has_its_outcome(void **state)
{
	static const struct {
		const char *answer;
		enum scripted_end end;
		enum fetch_outcome outcome;
		const char *code, *words;
		int64_t retry_ms;
	} cases[] = {
		{"HTTP/1.1 401 No\r\nContent-Length: 3\r\n\r\n{}\n", SCRIPTED_KEEP, FETCH_AUTH,
			"api.auth", "API key rejected", -1},
		{"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", SCRIPTED_KEEP, FETCH_AUTH,
			"api.auth", "HTTP 403", -1},
		{"HTTP/1.1 429 No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", SCRIPTED_KEEP,
			FETCH_QUOTA, "api.quota", "429", 120000},
		{"HTTP/1.1 429 No\r\nretry-after:  soon\r\nContent-Length: 0\r\n\r\n",
			SCRIPTED_KEEP, FETCH_QUOTA, "api.quota", "429", -1},
		{"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\nshort",
			SCRIPTED_CLOSE, FETCH_SERVER, "api.server", "HTTP 503", 7000},
		{"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", SCRIPTED_KEEP, FETCH_HTTP,
			"api.http", "HTTP 404; check SCOREBOX_API_URL", -1},
		{"HTTP/1.1 302 Go\r\nLocation: http://login.example/in?apikey=s3cret%20key%2B1\r\nContent-Length: 0\r\n\r\n",
			SCRIPTED_KEEP, FETCH_REDIRECT, "api.redirect", "'http://login.example/in'",
			-1},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
			SCRIPTED_KEEP, FETCH_NOT_JSON, "api.notjson",
			"sent text/html beginning '<html>', not JSON", -1},
		{OK_HEAD "Content-Length: 12\r\n\r\n  s3cret key+1", SCRIPTED_CLOSE, FETCH_NOT_JSON,
			"api.notjson", "application/json", -1},
		{OK_HEAD "Content-Length: 0\r\n\r\n", SCRIPTED_KEEP, FETCH_NOT_JSON, "api.notjson",
			"is empty", -1},
		{OK_HEAD "Content-Length: 99\r\n\r\n{\"data\":", SCRIPTED_CLOSE, FETCH_PARTIAL,
			"api.partial", "after 8 of 99 bytes", -1},
		{OK_HEAD "Content-Length: 99\r\n\r\n{\"data\":", SCRIPTED_CUT, FETCH_RESET,
			"api.reset", "after 8 of 99 bytes", -1},
		{OK_HEAD "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"data\":\r\n", SCRIPTED_CLOSE,
			FETCH_PARTIAL, "api.partial", "after 8 bytes", -1},
		{OK_HEAD "Content-Length: 99\r\n\r\n{\"data\":", SCRIPTED_RESET, FETCH_RESET,
			"api.reset", "of 99 bytes", -1},
		{"", SCRIPTED_CLOSE, FETCH_RESET, "api.reset", "without an answer", -1},
		{"", SCRIPTED_RESET, FETCH_RESET, "api.reset", "without an answer", -1},
		{"ICY 200 OK\r\n\r\n[]", SCRIPTED_CLOSE, FETCH_HTTP, "api.http", "HTTP", -1},
		{OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n[12]", SCRIPTED_KEEP,
			FETCH_NOT_JSON, "api.notjson", "damaged", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scripted_exchange script[] = {
			{cases[i].answer, 0, cases[i].end}, {NULL, 0, SCRIPTED_KEEP}};
		struct got g = {.done = 0};

		ask_scripted(script, &g);
		if (g.result.outcome != cases[i].outcome ||
			strcmp(g.result.code, cases[i].code) != 0 ||
			!strstr(g.result.why.text, cases[i].words) ||
			g.result.retry_after_ms != cases[i].retry_ms)
			fail_msg("case %zu: %d %s: %s", i, g.result.outcome, g.result.code,
				g.result.why.text);
	}
}

static void a_silent_server_is_given_up(void **state)
{
	static const struct scripted_exchange script[] = {
		{OK_HEAD "Content-Length: 99\r\n\r\n{", 0, SCRIPTED_STALL},
		{NULL, 0, SCRIPTED_KEEP},
	};
	struct scripted *s = scripted_open(&paper, script);
	struct fetch_options o = options("localhost", scripted_port(s));
	struct got g = {.done = 0};

	(void)state;
	o.timeout_ms = 300;
	ask(&o, &g);
	assert_int_equal(g.result.outcome, FETCH_TIMEOUT);
	assert_non_null(strstr(g.result.why.text, "1 bytes so far"));
	scripted_close(s);
}

static void headers_have_a_ceiling(void **state)
{
	enum { BYTES = 400 * 1024 };
	char *many = malloc(BYTES), *one = malloc(BYTES);
	struct scripted_exchange scripts[2][2] = {
		{{many, 0, SCRIPTED_CLOSE}}, {{one, 0, SCRIPTED_CLOSE}}};

	(void)state;
	strcpy(many, "HTTP/1.1 200 OK\r\n");
	for (size_t n = strlen(many); n < BYTES - 200; n += 100)
		snprintf(many + n, 101, "X-%093d: 5\r\n", 5);
	strcpy(one, "HTTP/1.1 200 OK\r\nX-Giant: ");
	memset(one + strlen(one), 'x', BYTES - 300);
	one[BYTES - 300] = '\0';
	strcat(one, "\r\n\r\n[]");
	for (int i = 0; i < 2; i++) {
		struct got g = {.done = 0};

		ask_scripted(scripts[i], &g);
		if (g.result.outcome != FETCH_HEADERS)
			fail_msg("%d: %s %s", i, g.result.code, g.result.why.text);
		assert_string_equal(g.result.code, "api.headers");
	}
	free(many);
	free(one);
}

/* `length` bytes, "[" and blanks, packed by gzip behind an HTTP head. */
static size_t gzip_answer(char *out, size_t room, size_t length)
{
	z_stream z = {.next_in = NULL};
	char *plain = malloc(length);
	int head;

	memset(plain, ' ', length);
	plain[0] = '[';
	plain[length - 1] = ']';
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	head = snprintf(out, room, OK_HEAD "Content-Encoding: gzip\r\nConnection: close\r\n\r\n");
	z.next_in = (Bytef *)plain;
	z.avail_in = (uInt)length;
	z.next_out = (Bytef *)out + head;
	z.avail_out = (uInt)(room - (size_t)head);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	free(plain);
	return (size_t)head + z.total_out;
}

static void compressed_answers_are_counted_unpacked(void **state)
{
	enum { ROOM = 64 * 1024, CAP = 1 << 20 };
	static const size_t sizes[] = {1000, CAP, CAP + 1, 16 << 20};
	char *answer = malloc(ROOM);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct scripted_exchange script[] = {
			{answer, 0, SCRIPTED_CLOSE}, {NULL, 0, SCRIPTED_KEEP}};
		struct got g = {.done = 0};

		script[0].length = gzip_answer(answer, ROOM, sizes[i]);
		ask_scripted(script, &g);
		assert_int_equal(g.result.outcome, i < 2 ? FETCH_OK : FETCH_TOO_BIG);
		assert_true(g.total == g.result.bytes && g.total <= CAP);
		if (i < 2)
			assert_int_equal(g.total, sizes[i]);
		else
			assert_non_null(strstr(g.result.why.text, "larger than 1048576 bytes"));
	}
	free(answer);
}

static void the_body_call_can_refuse(void **state)
{
	static const struct scripted_exchange script[] = {
		{OK_HEAD "Content-Length: 2\r\n\r\n[]", 0, SCRIPTED_KEEP},
		{NULL, 0, SCRIPTED_KEEP},
	};
	struct got g = {.answer = STATUS_FULL};

	(void)state;
	ask_scripted(script, &g);
	assert_int_equal(g.result.outcome, FETCH_REFUSED);
	assert_int_equal(g.result.refused, STATUS_FULL);
	assert_string_equal(g.result.why.text, "no room for this page");
}

static void untrusted_servers_are_refused(void **state)
{
	static const struct {
		struct paper_plan plan;
		const char *host;
		bool other_ca;
		const char *words;
	} cases[] = {
		{{.host = "localhost", .is_ca = 1}, "localhost", true, ""},
		{{.host = "other.example", .is_ca = 1}, "localhost", false, "localhost"},
		{{.host = "localhost", .is_ca = 1}, "127.0.0.1", false, "127.0.0.1"},
		{{.host = "localhost",
			 .is_ca = 1,
			 .from = "20200101000000",
			 .to = "20210101000000"},
			"localhost", false, "has expired"},
		{{.host = "localhost",
			 .is_ca = 1,
			 .from = "20900101000000",
			 .to = "20910101000000"},
			"localhost", false, "clock"},
		{{.host = "localhost", .is_ca = 1, .rsa_bits = 1024}, "localhost", false, ""},
		{{.host = "localhost", .is_ca = 1, .md = MBEDTLS_MD_SHA1}, "localhost", false, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static const struct scripted_exchange script[] = {
			{OK_HEAD "Content-Length: 2\r\n\r\n[]", 0, SCRIPTED_KEEP},
			{NULL, 0, SCRIPTED_KEEP},
		};
		struct paper bad;
		struct scripted *s;
		struct fetch_options o;
		struct got g = {.done = 0};

		paper_make(&bad, &cases[i].plan);
		paper_write("fetch-test-bad.pem", bad.pem);
		s = scripted_open(&bad, script);
		o = options(cases[i].host, scripted_port(s));
		if (!cases[i].other_ca)
			assert_int_equal(
				trust_open(&o.trust, "fetch-test-bad.pem", NULL, NULL, NULL),
				STATUS_OK);
		ask(&o, &g);
		if (g.result.outcome != FETCH_TLS || g.total != 0 ||
			!strstr(g.result.why.text, cases[i].words))
			fail_msg("case %zu: %s %s", i, g.result.code, g.result.why.text);
		print_message("%s: %s\n", g.result.code, g.result.why.text);
		scripted_stop(s);
		assert_string_equal(scripted_requests(s), "");
		scripted_close(s);
		if (!cases[i].other_ca)
			trust_close(o.trust);
		paper_free(&bad);
	}
	unlink("fetch-test-bad.pem");
}

static void plain_http_is_no_tls(void **state)
{
	static const struct scripted_exchange script[] = {
		{"HTTP/1.1 400 Bad\r\n\r\n", 0, SCRIPTED_CLOSE},
		{NULL, 0, SCRIPTED_KEEP},
	};
	struct scripted *s = scripted_open(NULL, script);
	struct fetch_options o = options("localhost", scripted_port(s));
	struct got g = {.done = 0};

	(void)state;
	o.timeout_ms = 1000;
	ask(&o, &g);
	assert_int_equal(g.result.outcome, FETCH_CONNECT);
	assert_non_null(strstr(g.result.why.text, "does not finish the TLS handshake"));
	scripted_close(s);
}

/* A port of the loopback interface where nobody listens. */
static int closed_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void nobody_there_is_told(void **state)
{
	struct fetch_options o = options("localhost", closed_port());
	struct got g = {.done = 0};

	(void)state;
	ask(&o, &g);
	assert_int_equal(g.result.outcome, FETCH_CONNECT);
	assert_string_equal(g.result.code, "api.connect");
	o = options("no-such-host.invalid", 443);
	memset(&g, 0, sizeof g);
	ask(&o, &g);
	assert_int_equal(g.result.outcome, FETCH_DNS);
	assert_string_equal(g.result.code, "api.dns");
}

static void a_proxy_may_refuse(void **state)
{
	static const struct scripted_exchange script[] = {
		{"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", 0, SCRIPTED_CLOSE},
		{NULL, 0, SCRIPTED_KEEP},
	};
	struct scripted *s = scripted_open(NULL, script);
	struct fetch_options o = options("api.invalid", 443);
	struct got g = {.done = 0};
	char proxy[64];

	(void)state;
	snprintf(proxy, sizeof proxy, "http://me:hush@127.0.0.1:%d", scripted_port(s));
	o.proxy = proxy;
	ask(&o, &g);
	assert_int_equal(g.result.outcome, FETCH_CONNECT);
	assert_string_equal(g.result.code, "api.proxy");
	assert_non_null(strstr(g.result.why.text, "407"));
	assert_null(strstr(g.result.why.text, "hush"));
	scripted_stop(s);
	assert_non_null(strstr(scripted_requests(s), "CONNECT api.invalid:443 HTTP/1.1\r\n"));
	assert_non_null(strstr(scripted_requests(s), "Proxy-Authorization: Basic "));
	scripted_close(s);
	/* One that is not there; and the environment's is not looked at. */
	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", closed_port());
	memset(&g, 0, sizeof g);
	ask(&o, &g);
	assert_int_equal(g.result.outcome, FETCH_CONNECT);
	setenv("https_proxy", proxy, 1);
	memset(&g, 0, sizeof g);
	o.proxy = "";
	ask(&o, &g);
	assert_int_equal(g.result.outcome, FETCH_DNS);
	unsetenv("https_proxy");
}

static void a_transfer_can_be_cancelled(void **state)
{
	static const struct scripted_exchange script[] = {
		{OK_HEAD "Content-Length: 99\r\n\r\n{", 0, SCRIPTED_STALL},
		{OK_HEAD "Content-Length: 2\r\n\r\n[]", 0, SCRIPTED_KEEP},
		{NULL, 0, SCRIPTED_KEEP},
	};
	struct scripted *s = scripted_open(&paper, script);
	struct fetch_options o = options("localhost", scripted_port(s));
	struct got g = {.done = 0};
	struct fetch *f;

	(void)state;
	assert_int_equal(fetch_open(&f, loop, &o, NULL), STATUS_OK);
	fetch_cancel(f);
	assert_int_equal(g.done, 0);
	assert_int_equal(fetch_start(f, "", 0, on_body, on_done, &g, NULL), STATUS_OK);
	for (int i = 0; i < 400 && g.total == 0; i++)
		assert_int_equal(loop_turn(loop, 50, NULL), STATUS_OK);
	fetch_cancel(f);
	assert_int_equal(g.done, 1);
	assert_int_equal(g.result.outcome, FETCH_CANCELLED);
	assert_int_equal(fetch_start(f, "", 0, on_body, on_done, &g, NULL), STATUS_OK);
	turn_until_done(&g, 2);
	assert_int_equal(g.result.outcome, FETCH_OK);
	/* Closed in the middle: no call. */
	assert_int_equal(fetch_start(f, "", 0, on_body, on_done, &g, NULL), STATUS_OK);
	assert_int_equal(loop_turn(loop, 10, NULL), STATUS_OK);
	fetch_close(f);
	assert_int_equal(g.done, 2);
	scripted_close(s);
}

static void wrong_options_are_refused(void **state)
{
	static const char *const urls[] = {
		"http://localhost/x",
		"ftp://localhost/x",
		"localhost",
		"",
		"https://",
		"https://me:pw@localhost:99999/",
	};
	struct fetch_options o = options("localhost", 1);
	struct fetch *f;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		o.url = urls[i];
		assert_int_equal(fetch_open(&f, loop, &o, &why), STATUS_BAD_DATA);
	}
	o = options("localhost", 1);
	o.key = "a\r\nHost: evil";
	assert_int_equal(fetch_open(&f, loop, &o, &why), STATUS_BAD_DATA);
	o.key = "";
	o.proxy = "socks5://x";
	assert_int_equal(fetch_open(&f, loop, &o, &why), STATUS_BAD_DATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_comes_with_its_time),
		cmocka_unit_test(the_key_may_go_in_a_header),
		cmocka_unit_test(a_connection_that_died_meanwhile_is_made_anew),
		cmocka_unit_test(every_answer_has_its_outcome),
		cmocka_unit_test(a_silent_server_is_given_up),
		cmocka_unit_test(headers_have_a_ceiling),
		cmocka_unit_test(compressed_answers_are_counted_unpacked),
		cmocka_unit_test(the_body_call_can_refuse),
		cmocka_unit_test(untrusted_servers_are_refused),
		cmocka_unit_test(plain_http_is_no_tls),
		cmocka_unit_test(nobody_there_is_told),
		cmocka_unit_test(a_proxy_may_refuse),
		cmocka_unit_test(a_transfer_can_be_cancelled),
		cmocka_unit_test(wrong_options_are_refused),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
