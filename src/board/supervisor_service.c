/* supervisor_service.c - the daemon: started, watched, started again. */
#include "board/supervisor_private.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE_USER "scorebox"

enum { WATCHDOG_AGAIN_MS = 10000 };

/* ---- signs of life ---- */

static void heard(void *context, int fd, unsigned events)
{
	struct supervisor *s = context;
	struct notified n;

	(void)events;
	while (notify_socket_read(fd, s->service.pid, &n)) {
		if (n.ready && !s->service.ready)
			s->settings_wrong = false;
		if (n.alive)
			service_sign(&s->service, n.ready, loop_now_ms(s->loop));
	}
}

enum status supervisor_open_service(struct supervisor *s, struct why *why)
{
	enum status status = service_user_find(
		&s->user, s->places.at[PLACE_PASSWD], SERVICE_USER, why);

	if (status == STATUS_OK)
		status = notify_socket_open(
			&s->notify_fd, s->places.at[PLACE_NOTIFY], s->user.uid, s->user.gid, why);
	if (status == STATUS_OK)
		status = loop_watch(s->loop, s->notify_fd, LOOP_READ, heard, s, why);
	return status;
}

void supervisor_close_service(struct supervisor *s)
{
	if (s->notify_fd >= 0) {
		close(s->notify_fd);
		unlink(s->places.at[PLACE_NOTIFY]);
	}
	watchdog_forget(&s->watchdog);
}

/* ---- the hardware watchdog ---- */

static void open_watchdog(struct supervisor *s, int64_t now_ms)
{
	struct why why;
	enum status status = watchdog_open(&s->watchdog, s->places.at[PLACE_WATCHDOG], &why);

	if (status == STATUS_OK) {
		if (!s->watchdog.timeout_s)
			s->watchdog.timeout_s = WATCHDOG_TIMEOUT_S; /* it does not say */
		log_info("board.watchdog",
			"armed with %d s; it is fed while the service gives signs of life",
			s->watchdog.timeout_s);
		return;
	}
	/* A busy one is armed, and bites unless we get hold of it: what held it is about to end. */
	s->watchdog_again_ms = now_ms + (status == STATUS_BUSY ? TURN_MS : WATCHDOG_AGAIN_MS);
	if (!s->no_watchdog_told)
		log_warn("board.watchdog",
			"%s; a service that hangs is killed and started again instead; it is looked for again and again",
			why.text);
	s->no_watchdog_told = true;
}

void supervisor_feed(struct supervisor *s, int64_t now_ms)
{
	struct why why;

	if (s->now.watchdog_off)
		return;
	if (s->watchdog.fd < 0 && now_ms >= s->watchdog_again_ms)
		open_watchdog(s, now_ms);
	if (watchdog_feed(&s->watchdog, now_ms, &why) != STATUS_OK) {
		log_error(
			"board.watchdog", "%s; it may reset the box; it is opened again", why.text);
		watchdog_forget(&s->watchdog);
		s->watchdog_again_ms = 0;
	}
}

static void tell_hang(struct supervisor *s, int64_t hung_ms)
{
	char span[40];

	clock_span_text(hung_ms, span, sizeof span);
	if (s->watchdog.fd >= 0)
		log_error("board.hang",
			"the service (pid %d) has given no sign of life for %s; committed rows are safe; the watchdog is fed no more and resets the box within %d s",
			(int)s->service.pid, span, s->watchdog.timeout_s);
	else
		log_error("board.hang",
			"the service (pid %d) has given no sign of life for %s; committed rows are safe; without a watchdog it is killed and started again",
			(int)s->service.pid, span);
	s->hang_told = true;
}

static void watch(struct supervisor *s, int64_t now_ms)
{
	int64_t hung_ms = service_hung_ms(&s->service, now_ms);

	if (!hung_ms) {
		if (s->hang_told)
			log_info("board.hang", "the service gives signs of life again");
		s->hang_told = false;
		supervisor_feed(s, now_ms);
		return;
	}
	s->signs_since_ms = now_ms;
	if (!s->hang_told)
		tell_hang(s, hung_ms);
	if (s->watchdog.fd < 0)
		service_kill(&s->service, now_ms);
}

/* ---- settings ---- */

/* Its folder is made with the data partition; where that is not there, in memory. */
static void make_state_folder(const struct supervisor *s)
{
	const char *path = s->places.at[PLACE_STATE];
	struct why why;

	if (access(path, F_OK) == 0)
		return;
	if (file_make_folder(path, 0750, &why) != STATUS_OK ||
		lchown(path, s->user.uid, s->user.gid))
		log_warn("board.state",
			"'%s' cannot be made: %s; the service will say what it lacks", path,
			strerror(errno));
}

static enum status make_environment(struct supervisor *s, struct service_environment *out)
{
	const struct environment_wants wants = {.places = &s->places,
		.secrets = s->setup->secrets,
		.duration = s->setup->duration,
		.watchdog_ms = SERVICE_SIGNS_MS};
	struct why why;
	enum status status = service_environment_make(out, &s->settings, &wants, &why);

	if (status != STATUS_OK)
		log_error("board.settings", "%s; the service gets those that could be read",
			why.text);
	s->trial.confirm_ms = s->settings.confirm_ms;
	return status;
}

void supervisor_read_settings(struct supervisor *s)
{
	struct service_environment environment;

	(void)!make_environment(s, &environment);
	service_environment_done(&environment);
}

/* ---- a run ---- */

static void start(struct supervisor *s, int64_t now_ms)
{
	struct service_environment environment;
	struct why why;

	(void)!make_environment(s, &environment); /* what is wrong was said */
	make_state_folder(s);
	supervisor_forget_status(s);

	const struct service_start what = {.program = s->places.at[PLACE_PROGRAM],
		.user = s->user,
		.environment = environment.list,
		.out_fd = s->service_fd};

	if (service_start(&s->service, &what, now_ms, &why) != STATUS_OK) {
		s->next_start_ms = now_ms + restart_delay_ms(&s->restart, 0, false);
		log_error("board.service", "%s; nothing lost; tried again", why.text);
	}
	s->start_anew = false;
	s->now.errors = 0;
	service_environment_done(&environment);
}

static void exit_words(int code, char *out, size_t out_bytes)
{
	if (code > 128)
		snprintf(out, out_bytes, "was ended by signal %d", code - 128);
	else
		snprintf(out, out_bytes, "ended with code %d", code);
}

static void ended(struct supervisor *s, int64_t now_ms)
{
	char how[40], span[40];
	int code = s->service.exit_code;
	bool wrong = code == SERVICE_EXIT_SETTINGS;

	(void)pipe_lines_read(&s->daemons);
	pipe_lines_flush(&s->daemons);
	if (s->leaving != STAYS)
		return;
	if (s->start_anew) {
		s->next_start_ms = now_ms;
		return;
	}
	s->settings_wrong = wrong;

	int64_t delay_ms = restart_delay_ms(&s->restart, now_ms - s->service.started_ms, wrong);

	s->next_start_ms = now_ms + delay_ms;
	exit_words(code, how, sizeof how);
	clock_span_text(delay_ms, span, sizeof span);
	if (wrong)
		log_error("board.settings",
			"the service does not start with these settings; nothing lost; correct scorebox.env as its lines above say; tried again in %s",
			span);
	else
		log_warn("board.service",
			"the service %s; committed rows are safe; started again in %s", how, span);
}

void supervisor_child_ended(struct supervisor *s, int64_t now_ms)
{
	if (service_reap(&s->service))
		ended(s, now_ms);
}

void supervisor_start_anew(struct supervisor *s, int64_t now_ms)
{
	if (s->leaving != STAYS)
		return;
	log_info("board.settings", "the settings are read again; the service is started anew");
	s->start_anew = true;
	s->settings_wrong = false;
	s->restart = (struct restart){0};
	s->next_start_ms = now_ms;
	supervisor_read_settings(s);
	service_end(&s->service, now_ms);
}

/* ---- the clock before the first run ---- */

static bool clock_is_waited_for(struct supervisor *s, int64_t now_ms)
{
	char span[40];

	if (s->clock_waited || !s->settings.given) /* it has nothing to do but to say so */
		return false;
	if (!s->clock_wait_until_ms)
		s->clock_wait_until_ms = now_ms + s->settings.clock_wait_ms;
	if (access(s->places.at[PLACE_CLOCK], F_OK) == 0) {
		s->clock_waited = true;
		return false;
	}
	if (now_ms < s->clock_wait_until_ms)
		return true;
	s->clock_waited = true;
	clock_span_text(s->settings.clock_wait_ms, span, sizeof span);
	log_warn("time.unset",
		"no time server has set the clock within %s; nothing lost; the service starts all the same, and TLS may fail until one does",
		span);
	return false;
}

void supervisor_service_turn(struct supervisor *s, int64_t now_ms)
{
	if (service_press(&s->service, now_ms))
		log_warn("board.service",
			"the service (pid %d) did not end within %d s; committed rows are safe; it was killed",
			(int)s->service.pid, SERVICE_TERM_MS / 1000);
	if (s->leaving == STAYS && s->service.phase == SERVICE_RESTS &&
		now_ms >= s->next_start_ms && !clock_is_waited_for(s, now_ms))
		start(s, now_ms);
	watch(s, now_ms);
}
