/* api.c - answers as the real API gives them. What is known of them: `apikey` is echoed, `data`
 * before `status` before `info`; a page holds 25 rows; a failure has no `data`. The HTTP code of
 * failures is not known: a used-up quota comes here with 200, a wrong key with 401. */
#include "replay/api.h"

#include "base/clock.h"
#include "base/text.h"
#include "replay/bomb.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, HUGE_BYTES = 64 << 20, PADDING_LINES = 1024, SERVERS = 24 };

void api_init(struct api *a, const struct replay_options *options)
{
	memset(a, 0, sizeof *a);
	a->options = *options;
	a->first_ms = -1;
	programme_init(&a->programme);
	a->synthetic_bytes = synthetic_bytes(options->synthetic_rows);
}

void api_done(struct api *a)
{
	programme_done(&a->programme);
}

static enum status answer_text(struct answer *out, int code, const char *reason, const char *body)
{
	out->code = code;
	out->reason = reason;
	return buffer_add_text(&out->opening, body);
}

static enum status answer_failure(
	struct api *a, struct answer *out, int code, const char *reason, const char *words)
{
	out->code = code;
	out->reason = reason;
	return buffer_format(&out->opening,
		"{\"status\":\"failure\",\"reason\":\"%s\",\"info\":{\"hitsToday\":%lld,\"hitsUsed\":1,"
		"\"hitsLimit\":%lld,\"credits\":0}}",
		words, (long long)a->hits, (long long)a->options.quota);
}

static enum status answer_html(struct answer *out)
{
	out->content_type = "text/html; charset=utf-8";
	return buffer_add_text(&out->opening,
		"<!DOCTYPE html>\n<html><head><title>Guest Wi-Fi</title></head>\n<body><h1>Welcome</h1>\n"
		"<form action=\"/login\" method=\"post\"><input name=\"voucher\">"
		"<button>Log in</button></form></body></html>\n");
}

static enum status answer_redirect(struct answer *out)
{
	out->extra = "Location: http://127.0.0.1/v1/currentMatches\r\n";
	return answer_text(out, 302, "Found", "");
}

static enum status answer_bomb(struct answer *out, struct why *why)
{
	out->body = BODY_REPEAT;
	out->count = BOMB_BLOCKS;
	out->extra = "Content-Encoding: gzip\r\n";
	return bomb_make(&out->opening, &out->block, &out->closing, why);
}

/* Sound JSON as far as it goes: a page that never ends. */
static enum status answer_huge(struct answer *out)
{
	out->body = BODY_SYNTHETIC;
	out->count = UINT64_MAX;
	out->no_length = true;
	return buffer_add_text(&out->opening, "{\"apikey\":\"\",\"data\":[");
}

static enum status answer_instead(
	struct api *a, enum fault_kind fault, struct answer *out, struct why *why)
{
	switch (fault) {
	case FAULT_401:
		return answer_failure(a, out, 401, "Unauthorized", "Invalid API Key");
	case FAULT_429:
		out->extra = "Retry-After: 3600\r\n";
		return answer_failure(a, out, 429, "Too Many Requests", "Blocked for 60 minutes");
	case FAULT_500:
		out->content_type = "text/plain";
		return answer_text(out, 500, "Internal Server Error", "internal error\n");
	case FAULT_HTML:
		return answer_html(out);
	case FAULT_REDIRECT:
		return answer_redirect(out);
	case FAULT_GZIP:
		return answer_bomb(out, why);
	default:
		return answer_huge(out);
	}
}

/* Shapes the answer before its head is written. */
static void damage_head(enum fault_kind fault, struct answer *out)
{
	if (fault == FAULT_HEADERS)
		out->padding_lines = PADDING_LINES;
	if (fault == FAULT_CHUNKED)
		out->chunked = true;
	if (fault == FAULT_TRUNCATE || fault == FAULT_CHUNKED)
		out->end = ANSWER_CLOSE;
	if (fault == FAULT_STALL)
		out->end = ANSWER_STALL;
	if (fault == FAULT_RESET)
		out->end = ANSWER_RESET;
	out->drip = fault == FAULT_SLOW;
}

static void damage_body(enum fault_kind fault, struct answer *out)
{
	if (fault == FAULT_HUGE)
		answer_cut(out, HUGE_BYTES);
	else if (fault == FAULT_TRUNCATE || fault == FAULT_CHUNKED || fault == FAULT_STALL ||
		 fault == FAULT_RESET)
		answer_cut(out, out->body_bytes / 2);
}

static bool key_is_good(const struct api *a, const struct http_request *request)
{
	return a->options.key ? strcmp(request->key, a->options.key) == 0 : request->key[0] != '\0';
}

/* Counts the hit; false when there are none left today. */
static bool count_hit(struct api *a)
{
	int64_t day = clock_wall_us() / 1000000 / DAY_S;

	if (day != a->hits_day) {
		a->hits_day = day;
		a->hits = 0;
	}
	a->hits++;
	return a->hits <= a->options.quota;
}

/* Which line of every match is due. A damaged answer shows it without moving on: nobody could read
 * it. */
static uint64_t take_step(struct api *a, uint64_t offset, enum fault_kind fault)
{
	if (offset > 0)
		return a->steps > 0 ? a->steps - 1 : 0;
	return fault == FAULT_NONE ? a->steps++ : a->steps;
}

static int64_t replay_ms(struct api *a)
{
	int64_t now = clock_mono_ms();
	double speed = a->options.speed > 0 ? a->options.speed : 1;

	if (a->first_ms < 0)
		a->first_ms = now;

	double played = (double)(now - a->first_ms) * speed;

	return played < 9e15 ? (int64_t)played : INT64_MAX;
}

static enum status fill_rows(
	struct api *a, uint64_t offset, enum fault_kind fault, struct answer *out, struct why *why)
{
	const struct programme *p = &a->programme;
	uint64_t left = offset < p->count ? p->count - offset : 0;
	uint64_t step = take_step(a, offset, fault);
	int64_t at_ms = replay_ms(a);

	out->body = BODY_ROWS;
	out->count = left < a->options.page_rows ? left : a->options.page_rows;
	if (out->count == 0)
		return STATUS_OK;
	out->rows = malloc(out->count * sizeof *out->rows);
	if (!out->rows)
		return fail(why, STATUS_NO_MEMORY, "no memory for a page of %llu rows",
			(unsigned long long)out->count);
	for (uint64_t i = 0; i < out->count; i++) {
		const struct programme_match *m = &p->matches[offset + i];

		out->rows[i] = a->options.step ? programme_step(m, step) : programme_at(m, at_ms);
	}
	return STATUS_OK;
}

static enum status fill_synthetic(struct api *a, uint64_t offset, struct answer *out)
{
	out->body = BODY_SYNTHETIC;
	if (offset > 0)
		return STATUS_OK;
	out->count = a->options.synthetic_rows;
	out->rows_bytes = a->synthetic_bytes;
	return STATUS_OK;
}

static enum status answer_page(struct api *a, const struct http_request *request,
	enum fault_kind fault, struct answer *out, struct why *why)
{
	uint64_t total = a->options.synthetic_rows ? a->options.synthetic_rows : a->programme.count;
	enum status s = buffer_add_text(&out->opening, "{\"apikey\":");

	if (s == STATUS_OK)
		s = text_json_string(&out->opening, request->key, strlen(request->key));
	if (s == STATUS_OK)
		s = buffer_add_text(&out->opening, ",\"data\":[");
	if (s == STATUS_OK)
		s = a->options.synthetic_rows ? fill_synthetic(a, request->offset, out)
					      : fill_rows(a, request->offset, fault, out, why);
	if (s != STATUS_OK)
		return s;
	return buffer_format(&out->closing,
		"],\"status\":\"success\",\"info\":{\"hitsToday\":%lld,\"hitsUsed\":1,\"hitsLimit\":%lld,"
		"\"credits\":0,\"server\":%llu,\"offsetRows\":%llu,\"totalRows\":%llu,\"queryTime\":%llu.%04llu,"
		"\"s\":0,\"cache\":0}}",
		(long long)a->hits, (long long)a->options.quota,
		(unsigned long long)(a->requests * 7 % SERVERS + 1),
		(unsigned long long)request->offset, (unsigned long long)total,
		(unsigned long long)(34 + a->requests * 13 % 120),
		(unsigned long long)(a->requests * 7919 % 9000 + 1000));
}

static enum status fill_answer(struct api *a, const struct http_request *request,
	enum fault_kind fault, struct answer *out, struct why *why)
{
	if (!request->method_known)
		return answer_text(out, 405, "Method Not Allowed",
			"{\"status\":\"failure\",\"reason\":\"GET only\"}");
	if (!request->matches)
		return answer_text(out, 404, "Not Found",
			"{\"status\":\"failure\",\"reason\":\"No such path\"}");
	if (fault_replaces(fault))
		return answer_instead(a, fault, out, why);
	if (!key_is_good(a, request))
		return answer_failure(a, out, 401, "Unauthorized", "Invalid API Key");
	if (!count_hit(a))
		return answer_failure(
			a, out, 200, "OK", "Blocking since hits today exceeded hits limit");
	damage_head(fault, out);
	return answer_page(a, request, fault, out, why);
}

enum status api_answer(
	struct api *a, const struct http_request *request, struct answer *out, struct why *why)
{
	enum fault_kind fault = FAULT_NONE;

	if (request->method_known && request->matches)
		fault = fault_of(&a->plan, ++a->requests);

	enum status s = fill_answer(a, request, fault, out, why);

	if (s == STATUS_OK)
		s = answer_start(out, request->keep_alive, why);
	if (s != STATUS_OK)
		return s;
	damage_body(fault, out);
	if (request->head_only)
		answer_cut(out, 0);
	return STATUS_OK;
}
