/* topic_desk.c - a client for a few questions. */
#include "kafka/topic_desk.h"

#include "base/clock.h"
#include "kafka/survey.h"
#include "kafka/trouble.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { RETIRE_WAIT_MS = 1000, LEAST_MS = 100, SLICE_MS = 3000 };

/* As a consumer: a producer of ours would first ask for the right to write. */
enum status desk_open(
	struct desk *d, const struct kafka_settings *settings, int64_t timeout_ms, struct why *why)
{
	enum status s;

	*d = (struct desk){.topic = settings->topic, .until_ms = clock_mono_ms() + timeout_ms};
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->fd < 0)
		return fail_errno(why, STATUS_IO, "eventfd");
	s = handle_open(&d->handle, ROLE_CONSUMER, settings, d->fd, why);
	if (s == STATUS_OK)
		d->answers = rd_kafka_queue_new(handle_client(d->handle));
	return s;
}

void desk_close(struct desk *d)
{
	if (d->answers)
		rd_kafka_queue_destroy(d->answers);
	handle_retire(d->handle, RETIRE_WAIT_MS);
	if (d->fd >= 0)
		close(d->fd);
}

static int left_ms(const struct desk *d)
{
	int64_t left = d->until_ms - clock_mono_ms();

	return left < LEAST_MS ? LEAST_MS : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* An event may know why: a refused login says more than the disconnect that follows it. */
static enum status hear(struct desk *d, rd_kafka_event_t *event, enum status s, struct why *why)
{
	const char *text = rd_kafka_event_error_string(event);
	int err = trouble_meant(rd_kafka_event_error(event), text);
	char words[TROUBLE_REASON_BYTES];

	if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_ERROR ||
		err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		return s;
	handle_heard(d->handle, err, text);
	if (s == STATUS_DENIED)
		return s;
	d->heard = true;
	handle_explain(d->handle, err, d->topic, text, words, sizeof words);
	return fail(why, trouble_is_of_link(err) ? STATUS_AGAIN : STATUS_DENIED, "%s", words);
}

/* "Timed out" is no reason. What the connections failed with came as events meanwhile. */
static enum status reason_of(struct desk *d, rd_kafka_resp_err_t err, struct why *why)
{
	enum status s = STATUS_AGAIN;
	char words[TROUBLE_REASON_BYTES];
	const char *code;
	rd_kafka_event_t *event;

	if (!d->heard || !trouble_is_of_link(err))
		s = survey_refused(err, d->topic, why);
	while ((event = rd_kafka_queue_poll(handle_queue(d->handle), 0))) {
		s = hear(d, event, s, why);
		rd_kafka_event_destroy(event);
	}
	if (s != STATUS_DENIED && handle_trouble(d->handle, &code, words, sizeof words))
		s = fail(why, strcmp(code, "kafka.down") == 0 ? STATUS_AGAIN : STATUS_DENIED, "%s",
			words);
	return s;
}

/* In slices: who is refused at the door need not wait for the end of the time. */
enum status desk_metadata(struct desk *d, const struct rd_kafka_metadata **out, struct why *why)
{
	enum status s = STATUS_AGAIN;
	rd_kafka_resp_err_t err;

	do {
		int wait_ms = left_ms(d) < SLICE_MS ? left_ms(d) : SLICE_MS;

		err = rd_kafka_metadata(
			handle_client(d->handle), 0, handle_topic(d->handle), out, wait_ms);
		if (err)
			s = reason_of(d, err, why);
	} while (err && s == STATUS_AGAIN && clock_mono_ms() < d->until_ms);
	if (err)
		return s;
	if ((*out)->topic_cnt == 1)
		return STATUS_OK;
	rd_kafka_metadata_destroy(*out);
	return fail(why, STATUS_AGAIN, "the broker says nothing about topic '%s'", d->topic);
}

rd_kafka_AdminOptions_t *desk_options(struct desk *d, int operation)
{
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(
		handle_client(d->handle), (rd_kafka_admin_op_t)operation);
	char ignored[100];

	(void)rd_kafka_AdminOptions_set_request_timeout(
		options, left_ms(d), ignored, sizeof ignored);
	return options;
}

rd_kafka_event_t *desk_answer(struct desk *d, struct why *why)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(d->answers, left_ms(d));

	if (!event) {
		(void)fail(why, STATUS_AGAIN, "no answer in time");
		return NULL;
	}
	if (!rd_kafka_event_error(event))
		return event;
	(void)fail(why, STATUS_AGAIN, "%s", rd_kafka_event_error_string(event));
	rd_kafka_event_destroy(event);
	return NULL;
}
