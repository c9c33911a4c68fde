/* event.h - the headers of a record, written and read: CloudEvents 1.0 in Kafka's binary binding, and the
 * identity of the state (scorebox-run, scorebox-seq, scorebox-prev; scorebox-dropped where superseded
 * states of this match were dropped before this one). Source: CloudEvents Kafka protocol binding 1.0.2. */
#pragma once
#include "kafka/client.h"
#include "kafka/subscriber.h"
#include "store/journal.h"
#include "store/spool.h"

enum { EVENT_HEADERS = 11 };

/* Header texts of one row; the struct is their storage, so they live as long as it does. */
struct event {
	struct kafka_header header[EVENT_HEADERS];
	unsigned count;
	char id[64], time[40], run[40], seq[24], prev[64], dropped[16];
};
/* `source`: the API's URL without secrets. Match and source are lent. */
void event_write(struct event *e, const struct spool_row *row, const char *source);

/* Fills ce_us, event_id, self, prev and dropped of `out` from a record's headers; what is missing or
 * malformed stays unknown. */
void event_read(const struct subscriber_event *from, struct journal_record *out);

/* "0123…cdef-42", of an identity; "" for an unknown one. `out` holds 64 bytes. */
void event_identity_text(const struct identity *i, char out[64]);
bool event_identity_parse(struct view text, struct identity *out);
