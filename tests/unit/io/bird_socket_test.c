// SPDX-License-Identifier: Apache-2.0
/*
 * BIRD's control socket as a client, against a BIRD that is played here on the same loop:
 * one that is well, slow, silent, hostile, gone and back.
 */
#include "herald/io/bird_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000

struct world {
	struct loop *loop;
	struct timer *deadline;
	struct bird_socket *client;
	char folder[32], path[64];
	int listener, peer;
	unsigned connected, lost, replies, failures;
	char hello[64], why[512], text[256];
};

static void out_of_time(void *context)
{
	(void)context;
	fail_msg("nothing happened before the deadline");
}

static void on_connected(void *context, const char *hello)
{
	struct world *w = context;

	w->connected++;
	snprintf(w->hello, sizeof(w->hello), "%s", hello);
}

static void on_lost(void *context, const struct err *why)
{
	struct world *w = context;

	w->lost++;
	snprintf(w->why, sizeof(w->why), "%s", why->text);
}

static void on_reply(void *context, const struct bird_reply *reply)
{
	struct world *w = context;

	if (!reply) {
		w->failures++;
		return;
	}
	w->replies++;
	snprintf(w->text, sizeof(w->text), "%s", bird_reply_text(reply));
}

static void listen_again(struct world *w)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	unlink(w->path);
	memcpy(address.sun_path, w->path, strlen(w->path) + 1);
	w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(w->listener, 5), 0);
}

static int build(void **state)
{
	static const struct bird_socket_sink sink = {on_connected, on_lost};
	struct world *w = xcalloc(1, sizeof(*w));
	struct err e;

	*state = w;
	w->listener = w->peer = -1;
	snprintf(w->folder, sizeof(w->folder), "/tmp/bird-test-XXXXXX");
	if (!mkdtemp(w->folder) || loop_new(&w->loop, &e) < 0)
		return -1;
	snprintf(w->path, sizeof(w->path), "%s/socket", w->folder);
	w->deadline = timer_new(w->loop, out_of_time, NULL);
	timer_start(w->deadline, DEADLINE_MS);
	w->client = bird_socket_new(w->loop, w->path, &sink, w);
	return 0;
}

static int destroy(void **state)
{
	struct world *w = *state;

	bird_socket_free(w->client);
	timer_free(w->deadline);
	loop_free(w->loop);
	close(w->listener);
	close(w->peer);
	unlink(w->path);
	rmdir(w->folder);
	free(w);
	return 0;
}

static void run_until(struct world *w, const unsigned *counter, unsigned value)
{
	while (*counter < value)
		loop_run_once(w->loop, true);
}

static void say(struct world *w, const char *text)
{
	assert_int_equal(write(w->peer, text, strlen(text)), strlen(text));
}

static void accept_client(struct world *w)
{
	w->peer = accept(w->listener, NULL, NULL);
	assert_true(w->peer >= 0);
}

/* The client is connected from then on. */
static void greet_client(struct world *w)
{
	unsigned before = w->connected;

	listen_again(w);
	while (w->peer < 0) {
		struct timeval moment = {.tv_usec = 1000};
		fd_set set;

		FD_ZERO(&set);
		FD_SET(w->listener, &set);
		if (select(w->listener + 1, &set, NULL, NULL, &moment) > 0)
			accept_client(w);
		else
			loop_run_once(w->loop, false);
	}
	say(w, "0001 BIRD 2.0.12 ready.\n");
	run_until(w, &w->connected, before + 1);
}

static void assert_said(struct world *w, const char *expected)
{
	char bytes[256] = "";
	size_t length = 0;

	while (length < strlen(expected)) {
		ssize_t n = recv(w->peer, bytes + length, sizeof(bytes) - length - 1, 0);

		assert_true(n > 0);
		length += (size_t)n;
	}
	assert_string_equal(bytes, expected);
}

static void no_bird_is_told_once(void **state)
{
	struct world *w = *state;

	run_until(w, &w->lost, 1);
	assert_non_null(strstr(w->why, w->path));
	assert_non_null(strstr(w->why, "No such file"));
	assert_false(bird_socket_send(w->client, "x", 1000, on_reply, w));
	greet_client(w); /* which takes some more tries */
	assert_int_equal(w->lost, 1);
	assert_string_equal(w->hello, "BIRD 2.0.12 ready.");
}

static void commands_go_one_after_the_other(void **state)
{
	struct world *w = *state;

	greet_client(w);
	assert_true(bird_socket_is_connected(w->client));
	assert_true(bird_socket_send(w->client, "show status", 10000, on_reply, w));
	assert_true(bird_socket_send(w->client, "configure", 10000, on_reply, w));
	assert_said(w, "show status\n");
	say(w, "1000-BIRD 2.0.12\n0013 Dae");
	loop_run_once(w->loop, true);
	assert_int_equal(w->replies, 0);
	say(w, "mon is up and running\n");
	run_until(w, &w->replies, 1);
	assert_string_equal(w->text, "Daemon is up and running");
	assert_said(w, "configure\n");
	say(w, "0003 Reconfigured\n");
	run_until(w, &w->replies, 2);
	assert_string_equal(w->text, "Reconfigured");
}

static void what_waits_is_bounded(void **state)
{
	struct world *w = *state;

	greet_client(w);
	for (unsigned i = 0; i < BIRD_COMMANDS_MAX; i++)
		assert_true(bird_socket_send(w->client, "x", 10000, on_reply, w));
	assert_false(bird_socket_send(w->client, "x", 10000, on_reply, w));
}

static void gone_and_back(void **state)
{
	struct world *w = *state;

	greet_client(w);
	bird_socket_send(w->client, "a", 10000, on_reply, w);
	bird_socket_send(w->client, "b", 10000, on_reply, w);
	assert_said(w, "a\n");
	close(w->peer);
	close(w->listener);
	w->peer = -1;
	run_until(w, &w->failures, 2);
	assert_int_equal(w->lost, 1);
	assert_non_null(strstr(w->why, "closed its control socket"));
	assert_false(bird_socket_is_connected(w->client));
	greet_client(w);
	bird_socket_send(w->client, "c", 10000, on_reply, w);
	assert_said(w, "c\n");
	say(w, "0000 \n");
	run_until(w, &w->replies, 1);
}

static void silence_is_no_answer(void **state)
{
	struct world *w = *state;

	greet_client(w);
	bird_socket_send(w->client, "a", 50, on_reply, w);
	run_until(w, &w->failures, 1);
	assert_non_null(strstr(w->why, "does not answer"));
}

static void hostile_words_end_it(void **state)
{
	static const char *const words[] = {"garbage\n", "0013\n", " x\n", "0000 unasked\n"};
	struct world *w = *state;

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		greet_client(w);
		say(w, words[i]);
		run_until(w, &w->lost, i + 1);
		assert_non_null(strstr(w->why, "says"));
		close(w->peer);
		close(w->listener);
		w->peer = -1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_bird_is_told_once, build, destroy),
		cmocka_unit_test_setup_teardown(commands_go_one_after_the_other, build, destroy),
		cmocka_unit_test_setup_teardown(what_waits_is_bounded, build, destroy),
		cmocka_unit_test_setup_teardown(gone_and_back, build, destroy),
		cmocka_unit_test_setup_teardown(silence_is_no_answer, build, destroy),
		cmocka_unit_test_setup_teardown(hostile_words_end_it, build, destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
