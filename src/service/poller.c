#include "service/poller_private.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	CLOCK_LOOK_MS = 1000,
	TELL_WAIT_MS = 60000,
	CLOCK_JUMP_LOOK_MS = 15000,
	CLOCK_JUMP_MS = 60000
};

static void begin_sweep(void *context);

/* ---- when ---- */

static struct pace_settings pace_settings_of(const struct config *c)
{
	return (struct pace_settings){.automatic = c->poll_auto,
		.fixed_ms = c->poll_fixed_ms,
		.min_ms = c->poll_min_ms,
		.ignore_pace = c->sweeps > 0};
}

/* How far the wall clock is ahead of the one that never jumps. */
static int64_t wall_ahead_ms(void)
{
	return clock_wall_us() / 1000 - clock_mono_ms();
}

/* Long rests are broken into short ones: a block's end is a time of day, and a board may learn the
 * time after it lay down. */
static void arm(struct poller *p)
{
	int64_t look_ms = clock_mono_ms() + CLOCK_JUMP_LOOK_MS;
	int64_t at_ms = p->next_ms < look_ms ? p->next_ms : look_ms;
	if (loop_timer(p->loop, at_ms, begin_sweep, p) != STATUS_OK)
		log_error("loop.timers", "no timer left for the next poll");
}

static void set_next(struct poller *p, int64_t wait_ms, const char *reason)
{
	bool first = p->state == POLLER_CLOCK;
	p->state = POLLER_RESTING;
	p->next_ms = clock_mono_ms() + wait_ms;
	p->wall_ahead_ms = wall_ahead_ms();
	arm(p);
	struct health_facts *f = health_begin(p->health);
	f->next_poll_us = clock_wall_us() + wait_ms * 1000;
	f->pace = p->pace;
	snprintf(f->next_why, sizeof f->next_why, "%s", reason);
	health_end(p->health, first); /* a standing block is in the status from the start */
}

void poller_rest(struct poller *p, int64_t at_least_ms)
{
	const struct pace_settings settings = pace_settings_of(p->config);
	struct pace_plan plan;
	if (p->poll_at_once && !at_least_ms) {
		p->poll_at_once = false;
		set_next(p, 0, "asked for");
		return;
	}
	pace_next(&p->pace, &settings, clock_wall_us(), &plan);
	if (at_least_ms > plan.wait_ms)
		set_next(p, at_least_ms, "after a failure");
	else
		set_next(p, plan.wait_ms, plan.why);
}

static bool spool_has_room(struct poller *p)
{
	struct spool_figures f;
	spool_figures(p->spool, &f);
	return f.bytes < f.max_bytes - f.max_bytes / 10;
}

static struct fetch_options fetch_options_of(const struct config *c, struct trust *trust)
{
	return (struct fetch_options){
		.url = c->api_url,
		.key = c->api_key,
		.key_param = c->source.key_param,
		.key_header = c->source.key_header,
		.proxy = c->api_proxy,
		.timeout_ms = c->api_timeout_ms,
		.max_body_bytes = c->api_max_body,
		.trust = trust,
	};
}

/* Certificates renewed on disk count from the next request on. */
static void follow_trust(struct poller *p)
{
	struct why why;
	unsigned version = trust_files_version(p->trust);
	if (version == p->trust_version)
		return;
	struct trust *trust = trust_files_current(p->trust);
	const struct fetch_options options = fetch_options_of(p->config, trust);
	if (fetch_renew(p->fetch, &options, &why) == STATUS_OK)
		p->trust_version = version;
	else
		log_warn("tls.renew", "%s; nothing lost; tried again before the next poll",
			why.text);
	trust_close(trust);
}

static void begin_sweep(void *context)
{
	struct poller *p = context;
	if (p->state != POLLER_RESTING)
		return;
	if (clock_mono_ms() < p->next_ms) {
		if (llabs(wall_ahead_ms() - p->wall_ahead_ms) >= CLOCK_JUMP_MS)
			poller_rest(p, 0);
		else
			arm(p);
		return;
	}
	if (p->pace.blocked_until_us > clock_wall_us()) {
		poller_rest(p, 1);
		return;
	}
	if (p->spool_full && !spool_has_room(p)) {
		set_next(p, POLLER_FULL_LOOK_MS,
			"the spool is full: polling stops until there is room");
		return;
	}
	p->spool_full = false;
	follow_trust(p);
	sweep_start(p);
}

/* At start: at once, unless a block stands or, in auto, the hits left say otherwise: a box that is
 * restarted again and again must not spend its day's hits on that. */
static void first_plan(struct poller *p)
{
	struct pace_settings settings = pace_settings_of(p->config);
	struct pace_plan plan;
	char span[40];
	settings.at_start = true;
	pace_next(&p->pace, &settings, clock_wall_us(), &plan);
	if (!p->config->poll_auto && p->pace.blocked_until_us <= clock_wall_us())
		plan.wait_ms = 0;
	if (plan.wait_ms >= TELL_WAIT_MS) {
		clock_span_text(plan.wait_ms, span, sizeof span);
		log_info("poll.wait",
			"%s; the first poll is in %s, as if there had been no restart; SIGHUP polls at once where no block stands",
			plan.why, span);
	}
	set_next(p, plan.wait_ms, plan.wait_ms ? plan.why : "first poll");
}

static void look_at_clock(void *context)
{
	struct poller *p = context;
	char now_text[CLOCK_TEXT_BYTES];
	if (clock_believable()) {
		if (p->clock_until_ms)
			log_info("time.set", "the clock is believable now; polling begins");
		first_plan(p);
		return;
	}
	clock_format(clock_wall_us(), 0, now_text);
	int64_t now = clock_mono_ms();
	if (!p->clock_until_ms) {
		char span[40];
		clock_span_text(p->config->clock_wait_ms, span, sizeof span);
		p->clock_until_ms = now + p->config->clock_wait_ms;
		log_warn("time.unset",
			"this board's clock says %s, before this program was built: certificates cannot be checked; nothing lost; waiting up to %s for the time (SCOREBOX_CLOCK_WAIT)",
			now_text, span);
	}
	if (now >= p->clock_until_ms) {
		log_warn("time.unset",
			"still no believable time (%s); going on: TLS may refuse every certificate; set the clock (NTP, or date -s)",
			now_text);
		first_plan(p);
		return;
	}
	p->next_ms = p->clock_until_ms;
	if (loop_timer(p->loop, now + CLOCK_LOOK_MS, look_at_clock, p) != STATUS_OK)
		first_plan(p);
}

/* ---- opening ---- */

static enum status open_trust(const struct config *c, struct trust_files **out, struct why *why)
{
	enum status s = trust_files_open(
		out, c->api_ca_file, c->api_cert_file, c->api_key_file, why);
	if (s != STATUS_OK)
		return s;
	struct trust *trust = trust_files_current(*out);
	log_info("tls.trust", "%u root certificates from %s", trust_roots(trust),
		trust_origin(trust));
	trust_close(trust);
	return s;
}

static enum status open_fetch(struct poller *p, struct why *why)
{
	p->trust_version = trust_files_version(p->trust);
	struct trust *trust = trust_files_current(p->trust);
	const struct fetch_options options = fetch_options_of(p->config, trust);
	enum status s = fetch_open(&p->fetch, p->loop, &options, why);
	trust_close(trust);
	return s;
}

enum status poller_open(struct poller **out, struct loop *loop, struct spool *spool,
	const struct config *config, uint64_t arena_bytes, struct health *health,
	const struct poller_calls *calls, struct why *why)
{
	struct poller *p = calloc(1, sizeof *p);
	char note[512];
	if (!p)
		return fail(why, STATUS_NO_MEMORY, "no memory for the poller");
	p->loop = loop;
	p->spool = spool;
	p->config = config;
	p->health = health;
	p->calls = *calls;
	p->backoff = (struct backoff){.first_ms = 5000, .ceiling_ms = 60000};
	pace_init(&p->pace);
	if (spool_note_get(spool, POLLER_PACE_NOTE, note, sizeof note, why) == STATUS_OK)
		pace_load(&p->pace, note);
	enum status s = open_trust(config, &p->trust, why);
	if (s == STATUS_OK)
		s = row_reader_open(&p->reader, arena_bytes, why);
	if (s == STATUS_OK)
		s = split_open(
			&p->split, &config->source, config->api_max_record, sweep_row, p, why);
	if (s == STATUS_OK)
		s = open_fetch(p, why);
	if (s != STATUS_OK) {
		poller_close(p);
		return s;
	}
	*out = p;
	look_at_clock(p);
	return STATUS_OK;
}

void poller_close(struct poller *p)
{
	if (!p)
		return;
	loop_timer_stop(p->loop, begin_sweep, p);
	loop_timer_stop(p->loop, look_at_clock, p);
	if (p->fetch)
		poller_stop(p);
	fetch_close(p->fetch);
	split_close(p->split);
	row_reader_close(p->reader);
	trust_files_close(p->trust);
	free(p);
}

void poller_stop(struct poller *p)
{
	bool sweeping = p->state == POLLER_SWEEPING;
	p->state = POLLER_STOPPED;
	loop_timer_stop(p->loop, begin_sweep, p);
	loop_timer_stop(p->loop, look_at_clock, p);
	if (sweeping)
		fetch_cancel(p->fetch);
}

/* Everything new is made before anything old is let go. */
enum status poller_renew(struct poller *p, const struct config *config, struct why *why)
{
	struct trust_files *files = NULL;
	struct split *split = NULL;
	enum status s = open_trust(config, &files, why);
	if (s == STATUS_OK)
		s = split_open(&split, &config->source, config->api_max_record, sweep_row, p, why);
	if (s != STATUS_OK) {
		trust_files_close(files);
		return s;
	}
	enum poller_state before = p->state;
	if (before == POLLER_SWEEPING)
		fetch_cancel(p->fetch);
	unsigned version = trust_files_version(files);
	struct trust *trust = trust_files_current(files);
	const struct fetch_options options = fetch_options_of(config, trust);
	s = fetch_renew(p->fetch, &options, why);
	trust_close(trust);
	if (s != STATUS_OK) {
		split_close(split);
		trust_files_close(files);
		if (before == POLLER_SWEEPING)
			poller_rest(p, 0);
		return s;
	}
	trust_files_close(p->trust);
	split_close(p->split);
	p->trust = files;
	p->trust_version = version;
	p->split = split;
	p->config = config;
	backoff_reset(&p->backoff);
	p->poll_at_once = true;
	if (before == POLLER_SWEEPING || before == POLLER_RESTING)
		poller_rest(p, 0);
	return STATUS_OK;
}

bool poller_sweeping(const struct poller *p)
{
	return p->state == POLLER_SWEEPING;
}

int64_t poller_next_ms(const struct poller *p)
{
	return p->next_ms;
}

uint64_t poller_progress(const struct poller *p)
{
	return p->progress;
}

const char *poller_source(const struct poller *p)
{
	return fetch_source_text(p->fetch);
}
