/* publisher_reports.c - what librdkafka reports: rows delivered or not, and errors without a row. */
#include "kafka/publisher_private.h"

#include "base/log.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 4096 };

static void report(struct publisher *p, const rd_kafka_message_t *m)
{
	bool alone = p->state == FEEDING && p->window.out == 1;
	int64_t id;

	if (!window_give(&p->window, m->_private, &id))
		return;
	p->report_ms = p->heard_ms = p->now_ms;
	if (!m->err)
		publisher_delivered(p, id);
	else if (m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
		 m->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
		publisher_purged(p);
	else if (m->err == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
		publisher_untimely(p, m->err, id);
	else if (trouble_is_of_record(m->err))
		publisher_refused(p, m->err, id, alone);
	else if (m->err == RD_KAFKA_RESP_ERR__FATAL ||
		 rd_kafka_fatal_error(handle_client(p->handle), NULL, 0))
		publisher_died(p);
	else
		publisher_failed(p, m->err, id);
}

static void all_down(struct publisher *p, const char *text)
{
	char reason[TROUBLE_REASON_BYTES], tls[TROUBLE_REASON_BYTES];
	const char *code = "kafka.down";
	const char *detail = p->link_detail[0] ? p->link_detail : text;

	if (handle_trouble(p->handle, &code, tls, sizeof tls))
		detail = tls;
	handle_is_down(p->handle);
	trouble_down(p->kept.settings.brokers, detail, reason, sizeof reason);
	if (p->health.code[0] == '\0' || trouble_is_down(p->health.code))
		publisher_say(p, code, reason);
}

static void error_event(struct publisher *p, rd_kafka_event_t *event)
{
	const char *text = rd_kafka_event_error_string(event);
	int err = trouble_meant(rd_kafka_event_error(event), text);
	char reason[TROUBLE_REASON_BYTES];

	handle_heard(p->handle, err, text);
	if (err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event)) {
		publisher_died(p);
	} else if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		all_down(p, text);
	} else if (trouble_is_of_link(err)) {
		/* One broker of several may be away without harm; kept for the day when all are. */
		snprintf(p->link_detail, sizeof p->link_detail, "%s", text);
	} else if (strcmp(trouble_code(err), "kafka.failed") != 0) {
		handle_explain(p->handle, err, p->kept.settings.topic, text, reason, sizeof reason);
		publisher_say(p, trouble_code(err), reason);
	} else {
		log_debug("kafka.client", "%s", text);
	}
}

static void serve_event(struct publisher *p, rd_kafka_event_t *event)
{
	const rd_kafka_message_t *m;

	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
		while ((m = rd_kafka_event_message_next(event)))
			report(p, m);
	} else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
		error_event(p, event);
	}
}

/* The descriptor is an edge: it tells that the queue is no longer empty, once. What is left over for the
 * next turn must be told again. */
void publisher_wake(struct publisher *p)
{
	uint64_t one = 1;

	while (write(p->fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

void publisher_serve_events(struct publisher *p)
{
	uint64_t ignored;
	rd_kafka_event_t *event;
	int served = 0;

	while (read(p->fd, &ignored, sizeof ignored) < 0 && errno == EINTR)
		continue;
	while (p->handle && served < EVENTS_PER_TURN &&
		(event = rd_kafka_queue_poll(handle_queue(p->handle), 0))) {
		serve_event(p, event);
		rd_kafka_event_destroy(event);
		served++;
	}
	if (served == EVENTS_PER_TURN)
		publisher_wake(p);
}
