// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_IO_BIRD_SOCKET_H
#define HERALD_IO_BIRD_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "herald/base/err.h"
#include "herald/core/bird_reply.h"
#include "herald/io/loop.h"

/*
 * A connection to BIRD's control socket that comes back by itself: at first soon, then
 * every BIRD_RETRY_MAX_MS. Commands are sent one after the other. BIRD that says what is
 * no reply, or says nothing for a command's time, is taken for gone.
 */
#define BIRD_RETRY_MIN_MS 50u
#define BIRD_RETRY_MAX_MS 2000u
#define BIRD_HELLO_MS 2000u
#define BIRD_COMMANDS_MAX 16u /* that wait */

struct bird_socket;

struct bird_socket_sink {
	/* BIRD said hello: "BIRD 2.0.12 ready." */
	void (*connected)(void *context, const char *hello);
	/* Also where it could not be reached in the first place, once for each reason. */
	void (*lost)(void *context, const struct err *why);
};

/* NULL instead of a reply: the connection was lost before it came. */
typedef void bird_reply_fn(void *context, const struct bird_reply *reply);

struct bird_socket *bird_socket_new(
	struct loop *loop, const char *path, const struct bird_socket_sink *sink, void *context);
/* Not from inside a callback; none comes any more. NULL is allowed. */
void bird_socket_free(struct bird_socket *socket);
bool bird_socket_is_connected(const struct bird_socket *socket);
/* False, and no callback: not connected, or too much waits. `command` is one line. */
bool bird_socket_send(struct bird_socket *socket, const char *command, uint32_t timeout_ms,
	bird_reply_fn *fn, void *context);

#endif
