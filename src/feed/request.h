/* request.h - what fetch asks for: the options checked and copied, and the URL of a page. */
#pragma once
#include "base/buffer.h"
#include "feed/fetch.h"

struct request {
	char *url, *key, *key_param, *key_header, *proxy, *accept, *post,
		*content_type; /* never NULL in a request that was made */
	int64_t timeout_ms;
	uint64_t max_body_bytes;
	const struct fetch_names *names;
	bool plain, posts, every_answer;
	struct trust *trust;  /* a share of its own */
	char source[512];     /* scheme, host and path: nothing secret */
	char host[264];	      /* host:port where one is given */
	char peer_host[256];  /* the name to verify, without port and brackets */
	char proxy_host[264]; /* without credentials; "" none */
};

/* STATUS_BAD_DATA: the URL, the proxy or the key is none. On failure nothing is held. */
enum status request_make(
	struct request *r, const struct fetch_options *o, struct why *why) MUST_CHECK;
void request_done(struct request *r); /* wipes the key; zeroed struct is fine */
/* The URL of the page at `offset`, key and all, into `out`. */
enum status request_url(const struct request *r, const char *offset_param, uint64_t offset,
	struct buffer *out, struct why *why) MUST_CHECK;
