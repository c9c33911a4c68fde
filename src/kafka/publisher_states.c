/* publisher_states.c - the publisher's state machine: feeding, emptying after a failure, waiting. */
#include "kafka/publisher_private.h"

#include "base/log.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

enum {
	TURN_MS = 1000, /* the longest time between two turns */
	EMPTYING_TURN_MS = 100,
	PURGE_AGAIN_MS = 1000,
	EMPTYING_MAX_MS = 30 * 1000, /* then the client is taken for stuck */
	CALM_MS = 60 * 1000,	     /* feeding for so long without a failure: trouble is over */
	SLOW_MS = 60 * 1000,	     /* no report for so long, though a broker is up: say so */
	/* And then make a new client. More than two requests' timeouts: librdkafka's own way out comes first. */
	STUCK_MS = 3 * 60 * 1000,
	LOST_MS = 10 * 60 *
		  1000, /* as long without a report, brokers up or not: try with a new client */
	RETIRE_WAIT_MS = 300,
	/* So many rows in a row the broker's own check may refuse; then it is not the rows. */
	CHECKED_OUT_MAX = 5,
};

/* ---- what went wrong, and right again ---- */

void publisher_say(struct publisher *p, const char *code, const char *reason)
{
	p->health.code = code;
	snprintf(p->health.reason, sizeof p->health.reason, "%.*s",
		(int)sizeof p->health.reason - 1, reason);
}

void publisher_say_nothing(struct publisher *p)
{
	p->health.code = "";
	p->health.reason[0] = '\0';
	p->trouble_id = 0;
}

bool publisher_says(const struct publisher *p, const char *code)
{
	return strcmp(p->health.code, code) == 0;
}

void publisher_purge(struct publisher *p)
{
	p->purged_ms = p->now_ms;
	if (p->handle)
		(void)rd_kafka_purge(handle_client(p->handle),
			RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
				RD_KAFKA_PURGE_F_NON_BLOCKING);
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
void publisher_purged(struct publisher *p)
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
	p->quietly = false;
	publisher_say(p, code, reason);
	start_emptying(p, true);
}

void publisher_died(struct publisher *p)
{
	char detail[300], reason[TROUBLE_REASON_BYTES];
	rd_kafka_resp_err_t err = rd_kafka_fatal_error(
		handle_client(p->handle), detail, sizeof detail);

	snprintf(reason, sizeof reason, "the Kafka client gave up: %.220s",
		err ? detail : "fatal error without a reason");
	condemn(p, "kafka.fatal", reason);
}

static void failed(struct publisher *p, const char *code, const char *reason, int64_t id)
{
	p->health.failures++;
	publisher_say(p, code, reason);
	if (p->trouble_id == 0)
		p->trouble_id = id;
	start_emptying(p, true);
}

void publisher_failed(struct publisher *p, int err, int64_t id)
{
	char reason[TROUBLE_REASON_BYTES];

	trouble_words(err, p->kept.settings.topic, rd_kafka_err2str((rd_kafka_resp_err_t)err),
		reason, sizeof reason);
	failed(p, trouble_code(err), reason, id);
}

/* A topic may take a row only with a time stamp near the broker's clock (message.timestamp.before.max.ms and
 * .after.max.ms), and a row may have waited for days, or come from the time before this board's clock was set.
 * Its own time stands in its headers; Kafka's need only be that of the sending. Where even that is refused
 * one of the two clocks is wrong: that is for a human, and the rows wait. */
void publisher_untimely(struct publisher *p, int err, int64_t id)
{
	if (p->state == EMPTYING) /* with others that were put before: they go back already */
		return;
	if (p->stamp_now) {
		publisher_failed(p, err, id);
		return;
	}
	log_info("kafka.times",
		"topic '%s' refuses rows by their time stamps (message.timestamp.before.max.ms or .after.max.ms); nothing lost; rows go out with the time of sending from now on, their own stands in ce_time",
		p->kept.settings.topic);
	p->stamp_now = true;
	p->alone_through = 0;
	p->health.failures++;
	start_emptying(p, false);
}

/* The check that a topic may have (of values against a schema, say) refuses everything where it and our
 * settings do not fit: switched on without a word, a subject of another name. What else waits would be given up
 * for that; instead it waits for a human, and the oldest row is tried now and then. */
static bool check_refuses_all(struct publisher *p, int err)
{
	if (!trouble_is_of_check(err))
		return false;
	if (p->checked_out < CHECKED_OUT_MAX) {
		p->checked_out++;
		return false;
	}
	return true;
}

static void refused_alone(struct publisher *p, int err, int64_t id)
{
	const char *topic = p->kept.settings.topic;
	const char *detail = rd_kafka_err2str((rd_kafka_resp_err_t)err);
	char reason[TROUBLE_REASON_BYTES];

	if (check_refuses_all(p, err)) {
		trouble_check(topic, detail, reason, sizeof reason);
		failed(p, trouble_code(err), reason, id);
		return;
	}
	trouble_words(err, topic, detail, reason, sizeof reason);
	p->calls.on_refused(p->calls.context, id, reason);
}

/* A batch fails as one for a single record. Rows of the failed range go one at a time; who is refused
 * alone is refused. */
void publisher_refused(struct publisher *p, int err, int64_t id, bool was_alone)
{
	if (was_alone) {
		refused_alone(p, err, id);
		return;
	}
	if (id > p->alone_through)
		p->alone_through = id;
	p->health.failures++;
	start_emptying(p, false);
}

void publisher_delivered(struct publisher *p, int64_t id)
{
	bool calm = p->state == FEEDING && p->now_ms - p->entered_ms > CALM_MS;
	bool over = calm || id == p->trouble_id;

	p->health.delivered++;
	p->checked_out = 0;
	/* One partition may deliver while another fails: the pauses grow on until the failed row itself is
	 * through, or nothing has failed for a while. */
	if (over)
		backoff_reset(&p->backoff);
	if (over || (p->state == FEEDING && p->trouble_id == 0))
		publisher_say_nothing(p);
	p->calls.on_delivered(p->calls.context, id);
}

/* ---- the states ---- */

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

	p->heard_ms = p->now_ms;
	handle_retire(p->handle, RETIRE_WAIT_MS);
	p->handle = NULL;
	window_clear(&p->window);
	if (handle_open(&p->handle, ROLE_PRODUCER, &p->kept.settings, p->fd, &why) == STATUS_OK) {
		p->health.recreated += !p->quietly;
		p->anew = p->quietly = false;
	} else {
		publisher_say(p, "kafka.fatal", why.text);
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
		publisher_purge(p);
	}
}

/* Not one report for long, and no broker up, or only now and then. A client that missed its brokers' return was
 * seen by others after cuts of the network, and from here it looks like brokers that are away. A new one now and
 * then costs nothing and is no news. */
static void try_another_client(struct publisher *p)
{
	log_debug("kafka.renewed", "no report for long; tried with a new client");
	p->anew = p->quietly = true;
	start_emptying(p, false);
}

/* librdkafka tries for ever; where it hangs by a fault of its own nobody else would notice. */
static void turn_feeding(struct publisher *p)
{
	char reason[TROUBLE_REASON_BYTES], span[24];
	int64_t silent_ms;

	if (p->window.out == 0) {
		p->report_ms = p->heard_ms = p->now_ms;
		return;
	}
	if (!handle_is_up(p->handle))
		p->report_ms = p->now_ms;
	silent_ms = p->now_ms - p->report_ms;
	if (silent_ms < STUCK_MS && p->now_ms - p->heard_ms >= LOST_MS) {
		try_another_client(p);
		return;
	}
	if (silent_ms < SLOW_MS)
		return;
	clock_span_text(silent_ms, span, sizeof span);
	snprintf(reason, sizeof reason, "no acknowledgement for %s, though a broker answers", span);
	if (silent_ms >= STUCK_MS)
		condemn(p, "kafka.stuck", reason);
	else if (p->health.code[0] == '\0' || publisher_says(p, "kafka.slow"))
		publisher_say(p, "kafka.slow", reason);
}

/* Certificates were renewed on disk: with a new client they count. What is out has a second to come in. */
static void look_for_files(struct publisher *p)
{
	if (p->state != FEEDING || !handle_outdated(p->handle))
		return;
	log_info("kafka.files",
		"certificate files for Kafka have changed; nothing lost; the client is opened anew with them");
	p->anew = p->quietly = true;
	start_emptying(p, false);
	p->purged_ms = p->now_ms;
}

static void tell_refused_here(struct publisher *p)
{
	if (!p->refused_here)
		return;
	p->refused_here = false;
	publisher_refused(p, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, p->refused_id, true);
}

void publisher_turn(struct publisher *p, int64_t now_ms)
{
	p->now_ms = now_ms;
	publisher_serve_events(p);
	tell_refused_here(p);
	look_for_files(p);
	if (p->state == FEEDING && p->trouble_id == 0 && trouble_is_down(p->health.code) &&
		handle_is_up(p->handle))
		publisher_say_nothing(p);
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
