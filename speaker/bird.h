// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_SPEAKER_BIRD_H
#define HERALD_SPEAKER_BIRD_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/io/bird_socket.h"
#include "herald/kube/program.h"

/*
 * The BIRD of this node: keeps what its configuration includes as it ought to be. A new
 * text is checked by BIRD before it is put in force; one that BIRD refuses is taken back,
 * so that BIRD finds what it had when it is started again. A BIRD that waits for its first
 * text before it starts gets that unchecked: there is none that it could be put back to.
 * The file can be read by its owner and its group alone: passwords are in it.
 */
#define BIRD_ANSWER_MS 1000u /* the longest that a short question may take */

struct bird;

struct bird_sink {
	/* In force or not any more, another problem or none. */
	void (*changed)(void *context);
	/* BIRD refuses what is wanted, because of this line of it (0: of none). */
	void (*refused)(void *context, size_t line);
};

/* `socket` and `include` are paths, borrowed. */
struct bird *bird_new(struct program *program, const char *socket, const char *include,
	const struct bird_sink *sink, void *context);
void bird_free(struct bird *bird); /* NULL is allowed */

/* What the include is to say; copied. */
void bird_want(struct bird *bird, const char *text);
/* BIRD is there, and has taken what was wanted last or before. */
bool bird_is_at_work(const struct bird *bird);
/* Whether it is known how BIRD is; at first it is not. */
bool bird_is_known(const struct bird *bird);
const char *bird_problem(const struct bird *bird); /* "" for none */
/* As bird_socket_send. */
bool bird_ask(
	struct bird *bird, const char *command, uint32_t ms, bird_reply_fn *fn, void *context);

#endif
