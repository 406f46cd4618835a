// SPDX-License-Identifier: Apache-2.0
/*
 * The status server spoken to over loopback sockets, client and server on one loop: every
 * answer, refusals, clients that never finish, and what --listen accepts.
 */
#include "herald/io/status_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "herald/io/listen.h"

#define DEADLINE_MS 20000

struct world {
	struct loop *loop;
	struct metrics *metrics;
	struct status_server *server;
	struct timer *deadline;
	bool ready;
};

struct client {
	struct fd_watch *watch;
	int fd;
	bool finished; /* the server closed */
	size_t length;
	char answer[65536];
};

static void out_of_time(void *context)
{
	(void)context;
	fail_msg("nothing happened before the deadline");
}

static int build(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err e;

	*state = w;
	w->metrics = metrics_new();
	if (loop_new(&w->loop, &e) < 0 ||
		status_server_new(w->loop, "127.0.0.1:0", w->metrics, &w->server, &e) < 0)
		return -1;
	w->deadline = timer_new(w->loop, out_of_time, NULL);
	timer_start(w->deadline, DEADLINE_MS);
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	timer_free(w->deadline);
	status_server_free(w->server);
	loop_free(w->loop);
	metrics_free(w->metrics);
	free(w);
	return 0;
}

static void client_read(void *context, unsigned events)
{
	struct client *client = context;
	ssize_t n = recv(client->fd, client->answer + client->length,
		sizeof(client->answer) - 1 - client->length, MSG_DONTWAIT);

	(void)events;
	if (n > 0)
		client->length += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		client->finished = true;
	if (client->finished)
		fd_watch_set(client->watch, 0);
}

/* From 127.0.0.`host`. */
static struct client *client_from(struct world *w, uint32_t host)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host)};
	struct sockaddr_in name = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)status_server_port(w->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct client *client = xcalloc(1, sizeof(*client));

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(client->fd >= 0);
	assert_int_equal(bind(client->fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)&name, sizeof(name)), 0);
	client->watch = fd_watch_new(w->loop, client->fd, client_read, client);
	fd_watch_set(client->watch, FD_READABLE);
	return client;
}

static struct client *client_new(struct world *w)
{
	return client_from(w, 1);
}

static void client_send(struct client *client, const char *text)
{
	assert_int_equal(send(client->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void client_free(struct client *client)
{
	fd_watch_free(client->watch);
	close(client->fd);
	free(client);
}

/* One request on a connection of its own; the whole answer, to be freed with client_free. */
static struct client *request(struct world *w, const char *method, const char *path)
{
	struct client *client = client_new(w);
	AUTO_FREE char *text = xasprintf(
		"%s %s HTTP/1.1\r\nHost: herald\r\nConnection: close\r\n\r\n", method, path);

	client_send(client, text);
	while (!client->finished)
		loop_run_once(w->loop, true);
	return client;
}

static void expect(
	struct world *w, const char *method, const char *path, const char *status, const char *body)
{
	struct client *client = request(w, method, path);
	const char *end = strstr(client->answer, "\r\n\r\n");

	assert_memory_equal(client->answer, "HTTP/1.1 ", 9);
	if (strncmp(client->answer + 9, status, strlen(status)) != 0)
		fail_msg("%s %s: %s", method, path, client->answer);
	assert_non_null(end);
	assert_string_equal(end + 4, body);
	client_free(client);
}

static bool is_ready(void *context, const char **ret_reason)
{
	const struct world *w = context;

	if (!w->ready)
		*ret_reason = "no configuration yet";
	return w->ready;
}

static void tells_health_and_readiness(void **state)
{
	struct world *w = *state;

	expect(w, "GET", "/healthz", "200", "ok\n");
	expect(w, "GET", "/readyz", "503", "not ready: starting\n");
	status_server_set_ready(w->server, is_ready, w);
	expect(w, "GET", "/readyz", "503", "not ready: no configuration yet\n");
	w->ready = true;
	expect(w, "GET", "/readyz", "200", "ok\n");
}

static void serves_the_metrics(void **state)
{
	struct world *w = *state;
	struct client *client;

	metric_set(metric_gauge(w->metrics, "g", "G.", NULL), 7);
	client = request(w, "GET", "/metrics");
	assert_non_null(strstr(
		client->answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(client->answer, "\r\n\r\n# HELP g G.\n# TYPE g gauge\ng 7\n"));
	client_free(client);
}

static char *page(void *context, const char **ret_content_type)
{
	*ret_content_type = "application/json";
	return context ? xstrdup(context) : NULL;
}

static void serves_the_programs_pages(void **state)
{
	static char body[] = "{}";
	struct world *w = *state;
	struct client *client;

	status_server_add_page(w->server, "/status", page, body);
	status_server_add_page(w->server, "/broken", page, NULL);
	client = request(w, "GET", "/status");
	assert_non_null(strstr(client->answer, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(client->answer, "\r\n\r\n{}"));
	client_free(client);
	expect(w, "GET", "/broken", "500", "the page could not be made\n");
}

static void refuses_what_it_does_not_serve(void **state)
{
	struct world *w = *state;
	struct client *client;

	expect(w, "GET", "/", "404", "not found\n");
	expect(w, "GET", "/metrics/", "404", "not found\n");
	expect(w, "HEAD", "/healthz", "200", "");
	expect(w, "POST", "/metrics", "405", "only GET and HEAD\n");
	expect(w, "DELETE", "/healthz", "405", "only GET and HEAD\n");
	client = request(w, "PUT", "/nowhere");
	assert_non_null(strstr(client->answer, "\r\nAllow: GET, HEAD\r\n"));
	client_free(client);
}

static void a_scraper_keeps_its_connection(void **state)
{
	struct world *w = *state;
	struct client *client = client_new(w);

	for (int i = 0; i < 3; i++) {
		memset(client->answer, 0, client->length);
		client->length = 0;
		client_send(client, "GET /healthz HTTP/1.1\r\nHost: herald\r\n\r\n");
		while (!strstr(client->answer, "\r\n\r\nok\n")) {
			assert_false(client->finished);
			loop_run_once(w->loop, true);
		}
	}
	client_free(client);
}

static void slow_clients_block_nobody(void **state)
{
	struct world *w = *state;
	struct client *slow[8];

	for (size_t i = 0; i < 8; i++) {
		slow[i] = client_new(w);
		client_send(slow[i], "GET /metrics HT");
	}
	expect(w, "GET", "/healthz", "200", "ok\n");
	/* The server gives up on them by itself. */
	for (size_t i = 0; i < 8; i++) {
		while (!slow[i]->finished)
			loop_run_once(w->loop, true);
		client_free(slow[i]);
	}
}

static void one_client_cannot_take_all_connections(void **state)
{
	struct world *w = *state;
	struct client *clients[100];
	size_t refused = 0;

	for (size_t i = 0; i < 100; i++)
		clients[i] = client_new(w);
	while (refused < 50) {
		loop_run_once(w->loop, true);
		refused = 0;
		for (size_t i = 0; i < 100; i++)
			refused += clients[i]->finished;
	}
	for (size_t i = 0; i < 100; i++)
		client_free(clients[i]);
	/* The server learns that they are gone from their sockets, which this turn shows. */
	loop_run_once(w->loop, false);
	expect(w, "GET", "/healthz", "200", "ok\n");
}

static void ten_clients_cannot_take_all_connections_either(void **state)
{
	struct world *w = *state;
	struct client *clients[200];

	for (size_t i = 0; i < 200; i++) {
		clients[i] = client_from(w, (uint32_t)(2 + i / 20));
		client_send(clients[i], "GET /healthz HTTP/1.1\r\nHost: ");
		loop_run_once(w->loop, false);
	}
	expect(w, "GET", "/healthz", "200", "ok\n");
	for (size_t i = 0; i < 200; i++)
		client_free(clients[i]);
}

static void too_much_header_is_refused(void **state)
{
	struct world *w = *state;
	struct client *client = client_new(w);
	char *text = xcalloc(1, 40001);

	memset(text, 'a', 40000);
	client_send(client, "GET /healthz HTTP/1.1\r\nHost: herald\r\nX: ");
	client_send(client, text);
	while (!client->finished)
		loop_run_once(w->loop, true);
	assert_null(strstr(client->answer, " 200 "));
	free(text);
	client_free(client);
	expect(w, "GET", "/healthz", "200", "ok\n");
}

static void a_taken_port_says_what_to_do(void **state)
{
	struct world *w = *state;
	struct status_server *second = NULL;
	struct err e;
	AUTO_FREE char *listen = xasprintf("127.0.0.1:%u", status_server_port(w->server));

	assert_int_equal(status_server_new(w->loop, listen, w->metrics, &second, &e), -EADDRINUSE);
	assert_null(second);
	assert_non_null(strstr(e.text, listen));
	assert_non_null(strstr(e.text, "--listen"));
}

static void a_foreign_address_says_what_to_do(void **state)
{
	struct world *w = *state;
	struct status_server *second = NULL;
	struct err e;

	assert_int_equal(status_server_new(w->loop, "192.0.2.1:7472", w->metrics, &second, &e),
		-EADDRNOTAVAIL);
	assert_non_null(strstr(e.text, "192.0.2.1:7472"));
	assert_non_null(strstr(e.text, "--listen"));
}

static void listens_on_all_addresses(void **state)
{
	struct world *w = *state;
	struct err e;

	status_server_free(w->server);
	w->server = NULL;
	assert_int_equal(status_server_new(w->loop, ":0", w->metrics, &w->server, &e), 0);
	assert_true(status_server_port(w->server) > 0);
	expect(w, "GET", "/healthz", "200", "ok\n");
}

static void reads_what_listen_accepts(void **state)
{
	static const struct {
		const char *text, *ip;
		unsigned port;
	} good[] = {
		{"127.0.0.1:7472", "127.0.0.1", 7472},
		{"[::1]:7472", "::1", 7472},
		{"[2001:db8::1]:65535", "2001:db8::1", 65535},
		{":0", "none", 0},
	};
	static const char *const bad[] = {"", ":", "7472", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "127.0.0.1: 80",
		"127.0.0.1:000080", "::1:7472", "[::1]", "[::1]7472", "[127.0.0.1]:80",
		"localhost:80", "[]:80", "1.2.3.4.5:80", "[::1%lo]:80"};
	struct listen_address address;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(listen_parse(good[i].text, &address, &e), 0);
		assert_string_equal(ip_text(&address.ip).s, good[i].ip);
		assert_int_equal(address.port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (listen_parse(bad[i], &address, &e) != -EINVAL)
			fail_msg("\"%s\" was accepted", bad[i]);
		assert_non_null(strstr(e.text, bad[i]));
	}
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, build, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(tells_health_and_readiness),
		WITH_WORLD(serves_the_metrics),
		WITH_WORLD(serves_the_programs_pages),
		WITH_WORLD(refuses_what_it_does_not_serve),
		WITH_WORLD(a_scraper_keeps_its_connection),
		WITH_WORLD(slow_clients_block_nobody),
		WITH_WORLD(one_client_cannot_take_all_connections),
		WITH_WORLD(ten_clients_cannot_take_all_connections_either),
		WITH_WORLD(too_much_header_is_refused),
		WITH_WORLD(a_taken_port_says_what_to_do),
		WITH_WORLD(a_foreign_address_says_what_to_do),
		WITH_WORLD(listens_on_all_addresses),
		cmocka_unit_test(reads_what_listen_accepts),
	};

	return cmocka_run_group_tests_name("status_server", tests, NULL, NULL);
}
