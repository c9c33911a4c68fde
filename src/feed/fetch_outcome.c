/* fetch_outcome.c - what a finished transfer means. */
#include "feed/fetch_outcome.h"
#include "base/clock.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { RETRY_AFTER_LEAST_MS = 1000, RETRY_AFTER_MOST_MS = 3600 * 1000 };

static int64_t clamp_retry(int64_t ms)
{
	if (ms < RETRY_AFTER_LEAST_MS)
		return RETRY_AFTER_LEAST_MS;
	return ms > RETRY_AFTER_MOST_MS ? RETRY_AFTER_MOST_MS : ms;
}

int64_t fetch_retry_after_ms(const char *text, int64_t now_us)
{
	size_t digits = strspn(text, "0123456789");
	int64_t seconds = 0;
	time_t date;

	if (digits > 0 && text[digits + strspn(text + digits, " \t")] == '\0') {
		for (size_t i = 0; i < digits && seconds < RETRY_AFTER_MOST_MS; i++)
			seconds = seconds * 10 + (text[i] - '0');
		return clamp_retry(seconds * 1000);
	}
	/* curl_getdate takes much for a date; an HTTP date begins with the day's name. */
	if (!strchr("MTWFS", text[0]) || !text[0])
		return -1;
	date = curl_getdate(text, NULL);
	return date == (time_t)-1 ? -1 : clamp_retry((int64_t)date * 1000 - now_us / 1000);
}

static void set(struct fetch_result *out, enum fetch_outcome outcome, const char *code)
{
	out->outcome = outcome;
	out->code = code;
}

/* curl's own words, where they say more than we do. */
static const char *words(const struct fetch_facts *f)
{
	return *f->curl_text ? f->curl_text : curl_easy_strerror((CURLcode)f->curl_code);
}

static void judge_timeout(const struct fetch_facts *f, struct fetch_result *out)
{
	const char *door = *f->proxy_host ? f->proxy_host : f->host;
	const char *setting = f->names->timeout_setting;

	if (!f->resolved) {
		set(out, FETCH_DNS, "api.dns");
		fail(&out->why, STATUS_AGAIN,
			"cannot resolve %s in time; check the board's network and DNS", door);
	} else if (!f->connected) {
		set(out, FETCH_CONNECT, "api.connect");
		fail(&out->why, STATUS_AGAIN,
			"%s does not answer the connection; check network and firewall", door);
	} else if (!f->secured) {
		set(out, FETCH_CONNECT, "api.connect");
		fail(&out->why, STATUS_AGAIN, "%s does not finish the TLS handshake", f->host);
	} else if (strstr(f->curl_text, "too slow")) {
		set(out, FETCH_SLOW, "api.slow");
		fail(&out->why, STATUS_AGAIN,
			"%s sends less than 100 bytes/s (%" PRIu64 " bytes so far); given up",
			f->host, f->bytes);
	} else {
		set(out, FETCH_TIMEOUT, "api.timeout");
		fail(&out->why, STATUS_AGAIN,
			"%s did not finish within %" PRId64 " s (%" PRIu64 " bytes so far)%s%s%s",
			f->host, f->timeout_ms / 1000, f->bytes, setting ? "; " : "",
			setting ? setting : "", setting ? " is the limit" : "");
	}
}

static void judge_reset(const struct fetch_facts *f, struct fetch_result *out)
{
	set(out, FETCH_RESET, "api.reset");
	if (!f->header_begun)
		fail(&out->why, STATUS_AGAIN, "%s closed the connection without an answer",
			f->host);
	else if (f->expected_bytes >= 0)
		fail(&out->why, STATUS_AGAIN,
			"%s broke the connection after %" PRIu64 " of %" PRId64
			" bytes; this answer is dropped",
			f->host, f->bytes, f->expected_bytes);
	else
		fail(&out->why, STATUS_AGAIN,
			"%s broke the connection after %" PRIu64 " bytes; this answer is dropped",
			f->host, f->bytes);
}

static void judge_partial(const struct fetch_facts *f, struct fetch_result *out)
{
	set(out, FETCH_PARTIAL, "api.partial");
	if (f->expected_bytes >= 0)
		fail(&out->why, STATUS_AGAIN,
			"answer of %s ends after %" PRIu64 " of %" PRId64 " bytes; it is dropped",
			f->host, f->bytes, f->expected_bytes);
	else
		fail(&out->why, STATUS_AGAIN,
			"answer of %s ends too early, after %" PRIu64 " bytes; it is dropped",
			f->host, f->bytes);
}

static void judge_tls(const struct fetch_facts *f, struct fetch_result *out)
{
	int error = trust_error_in(f->curl_text);
	char words_for_it[300];

	set(out, FETCH_TLS, "api.tls");
	if (error == 0 && f->verdict->flags == 0) {
		/* It ended in the socket below, for which curl has words. */
		fail(&out->why, STATUS_AGAIN, "TLS handshake with %s failed: %s", f->peer_host,
			words(f));
		return;
	}
	trust_explain_verdict(error, f->verdict, f->peer_host, words_for_it, sizeof words_for_it);
	fail(&out->why, STATUS_DENIED, "%s", words_for_it);
}

static void judge_proxy(const struct fetch_facts *f, struct fetch_result *out)
{
	set(out, FETCH_CONNECT, "api.proxy");
	if (f->proxy_status == 407)
		fail(&out->why, STATUS_DENIED,
			"proxy %s wants other credentials (407); check SCOREBOX_API_PROXY",
			f->proxy_host);
	else if (f->proxy_status > 0)
		fail(&out->why, STATUS_AGAIN,
			"proxy %s refuses the way to %s (%d); check SCOREBOX_API_PROXY",
			f->proxy_host, f->host, f->proxy_status);
	else
		fail(&out->why, STATUS_AGAIN, "proxy %s: %s", f->proxy_host, words(f));
}

static void judge_headers(const struct fetch_facts *f, struct fetch_result *out)
{
	set(out, FETCH_HEADERS, "api.headers");
	fail(&out->why, STATUS_AGAIN, "the headers of %s's answer are larger than 64 KiB; check %s",
		f->host, f->names->url_setting);
}

/* Our own callbacks stopped it: that is the reason, whatever curl calls it. True: judged. */
static bool judge_stopped(const struct fetch_facts *f, struct fetch_result *out)
{
	if (f->headers_too_large || strstr(f->curl_text, "response headers")) {
		judge_headers(f, out);
	} else if (f->too_big) {
		set(out, FETCH_TOO_BIG, "api.toobig");
		fail(&out->why, STATUS_FULL, "answer of %s is larger than %" PRIu64 " bytes%s%s%s",
			f->host, f->max_body_bytes, f->names->body_setting ? "; raise " : "",
			f->names->body_setting ? f->names->body_setting : "",
			f->names->body_setting ? " if that is right" : "");
	} else if (f->not_json) {
		set(out, FETCH_NOT_JSON, "api.notjson");
		fail(&out->why, STATUS_BAD_DATA,
			"%s sent %s%s%s%s, not JSON (a login page? check %s and the network)",
			f->host, *f->content_type ? f->content_type : "something",
			*f->first_bytes ? " beginning '" : "", f->first_bytes,
			*f->first_bytes ? "'" : "", f->names->url_setting);
	} else if (f->refused != STATUS_OK) {
		set(out, FETCH_REFUSED, "api.refused");
		out->refused = f->refused;
		out->why = *f->refusal;
	} else {
		return false;
	}
	return true;
}

static void judge_failure(const struct fetch_facts *f, struct fetch_result *out)
{
	switch ((CURLcode)f->curl_code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		set(out, FETCH_DNS, "api.dns");
		fail(&out->why, STATUS_AGAIN,
			"cannot resolve %s; check the board's network and DNS", f->peer_host);
		return;
	case CURLE_COULDNT_RESOLVE_PROXY:
		set(out, FETCH_DNS, "api.dns");
		fail(&out->why, STATUS_AGAIN, "cannot resolve proxy %s; check SCOREBOX_API_PROXY",
			f->proxy_host);
		return;
	case CURLE_COULDNT_CONNECT:
		set(out, FETCH_CONNECT, "api.connect");
		if (f->system_error)
			fail(&out->why, STATUS_AGAIN, "cannot connect to %s%s: %s",
				*f->proxy_host ? "the proxy " : "",
				*f->proxy_host ? f->proxy_host : f->host,
				strerror(f->system_error));
		else
			fail(&out->why, STATUS_AGAIN, "%s", words(f));
		return;
	case CURLE_OPERATION_TIMEDOUT:
		judge_timeout(f, out);
		return;
	case CURLE_PARTIAL_FILE:
		judge_partial(f, out);
		return;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
		/* In TLS 1.3 a client is refused after its handshake (RFC 8446, 4.4.2.4). */
		if (!f->header_begun && trust_refused_in(f->curl_text))
			judge_tls(f, out);
		else
			judge_reset(f, out);
		return;
	case CURLE_TOO_LARGE:
		judge_headers(f, out);
		return;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CLIENTCERT:
		judge_tls(f, out);
		return;
	case CURLE_BAD_CONTENT_ENCODING:
		set(out, FETCH_NOT_JSON, "api.notjson");
		fail(&out->why, STATUS_BAD_DATA, "the compressed answer of %s is damaged", f->host);
		return;
	case CURLE_OUT_OF_MEMORY:
		set(out, FETCH_REFUSED, "api.memory");
		out->refused = STATUS_NO_MEMORY;
		fail(&out->why, STATUS_NO_MEMORY, "no memory for asking %s", f->host);
		return;
	default:
		set(out, FETCH_HTTP, "api.http");
		fail(&out->why, STATUS_AGAIN, "%s does not speak HTTP as it should: %s", f->host,
			words(f));
		return;
	}
}

static void judge_redirect(const struct fetch_facts *f, struct fetch_result *out)
{
	/* What follows the path may hold the key. */
	int shown = (int)strcspn(f->location, "?#");

	set(out, FETCH_REDIRECT, "api.redirect");
	fail(&out->why, STATUS_DENIED,
		"%s sends us on (HTTP %d) to '%.*s', which is not followed; if that is the "
		"right address, set %s to it",
		f->host, f->http_status, shown, f->location, f->names->url_setting);
}

static void judge_status(const struct fetch_facts *f, struct fetch_result *out)
{
	int status = f->http_status;

	out->retry_after_ms = fetch_retry_after_ms(f->retry_after, f->now_us);
	if (status == 401 || status == 403) {
		set(out, FETCH_AUTH, "api.auth");
		fail(&out->why, STATUS_DENIED, "%s answered HTTP %d: %s rejected (check %s)",
			f->host, status, f->names->key, f->names->key_setting);
	} else if (status == 429) {
		set(out, FETCH_QUOTA, "api.quota");
		fail(&out->why, STATUS_AGAIN,
			"%s answered HTTP 429: too many requests for this key", f->host);
	} else if (status >= 500) {
		set(out, FETCH_SERVER, "api.server");
		fail(&out->why, STATUS_AGAIN, "%s answered HTTP %d: its own trouble", f->host,
			status);
	} else if (status >= 300 && status < 400) {
		judge_redirect(f, out);
	} else {
		set(out, FETCH_HTTP, "api.http");
		fail(&out->why, STATUS_AGAIN, "%s answered HTTP %d; check %s", f->host, status,
			f->names->url_setting);
	}
}

void fetch_judge(const struct fetch_facts *f, struct fetch_result *out)
{
	bool through_proxy = f->proxy_status != 0 && f->proxy_status != 200;

	out->http_status = f->http_status;
	out->retry_after_ms = -1;
	out->refused = STATUS_OK;
	out->why.text[0] = '\0';
	if (judge_stopped(f, out))
		return;
	/* A status that tells more than the way its body ended. */
	if (f->http_status != 0 && f->http_status != 200) {
		judge_status(f, out);
	} else if (*f->proxy_host && (through_proxy || f->curl_code == CURLE_PROXY)) {
		judge_proxy(f, out);
	} else if (f->curl_code != CURLE_OK) {
		judge_failure(f, out);
	} else if (f->bytes == 0) {
		set(out, FETCH_NOT_JSON, "api.notjson");
		fail(&out->why, STATUS_BAD_DATA, "the answer of %s is empty", f->host);
	} else {
		set(out, FETCH_OK, "api.ok");
	}
}
