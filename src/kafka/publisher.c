/* publisher.c - takes rows into a small window of librdkafka. */
#include "kafka/publisher_private.h"

#include "base/frame.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	PAUSE_FIRST_MS = 1000,
	PAUSE_CEILING_MS = 5 * 60 * 1000,
	FLUSH_MS = 1,
	CLOSE_WAIT_MS = 1000,
};

static uint64_t cost_of(
	struct view key, struct view value, const struct kafka_header *headers, unsigned count)
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
static enum status not_taken(struct publisher *p, int err, int64_t id, struct why *why)
{
	switch (err) {
	case RD_KAFKA_RESP_ERR__QUEUE_FULL:
		return fail(why, STATUS_FULL, "the window is full");
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		p->refused_here = true;
		p->refused_id = id;
		publisher_wake(p);
		return STATUS_OK;
	case RD_KAFKA_RESP_ERR__FATAL:
		publisher_died(p);
		break;
	default:
		publisher_failed(p, err, id);
		break;
	}
	publisher_wake(p);
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

/* The value behind the frame of its schema. Gone to librdkafka, which frees it, unless the answer is an
 * error: then it is still ours. NULL: no memory. */
static char *framed(const struct publisher *p, struct view value)
{
	char *bytes = malloc(FRAME_BYTES + value.length);

	if (!bytes)
		return NULL;
	frame_write(p->schema_id, bytes);
	memcpy(bytes + FRAME_BYTES, value.bytes, value.length);
	return bytes;
}

static rd_kafka_resp_err_t hand_over(struct publisher *p, struct view key, struct view value,
	rd_kafka_headers_t *headers, int64_t time_ms, void *place)
{
	char *own = p->frames ? framed(p, value) : NULL;
	void *bytes = own ? own : (void *)(uintptr_t)value.bytes;

	if (p->frames && !own)
		return RD_KAFKA_RESP_ERR__QUEUE_FULL;
	rd_kafka_resp_err_t err = rd_kafka_producev(handle_client(p->handle),
		RD_KAFKA_V_RKT(handle_topic(p->handle)),
		RD_KAFKA_V_MSGFLAGS(own ? RD_KAFKA_MSG_F_FREE : RD_KAFKA_MSG_F_COPY),
		RD_KAFKA_V_KEY(key.bytes, key.length),
		RD_KAFKA_V_VALUE(bytes, value.length + (own ? FRAME_BYTES : 0)),
		RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_TIMESTAMP(time_ms),
		RD_KAFKA_V_OPAQUE(place), RD_KAFKA_V_END);
	if (err)
		free(own);
	return err;
}

enum status publisher_put(struct publisher *p, int64_t id, struct view key, struct view value,
	const struct kafka_header *headers, unsigned count, int64_t time_ms, struct why *why)
{
	uint64_t cost = cost_of(key, value, headers, count) + (p->frames ? FRAME_BYTES : 0);
	bool alone = id <= p->alone_through;

	if (p->state != FEEDING || p->refused_here)
		return fail(why, STATUS_FULL, "not feeding now");
	if (((alone || p->lone) && p->window.out > 0) || !window_has_room(&p->window, cost)) {
		flush_when_full(p);
		return fail(why, STATUS_FULL, "the window is full");
	}

	if (p->stamp_now)
		time_ms = clock_wall_us() / 1000;

	rd_kafka_headers_t *list = make_headers(headers, count);
	void *place = window_take(&p->window, id, cost);
	rd_kafka_resp_err_t err = hand_over(p, key, value, list, time_ms, place);

	if (!err) {
		p->unflushed_bytes += cost;
		p->lone = alone;
		if (alone) /* no other row will join it */
			(void)rd_kafka_flush(handle_client(p->handle), FLUSH_MS);
		return STATUS_OK;
	}
	rd_kafka_headers_destroy(list);
	(void)window_give(&p->window, place, &id);
	return not_taken(p, err, id, why);
}

void publisher_frame(struct publisher *p, uint32_t schema_id)
{
	p->frames = true;
	p->schema_id = schema_id;
}

enum status publisher_login(struct publisher *p, const char *username, const char *password)
{
	enum status s = kept_login(&p->kept, username, password);

	if (s == STATUS_OK && p->handle)
		s = handle_login(p->handle, username, password);
	return s;
}

int publisher_fd(const struct publisher *p)
{
	return p->fd;
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

enum status publisher_open(struct publisher **out, const struct kafka_settings *settings,
	const struct publisher_calls *calls, struct why *why)
{
	struct publisher *p = calloc(1, sizeof *p);
	enum status s = STATUS_NO_MEMORY;

	if (!p)
		return fail(why, STATUS_NO_MEMORY, "publisher");
	p->calls = *calls;
	p->backoff = (struct backoff){.first_ms = PAUSE_FIRST_MS, .ceiling_ms = PAUSE_CEILING_MS};
	p->health.code = "";
	p->now_ms = p->entered_ms = p->report_ms = p->heard_ms = clock_mono_ms();
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->fd < 0)
		s = fail_errno(why, STATUS_IO, "eventfd");
	else if (kept_init(&p->kept, settings) != STATUS_OK ||
		 window_init(&p->window, properties_window(settings), settings->queue_bytes) !=
			 STATUS_OK)
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
		publisher_purge(p);
	handle_retire(p->handle, CLOSE_WAIT_MS);
	window_done(&p->window);
	kept_done(&p->kept);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}
