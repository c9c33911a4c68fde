/* transport_pump.c - the pump: one thread and one waiting place for all connections of a client. */
#include "kafka/transport_private.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STACK_BYTES = 96 * 1024, EVENTS = 16, LOOK_AT_CLOCK_MS = 1000 };

void pump_wake(struct transport *t)
{
	uint64_t one = 1;

	while (write(t->wake, &one, sizeof one) < 0 && errno == EINTR)
		continue; /* full: it is awake */
}

/* Which link, and in the lowest bit which of its ends; 0 is the eventfd. */
static uint64_t tag_of(struct link *l, enum link_end which)
{
	return (uint64_t)(uintptr_t)l | (which == TCP_END);
}

bool pump_watch(struct transport *t, struct link *l, enum link_end which, unsigned events)
{
	struct end *e = &l->ends[which];
	struct epoll_event event = {.events = events, .data.u64 = tag_of(l, which)};
	int what = events == 0 ? EPOLL_CTL_DEL : e->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (e->fd < 0 || events == e->watched)
		return true;
	if (epoll_ctl(t->epoll, what, e->fd, &event) != 0)
		return false;
	e->watched = events;
	return true;
}

bool pump_clock_is_good(const struct transport *t, int64_t now_ms)
{
	return clock_believable() || now_ms >= t->clock_until_ms;
}

/* ---- the thread ---- */

/* False: it is time to end. */
static bool take_inbox(struct transport *t)
{
	struct link *l;
	bool stopping;

	pthread_mutex_lock(&t->lock);
	while ((l = t->inbox)) {
		t->inbox = l->next;
		l->next = t->links;
		t->links = l;
		l->hungry = true; /* its first turn */
	}
	stopping = t->stopping;
	pthread_mutex_unlock(&t->lock);
	return !stopping;
}

static void tell_clock(struct transport *t, const struct link *l)
{
	char words[TRANSPORT_WORDS_BYTES], now[CLOCK_TEXT_BYTES];

	clock_format(clock_wall_us(), 0, now);
	snprintf(words, sizeof words,
		"this board's clock says %.10s %.5s UTC, before this program was built: no certificate can be checked; waiting for the time (SCOREBOX_CLOCK_WAIT)",
		now, now + 11);
	trouble_note(t, l->broker, "time.unset", words);
}

/* All links whose time it is, whatever the descriptors say. */
static void turn_links(struct transport *t, int64_t now_ms)
{
	for (struct link *l = t->links; l; l = l->next) {
		bool waited = l->stage == LINK_WAITING;

		if (l->hungry || waited || now_ms >= l->deadline_ms)
			link_turn(t, l, now_ms);
		if (waited && l->stage == LINK_WAITING)
			tell_clock(t, l);
	}
}

/* Events of this round may still name a link that is over: freed only now. Out of the epoll set by name: closing
 * would not do, as a child that is being spawned holds duplicates of all descriptors until its exec. */
static void bury(struct transport *t)
{
	struct link **at = &t->links, *l;

	while ((l = *at)) {
		if (l->stage == LINK_OVER) {
			*at = l->next;
			(void)pump_watch(t, l, FAR_END, 0);
			(void)pump_watch(t, l, TCP_END, 0);
			link_free(l);
		} else {
			at = &l->next;
		}
	}
}

static int wait_ms(const struct transport *t, int64_t now_ms)
{
	int64_t at_ms = INT64_MAX;

	for (const struct link *l = t->links; l; l = l->next) {
		if (l->hungry)
			return 0;
		if (l->deadline_ms < at_ms)
			at_ms = l->deadline_ms;
		if (l->stage == LINK_WAITING && now_ms + LOOK_AT_CLOCK_MS < at_ms)
			at_ms = now_ms + LOOK_AT_CLOCK_MS;
	}
	if (at_ms == INT64_MAX)
		return -1;
	return at_ms <= now_ms ? 0 : (int)(at_ms - now_ms);
}

static void serve(struct transport *t, const struct epoll_event *event, int64_t now_ms)
{
	struct link *l = (struct link *)(uintptr_t)(event->data.u64 & ~(uint64_t)1);
	uint64_t ignored;

	if (!l) {
		while (read(t->wake, &ignored, sizeof ignored) < 0 && errno == EINTR)
			continue;
		return;
	}
	link_hear(l, event->data.u64 & 1 ? TCP_END : FAR_END, event->events);
	if (l->stage != LINK_OVER)
		link_turn(t, l, now_ms);
}

static void *pump(void *context)
{
	struct transport *t = context;
	struct epoll_event events[EVENTS];

	while (take_inbox(t)) {
		turn_links(t, clock_mono_ms());
		bury(t);

		int n = epoll_wait(t->epoll, events, EVENTS, wait_ms(t, clock_mono_ms()));
		int64_t now_ms = clock_mono_ms();

		for (int i = 0; i < n; i++)
			serve(t, &events[i], now_ms);
	}
	return NULL;
}

/* ---- starting and ending ---- */

/* Signals are for the main thread. */
static int start_thread(struct transport *t)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int error = pthread_attr_init(&attributes);

	if (error)
		return error;
	sigfillset(&all);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&t->thread, &attributes, pump, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

enum status pump_start(struct transport *t, struct why *why)
{
	struct epoll_event event = {.events = EPOLLIN};

	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->epoll < 0 || t->wake < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->wake, &event) != 0)
		return fail_errno(why, STATUS_AGAIN, "TLS to Kafka");
	errno = start_thread(t);
	return errno ? fail_errno(why, STATUS_AGAIN, "TLS to Kafka: no thread") : STATUS_OK;
}

void pump_end(struct transport *t)
{
	struct link *l;

	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_mutex_unlock(&t->lock);
	pump_wake(t);
	pthread_join(t->thread, NULL);
	while ((l = t->links)) {
		t->links = l->next;
		link_free(l);
	}
}
