/* publisher_private.h - the parts of the publisher: publisher.c takes rows, publisher_reports.c hears what
 * became of them, publisher_states.c decides what to do about it. */
#pragma once
#include "base/clock.h"
#include "kafka/handle.h"
#include "kafka/kept.h"
#include "kafka/publisher.h"
#include "kafka/trouble.h"
#include "kafka/window.h"

enum publisher_state { FEEDING, EMPTYING, WAITING };

struct publisher {
	struct kept kept;
	struct publisher_calls calls;
	struct handle *handle; /* NULL: could not be made anew yet */
	struct window window;
	uint64_t unflushed_bytes; /* put since the last flush */
	int fd;
	enum publisher_state state;
	bool after_waiting; /* EMPTYING ends in WAITING, not at once in FEEDING */
	bool anew;	    /* the client is dead or stuck: make a new one when empty */
	bool quietly; /* and that is no trouble: only tried, as no broker is up, or files were renewed */
	bool stamp_now; /* the topic refuses rows by their time stamps: they go with the time of sending */
	int64_t now_ms, entered_ms, purged_ms;
	int64_t report_ms; /* the last report, or the last time nothing was out or no broker up */
	int64_t heard_ms; /* the last report, or the last time nothing was out, whatever the brokers do */
	int64_t retry_ms;
	struct backoff backoff;
	int64_t alone_through; /* rows up to this id go one at a time; 0: none */
	bool lone; /* the row put last is such a one: none may follow, as the next of its match tells how it went */
	int64_t trouble_id; /* the row whose report failed first; 0: no such trouble */
	unsigned
		checked_out; /* rows that the broker's check refused, each alone, since one was delivered */
	bool refused_here; /* librdkafka itself refused refused_id: to be told in the next turn */
	int64_t refused_id;
	char link_detail[TROUBLE_REASON_BYTES]; /* what a connection failed with last */
	bool frames;				/* values go behind the frame of schema_id */
	uint32_t schema_id;
	struct publisher_health health;
};

/* ---- publisher_reports.c ---- */

void publisher_serve_events(struct publisher *p);
/* Makes the descriptor readable: there is something for the next turn. */
void publisher_wake(struct publisher *p);

/* ---- publisher_states.c; `err` is an rd_kafka_resp_err_t ---- */

void publisher_say(struct publisher *p, const char *code, const char *reason);
void publisher_say_nothing(struct publisher *p);
bool publisher_says(const struct publisher *p, const char *code);

void publisher_delivered(struct publisher *p, int64_t id);
/* Row `id` failed, with others or alone: all go back. */
void publisher_failed(struct publisher *p, int err, int64_t id);
/* The broker does not take the bytes of a batch in which `id` was; alone: of this row. */
void publisher_refused(struct publisher *p, int err, int64_t id, bool was_alone);
/* The topic refuses row `id` for its time stamp. */
void publisher_untimely(struct publisher *p, int err, int64_t id);
/* A row was thrown out by our own order. */
void publisher_purged(struct publisher *p);
/* librdkafka raised a fatal error: the client cannot be used any more. */
void publisher_died(struct publisher *p);
void publisher_purge(struct publisher *p);
