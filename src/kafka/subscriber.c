/* subscriber.c - reads a topic from positions that are the caller's. Without a group the partitions are
 * read by librdkafka's simple consumer, which needs no group id, no coordinator's connection and no right
 * to a group; with one, by subscribe() and cooperative rebalancing. */
#include "kafka/subscriber_private.h"

#include "base/clock.h"
#include "kafka/inquiry.h"
#include "kafka/survey.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	LEAVE_MS = 2500,
	LEAVE_ALONE_MS = 500, /* no broker hears us */
	RETIRE_WAIT_MS = 1500,
	BROKER_EVERY_MS = 10 * 60 * 1000,
	ANSWER_AFTER = 5000, /* events at most: more than librdkafka holds of them for us */
};

enum status subscriber_open(
	struct subscriber **out, const struct kafka_settings *settings, struct why *why)
{
	struct subscriber *s = calloc(1, sizeof *s);
	enum status status = STATUS_NO_MEMORY;

	if (!s)
		return fail(why, STATUS_NO_MEMORY, "subscriber");
	s->ask_topic_id = true;
	s->group = settings->group && *settings->group;
	s->topic = strdup(settings->topic);
	s->brokers = strdup(settings->brokers);
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->fd < 0)
		status = fail_errno(why, STATUS_IO, "eventfd");
	else if (!s->topic || !s->brokers)
		status = fail(why, STATUS_NO_MEMORY, "subscriber");
	else
		status = handle_open(&s->handle, ROLE_CONSUMER, settings, s->fd, why);
	if (status != STATUS_OK) {
		subscriber_close(s);
		return status;
	}
	*out = s;
	return STATUS_OK;
}

enum status subscriber_login(struct subscriber *s, const char *username, const char *password)
{
	return handle_login(s->handle, username, password);
}

bool subscriber_outdated(const struct subscriber *s)
{
	return handle_outdated(s->handle);
}

void subscriber_drop_event(struct subscriber *s)
{
	rd_kafka_event_destroy(s->event);
	s->event = NULL;
}

/* ---- events ---- */

static bool serve_record(struct subscriber *s, struct subscriber_event *out)
{
	const rd_kafka_message_t *m = rd_kafka_event_message_next(s->event);
	rd_kafka_timestamp_type_t type;

	if (!m)
		return false;

	int64_t time_ms = rd_kafka_message_timestamp(m, &type);

	out->kind = SUBSCRIBER_RECORD;
	out->partition = m->partition;
	out->offset = m->offset;
	out->time_us = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || time_ms < 0 ? 0 : time_ms * 1000;
	out->key_null = m->key == NULL;
	out->value_null = m->payload == NULL;
	out->key = view_of(m->key ? m->key : "", m->key ? m->key_len : 0);
	out->value = view_of(m->payload ? m->payload : "", m->payload ? m->len : 0);
	out->message = (void *)(uintptr_t)m;
	return true;
}

static void set_partition(struct subscriber *s, struct subscriber_event *out)
{
	rd_kafka_topic_partition_t *at = rd_kafka_event_topic_partition(s->event);

	out->partition = at ? at->partition : -1;
	out->offset = at ? at->offset : -1;
	if (at)
		rd_kafka_topic_partition_destroy(at);
}

static void serve_fatal(
	struct subscriber *s, int err, const char *text, struct subscriber_event *out)
{
	char detail[200];
	rd_kafka_resp_err_t cause = rd_kafka_fatal_error(
		handle_client(s->handle), detail, sizeof detail);

	out->kind = SUBSCRIBER_FATAL;
	out->fenced = cause == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ||
		      err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
	out->code = out->fenced ? "kafka.fenced" : "kafka.fatal";
	trouble_words(out->fenced ? RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID : cause, s->topic,
		cause ? detail : text, out->reason, sizeof out->reason);
}

/* One of several brokers may be away for long, its partitions unread: worth a word now and then. */
static bool serve_trouble(
	struct subscriber *s, int err, const char *text, struct subscriber_event *out)
{
	char tls[TROUBLE_REASON_BYTES];
	unsigned long held;

	handle_heard(s->handle, err, text);
	out->kind = SUBSCRIBER_TROUBLE;
	out->code = trouble_code(err);
	set_partition(s, out);
	if (trouble_is_of_link(err) && handle_trouble(s->handle, &out->code, tls, sizeof tls))
		text = tls;
	if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		handle_is_down(s->handle);
		trouble_down(s->brokers, text != tls && s->link_detail[0] ? s->link_detail : text,
			out->reason, sizeof out->reason);
		return true;
	}
	if (trouble_is_of_link(err)) {
		snprintf(s->link_detail, sizeof s->link_detail, "%s", text);
		out->code = "kafka.broker";
	}
	handle_explain(s->handle, err, s->topic, text, out->reason, sizeof out->reason);
	return !trouble_is_of_link(err) ||
	       log_gate_pass(&s->broker_gate, clock_mono_ms(), BROKER_EVERY_MS, &held);
}

static bool serve_error(struct subscriber *s, struct subscriber_event *out)
{
	const char *text = rd_kafka_event_error_string(s->event);
	int err = trouble_meant(rd_kafka_event_error(s->event), text);

	switch (err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		out->kind = SUBSCRIBER_END;
		set_partition(s, out);
		return true;
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		out->kind = SUBSCRIBER_OUT_OF_RANGE;
		set_partition(s, out);
		return true;
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
		serve_fatal(s, err, text, out);
		return true;
	default:
		return serve_trouble(s, err, text, out);
	}
}

/* Cooperative rebalancing also tells of nothing given and nothing taken; it wants its answer all the same. */
static bool answer_empty(
	struct subscriber *s, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_t *client = handle_client(s->handle);

	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && list->cnt == 0)
		rd_kafka_error_destroy(rd_kafka_incremental_assign(client, list));
	else if (err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && list->cnt == 0)
		rd_kafka_error_destroy(rd_kafka_incremental_unassign(client, list));
	else if (err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS &&
		 err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
		(void)rd_kafka_assign(client, NULL);
	else
		return false;
	return true;
}

static bool serve_rebalance(struct subscriber *s, struct subscriber_event *out)
{
	rd_kafka_resp_err_t err = rd_kafka_event_error(s->event);
	rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(s->event);

	if (answer_empty(s, err, list))
		return false;
	s->unanswered = err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS ? SUBSCRIBER_REVOKED
								    : SUBSCRIBER_ASSIGNED;
	for (int i = 0; i < list->cnt; i++) {
		int partition = list->elems[i].partition;

		if (i < SUBSCRIBER_PARTITIONS && partition >= 0 &&
			partition < SUBSCRIBER_PARTITIONS) {
			s->list[i] = partition;
			continue;
		}
		out->kind = SUBSCRIBER_FATAL;
		out->code = "kafka.partitions";
		snprintf(out->reason, sizeof out->reason,
			"the group gives us partition %d of '%s'; at most %d can be read",
			partition, s->topic, SUBSCRIBER_PARTITIONS);
		return true;
	}
	out->kind = s->unanswered;
	if (out->kind == SUBSCRIBER_REVOKED) {
		s->revoked_count = (unsigned)list->cnt;
		memcpy(s->revoked, s->list, (size_t)list->cnt * sizeof *s->list);
	}
	out->list = s->list;
	out->count = (unsigned)list->cnt;
	return true;
}

static bool serve(struct subscriber *s, struct subscriber_event *out)
{
	switch (rd_kafka_event_type(s->event)) {
	case RD_KAFKA_EVENT_FETCH:
		return serve_record(s, out);
	case RD_KAFKA_EVENT_ERROR:
		return serve_error(s, out);
	case RD_KAFKA_EVENT_REBALANCE:
		return serve_rebalance(s, out);
	default:
		return false;
	}
}

/* librdkafka writes the descriptor when the queue stops being empty, so it is read only once the queue is
 * empty, and the queue is looked at again after that: the descriptor stays readable while there is more. */
static rd_kafka_event_t *poll_queue(struct subscriber *s, int64_t wait_ms)
{
	uint64_t ignored;
	rd_kafka_queue_t *queue = handle_queue(s->handle);
	rd_kafka_event_t *event = rd_kafka_queue_poll(
		queue, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms);

	if (event)
		return event;
	if (read(s->fd, &ignored, sizeof ignored) < 0)
		return NULL;
	return rd_kafka_queue_poll(queue, 0);
}

static bool serve_answer(struct subscriber *s, struct subscriber_event *out)
{
	if (!s->inquiry || s->answer_told || !inquiry_answered(s->inquiry))
		return false;
	s->answer_told = true;
	out->kind = SUBSCRIBER_SURVEYED;
	return true;
}

static const struct subscriber_event nothing = {
	.kind = SUBSCRIBER_NOTHING,
	.key = {"", 0},
	.value = {"", 0},
	.code = "",
};

enum status subscriber_next(
	struct subscriber *s, int64_t wait_ms, struct subscriber_event *out, struct why *why)
{
	(void)why;
	bool answered = s->inquiry && !s->answer_told && inquiry_answered(s->inquiry);

	subscriber_drop_event(s);
	*out = nothing;
	/* What lay in the queue before comes first: a revocation must be heard before anything is assigned. */
	s->passed = answered ? s->passed + 1 : 0;
	if (s->passed > ANSWER_AFTER && serve_answer(s, out))
		return STATUS_OK;
	while ((s->event = poll_queue(s, answered ? 0 : wait_ms))) {
		if (serve(s, out))
			return STATUS_OK;
		subscriber_drop_event(s);
		*out = nothing;
	}
	(void)serve_answer(s, out); /* it may have come before the descriptor was read */
	return STATUS_OK;
}

bool subscriber_header(const struct subscriber_event *e, const char *name, struct view *out)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t length;

	if (!e->message ||
		rd_kafka_message_headers(e->message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	if (rd_kafka_header_get_last(headers, name, &value, &length) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	*out = view_of(value ? value : "", value ? length : 0);
	return true;
}

int subscriber_fd(const struct subscriber *s)
{
	return s->fd;
}

bool subscriber_connected(const struct subscriber *s)
{
	return handle_is_up(s->handle);
}

enum status subscriber_survey(
	struct subscriber *s, int64_t timeout_ms, struct subscriber_survey *out, struct why *why)
{
	return survey_take(s->handle, s->topic, timeout_ms, &s->ask_topic_id, out, why);
}

enum status subscriber_ask(struct subscriber *s, int64_t timeout_ms, struct why *why)
{
	s->answer_told = false;
	return s->inquiry ? STATUS_OK
			  : inquiry_open(&s->inquiry, s->handle, timeout_ms, s->ask_topic_id, s->fd,
				    why);
}

enum status subscriber_answer(struct subscriber *s, struct subscriber_survey *out, struct why *why)
{
	enum status status;

	if (!s->inquiry || !inquiry_answered(s->inquiry))
		return fail(why, STATUS_AGAIN, "nothing was asked");
	status = inquiry_answer(s->inquiry, &s->ask_topic_id, out, why);
	inquiry_close(s->inquiry);
	s->inquiry = NULL;
	return status;
}

/* ---- leaving ---- */

/* What was given or taken and not answered yet is not told again; unanswered, the client never ends. */
static void answer_last(struct subscriber *s)
{
	enum status status = STATUS_OK;
	struct why why;

	if (s->unanswered == SUBSCRIBER_ASSIGNED)
		status = subscriber_assign(s, NULL, 0, &why);
	else if (s->unanswered == SUBSCRIBER_REVOKED)
		status = subscriber_release(s, &why);
	if (status != STATUS_OK)
		log_debug("kafka.client", "leaving the group: %s", why.text);
}

void subscriber_close(struct subscriber *s)
{
	if (!s)
		return;
	subscriber_drop_event(s);
	inquiry_close(s->inquiry);
	if (s->handle && s->group) {
		answer_last(s);
		handle_leave(s->handle, handle_is_up(s->handle) ? LEAVE_MS : LEAVE_ALONE_MS,
			RETIRE_WAIT_MS);
	} else if (s->handle) {
		subscriber_stop_all(s);
		handle_retire(s->handle, RETIRE_WAIT_MS);
	}
	if (s->fd >= 0)
		close(s->fd);
	free(s->brokers);
	free(s->topic);
	free(s);
}
