/* demo_children.h - private to app/: the other processes of the demo, each this same program with
 * another verb. They end with us, whatever happens to us (PR_SET_PDEATHSIG). */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	const char *name;
	pid_t pid;     /* 0: not running */
	int out_fd;    /* its stdout, -1 none */
	int exit_code; /* once it has ended; 128 and more: by a signal */
};

/* Starts this program with `arguments` (the verb first, NULL last). `settings` (NAME=value, NULL
 * last) take the place of every SCOREBOX_ variable of ours. stderr goes to log_fd. */
enum status child_start(struct child *c, const char *name, const char *const *arguments,
	const char *const *settings, int log_fd, struct why *why) MUST_CHECK;
/* Its first line on stdout, without the line's end. STATUS_AGAIN: none within the time, or it
 * ended. */
enum status child_line(struct child *c, char *out, size_t out_bytes, int64_t timeout_ms,
	struct why *why) MUST_CHECK;
/* False once it has ended; then exit_code tells. */
bool child_runs(struct child *c);
/* Waits for its end. STATUS_AGAIN: still running. */
enum status child_wait(struct child *c, int64_t timeout_ms, struct why *why) MUST_CHECK;
/* SIGTERM, then after the time SIGKILL. Zeroed and ended ones are fine. */
void child_stop(struct child *c, int64_t timeout_ms);
