// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_LOOP_H
#define HERALD_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "herald/base/err.h"
#include "herald/base/monotime.h"

/*
 * The one event loop of a program, over libuv. Everything runs on one thread. Handles
 * may be freed at any time, also inside their own callback: their callback is not
 * called again afterwards.
 */
struct loop;
struct timer;
struct fd_watch;

int loop_new(struct loop **ret, struct err *e);
/* All handles must have been freed by their owners. NULL is allowed. */
void loop_free(struct loop *loop);
/* Returns after loop_stop, or when nothing is left that could wake it. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* One turn; waits for events only where `wait` is set. For tests and tools. */
void loop_run_once(struct loop *loop, bool wait);
/* Read once per turn: equal within one callback. */
struct monotime loop_now(struct loop *loop);

typedef void timer_fn(void *context);
struct timer *timer_new(struct loop *loop, timer_fn *fn, void *context);
/* One shot, after_ms from now; starting a running timer moves it. */
void timer_start(struct timer *timer, uint64_t after_ms);
void timer_stop(struct timer *timer);
bool timer_is_running(const struct timer *timer);
void timer_free(struct timer *timer); /* NULL is allowed */

enum fd_event { FD_READABLE = 1, FD_WRITABLE = 2 };
typedef void fd_fn(void *context, unsigned events); /* also called on error or hang-up */
struct fd_watch *fd_watch_new(struct loop *loop, int fd, fd_fn *fn, void *context);
void fd_watch_set(struct fd_watch *watch, unsigned events); /* enum fd_event, or 0: pause */
void fd_watch_free(struct fd_watch *watch); /* the fd stays the caller's; NULL is allowed */

typedef void signal_fn(void *context, int signal_number);
/* The handler lives as long as the loop. SIGPIPE is ignored by loop_new. */
int loop_on_signal(
	struct loop *loop, int signal_number, signal_fn *fn, void *context, struct err *e);

#endif
