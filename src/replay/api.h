/* api.h - private to replay/: what the replay API answers to a request: key, quota, paging, replay
 * clock and faults. Knows nothing of connections. */
#pragma once
#include "replay/answer.h"
#include "replay/fault.h"
#include "replay/http.h"
#include "replay/programme.h"
#include "replay/replay.h"

struct api {
	struct replay_options options; /* its strings are the caller's and outlive it */
	struct programme programme;
	struct fault_plan plan;
	uint64_t requests;	/* to the list, whatever the answer; faults count by it */
	int64_t hits, hits_day; /* of this day (UTC) */
	int64_t first_ms;	/* monotonic time of the first request; -1 before it */
	uint64_t steps;		/* whole answers given for offset 0 */
	uint64_t synthetic_bytes;
};

/* Programme and plan are taken as they are (empty to begin with). */
void api_init(struct api *a, const struct replay_options *options);
void api_done(struct api *a);
/* Fills an initialised answer and starts it. */
enum status api_answer(struct api *a, const struct http_request *request, struct answer *out,
	struct why *why) MUST_CHECK;
