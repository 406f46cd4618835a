// SPDX-License-Identifier: Apache-2.0
/*
 * The loop's promises: order of timers, handles freed or stopped inside callbacks,
 * descriptor events and errors, signals, and time that stands still within a callback.
 */
#include "herald/io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct world {
	struct loop *loop;
	struct timer *a, *b;
	struct fd_watch *watch;
	int fds[2];
	char order[16];
	unsigned count, events;
	int signal_number;
};

static int build(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err e;

	*state = w;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, w->fds) < 0)
		return -1;
	return loop_new(&w->loop, &e);
}

static int tear_down(void **state)
{
	struct world *w = *state;

	timer_free(w->a);
	timer_free(w->b);
	fd_watch_free(w->watch);
	loop_free(w->loop);
	close(w->fds[0]);
	close(w->fds[1]);
	free(w);
	return 0;
}

static void note(struct world *w, char c)
{
	w->order[strlen(w->order)] = c;
}

static void note_a(void *context)
{
	note(context, 'a');
}

static void note_b(void *context)
{
	note(context, 'b');
}

static void timers_fire_in_order_and_once(void **state)
{
	struct world *w = *state;

	w->a = timer_new(w->loop, note_a, w);
	w->b = timer_new(w->loop, note_b, w);
	timer_start(w->a, 20);
	timer_start(w->b, 5);
	assert_true(timer_is_running(w->a));
	loop_run(w->loop);
	assert_string_equal(w->order, "ba");
	assert_false(timer_is_running(w->a));
}

static void starting_again_moves_a_timer(void **state)
{
	struct world *w = *state;

	w->a = timer_new(w->loop, note_a, w);
	w->b = timer_new(w->loop, note_b, w);
	timer_start(w->a, 3600000);
	timer_start(w->b, 10);
	timer_start(w->a, 1);
	loop_run(w->loop);
	assert_string_equal(w->order, "ab");
}

static void a_stopped_timer_is_silent(void **state)
{
	struct world *w = *state;

	w->a = timer_new(w->loop, note_a, w);
	timer_start(w->a, 1);
	timer_stop(w->a);
	assert_false(timer_is_running(w->a));
	loop_run(w->loop);
	assert_string_equal(w->order, "");
}

static void free_both(void *context)
{
	struct world *w = context;

	note(w, 'f');
	timer_free(w->a);
	timer_free(w->b);
	w->a = w->b = NULL;
}

static void a_timer_may_free_itself_and_others(void **state)
{
	struct world *w = *state;

	w->a = timer_new(w->loop, free_both, w);
	w->b = timer_new(w->loop, free_both, w);
	timer_start(w->a, 1);
	timer_start(w->b, 1);
	loop_run(w->loop);
	assert_string_equal(w->order, "f");
}

static void restart_at_once(void *context)
{
	struct world *w = context;

	timer_start(w->a, 0);
}

static void read_and_stop(void *context, unsigned events)
{
	struct world *w = context;
	char byte;

	assert_int_equal(events, FD_READABLE);
	assert_int_equal(read(w->fds[0], &byte, 1), 1);
	loop_stop(w->loop);
}

static void a_timer_that_restarts_at_once_starves_nobody(void **state)
{
	struct world *w = *state;

	w->a = timer_new(w->loop, restart_at_once, w);
	timer_start(w->a, 0);
	w->watch = fd_watch_new(w->loop, w->fds[0], read_and_stop, w);
	fd_watch_set(w->watch, FD_READABLE);
	assert_int_equal(write(w->fds[1], "x", 1), 1);
	loop_run(w->loop);
}

static void same_time(void *context)
{
	struct world *w = context;
	struct monotime before = loop_now(w->loop);

	/* Not a wait for anything: time has to pass for the test to mean something. */
	usleep(5000);
	assert_true(loop_now(w->loop).ns == before.ns);
	w->count++;
}

static void time_stands_still_within_a_callback(void **state)
{
	struct world *w = *state;
	struct monotime before = loop_now(w->loop);

	w->a = timer_new(w->loop, same_time, w);
	timer_start(w->a, 10);
	loop_run(w->loop);
	assert_int_equal(w->count, 1);
	assert_true(monotime_reached(loop_now(w->loop), monotime_add_ms(before, 10)));
}

static void a_timer_counts_from_now_not_from_the_last_turn(void **state)
{
	struct world *w = *state;
	struct monotime start;

	usleep(30000);
	start = loop_now(w->loop);
	w->a = timer_new(w->loop, note_a, w);
	timer_start(w->a, 20);
	loop_run(w->loop);
	assert_true(monotime_reached(loop_now(w->loop), monotime_add_ms(start, 20)));
}

static void note_events(void *context, unsigned events)
{
	struct world *w = context;

	w->events |= events;
	w->count++;
}

static void events_come_only_while_wanted(void **state)
{
	struct world *w = *state;

	w->watch = fd_watch_new(w->loop, w->fds[0], note_events, w);
	fd_watch_set(w->watch, FD_READABLE | FD_WRITABLE);
	loop_run_once(w->loop, true);
	assert_int_equal(w->events, FD_WRITABLE);
	fd_watch_set(w->watch, FD_READABLE);
	assert_int_equal(write(w->fds[1], "x", 1), 1);
	w->events = 0;
	loop_run_once(w->loop, true);
	assert_int_equal(w->events, FD_READABLE);
	fd_watch_set(w->watch, 0);
	w->count = 0;
	loop_run_once(w->loop, false);
	assert_int_equal(w->count, 0);
	fd_watch_set(w->watch, FD_READABLE);
	loop_run_once(w->loop, true);
	assert_int_equal(w->count, 1);
}

static void a_hang_up_is_told(void **state)
{
	struct world *w = *state;

	w->watch = fd_watch_new(w->loop, w->fds[0], note_events, w);
	fd_watch_set(w->watch, FD_READABLE);
	shutdown(w->fds[1], SHUT_RDWR);
	loop_run_once(w->loop, true);
	assert_int_equal(w->events, FD_READABLE);
}

static void an_error_is_told_and_the_watch_goes_on(void **state)
{
	struct world *w = *state;
	int pipe_fds[2];

	/* A pipe without reader is in error for who writes (poll(2)). */
	assert_int_equal(pipe(pipe_fds), 0);
	close(pipe_fds[0]);
	w->watch = fd_watch_new(w->loop, pipe_fds[1], note_events, w);
	fd_watch_set(w->watch, FD_READABLE);
	loop_run_once(w->loop, true);
	loop_run_once(w->loop, true);
	assert_int_equal(w->count, 2);
	assert_int_equal(w->events, FD_READABLE);
	fd_watch_free(STEAL(w->watch));
	close(pipe_fds[1]);
}

static void free_watch(void *context, unsigned events)
{
	struct world *w = context;

	(void)events;
	w->count++;
	fd_watch_free(STEAL(w->watch));
}

static void a_watch_may_free_itself(void **state)
{
	struct world *w = *state;

	w->watch = fd_watch_new(w->loop, w->fds[0], free_watch, w);
	fd_watch_set(w->watch, FD_READABLE | FD_WRITABLE);
	loop_run(w->loop);
	assert_int_equal(w->count, 1);
}

static void a_descriptor_can_be_watched_anew_after_free(void **state)
{
	struct world *w = *state;

	w->watch = fd_watch_new(w->loop, w->fds[0], note_events, w);
	fd_watch_set(w->watch, FD_WRITABLE);
	fd_watch_free(w->watch);
	w->watch = fd_watch_new(w->loop, w->fds[0], note_events, w);
	fd_watch_set(w->watch, FD_WRITABLE);
	loop_run_once(w->loop, true);
	assert_int_equal(w->count, 1);
}

static void note_signal(void *context, int signal_number)
{
	struct world *w = context;

	w->signal_number = signal_number;
	loop_stop(w->loop);
}

static void signals_arrive_on_the_loop(void **state)
{
	struct world *w = *state;
	struct err e;

	assert_int_equal(loop_on_signal(w->loop, SIGUSR1, note_signal, w, &e), 0);
	raise(SIGUSR1);
	loop_run(w->loop);
	assert_int_equal(w->signal_number, SIGUSR1);
}

static void an_unfit_signal_is_an_error(void **state)
{
	struct world *w = *state;
	struct err e;

	assert_true(loop_on_signal(w->loop, SIGKILL, note_signal, w, &e) < 0);
	assert_non_null(strstr(e.text, "signal 9"));
}

static void a_broken_pipe_kills_nobody(void **state)
{
	struct world *w = *state;

	close(w->fds[0]);
	w->fds[0] = -1;
	assert_int_equal(write(w->fds[1], "x", 1), -1);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, build, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(timers_fire_in_order_and_once),
		WITH_WORLD(starting_again_moves_a_timer),
		WITH_WORLD(a_stopped_timer_is_silent),
		WITH_WORLD(a_timer_may_free_itself_and_others),
		WITH_WORLD(a_timer_that_restarts_at_once_starves_nobody),
		WITH_WORLD(time_stands_still_within_a_callback),
		WITH_WORLD(a_timer_counts_from_now_not_from_the_last_turn),
		WITH_WORLD(events_come_only_while_wanted),
		WITH_WORLD(a_hang_up_is_told),
		WITH_WORLD(an_error_is_told_and_the_watch_goes_on),
		WITH_WORLD(a_watch_may_free_itself),
		WITH_WORLD(a_descriptor_can_be_watched_anew_after_free),
		WITH_WORLD(signals_arrive_on_the_loop),
		WITH_WORLD(an_unfit_signal_is_an_error),
		WITH_WORLD(a_broken_pipe_kills_nobody),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
