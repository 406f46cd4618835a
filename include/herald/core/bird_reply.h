// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_BIRD_REPLY_H
#define HERALD_CORE_BIRD_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/base/ip.h"

/*
 * What BIRD says on its control socket. A reply is lines of "CODE-text" ended by one of
 * "CODE text"; a line that begins with a blank has the code of the one before, and one
 * that begins with "+" is no part of it (BIRD's log, echoed). The first digit of the last
 * code: 0 done, 1 a table, 8 an error while doing it, 9 the command was not understood.
 * Nothing that comes in is trusted: sizes are bounded, and what is malformed breaks the
 * connection rather than being guessed at.
 */
#define BIRD_REPLY_MAX (4u * 1024 * 1024)
#define BIRD_LINE_MAX 4096u

struct bird_line {
	int code;
	const char *text;
};

struct bird_reply {
	char *bytes; /* all texts, each with a NUL */
	size_t size, room;
	struct {
		int code;
		size_t at;
	} * lines;
	size_t line_count, line_room;
	size_t pending; /* bytes of a line that has not ended */
	int code;	/* of the line that ended it; 0 at first */
};

enum bird_progress { BIRD_MORE, BIRD_COMPLETE, BIRD_MALFORMED };

/* A zeroed reply is empty. *ret_used: what of the bytes belongs to this reply. */
enum bird_progress bird_reply_feed(
	struct bird_reply *reply, const char *bytes, size_t length, size_t *ret_used);
void bird_reply_done(struct bird_reply *reply); /* frees, and makes it empty */

size_t bird_reply_count(const struct bird_reply *reply);
struct bird_line bird_reply_at(const struct bird_reply *reply, size_t index);
bool bird_reply_is_error(const struct bird_reply *reply);
/* What it says at its end; "" where it says nothing. */
const char *bird_reply_text(const struct bird_reply *reply);

/* `show bfd sessions` */
enum bird_bfd_state { BIRD_BFD_ADMIN_DOWN, BIRD_BFD_DOWN, BIRD_BFD_INIT, BIRD_BFD_UP };
const char *bird_bfd_state_text(enum bird_bfd_state state);

struct bird_session {
	struct ip address;
	enum bird_bfd_state state;
};
/* At most `room` of them; lines that are none are passed over. */
size_t bird_reply_sessions(const struct bird_reply *reply, struct bird_session *ret, size_t room);

#endif
