// SPDX-License-Identifier: Apache-2.0
/*
 * BIRD's control socket on our loop. In: commands, one line each. Out: whole replies, and
 * whether BIRD is there. What is to be said to BIRD, and what its replies mean, is not
 * its business.
 */
#include "herald/io/bird_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_SIZE 16384u
#define READS_A_TURN 16u /* so that a flood leaves the loop its turn */

struct command {
	char *line;
	uint32_t timeout_ms;
	bird_reply_fn *fn;
	void *context;
};

enum state { WAITING, GREETING, CONNECTED };

struct bird_socket {
	struct loop *loop;
	char *path;
	struct bird_socket_sink sink;
	void *context;
	enum state state;
	int fd;
	struct fd_watch *watch;
	struct timer *timer; /* the next try, or the time for what is awaited */
	uint32_t retry_ms;
	struct command commands[BIRD_COMMANDS_MAX]; /* the first is under way */
	size_t command_count;
	size_t written; /* of the first one's line */
	struct bird_reply reply;
	char told[sizeof(((struct err *)NULL)->text)];
};

static void try_to_connect(struct bird_socket *s);

static void tell_lost(struct bird_socket *s, const struct err *why)
{
	if (strcmp(s->told, why->text) == 0)
		return;
	memcpy(s->told, why->text, sizeof(s->told));
	s->sink.lost(s->context, why);
}

/* Ends the connection, and tries again later. */
static void lose(struct bird_socket *s, const struct err *why)
{
	struct command commands[BIRD_COMMANDS_MAX];
	size_t count = s->command_count;

	memcpy(commands, s->commands, sizeof(commands));
	s->command_count = 0;
	s->state = WAITING;
	fd_watch_free(s->watch);
	s->watch = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	bird_reply_done(&s->reply);
	timer_start(s->timer, s->retry_ms);
	s->retry_ms = 2 * s->retry_ms < BIRD_RETRY_MAX_MS ? 2 * s->retry_ms : BIRD_RETRY_MAX_MS;
	tell_lost(s, why);
	for (size_t i = 0; i < count; i++) {
		commands[i].fn(commands[i].context, NULL);
		free(commands[i].line);
	}
}

static void lose_by_errno(struct bird_socket *s, const char *what, int code)
{
	struct err e;

	err_set(&e, -code, "cannot %s BIRD's control socket \"%s\": %s", what, s->path,
		strerror(code));
	lose(s, &e);
}

static void lose_because(struct bird_socket *s, const char *why)
{
	struct err e;

	err_set(&e, -EPROTO, "BIRD at \"%s\" %s", s->path, why);
	lose(s, &e);
}

/* An error is left to the next read, which meets it, too. */
static void write_command(struct bird_socket *s)
{
	const struct command *command = &s->commands[0];
	size_t length = strlen(command->line);
	ssize_t n = send(s->fd, command->line + s->written, length - s->written,
		MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		s->written += (size_t)n;
	fd_watch_set(s->watch, s->written < length && (n > 0 || errno == EAGAIN)
				       ? FD_READABLE | FD_WRITABLE
				       : FD_READABLE);
}

static void begin_command(struct bird_socket *s)
{
	s->written = 0;
	timer_start(s->timer, s->commands[0].timeout_ms);
	write_command(s);
}

static void greet(struct bird_socket *s, const struct bird_reply *hello)
{
	s->state = CONNECTED;
	s->retry_ms = BIRD_RETRY_MIN_MS;
	s->told[0] = '\0';
	timer_stop(s->timer);
	s->sink.connected(s->context, bird_reply_text(hello));
}

static void finish_command(struct bird_socket *s, const struct bird_reply *reply)
{
	struct command done = s->commands[0];

	timer_stop(s->timer);
	s->command_count--;
	memmove(s->commands, s->commands + 1, s->command_count * sizeof(s->commands[0]));
	if (s->command_count > 0)
		begin_command(s);
	done.fn(done.context, reply);
	free(done.line);
}

static void handle_reply(struct bird_socket *s)
{
	struct bird_reply reply = s->reply;

	s->reply = (struct bird_reply){0};
	if (s->state == GREETING && bird_reply_is_error(&reply))
		lose_because(s, "refuses to talk");
	else if (s->state == GREETING)
		greet(s, &reply);
	else if (s->command_count > 0)
		finish_command(s, &reply);
	else
		lose_because(s, "says something that it was not asked for");
	bird_reply_done(&reply);
}

static void take_bytes(struct bird_socket *s, const char *bytes, size_t length)
{
	size_t used;

	for (size_t at = 0; at < length && s->state != WAITING; at += used) {
		switch (bird_reply_feed(&s->reply, bytes + at, length - at, &used)) {
		case BIRD_MORE:
			break;
		case BIRD_COMPLETE:
			handle_reply(s);
			break;
		case BIRD_MALFORMED:
			lose_because(s, "says what is no reply of BIRD's control socket");
			return;
		}
	}
}

static void on_event(void *context, unsigned events)
{
	struct bird_socket *s = context;
	char bytes[READ_SIZE];

	if ((events & FD_WRITABLE) != 0 && s->command_count > 0)
		write_command(s);
	for (unsigned i = 0; i < READS_A_TURN && s->state != WAITING; i++) {
		ssize_t n = recv(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			lose_by_errno(s, "read from", errno);
			return;
		}
		if (n == 0) {
			lose_because(s, "closed its control socket");
			return;
		}
		take_bytes(s, bytes, (size_t)n);
	}
}

static void on_timer(void *context)
{
	struct bird_socket *s = context;

	if (s->state == WAITING)
		try_to_connect(s);
	else
		lose_because(s, "does not answer");
}

static void try_to_connect(struct bird_socket *s)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(s->path) >= sizeof(to.sun_path)) {
		lose_by_errno(s, "connect to", ENAMETOOLONG);
		return;
	}
	memcpy(to.sun_path, s->path, strlen(s->path) + 1);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		lose_by_errno(s, "connect to", errno);
		return;
	}
	s->state = GREETING;
	s->watch = fd_watch_new(s->loop, s->fd, on_event, s);
	fd_watch_set(s->watch, FD_READABLE);
	timer_start(s->timer, BIRD_HELLO_MS);
}

struct bird_socket *bird_socket_new(
	struct loop *loop, const char *path, const struct bird_socket_sink *sink, void *context)
{
	struct bird_socket *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->path = xstrdup(path);
	s->sink = *sink;
	s->context = context;
	s->fd = -1;
	s->retry_ms = BIRD_RETRY_MIN_MS;
	s->timer = timer_new(loop, on_timer, s);
	timer_start(s->timer, 0);
	return s;
}

void bird_socket_free(struct bird_socket *socket)
{
	if (!socket)
		return;
	for (size_t i = 0; i < socket->command_count; i++)
		free(socket->commands[i].line);
	fd_watch_free(socket->watch);
	timer_free(socket->timer);
	if (socket->fd >= 0)
		close(socket->fd);
	bird_reply_done(&socket->reply);
	free(socket->path);
	free(socket);
}

bool bird_socket_is_connected(const struct bird_socket *socket)
{
	return socket->state == CONNECTED;
}

bool bird_socket_send(struct bird_socket *socket, const char *command, uint32_t timeout_ms,
	bird_reply_fn *fn, void *context)
{
	if (socket->state != CONNECTED || socket->command_count == BIRD_COMMANDS_MAX)
		return false;
	socket->commands[socket->command_count++] = (struct command){
		.line = xasprintf("%s\n", command),
		.timeout_ms = timeout_ms,
		.fn = fn,
		.context = context,
	};
	if (socket->command_count == 1)
		begin_command(socket);
	return true;
}
