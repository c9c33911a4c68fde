/* produce: poller and pump around one spool. `drain` is the same without the poller. */
#include "base/clock.h"
#include "base/file.h"
#include "service/framing.h"
#include "service/parts.h"
#include "service/poller.h"
#include "service/pump.h"
#include "service/service.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
	LOOK_EVERY_MS = 200,
	LAST_ACKS_MS = 2000,
	REOPEN_FIRST_MS = 1000,
	REOPEN_CEILING_MS = 60000
};

enum produce_state {
	PRODUCE_RUNNING,
	PRODUCE_EMPTYING, /* all sweeps done: until the spool is empty */
	PRODUCE_LEAVING,  /* told to stop: until the last acknowledgements, 2 s at most */
	PRODUCE_OVER,
};

struct produce {
	struct parts *parts;
	const struct login *login;   /* the last that was taken over; NULL: as at start */
	const struct config *config; /* the newest */
	struct loop *loop;
	struct spool *spool;
	struct pump *pump;
	struct poller *poller;
	struct framing *framing; /* NULL: values go plain */
	bool polls;		 /* false: drain */
	enum produce_state state;
	unsigned sweeps_done;
	int64_t leave_ms;
	struct patience patience;
	struct backoff reopen;
	bool troubled; /* the spool's handle is dead: close, wait, open again */
	int exit_code;
};

static void over(struct produce *p, int exit_code)
{
	p->state = PRODUCE_OVER;
	p->exit_code = exit_code;
	loop_stop(p->loop);
}

static uint64_t waiting_rows(const struct produce *p)
{
	struct spool_figures f;
	spool_figures(p->spool, &f);
	return f.rows;
}

/* ---- calls of the poller ---- */

static void rows_came(void *context)
{
	struct produce *p = context;
	pump_kick(p->pump);
}

static void spool_troubled(void *context, enum status s, const struct why *why)
{
	struct produce *p = context;
	(void)s;
	if (p->troubled)
		return;
	p->troubled = true;
	log_error("spool.io",
		"%s; committed rows are safe, polling stops; the spool is closed and opened again",
		why->text);
	loop_stop(p->loop);
}

static void give_up(struct produce *p, const char *what)
{
	log_error("verb.timeout", "%s; %llu rows stay in the spool and go out at the next run",
		what, (unsigned long long)waiting_rows(p));
	over(p, EXIT_PEER);
}

static void sweep_ended(void *context, bool complete)
{
	struct produce *p = context;
	if (!p->config->sweeps || p->state != PRODUCE_RUNNING)
		return;
	if (!complete) {
		/* waiting longer than our patience is no use: say so now */
		if (poller_next_ms(p->poller) - clock_mono_ms() >= p->config->timeout_ms)
			give_up(p, "the sweep failed and may not be tried again within --timeout");
		return;
	}
	if (++p->sweeps_done < p->config->sweeps)
		return;
	p->state = PRODUCE_EMPTYING;
	poller_stop(p->poller);
}

/* ---- the loop ---- */

static void leave(struct produce *p)
{
	if (p->state == PRODUCE_LEAVING || p->state == PRODUCE_OVER)
		return;
	p->state = PRODUCE_LEAVING;
	p->leave_ms = clock_mono_ms() + LAST_ACKS_MS;
	if (p->poller)
		poller_stop(p->poller);
	if (p->pump)
		pump_finish(p->pump);
}

/* The keeper frees what is not in use: held while the new settings become that. */
static void renew(struct produce *p)
{
	struct why why;
	pthread_mutex_lock(&p->parts->renewal);
	const struct config *config = p->parts->renewed;
	p->parts->renewed = NULL;
	if (!config || !p->polls) {
		pthread_mutex_unlock(&p->parts->renewal);
		return;
	}
	if (p->poller && poller_renew(p->poller, config, &why) != STATUS_OK) {
		log_error("config.renew",
			"%s; nothing lost; the settings from before stay in force; correct it and send SIGHUP again",
			why.text);
	} else {
		if (p->framing)
			framing_renew(p->framing, config);
		p->config = p->parts->in_use = config;
		log_info("config.renewed",
			"settings, key and certificates are read again; polling at once");
	}
	pthread_mutex_unlock(&p->parts->renewal);
}

static void woken(void *context, int fd, unsigned events)
{
	struct produce *p = context;
	(void)events;
	parts_woken(fd);
	renew(p);
	if (parts_login_news(p->parts, &p->login) && p->pump)
		parts_login_tell(pump_login(p->pump, p->login->username, p->login->password));
	if (atomic_load(&p->parts->stop)) {
		leave(p);
		if (!p->spool) /* closed after a trouble: nothing to wait for */
			over(p, EXIT_DONE);
	}
}

static void look_finishing(struct produce *p, int64_t now)
{
	uint64_t progress = pump_delivered(p->pump) + (p->poller ? poller_progress(p->poller) : 0);
	if (p->state == PRODUCE_EMPTYING && pump_empty(p->pump)) {
		over(p, EXIT_DONE);
		return;
	}
	if (p->poller && p->state == PRODUCE_RUNNING && !poller_sweeping(p->poller) &&
		poller_next_ms(p->poller) - now >= p->config->timeout_ms)
		give_up(p,
			"the API may not be asked within --timeout (a block or the day's quota; scorebox status tells)");
	else if (patience_over(&p->patience, progress, now, p->config->timeout_ms))
		give_up(p, "nothing moved for --timeout");
}

static void look(void *context)
{
	struct produce *p = context;
	struct why why;
	int64_t now = clock_mono_ms();
	health_beat(p->parts->health, HEALTH_PRODUCE);
	parts_tell_stall(p->loop, "the producer");
	if (pump_trouble(p->pump, &why) != STATUS_OK)
		spool_troubled(p, STATUS_IO, &why);
	else if (p->state == PRODUCE_LEAVING && (!pump_out(p->pump) || now >= p->leave_ms))
		over(p, EXIT_DONE);
	else if (p->config->sweeps || !p->polls)
		look_finishing(p, now);
	if (loop_timer(p->loop, now + LOOK_EVERY_MS, look, p) != STATUS_OK)
		over(p, EXIT_INTERNAL);
}

/* ---- opening and closing what stands around the spool ---- */

static enum status open_spool(struct produce *p, struct why *why)
{
	char path[PATH_MAX];
	struct spool_opening opening;
	if (!parts_path(p->parts, SERVICE_SPOOL_FILE, path, sizeof path))
		return fail(why, STATUS_DENIED, "path too long");
	enum status s = spool_open(&p->spool, path, service_spool_cap(p->config),
		p->config->spool_full, p->parts->run, &opening, why);
	if (s != STATUS_OK)
		return s;
	parts_tell_set_aside("spool", opening.set_aside);
	if (opening.pending_rows)
		log_info("spool.pending",
			"%llu rows of a page that broke off at the last end are taken back",
			(unsigned long long)opening.pending_rows);
	log_info("spool.open", "'%s' with %llu waiting rows, at most %llu KiB", path,
		(unsigned long long)opening.waiting_rows,
		(unsigned long long)service_spool_cap(p->config) >> 10);
	return STATUS_OK;
}

static void schema_known(void *context, uint32_t id)
{
	struct produce *p = context;
	pump_frame(p->pump, id);
}

static enum status open_framing(struct produce *p, struct why *why)
{
	const struct framing_calls calls = {p, schema_known, spool_troubled};
	if (!*p->parts->config->registry_url)
		return STATUS_OK;
	pump_hold(p->pump);
	return framing_open(&p->framing, p->loop, p->spool, p->parts, p->config, &calls, why);
}

static enum status open_parts(struct produce *p, struct why *why)
{
	const struct budget *b = &p->parts->budget;
	/* rows in the publisher's hands are never dropped: of a small spool that must not be all */
	uint64_t most = service_spool_cap(p->config) / 8;
	const struct kafka_settings kafka = parts_kafka(
		p->parts, b->producer_queue < most ? b->producer_queue : most);
	const struct poller_calls calls = {p, rows_came, sweep_ended, spool_troubled};
	const char *source = p->config->api_url;
	enum status s = open_spool(p, why);
	if (s != STATUS_OK)
		return s;
	if (p->polls) {
		s = poller_open(&p->poller, p->loop, p->spool, p->config, BUDGET_ARENA,
			p->parts->health, &calls, why);
		if (s != STATUS_OK)
			return s;
		source = poller_source(p->poller);
	}
	s = pump_open(&p->pump, p->loop, p->spool, &kafka, source, p->parts->health, why);
	return s == STATUS_OK ? open_framing(p, why) : s;
}

static void close_parts(struct produce *p)
{
	loop_timer_stop(p->loop, look, p);
	framing_close(p->framing);
	poller_close(p->poller);
	pump_close(p->pump);
	spool_close(p->spool);
	p->framing = NULL;
	p->poller = NULL;
	p->pump = NULL;
	p->spool = NULL;
}

static int exit_code_of(enum status s)
{
	switch (s) {
	case STATUS_BAD_DATA:
	case STATUS_DENIED:
		return EXIT_SETTINGS;
	case STATUS_IO:
	case STATUS_FULL:
	case STATUS_FATAL:
	case STATUS_BUSY:
		return EXIT_STORAGE;
	case STATUS_OK:
	case STATUS_AGAIN:
	case STATUS_NO_MEMORY:
	case STATUS_NOT_FOUND:
		break;
	}
	return EXIT_INTERNAL;
}

/* The disk is ill: close, wait, try again; no crash loop, no hammering. */
static void pause_after_trouble(struct produce *p)
{
	health_part_over(p->parts->health, HEALTH_PRODUCE);
	if (!parts_pause(p->loop, backoff_next_ms(&p->reopen), "spool"))
		over(p, EXIT_INTERNAL);
}

/* Once from open to close. */
static void run_once(struct produce *p)
{
	struct why why = {""};
	int64_t began = clock_mono_ms();
	bool finishes = p->config->sweeps || !p->polls;
	p->troubled = false;
	enum status s = open_parts(p, &why);
	if (s == STATUS_OK) {
		look(p);
		if (p->state != PRODUCE_OVER && !p->troubled)
			s = loop_run(p->loop, 1000, &why);
		/* the pump stops the loop by itself: without this the spool would be opened again
		 * at once, for ever, without a word */
		if (pump_trouble(p->pump, &why) != STATUS_OK)
			spool_troubled(p, STATUS_IO, &why);
	}
	if (s != STATUS_OK) {
		bool disk = s == STATUS_IO || s == STATUS_FULL || s == STATUS_FATAL ||
			    s == STATUS_BUSY;
		log_error(disk ? "spool.io" : "produce.start", "%s; nothing lost; %s", why.text,
			disk && !finishes ? "tried again" : "the producer stops");
		p->troubled = disk;
		if (!disk || finishes)
			over(p, exit_code_of(s));
	} else if (p->troubled && finishes) {
		over(p, EXIT_STORAGE);
	}
	close_parts(p);
	if (clock_mono_ms() - began > REOPEN_CEILING_MS)
		backoff_reset(&p->reopen);
}

static int run(struct parts *parts, bool polls)
{
	struct why why;
	struct produce p = {.parts = parts,
		.config = parts->config,
		.polls = polls,
		.state = polls ? PRODUCE_RUNNING : PRODUCE_EMPTYING,
		.reopen = {.first_ms = REOPEN_FIRST_MS, .ceiling_ms = REOPEN_CEILING_MS}};
	enum status s = loop_open(&p.loop, &why);
	if (s == STATUS_OK)
		s = loop_watch(p.loop, parts->wake[HEALTH_PRODUCE], LOOP_READ, woken, &p, &why);
	if (s != STATUS_OK) {
		log_error("loop", "%s; nothing was started", why.text);
		loop_close(p.loop);
		return EXIT_INTERNAL;
	}
	while (p.state != PRODUCE_OVER) {
		run_once(&p);
		if (atomic_load(&parts->stop)) /* told before the trouble: nobody wakes the pause */
			p.state = PRODUCE_OVER;
		else if (p.state != PRODUCE_OVER && p.troubled)
			pause_after_trouble(&p);
	}
	health_part_over(parts->health, HEALTH_PRODUCE);
	loop_close(p.loop);
	return p.exit_code;
}

int produce_run(struct parts *parts)
{
	return run(parts, true);
}

int drain_run(struct parts *parts)
{
	return run(parts, false);
}
