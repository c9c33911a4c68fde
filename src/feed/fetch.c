/* fetch.c - one request over TLS: curl's multi handle driven by the service's loop.
 *
 *   fetch_start ─► curl asks for sockets and a timer ─► loop ─► drive ─► body calls ... done
 *
 * curl's callbacks only note things; done is called by drive, behind curl's back, so that it may start the
 * next transfer or close the fetch. */
#include "feed/fetch.h"
#include "base/clock.h"
#include "feed/transfer.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 10000,
	OVERDUE_MS = 2000,
	SLOW_BYTES_PER_S = 100,
	SLOW_S = 15,
	RECEIVE_BYTES = 16 * 1024,
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
	struct transfer transfer;
	fetch_done_call *done;
	void *context;
	bool running, in_curl;
};

/* --- the loop --- */

static void on_timer(void *context);
static void on_overdue(void *context);

static void drop_handles(struct fetch *f)
{
	if (f->multi && f->easy)
		curl_multi_remove_handle(f->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_multi_cleanup(f->multi);
	curl_slist_free_all(f->headers);
	loop_timer_stop(f->loop, on_timer, f);
	loop_timer_stop(f->loop, on_overdue, f);
	f->easy = NULL;
	f->multi = NULL;
	f->headers = NULL;
}

/* The last thing that touches f: done may start anew or close it. */
static void finish(struct fetch *f, CURLcode code, bool broken)
{
	struct fetch_result result;

	transfer_judge(&f->transfer, (int)code, &result);
	if (broken)
		drop_handles(f); /* the next transfer makes new ones */
	else
		curl_multi_remove_handle(f->multi, f->easy);
	loop_timer_stop(f->loop, on_overdue, f);
	f->running = false;
	f->done(f->context, &result);
}

/* Tells curl that something happened, and looks whether the transfer is over. */
static void drive(struct fetch *f, curl_socket_t fd, int events)
{
	int running, left;
	CURLMsg *message;
	CURLMcode code;

	f->in_curl = true;
	code = curl_multi_socket_action(f->multi, fd, events, &running);
	f->in_curl = false;
	message = curl_multi_info_read(f->multi, &left);
	if (!f->running)
		return;
	if (message && message->msg == CURLMSG_DONE)
		finish(f, message->data.result, false);
	else if (code != CURLM_OK)
		finish(f, code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT,
			true);
}

/* curl keeps the time itself, unless it ran out of memory at the wrong moment: then it waits for
 * ever. */
static void on_overdue(void *context)
{
	struct fetch *f = context;

	if (f->running)
		finish(f, CURLE_OPERATION_TIMEDOUT, true);
}

static void on_timer(void *context)
{
	drive(context, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(void *context, int fd, unsigned events)
{
	int what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
		   (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

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
	unsigned events = (what & CURL_POLL_IN ? LOOP_READ : 0) |
			  (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	(void)socket_context;
	if (what == CURL_POLL_REMOVE || !events)
		loop_forget(f->loop, fd);
	else if (loop_watch(f->loop, fd, events, on_socket, f, NULL) != STATUS_OK)
		return -1;
	return 0;
}

/* --- handles --- */

static bool add_header(struct fetch *f, const char *line)
{
	struct curl_slist *longer = curl_slist_append(f->headers, line);

	if (longer)
		f->headers = longer;
	return longer != NULL;
}

static bool add_named_header(struct fetch *f, const char *name, const char *value)
{
	size_t length = strlen(name) + strlen(value) + 3;
	char *line = malloc(length);
	bool made;

	if (!line)
		return false;
	snprintf(line, length, "%s: %s", name, value);
	made = add_header(f, line);
	explicit_bzero(line, length);
	free(line);
	return made;
}

static bool make_headers(struct fetch *f)
{
	const struct request *r = &f->request;

	if (!add_named_header(f, "Accept", r->accept))
		return false;
	/* The body is small: no question beforehand whether it is welcome. */
	if (r->posts && (!add_named_header(f, "Content-Type", r->content_type) ||
				!add_header(f, "Expect:")))
		return false;
	return !*r->key || !*r->key_header || add_named_header(f, r->key_header, r->key);
}

/* All options that stay from one transfer to the next. curl answers CURLE_OUT_OF_MEMORY, or that
 * it was built without something; the first answer other than OK is kept. */
static CURLcode set_options(struct fetch *f)
{
	CURL *e = f->easy;
	CURLcode code = CURLE_OK;

#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(e, option, value))
	SET(CURLOPT_PROTOCOLS_STR, f->request.plain ? "https,http" : "https");
	if (f->request.posts) {
		SET(CURLOPT_POSTFIELDSIZE, (long)strlen(f->request.post));
		SET(CURLOPT_POSTFIELDS,
			f->request.post); /* lent: the request outlives the handle */
	}
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
	/* No bundle of curl's own: transfer.c lends the roots that are parsed already. */
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
#undef SET
	return code != CURLE_OK ? code : (CURLcode)transfer_listen(&f->transfer, e);
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

enum status fetch_open(
	struct fetch **out, struct loop *loop, const struct fetch_options *options, struct why *why)
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

/* --- a transfer --- */

enum status fetch_start(struct fetch *f, const char *offset_param, uint64_t offset,
	fetch_body_call *body, fetch_done_call *done, void *context, struct why *why)
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
	transfer_begin(&f->transfer, &f->request, body, context);
	f->done = done;
	f->context = context;
	if (curl_easy_setopt(f->easy, CURLOPT_URL, f->url.bytes) != CURLE_OK ||
		curl_multi_add_handle(f->multi, f->easy) != CURLM_OK)
		return fail(why, STATUS_NO_MEMORY, "no memory for a request");
	f->running = true;
	status = loop_timer(
		f->loop, clock_mono_ms() + f->request.timeout_ms + OVERDUE_MS, on_overdue, f);
	if (status != STATUS_OK) {
		curl_multi_remove_handle(f->multi, f->easy);
		f->running = false;
		return fail(why, status, "no timer for a request");
	}
	return STATUS_OK;
}

int64_t fetch_answered_us(const struct fetch *f)
{
	return f->transfer.answered_us;
}

void fetch_cancel(struct fetch *f)
{
	struct fetch_result result = {
		.outcome = FETCH_CANCELLED,
		.code = "api.cancelled",
		.retry_after_ms = -1,
		.answered_us = f->transfer.answered_us,
		.bytes = f->transfer.facts.bytes,
	};

	assert(!f->in_curl);
	if (!f->running)
		return;
	fail(&result.why, STATUS_AGAIN, "asking %s was cancelled", f->request.host);
	curl_multi_remove_handle(f->multi, f->easy);
	loop_timer_stop(f->loop, on_overdue, f);
	f->running = false;
	f->done(f->context, &result);
}

const char *fetch_source_text(const struct fetch *f)
{
	return f->request.source;
}
