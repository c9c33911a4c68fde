/* test_api.c - paging, key, quota, the replay clock and spoilt answers, without a connection. */
#include "base/clock.h"
#include "replay/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct replay_options defaults = {
	.listen = "127.0.0.1", .page_rows = 25, .quota = 1000000};

static int64_t fake_us;

static int64_t fake_clock(void)
{
	return fake_us;
}

static char *copy_of(const char *text)
{
	char *copy = malloc(strlen(text) + 1);

	assert_non_null(copy);
	return strcpy(copy, text);
}

/* Rows r0, r1, ... of one recorded page. */
static void add_page(struct api *api, unsigned rows)
{
	char text[8192] = "{\"data\":[";
	struct why why;

	for (unsigned i = 0; i < rows; i++)
		sprintf(text + strlen(text), "%s{\"id\":\"r%u\"}", i ? "," : "", i);
	strcat(text, "]}");
	assert_int_equal(
		programme_add_page(&api->programme, copy_of(text), strlen(text), &why), STATUS_OK);
}

static void add_lines(struct api *api)
{
	static const char text[] =
		"{\"t\":0,\"match\":{\"id\":\"m\",\"n\":0}}\n{\"t\":10,\"match\":{\"id\":\"m\",\"n\":1}}\n"
		"{\"t\":20,\"match\":{\"id\":\"m\",\"n\":2}}\n";
	struct why why;

	assert_int_equal(
		programme_add_lines(&api->programme, copy_of(text), strlen(text), &why), STATUS_OK);
}

/* The whole answer as text, drawn in portions of `portion` bytes. */
static char text[65536];

static struct answer *ask_in(struct api *api, const char *target, size_t portion)
{
	static struct answer answer;
	struct http_request request;
	struct why why;
	char head[256];
	size_t filled = 0, n;

	snprintf(head, sizeof head, "%s HTTP/1.1\r\n\r\n", target);
	assert_int_equal(http_parse(head, strlen(head), &request), HTTP_READY);
	answer_init(&answer);
	assert_int_equal(api_answer(api, &request, &answer, &why), STATUS_OK);
	while ((n = answer_fill(&answer, text + filled, portion)) > 0) {
		filled += n;
		assert_true(filled + portion < sizeof text);
	}
	text[filled] = '\0';
	answer_done(&answer);
	return &answer;
}

static struct answer *ask(struct api *api, const char *target)
{
	return ask_in(api, target, 4096);
}

static const char *body(void)
{
	const char *end = strstr(text, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

static void assert_has(const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in: %s", part, text);
}

static void whole_page(void **state)
{
	struct api api;
	char length[64];

	(void)state;
	api_init(&api, &defaults);
	add_page(&api, 2);
	for (size_t portion = 1; portion < 5; portion += 3) {
		struct answer *a = ask_in(
			&api, "GET /v1/currentMatches?apikey=k%22&offset=0", portion);

		assert_int_equal(a->code, 200);
		assert_int_equal(
			strncmp(body(),
				"{\"apikey\":\"k\\\"\",\"data\":[{\"id\":\"r0\"},{\"id\":\"r1\"}],"
				"\"status\":\"success\",\"info\":{\"hitsToday\":",
				77),
			0);
		assert_has(",\"hitsUsed\":1,\"hitsLimit\":1000000,\"credits\":0,\"server\":");
		assert_has(",\"offsetRows\":0,\"totalRows\":2,\"queryTime\":");
		assert_has(",\"s\":0,\"cache\":0}}");
		snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body()));
		assert_has(length);
	}
	api_done(&api);
}

static void pages(void **state)
{
	struct replay_options options = defaults;
	struct api api;

	(void)state;
	options.page_rows = 2;
	api_init(&api, &options);
	add_page(&api, 5);
	ask(&api, "GET /matches?apikey=k");
	assert_has("[{\"id\":\"r0\"},{\"id\":\"r1\"}]");
	ask(&api, "GET /matches?apikey=k&offset=2");
	assert_has("[{\"id\":\"r2\"},{\"id\":\"r3\"}]");
	ask(&api, "GET /matches?apikey=k&offset=4");
	assert_has("[{\"id\":\"r4\"}]");
	assert_has("\"offsetRows\":4,\"totalRows\":5");
	ask(&api, "GET /matches?apikey=k&offset=5");
	assert_has("\"data\":[],");
	ask(&api, "GET /matches?apikey=k&offset=99999999999999");
	assert_has("\"data\":[],");
	api_done(&api);
}

static void keys_and_paths(void **state)
{
	struct replay_options options = defaults;
	struct api api;

	(void)state;
	options.key = "right";
	api_init(&api, &options);
	add_page(&api, 1);
	assert_int_equal(ask(&api, "GET /matches?apikey=right")->code, 200);
	assert_int_equal(ask(&api, "GET /matches?apikey=wrong")->code, 401);
	assert_has(
		"{\"status\":\"failure\",\"reason\":\"Invalid API Key\",\"info\":{\"hitsToday\":1,");
	assert_int_equal(ask(&api, "GET /matches")->code, 401);
	assert_int_equal(ask(&api, "GET /v1/players?apikey=right")->code, 404);
	assert_int_equal(ask(&api, "POST /matches?apikey=right")->code, 405);
	assert_int_equal(ask(&api, "HEAD /matches?apikey=right")->code, 200);
	assert_string_equal(body(), "");
	api_done(&api);
}

static void quota(void **state)
{
	struct replay_options options = defaults;
	struct api api;

	(void)state;
	clock_replace(fake_clock, fake_clock);
	fake_us = 20000 * INT64_C(86400000000);
	options.quota = 2;
	api_init(&api, &options);
	add_page(&api, 1);
	ask(&api, "GET /matches?apikey=k");
	ask(&api, "GET /matches?apikey=k");
	assert_has("\"hitsToday\":2,\"hitsUsed\":1,\"hitsLimit\":2,");
	assert_int_equal(ask(&api, "GET /matches?apikey=k")->code, 200);
	assert_has(
		"{\"status\":\"failure\",\"reason\":\"Blocking since hits today exceeded hits limit\",\"info\":{\"hitsToday\":3,");
	fake_us += INT64_C(86400000000);
	ask(&api, "GET /matches?apikey=k");
	assert_has("\"status\":\"success\",\"info\":{\"hitsToday\":1,");
	api_done(&api);
	clock_replace(NULL, NULL);
}

static void step(void **state)
{
	struct replay_options options = defaults;
	struct api api;

	(void)state;
	options.step = true;
	options.page_rows = 1;
	api_init(&api, &options);
	add_lines(&api);
	add_page(&api, 1);
	ask(&api, "GET /matches?apikey=k");
	assert_has("\"n\":0");
	/* Further pages belong to the sweep that has begun. */
	ask(&api, "GET /matches?apikey=k&offset=1");
	assert_has("\"r0\"");
	ask(&api, "GET /matches?apikey=k&offset=0");
	assert_has("\"n\":1");
	ask(&api, "GET /matches"); /* refused: moves nothing */
	ask(&api, "GET /matches?apikey=k");
	assert_has("\"n\":2");
	ask(&api, "GET /matches?apikey=k");
	assert_has("\"n\":2");
	api_done(&api);
}

static void spoilt_answers_do_not_step(void **state)
{
	struct replay_options options = defaults;
	struct api api;
	struct why why;

	(void)state;
	options.step = true;
	api_init(&api, &options);
	assert_int_equal(fault_parse("500@1,truncate@3", &api.plan, &why), STATUS_OK);
	add_lines(&api);
	assert_int_equal(ask(&api, "GET /matches?apikey=k")->code, 500);
	ask(&api, "GET /matches?apikey=k");
	assert_has("\"n\":0");

	struct answer *a = ask(&api, "GET /matches?apikey=k");

	assert_int_equal(a->end, ANSWER_CLOSE);
	assert_int_equal(strlen(body()), a->body_bytes / 2);
	ask(&api, "GET /matches?apikey=k");
	assert_has("\"n\":1");
	api_done(&api);
}

static void speed(void **state)
{
	static const struct {
		int64_t after_ms;
		const char *row;
	} wanted[] = {{0, "\"n\":0"}, {99, "\"n\":0"}, {100, "\"n\":1"}, {199, "\"n\":1"},
		{200, "\"n\":2"}, {99999999, "\"n\":2"}};
	struct replay_options options = defaults;
	struct api api;

	(void)state;
	clock_replace(fake_clock, fake_clock);
	fake_us = 0;
	options.speed = 100;
	api_init(&api, &options);
	add_lines(&api);
	fake_us = 3600 * INT64_C(1000000); /* before the first request nothing runs */
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		fake_us = 3600 * INT64_C(1000000) + wanted[i].after_ms * 1000;
		ask(&api, "GET /matches?apikey=k");
		assert_has(wanted[i].row);
	}
	api_done(&api);
	clock_replace(NULL, NULL);
}

static void faults(void **state)
{
	static const struct {
		const char *fault;
		int code;
		const char *part;
		enum answer_end end;
	} wanted[] = {
		{"401", 401, "Invalid API Key", ANSWER_KEEP},
		{"429", 429, "\r\nRetry-After: 3600\r\n", ANSWER_KEEP},
		{"500", 500, "internal error", ANSWER_KEEP},
		{"html", 200, "Content-Type: text/html", ANSWER_KEEP},
		{"redirect", 302, "\r\nLocation: http://127.0.0.1/", ANSWER_KEEP},
		{"truncate", 200, "\r\nConnection: keep-alive\r\n", ANSWER_CLOSE},
		{"stall", 200, "Content-Length", ANSWER_STALL},
		{"reset", 200, "Content-Length", ANSWER_RESET},
		{"slow", 200, "Content-Length", ANSWER_KEEP},
		{"chunked-truncated", 200, "\r\nTransfer-Encoding: chunked\r\nConnection",
			ANSWER_CLOSE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		struct api api;
		struct why why;

		print_message("%s\n", wanted[i].fault);
		api_init(&api, &defaults);
		add_page(&api, 3);
		assert_int_equal(fault_parse(wanted[i].fault, &api.plan, &why), STATUS_OK);

		struct answer *a = ask(&api, "GET /matches?apikey=k");

		assert_int_equal(a->code, wanted[i].code);
		assert_int_equal(a->end, wanted[i].end);
		assert_has(wanted[i].part);
		api_done(&api);
	}
}

/* The promised length is the one that comes. */
static void made_up_rows(void **state)
{
	struct replay_options options = defaults;
	struct api api;
	char length[64];

	(void)state;
	options.synthetic_rows = options.page_rows = 50;
	api_init(&api, &options);
	ask(&api, "GET /matches?apikey=k");
	snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body()));
	assert_has(length);
	assert_has("\"totalRows\":50,");
	ask(&api, "GET /matches?apikey=k&offset=50");
	assert_has("\"data\":[],");
	api_done(&api);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_page),
		cmocka_unit_test(pages),
		cmocka_unit_test(keys_and_paths),
		cmocka_unit_test(quota),
		cmocka_unit_test(step),
		cmocka_unit_test(spoilt_answers_do_not_step),
		cmocka_unit_test(speed),
		cmocka_unit_test(faults),
		cmocka_unit_test(made_up_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
