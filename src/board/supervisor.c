/* supervisor.c - opens in order, turns once a second, leaves. */
#include "board/supervisor_private.h"

#include "base/clock.h"
#include "base/file.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

enum { EXIT_OVER = 0, EXIT_NOT_BEGUN = 70, EXIT_ANOTHER = 75, LOCK_TRIES = 40, LOCK_PAUSE_MS = 50 };

static const int heard_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0};

/* ---- errands ---- */

int supervisor_leave_in_child(void *context)
{
	struct supervisor *s = context;

	/* One that waits for a disk must not keep device and lock from our successor. */
	watchdog_forget(&s->watchdog);
	close(s->lock_fd);
	return 0;
}

void supervisor_watch_errand(struct errand *e, int64_t now_ms)
{
	if (errand_is_slow(e, now_ms))
		log_warn("board.disk",
			"%s: it takes longer than %d s (a disk that hangs?); nothing lost; the box goes on without it",
			e->name, ERRAND_SLOW_MS / 1000);
}

static void children_ended(struct supervisor *s, int64_t now_ms)
{
	int code;

	supervisor_child_ended(s, now_ms);
	if (errand_reap(&s->stick_errand, &code))
		supervisor_stick_ended(s, code);
	if (errand_reap(&s->card_errand, &code))
		supervisor_card_ended(s, code, now_ms);
	if (errand_reap(&s->log_errand, &code))
		supervisor_log_ended(s, code);
}

/* ---- leaving ---- */

static void leave(struct supervisor *s, enum leaving how, int64_t now_ms)
{
	if (s->leaving >= how)
		return;
	s->leaving = how;
	s->leave_ms = now_ms;
	service_end(&s->service, now_ms);
}

void supervisor_reboot(struct supervisor *s, const char *why, int64_t after_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (s->leaving >= REBOOTS)
		return;
	snprintf(s->reboot_why, sizeof s->reboot_why, "%s", why);
	s->reboot_ms = now_ms + after_ms;
	leave(s, REBOOTS, now_ms);
}

/* busybox init takes SIGTERM as the wish to reboot: it unmounts, and ends us as well. */
static void reboot_now(struct supervisor *s, int64_t now_ms)
{
	s->leaving = REBOOTING;
	s->leave_ms = now_ms;
	log_warn("board.reboot", "%s; rebooting", s->reboot_why);
	supervisor_settle_card(s, false);
	supervisor_drain(s);
	if (!*s->places.root) {
		kill(1, SIGTERM); /* it syncs, too */
		return;
	}
	/* Below another root nothing is rebooted. */
	if (file_replace(s->places.at[PLACE_REBOOT], s->reboot_why, strlen(s->reboot_why), 0644,
		    NULL) != STATUS_OK)
		log_error("board.reboot", "'%s' cannot be made", s->places.at[PLACE_REBOOT]);
	loop_stop(s->loop);
}

static void leave_turn(struct supervisor *s, int64_t now_ms)
{
	bool over = s->service.phase == SERVICE_RESTS || service_hung_ms(&s->service, now_ms);

	switch (s->leaving) {
	case STAYS:
		break;
	case STOPS:
		if (over)
			loop_stop(s->loop);
		break;
	case REBOOTS:
		if (over && now_ms >= s->reboot_ms)
			reboot_now(s, now_ms);
		break;
	case REBOOTING:
		if (now_ms - s->leave_ms >= REBOOT_WITHIN_MS) {
			log_error("board.reboot", "init does not reboot; the kernel is asked");
			supervisor_drain(s);
			reboot(RB_AUTOBOOT);
		}
		break;
	}
}

static void signalled(void *context, int number)
{
	struct supervisor *s = context;
	int64_t now_ms = loop_now_ms(s->loop);

	if (number == SIGCHLD) {
		children_ended(s, now_ms);
		leave_turn(s, now_ms);
	} else if (number == SIGHUP) {
		supervisor_start_anew(s, now_ms);
	} else if (s->leaving == REBOOTING) {
		loop_stop(s->loop);
	} else {
		log_info("board.stop", "told to stop; the service ends first");
		leave(s, STOPS, now_ms);
		leave_turn(s, now_ms);
	}
}

/* ---- turning ---- */

static void turn(void *context)
{
	struct supervisor *s = context;
	int64_t now_ms = loop_now_ms(s->loop);

	children_ended(s, now_ms);
	supervisor_service_turn(s, now_ms);
	supervisor_look(s, now_ms);
	supervisor_slots_turn(s, now_ms);
	supervisor_show(s, now_ms);
	supervisor_log_turn(s, now_ms);
	supervisor_watch_errand(&s->log_errand, now_ms);
	supervisor_watch_errand(&s->card_errand, now_ms);
	supervisor_watch_errand(&s->stick_errand, now_ms);
	leave_turn(s, now_ms);

	int64_t pause_ms = s->now.waits_for_clock ? CLOCK_TURN_MS : TURN_MS;

	if (loop_timer(s->loop, now_ms + pause_ms, turn, s) != STATUS_OK)
		log_error("loop.timers", "no timer is left for the next turn");
}

/* ---- opening ---- */

static enum status open_loop(struct supervisor *s, struct why *why)
{
	enum status status = places_init(&s->places, s->setup->root, why);

	if (status == STATUS_OK)
		status = loop_open(&s->loop, why);
	if (status == STATUS_OK)
		status = loop_signals(s->loop, heard_signals, signalled, s, why);
	if (status == STATUS_OK)
		status = file_make_folder(s->places.at[PLACE_RUN], 0755, why);
	return status;
}

/* A child of one that was killed just now may hold it until it gets to let go of it. */
static enum status lock(struct supervisor *s, struct why *why)
{
	pid_t holder = 0;
	enum status status = STATUS_BUSY;

	for (int i = 0; status == STATUS_BUSY && i < LOCK_TRIES; i++) {
		if (i && holder > 0 && kill(holder, 0) == 0)
			break;
		if (i)
			poll(NULL, 0, LOCK_PAUSE_MS);
		status = file_lock_instance(s->places.at[PLACE_RUN], &s->lock_fd, &holder, why);
	}
	if (status == STATUS_BUSY)
		return fail(why, status, "another one (pid %d) works here", (int)holder);
	return status;
}

static enum status open_all(struct supervisor *s, struct why *why)
{
	enum status status = open_loop(s, why);

	if (status == STATUS_OK)
		status = lock(s, why);
	if (status == STATUS_OK)
		status = supervisor_open_lines(s, why);
	return status;
}

/* An image without the service's user, say: on trial it goes, else it counts as an early death. */
static void open_service(struct supervisor *s)
{
	struct why why;

	if (supervisor_open_service(s, &why) == STATUS_OK)
		return;
	log_error("board.start", "%s; no service can be started; rebooting in %d s", why.text,
		NOT_BEGUN_MS / 1000);
	supervisor_reboot(s, "no service can be started", NOT_BEGUN_MS);
}

static void begin(struct supervisor *s)
{
	s->began_ms = s->signs_since_ms = clock_mono_ms();
	situation_of_boot(&s->now, &s->places);
	log_info("board.start", "version %s, slot %c%s", s->now.version, s->now.slot,
		s->now.trial_boot ? ", on trial" : "");
	/* First, so that a card that hangs does not hang the box. */
	supervisor_feed(s, s->began_ms);
	supervisor_open_show(s);
	if (supervisor_count_start(s))
		supervisor_reboot(s, "the other slot is tried", 0);
	supervisor_read_settings(s);
	open_service(s);
	turn(s);
}

static void close_all(struct supervisor *s)
{
	supervisor_close_service(s);
	led_set(&s->led, false);
	supervisor_close_lines(s);
	loop_close(s->loop);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	places_done(&s->places);
}

static int run(struct supervisor *s)
{
	struct why why;
	enum status status = open_all(s, &why);

	if (status != STATUS_OK) {
		log_error("board.start", "%s; nothing was started", why.text);
		return status == STATUS_BUSY ? EXIT_ANOTHER : EXIT_NOT_BEGUN;
	}
	begin(s);
	if (loop_run(s->loop, TURN_MS, &why) != STATUS_OK) {
		log_error("board.loop", "%s; the watchdog is left to reset the box", why.text);
		return EXIT_NOT_BEGUN;
	}
	watchdog_leave(&s->watchdog);
	if (s->leaving == STOPS)
		supervisor_settle_card(s, true);
	log_info("board.over", "the service is over; the watchdog stays armed");
	return EXIT_OVER;
}

int supervisor_run(const struct supervisor_setup *setup)
{
	struct supervisor *s = calloc(1, sizeof *s);
	int code;

	if (!s) {
		log_error("board.start", "no memory; nothing was started");
		return EXIT_NOT_BEGUN;
	}
	s->setup = setup;
	s->lock_fd = s->notify_fd = s->own_fd = s->service_fd = -1;
	s->own.fd = s->daemons.fd = s->console.fd = s->watchdog.fd = s->led.fd = -1;
	code = run(s);
	close_all(s);
	free(s);
	return code;
}
