// SPDX-License-Identifier: Apache-2.0
/*
 * BIRD's include, kept in force. In: the text that is wanted. Out: a file, commands on
 * BIRD's control socket, and whether BIRD is at work. Does not know what the text says.
 *
 * One change at a time: write the file, `configure check`, `configure`. What goes wrong on
 * the way puts the file back. When BIRD comes back it may have read anything, so it is
 * told again; telling it what it knows already changes nothing.
 */
#include "bird.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "herald/io/small_file.h"

#define CONFIGURE_MS 10000u /* BIRD reads its whole configuration */
#define AGAIN_MS 10000u	    /* after a refusal: the fault may be in BIRD's own file */
#define FILE_MODE 0640	    /* passwords are in it */

struct bird {
	struct program *program;
	const char *include;
	struct bird_sink sink;
	void *context;
	struct bird_socket *socket;
	struct timer *again;
	char *wanted;	/* NULL: not known yet */
	char *in_force; /* NULL: not since BIRD is there */
	char *change;	/* what is being put in force; NULL: nothing */
	char *before;	/* the file's text before that; NULL: there was none */
	char problem[sizeof(((struct err *)NULL)->text)];
	bool known;
	struct metric *up, *refused, *applied;
};

static void apply(struct bird *b);

/* It is shown in JSON, and BIRD may say any bytes. */
static void keep_printable(char *ret, size_t room, const char *text)
{
	size_t length = 0;

	for (; *text && length + 1 < room; text++)
		ret[length++] = (char)(*text >= ' ' && *text <= '~' ? *text : '?');
	ret[length] = '\0';
}

static void set_problem(struct bird *b, const char *text)
{
	char problem[sizeof(b->problem)] = "";

	keep_printable(problem, sizeof(problem), text);
	if (*problem && strcmp(b->problem, problem) != 0)
		log_warn(b->program->log, "BIRD", "problem", problem, NULL);
	memcpy(b->problem, problem, sizeof(b->problem));
	b->known = true;
	metric_set(b->up, bird_is_at_work(b));
	b->sink.changed(b->context);
}

static void put_back(struct bird *b)
{
	struct err e;

	if (!b->before)
		unlink(b->include);
	else if (small_file_write(b->include, b->before, FILE_MODE, &e) != 0)
		log_error(
			b->program->log, "BIRD's include is not as it was", "error", e.text, NULL);
}

static void end_change(struct bird *b)
{
	free(b->change);
	free(b->before);
	b->change = b->before = NULL;
}

static void fail(struct bird *b, const char *problem)
{
	put_back(b);
	end_change(b);
	metric_add(b->refused, 1);
	timer_start(b->again, AGAIN_MS);
	set_problem(b, problem);
}

/* "/run/herald-bird/herald.conf:12:5 syntax error": 12, where that is our file. */
static size_t line_in_include(const struct bird *b, const char *text)
{
	const char *slash = strrchr(b->include, '/');
	AUTO_FREE char *mark = xasprintf("%s:", slash ? slash + 1 : b->include);
	const char *at = strstr(text, mark);
	unsigned long line = at ? strtoul(at + strlen(mark), NULL, 10) : 0;

	return line < SIZE_MAX ? line : 0;
}

static void refuse(struct bird *b, const struct bird_reply *reply)
{
	const char *text = bird_reply_text(reply);
	AUTO_FREE char *problem = xasprintf("it refuses its configuration: %s", text);
	size_t line = line_in_include(b, text);

	fail(b, problem);
	b->sink.refused(b->context, line);
}

static void on_configured(void *context, const struct bird_reply *reply)
{
	struct bird *b = context;

	if (!reply) { /* it was checked, so it may stay */
		end_change(b);
		return;
	}
	if (bird_reply_is_error(reply)) {
		refuse(b, reply);
		return;
	}
	free(b->in_force);
	b->in_force = STEAL(b->change);
	end_change(b);
	metric_add(b->applied, 1);
	log_info(b->program->log, "BIRD configured", "answer", bird_reply_text(reply), NULL);
	set_problem(b, "");
	apply(b);
}

static void on_checked(void *context, const struct bird_reply *reply)
{
	struct bird *b = context;

	if (!reply) {
		put_back(b);
		end_change(b);
	} else if (bird_reply_is_error(reply)) {
		refuse(b, reply);
	} else if (!bird_socket_send(b->socket, "configure", CONFIGURE_MS, on_configured, b)) {
		fail(b, "it can't be told to read its configuration");
	}
}

/* BIRD may wait for it (config/bgp). */
static void write_first(struct bird *b)
{
	struct err e;

	if (!b->wanted || access(b->include, F_OK) == 0)
		return;
	if (small_file_write(b->include, b->wanted, FILE_MODE, &e) != 0)
		set_problem(b, e.text);
}

static void apply(struct bird *b)
{
	struct err e;
	int r;

	if (!bird_socket_is_connected(b->socket))
		write_first(b);
	if (!bird_socket_is_connected(b->socket) || !b->wanted || b->change)
		return;
	if (b->in_force && strcmp(b->in_force, b->wanted) == 0) {
		if (*b->problem) /* what was refused is not wanted any more */
			set_problem(b, "");
		return;
	}
	b->change = xstrdup(b->wanted);
	r = small_file_read(b->include, &b->before, &e);
	if (r == -ENOENT)
		r = 0;
	if (r == 0 && (!b->before || strcmp(b->before, b->change) != 0))
		r = small_file_write(b->include, b->change, FILE_MODE, &e);
	if (r != 0) {
		end_change(b);
		timer_start(b->again, AGAIN_MS);
		set_problem(b, e.text);
	} else if (!bird_socket_send(b->socket, "configure check", CONFIGURE_MS, on_checked, b)) {
		fail(b, "it can't be told to check its configuration");
	}
}

static void on_again(void *context)
{
	apply(context);
}

static void on_connected(void *context, const char *hello)
{
	struct bird *b = context;

	log_info(b->program->log, "BIRD is there", "hello", hello, NULL);
	apply(b);
}

static void on_lost(void *context, const struct err *why)
{
	struct bird *b = context;

	free(b->in_force);
	b->in_force = NULL;
	set_problem(b, why->text);
}

struct bird *bird_new(struct program *program, const char *socket, const char *include,
	const struct bird_sink *sink, void *context)
{
	static const struct bird_socket_sink socket_sink = {on_connected, on_lost};
	struct bird *b = xcalloc(1, sizeof(*b));

	b->program = program;
	b->include = include;
	b->sink = *sink;
	b->context = context;
	b->up = metric_gauge(program->metrics, "herald_speaker_bird_up",
		"1 where BIRD is there and has taken our configuration.", NULL);
	b->applied = metric_counter(program->metrics, "herald_speaker_bird_configured_total",
		"Times that BIRD took a configuration of ours.", NULL);
	b->refused = metric_counter(program->metrics, "herald_speaker_bird_refused_total",
		"Times that a configuration could not be given to BIRD, or was refused.", NULL);
	b->again = timer_new(program->loop, on_again, b);
	b->socket = bird_socket_new(program->loop, socket, &socket_sink, b);
	return b;
}

void bird_free(struct bird *bird)
{
	if (!bird)
		return;
	bird_socket_free(bird->socket);
	timer_free(bird->again);
	end_change(bird);
	free(bird->wanted);
	free(bird->in_force);
	free(bird);
}

void bird_want(struct bird *bird, const char *text)
{
	if (bird->wanted && strcmp(bird->wanted, text) == 0)
		return;
	free(bird->wanted);
	bird->wanted = xstrdup(text);
	apply(bird);
}

bool bird_is_at_work(const struct bird *bird)
{
	return bird_socket_is_connected(bird->socket) && bird->in_force;
}

bool bird_is_known(const struct bird *bird)
{
	return bird->known;
}

const char *bird_problem(const struct bird *bird)
{
	return bird->problem;
}

bool bird_ask(struct bird *bird, const char *command, uint32_t ms, bird_reply_fn *fn, void *context)
{
	return bird_socket_send(bird->socket, command, ms, fn, context);
}
