/* loop.h - the one waiting place of a service: epoll over descriptors, timers and signals. One
 * thread. A callback may add, change and remove watches and timers, its own included. No
 * allocation after loop_open: at most LOOP_WATCHES descriptors and LOOP_TIMERS timers at once. */
#pragma once
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum { LOOP_WATCHES = 64, LOOP_TIMERS = 32 };
enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop;
/* events: LOOP_READ | LOOP_WRITE; an error or hang-up sets both. */
typedef void loop_ready(void *context, int fd, unsigned events);
typedef void loop_due(void *context);
typedef void loop_signal(void *context, int signal_number);

enum status loop_open(struct loop **out, struct why *why) MUST_CHECK;
void loop_close(struct loop *l); /* NULL is fine; closes no watched descriptor */

/* Watches fd, or changes what is watched for; `events` 0 forgets it. */
enum status loop_watch(struct loop *l, int fd, unsigned events, loop_ready *call, void *context,
	struct why *why) MUST_CHECK;
void loop_forget(struct loop *l, int fd);

/* One-shot timers, named by the caller's (call, context) pair: setting one again moves it.
 * `at_ms` is of clock_mono_ms; INT64_MAX or loop_timer_stop takes it away. */
enum status loop_timer(struct loop *l, int64_t at_ms, loop_due *call, void *context) MUST_CHECK;
void loop_timer_stop(struct loop *l, loop_due *call, void *context);

/* Blocks the signals in this thread (call before threads start, so that they inherit it) and
 * delivers them as callbacks. `signals` ends with 0. SIGPIPE is ignored for the process. Both
 * outlive an exec: who starts a child gives it a clean mask and SIG_DFL. */
enum status loop_signals(struct loop *l, const int *signals, loop_signal *call, void *context,
	struct why *why) MUST_CHECK;

/* Runs until loop_stop (one called before counts too), and may then be run again; a turn never
 * waits longer than max_wait_ms. The turn's time is read once. */
enum status loop_run(struct loop *l, int64_t max_wait_ms, struct why *why) MUST_CHECK;
/* One turn, for callers with their own loop. */
enum status loop_turn(struct loop *l, int64_t max_wait_ms, struct why *why) MUST_CHECK;
void loop_stop(struct loop *l);
bool loop_stopping(const struct loop *l);
int64_t loop_now_ms(const struct loop *l);
/* The longest time one turn's callbacks took since the last call, for the stall line. */
int64_t loop_longest_ms(struct loop *l);
