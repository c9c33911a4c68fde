/* fetch.h - one request over TLS, a GET or a POST, driven by the service's loop. The connection and the
 * session are kept. No redirects, only https (http for 127.0.0.1 and localhost is refused as well, unless
 * asked for); at most one transfer. */
#pragma once
#include "base/loop.h"
#include "base/status.h"
#include "tls/trust.h"
#include <stdbool.h>
#include <stdint.h>

/* What a failure's words call the peer's key and name as its settings; lent for ever. NULL: there is no such
 * setting. */
struct fetch_names {
	const char *key;		       /* "API key" */
	const char *url_setting, *key_setting; /* "SCOREBOX_API_URL" */
	const char *timeout_setting, *body_setting;
};

struct fetch_options {				  /* strings are copied */
	const char *url;			  /* https://host[:port]/path[?query] */
	const char *key, *key_param, *key_header; /* key "": none */
	const char *proxy;			  /* "" none; http://[user:password@]host:port */
	/* Whole transfer; connect: at most 10 s; below 100 B/s for 15 s is too slow. */
	int64_t timeout_ms;
	uint64_t max_body_bytes; /* decoded */
	struct trust *trust;	 /* shared */

	/* What follows is for other peers than the API; zero: nothing of it. */
	const struct fetch_names *names;
	bool plain;		  /* http:// is fine too */
	const char *accept;	  /* NULL: application/json */
	const char *post;	  /* NULL: a GET; else the body of a POST, */
	const char *content_type; /* of this type */
	bool every_answer;	  /* the body call gets answers of any status, JSON or not */
};

enum fetch_outcome {
	FETCH_OK,
	FETCH_DNS,
	FETCH_CONNECT,
	FETCH_TIMEOUT,
	FETCH_SLOW,
	FETCH_RESET,
	FETCH_PARTIAL,
	FETCH_HEADERS,
	FETCH_TLS,	/* reason in plain words, with the board's clock where that is the matter */
	FETCH_AUTH,	/* 401, 403 */
	FETCH_QUOTA,	/* 429 */
	FETCH_SERVER,	/* 5xx */
	FETCH_HTTP,	/* any other status than 200 */
	FETCH_REDIRECT, /* 3xx: refused */
	FETCH_NOT_JSON, /* content type or first byte: a login page? */
	FETCH_TOO_BIG,
	FETCH_REFUSED, /* the body callback refused: its status and reason are here */
	FETCH_CANCELLED,
};
struct fetch_result {
	enum fetch_outcome outcome;
	const char *code;    /* log code: "api.dns", "api.auth", ... */
	enum status refused; /* of FETCH_REFUSED */
	int http_status;     /* 0: none came */
	/* From Retry-After (seconds or date), clamped to 1 s .. 1 h; -1 none. */
	int64_t retry_after_ms;
	/* Wall time in the middle between request sent and first byte: the state's time. */
	int64_t answered_us;
	uint64_t bytes; /* decoded */
	struct why why; /* never holds the key */
};

typedef enum status fetch_body_call(
	void *context, const char *bytes, size_t length, struct why *why);
typedef void fetch_done_call(void *context, const struct fetch_result *result);

struct fetch;
enum status fetch_open(struct fetch **out, struct loop *loop, const struct fetch_options *options,
	struct why *why) MUST_CHECK;
void fetch_close(struct fetch *f); /* cancels without a call; NULL is fine */
/* A renewed trust set or key: used from the next request on. */
enum status fetch_renew(
	struct fetch *f, const struct fetch_options *options, struct why *why) MUST_CHECK;
/* Asks for the page at `offset` (`offset_param` "": no parameter). body is called as bytes
 * arrive (never for an answer other than 200 with JSON, unless every_answer), done exactly once, later,
 * from the loop. During body calls fetch_answered_us tells the state's time. */
enum status fetch_start(struct fetch *f, const char *offset_param, uint64_t offset,
	fetch_body_call *body, fetch_done_call *done, void *context, struct why *why) MUST_CHECK;
int64_t fetch_answered_us(const struct fetch *f);
/* Done is called with FETCH_CANCELLED before it returns. Not from within a body call, which answers
 * a status instead; done may start the next transfer, or close. */
void fetch_cancel(struct fetch *f);
/* The URL without key and other query values, for ce_source and log lines. */
const char *fetch_source_text(const struct fetch *f);
