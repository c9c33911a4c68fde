/* fetch_outcome.h - what a finished transfer means, in one of the named outcomes and in plain
 * words with the next step. Pure: from the facts of the transfer. */
#pragma once
#include "feed/fetch.h"
#include "tls/trust.h"
#include <stdbool.h>

struct fetch_facts {
	int curl_code;	       /* CURLcode */
	int system_error;      /* errno of a connection that failed; 0 unknown */
	const char *curl_text; /* curl's own words, "" */
	const struct fetch_names *names;
	const char *host;	       /* "api.x:443" for log lines */
	const char *peer_host;	       /* without the port */
	const char *proxy_host;	       /* "" none */
	int http_status, proxy_status; /* 0: none came */
	const char *content_type;      /* "" none */
	const char *location;	       /* of a redirect; "" none */
	const char *retry_after;       /* as it stands; "" none */
	uint64_t bytes;		       /* decoded, of a 200 */
	int64_t expected_bytes;	       /* Content-Length; -1 unknown */
	uint64_t max_body_bytes;
	int64_t timeout_ms;
	bool resolved, connected, secured, header_begun;
	bool headers_too_large, too_big, not_json; /* why our callbacks stopped it */
	char first_bytes[24];			   /* of a body that is markup; printable */
	enum status refused;			   /* the body call's answer, STATUS_OK: none */
	const struct why *refusal;
	const struct trust_verdict *verdict;
	int64_t now_us; /* wall */
};

/* Fills outcome, code, http_status, retry_after_ms, refused and why of *out. */
void fetch_judge(const struct fetch_facts *f, struct fetch_result *out);
/* Seconds or an HTTP date, clamped to 1 s .. 1 h; -1 where it is neither. */
int64_t fetch_retry_after_ms(const char *text, int64_t now_us);
