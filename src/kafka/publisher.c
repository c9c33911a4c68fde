/* publisher.c - rows to Kafka in a small window; the state machine around librdkafka's reports. */
#include "kafka/publisher.h"

#include "base/clock.h"
#include "base/log.h"
#include "kafka/handle.h"
#include "kafka/trouble.h"
#include "kafka/window.h"

#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	PAUSE_FIRST_MS = 1000,
	PAUSE_CEILING_MS = 5 * 60 * 1000,
	TURN_MS = 1000,			/* the longest time between two turns */
	EMPTYING_TURN_MS = 100,
	PURGE_AGAIN_MS = 1000,
	EMPTYING_MAX_MS = 30 * 1000,	/* then the client is taken for stuck */
	CALM_MS = 60 * 1000,		/* feeding for so long without a failure: trouble is over */
	SLOW_MS = 60 * 1000,		/* no report for so long, though a broker is up: say so */
	STUCK_MS = 10 * 60 * 1000,	/* and then make a new client */
	RETIRE_WAIT_MS = 300,
	CLOSE_WAIT_MS = 1000,
	EVENTS_PER_TURN = 4096,
	FLUSH_MS = 1,
};

enum state { FEEDING, EMPTYING, WAITING };

/* The settings' strings are lent to publisher_open only; a new client needs them again. */
struct kept {
	struct kafka_settings settings;
	char *strings;
};

struct publisher {
	struct kept kept;
	struct publisher_calls calls;
	struct handle *handle;		/* NULL: could not be made anew yet */
	struct window window;
	uint64_t unflushed_bytes;	/* put since the last flush */
	int fd;
	enum state state;
	bool after_waiting;		/* EMPTYING ends in WAITING, not at once in FEEDING */
	bool anew;			/* the client is dead or stuck: make a new one when empty */
	int64_t now_ms, entered_ms, purged_ms;
	int64_t report_ms;		/* the last report, or the last time nothing was out */
	int64_t retry_ms;
	struct backoff backoff;
	int64_t alone_through;		/* rows up to this id go one at a time; 0: none */
	int64_t trouble_id;		/* the row whose report failed first; 0: no such trouble */
	bool refused_here;		/* librdkafka itself refused refused_id: to be told in the next turn */
	int64_t refused_id;
	char link_detail[TROUBLE_REASON_BYTES];
	struct publisher_health health;
};

/* ---- settings kept ---- */

/* Copies one string behind the others. NULL stays NULL. */
static const char *keep_string(char **at, const char *text)
{
	char *copy = *at;

	if (!text)
		return NULL;
	size_t bytes = strlen(text) + 1;

	memcpy(copy, text, bytes);
	*at += bytes;
	return copy;
}

static size_t string_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static enum status keep(struct kept *k, const struct kafka_settings *s)
{
	size_t bytes = string_bytes(s->brokers) + string_bytes(s->topic) + string_bytes(s->client_id) +
		       string_bytes(s->compression) + string_bytes(s->options);
	char *at = malloc(bytes > 0 ? bytes : 1);

	if (!at)
		return STATUS_NO_MEMORY;
	k->strings = at;
	k->settings = *s;
	k->settings.brokers = keep_string(&at, s->brokers);
	k->settings.topic = keep_string(&at, s->topic);
	k->settings.client_id = keep_string(&at, s->client_id);
	k->settings.compression = keep_string(&at, s->compression);
	k->settings.options = keep_string(&at, s->options);
	k->settings.group = NULL;
	k->settings.instance = NULL;
	return STATUS_OK;
}

/* ---- trouble ---- */

static void say(struct publisher *p, const char *code, const char *reason)
{
	p->health.code = code;
	snprintf(p->health.reason, sizeof p->health.reason, "%.*s", (int)sizeof p->health.reason - 1, reason);
}

static void say_nothing(struct publisher *p)
{
	p->health.code = "";
	p->health.reason[0] = '\0';
	p->trouble_id = 0;
}

static bool says(const struct publisher *p, const char *code)
{
	return strcmp(p->health.code, code) == 0;
}

static void purge(struct publisher *p)
{
	p->purged_ms = p->now_ms;
	if (p->handle)
		(void)rd_kafka_purge(handle_client(p->handle),
				     RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

/* Purging waits for the end of the turn: a failed batch is often all there was, and nothing is left. */
static void start_emptying(struct publisher *p, bool then_wait)
{
	p->after_waiting |= then_wait;
	if (p->state == EMPTYING)
		return;
	p->state = EMPTYING;
	p->entered_ms = p->now_ms;
	p->purged_ms = p->now_ms - PURGE_AGAIN_MS;
}

/* The brokers' threads purge when they come to it, maybe after the last report of what was out: then rows
 * put since are hit. They too are fed again; a second purge would only chase the next ones. */
static void purged(struct publisher *p)
{
	if (p->state != FEEDING)
		return;
	start_emptying(p, false);
	p->purged_ms = p->now_ms;
}

/* The client cannot be used any more: its rows go back to the spool, a new one is made. */
static void condemn(struct publisher *p, const char *code, const char *reason)
{
	p->health.failures += !p->anew;
	p->anew = true;
	say(p, code, reason);
	start_emptying(p, true);
}

static void condemn_fatal(struct publisher *p)
{
	char detail[300], reason[TROUBLE_REASON_BYTES];
	rd_kafka_resp_err_t err = rd_kafka_fatal_error(handle_client(p->handle), detail, sizeof detail);

	snprintf(reason, sizeof reason, "the Kafka client gave up: %.220s",
		 err ? detail : "fatal error without a reason");
	condemn(p, "kafka.fatal", reason);
}

/* Row `id` failed, or (id 0) the topic as a whole did. */
static void failed(struct publisher *p, rd_kafka_resp_err_t err, int64_t id)
{
	char reason[TROUBLE_REASON_BYTES];

	trouble_words(err, p->kept.settings.topic, rd_kafka_err2str(err), reason, sizeof reason);
	p->health.failures++;
	say(p, trouble_code(err), reason);
	if (p->trouble_id == 0)
		p->trouble_id = id;
	start_emptying(p, true);
}

/* A batch fails as one for a single record. Rows of the failed range go one at a time; who is refused
 * alone is refused. */
static void refused(struct publisher *p, rd_kafka_resp_err_t err, int64_t id, bool was_alone)
{
	char reason[TROUBLE_REASON_BYTES];

	if (was_alone) {
		trouble_words(err, p->kept.settings.topic, rd_kafka_err2str(err), reason, sizeof reason);
		p->calls.on_refused(p->calls.context, id, reason);
		return;
	}
	if (id > p->alone_through)
		p->alone_through = id;
	p->health.failures++;
	start_emptying(p, false);
}

/* ---- reports and errors ---- */

static void delivered(struct publisher *p, int64_t id)
{
	bool calm = p->state == FEEDING && p->now_ms - p->entered_ms > CALM_MS;
	bool over = calm || id == p->trouble_id;

	p->health.delivered++;
	/* One partition may deliver while another fails: the pauses grow on until the failed row itself is
	 * through, or nothing has failed for a while. */
	if (over)
		backoff_reset(&p->backoff);
	if (over || (p->state == FEEDING && p->trouble_id == 0))
		say_nothing(p);
	p->calls.on_delivered(p->calls.context, id);
}

static void report(struct publisher *p, const rd_kafka_message_t *m)
{
	bool alone = p->state == FEEDING && p->window.out == 1;
	int64_t id;

	if (!window_give(&p->window, m->_private, &id))
		return;
	p->report_ms = p->now_ms;
	if (!m->err)
		delivered(p, id);
	else if (m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || m->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
		purged(p);
	else if (trouble_is_of_record(m->err))
		refused(p, m->err, id, alone);
	else if (m->err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_fatal_error(handle_client(p->handle), NULL, 0))
		condemn_fatal(p);
	else
		failed(p, m->err, id);
}

static void all_down(struct publisher *p, const char *text)
{
	char reason[TROUBLE_REASON_BYTES];

	handle_is_down(p->handle);
	trouble_down(p->kept.settings.brokers, p->link_detail[0] ? p->link_detail : text, reason, sizeof reason);
	if (p->health.code[0] == '\0' || says(p, "kafka.down"))
		say(p, "kafka.down", reason);
}

static void error_event(struct publisher *p, rd_kafka_event_t *event)
{
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);
	const char *text = rd_kafka_event_error_string(event);
	char reason[TROUBLE_REASON_BYTES];

	if (err == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event)) {
		condemn_fatal(p);
	} else if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		all_down(p, text);
	} else if (trouble_is_of_link(err)) {
		/* One broker of several may be away without harm; kept for the day when all are. */
		snprintf(p->link_detail, sizeof p->link_detail, "%s", text);
	} else if (strcmp(trouble_code(err), "kafka.failed") != 0) {
		trouble_words(err, p->kept.settings.topic, text, reason, sizeof reason);
		say(p, trouble_code(err), reason);
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
static void wake(struct publisher *p)
{
	uint64_t one = 1;

	while (write(p->fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

static void serve_events(struct publisher *p)
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
		wake(p);
}

/* ---- the state machine ---- */

static void start_feeding(struct publisher *p)
{
	p->state = FEEDING;
	p->entered_ms = p->now_ms;
	p->report_ms = p->now_ms;
	p->health.waiting = false;
	p->calls.on_rewind(p->calls.context);
}

static void start_waiting(struct publisher *p)
{
	p->state = WAITING;
	p->entered_ms = p->now_ms;
	p->retry_ms = p->now_ms + backoff_next_ms(&p->backoff);
	p->health.waiting = true;
	p->health.retry_ms = p->retry_ms;
}

/* What the old client still had out is forgotten here and stays in the spool. */
static void renew(struct publisher *p)
{
	struct why why;

	handle_retire(p->handle, RETIRE_WAIT_MS);
	p->handle = NULL;
	window_clear(&p->window);
	if (handle_open(&p->handle, ROLE_PRODUCER, &p->kept.settings, p->fd, &why) == STATUS_OK) {
		p->anew = false;
		p->health.recreated++;
	} else {
		say(p, "kafka.fatal", why.text);
	}
}

static void emptied(struct publisher *p)
{
	bool wait = p->after_waiting;

	p->after_waiting = false;
	if (p->anew)
		renew(p);
	if (wait || !p->handle)
		start_waiting(p);
	else
		start_feeding(p);
}

static void turn_emptying(struct publisher *p)
{
	if (p->window.out == 0 || (p->anew && p->now_ms - p->entered_ms >= PURGE_AGAIN_MS)) {
		emptied(p);
	} else if (p->now_ms - p->entered_ms >= EMPTYING_MAX_MS) {
		condemn(p, "kafka.stuck", "the Kafka client does not give its rows back");
	} else if (p->now_ms - p->purged_ms >= PURGE_AGAIN_MS) {
		purge(p);
	}
}

/* librdkafka tries for ever; where it hangs by a fault of its own nobody else would notice. */
static void turn_feeding(struct publisher *p)
{
	char reason[TROUBLE_REASON_BYTES], span[24];
	int64_t silent_ms = p->now_ms - p->report_ms;

	if (p->window.out == 0 || !handle_is_up(p->handle)) {
		p->report_ms = p->now_ms;
		return;
	}
	if (silent_ms < SLOW_MS)
		return;
	clock_span_text(silent_ms, span, sizeof span);
	snprintf(reason, sizeof reason, "no acknowledgement for %s, though a broker answers", span);
	if (silent_ms >= STUCK_MS)
		condemn(p, "kafka.stuck", reason);
	else if (p->health.code[0] == '\0' || says(p, "kafka.slow"))
		say(p, "kafka.slow", reason);
}

static void tell_refused_here(struct publisher *p)
{
	if (!p->refused_here)
		return;
	p->refused_here = false;
	refused(p, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, p->refused_id, true);
}

void publisher_turn(struct publisher *p, int64_t now_ms)
{
	p->now_ms = now_ms;
	serve_events(p);
	tell_refused_here(p);
	if (p->state == FEEDING && p->trouble_id == 0 && says(p, "kafka.down") && handle_is_up(p->handle))
		say_nothing(p);
	switch (p->state) {
	case FEEDING:
		turn_feeding(p);
		break;
	case EMPTYING:
		turn_emptying(p);
		break;
	case WAITING:
		if (now_ms < p->retry_ms)
			break;
		if (p->anew)
			renew(p);
		if (p->handle)
			start_feeding(p);
		else
			start_waiting(p);
		break;
	}
}

int64_t publisher_due_ms(const struct publisher *p)
{
	if (p->state == WAITING && p->retry_ms < p->now_ms + TURN_MS)
		return p->retry_ms;
	return p->now_ms + (p->state == EMPTYING ? EMPTYING_TURN_MS : TURN_MS);
}

int publisher_fd(const struct publisher *p)
{
	return p->fd;
}

/* ---- putting ---- */

static uint64_t cost_of(struct view key, struct view value, const struct kafka_header *headers, unsigned count)
{
	uint64_t cost = MESSAGE_COST + key.length + value.length;

	for (unsigned i = 0; i < count; i++)
		cost += HEADER_COST + headers[i].value.length;
	return cost;
}

static rd_kafka_headers_t *make_headers(const struct kafka_header *headers, unsigned count)
{
	rd_kafka_headers_t *list = rd_kafka_headers_new(count);

	for (unsigned i = 0; i < count; i++)
		(void)rd_kafka_header_add(list, headers[i].name, -1, headers[i].value.bytes,
					  (ssize_t)headers[i].value.length);
	return list;
}

/* librdkafka did not take the row. Whatever it was, the row is not out. */
static enum status not_taken(struct publisher *p, rd_kafka_resp_err_t err, int64_t id, struct why *why)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR__QUEUE_FULL:
		return fail(why, STATUS_FULL, "the window is full");
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		p->refused_here = true;
		p->refused_id = id;
		wake(p);
		return STATUS_OK;
	case RD_KAFKA_RESP_ERR__FATAL:
		condemn_fatal(p);
		break;
	default:
		failed(p, err, id);
		break;
	}
	wake(p);
	return fail(why, STATUS_FULL, "%s", p->health.reason);
}

/* The linger is for rows that trickle. A full window gets no fuller by waiting: with many partitions no
 * batch would ever be full, and the linger would set the pace. Half a window at least goes at a time, or
 * the batches would be as small as the reports. librdkafka's threads see the flush only while it lasts. */
static void flush_when_full(struct publisher *p)
{
	if (p->unflushed_bytes < p->window.max_bytes / 2)
		return;
	p->unflushed_bytes = 0;
	(void)rd_kafka_flush(handle_client(p->handle), FLUSH_MS);
}

enum status publisher_put(struct publisher *p, int64_t id, struct view key, struct view value,
			  const struct kafka_header *headers, unsigned count, int64_t time_ms, struct why *why)
{
	uint64_t cost = cost_of(key, value, headers, count);
	bool alone = id <= p->alone_through;

	if (p->state != FEEDING || p->refused_here)
		return fail(why, STATUS_FULL, "not feeding now");
	if ((alone && p->window.out > 0) || !window_has_room(&p->window, cost)) {
		flush_when_full(p);
		return fail(why, STATUS_FULL, "the window is full");
	}

	rd_kafka_headers_t *list = make_headers(headers, count);
	void *place = window_take(&p->window, id, cost);
	rd_kafka_resp_err_t err = rd_kafka_producev(
		handle_client(p->handle), RD_KAFKA_V_RKT(handle_topic(p->handle)),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.bytes, key.length),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)value.bytes, value.length), RD_KAFKA_V_HEADERS(list),
		RD_KAFKA_V_TIMESTAMP(time_ms), RD_KAFKA_V_OPAQUE(place), RD_KAFKA_V_END);

	if (!err) {
		p->unflushed_bytes += cost;
		return STATUS_OK;
	}
	rd_kafka_headers_destroy(list);
	(void)window_give(&p->window, place, &id);
	return not_taken(p, err, id, why);
}

unsigned publisher_out(const struct publisher *p)
{
	return p->window.out;
}

void publisher_health(const struct publisher *p, struct publisher_health *out)
{
	*out = p->health;
	out->connected = p->handle && handle_is_up(p->handle);
	if (!out->waiting)
		out->retry_ms = 0;
}

/* ---- opening and closing ---- */

enum status publisher_open(struct publisher **out, const struct kafka_settings *settings,
			   const struct publisher_calls *calls, struct why *why)
{
	struct publisher *p = calloc(1, sizeof *p);
	enum status s = STATUS_NO_MEMORY;

	if (!p)
		return fail(why, STATUS_NO_MEMORY, "publisher");
	p->calls = *calls;
	p->backoff = (struct backoff){ .first_ms = PAUSE_FIRST_MS, .ceiling_ms = PAUSE_CEILING_MS };
	p->health.code = "";
	p->now_ms = p->entered_ms = p->report_ms = clock_mono_ms();
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->fd < 0)
		s = fail_errno(why, STATUS_IO, "eventfd");
	else if (keep(&p->kept, settings) != STATUS_OK ||
		 window_init(&p->window, properties_window(settings), settings->queue_bytes) != STATUS_OK)
		s = fail(why, STATUS_NO_MEMORY, "publisher's window");
	else
		s = handle_open(&p->handle, ROLE_PRODUCER, &p->kept.settings, p->fd, why);
	if (s != STATUS_OK) {
		publisher_close(p);
		return s;
	}
	*out = p;
	return STATUS_OK;
}

void publisher_close(struct publisher *p)
{
	if (!p)
		return;
	if (p->handle && p->window.out > 0)
		purge(p);
	handle_retire(p->handle, CLOSE_WAIT_MS);
	window_done(&p->window);
	free(p->kept.strings);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}
