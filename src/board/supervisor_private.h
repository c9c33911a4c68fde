/* supervisor_private.h - private to board/: the supervisor's parts. */
#pragma once
#include "board/box_files.h"
#include "board/console.h"
#include "board/errand.h"
#include "board/led.h"
#include "board/notify_socket.h"
#include "board/pipe_lines.h"
#include "board/restart.h"
#include "board/screen.h"
#include "board/service_environment.h"
#include "board/supervisor.h"
#include "board/trial_watch.h"
#include "board/watchdog.h"
#include "base/log.h"
#include "base/loop.h"

enum {
	TURN_MS = 1000,
	CLOCK_TURN_MS = 200,	/* while the first run waits for the clock */
	SCREEN_EVERY_MS = 5000, /* figures on the screen */
	HDMI_EVERY_MS = 10000,
	CONSOLE_EVERY_MS = 60000,    /* the same, where no state changed */
	STICK_EVERY_MS = 10 * 60000, /* sticks wear */
	STICK_GAP_MS = 10000,	     /* states that change together are one writing */
	CLOCK_EVERY_MS = 60 * 60000,
	LOG_EVERY_MS = 5000, /* cards wear, too */
	RETRY_EVERY_MS = 30000,
	REBOOT_WITHIN_MS = 60000, /* then by the kernel alone */
	NOT_BEGUN_MS = 10000,	  /* for a human to read why */
	BOX_LOG_WAITING = 4096,
};

enum leaving {
	STAYS,
	STOPS,	 /* SIGTERM: ends with exit code 0 */
	REBOOTS, /* back to the other slot */
	REBOOTING,
};

/* What the errand to the card does, as bits. */
enum card_job {
	CARD_ALIVE = 1,	  /* no early death; this slot is good */
	CARD_CLOCK = 2,	  /* saves the time */
	CARD_CONFIRM = 4, /* the trial */
};

/* Which writing of a file that is replaced each time. */
struct file_mark {
	uint64_t inode;
	int64_t s, ns;
};

struct supervisor {
	const struct supervisor_setup *setup;
	struct places places;
	struct loop *loop;
	int lock_fd, notify_fd, own_fd,
		service_fd; /* the last two: write ends of the pipes of lines */
	enum leaving leaving;
	int64_t began_ms, leave_ms, reboot_ms;
	char reboot_why[NOTE_BYTES];

	/* the service */
	struct service_user user;
	struct service_process service;
	struct restart restart;
	struct board_settings settings;
	int64_t next_start_ms, clock_wait_until_ms;
	bool clock_waited, start_anew, settings_wrong;
	bool hang_told;
	int64_t signs_since_ms; /* so long without a hang */
	struct watchdog watchdog;
	bool no_watchdog_told;
	int64_t watchdog_again_ms;

	/* its lines */
	struct pipe_lines own, daemons;
	struct log_tail tail;
	struct console console;
	struct errand log_errand;
	size_t log_length, log_sent;
	int64_t log_ms;
	bool log_told;
	char log_waiting[BOX_LOG_WAITING];

	/* what is known, and shown */
	struct situation now;
	struct file_mark status_seen,
		status_stale; /* of the run before: another one may have had its pid */
	int64_t status_ms;
	struct led led;
	enum box_state led_state;
	int64_t led_since_ms;
	struct screen screen;
	uint64_t key;
	bool shown;
	int64_t screen_ms, hdmi_ms, console_ms;
	struct errand stick_errand;
	uint64_t stick_key, stick_sent_key;
	int64_t stick_ms;
	bool stick_told;

	/* slots, and what the card keeps */
	struct deaths deaths;
	struct trial_watch trial;
	struct errand card_errand;
	unsigned card_wanted, card_doing;
	int64_t clock_ms, confirm_ms;
	bool alive_kept, read_only_told;
};

/* supervisor_service.c */
enum status supervisor_open_service(struct supervisor *s, struct why *why) MUST_CHECK;
void supervisor_read_settings(struct supervisor *s);
void supervisor_service_turn(struct supervisor *s, int64_t now_ms);
void supervisor_child_ended(struct supervisor *s, int64_t now_ms);
/* Opens and feeds the watchdog where it is time. */
void supervisor_feed(struct supervisor *s, int64_t now_ms);
void supervisor_start_anew(struct supervisor *s, int64_t now_ms);
void supervisor_close_service(struct supervisor *s);

/* supervisor_lines.c */
enum status supervisor_open_lines(struct supervisor *s, struct why *why) MUST_CHECK;
/* Our own lines that are on their way. */
void supervisor_drain(struct supervisor *s);
void supervisor_log_turn(struct supervisor *s, int64_t now_ms);
void supervisor_log_ended(struct supervisor *s, int exit_code);
void supervisor_close_lines(struct supervisor *s);

/* supervisor_show.c */
void supervisor_open_show(struct supervisor *s);
void supervisor_look(struct supervisor *s, int64_t now_ms); /* makes s->now */
/* A run begins: what the daemon has told up to here is old. */
void supervisor_forget_status(struct supervisor *s);
void supervisor_show(struct supervisor *s, int64_t now_ms);
void supervisor_stick_ended(struct supervisor *s, int exit_code);

/* supervisor_slots.c */
/* Counts this start. True: the other slot is to be booted; it was said. */
bool supervisor_count_start(struct supervisor *s);
void supervisor_slots_turn(struct supervisor *s, int64_t now_ms);
void supervisor_card_ended(struct supervisor *s, int exit_code, int64_t now_ms);
/* At the end: what the card keeps. `asked`: we were told to end, which is no death. */
void supervisor_settle_card(struct supervisor *s, bool asked);

/* supervisor.c */
/* Ends the service, then reboots, not before `after_ms` from now; the first reason given is told. */
void supervisor_reboot(struct supervisor *s, const char *why, int64_t after_ms);
/* In an errand: lets go of the watchdog and the lock. */
int supervisor_leave_in_child(void *context);
/* A child that hangs is said once. */
void supervisor_watch_errand(struct errand *e, int64_t now_ms);
