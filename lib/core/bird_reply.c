// SPDX-License-Identifier: Apache-2.0
/*
 * Replies of BIRD's control socket, from bytes as they come to lines with their codes, and
 * from lines to what they tell. In: bytes, in pieces of any size. Out: a whole reply, or
 * that it is none. Knows no socket.
 */
#include "herald/core/bird_reply.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

#define CODE_DIGITS 4u
#define CODE_BFD_SESSION 1020
#define WORD_MAX 64u

void bird_reply_done(struct bird_reply *reply)
{
	free(reply->bytes);
	free(reply->lines);
	*reply = (struct bird_reply){0};
}

static bool append(struct bird_reply *r, const char *bytes, size_t length)
{
	size_t used = r->size + r->pending;

	if (r->pending + length > BIRD_LINE_MAX || used + length + 1 > BIRD_REPLY_MAX)
		return false;
	if (used + length + 1 > r->room) {
		r->room = 2 * r->room + length + 256;
		r->bytes = xrealloc(r->bytes, r->room, 1);
	}
	if (length > 0)
		memcpy(r->bytes + used, bytes, length);
	r->bytes[used + length] = '\0';
	r->pending += length;
	return true;
}

/* -1: the line has no code of its own. */
static int code_of(const char *line, size_t length)
{
	int code = 0;

	if (length <= CODE_DIGITS || (line[CODE_DIGITS] != ' ' && line[CODE_DIGITS] != '-'))
		return -1;
	for (size_t i = 0; i < CODE_DIGITS; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -1;
		code = 10 * code + (line[i] - '0');
	}
	return code;
}

static void keep_line(struct bird_reply *r, int code, size_t skip)
{
	if (r->line_count == r->line_room) {
		r->line_room = r->line_room ? 2 * r->line_room : 16;
		r->lines = xrealloc(r->lines, r->line_room, sizeof(*r->lines));
	}
	r->lines[r->line_count].code = code;
	r->lines[r->line_count++].at = r->size + skip;
	r->size += r->pending + 1;
}

/* The pending bytes are a whole line, without its end. */
static enum bird_progress end_line(struct bird_reply *r)
{
	const char *line = r->bytes + r->size;
	size_t length = r->pending;
	int code = code_of(line, length);
	enum bird_progress progress = BIRD_MORE;

	if (length > 0 && line[0] == '+') {
		r->pending = 0;
		return BIRD_MORE;
	}
	if (memchr(line, '\0', length) != NULL)
		return BIRD_MALFORMED;
	if (code >= 0) {
		keep_line(r, code, CODE_DIGITS + 1);
		if (line[CODE_DIGITS] == ' ') {
			r->code = code;
			progress = BIRD_COMPLETE;
		}
	} else if (length > 0 && line[0] == ' ' && r->line_count > 0) {
		keep_line(r, r->lines[r->line_count - 1].code, 1);
	} else {
		return BIRD_MALFORMED;
	}
	r->pending = 0;
	return progress;
}

enum bird_progress bird_reply_feed(
	struct bird_reply *reply, const char *bytes, size_t length, size_t *ret_used)
{
	enum bird_progress progress = BIRD_MORE;

	*ret_used = 0;
	while (progress == BIRD_MORE && *ret_used < length) {
		const char *from = bytes + *ret_used;
		size_t left = length - *ret_used;
		const char *end = memchr(from, '\n', left);

		if (!append(reply, from, end ? (size_t)(end - from) : left))
			return BIRD_MALFORMED;
		*ret_used += end ? (size_t)(end - from) + 1 : left;
		if (end)
			progress = end_line(reply);
	}
	return progress;
}

size_t bird_reply_count(const struct bird_reply *reply)
{
	return reply->line_count;
}

struct bird_line bird_reply_at(const struct bird_reply *reply, size_t index)
{
	return (struct bird_line){reply->lines[index].code, reply->bytes + reply->lines[index].at};
}

bool bird_reply_is_error(const struct bird_reply *reply)
{
	return reply->code >= 8000;
}

const char *bird_reply_text(const struct bird_reply *reply)
{
	return reply->line_count > 0 ? bird_reply_at(reply, reply->line_count - 1).text : "";
}

const char *bird_bfd_state_text(enum bird_bfd_state state)
{
	static const char *const texts[] = {"AdminDown", "Down", "Init", "Up"};

	return texts[state];
}

/* The next word of a line, cut where it is longer than any that we look for. */
static const char *take_word(const char *text, char ret[static WORD_MAX])
{
	size_t length;

	text += strspn(text, " \t");
	length = strcspn(text, " \t");
	memcpy(ret, text, length < WORD_MAX ? length : WORD_MAX - 1);
	ret[length < WORD_MAX ? length : WORD_MAX - 1] = '\0';
	return text + length;
}

/* "192.0.2.12   eth0   Up   10:14:18.578   0.050   0.150" */
static bool parse_session(const char *text, struct bird_session *ret)
{
	char address[WORD_MAX], interface[WORD_MAX], state[WORD_MAX];

	text = take_word(text, address);
	text = take_word(text, interface);
	take_word(text, state);
	if (!ip_parse(address, &ret->address))
		return false;
	for (unsigned s = BIRD_BFD_ADMIN_DOWN; s <= BIRD_BFD_UP; s++) {
		if (strcmp(state, bird_bfd_state_text((enum bird_bfd_state)s)) == 0) {
			ret->state = (enum bird_bfd_state)s;
			return true;
		}
	}
	return false;
}

size_t bird_reply_sessions(const struct bird_reply *reply, struct bird_session *ret, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < reply->line_count && count < room; i++) {
		struct bird_line line = bird_reply_at(reply, i);

		if (line.code == CODE_BFD_SESSION && parse_session(line.text, &ret[count]))
			count++;
	}
	return count;
}
