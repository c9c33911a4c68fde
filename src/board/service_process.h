/* service_process.h - the daemon as a child: started without any right, watched by its signs of life, ended in
 * order or by force. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SERVICE_SIGNS_MS = 30000,    /* its WATCHDOG_USEC: the longest silence */
	SERVICE_STARTING_MS = 90000, /* the same before READY=1 */
	SERVICE_TERM_MS = 20000,     /* from SIGTERM to SIGKILL */
	SERVICE_KILL_MS = 15000, /* and from there until it is called hung: it waits for a disk */
	SERVICE_EXIT_SETTINGS = 78, /* service/service.h: the settings are wrong, or it is fenced */
	SERVICE_EXIT_NOT_STARTED = 127, /* exec failed */
};

enum service_phase {
	SERVICE_RESTS, /* not running: between two runs, or not started yet */
	SERVICE_RUNS,
	SERVICE_ENDS, /* told to end */
};

struct service_process {
	enum service_phase phase;
	pid_t pid;	    /* 0: not running */
	int64_t started_ms; /* clock_mono_ms */
	int64_t sign_ms;    /* last sign of life, or the start */
	int64_t told_ms;    /* when it was told to end */
	bool ready, killed;
	unsigned runs; /* started so often */
	int exit_code; /* of the last run: 128 and more: by a signal */
};

struct service_user {
	uid_t uid;
	gid_t gid;
};
/* Finds `name` in a file of passwd(5). STATUS_NOT_FOUND, STATUS_BAD_DATA: root, or no number. */
enum status service_user_find(
	struct service_user *out, const char *passwd, const char *name, struct why *why) MUST_CHECK;

struct service_start {
	const char *program;
	struct service_user user;
	char **environment; /* ends with NULL */
	int out_fd;	    /* its stdout and stderr */
};
/* Forks and executes. The child has no capability, not even to gain one, no supplementary group, no core file,
 * a session of its own, and ends with us. STATUS_IO: no fork; what fails behind it is a line on out_fd and
 * exit code SERVICE_EXIT_NOT_STARTED. */
enum status service_start(struct service_process *p, const struct service_start *what,
	int64_t now_ms, struct why *why) MUST_CHECK;
/* SIGTERM; fine where it is not running. */
void service_end(struct service_process *p, int64_t now_ms);
/* Called once a second: SIGKILL where SIGTERM was not enough. True when that was now. */
bool service_press(struct service_process *p, int64_t now_ms);
/* SIGKILL at once. */
void service_kill(struct service_process *p, int64_t now_ms);
/* After a SIGCHLD: true once it has ended; its exit_code is set, `phase` is SERVICE_RESTS. */
bool service_reap(struct service_process *p);

/* A sign of life. */
void service_sign(struct service_process *p, bool ready, int64_t now_ms);
/* How long it has been silent beyond what it may; 0: it has not, or does not run. Then nothing but the watchdog
 * helps. Pure. */
int64_t service_hung_ms(const struct service_process *p, int64_t now_ms);
