/* parts.h - what the keeper (service.c, the main thread) hands to the services, each in a thread with its own
 * loop: settings, shares of the memory ceiling, and how to be told to stop or to read the settings anew. */
#pragma once
#include "base/budget.h"
#include "base/loop.h"
#include "service/config.h"
#include "service/health.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* A name and password for Kafka. One read anew stands before the older ones, which stay to the end: others may
 * be using them. */
struct login {
	const char *username, *password;
	struct login *older;
	size_t bytes;
};

struct parts {
	const struct config *config; /* as at start: outlives all threads */
	struct budget budget;
	struct health *health;
	const char *brokers;
	struct trust_files *trust;     /* for Kafka; NULL where no certificate is verified */
	_Atomic(struct login *) login; /* the latest that was read anew; NULL: as at start */
	uint8_t run[RUN_BYTES];
	atomic_bool stop;
	_Atomic int64_t stop_ms;      /* when that was said */
	pthread_mutex_t renewal;      /* over the next two */
	const struct config *renewed; /* settings read anew, for produce; NULL once taken */
	const struct config *in_use;  /* by produce; may not be freed */
	int wake[HEALTH_PARTS];	      /* eventfd of each service: look at stop and renewed */
	int ended;		      /* eventfd of the keeper: a service returned */
};

/* Each runs until it is told to stop, or has finished; returns an exit code (service.h). */
int produce_run(struct parts *parts);
int consume_run(struct parts *parts);
int drain_run(struct parts *parts); /* spool to Kafka, without polling */
int books_run(struct parts *parts); /* all workbooks again from the journal, without Kafka */

/* Notes the login of settings that were read anew, where it is another one. By the keeper's thread. */
void parts_login_take(struct parts *parts, const struct config *config);
void parts_login_done(struct parts *parts);
/* True where a new login has come since the last call; `seen` is the caller's, NULL at first. */
bool parts_login_news(const struct parts *parts, const struct login **seen);
/* One line about what came of it. */
void parts_login_tell(enum status s);

/* Empties an eventfd; true when it had been written to. */
bool parts_woken(int fd);
/* How to talk to the brokers. `trust`: of the files that the settings name; NULL without TLS. */
struct kafka_security parts_security(const struct config *config, struct trust_files *trust);
/* The settings of Kafka for publisher (queue: our rows) or subscriber (queue: theirs). */
struct kafka_settings parts_kafka(const struct parts *parts, uint64_t queue_bytes);
/* The state folder's file of that name; false (and a line) when the path is too long. */
bool parts_path(const struct parts *parts, const char *name, char *out, size_t out_bytes);
/* Where SQLite set a damaged database aside: one line, as loud as it is bad. */
void parts_tell_set_aside(const char *what, const char *set_aside);
/* One turn's callbacks took longer than 5 s: one line with the length. */
void parts_tell_stall(struct loop *loop, const char *what);

/* After a trouble: says that `what` is opened again in so long, and waits; loop_stop ends the wait early.
 * False: the loop itself failed. */
bool parts_pause(struct loop *loop, int64_t ms, const char *what);

/* Verbs that finish give up when nothing moves for config->timeout_ms. */
struct patience {
	uint64_t progress;
	int64_t since_ms;
};
bool patience_over(struct patience *p, uint64_t progress, int64_t now_ms, int64_t timeout_ms);
