#include "service/pump.h"

#include "base/clock.h"
#include "service/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FREE_EVERY_MS = 200, TELL_EVERY_MS = 600000 };

struct pump {
	struct loop *loop;
	struct spool *spool;
	struct publisher *publisher;
	struct health *health;
	char source[600];
	int64_t fed_to;	 /* the last row given to the publisher */
	int64_t free_ms; /* when acknowledged rows were last freed */
	bool more;	 /* rows may wait beyond fed_to */
	bool finishing;
	bool held; /* the schema's id is not known yet */
	bool was_down;
	uint64_t recreated; /* clients, as told last */
	int64_t down_since_ms;
	char told_code[32];
	struct log_gate gate, loss_gate, refused_gate;
	uint64_t dropped_told, refused_told;
	enum status trouble;
	struct why why;
};

static void note_trouble(struct pump *p, enum status s, const struct why *why)
{
	if (p->trouble != STATUS_OK)
		return;
	p->trouble = s;
	p->why = *why;
	loop_stop(p->loop);
}

static enum status free_rows(struct pump *p)
{
	struct why why;
	enum status s = spool_free(p->spool, &why);
	p->free_ms = clock_mono_ms();
	if (s != STATUS_OK && s != STATUS_FULL)
		note_trouble(p, s, &why);
	return s;
}

static void free_oldest(struct pump *p)
{
	struct why why;
	enum status s = spool_free_oldest(p->spool, &why);
	if (s != STATUS_OK && s != STATUS_FULL)
		note_trouble(p, s, &why);
}

static void delivered(void *context, int64_t id)
{
	struct pump *p = context;
	if (spool_delivered(p->spool, id) != STATUS_FULL)
		return;
	free_oldest(p);
	if (spool_delivered(p->spool, id) != STATUS_OK)
		log_debug("spool.free", "row %lld stays and will be sent again", (long long)id);
}

static void tell_more_refused(unsigned long count)
{
	if (count)
		log_error("kafka.refused",
			"the broker refused %lu more row%s; lost to Kafka, kept as dead letters (scorebox spool ls); the rows after them go on",
			count, count == 1 ? "" : "s");
}

static void refused(void *context, int64_t id, const char *reason)
{
	struct pump *p = context;
	struct why why;
	enum status s = spool_refuse(p->spool, id, reason, &why);
	if (s != STATUS_OK) {
		note_trouble(p, s, &why);
		return;
	}
	p->refused_told++;
	unsigned long held;
	if (!log_gate_pass(&p->refused_gate, clock_mono_ms(), TELL_EVERY_MS, &held))
		return;
	tell_more_refused(held);
	log_error("kafka.refused",
		"the broker refuses row %lld: %s; lost to Kafka, kept as a dead letter (scorebox spool ls); the rows after it go on",
		(long long)id, reason);
}

static void rewind_feed(void *context)
{
	struct pump *p = context;
	free_rows(p);
	p->fed_to = 0;
	p->more = true;
	spool_in_flight_floor(p->spool, 0); /* nothing is out: superseded rows may go again */
}

/* Losses that no callback tells of: rows the cap cost, and rows that the card gave back changed. */
static void tell_losses(struct pump *p, const struct spool_figures *f)
{
	if (f->dropped != p->dropped_told)
		log_error("spool.dropped",
			"the spool is full: %llu superseded states are dropped, no match's newest; lost=%llu since the spool began; the workbooks will say how many states were not received; it ends when Kafka takes rows again (SCOREBOX_SPOOL_MAX gives more room)",
			(unsigned long long)(f->dropped - p->dropped_told),
			(unsigned long long)f->dropped);
	if (f->refused > p->refused_told)
		log_error("spool.damaged",
			"%llu waiting rows came back damaged from the card; lost to Kafka, kept as dead letters (scorebox spool ls); the rows after them go on; look after the card",
			(unsigned long long)(f->refused - p->refused_told));
	p->dropped_told = f->dropped;
	p->refused_told = f->refused;
}

/* Those that had no line of their own. */
static void tell_held_refusals(struct pump *p, int64_t now)
{
	unsigned long held = p->refused_gate.held;
	if (held && now - p->refused_gate.last_ms >= TELL_EVERY_MS &&
		log_gate_pass(&p->refused_gate, now, TELL_EVERY_MS, &held))
		tell_more_refused(held);
}

/* One transition line when Kafka goes away, one every ten minutes, one when it is back. */
static void tell(struct pump *p, int64_t now)
{
	struct publisher_health h;
	struct spool_figures f;
	char span[40], next[64] = "tried again all the while, at most 15 s apart";
	unsigned long held;
	publisher_health(p->publisher, &h);
	bool down = h.code && *h.code;
	spool_figures(p->spool, &f);
	if (down && !p->was_down)
		p->down_since_ms = now;
	if (down && strcmp(p->told_code, h.code) != 0) {
		log_gate_reset(&p->gate);
		snprintf(p->told_code, sizeof p->told_code, "%s", h.code);
	}
	if (down && log_gate_pass(&p->gate, now, TELL_EVERY_MS, &held)) {
		if (h.waiting && h.retry_ms > now) {
			clock_span_text(h.retry_ms - now, span, sizeof span);
			snprintf(next, sizeof next, "retry in %s", span);
		}
		log_warn(h.code, "%s; nothing lost, spool %.0f%% full, %llu %s; %s", h.reason,
			f.max_bytes ? 100.0 * (double)f.bytes / (double)f.max_bytes : 0.0,
			(unsigned long long)f.rows, f.rows == 1 ? "row waits" : "rows wait", next);
	}
	if (h.recreated > p->recreated)
		log_warn("kafka.recreated",
			"the Kafka client gave up and was made anew (%llu times so far); nothing lost, rows go out again from the oldest unacknowledged",
			(unsigned long long)h.recreated);
	p->recreated = h.recreated;
	if (!down && p->was_down) {
		clock_span_text(now - p->down_since_ms, span, sizeof span);
		log_info("kafka.up", "Kafka takes rows again after %s; %llu waiting, going out now",
			span, (unsigned long long)f.rows);
		log_gate_reset(&p->gate);
		p->told_code[0] = '\0';
	}
	tell_held_refusals(p, now);
	bool loss = f.dropped != p->dropped_told || f.refused > p->refused_told;
	if (loss && log_gate_pass(&p->loss_gate, now, TELL_EVERY_MS, &held))
		tell_losses(p, &f);
	struct health_facts *facts = health_begin(p->health);
	facts->kafka = h;
	facts->spool = f;
	health_end(p->health, down != p->was_down);
	p->was_down = down;
}

static void feed(struct pump *p)
{
	struct spool_row row;
	struct event event;
	struct why why;
	while (p->more && !p->held && !p->finishing && p->trouble == STATUS_OK) {
		enum status s = spool_next(p->spool, p->fed_to, &row, &why);
		if (s == STATUS_NOT_FOUND) {
			p->more = false;
			return;
		}
		if (s != STATUS_OK) {
			note_trouble(p, s, &why);
			return;
		}
		event_write(&event, &row, p->source);
		s = publisher_put(p->publisher, row.id, row.match, row.body, event.header,
			event.count, row.fetched_us / 1000, &why);
		if (s == STATUS_FULL)
			return;
		if (s != STATUS_OK) {
			log_warn("kafka.put", "%s; nothing lost, row %lld is tried again", why.text,
				(long long)row.id);
			return;
		}
		p->fed_to = row.id;
	}
}

/* Nothing is out, all was fed, and rows wait all the same: one that was taken for dropped came back with a
 * transaction that failed, or an acknowledgement could not be remembered. */
static void look_for_left_behind(struct pump *p)
{
	struct spool_figures f;
	spool_figures(p->spool, &f);
	if (p->more || p->finishing || publisher_out(p->publisher) || !f.rows)
		return;
	p->fed_to = 0;
	p->more = true;
}

static void turn(void *context)
{
	struct pump *p = context;
	int64_t now = clock_mono_ms();
	publisher_turn(p->publisher, now);
	feed(p);
	if ((now - p->free_ms >= FREE_EVERY_MS || !publisher_out(p->publisher)) &&
		free_rows(p) == STATUS_OK)
		look_for_left_behind(p);
	tell(p, now);
	int64_t due = publisher_due_ms(p->publisher);
	if (due > now + FREE_EVERY_MS)
		due = now + FREE_EVERY_MS;
	if (loop_timer(p->loop, due, turn, p) != STATUS_OK)
		log_error("loop.timers", "no timer left; the pump goes on by the loop's own pace");
}

static void ready(void *context, int fd, unsigned events)
{
	(void)fd, (void)events;
	turn(context);
}

enum status pump_open(struct pump **out, struct loop *loop, struct spool *spool,
	const struct kafka_settings *kafka, const char *source, struct health *health,
	struct why *why)
{
	struct pump *p = calloc(1, sizeof *p);
	if (!p)
		return fail(why, STATUS_NO_MEMORY, "no memory for the pump");
	p->loop = loop;
	p->spool = spool;
	p->health = health;
	p->more = true;
	struct spool_figures f;
	spool_figures(spool, &f);
	p->dropped_told = f.dropped;
	p->refused_told = f.refused;
	snprintf(p->source, sizeof p->source, "%s", source);
	const struct publisher_calls calls = {p, delivered, refused, rewind_feed};
	enum status s = publisher_open(&p->publisher, kafka, &calls, why);
	if (s == STATUS_OK)
		s = loop_watch(loop, publisher_fd(p->publisher), LOOP_READ, ready, p, why);
	if (s == STATUS_OK)
		s = loop_timer(loop, clock_mono_ms(), turn, p);
	if (s != STATUS_OK) {
		pump_close(p);
		return s;
	}
	*out = p;
	return STATUS_OK;
}

void pump_close(struct pump *p)
{
	if (!p)
		return;
	loop_timer_stop(p->loop, turn, p);
	if (p->publisher) {
		publisher_turn(p->publisher, clock_mono_ms());
		loop_forget(p->loop, publisher_fd(p->publisher));
		publisher_close(p->publisher);
		p->publisher = NULL;
		free_rows(p);
		struct spool_figures f;
		spool_figures(p->spool, &f);
		tell_losses(p, &f);
		tell_more_refused(p->refused_gate.held);
	}
	free(p);
}

void pump_hold(struct pump *p)
{
	p->held = true;
}

void pump_frame(struct pump *p, uint32_t schema_id)
{
	publisher_frame(p->publisher, schema_id);
	p->held = false;
	pump_kick(p);
}

enum status pump_login(struct pump *p, const char *username, const char *password)
{
	return publisher_login(p->publisher, username, password);
}

void pump_kick(struct pump *p)
{
	p->more = true;
	if (loop_timer(p->loop, clock_mono_ms(), turn, p) != STATUS_OK)
		turn(p);
}

bool pump_empty(const struct pump *p)
{
	struct spool_figures f;
	spool_figures(p->spool, &f);
	return !f.rows && !publisher_out(p->publisher);
}

uint64_t pump_delivered(const struct pump *p)
{
	struct publisher_health h;
	publisher_health(p->publisher, &h);
	return h.delivered;
}

void pump_finish(struct pump *p)
{
	p->finishing = true;
}

unsigned pump_out(const struct pump *p)
{
	return publisher_out(p->publisher);
}

enum status pump_trouble(const struct pump *p, struct why *why)
{
	if (p->trouble != STATUS_OK)
		*why = p->why;
	return p->trouble;
}
