/* test_loop.c - events, timers, signals; watches that come and go within a turn. */
#include "base/loop.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;

static int open_loop(void **state)
{
	(void)state;
	return loop_open(&loop, NULL) == STATUS_OK ? 0 : -1;
}

static int close_loop(void **state)
{
	(void)state;
	loop_close(loop);
	loop = NULL;
	clock_replace(NULL, NULL);
	return 0;
}

static void turn(void)
{
	assert_int_equal(loop_turn(loop, 0, NULL), STATUS_OK);
}

struct seen {
	int calls;
	int fd;
	unsigned events;
};

static void note(void *context, int fd, unsigned events)
{
	struct seen *seen = context;

	seen->calls++;
	seen->fd = fd;
	seen->events = events;
}

static void readable_and_writable(void **state)
{
	int pair[2];
	struct seen seen = {0};

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(loop_watch(loop, pair[0], LOOP_READ, note, &seen, NULL), STATUS_OK);
	turn();
	assert_int_equal(seen.calls, 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	turn();
	turn(); /* level triggered: again until it is read */
	assert_int_equal(seen.calls, 2);
	assert_int_equal(seen.events, LOOP_READ);
	assert_int_equal(loop_watch(loop, pair[0], LOOP_WRITE, note, &seen, NULL), STATUS_OK);
	turn();
	assert_int_equal(seen.events, LOOP_WRITE);
	assert_int_equal(
		loop_watch(loop, pair[0], LOOP_READ | LOOP_WRITE, note, &seen, NULL), STATUS_OK);
	turn();
	assert_int_equal(seen.events, LOOP_READ | LOOP_WRITE);
	assert_int_equal(loop_watch(loop, pair[0], 0, note, &seen, NULL), STATUS_OK);
	seen.calls = 0;
	turn();
	assert_int_equal(seen.calls, 0);
	close(pair[0]);
	close(pair[1]);
}

static void a_hang_up_sets_both(void **state)
{
	int ends[2];
	struct seen seen = {0};

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(loop_watch(loop, ends[0], LOOP_READ, note, &seen, NULL), STATUS_OK);
	close(ends[1]);
	turn();
	assert_int_equal(seen.events, LOOP_READ | LOOP_WRITE);
	loop_forget(loop, ends[0]);
	close(ends[0]);
}

/* Two descriptors are ready in one turn; whichever is called first takes the other away. */
struct rivals {
	int fds[2];
	int calls;
};

static void forget_the_rival(void *context, int fd, unsigned events)
{
	struct rivals *r = context;
	int rival = fd == r->fds[0] ? r->fds[1] : r->fds[0];

	(void)events;
	r->calls++;
	loop_forget(loop, rival);
}

static void a_forgotten_watch_is_not_called(void **state)
{
	int a[2], b[2];
	struct rivals r = {.calls = 0};

	(void)state;
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	r.fds[0] = a[0];
	r.fds[1] = b[0];
	assert_int_equal(loop_watch(loop, a[0], LOOP_READ, forget_the_rival, &r, NULL), STATUS_OK);
	assert_int_equal(loop_watch(loop, b[0], LOOP_READ, forget_the_rival, &r, NULL), STATUS_OK);
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(write(b[1], "x", 1), 1);
	turn();
	assert_int_equal(r.calls, 1);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

/* The first one called closes the other's descriptor and opens a new pipe, which gets the same
 * number, and watches that. Nobody wrote to the new pipe. */
struct swap {
	int fds[2];
	int fresh[2];
	int calls;
	bool forget_first;
	struct seen fresh_seen;
};

static void swap_the_rival(void *context, int fd, unsigned events)
{
	struct swap *s = context;
	int rival = fd == s->fds[0] ? s->fds[1] : s->fds[0];

	(void)events;
	s->calls++;
	if (s->forget_first)
		loop_forget(loop, rival);
	close(rival);
	assert_int_equal(pipe(s->fresh), 0);
	assert_int_equal(s->fresh[0], rival);
	assert_int_equal(
		loop_watch(loop, s->fresh[0], LOOP_READ, note, &s->fresh_seen, NULL), STATUS_OK);
	loop_forget(loop, fd);
}

static void a_reused_number_gets_no_stale_event(void **state)
{
	(void)state;
	for (int forget_first = 0; forget_first < 2; forget_first++) {
		int a[2], b[2];
		struct swap s = {.forget_first = forget_first};

		assert_int_equal(pipe(a), 0);
		assert_int_equal(pipe(b), 0);
		s.fds[0] = a[0];
		s.fds[1] = b[0];
		assert_int_equal(
			loop_watch(loop, a[0], LOOP_READ, swap_the_rival, &s, NULL), STATUS_OK);
		assert_int_equal(
			loop_watch(loop, b[0], LOOP_READ, swap_the_rival, &s, NULL), STATUS_OK);
		assert_int_equal(write(a[1], "x", 1), 1);
		assert_int_equal(write(b[1], "x", 1), 1);
		turn();
		assert_int_equal(s.calls, 1);
		assert_int_equal(s.fresh_seen.calls, 0);
		/* The new one does work. */
		assert_int_equal(write(s.fresh[1], "x", 1), 1);
		turn();
		assert_int_equal(s.fresh_seen.calls, 1);
		loop_forget(loop, s.fresh[0]);
		close(s.fresh[0]);
		close(s.fresh[1]);
		close(a[0] == s.fresh[0] ? b[0] : a[0]);
		close(a[1]);
		close(b[1]);
	}
}

static void a_closed_descriptor_may_come_back_without_a_word(void **state)
{
	int ends[2], fresh[2];
	struct seen seen = {0};

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(loop_watch(loop, ends[0], LOOP_READ, note, &seen, NULL), STATUS_OK);
	close(ends[0]);
	assert_int_equal(pipe(fresh), 0);
	assert_int_equal(fresh[0], ends[0]);
	assert_int_equal(loop_watch(loop, fresh[0], LOOP_READ, note, &seen, NULL), STATUS_OK);
	assert_int_equal(write(fresh[1], "x", 1), 1);
	turn();
	assert_int_equal(seen.calls, 1);
	loop_forget(loop, fresh[0]);
	close(fresh[0]);
	close(fresh[1]);
	close(ends[1]);
}

static void limits_are_told(void **state)
{
	int fds[LOOP_WATCHES + 1][2];
	struct seen seen = {0};
	struct why why;

	(void)state;
	for (int i = 0; i <= LOOP_WATCHES; i++) {
		assert_int_equal(pipe(fds[i]), 0);
		assert_int_equal(loop_watch(loop, fds[i][0], LOOP_READ, note, &seen, &why),
			i < LOOP_WATCHES ? STATUS_OK : STATUS_FULL);
		assert_int_equal(write(fds[i][1], "x", 1), 1);
	}
	turn();
	assert_int_equal(seen.calls, LOOP_WATCHES);
	loop_forget(loop, fds[7][0]);
	assert_int_equal(
		loop_watch(loop, fds[LOOP_WATCHES][0], LOOP_READ, note, &seen, &why), STATUS_OK);
	loop_forget(loop, fds[8][0]);
	assert_int_equal(loop_watch(loop, -1, LOOP_READ, note, &seen, &why), STATUS_IO);
	assert_int_equal(loop_watch(loop, 9999, LOOP_READ, note, &seen, &why), STATUS_IO);
	for (int i = 0; i <= LOOP_WATCHES; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static int64_t fake_us;

static int64_t fake_mono(void)
{
	return fake_us;
}

static char order[16];

static void first(void *context)
{
	(void)context;
	strcat(order, "1");
}

static void second(void *context)
{
	(void)context;
	strcat(order, "2");
}

static void start_clock(void)
{
	fake_us = 5000000;
	order[0] = '\0';
	clock_replace(NULL, fake_mono);
}

static void timers_fire_once_in_order(void **state)
{
	(void)state;
	start_clock();
	assert_int_equal(loop_timer(loop, 5020, first, NULL), STATUS_OK);
	assert_int_equal(loop_timer(loop, 5010, second, NULL), STATUS_OK);
	turn();
	assert_string_equal(order, "");
	fake_us = 5010000;
	turn();
	assert_string_equal(order, "2");
	assert_int_equal(loop_now_ms(loop), 5010);
	/* Moved by setting it again; then both are due and the earlier goes first. */
	assert_int_equal(loop_timer(loop, 5030, first, NULL), STATUS_OK);
	assert_int_equal(loop_timer(loop, 5025, second, NULL), STATUS_OK);
	fake_us = 5024000;
	turn();
	assert_string_equal(order, "2");
	fake_us = 6000000;
	turn();
	turn();
	assert_string_equal(order, "221");
}

static void stopped_timers_stay_silent(void **state)
{
	(void)state;
	start_clock();
	assert_int_equal(loop_timer(loop, 5000, first, NULL), STATUS_OK);
	loop_timer_stop(loop, first, NULL);
	assert_int_equal(loop_timer(loop, 5000, second, NULL), STATUS_OK);
	assert_int_equal(loop_timer(loop, INT64_MAX, second, NULL), STATUS_OK);
	turn();
	assert_string_equal(order, "");
}

static void again_at_once(void *context)
{
	int *calls = context;

	(*calls)++;
	assert_int_equal(loop_timer(loop, 0, again_at_once, context), STATUS_OK);
}

static void stop_the_other(void *context)
{
	(void)context;
	strcat(order, "s");
	loop_timer_stop(loop, second, NULL);
}

static void a_turn_ends(void **state)
{
	int calls = 0;

	(void)state;
	start_clock();
	assert_int_equal(loop_timer(loop, 0, again_at_once, &calls), STATUS_OK);
	turn();
	assert_int_equal(calls, 1);
	turn();
	assert_int_equal(calls, 2);
	loop_timer_stop(loop, again_at_once, &calls);
	/* A due timer that another one stops in the same turn is not called. */
	assert_int_equal(loop_timer(loop, 10, second, NULL), STATUS_OK);
	assert_int_equal(loop_timer(loop, 5, stop_the_other, NULL), STATUS_OK);
	turn();
	assert_string_equal(order, "s");
}

static void a_timer_per_pair_of_call_and_context(void **state)
{
	int contexts[LOOP_TIMERS + 1];

	(void)state;
	start_clock();
	for (int i = 0; i < LOOP_TIMERS; i++)
		assert_int_equal(loop_timer(loop, 4000, first, &contexts[i]), STATUS_OK);
	assert_int_equal(loop_timer(loop, 4000, first, &contexts[LOOP_TIMERS]), STATUS_FULL);
	assert_int_equal(loop_timer(loop, 9000, first, &contexts[3]), STATUS_OK);
	loop_timer_stop(loop, first, &contexts[4]);
	assert_int_equal(loop_timer(loop, 9000, first, &contexts[LOOP_TIMERS]), STATUS_OK);
}

static void waiting_lasts_until_the_timer(void **state)
{
	int64_t before = clock_mono_ms();

	(void)state;
	order[0] = '\0';
	assert_int_equal(loop_timer(loop, before + 30, first, NULL), STATUS_OK);
	while (!order[0])
		assert_int_equal(loop_turn(loop, 1000, NULL), STATUS_OK);
	assert_true(clock_mono_ms() >= before + 30);
	assert_true(clock_mono_ms() < before + 900);
}

struct caught {
	int numbers[4];
	int count;
};

static void note_signal(void *context, int number)
{
	struct caught *c = context;

	if (c->count < 4)
		c->numbers[c->count++] = number;
	loop_stop(loop);
}

static void signals_are_callbacks(void **state)
{
	static const int wanted[] = {SIGTERM, SIGHUP, 0};
	static const int more[] = {SIGUSR1, 0};
	struct caught c = {.count = 0};
	int ends[2];

	(void)state;
	assert_int_equal(loop_signals(loop, wanted, note_signal, &c, NULL), STATUS_OK);
	raise(SIGTERM);
	raise(SIGHUP);
	assert_false(loop_stopping(loop));
	assert_int_equal(loop_run(loop, 1000, NULL), STATUS_OK);
	assert_int_equal(c.count, 2);
	assert_true(c.numbers[0] == SIGTERM || c.numbers[1] == SIGTERM);
	/* Another list takes the place of the first. */
	assert_int_equal(loop_signals(loop, more, note_signal, &c, NULL), STATUS_OK);
	raise(SIGUSR1);
	turn();
	assert_int_equal(c.numbers[2], SIGUSR1);
	/* SIGPIPE is an error code now. */
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), -1);
	close(ends[1]);
}

static void count_down(void *context)
{
	int *left = context;

	if (--*left == 0)
		loop_stop(loop);
	assert_int_equal(loop_timer(loop, 0, count_down, context), STATUS_OK);
}

static void a_loop_runs_until_stopped_and_again(void **state)
{
	int left = 3;

	(void)state;
	assert_int_equal(loop_timer(loop, 0, count_down, &left), STATUS_OK);
	assert_int_equal(loop_run(loop, 1000, NULL), STATUS_OK);
	assert_int_equal(left, 0);
	left = 2;
	assert_int_equal(loop_run(loop, 1000, NULL), STATUS_OK);
	assert_int_equal(left, 0);
	/* A stop that came before counts. */
	left = 2;
	loop_stop(loop);
	assert_true(loop_stopping(loop));
	assert_int_equal(loop_run(loop, 1000, NULL), STATUS_OK);
	assert_int_equal(left, 2);
	assert_false(loop_stopping(loop));
}

static void slow(void *context)
{
	(void)context;
	fake_us += 7000000;
}

static void stalls_are_measured(void **state)
{
	(void)state;
	start_clock();
	assert_int_equal(loop_timer(loop, 0, slow, NULL), STATUS_OK);
	turn();
	turn();
	assert_int_equal(loop_longest_ms(loop), 7000);
	assert_int_equal(loop_longest_ms(loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readable_and_writable, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(a_hang_up_sets_both, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(
			a_forgotten_watch_is_not_called, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(
			a_reused_number_gets_no_stale_event, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(
			a_closed_descriptor_may_come_back_without_a_word, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(limits_are_told, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(timers_fire_once_in_order, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(stopped_timers_stay_silent, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(a_turn_ends, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(
			a_timer_per_pair_of_call_and_context, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(
			waiting_lasts_until_the_timer, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(signals_are_callbacks, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(
			a_loop_runs_until_stopped_and_again, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(stalls_are_measured, open_loop, close_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
