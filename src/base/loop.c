/* loop.c - epoll over descriptors, timers and signals. */
#include "base/loop.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A watch's identity is its place and a serial number that is never given twice: an event that
 * was fetched before its watch was forgotten no longer finds it, also when the descriptor's
 * number or the place has a new owner in the same turn. */
struct watch {
	int fd; /* -1: the place is free */
	unsigned events;
	uint32_t serial;
	loop_ready *call;
	void *context;
};

struct timer {
	int64_t at_ms;	/* INT64_MAX: the place is free */
	uint64_t order; /* when it was set, counted */
	loop_due *call;
	void *context;
};

struct loop {
	int epoll_fd;
	int signal_fd; /* -1: none */
	bool stopping;
	uint32_t serials;
	uint64_t orders;
	int64_t now_ms;
	int64_t longest_ms;
	loop_signal *signal_call;
	void *signal_context;
	struct watch watches[LOOP_WATCHES];
	struct timer timers[LOOP_TIMERS];
};

enum { SIGNAL_PLACE = LOOP_WATCHES };

enum status loop_open(struct loop **out, struct why *why)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return fail(why, STATUS_NO_MEMORY, "open the event loop: no memory");
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0) {
		enum status s = fail_errno(why, STATUS_IO, "open the event loop");

		free(l);
		return s;
	}
	l->signal_fd = -1;
	l->now_ms = clock_mono_ms();
	for (int i = 0; i < LOOP_WATCHES; i++)
		l->watches[i].fd = -1;
	for (int i = 0; i < LOOP_TIMERS; i++)
		l->timers[i].at_ms = INT64_MAX;
	*out = l;
	return STATUS_OK;
}

void loop_close(struct loop *l)
{
	if (!l)
		return;
	if (l->signal_fd >= 0)
		close(l->signal_fd);
	close(l->epoll_fd);
	free(l);
}

/* The watch of fd, or the first free place when fd is -1. */
static struct watch *find_watch(struct loop *l, int fd)
{
	for (int i = 0; i < LOOP_WATCHES; i++)
		if (l->watches[i].fd == fd)
			return &l->watches[i];
	return NULL;
}

static struct epoll_event event_for(const struct loop *l, const struct watch *w)
{
	uint64_t place = (uint64_t)(w - l->watches);

	return (struct epoll_event){
		.events = (w->events & LOOP_READ ? EPOLLIN : 0u) |
			  (w->events & LOOP_WRITE ? EPOLLOUT : 0u),
		.data.u64 = (uint64_t)w->serial << 32 | place,
	};
}

/* Tells the kernel of w. A descriptor that was closed without loop_forget has left epoll by
 * itself, so its number may be new to the kernel while we know it: then it is another file with a
 * new identity. */
static int register_watch(struct loop *l, struct watch *w, bool known)
{
	struct epoll_event event = event_for(l, w);

	if (known) {
		if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &event) == 0)
			return 0;
		if (errno != ENOENT)
			return -1;
		w->serial = ++l->serials;
		event = event_for(l, w);
	}
	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &event);
}

enum status loop_watch(
	struct loop *l, int fd, unsigned events, loop_ready *call, void *context, struct why *why)
{
	if (events == 0) {
		loop_forget(l, fd);
		return STATUS_OK;
	}
	if (fd < 0)
		return fail(why, STATUS_IO, "watch descriptor %d: not a descriptor", fd);

	struct watch *w = find_watch(l, fd);
	bool known = w != NULL;

	if (!known)
		w = find_watch(l, -1);
	if (!w)
		return fail(why, STATUS_FULL, "watch descriptor %d: %d are watched already", fd,
			LOOP_WATCHES);

	struct watch before = *w;
	bool same_owner = known && w->call == call && w->context == context;

	/* The same owner keeps its identity: a change made in every turn must not starve it. */
	*w = (struct watch){fd, events, same_owner ? w->serial : ++l->serials, call, context};
	if (register_watch(l, w, known) != 0) {
		*w = before;
		return fail_errno(why, STATUS_IO, "watch descriptor %d", fd);
	}
	return STATUS_OK;
}

void loop_forget(struct loop *l, int fd)
{
	struct watch *w = fd < 0 ? NULL : find_watch(l, fd);

	if (!w)
		return;
	/* Fails when fd is closed already: then epoll has forgotten it as well. */
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, &(struct epoll_event){0});
	*w = (struct watch){.fd = -1};
}

static struct timer *find_timer(struct loop *l, loop_due *call, void *context)
{
	for (int i = 0; i < LOOP_TIMERS; i++) {
		struct timer *t = &l->timers[i];

		if (t->at_ms != INT64_MAX && t->call == call && t->context == context)
			return t;
	}
	return NULL;
}

static struct timer *free_timer(struct loop *l)
{
	for (int i = 0; i < LOOP_TIMERS; i++)
		if (l->timers[i].at_ms == INT64_MAX)
			return &l->timers[i];
	return NULL;
}

enum status loop_timer(struct loop *l, int64_t at_ms, loop_due *call, void *context)
{
	struct timer *t = find_timer(l, call, context);

	if (at_ms == INT64_MAX) {
		loop_timer_stop(l, call, context);
		return STATUS_OK;
	}
	if (!t)
		t = free_timer(l);
	if (!t)
		return STATUS_FULL;
	*t = (struct timer){at_ms, ++l->orders, call, context};
	return STATUS_OK;
}

void loop_timer_stop(struct loop *l, loop_due *call, void *context)
{
	struct timer *t = find_timer(l, call, context);

	if (t)
		t->at_ms = INT64_MAX;
}

enum status loop_signals(
	struct loop *l, const int *signals, loop_signal *call, void *context, struct why *why)
{
	sigset_t set;

	sigemptyset(&set);
	for (; *signals; signals++)
		sigaddset(&set, *signals);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return fail_errno(why, STATUS_IO, "ignore SIGPIPE");

	int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);

	if (failed) {
		errno = failed;
		return fail_errno(why, STATUS_IO, "block signals");
	}

	int fd = signalfd(l->signal_fd, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		return fail_errno(why, STATUS_IO, "watch signals");
	if (l->signal_fd < 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = SIGNAL_PLACE};

		if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
			enum status s = fail_errno(why, STATUS_IO, "watch signals");

			close(fd);
			return s;
		}
	}
	l->signal_fd = fd;
	l->signal_call = call;
	l->signal_context = context;
	return STATUS_OK;
}

static void deliver_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		l->signal_call(l->signal_context, (int)info.ssi_signo);
}

static void deliver(struct loop *l, const struct epoll_event *event)
{
	uint32_t place = (uint32_t)event->data.u64;
	unsigned got = 0;

	if (place == SIGNAL_PLACE) {
		deliver_signals(l);
		return;
	}

	const struct watch *w = &l->watches[place];

	if (w->fd < 0 || w->serial != (uint32_t)(event->data.u64 >> 32))
		return;
	if (event->events & EPOLLIN)
		got |= LOOP_READ;
	if (event->events & EPOLLOUT)
		got |= LOOP_WRITE;
	got &= w->events; /* an earlier callback of this turn may have changed what is wanted */
	if (event->events & (EPOLLERR | EPOLLHUP))
		got = LOOP_READ | LOOP_WRITE;
	if (got)
		w->call(w->context, w->fd, got);
}

/* The earliest due timer that was set before this round began: one that a callback sets to "now"
 * waits for the next turn, so that a turn always ends. */
static struct timer *next_due(struct loop *l, uint64_t round)
{
	struct timer *due = NULL;

	for (int i = 0; i < LOOP_TIMERS; i++) {
		struct timer *t = &l->timers[i];

		if (t->at_ms == INT64_MAX || t->at_ms > l->now_ms || t->order > round)
			continue;
		if (!due || t->at_ms < due->at_ms ||
			(t->at_ms == due->at_ms && t->order < due->order))
			due = t;
	}
	return due;
}

static void run_timers(struct loop *l)
{
	uint64_t round = l->orders;
	struct timer *t;

	while ((t = next_due(l, round))) {
		t->at_ms = INT64_MAX;
		t->call(t->context);
	}
}

/* How long epoll may wait: until the first timer, at most max_wait_ms. */
static int wait_ms(const struct loop *l, int64_t max_wait_ms)
{
	int64_t first = INT64_MAX;
	int64_t wait = max_wait_ms < 0 ? 0 : max_wait_ms;

	for (int i = 0; i < LOOP_TIMERS; i++)
		if (l->timers[i].at_ms < first)
			first = l->timers[i].at_ms;
	if (first != INT64_MAX) {
		int64_t now = clock_mono_ms();

		if (first <= now)
			wait = 0;
		else if (first - now < wait)
			wait = first - now;
	}
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

enum status loop_turn(struct loop *l, int64_t max_wait_ms, struct why *why)
{
	struct epoll_event events[LOOP_WATCHES + 1];
	int count = epoll_wait(l->epoll_fd, events, LOOP_WATCHES + 1, wait_ms(l, max_wait_ms));

	if (count < 0 && errno != EINTR)
		return fail_errno(why, STATUS_IO, "wait for events");
	l->now_ms = clock_mono_ms();
	for (int i = 0; i < count; i++)
		deliver(l, &events[i]);
	run_timers(l);

	int64_t took = clock_mono_ms() - l->now_ms;

	if (took > l->longest_ms)
		l->longest_ms = took;
	return STATUS_OK;
}

enum status loop_run(struct loop *l, int64_t max_wait_ms, struct why *why)
{
	enum status s = STATUS_OK;

	while (s == STATUS_OK && !l->stopping)
		s = loop_turn(l, max_wait_ms, why);
	l->stopping = false;
	return s;
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
}

bool loop_stopping(const struct loop *l)
{
	return l->stopping;
}

int64_t loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}

int64_t loop_longest_ms(struct loop *l)
{
	int64_t longest = l->longest_ms;

	l->longest_ms = 0;
	return longest;
}
