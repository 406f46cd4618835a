// SPDX-License-Identifier: Apache-2.0
/*
 * The event loop over libuv; no other file knows libuv. A handle is closed at once when
 * its owner frees it, and its memory goes when libuv has let go of it (uv_close), which
 * is what makes freeing inside the handle's own callback safe. Time is libuv's: the
 * monotonic clock in milliseconds, read once per turn.
 */
#include "herald/io/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <uv.h>

struct signal_watch {
	uv_signal_t uv;
	signal_fn *fn;
	void *context;
	struct signal_watch *next;
};

struct loop {
	uv_loop_t uv;
	struct signal_watch *signals;
	bool running;
	bool in_timer; /* a timer's callback is on the stack */
};

struct timer {
	uv_timer_t uv;
	struct loop *loop;
	timer_fn *fn;
	void *context;
};

struct fd_watch {
	uv_poll_t uv;
	fd_fn *fn;
	void *context;
	unsigned wanted; /* enum fd_event */
};

static void must(int r)
{
	if (r < 0)
		DIE(uv_strerror(r));
}

int loop_new(struct loop **ret, struct err *e)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));
	int r = uv_loop_init(&loop->uv);

	if (r < 0) {
		free(loop);
		return err_set(e, r, "cannot create the event loop: %s", uv_strerror(r));
	}
	signal(SIGPIPE, SIG_IGN);
	*ret = loop;
	return 0;
}

static void free_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void die_if_in_use(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		DIE("a handle outlived its loop");
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (struct signal_watch *watch = loop->signals; watch; watch = watch->next)
		uv_close((uv_handle_t *)&watch->uv, free_closed);
	uv_walk(&loop->uv, die_if_in_use, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	must(uv_loop_close(&loop->uv));
	free(loop);
}

static void run(struct loop *loop, uv_run_mode mode)
{
	loop->running = true;
	uv_run(&loop->uv, mode);
	loop->running = false;
}

void loop_run(struct loop *loop)
{
	run(loop, UV_RUN_DEFAULT);
}

void loop_run_once(struct loop *loop, bool wait)
{
	run(loop, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

/* Between turns libuv's time stands still, so that a timer would start in the past. */
static uint64_t now_ms(struct loop *loop)
{
	if (!loop->running)
		uv_update_time(&loop->uv);
	return uv_now(&loop->uv);
}

struct monotime loop_now(struct loop *loop)
{
	return monotime_add_ms((struct monotime){0}, now_ms(loop));
}

static void timer_fired(uv_timer_t *handle)
{
	struct timer *timer = handle->data;
	struct loop *loop = timer->loop;

	loop->in_timer = true;
	timer->fn(timer->context);
	loop->in_timer = false;
}

struct timer *timer_new(struct loop *loop, timer_fn *fn, void *context)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));

	timer->loop = loop;
	timer->fn = fn;
	timer->context = context;
	must(uv_timer_init(&loop->uv, &timer->uv));
	timer->uv.data = timer;
	return timer;
}

void timer_start(struct timer *timer, uint64_t after_ms)
{
	now_ms(timer->loop);
	/* libuv runs due timers until none is left: one that restarts itself at once
	   would never let the loop look at its descriptors again. */
	if (after_ms == 0 && timer->loop->in_timer)
		after_ms = 1;
	must(uv_timer_start(&timer->uv, timer_fired, after_ms, 0));
}

void timer_stop(struct timer *timer)
{
	must(uv_timer_stop(&timer->uv));
}

bool timer_is_running(const struct timer *timer)
{
	return uv_is_active((const uv_handle_t *)&timer->uv);
}

void timer_free(struct timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->uv, free_closed);
}

static void fd_fired(uv_poll_t *handle, int status, int events);

static void fd_watch_arm(struct fd_watch *watch)
{
	int events = 0;

	if (watch->wanted & FD_READABLE)
		events |= UV_READABLE;
	if (watch->wanted & FD_WRITABLE)
		events |= UV_WRITABLE;
	must(events ? uv_poll_start(&watch->uv, events, fd_fired) : uv_poll_stop(&watch->uv));
}

static void fd_fired(uv_poll_t *handle, int status, int events)
{
	struct fd_watch *watch = handle->data;
	unsigned happened = 0;

	if (status < 0) {
		/* The owner's next read or write tells what it is. libuv gave up watching;
		   the error may pass (a link that went down comes up again). */
		happened = watch->wanted;
		fd_watch_arm(watch);
	}
	if (events & UV_READABLE)
		happened |= FD_READABLE;
	if (events & UV_WRITABLE)
		happened |= FD_WRITABLE;
	watch->fn(watch->context, happened);
}

struct fd_watch *fd_watch_new(struct loop *loop, int fd, fd_fn *fn, void *context)
{
	struct fd_watch *watch = xcalloc(1, sizeof(*watch));

	watch->fn = fn;
	watch->context = context;
	must(uv_poll_init(&loop->uv, &watch->uv, fd));
	watch->uv.data = watch;
	return watch;
}

void fd_watch_set(struct fd_watch *watch, unsigned events)
{
	if (watch->wanted == events)
		return;
	watch->wanted = events;
	fd_watch_arm(watch);
}

void fd_watch_free(struct fd_watch *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->uv, free_closed);
}

static void signal_fired(uv_signal_t *handle, int signal_number)
{
	struct signal_watch *watch = handle->data;

	watch->fn(watch->context, signal_number);
}

int loop_on_signal(
	struct loop *loop, int signal_number, signal_fn *fn, void *context, struct err *e)
{
	struct signal_watch *watch = xcalloc(1, sizeof(*watch));
	int r;

	watch->fn = fn;
	watch->context = context;
	must(uv_signal_init(&loop->uv, &watch->uv));
	watch->uv.data = watch;
	r = uv_signal_start(&watch->uv, signal_fired, signal_number);
	if (r < 0) {
		uv_close((uv_handle_t *)&watch->uv, free_closed);
		return err_set(e, r, "cannot handle signal %d: %s", signal_number, uv_strerror(r));
	}
	watch->next = loop->signals;
	loop->signals = watch;
	return 0;
}
