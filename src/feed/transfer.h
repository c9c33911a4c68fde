/* transfer.h - one running transfer: what curl tells of it, noted by the callbacks, and the
 * judgement at its end. The callbacks call nothing but the body call. */
#pragma once
#include "feed/fetch_outcome.h"
#include "feed/request.h"

enum { TRANSFER_CURL_TEXT = 256 }; /* CURL_ERROR_SIZE */

struct transfer {
	void *easy;		       /* CURL *; lent */
	const struct request *request; /* lent */
	fetch_body_call *body;
	void *context;

	struct fetch_facts facts;
	struct trust_verdict verdict;
	char curl_text[TRANSFER_CURL_TEXT];
	struct why refusal;
	char retry_after[64], location[200];
	size_t header_bytes;
	uint64_t ignored_bytes;
	bool greeted; /* TCP stands, the TLS handshake has begun: curl tells its times only later */
	bool asked;   /* the request went out */
	bool body_begun;
	int64_t sent_mono_us;
	int64_t answered_us; /* 0 until the first header */
};

/* Makes the curl handle report to t, for this and all later transfers. A CURLcode. */
int transfer_listen(struct transfer *t, void *easy);
void transfer_begin(
	struct transfer *t, const struct request *request, fetch_body_call *body, void *context);
/* curl is done with it, by CURLcode `code`: fills *out, the key nowhere in it. */
void transfer_judge(struct transfer *t, int code, struct fetch_result *out);
