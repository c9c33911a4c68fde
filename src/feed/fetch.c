/* fetch.c - one GET over TLS: curl's multi handle driven by the service's loop.
 *
 *   fetch_start ─► curl asks for sockets and a timer ─► loop ─► drive ─► body calls ... done
 *
 * curl's callbacks only note things; done is called by drive, behind curl's back, so that it may start the
 * next transfer or close the fetch. */
#include "feed/fetch.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "feed/fetch_outcome.h"
#include "feed/request.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	CONNECT_MS = 10000,
	SLOW_BYTES_PER_S = 100, SLOW_S = 15,
	RECEIVE_BYTES = 16 * 1024,
	HEADERS_MAX_BYTES = 64 * 1024,
	IGNORED_MAX_BYTES = 64 * 1024,	/* of a body that nobody wants, to keep the connection */
	URL_MAX_BYTES = 8 * 1024,
};

struct fetch {
	struct loop *loop;
	struct request request, renewed;
	bool has_renewed;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct buffer url;
	char curl_text[CURL_ERROR_SIZE];
	struct trust_verdict verdict;

	/* The transfer that runs. */
	bool running, in_curl;
	fetch_body_call *body;
	fetch_done_call *done;
	void *context;
	struct fetch_facts facts;
	struct why refusal;
	char retry_after[64], location[200];
	size_t header_bytes;
	uint64_t ignored_bytes;
	bool greeted;		/* TCP stands, the TLS handshake has begun: curl tells its times only later */
	bool asked;		/* the request went out */
	bool body_begun;
	int64_t sent_mono_us, answered_us;
};

/* --- what curl tells ------------------------------------------------------------------------------------- */

static CURLcode on_tls(CURL *easy, void *config, void *context)
{
	struct fetch *f = context;

	(void)easy;
	f->greeted = true;
	trust_apply(f->request.trust, config);
	trust_observe(&f->verdict, config);
	return CURLE_OK;
}

/* Just before the request goes out. */
static int on_request(void *context, char *peer_ip, char *our_ip, int peer_port, int our_port)
{
	struct fetch *f = context;

	(void)peer_ip;
	(void)our_ip;
	(void)peer_port;
	(void)our_port;
	f->asked = true;
	f->sent_mono_us = clock_mono_us();
	return CURL_PREREQFUNC_OK;
}

/* The value of header `name` in a header line, cut to the room there is. */
static bool header_value(const char *line, size_t length, const char *name, char *out, size_t out_bytes)
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
	struct fetch *f = context;

	(void)one;
	if (!f->facts.header_begun) {
		int64_t waited_us = clock_mono_us() - f->sent_mono_us;

		/* The state is as old as the middle of the wait, give or take the other half. */
		f->facts.header_begun = true;
		f->answered_us = clock_wall_us() - waited_us / 2;
	}
	f->header_bytes += length;
	if (f->header_bytes > HEADERS_MAX_BYTES) {
		f->facts.headers_too_large = true;
		return 0;
	}
	if (!header_value(line, length, "retry-after", f->retry_after, sizeof f->retry_after))
		(void)header_value(line, length, "location", f->location, sizeof f->location);
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

/* A body begins: is it JSON by its type and by its first byte that is no blank? Blanks decide nothing. */
static bool looks_like_json(struct fetch *f, const char *bytes, size_t length)
{
	const char *type = NULL;
	size_t at = 0, n = 0;
	bool markup;

	while (at < length && strchr(" \t\r\n", bytes[at]) && bytes[at])
		at++;
	if (at == length)
		return true;
	f->body_begun = true;
	curl_easy_getinfo(f->easy, CURLINFO_CONTENT_TYPE, &type);
	if (!(type && (contains(type, "html") || contains(type, "xml"))) && (bytes[at] == '{' || bytes[at] == '['))
		return true;
	/* Markup is worth showing; anything else may be the key that the server says back. */
	markup = bytes[at] == '<';
	for (; markup && at < length && n < sizeof f->facts.first_bytes - 1; at++, n++)
		f->facts.first_bytes[n] = bytes[at] >= ' ' && bytes[at] <= '~' ? bytes[at] : '.';
	f->facts.first_bytes[n] = '\0';
	f->facts.not_json = true;
	return false;
}

/* Returning less than `length` makes curl end the transfer with CURLE_WRITE_ERROR. */
static size_t on_body(char *bytes, size_t one, size_t length, void *context)
{
	struct fetch *f = context;
	long status = 0;

	(void)one;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		f->ignored_bytes += length;
		return f->ignored_bytes > IGNORED_MAX_BYTES ? 0 : length;
	}
	if (!f->body_begun && !looks_like_json(f, bytes, length))
		return 0;
	if (length > f->request.max_body_bytes - f->facts.bytes) {
		f->facts.too_big = true;
		return 0;
	}
	f->facts.bytes += length;
	f->facts.refused = f->body(f->context, bytes, length, &f->refusal);
	return f->facts.refused == STATUS_OK ? length : 0;
}

/* --- the end of a transfer --------------------------------------------------------------------------------- */

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

static void gather_facts(struct fetch *f, CURLcode code)
{
	struct fetch_facts *facts = &f->facts;
	curl_off_t resolved = 0, connected = 0, secured = 0, expected = -1;
	long status = 0, proxy_status = 0;
	const char *type = NULL;

	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(f->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	curl_easy_getinfo(f->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(f->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	curl_easy_getinfo(f->easy, CURLINFO_CONNECT_TIME_T, &connected);
	curl_easy_getinfo(f->easy, CURLINFO_APPCONNECT_TIME_T, &secured);
	curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
	facts->curl_code = code;
	facts->curl_text = f->curl_text;
	facts->host = f->request.host;
	facts->peer_host = f->request.peer_host;
	facts->proxy_host = f->request.proxy_host;
	facts->http_status = (int)status;
	facts->proxy_status = (int)proxy_status;
	facts->content_type = type ? type : "";
	facts->location = f->location;
	facts->retry_after = f->retry_after;
	facts->expected_bytes = expected;
	facts->max_body_bytes = f->request.max_body_bytes;
	facts->timeout_ms = f->request.timeout_ms;
	/* A connection used again was made in another transfer. */
	facts->resolved = f->asked || f->greeted || resolved > 0;
	facts->connected = f->asked || f->greeted || connected > 0;
	facts->secured = f->asked || secured > 0;
	facts->refusal = &f->refusal;
	facts->verdict = &f->verdict;
	facts->now_us = clock_wall_us();
}

/* The last thing that touches f: done may start anew or close it. */
static void finish(struct fetch *f, CURLcode code)
{
	struct fetch_result result = { .answered_us = f->answered_us, .bytes = f->facts.bytes };

	gather_facts(f, code);
	fetch_judge(&f->facts, &result);
	result.bytes = f->facts.bytes;
	hide(result.why.text, f->request.key);
	curl_multi_remove_handle(f->multi, f->easy);
	f->running = false;
	f->done(f->context, &result);
}

/* Tells curl that something happened, and looks whether the transfer is over. */
static void drive(struct fetch *f, curl_socket_t fd, int events)
{
	int running, left;
	CURLMsg *message;

	f->in_curl = true;
	curl_multi_socket_action(f->multi, fd, events, &running);
	f->in_curl = false;
	message = curl_multi_info_read(f->multi, &left);
	if (message && message->msg == CURLMSG_DONE && f->running)
		finish(f, message->data.result);
}

static void on_timer(void *context)
{
	drive(context, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(void *context, int fd, unsigned events)
{
	int what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	drive(context, fd, what);
}

static int set_timer(CURLM *multi, long wait_ms, void *context)
{
	struct fetch *f = context;

	(void)multi;
	if (wait_ms < 0)
		loop_timer_stop(f->loop, on_timer, f);
	else if (loop_timer(f->loop, clock_mono_ms() + wait_ms, on_timer, f) != STATUS_OK)
		return -1;
	return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct fetch *f = context;
	unsigned events = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	(void)socket_context;
	if (what == CURL_POLL_REMOVE || !events)
		loop_forget(f->loop, fd);
	else if (loop_watch(f->loop, fd, events, on_socket, f, NULL) != STATUS_OK)
		return -1;
	return 0;
}

/* --- handles ------------------------------------------------------------------------------------------------- */

static void drop_handles(struct fetch *f)
{
	if (f->multi && f->easy)
		curl_multi_remove_handle(f->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_multi_cleanup(f->multi);
	curl_slist_free_all(f->headers);
	loop_timer_stop(f->loop, on_timer, f);
	f->easy = NULL;
	f->multi = NULL;
	f->headers = NULL;
}

static bool add_header(struct fetch *f, const char *line)
{
	struct curl_slist *longer = curl_slist_append(f->headers, line);

	if (longer)
		f->headers = longer;
	return longer != NULL;
}

static bool make_headers(struct fetch *f)
{
	const struct request *r = &f->request;
	char *line;
	size_t length;
	bool made;

	if (!add_header(f, "Accept: application/json"))
		return false;
	if (!*r->key || !*r->key_header)
		return true;
	length = strlen(r->key_header) + strlen(r->key) + 3;
	line = malloc(length);
	if (!line)
		return false;
	snprintf(line, length, "%s: %s", r->key_header, r->key);
	made = add_header(f, line);
	explicit_bzero(line, length);
	free(line);
	return made;
}

/* All options that stay from one transfer to the next. curl answers CURLE_OUT_OF_MEMORY, or that it was
 * built without something; the first answer other than OK is kept. */
static CURLcode set_options(struct fetch *f)
{
	CURL *e = f->easy;
	CURLcode code = CURLE_OK;

#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(e, option, value))
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* A resolver thread that hangs must not hold up our end. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTPHEADER, f->headers);
	SET(CURLOPT_USERAGENT, "scorebox");
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
	SET(CURLOPT_TIMEOUT_MS, (long)f->request.timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES_PER_S);
	SET(CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	/* "" also keeps curl from looking at http_proxy and its kin. */
	SET(CURLOPT_PROXY, f->request.proxy);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* No bundle of curl's own: on_tls lends the roots that are parsed already. */
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_tls);
	SET(CURLOPT_SSL_CTX_DATA, f);
	SET(CURLOPT_PREREQFUNCTION, on_request);
	SET(CURLOPT_PREREQDATA, f);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, f);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, f);
	SET(CURLOPT_ERRORBUFFER, f->curl_text);
#undef SET
	return code;
}

static enum status try_handles(struct fetch *f, struct why *why)
{
	CURLcode code;

	f->multi = curl_multi_init();
	f->easy = curl_easy_init();
	if (!f->multi || !f->easy || !make_headers(f))
		return fail(why, STATUS_NO_MEMORY, "no memory for HTTP");
	code = set_options(f);
	if (code != CURLE_OK)
		return fail(why, code == CURLE_OUT_OF_MEMORY ? STATUS_NO_MEMORY : STATUS_FATAL,
			    "HTTP cannot be set up: %s", curl_easy_strerror(code));
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, 1L);
	return STATUS_OK;
}

static enum status make_handles(struct fetch *f, struct why *why)
{
	enum status status = try_handles(f, why);

	if (status != STATUS_OK)
		drop_handles(f);
	return status;
}

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum status fetch_open(struct fetch **out, struct loop *loop, const struct fetch_options *options, struct why *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct fetch *f = calloc(1, sizeof *f);
	enum status status;

	pthread_once(&once, start_curl);
	if (!f)
		return fail(why, STATUS_NO_MEMORY, "no memory for HTTP");
	f->loop = loop;
	buffer_init(&f->url, URL_MAX_BYTES);
	status = request_make(&f->request, options, why);
	if (status == STATUS_OK)
		status = make_handles(f, why);
	if (status != STATUS_OK) {
		fetch_close(f);
		return status;
	}
	*out = f;
	return STATUS_OK;
}

void fetch_close(struct fetch *f)
{
	if (!f)
		return;
	assert(!f->in_curl);
	drop_handles(f);
	request_done(&f->request);
	request_done(&f->renewed);
	if (f->url.length > 0)
		explicit_bzero(f->url.bytes, f->url.length);
	buffer_done(&f->url);
	free(f);
}

enum status fetch_renew(struct fetch *f, const struct fetch_options *options, struct why *why)
{
	struct request request;
	enum status status = request_make(&request, options, why);

	if (status != STATUS_OK)
		return status;
	request_done(&f->renewed);
	f->renewed = request;
	f->has_renewed = true;
	return STATUS_OK;
}

/* New handles: a connection or session of the old trust must not serve the new one. */
static enum status use_renewed(struct fetch *f, struct why *why)
{
	if (!f->has_renewed)
		return STATUS_OK;
	drop_handles(f);
	request_done(&f->request);
	f->request = f->renewed;
	memset(&f->renewed, 0, sizeof f->renewed);
	f->has_renewed = false;
	return make_handles(f, why);
}

/* --- a transfer ------------------------------------------------------------------------------------------------ */

static void clear_transfer(struct fetch *f)
{
	memset(&f->facts, 0, sizeof f->facts);
	memset(&f->verdict, 0, sizeof f->verdict);
	f->refusal.text[0] = f->curl_text[0] = f->retry_after[0] = f->location[0] = '\0';
	f->header_bytes = 0;
	f->ignored_bytes = 0;
	f->body_begun = false;
	f->greeted = false;
	f->asked = false;
	f->sent_mono_us = 0;
	f->answered_us = 0;
}

enum status fetch_start(struct fetch *f, const char *offset_param, uint64_t offset, fetch_body_call *body,
			fetch_done_call *done, void *context, struct why *why)
{
	enum status status;

	assert(!f->running && !f->in_curl);
	status = use_renewed(f, why);
	if (status == STATUS_OK && !f->easy)
		status = make_handles(f, why);
	if (status == STATUS_OK)
		status = request_url(&f->request, offset_param, offset, &f->url, why);
	if (status != STATUS_OK)
		return status;
	clear_transfer(f);
	f->body = body;
	f->done = done;
	f->context = context;
	if (curl_easy_setopt(f->easy, CURLOPT_URL, f->url.bytes) != CURLE_OK ||
	    curl_multi_add_handle(f->multi, f->easy) != CURLM_OK)
		return fail(why, STATUS_NO_MEMORY, "no memory for a request");
	f->running = true;
	return STATUS_OK;
}

int64_t fetch_answered_us(const struct fetch *f)
{
	return f->answered_us;
}

void fetch_cancel(struct fetch *f)
{
	struct fetch_result result = {
		.outcome = FETCH_CANCELLED, .code = "api.cancelled", .retry_after_ms = -1,
		.answered_us = f->answered_us, .bytes = f->facts.bytes,
	};

	assert(!f->in_curl);
	if (!f->running)
		return;
	fail(&result.why, STATUS_AGAIN, "asking %s was cancelled", f->request.host);
	curl_multi_remove_handle(f->multi, f->easy);
	f->running = false;
	f->done(f->context, &result);
}

const char *fetch_source_text(const struct fetch *f)
{
	return f->request.source;
}
