/* assignment.c - which partitions are read, and from where: alone by librdkafka's simple consumer, in a
 * group by cooperative rebalancing. */
#include "kafka/subscriber_private.h"

#include <librdkafka/rdkafka.h>

static rd_kafka_topic_partition_list_t *make_list(
	const struct subscriber *s, const int *partitions, unsigned count)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

	for (unsigned i = 0; i < count; i++)
		rd_kafka_topic_partition_list_add(list, s->topic, partitions[i]);
	return list;
}

static void set_paused(struct subscriber *s, const int *partitions, unsigned count, bool paused)
{
	rd_kafka_topic_partition_list_t *list;

	if (count == 0)
		return;
	list = make_list(s, partitions, count);
	if (paused)
		(void)rd_kafka_pause_partitions(handle_client(s->handle), list);
	else
		(void)rd_kafka_resume_partitions(handle_client(s->handle), list);
	rd_kafka_topic_partition_list_destroy(list);
}

void subscriber_pause(struct subscriber *s)
{
	if (!s->paused)
		set_paused(s, s->assigned, s->assigned_count, true);
	s->paused = true;
}

void subscriber_resume(struct subscriber *s)
{
	if (s->paused)
		set_paused(s, s->assigned, s->assigned_count, false);
	s->paused = false;
}

void subscriber_stop_all(struct subscriber *s)
{
	for (unsigned i = 0; i < s->assigned_count; i++)
		(void)rd_kafka_consume_stop(handle_topic(s->handle), s->assigned[i]);
	s->assigned_count = 0;
}

/* A seek would not do: a partition whose position was out of range cannot be sought afterwards, and a seek
 * right after the start is lost. */
static enum status start(struct subscriber *s, const struct subscriber_start *starts,
	unsigned count, struct why *why)
{
	for (unsigned i = 0; i < count; i++) {
		if (rd_kafka_consume_start_queue(handle_topic(s->handle), starts[i].partition,
			    starts[i].offset, handle_queue(s->handle)) != 0)
			return fail(why, STATUS_FATAL, "read partition %d: %s", starts[i].partition,
				rd_kafka_err2str(rd_kafka_last_error()));
		s->assigned[s->assigned_count++] = starts[i].partition;
	}
	return STATUS_OK;
}

static enum status start_all(struct subscriber *s, const struct subscriber_start *starts,
	unsigned count, struct why *why)
{
	subscriber_stop_all(s);
	return start(s, starts, count, why);
}

static bool is_among(const int *partitions, unsigned count, int partition)
{
	for (unsigned i = 0; i < count; i++)
		if (partitions[i] == partition)
			return true;
	return false;
}

static enum status take_error(rd_kafka_error_t *error, const char *what, struct why *why)
{
	enum status status = STATUS_OK;

	if (error)
		status = fail(why, STATUS_FATAL, "%s: %s", what, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	return status;
}

/* Takes the partitions out of the assignment: those revoked, or those about to get a new position. */
static enum status remove_all(
	struct subscriber *s, const int *partitions, unsigned count, struct why *why)
{
	rd_kafka_topic_partition_list_t *list = make_list(s, partitions, count);
	enum status status = take_error(
		rd_kafka_incremental_unassign(handle_client(s->handle), list), "release partitions",
		why);
	unsigned kept = 0;

	rd_kafka_topic_partition_list_destroy(list);
	for (unsigned i = 0; i < s->assigned_count; i++)
		if (!is_among(partitions, count, s->assigned[i]))
			s->assigned[kept++] = s->assigned[i];
	s->assigned_count = kept;
	return status;
}

/* Those of them that are in the assignment; how many. */
static unsigned pick_assigned(const struct subscriber *s, const int *partitions, unsigned count,
	int known[SUBSCRIBER_PARTITIONS])
{
	unsigned known_count = 0;

	for (unsigned i = 0; i < count; i++)
		if (is_among(s->assigned, s->assigned_count, partitions[i]))
			known[known_count++] = partitions[i];
	return known_count;
}

enum status subscriber_put_off(
	struct subscriber *s, const int *partitions, unsigned count, struct why *why)
{
	int known[SUBSCRIBER_PARTITIONS];

	subscriber_drop_event(s);
	count = pick_assigned(s, partitions, count, known);
	return count > 0 ? remove_all(s, known, count, why) : STATUS_OK;
}

static enum status remove_known(struct subscriber *s, const struct subscriber_start *starts,
	unsigned count, struct why *why)
{
	int partitions[SUBSCRIBER_PARTITIONS];

	for (unsigned i = 0; i < count; i++)
		partitions[i] = starts[i].partition;
	return subscriber_put_off(s, partitions, count, why);
}

static enum status add_all(struct subscriber *s, const struct subscriber_start *starts,
	unsigned count, struct why *why)
{
	rd_kafka_topic_partition_list_t *list;
	enum status status = remove_known(s, starts, count, why);

	if (status != STATUS_OK)
		return status;
	if (count > SUBSCRIBER_PARTITIONS - s->assigned_count)
		return fail(why, STATUS_FULL, "at most %d partitions can be read",
			SUBSCRIBER_PARTITIONS);
	list = rd_kafka_topic_partition_list_new((int)count);
	for (unsigned i = 0; i < count; i++)
		rd_kafka_topic_partition_list_add(list, s->topic, starts[i].partition)->offset =
			starts[i].offset;
	status = take_error(rd_kafka_incremental_assign(handle_client(s->handle), list),
		"assign partitions", why);
	rd_kafka_topic_partition_list_destroy(list);
	s->unanswered = SUBSCRIBER_NOTHING;
	for (unsigned i = 0; status == STATUS_OK && i < count; i++)
		s->assigned[s->assigned_count++] = starts[i].partition;
	return status;
}

enum status subscriber_assign(struct subscriber *s, const struct subscriber_start *starts,
	unsigned count, struct why *why)
{
	enum status status;

	if (count > SUBSCRIBER_PARTITIONS)
		return fail(why, STATUS_FULL, "at most %d partitions can be read",
			SUBSCRIBER_PARTITIONS);
	subscriber_drop_event(s);
	status = s->group ? add_all(s, starts, count, why) : start_all(s, starts, count, why);
	if (status == STATUS_OK && s->paused)
		set_paused(s, s->assigned, s->assigned_count, true);
	return status;
}

enum status subscriber_add(struct subscriber *s, const struct subscriber_start *starts,
	unsigned count, struct why *why)
{
	int added[SUBSCRIBER_PARTITIONS];
	enum status status;

	if (count > SUBSCRIBER_PARTITIONS - s->assigned_count)
		return fail(why, STATUS_FULL, "at most %d partitions can be read",
			SUBSCRIBER_PARTITIONS);
	subscriber_drop_event(s);
	status = start(s, starts, count, why);
	for (unsigned i = 0; i < count; i++)
		added[i] = starts[i].partition;
	if (status == STATUS_OK && s->paused)
		set_paused(s, added, count, true);
	return status;
}

enum status subscriber_join(struct subscriber *s, struct why *why)
{
	const int all = RD_KAFKA_PARTITION_UA;
	rd_kafka_topic_partition_list_t *list = make_list(s, &all, 1);
	rd_kafka_resp_err_t err = rd_kafka_subscribe(handle_client(s->handle), list);

	rd_kafka_topic_partition_list_destroy(list);
	return err ? fail(why, STATUS_FATAL, "join the group: %s", rd_kafka_err2str(err))
		   : STATUS_OK;
}

/* Only what is in the assignment can be taken out of it: one partition too many, and librdkafka refuses all
 * and waits for its answer for ever. */
enum status subscriber_release(struct subscriber *s, struct why *why)
{
	int known[SUBSCRIBER_PARTITIONS];
	enum status status;

	subscriber_drop_event(s);
	status = remove_all(s, known, pick_assigned(s, s->revoked, s->revoked_count, known), why);
	s->revoked_count = 0;
	s->unanswered = SUBSCRIBER_NOTHING;
	return status;
}

void subscriber_commit(struct subscriber *s, const struct subscriber_start *next, unsigned count)
{
	rd_kafka_topic_partition_list_t *list;

	if (!s->group || count == 0)
		return;
	list = rd_kafka_topic_partition_list_new((int)count);
	for (unsigned i = 0; i < count; i++)
		rd_kafka_topic_partition_list_add(list, s->topic, next[i].partition)->offset =
			next[i].offset;
	(void)rd_kafka_commit(handle_client(s->handle), list, 1);
	rd_kafka_topic_partition_list_destroy(list);
}
