/* reader_private.h - shared by reader.c (the loop, commits), reader_survey.c (what the cluster says),
 * positions.c (generations, anchors, gaps, assignments) and records.c (one record into the journal). */
#pragma once
#include "base/clock.h"
#include "cricket/row.h"
#include "kafka/subscriber.h"
#include "service/reader.h"

enum reader_state { READER_SURVEYING, READER_READING, READER_FULL, READER_STOPPED };

struct partition {
	bool ours;
	bool given; /* by the group, and has no position yet */
	bool unseen; /* nobody answered for it when the journal was new: what is gone by now was never ours */
	int64_t next; /* first offset not in the journal */
	int64_t told; /* what the group knows of `next`; -1 nothing */
	/* `next` when the survey under way began, and as it was when it last moved or had nothing to read. */
	int64_t asked_next, still_next;
	int64_t still_ms;
	unsigned recreated; /* clients in vain since it last moved */
	bool anchored;	    /* the next record must be the anchor */
	int64_t anchor_offset;
	uint32_t anchor_crc;
	int64_t target; /* until_end: -1 none */
};

/* How often the cluster is looked at; how long records may wait without one coming, and questions without an
 * answer, until the client is made anew. Tests shorten it. */
struct reader_pace {
	int64_t look_ms, stuck_ms, silent_ms;
};
extern struct reader_pace reader_pace;

struct reader {
	struct loop *loop;
	struct journal *journal;
	const struct parts *parts;
	struct subscriber *subscriber;
	struct row_reader *rows;
	struct reader_calls calls;
	enum reader_state state;
	bool group, until_end, targets_set, ended_told;
	unsigned generation;
	struct partition partition[SUBSCRIBER_PARTITIONS];
	struct subscriber_survey survey;
	char cluster[64], topic_id[48]; /* of the generation */
	unsigned known_partitions;
	bool asking;  /* a survey is under way */
	bool discard; /* and its answer comes too late */
	bool ask_all; /* everything is assigned anew with the answer */
	bool given;   /* or at least what the group gave */
	bool releasing; /* what the group took waits for its workbooks: nothing is assigned meanwhile */
	bool survey_later; /* but with its release */
	int64_t look_ms, told_ms;
	int64_t heard_ms;	     /* when a question was answered, or a partition moved */
	unsigned silences;	     /* clients in vain since then */
	struct backoff rest_backoff; /* for partitions whose marks nobody tells */
	struct log_gate rest_gate;
	bool rest_told;
	uint64_t recreated;
	bool staged;	 /* a journal transaction is open */
	bool held;	 /* READER_FULL, as a rendering child holds the journal's log */
	int64_t full_ms; /* when room was last looked for */
	uint64_t staged_records;
	int64_t staged_ms;
	uint64_t progress;
	int64_t last_record_us;
	struct backoff backoff;
	struct log_gate gate;
	char told_code[32];
	int trouble_partition; /* -1: of none alone */
	int64_t trouble_ms;
	bool failing;
	bool unproven; /* all brokers were away, or the topic was: the next to answer may be another */
	uint64_t errors_told;
};

/* The journal's handle is dead: tells the service, once. */
void reader_troubled(struct reader *r, enum status s, const struct why *why);
/* until_end: the high watermarks of the first survey are the marks to reach. */
void reader_set_targets(struct reader *r);
/* Gives the subscriber its positions for the partitions in `list` (NULL: all). Without a group those of a list
 * join the ones that are read. `first_sight`: what was gone before we ever looked is no gap. STATUS_FATAL:
 * the service was told. */
enum status reader_assign(struct reader *r, const int *list, unsigned count, bool first_sight,
	struct why *why) MUST_CHECK;
/* Partitions whose marks nobody told in the survey have no position now: those of a group wait for it with the ones
 * that were just given, the others are as good as new. None of them is read meanwhile. */
enum status reader_put_off_unknown(struct reader *r, bool first_sight, struct why *why) MUST_CHECK;
/* The topic was made anew: all partitions begin again. False: the service was told of a trouble. */
bool reader_renew_generation(struct reader *r, const char *what);
bool reader_wanted(const int *list, unsigned count, int partition);
unsigned reader_ours(const struct reader *r, int list[SUBSCRIBER_PARTITIONS]);

/* reader.c */
enum {
	READER_FULL_LOOK_MS = 10000
}; /* how often a full journal is looked at again; Kafka is polled meanwhile */
void reader_timer(struct reader *r, int64_t at_ms, loop_due *call);
void reader_show(struct reader *r, const char *reason, bool changed); /* into the status */
bool reader_stage(struct reader *r); /* a transaction is open now; false: the service was told */
bool reader_commit(struct reader *r);
void reader_look_for_end(struct reader *r);
void reader_turn(void *context);
void reader_tell_failing(struct reader *r, const char *code, const char *reason, int64_t wait_ms);
void reader_tell_well(struct reader *r);
void reader_moved(struct reader *r, int partition);	/* it came on: a record, or its end */
void reader_tell_group(struct reader *r, bool at_once); /* our positions, for its lag display */
enum status reader_connect(struct reader *r, struct why *why) MUST_CHECK;
void reader_disconnect(struct reader *r);

/* reader_survey.c */
void reader_survey(void *context);    /* asks the cluster and assigns anew */
void reader_ask_again(void *context); /* what was not answered */
void reader_answered(struct reader *r);
void reader_look(struct reader *r); /* asks where it is time to */
void reader_recreate(struct reader *r, const char *what, int64_t since_ms);
/* Certificates were renewed on disk: a client reads them only when it is made (OpenSSL build). */
void reader_read_files_anew(struct reader *r);
void reader_assigned(struct reader *r, const int *list, unsigned count);
void reader_revoked(struct reader *r, const int *list, unsigned count);

/* records.c */
void reader_record(struct reader *r, const struct subscriber_event *e);
void reader_end_of_partition(struct reader *r, const struct subscriber_event *e);
bool reader_make_room(struct reader *r); /* true: something left the journal */
