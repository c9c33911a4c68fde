/* inquiry.c - a survey in a thread of its own. */
#include "kafka/inquiry.h"

#include "kafka/survey.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024 };

/* Freed by who comes last: the thread, or inquiry_close. */
struct inquiry {
	struct handle *handle;
	int64_t timeout_ms;
	bool ask_topic_id;
	int wake_fd;
	struct subscriber_survey survey; /* this and the next two: the thread's until `answered` */
	enum status status;
	struct why why;
	atomic_bool answered;
	pthread_mutex_t lock; /* over the next two */
	bool ended, left;
};

static void unmake(struct inquiry *q)
{
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static void *ask(void *context)
{
	static const uint64_t one = 1;
	struct inquiry *q = context;
	struct handle *h = q->handle;
	bool left;

	q->status = survey_take(h, rd_kafka_topic_name(handle_topic(h)), q->timeout_ms,
		&q->ask_topic_id, &q->survey, &q->why);
	atomic_store_explicit(&q->answered, true, memory_order_release);
	pthread_mutex_lock(&q->lock);
	q->ended = true;
	left = q->left;
	if (!left && write(q->wake_fd, &one, sizeof one) < 0)
		left = false; /* it is readable already */
	pthread_mutex_unlock(&q->lock);
	if (left)
		unmake(q);
	handle_let_go(h);
	return NULL;
}

static bool start(struct inquiry *q)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int failed;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	handle_hold(q->handle);
	failed = pthread_create(&thread, &attributes, ask, q);
	pthread_attr_destroy(&attributes);
	if (failed)
		handle_let_go(q->handle);
	return failed == 0;
}

enum status inquiry_open(struct inquiry **out, struct handle *h, int64_t timeout_ms,
	bool ask_topic_id, int wake_fd, struct why *why)
{
	struct inquiry *q = calloc(1, sizeof *q);

	if (!q)
		return fail(why, STATUS_NO_MEMORY, "no memory to ask the brokers");
	q->handle = h;
	q->timeout_ms = timeout_ms;
	q->ask_topic_id = ask_topic_id;
	q->wake_fd = wake_fd;
	pthread_mutex_init(&q->lock, NULL);
	if (!start(q)) {
		unmake(q);
		return fail(why, STATUS_AGAIN, "no thread to ask the brokers with");
	}
	*out = q;
	return STATUS_OK;
}

bool inquiry_answered(const struct inquiry *q)
{
	return atomic_load_explicit(&q->answered, memory_order_acquire);
}

enum status inquiry_answer(
	struct inquiry *q, bool *ask_topic_id, struct subscriber_survey *out, struct why *why)
{
	*ask_topic_id = q->ask_topic_id;
	if (q->status == STATUS_OK)
		*out = q->survey;
	else
		*why = q->why;
	return q->status;
}

void inquiry_close(struct inquiry *q)
{
	bool ended;

	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	ended = q->ended;
	q->left = true;
	pthread_mutex_unlock(&q->lock);
	if (ended)
		unmake(q);
}
