/* subscriber_private.h - the parts of the subscriber: subscriber.c opens, hears and leaves, assignment.c
 * holds which partitions are read from where. */
#pragma once
#include "base/log.h"
#include "kafka/handle.h"
#include "kafka/subscriber.h"
#include "kafka/trouble.h"

struct inquiry;
struct rd_kafka_op_s; /* rd_kafka_event_t */

struct subscriber {
	struct handle *handle;
	char *topic, *brokers;
	bool group;
	bool paused;
	bool ask_topic_id;
	struct inquiry *inquiry; /* under way, or answered and not yet taken */
	bool answer_told;
	unsigned passed; /* events since the answer came */
	int fd;
	struct rd_kafka_op_s *event; /* of the last subscriber_next: its views point into it */
	int assigned[SUBSCRIBER_PARTITIONS];
	unsigned assigned_count;
	int list[SUBSCRIBER_PARTITIONS]; /* as it is told: of the last rebalance */
	enum subscriber_kind
		unanswered; /* the rebalance that waits for an answer; or SUBSCRIBER_NOTHING */
	int revoked[SUBSCRIBER_PARTITIONS]; /* until they are released */
	unsigned revoked_count;
	char link_detail[TROUBLE_REASON_BYTES]; /* what a connection failed with last */
	struct log_gate broker_gate;		/* for one of several brokers that is away */
};

void subscriber_drop_event(struct subscriber *s); /* its views end */
void subscriber_stop_all(struct subscriber *s);	  /* without a group: reads no partition any more */
