// SPDX-License-Identifier: Apache-2.0
/*
 * The HTTP side of a program: /metrics, /healthz, /readyz and its own pages. libmicrohttpd
 * does HTTP and is known to this file only; it runs on our loop, woken by its epoll
 * descriptor and by the timeout it asks for. Answers are made at once and held in memory,
 * so that a slow reader costs a bounded buffer and delays nobody.
 */
#include "herald/io/status_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "herald/io/listen.h"

/* The port is open to every pod: shutting out the kubelet's probes, whereupon it would end
   the program, takes a dozen addresses and more. */
#define CONNECTIONS_MAX 256
#define CONNECTIONS_PER_CLIENT_MAX 16
#define CONNECTION_TIMEOUT_S 5
#define CONNECTION_MEMORY 8192 /* request line and headers */

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define TEXT_METRICS "text/plain; version=0.0.4; charset=utf-8"

struct page {
	char *path;
	page_fn *fn;
	void *context;
	struct page *next;
};

struct status_server {
	struct MHD_Daemon *daemon;
	struct metrics *metrics;
	struct fd_watch *watch;
	struct timer *timer;
	unsigned port;
	ready_fn *ready;
	void *ready_context;
	struct page *pages;
};

struct answer {
	unsigned status;
	const char *content_type;
	char *body; /* malloc'ed */
	size_t length;
};

static struct answer text_answer(unsigned status, char *body)
{
	return (struct answer){status, TEXT_PLAIN, body, strlen(body)};
}

static struct answer answer_metrics(struct status_server *server)
{
	struct answer answer = {.status = MHD_HTTP_OK, .content_type = TEXT_METRICS};

	answer.body = metrics_render(server->metrics, &answer.length);
	return answer;
}

static struct answer answer_ready(struct status_server *server)
{
	const char *reason = "starting";

	if (server->ready && server->ready(server->ready_context, &reason))
		return text_answer(MHD_HTTP_OK, xstrdup("ok\n"));
	return text_answer(MHD_HTTP_SERVICE_UNAVAILABLE, xasprintf("not ready: %s\n", reason));
}

static struct answer answer_page(const struct page *page)
{
	struct answer answer = {.status = MHD_HTTP_OK, .content_type = TEXT_PLAIN};

	answer.body = page->fn(page->context, &answer.content_type);
	if (!answer.body)
		return text_answer(
			MHD_HTTP_INTERNAL_SERVER_ERROR, xstrdup("the page could not be made\n"));
	answer.length = strlen(answer.body);
	return answer;
}

static struct answer answer_path(struct status_server *server, const char *path)
{
	if (strcmp(path, "/metrics") == 0)
		return answer_metrics(server);
	if (strcmp(path, "/healthz") == 0)
		return text_answer(MHD_HTTP_OK, xstrdup("ok\n"));
	if (strcmp(path, "/readyz") == 0)
		return answer_ready(server);
	for (const struct page *page = server->pages; page; page = page->next) {
		if (strcmp(path, page->path) == 0)
			return answer_page(page);
	}
	return text_answer(MHD_HTTP_NOT_FOUND, xstrdup("not found\n"));
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, const struct answer *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->length, answer->body, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result r;

	if (!response) {
		free(answer->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	r = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return r;
}

/*
 * Called once with the headers, then with each piece of a body, then once more to be
 * answered. Answering with the headers makes MHD close the connection: right for what we
 * refuse, but a scraper wants to keep its own.
 */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data, size_t *data_size, void **seen)
{
	static char mark;
	struct answer answer;

	(void)version;
	(void)data;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		answer = text_answer(MHD_HTTP_METHOD_NOT_ALLOWED, xstrdup("only GET and HEAD\n"));
		return send_answer(connection, &answer);
	}
	if (!*seen) {
		*seen = &mark;
		return MHD_YES;
	}
	if (*data_size > 0) {
		*data_size = 0;
		return MHD_YES;
	}
	answer = answer_path(context, path);
	return send_answer(connection, &answer);
}

static void turn(void *context)
{
	struct status_server *server = context;
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES)
		timer_start(server->timer, timeout_ms);
	else
		timer_stop(server->timer);
}

static void turn_for_fd(void *context, unsigned events)
{
	(void)events;
	turn(context);
}

static unsigned port_of(int fd)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (getsockname(fd, (struct sockaddr *)&name, &length) < 0)
		DIE(strerror(errno));
	memcpy(&v4, &name, sizeof(v4));
	memcpy(&v6, &name, sizeof(v6));
	return ntohs(name.ss_family == AF_INET ? v4.sin_port : v6.sin6_port);
}

static int start_daemon(struct status_server *server, int fd, struct err *e)
{
	/* MHD closes the socket when it stops, and when it fails to start. */
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, server,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_PER_CLIENT_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	if (!server->daemon)
		return err_set(e, -EIO, "cannot start the HTTP server on port %u", server->port);
	return 0;
}

int status_server_new(struct loop *loop, const char *listen, struct metrics *metrics,
	struct status_server **ret, struct err *e)
{
	struct listen_address address;
	struct status_server *server;
	int fd;
	int r = listen_parse(listen, &address, e);

	if (r == 0)
		r = listen_open(&address, &fd, e);
	if (r < 0)
		return r;
	server = xcalloc(1, sizeof(*server));
	server->metrics = metrics;
	server->port = port_of(fd);
	r = start_daemon(server, fd, e);
	if (r < 0) {
		free(server);
		return r;
	}
	server->timer = timer_new(loop, turn, server);
	server->watch = fd_watch_new(loop,
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
		turn_for_fd, server);
	fd_watch_set(server->watch, FD_READABLE);
	*ret = server;
	return 0;
}

void status_server_set_ready(struct status_server *server, ready_fn *fn, void *context)
{
	server->ready = fn;
	server->ready_context = context;
}

void status_server_add_page(
	struct status_server *server, const char *path, page_fn *fn, void *context)
{
	struct page *page = xcalloc(1, sizeof(*page));

	page->path = xstrdup(path);
	page->fn = fn;
	page->context = context;
	page->next = server->pages;
	server->pages = page;
}

unsigned status_server_port(const struct status_server *server)
{
	return server->port;
}

void status_server_free(struct status_server *server)
{
	struct page *next;

	if (!server)
		return;
	fd_watch_free(server->watch);
	timer_free(server->timer);
	MHD_stop_daemon(server->daemon);
	for (struct page *page = server->pages; page; page = next) {
		next = page->next;
		free(page->path);
		free(page);
	}
	free(server);
}
