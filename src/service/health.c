#include "service/health.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "service/notify.h"
#include "service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIGURES_EVERY_MS = 5000, STUCK_MS = 60000, STATUS_MAX_BYTES = 16384 };

struct health {
	pthread_mutex_t lock;
	struct health_facts facts;
	const struct config *config;
	char path[PATH_MAX], beside[PATH_MAX + 8];
	struct buffer text;
	int64_t started_us, written_ms, alive_ms, watchdog_ms;
	int64_t beat_ms[HEALTH_PARTS]; /* 0: not watched */
	bool dirty, urgent, stuck_told, write_failed;
};

enum status health_open(struct health **out, const struct config *config, struct why *why)
{
	struct health *h = calloc(1, sizeof *h);
	if (!h)
		return fail(why, STATUS_NO_MEMORY, "no memory for the status");
	enum status s = file_join(config->state_dir, SERVICE_STATUS_FILE, h->path, sizeof h->path);
	if (s != STATUS_OK) {
		free(h);
		return fail(why, s, "SCOREBOX_STATE_DIR is too long");
	}
	snprintf(h->beside, sizeof h->beside, "%s.new", h->path);
	pthread_mutex_init(&h->lock, NULL);
	buffer_init(&h->text, STATUS_MAX_BYTES);
	h->config = config;
	h->started_us = clock_wall_us();
	h->watchdog_ms = notify_watchdog_ms();
	h->urgent = h->dirty = true;
	*out = h;
	return STATUS_OK;
}

struct health_facts *health_begin(struct health *h)
{
	pthread_mutex_lock(&h->lock);
	return &h->facts;
}

void health_end(struct health *h, bool changed)
{
	h->dirty = true;
	h->urgent |= changed;
	pthread_mutex_unlock(&h->lock);
}

void health_beat(struct health *h, enum health_part part)
{
	pthread_mutex_lock(&h->lock);
	h->beat_ms[part] = clock_mono_ms();
	pthread_mutex_unlock(&h->lock);
}

void health_part_over(struct health *h, enum health_part part)
{
	pthread_mutex_lock(&h->lock);
	h->beat_ms[part] = 0;
	pthread_mutex_unlock(&h->lock);
}

/* ---- the JSON text: a comma is put before every member but an object's first ---- */

struct json {
	struct buffer *to;
	bool first;
	enum status status;
};

static void add(struct json *j, enum status s)
{
	if (j->status == STATUS_OK)
		j->status = s;
}

static void name(struct json *j, const char *key)
{
	add(j, buffer_format(j->to, "%s\"%s\":", j->first ? "" : ",", key));
	j->first = false;
}

static void text(struct json *j, const char *key, const char *value)
{
	char shown[512];
	log_redact(value, strlen(value), shown, sizeof shown);
	name(j, key);
	add(j, text_json_string(j->to, shown, strlen(shown)));
}

static void number(struct json *j, const char *key, int64_t value)
{
	name(j, key);
	add(j, buffer_format(j->to, "%" PRId64, value));
}

static void flag(struct json *j, const char *key, bool value)
{
	name(j, key);
	add(j, buffer_add_text(j->to, value ? "true" : "false"));
}

static void when(struct json *j, const char *key, int64_t us)
{
	char t[CLOCK_TEXT_BYTES];
	name(j, key);
	if (us)
		clock_format(us, 0, t);
	add(j, us ? buffer_format(j->to, "\"%s\"", t) : buffer_add_text(j->to, "null"));
}

static void object(struct json *j, const char *key)
{
	name(j, key);
	add(j, buffer_add_text(j->to, "{"));
	j->first = true;
}

static void end(struct json *j)
{
	add(j, buffer_add_text(j->to, "}\n"));
	j->first = false;
}

static void write_poll(struct json *j, const struct health_facts *f)
{
	object(j, "poll");
	flag(j, "failing", f->poll_failing);
	when(j, "last", f->last_poll_us);
	text(j, "outcome", f->last_poll);
	when(j, "last_complete_sweep", f->last_sweep_us);
	when(j, "next", f->next_poll_us);
	text(j, "next_why", f->next_why);
	number(j, "hits_today", f->pace.hits_today);
	number(j, "hits_limit", f->pace.hits_limit);
	number(j, "pages_per_sweep", f->pace.pages_per_sweep);
	when(j, "blocked_until", f->pace.blocked_until_us);
	text(j, "blocked_why", f->pace.blocked_until_us ? f->pace.blocked_why : "");
	end(j);
}

static void write_spool(struct json *j, const struct spool_figures *s)
{
	object(j, "spool");
	number(j, "rows", (int64_t)s->rows);
	number(j, "bytes", (int64_t)s->bytes);
	number(j, "max_bytes", (int64_t)s->max_bytes);
	when(j, "oldest", s->oldest_us);
	number(j, "superseded_states_dropped", (int64_t)s->dropped);
	number(j, "dead_letters", (int64_t)s->dead_letters);
	number(j, "refused_by_broker", (int64_t)s->refused);
	number(j, "databases_set_aside", (int64_t)s->set_aside);
	when(j, "last_loss", s->last_loss_us);
	end(j);
}

static void write_kafka(struct json *j, const struct publisher_health *k)
{
	object(j, "kafka");
	flag(j, "connected", k->connected);
	flag(j, "waiting", k->waiting);
	text(j, "reason", k->reason);
	number(j, "delivered", (int64_t)k->delivered);
	number(j, "failures", (int64_t)k->failures);
	number(j, "clients_recreated", (int64_t)k->recreated);
	end(j);
}

static void write_schema(struct json *j, const struct health_facts *f)
{
	object(j, "schema");
	text(j, "subject", f->schema.subject);
	name(j, "id");
	add(j, f->schema.id ? buffer_format(j->to, "%" PRIu32, f->schema.id)
			    : buffer_add_text(j->to, "null"));
	text(j, "reason", f->schema.trouble);
	end(j);
}

static void write_consumer(struct json *j, const struct health_facts *f)
{
	const struct journal_figures *n = &f->journal;
	object(j, "consumer");
	flag(j, "reading", f->reading);
	text(j, "reason", f->reader);
	number(j, "partitions", f->partitions);
	number(j, "generation", f->generation);
	when(j, "last_record", f->last_record_us);
	number(j, "clients_recreated", (int64_t)f->reader_recreated);
	end(j);
	object(j, "journal");
	number(j, "records", (int64_t)n->records);
	number(j, "duplicates", (int64_t)n->duplicates);
	number(j, "errors", (int64_t)n->errors);
	number(j, "gaps", (int64_t)n->gaps);
	number(j, "matches", (int64_t)n->matches);
	number(j, "workbooks_waiting", (int64_t)n->unrendered);
	number(j, "bytes", (int64_t)n->bytes);
	number(j, "max_bytes", (int64_t)n->max_bytes);
	end(j);
	object(j, "stick");
	text(j, "state", f->stick);
	text(j, "text", f->stick_text);
	end(j);
	object(j, "workbooks");
	text(j, "last", f->last_book);
	when(j, "last_written", f->last_book_us);
	number(j, "written", (int64_t)f->books_written);
	number(j, "failed", (int64_t)f->books_failed);
	number(j, "child_peak_kib", f->child_peak_kib);
	end(j);
}

static enum status compose(struct health *h, bool running)
{
	static const char *const modes[] = {"produce", "consume", "both"};
	struct json j = {&h->text, true, STATUS_OK};
	const struct health_facts *f = &h->facts;
	buffer_clear(&h->text);
	add(&j, buffer_add_text(&h->text, "{"));
	text(&j, "version", SCOREBOX_VERSION);
	text(&j, "mode", modes[h->config->mode]);
	flag(&j, "running", running);
	number(&j, "pid", getpid());
	when(&j, "started", h->started_us);
	when(&j, "written", clock_wall_us());
	if (h->config->mode != MODE_CONSUME) {
		write_poll(&j, f);
		write_spool(&j, &f->spool);
		write_kafka(&j, &f->kafka);
		if (f->schema.wanted)
			write_schema(&j, f);
	}
	if (h->config->mode != MODE_PRODUCE)
		write_consumer(&j, f);
	end(&j);
	return j.status;
}

/* Not synced: after a power cut the facts are stale anyway, and cards wear. */
static bool put_file(const struct health *h)
{
	int fd = open(h->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool ok = write(fd, h->text.bytes, h->text.length) == (ssize_t)h->text.length;
	ok &= close(fd) == 0;
	return ok && rename(h->beside, h->path) == 0;
}

static void write_now(struct health *h, bool running)
{
	bool ok = compose(h, running) == STATUS_OK && put_file(h);
	if (!ok && !h->write_failed)
		log_warn("status.write",
			"cannot write '%s': %s; nothing lost, the daemon goes on; tried again in 5 s",
			h->path, strerror(errno));
	h->write_failed = !ok;
	h->dirty = h->urgent = false;
	h->written_ms = clock_mono_ms();
}

/* The part that has not moved for the longest; 0 ms when all move. */
static int64_t longest_silence(const struct health *h, int64_t now)
{
	int64_t longest = 0;
	for (int i = 0; i < HEALTH_PARTS; i++)
		if (h->beat_ms[i] && now - h->beat_ms[i] > longest)
			longest = now - h->beat_ms[i];
	return longest;
}

void health_turn(struct health *h)
{
	pthread_mutex_lock(&h->lock);
	int64_t now = clock_mono_ms();
	if (h->dirty && (h->urgent || now - h->written_ms >= FIGURES_EVERY_MS))
		write_now(h, true);
	bool stuck = longest_silence(h, now) > STUCK_MS;
	if (stuck && !h->stuck_told)
		log_error("service.stuck",
			"a service has made no step for %lld s; nothing lost; the service manager is no longer told that we are well and will restart us",
			(long long)longest_silence(h, now) / 1000);
	h->stuck_told = stuck;
	if (h->watchdog_ms && !stuck && now - h->alive_ms >= h->watchdog_ms / 2) {
		h->alive_ms = now;
		notify_alive();
	}
	pthread_mutex_unlock(&h->lock);
}

void health_close(struct health *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	write_now(h, false);
	pthread_mutex_unlock(&h->lock);
	pthread_mutex_destroy(&h->lock);
	buffer_done(&h->text);
	free(h);
}
