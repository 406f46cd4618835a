// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP for what the programs show. libmicrohttpd does HTTP and is known to this file only;
 * it runs on our loop, woken by its epoll descriptor and by the timeout it asks for.
 * Answers are held in memory, so that a slow reader costs a bounded buffer and delays
 * nobody. A request that is answered later has its connection suspended meanwhile.
 */
#include "herald/io/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
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

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	const char *path;	       /* while the handler runs, and while it waits */
	struct MHD_Response *response; /* NULL: not answered yet */
	unsigned status;
	bool handled, waiting;
	struct http_request *previous, *next; /* among those that wait */
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct fd_watch *watch;
	struct timer *timer;
	unsigned port;
	http_handler_fn *handler;
	void *context;
	struct http_request *waiting;
	bool stopping;
};

const char *http_request_path(const struct http_request *request)
{
	return request->path;
}

const char *http_request_query(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static void wait_begin(struct http_request *request)
{
	struct http_server *server = request->server;

	request->waiting = true;
	request->previous = NULL;
	request->next = server->waiting;
	if (request->next)
		request->next->previous = request;
	server->waiting = request;
	MHD_suspend_connection(request->connection);
}

static void wait_end(struct http_request *request)
{
	struct http_server *server = request->server;

	request->waiting = false;
	if (request->previous)
		request->previous->next = request->next;
	else
		server->waiting = request->next;
	if (request->next)
		request->next->previous = request->previous;
	MHD_resume_connection(request->connection);
	timer_start(server->timer, 0); /* the library goes on with it in its next run */
}

void http_request_answer_take(struct http_request *request, const struct http_answer *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->length, answer->body, MHD_RESPMEM_MUST_FREE);

	if (!response)
		DIE("out of memory");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	for (size_t i = 0; i < answer->header_count; i++)
		MHD_add_response_header(
			response, answer->headers[i].name, answer->headers[i].value);
	request->response = response;
	request->status = answer->status;
	if (request->waiting)
		wait_end(request);
}

void http_request_answer_text_take(struct http_request *request, unsigned status, char *text)
{
	struct http_answer answer = {
		.status = status,
		.content_type = "text/plain; charset=utf-8",
		.body = text,
		.length = strlen(text),
	};

	http_request_answer_take(request, &answer);
}

static void refuse_late(struct http_request *request)
{
	http_request_answer_text_take(
		request, MHD_HTTP_SERVICE_UNAVAILABLE, xstrdup("the program stops\n"));
}

static void refuse_method(struct http_request *request)
{
	static const struct http_header allow = {"Allow", "GET, HEAD"};
	struct http_answer answer = {
		.status = MHD_HTTP_METHOD_NOT_ALLOWED,
		.content_type = "text/plain; charset=utf-8",
		.body = xstrdup("only GET and HEAD\n"),
		.headers = &allow,
		.header_count = 1,
	};

	answer.length = strlen(answer.body);
	http_request_answer_take(request, &answer);
}

/*
 * Called once with the headers, then with each piece of a body, then once more to be
 * answered, and again when it has waited. Answering with the headers makes MHD close the
 * connection: right for what we refuse, but a scraper wants to keep its own.
 */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data, size_t *data_size, void **slot)
{
	struct http_server *server = context;
	struct http_request *request = *slot;

	(void)version;
	(void)data;
	if (!request) {
		*slot = request = xcalloc(1, sizeof(*request));
		request->server = server;
		request->connection = connection;
		if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
			strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
			return MHD_YES;
		refuse_method(request);
	} else if (*data_size > 0) {
		*data_size = 0;
		return MHD_YES;
	}
	request->path = path;
	if (!request->response && !request->handled) {
		request->handled = true;
		if (server->stopping)
			refuse_late(request);
		else
			server->handler(server->context, request);
		if (!request->response)
			wait_begin(request);
	}
	/* Woken without an answer: it waits no longer than the connection lives. */
	if (!request->response)
		return MHD_YES;
	return MHD_queue_response(connection, request->status, request->response);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **slot,
	enum MHD_RequestTerminationCode code)
{
	struct http_request *request = *slot;

	(void)context;
	(void)connection;
	(void)code;
	if (!request)
		return;
	if (request->response)
		MHD_destroy_response(request->response);
	free(request);
	*slot = NULL;
}

static void turn(void *context)
{
	struct http_server *server = context;
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

static int start_daemon(struct http_server *server, int fd, struct err *e)
{
	/* MHD closes the socket when it stops, and when it fails to start. */
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		handle, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_PER_CLIENT_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_END);
	if (!server->daemon)
		return err_set(e, -EIO, "cannot start the HTTP server on port %u", server->port);
	return 0;
}

int http_server_new(struct loop *loop, const char *listen, http_handler_fn *handler, void *context,
	struct http_server **ret, struct err *e)
{
	struct listen_address address;
	struct http_server *server;
	int fd;
	int r = listen_parse(listen, &address, e);

	if (r == 0)
		r = listen_open(&address, &fd, e);
	if (r < 0)
		return r;
	server = xcalloc(1, sizeof(*server));
	server->handler = handler;
	server->context = context;
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

unsigned http_server_port(const struct http_server *server)
{
	return server->port;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	server->stopping = true;
	while (server->waiting)
		refuse_late(server->waiting);
	/* It may not be stopped while a connection is suspended: no more are by now. */
	MHD_run(server->daemon);
	fd_watch_free(server->watch);
	timer_free(server->timer);
	MHD_stop_daemon(server->daemon);
	free(server);
}
