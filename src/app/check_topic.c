/* check_topic.c - `check --online`: is the topic such that nothing is lost in it? A line for each property
 * that decides it, with what to do. */
#include "app/online.h"
#include "base/clock.h"
#include "kafka/subscriber.h"
#include "kafka/topic.h"
#include "service/service.h"

#include <inttypes.h>
#include <string.h>

enum {
	FIELDS_BYTES = 4 * 1024, /* headers and key of a record, at the most */
	BATCH_BYTES = 64 * 1024, /* the largest batch of small rows that we send */
};
static const int64_t week_ms = 7ll * 24 * 3600 * 1000;

static void tell_partitions(struct online *o, const struct topic_facts *f)
{
	const char *topic = o->config->kafka_topic;

	if (f->partitions > SUBSCRIBER_PARTITIONS && o->config->mode != MODE_PRODUCE)
		online_tell(o, "topic", EXIT_SETTINGS,
			"'%s' has %u partitions; at most %d can be read; use a topic with fewer",
			topic, f->partitions, SUBSCRIBER_PARTITIONS);
	else if (f->leaderless)
		online_tell(o, "topic", EXIT_PEER,
			"%u of the %u partitions of '%s' have no leader: what belongs there can be neither "
			"written nor read until their brokers are back",
			f->leaderless, f->partitions, topic);
	else
		online_tell(o, "topic", EXIT_DONE,
			"'%s', %u partition%s%s%s; never add any while it is in use: a match's later states "
			"would go to another partition (make a new topic instead)",
			topic, f->partitions, f->partitions == 1 ? "" : "s", *f->id ? ", id " : "",
			f->id);
}

static void tell_right(struct online *o, const char *operation)
{
	online_tell(o, "rights", EXIT_PEER,
		"this user may not %s '%s': give it the ACL (kafka-acls --add --operation %s --topic %s "
		"--allow-principal ...)",
		operation, o->config->kafka_topic, operation, o->config->kafka_topic);
}

static void tell_rights(struct online *o, const struct topic_facts *f)
{
	bool writes = o->config->mode != MODE_CONSUME, reads = o->config->mode != MODE_PRODUCE;

	if (!f->rights_known)
		return;
	if (writes && !f->may_write)
		tell_right(o, "Write");
	if (reads && !f->may_read)
		tell_right(o, "Read");
	if ((!writes || f->may_write) && (!reads || f->may_read))
		online_tell(o, "rights", EXIT_DONE, "this user may %s",
			writes && reads ? "write and read"
			: writes	? "write"
					: "read");
}

/* ---- what survives a broker ---- */

static void tell_copies(struct online *o, const struct topic_facts *f)
{
	if (f->copies < 2)
		online_warn(o, "copies",
			"replication 1: the disk of one broker takes its partitions along, and no row goes "
			"out while it is away; use 3%s",
			f->brokers < 2 ? " once the cluster has three brokers" : "");
	else if (f->in_sync < f->copies)
		online_warn(o, "copies",
			"replication %u, but some partition has only %u in sync now: a broker is away or "
			"behind; look at the cluster",
			f->copies, f->in_sync);
	else
		online_tell(o, "copies", EXIT_DONE, "replication %u, all in sync", f->copies);
}

#define SET_MIN "kafka-configs --alter --topic %s --add-config min.insync.replicas=%u"

static void tell_min_insync(struct online *o, const struct topic_facts *f)
{
	const char *topic = o->config->kafka_topic;
	int64_t least = f->configs.min_insync;

	if (least == TOPIC_UNKNOWN)
		return;
	if (least > f->copies)
		online_tell(o, "insync", EXIT_PEER,
			"min.insync.replicas %" PRId64
			" with replication %u: no row is ever taken; " SET_MIN,
			least, f->copies, topic, f->copies > 2 ? f->copies - 1 : 1);
	else if (least > f->in_sync && o->config->mode != MODE_CONSUME)
		online_tell(o, "insync", EXIT_PEER,
			"min.insync.replicas %" PRId64
			", and some partition has only %u in sync: its rows are "
			"not taken now; nothing is lost, they wait in the spool; look at the cluster",
			least, f->in_sync);
	else if (f->copies > 1 && least == f->copies)
		online_warn(o, "insync",
			"min.insync.replicas %" PRId64
			" is all of them: one broker away stops all writing; " SET_MIN,
			least, topic, f->copies - 1);
	else if (f->copies > 1 && least < 2)
		online_warn(o, "insync",
			"min.insync.replicas 1: a row counts as written while a single broker has it, and is "
			"gone with that; " SET_MIN,
			topic, 2u);
	else
		online_tell(o, "insync", EXIT_DONE, "min.insync.replicas %" PRId64, least);
}

/* ---- what stays, and for how long ---- */

static void tell_cleanup(struct online *o, const struct topic_configs *c)
{
	if (strstr(c->cleanup, "compact"))
		online_warn(o, "cleanup",
			"cleanup.policy=%s keeps only the last state of each match: who reads later gets "
			"Timelines with holes; kafka-configs --alter --topic %s --add-config "
			"cleanup.policy=delete",
			c->cleanup, o->config->kafka_topic);
	else if (*c->cleanup)
		online_tell(o, "cleanup", EXIT_DONE, "cleanup.policy=%s", c->cleanup);
}

static void tell_retention(struct online *o, const struct topic_configs *c)
{
	char span[32];

	clock_span_text(c->retention_ms, span, sizeof span);
	if (c->retention_ms == TOPIC_UNKNOWN)
		return;
	if (c->retention_ms < 0)
		online_tell(o, "keeps", EXIT_DONE, "records stay for ever (retention.ms=-1)");
	else if (c->retention_ms < week_ms)
		online_warn(o, "keeps",
			"records for %s only: a box that consumes and is away for longer loses what came "
			"meanwhile (its workbooks say so); kafka-configs --alter --topic %s --add-config "
			"retention.ms=1209600000 makes it 14 days",
			span, o->config->kafka_topic);
	else
		online_tell(o, "keeps", EXIT_DONE,
			"records for %s: a box that consumes may be away for so long and loses nothing",
			span);
	if (c->retention_bytes >= 0)
		online_warn(o, "keeps",
			"and at most %" PRId64
			" KiB in each partition, however young: a box that was away may "
			"lose records earlier than by time; retention.bytes=-1 lifts it",
			c->retention_bytes / 1024);
}

/* ---- what is taken ---- */

static void tell_size(struct online *o, const struct topic_configs *c)
{
	int64_t row = (int64_t)o->config->api_max_record;

	if (c->max_message_bytes == TOPIC_UNKNOWN)
		return;
	if (c->max_message_bytes < BATCH_BYTES)
		online_warn(o, "records",
			"max.message.bytes %" PRId64
			": less than our batches of 64 KiB, so rows go out one "
			"by one, and larger ones become dead letters; set it to %" PRId64,
			c->max_message_bytes, row + BATCH_BYTES);
	else if (c->max_message_bytes < row + FIELDS_BYTES)
		online_warn(o, "records",
			"max.message.bytes %" PRId64
			", but SCOREBOX_API_MAX_RECORD allows rows of %" PRId64
			": one that does not fit when packed becomes a dead letter; set max.message.bytes=%" PRId64
			", or lower SCOREBOX_API_MAX_RECORD",
			c->max_message_bytes, row, row + BATCH_BYTES);
	else
		online_tell(o, "records", EXIT_DONE,
			"max.message.bytes %" PRId64 ", our rows have at most %" PRId64,
			c->max_message_bytes, row);
}

/* What somebody else may write there, if not this box. */
static void tell_readable(struct online *o, const struct topic_configs *c, uint64_t readable_bytes)
{
	if (o->config->mode == MODE_PRODUCE || c->max_message_bytes <= (int64_t)readable_bytes)
		return;
	online_warn(o, "records",
		"max.message.bytes %" PRId64 ", but this box reads batches of at most %" PRIu64
		": a larger one stops its partition, and all that the same broker has; set "
		"SCOREBOX_KAFKA_OPTIONS=receive.message.max.bytes=%" PRId64,
		c->max_message_bytes, readable_bytes, c->max_message_bytes + KAFKA_ANSWER_BYTES);
}

static bool is_narrow(int64_t limit_ms)
{
	return limit_ms >= 0 && limit_ms < week_ms;
}

static void tell_times(struct online *o, const struct topic_configs *c)
{
	char span[32];

	clock_span_text(c->oldest_ms, span, sizeof span);
	if (!strcmp(c->time_type, "LogAppendTime"))
		online_tell(o, "times", EXIT_DONE,
			"LogAppendTime: Kafka stamps records by its own clock; workbooks go by ours (ce_time)");
	else if (*c->time_type && is_narrow(c->oldest_ms))
		online_tell(o, "times", EXIT_DONE,
			"%s; records older than %s are refused: rows that waited for longer go with the "
			"time of sending, workbooks know their own (ce_time)",
			c->time_type, span);
	else if (*c->time_type)
		online_tell(o, "times", EXIT_DONE, "%s", c->time_type);
}

void online_topic(struct online *o, const struct topic_facts *f, uint64_t readable_bytes)
{
	online_tell(o, "kafka", EXIT_DONE, "cluster %s, %u broker%s",
		*f->cluster ? f->cluster : "without a name", f->brokers,
		f->brokers == 1 ? "" : "s");
	tell_partitions(o, f);
	if (f->embedded)
		return;
	tell_rights(o, f);
	tell_copies(o, f);
	if (!f->configs_known) {
		online_warn(o, "keeps",
			"how long records stay is not known: this user may not DescribeConfigs of '%s' (%s); "
			"ask its owner for retention.ms, cleanup.policy and min.insync.replicas",
			o->config->kafka_topic, f->configs_reason);
		return;
	}
	tell_min_insync(o, f);
	tell_cleanup(o, &f->configs);
	tell_retention(o, &f->configs);
	tell_size(o, &f->configs);
	tell_readable(o, &f->configs, readable_bytes);
	tell_times(o, &f->configs);
}
