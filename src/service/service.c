/* The keeper: the main thread. It takes the instance lock, shares the memory out, starts each service in a
 * thread with its own loop, hears the signals, writes the status, and answers the watchdog: so a service
 * that stands still is seen by somebody else. */
#include "service/service.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "kafka/embedded.h"
#include "service/memory.h"
#include "service/notify.h"
#include "service/parts.h"
#include "tls/digest.h"
#include "tls/trust_files.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { KEEPER_TICK_MS = 1000, LEAVE_WITHIN_MS = 9800 };

static const int heard_signals[] = {SIGTERM, SIGINT, SIGHUP, 0};

typedef int service_body(struct parts *parts);

struct service_thread {
	struct parts *parts;
	service_body *body; /* NULL: not run */
	pthread_t thread;
	bool running;
	atomic_bool ended;
	int exit_code;
};

struct keeper {
	struct parts parts;
	struct service_thread service[HEALTH_PARTS];
	struct loop *loop;
	struct embedded *embedded;
	service_reload *reload;
	void *reload_context;
	int lock_fd;
	int64_t leave_ms; /* 0: not leaving */
	int exit_code;
};

static void wake(int fd)
{
	uint64_t one = 1;
	if (write(fd, &one, sizeof one) != sizeof one)
		log_debug("keeper.wake", "%s", strerror(errno)); /* full: it is awake */
}

static void wake_services(struct keeper *k)
{
	for (int i = 0; i < HEALTH_PARTS; i++)
		wake(k->parts.wake[i]);
}

static void leave(struct keeper *k)
{
	if (k->leave_ms)
		return;
	k->leave_ms = clock_mono_ms() + LEAVE_WITHIN_MS;
	notify_stopping();
	atomic_store(&k->parts.stop_ms, clock_mono_ms());
	atomic_store(&k->parts.stop, true);
	wake_services(k);
}

static void renew(struct keeper *k)
{
	const struct config *config = NULL;
	notify_reloading();
	pthread_mutex_lock(&k->parts.renewal);
	if (k->reload)
		config = k->reload(k->reload_context, k->parts.in_use);
	if (config) {
		k->parts.renewed = config;
		parts_login_take(&k->parts, config);
	}
	pthread_mutex_unlock(&k->parts.renewal);
	if (!config)
		log_error("config.renew",
			"the settings could not be read again; nothing lost; the ones from before stay in force");
	else if (!k->service[HEALTH_PRODUCE].body)
		log_info("config.renewed",
			"settings are read again; without polling the log's level and form and the login at Kafka count at once, the others after a restart");
	wake_services(k);
	notify_ready();
}

static void signalled(void *context, int number)
{
	struct keeper *k = context;
	if (number == SIGHUP) {
		renew(k);
		return;
	}
	log_info("service.stop", "told to stop (%s); committed rows are safe; leaving within 10 s",
		number == SIGTERM ? "SIGTERM" : "SIGINT");
	leave(k);
}

static void *thread_main(void *argument)
{
	struct service_thread *t = argument;
	t->exit_code = t->body(t->parts);
	atomic_store(&t->ended, true);
	wake(t->parts->ended);
	return NULL;
}

static bool start_thread(struct service_thread *t)
{
	pthread_attr_t a;
	if (!t->body)
		return true;
	if (pthread_attr_init(&a))
		return false;
	pthread_attr_setstacksize(&a, MEMORY_THREAD_STACK);
	t->running = !pthread_create(&t->thread, &a, thread_main, t);
	pthread_attr_destroy(&a);
	return t->running;
}

/* One service ended: the others end too. */
static void collect(struct keeper *k)
{
	bool any = false;
	for (int i = 0; i < HEALTH_PARTS; i++) {
		struct service_thread *t = &k->service[i];
		if (t->running && atomic_load(&t->ended)) {
			pthread_join(t->thread, NULL);
			t->running = false;
			if (!k->exit_code)
				k->exit_code = t->exit_code;
			leave(k);
		}
		any |= t->running;
	}
	if (!any)
		loop_stop(k->loop);
}

static void service_ended(void *context, int fd, unsigned events)
{
	(void)events;
	parts_woken(fd);
	collect(context);
}

static void tick(void *context)
{
	struct keeper *k = context;
	health_turn(k->parts.health);
	if (k->parts.trust) /* a renewed certificate, or one that runs out, is told of without a connection */
		(void)trust_files_version(k->parts.trust);
	if (k->leave_ms && clock_mono_ms() >= k->leave_ms) {
		log_error("service.slow",
			"a service does not end within 10 s (slow disk?); committed rows are safe; ending hard");
		_exit(EXIT_INTERNAL);
	}
	if (loop_timer(k->loop, clock_mono_ms() + KEEPER_TICK_MS, tick, k) != STATUS_OK)
		log_error("loop.timers", "no timer left for the status");
}

/* ---- opening ---- */

uint64_t service_spool_cap(const struct config *config)
{
	uint64_t free_bytes, total;
	struct why why;
	if (file_space(config->state_dir, &free_bytes, &total, &why) != STATUS_OK ||
		config->spool_max <= total / 4)
		return config->spool_max;
	return total / 4;
}

uint64_t service_journal_cap(const struct config *config)
{
	uint64_t free_bytes, total;
	struct why why;
	if (file_space(config->state_dir, &free_bytes, &total, &why) != STATUS_OK ||
		config->journal_max <= total / 2)
		return config->journal_max;
	return total / 2;
}

static void print_share(void *context, const char *line)
{
	(void)context;
	log_info("memory", "%s", line);
}

static bool share_memory(struct keeper *k)
{
	static const enum budget_mode modes[] = {[MODE_PRODUCE] = BUDGET_PRODUCE,
		[MODE_CONSUME] = BUDGET_CONSUME,
		[MODE_BOTH] = BUDGET_BOTH};
	static const uint64_t defaults[] = {[MODE_PRODUCE] = BUDGET_DEFAULT_PRODUCE,
		[MODE_CONSUME] = BUDGET_DEFAULT_CONSUME,
		[MODE_BOTH] = BUDGET_DEFAULT_BOTH};
	const struct config *c = k->parts.config;
	struct why why;
	uint64_t ceiling = c->memory_max ? c->memory_max : defaults[c->mode];
	if (budget_share(modes[c->mode], ceiling, c->api_max_record,
		    kafka_sessions(
			    c->kafka_brokers, config_kafka_tls(c), !*config_kafka_ca_file(c)),
		    *c->registry_url, &k->parts.budget, &why) != STATUS_OK) {
		log_error("config", "SCOREBOX_MEMORY_MAX: %s; nothing was started; raise it",
			why.text);
		return false;
	}
	budget_print(&k->parts.budget, print_share, NULL);
	memory_hold(ceiling - k->parts.budget.child);
	return true;
}

static int take_lock(struct keeper *k)
{
	const struct config *c = k->parts.config;
	struct why why;
	pid_t holder = 0;
	enum status s = file_make_folder(c->state_dir, 0750, &why);
	if (s == STATUS_OK)
		s = file_lock_instance(c->state_dir, &k->lock_fd, &holder, &why);
	if (s == STATUS_BUSY) {
		log_error("instance",
			"another instance (pid %d) works in '%s'; nothing was started; stop it, or give this one its own SCOREBOX_STATE_DIR",
			(int)holder, c->state_dir);
		return EXIT_INSTANCE;
	}
	if (s != STATUS_OK) {
		log_error("state",
			"%s; nothing was started; SCOREBOX_STATE_DIR must be a folder that we may write",
			why.text);
		return EXIT_STORAGE;
	}
	return EXIT_DONE;
}

static bool open_embedded(struct keeper *k)
{
	const struct config *c = k->parts.config;
	struct why why;
	k->parts.brokers = c->kafka_brokers;
	if (!c->kafka_embedded)
		return true;
	if (embedded_open(&k->embedded, 1, 1, c->kafka_topic, &why) != STATUS_OK) {
		log_error("kafka.embedded", "%s; nothing was started", why.text);
		return false;
	}
	k->parts.brokers = embedded_bootstrap(k->embedded);
	log_warn("kafka.embedded", "the embedded broker keeps nothing: for trying out only");
	return true;
}

/* The files of the way to Kafka are read before anything is started, as the settings were. */
static int open_trust(struct keeper *k)
{
	const struct config *c = k->parts.config;
	struct why why;
	if (!config_kafka_trust(c))
		return EXIT_DONE;
	enum status s = trust_files_open(&k->parts.trust, config_kafka_ca_file(c),
		c->kafka_cert_file, c->kafka_key_file, &why);
	if (s == STATUS_OK)
		return EXIT_DONE;
	log_error("tls.trust",
		"%s; nothing was started; look at SCOREBOX_KAFKA_CA_FILE, _CERT_FILE and _KEY_FILE",
		why.text);
	return s == STATUS_NO_MEMORY ? EXIT_INTERNAL : EXIT_SETTINGS;
}

static bool open_loop(struct keeper *k)
{
	struct why why;
	enum status s = loop_open(&k->loop, &why);
	if (s == STATUS_OK)
		s = loop_signals(k->loop, heard_signals, signalled, k, &why);
	for (int i = 0; s == STATUS_OK && i < HEALTH_PARTS; i++)
		if ((k->parts.wake[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
			s = fail_errno(&why, STATUS_IO, "eventfd");
	if (s == STATUS_OK && (k->parts.ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		s = fail_errno(&why, STATUS_IO, "eventfd");
	if (s == STATUS_OK)
		s = loop_watch(k->loop, k->parts.ended, LOOP_READ, service_ended, k, &why);
	if (s == STATUS_OK)
		s = health_open(&k->parts.health, k->parts.config, &why);
	if (s != STATUS_OK)
		log_error("service.start", "%s; nothing was started", why.text);
	return s == STATUS_OK;
}

static void close_all(struct keeper *k)
{
	health_close(k->parts.health);
	trust_files_close(k->parts.trust);
	parts_login_done(&k->parts);
	embedded_close(k->embedded);
	loop_close(k->loop);
	for (int i = 0; i < HEALTH_PARTS; i++)
		if (k->parts.wake[i] >= 0)
			close(k->parts.wake[i]);
	if (k->parts.ended >= 0)
		close(k->parts.ended);
	if (k->lock_fd >= 0)
		close(k->lock_fd);
}

static int run_threads(struct keeper *k)
{
	struct why why;
	for (int i = 0; i < HEALTH_PARTS; i++) {
		if (start_thread(&k->service[i]))
			continue;
		log_error("service.thread", "no thread: %s; nothing lost", strerror(errno));
		k->exit_code = EXIT_INTERNAL;
		leave(k);
	}
	notify_ready();
	tick(k);
	collect(k);
	if (loop_run(k->loop, KEEPER_TICK_MS, &why) != STATUS_OK) {
		log_error("keeper", "%s; committed rows are safe; ending", why.text);
		_exit(EXIT_INTERNAL);
	}
	log_info("service.over", "exit %d, memory peak %llu KiB", k->exit_code,
		(unsigned long long)memory_peak_kib());
	return k->exit_code;
}

/* Until open_loop hears them they wait: a reload or a stop at the very start ends nothing the hard way. */
static void hold_signals(void)
{
	sigset_t held;
	sigemptyset(&held);
	for (int i = 0; heard_signals[i]; i++)
		sigaddset(&held, heard_signals[i]);
	pthread_sigmask(SIG_BLOCK, &held, NULL);
}

static int keep(const struct config *config, service_body *produce, service_body *consume,
	service_reload *reload, void *context)
{
	struct keeper k = {.parts = {.config = config,
				   .in_use = config,
				   .renewal = PTHREAD_MUTEX_INITIALIZER,
				   .ended = -1,
				   .wake = {-1, -1}},
		.reload = reload,
		.reload_context = context,
		.lock_fd = -1};
	k.service[HEALTH_PRODUCE] = (struct service_thread){.parts = &k.parts, .body = produce};
	k.service[HEALTH_CONSUME] = (struct service_thread){.parts = &k.parts, .body = consume};
	hold_signals();
	if (!share_memory(&k))
		return EXIT_SETTINGS;
	int exit_code = take_lock(&k);
	if (exit_code != EXIT_DONE)
		return exit_code;
	digest_random(k.parts.run, sizeof k.parts.run);
	exit_code = consume == books_run ? EXIT_DONE : open_trust(&k);
	if (exit_code == EXIT_DONE) {
		exit_code = EXIT_INTERNAL;
		if (open_loop(&k) && open_embedded(&k))
			exit_code = run_threads(&k);
	}
	close_all(&k);
	return exit_code;
}

int service_run(const struct config *config, service_reload *reload, void *reload_context)
{
	return keep(config, config->mode == MODE_CONSUME ? NULL : produce_run,
		config->mode == MODE_PRODUCE ? NULL : consume_run, reload, reload_context);
}

int service_books(const struct config *config)
{
	return keep(config, NULL, books_run, NULL, NULL);
}

int service_drain(const struct config *config)
{
	return keep(config, drain_run, NULL, NULL, NULL);
}
