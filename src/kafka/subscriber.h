/* subscriber.h - reads a topic. Offsets are the caller's (the journal's): positions are given with each
 * assignment; nothing is stored in Kafka but, with a group, for lag display. One thread. */
#pragma once
#include "kafka/client.h"

struct subscriber;
enum status subscriber_open(
	struct subscriber **out, const struct kafka_settings *settings, struct why *why) MUST_CHECK;
/* Leaves the group, unless an instance is named: then its partitions wait for it until the session ends.
 * Bounded to 4 s, to 2 s while no broker answers; NULL is fine. */
void subscriber_close(struct subscriber *s);

/* Another name and password, from the next login on. On failure nothing changes. */
enum status subscriber_login(
	struct subscriber *s, const char *username, const char *password) MUST_CHECK;
/* Certificates were renewed on disk, and count only for a subscriber opened anew (OpenSSL build). */
bool subscriber_outdated(const struct subscriber *s);

enum { SUBSCRIBER_PARTITIONS = 256 }; /* at most, of one topic; more are refused */
struct subscriber_span {
	int partition;
	bool known;	   /* its leader has told the marks */
	int64_t low, high; /* watermarks: first offset kept, offset after the last */
};
struct subscriber_survey {
	char cluster[64];	      /* cluster id, "" unknown */
	char topic_id[48];	      /* "" where the broker gives none */
	unsigned partitions, unknown; /* how many of them have no marks now */
	struct why unknown_why;	      /* of the last of those */
	struct subscriber_span span[SUBSCRIBER_PARTITIONS];
};
/* Asks the cluster (blocks up to timeout_ms). STATUS_OK: the marks of one partition at least are known; a broker
 * that is away, or a partition without a leader, leaves the others as they are. STATUS_AGAIN: not reachable now;
 * STATUS_NOT_FOUND: no such topic (never created by asking); STATUS_DENIED: not allowed; STATUS_FULL: more
 * partitions than can be read. */
enum status subscriber_survey(struct subscriber *s, int64_t timeout_ms,
	struct subscriber_survey *out, struct why *why) MUST_CHECK;
/* The same in a thread of its own: once there is an answer, subscriber_next says SUBSCRIBER_SURVEYED and
 * subscriber_answer gives it. One at a time; what is under way already goes on. Any other status than
 * STATUS_OK: nothing was asked. */
enum status subscriber_ask(struct subscriber *s, int64_t timeout_ms, struct why *why) MUST_CHECK;
enum status subscriber_answer(
	struct subscriber *s, struct subscriber_survey *out, struct why *why) MUST_CHECK;

struct subscriber_start {
	int partition;
	int64_t offset;
};
/* Without a group: replaces the assignment. With one: adds these (after SUBSCRIBER_ASSIGNED), or moves
 * those that we have already to their new positions (after SUBSCRIBER_OUT_OF_RANGE). */
enum status subscriber_assign(struct subscriber *s, const struct subscriber_start *starts,
	unsigned count, struct why *why) MUST_CHECK;
/* Without a group: these join the ones that are read already. */
enum status subscriber_add(struct subscriber *s, const struct subscriber_start *starts,
	unsigned count, struct why *why) MUST_CHECK;
/* With a group: joins it; partitions come as SUBSCRIBER_ASSIGNED events. */
enum status subscriber_join(struct subscriber *s, struct why *why) MUST_CHECK;
/* With a group: no more records of these, which stay ours: they get a position later. */
enum status subscriber_put_off(
	struct subscriber *s, const int *partitions, unsigned count, struct why *why) MUST_CHECK;
/* After SUBSCRIBER_REVOKED has been honoured (journal committed): lets them go. */
enum status subscriber_release(struct subscriber *s, struct why *why) MUST_CHECK;
/* Stores the next offsets for lag display, in one request; no-op without a group; asynchronous. */
void subscriber_commit(struct subscriber *s, const struct subscriber_start *next, unsigned count);
void subscriber_pause(struct subscriber *s); /* back-pressure: keep calling subscriber_next */
void subscriber_resume(struct subscriber *s);

enum subscriber_kind {
	SUBSCRIBER_NOTHING, /* nothing within the wait */
	SUBSCRIBER_RECORD,
	SUBSCRIBER_END,		 /* of a partition: `offset` is the next one to come */
	SUBSCRIBER_OUT_OF_RANGE, /* the position is no longer there: survey and assign again */
	SUBSCRIBER_ASSIGNED,
	SUBSCRIBER_REVOKED,  /* with a group: `list`, `count` */
	SUBSCRIBER_SURVEYED, /* subscriber_ask has its answer */
	SUBSCRIBER_TROUBLE,  /* `reason`, `code`; the client goes on by itself */
	SUBSCRIBER_FATAL,    /* close and open again; fenced: exit 78 */
};
struct subscriber_event {
	enum subscriber_kind kind;
	int partition;
	int64_t offset, time_us; /* Kafka's time stamp, 0 none */
	bool key_null, value_null;
	struct view key, value; /* live until the next subscriber_next */
	const int *list;
	unsigned count;
	bool fenced;
	const char *code;
	char reason[256];
	void *message; /* private: for subscriber_header */
};
/* Waits at most wait_ms (0: not at all). */
enum status subscriber_next(struct subscriber *s, int64_t wait_ms, struct subscriber_event *out,
	struct why *why) MUST_CHECK;
/* The last header of that name; false where there is none. */
bool subscriber_header(const struct subscriber_event *e, const char *name, struct view *out);
int subscriber_fd(const struct subscriber
		*s); /* readable until subscriber_next has answered SUBSCRIBER_NOTHING */
bool subscriber_connected(const struct subscriber *s);
