/* transfer.c - what curl tells of a running transfer. */
#include "feed/transfer.h"
#include "base/clock.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

_Static_assert(TRANSFER_CURL_TEXT >= CURL_ERROR_SIZE, "curl writes as much as it wants");

enum {
	HEADERS_MAX_BYTES = 64 * 1024,
	IGNORED_MAX_BYTES = 64 * 1024, /* of a body that nobody wants, to keep the connection */
};

static CURLcode on_tls(CURL *easy, void *config, void *context)
{
	struct transfer *t = context;

	(void)easy;
	t->greeted = true;
	trust_apply(t->request->trust, config);
	trust_observe(&t->verdict, config);
	return CURLE_OK;
}

/* Just before the request goes out. */
static int on_request(void *context, char *peer_ip, char *our_ip, int peer_port, int our_port)
{
	struct transfer *t = context;

	(void)peer_ip;
	(void)our_ip;
	(void)peer_port;
	(void)our_port;
	t->asked = true;
	t->sent_mono_us = clock_mono_us();
	return CURL_PREREQFUNC_OK;
}

/* The value of header `name` in a header line, cut to the room there is. */
static bool header_value(
	const char *line, size_t length, const char *name, char *out, size_t out_bytes)
{
	size_t at = strlen(name);

	if (length <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
		return false;
	at++;
	while (at < length && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (length > at && (unsigned char)line[length - 1] <= ' ')
		length--;
	length -= at;
	if (length >= out_bytes)
		length = out_bytes - 1;
	memcpy(out, line + at, length);
	out[length] = '\0';
	return true;
}

static size_t on_header(char *line, size_t one, size_t length, void *context)
{
	struct transfer *t = context;

	(void)one;
	if (!t->facts.header_begun) {
		int64_t waited_us = clock_mono_us() - t->sent_mono_us;

		/* The state is as old as the middle of the wait, give or take the other half. */
		t->facts.header_begun = true;
		t->answered_us = clock_wall_us() - waited_us / 2;
	}
	t->header_bytes += length;
	if (t->header_bytes > HEADERS_MAX_BYTES) {
		t->facts.headers_too_large = true;
		return 0;
	}
	if (!header_value(line, length, "retry-after", t->retry_after, sizeof t->retry_after))
		(void)header_value(line, length, "location", t->location, sizeof t->location);
	return length;
}

static bool contains(const char *haystack, const char *needle)
{
	size_t length = strlen(needle);

	for (; *haystack; haystack++) {
		if (strncasecmp(haystack, needle, length) == 0)
			return true;
	}
	return false;
}

/* A body begins: is it JSON by its type and by its first byte that is no blank? Blanks decide
 * nothing. */
static bool looks_like_json(struct transfer *t, const char *bytes, size_t length)
{
	const char *type = NULL;
	size_t at = 0, n = 0;
	bool markup;

	while (at < length && strchr(" \t\r\n", bytes[at]) && bytes[at])
		at++;
	if (at == length)
		return true;
	t->body_begun = true;
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	if (!(type && (contains(type, "html") || contains(type, "xml"))) &&
		(bytes[at] == '{' || bytes[at] == '['))
		return true;
	/* Markup is worth showing; anything else may be the key that the server says back. */
	markup = bytes[at] == '<';
	for (; markup && at < length && n < sizeof t->facts.first_bytes - 1; at++, n++)
		t->facts.first_bytes[n] = bytes[at] >= ' ' && bytes[at] <= '~' ? bytes[at] : '.';
	t->facts.first_bytes[n] = '\0';
	t->facts.not_json = true;
	return false;
}

/* Of an answer other than 200: its status counts, whatever stands in it. */
static size_t on_other_body(struct transfer *t, const char *bytes, size_t length)
{
	t->ignored_bytes += length;
	if (t->ignored_bytes > IGNORED_MAX_BYTES)
		return 0;
	if (t->request->every_answer)
		(void)t->body(t->context, bytes, length, &t->refusal);
	return length;
}

/* Returning less than `length` makes curl end the transfer with CURLE_WRITE_ERROR. */
static size_t on_body(char *bytes, size_t one, size_t length, void *context)
{
	struct transfer *t = context;
	long status = 0;

	(void)one;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return on_other_body(t, bytes, length);
	if (!t->body_begun && !looks_like_json(t, bytes, length))
		return 0;
	if (length > t->request->max_body_bytes - t->facts.bytes) {
		t->facts.too_big = true;
		return 0;
	}
	t->facts.bytes += length;
	t->facts.refused = t->body(t->context, bytes, length, &t->refusal);
	return t->facts.refused == STATUS_OK ? length : 0;
}

/* Replaces every `secret` in the text; the result is never longer. */
static void hide(char *text, const char *secret)
{
	size_t length = strlen(secret);
	char *at;

	if (length < 4)
		return;
	while ((at = strstr(text, secret))) {
		memcpy(at, "***", 3);
		memmove(at + 3, at + length, strlen(at + length) + 1);
	}
}

static void gather_facts(struct transfer *t, int code)
{
	struct fetch_facts *facts = &t->facts;
	curl_off_t resolved = 0, connected = 0, secured = 0, expected = -1;
	long status = 0, proxy_status = 0, system_error = 0;
	const char *type = NULL;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
	curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME_T, &secured);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &system_error);
	facts->curl_code = code;
	facts->system_error = (int)system_error;
	facts->curl_text = t->curl_text;
	facts->names = t->request->names;
	facts->host = t->request->host;
	facts->peer_host = t->request->peer_host;
	facts->proxy_host = t->request->proxy_host;
	facts->http_status = (int)status;
	facts->proxy_status = (int)proxy_status;
	facts->content_type = type ? type : "";
	facts->location = t->location;
	facts->retry_after = t->retry_after;
	facts->expected_bytes = expected;
	facts->max_body_bytes = t->request->max_body_bytes;
	facts->timeout_ms = t->request->timeout_ms;
	/* A connection used again was made in another transfer. */
	facts->resolved = t->asked || t->greeted || resolved > 0;
	facts->connected = t->asked || t->greeted || connected > 0;
	facts->secured = t->asked || secured > 0;
	facts->refusal = &t->refusal;
	facts->verdict = &t->verdict;
	facts->now_us = clock_wall_us();
}

void transfer_judge(struct transfer *t, int code, struct fetch_result *out)
{
	gather_facts(t, code);
	fetch_judge(&t->facts, out);
	out->answered_us = t->answered_us;
	out->bytes = t->facts.bytes;
	hide(out->why.text, t->request->key);
}

int transfer_listen(struct transfer *t, void *easy)
{
	CURLcode code = CURLE_OK;

	t->easy = easy;
#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(easy, option, value))
	SET(CURLOPT_SSL_CTX_FUNCTION, on_tls);
	SET(CURLOPT_SSL_CTX_DATA, t);
	SET(CURLOPT_PREREQFUNCTION, on_request);
	SET(CURLOPT_PREREQDATA, t);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_ERRORBUFFER, t->curl_text);
#undef SET
	return (int)code;
}

void transfer_begin(
	struct transfer *t, const struct request *request, fetch_body_call *body, void *context)
{
	*t = (struct transfer){
		.easy = t->easy, .request = request, .body = body, .context = context};
}
