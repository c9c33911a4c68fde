/* inquiry.h - private to kafka/: a survey in a thread of its own, so that nobody stands still while a broker
 * is silent. Owned by one thread; the inquiry's own thread sees only what is locked or atomic. */
#pragma once
#include "kafka/handle.h"
#include "kafka/subscriber.h"

struct inquiry;
/* `wake_fd` (lent until the inquiry is closed) becomes readable when there is an answer. The handle is held
 * until then: handle_retire waits for it. */
enum status inquiry_open(struct inquiry **out, struct handle *h, int64_t timeout_ms,
	bool ask_topic_id, int wake_fd, struct why *why) MUST_CHECK;
bool inquiry_answered(const struct inquiry *q);
/* Once answered: as survey_take. */
enum status inquiry_answer(struct inquiry *q, bool *ask_topic_id, struct subscriber_survey *out,
	struct why *why) MUST_CHECK;
/* Does not wait for an answer that has not come: its thread ends by itself. NULL is fine. */
void inquiry_close(struct inquiry *q);
