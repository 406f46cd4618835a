// SPDX-License-Identifier: Apache-2.0
/*
 * Requests that are answered later, over loopback sockets, client and server on one loop:
 * answered by and by, with others served meanwhile; ended with the server; left by their
 * client. What is answered at once is in status_server_test.c.
 */
#include "herald/io/http_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 20000
#define CLIENTS 3
#define LATER "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"

struct world {
	struct loop *loop;
	struct http_server *server;
	struct timer *deadline, *tick;
	struct http_request *kept[CLIENTS];
	size_t kept_count;
};

struct client {
	int fd;
	size_t length;
	char answer[4096];
};

static void out_of_time(void *context)
{
	(void)context;
	fail_msg("nothing happened before the deadline");
}

/* Lets the loop turn: the clients are not watched by it. */
static void on_tick(void *context)
{
	struct world *w = context;

	timer_start(w->tick, 1);
}

/* Keeps those for /later; tells the others what they said. */
static void handle(void *context, struct http_request *request)
{
	struct world *w = context;
	const char *query = http_request_query(request, "q");
	const char *header = http_request_header(request, "X-Word");

	if (strcmp(http_request_path(request), "/later") == 0)
		w->kept[w->kept_count++] = request;
	else
		http_request_answer_text_take(request, 200,
			xasprintf("%s %s %s", http_request_path(request), query ? query : "-",
				header ? header : "-"));
}

static int build(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err e;

	*state = w;
	if (loop_new(&w->loop, &e) < 0 ||
		http_server_new(w->loop, "127.0.0.1:0", handle, w, &w->server, &e) < 0)
		return -1;
	w->deadline = timer_new(w->loop, out_of_time, NULL);
	w->tick = timer_new(w->loop, on_tick, w);
	timer_start(w->deadline, DEADLINE_MS);
	timer_start(w->tick, 1);
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	timer_free(w->deadline);
	timer_free(w->tick);
	http_server_free(w->server);
	loop_free(w->loop);
	free(w);
	return 0;
}

static void client_ask(const struct world *w, struct client *client, const char *request)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_server_port(w->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	*client = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_true(client->fd >= 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(send(client->fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
}

/* True: something came, or the connection was ended. */
static bool client_read(struct client *client)
{
	ssize_t n = recv(client->fd, client->answer + client->length,
		sizeof(client->answer) - 1 - client->length, MSG_DONTWAIT);

	if (n > 0)
		client->length += (size_t)n;
	return n >= 0 || errno != EAGAIN;
}

static void wait_for_answer(struct world *w, struct client *client, const char *expected)
{
	while (!strstr(client->answer, expected)) {
		loop_run_once(w->loop, true);
		client_read(client);
	}
}

static void wait_for_kept(struct world *w, size_t count)
{
	while (w->kept_count < count)
		loop_run_once(w->loop, true);
}

static void tells_the_handler_what_was_asked(void **state)
{
	struct world *w = *state;
	struct client client;

	client_ask(w, &client, "GET /a%20b?q=%3Cx%3E+y&r HTTP/1.1\r\nHost: h\r\nX-Word: w\r\n\r\n");
	wait_for_answer(w, &client, "\r\n\r\n/a b <x> y w");
	close(client.fd);
}

static void answers_later_and_others_meanwhile(void **state)
{
	struct world *w = *state;
	struct client waiting[CLIENTS], other;

	for (size_t i = 0; i < CLIENTS; i++) {
		client_ask(w, &waiting[i], LATER);
		wait_for_kept(w, i + 1);
	}
	client_ask(w, &other, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for_answer(w, &other, "/now - -");
	/* In another order than they came, and again on the same connection. */
	http_request_answer_text_take(w->kept[1], 200, xstrdup("second"));
	http_request_answer_text_take(w->kept[0], 404, xstrdup("first"));
	http_request_answer_text_take(w->kept[2], 200, xstrdup("third"));
	wait_for_answer(w, &waiting[1], "second");
	wait_for_answer(w, &waiting[2], "third");
	wait_for_answer(w, &waiting[0], "404 Not Found");
	w->kept_count = 0;
	assert_int_equal(send(waiting[1].fd, LATER, strlen(LATER), MSG_NOSIGNAL), strlen(LATER));
	wait_for_kept(w, 1);
	http_request_answer_text_take(w->kept[0], 200, xstrdup("once more"));
	wait_for_answer(w, &waiting[1], "once more");
	for (size_t i = 0; i < CLIENTS; i++)
		close(waiting[i].fd);
	close(other.fd);
}

static void ends_while_somebody_waits(void **state)
{
	struct world *w = *state;
	struct client client;

	client_ask(w, &client, LATER);
	wait_for_kept(w, 1);
	http_server_free(w->server);
	w->server = NULL;
	while (!client_read(&client))
		loop_run_once(w->loop, true);
	close(client.fd);
}

/* Requests that arrive while it ends must not be left to wait. */
static void ends_while_somebody_asks(void **state)
{
	struct world *w = *state;
	struct client waiting, another;

	client_ask(w, &another, "GET /later HTTP/1.1\r\n");
	client_ask(w, &waiting, LATER);
	wait_for_kept(w, 1);
	assert_int_equal(send(another.fd, "Host: h\r\n\r\n", 11, MSG_NOSIGNAL), 11);
	http_server_free(w->server);
	w->server = NULL;
	assert_int_equal(w->kept_count, 1);
	close(waiting.fd);
	close(another.fd);
}

static void survives_a_client_that_has_left(void **state)
{
	struct world *w = *state;
	struct client client, other;

	client_ask(w, &client, LATER);
	wait_for_kept(w, 1);
	close(client.fd);
	client_ask(w, &other, "GET /now HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for_answer(w, &other, "/now");
	http_request_answer_text_take(w->kept[0], 200, xstrdup("too late"));
	close(other.fd);
	client_ask(w, &other, "GET /then HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for_answer(w, &other, "/then");
	close(other.fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_the_handler_what_was_asked),
		TEST(answers_later_and_others_meanwhile),
		TEST(ends_while_somebody_waits),
		TEST(ends_while_somebody_asks),
		TEST(survives_a_client_that_has_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
