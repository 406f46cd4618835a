// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl's multi interface on epoll, and the lines of one watch. In: requests. Out:
 * lines as they come, and which writes have ended. It decodes nothing but the version to
 * resume from; the server ends a watch that does not keep up with what happens.
 */
#include "floor_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "herald/base/err.h"

#define WATCH_PATH "/api/v1/services?watch=true&allowWatchBookmarks=true&timeoutSeconds=600"
#define FROM_LIST "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
#define LISTED "k8s.io/initial-events-end"
#define WRITES_MAX 90u /* Herald's: an API server allows 100 streams on a connection */

struct floor_write {
	struct floor_client *client;
	struct floor_write *next;
	CURL *easy;
	const char *method;
	char *path, *body;
};

struct floor_client {
	struct floor_server server;
	struct floor_sink sink;
	void *context;
	struct curl_slist *headers, *patch_headers;
	CURLM *multi;
	int epoll;
	long timeout_ms; /* curl's; -1: none */

	CURL *watch;
	char *line;
	size_t length, capacity;
	char version[32]; /* of the last object; "" until all that exists was seen */
	size_t bytes, resumed;

	struct floor_write *first, *last; /* of those that wait */
	CURL *idle[WRITES_MAX];
	size_t idle_count, under_way;
};

static void must(CURLMcode code)
{
	if (code != CURLM_OK)
		DIE(curl_multi_strerror(code));
}

char *floor_text_after(const char *line, const char *key)
{
	const char *start = strstr(line, key);

	if (!start)
		return xstrdup("");
	start += strlen(key);
	return xasprintf("%.*s", (int)strcspn(start, "\""), start);
}

/* ---- exchanges ---- */

static CURL *new_exchange(struct floor_client *client, curl_write_callback body)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		DIE("out of memory");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_CAINFO, client->server.ca);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, client->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
	return easy;
}

static void set_path(const struct floor_client *client, CURL *easy, const char *path)
{
	AUTO_FREE char *url = xasprintf("%s%s", client->server.url, path);

	curl_easy_setopt(easy, CURLOPT_URL, url);
}

static size_t drop_body(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

/* ---- writes ---- */

void floor_client_write_take(
	struct floor_client *client, const char *method, char *path, char *body)
{
	struct floor_write *write = xcalloc(1, sizeof(*write));

	*write = (struct floor_write){
		.client = client, .method = method, .path = path, .body = body};
	if (client->first)
		client->last->next = write;
	else
		client->first = write;
	client->last = write;
}

static void send_write(struct floor_client *client, struct floor_write *write)
{
	bool patches = strcmp(write->method, "PATCH") == 0;

	write->easy = client->idle_count > 0 ? client->idle[--client->idle_count]
					     : new_exchange(client, drop_body);
	set_path(client, write->easy, write->path);
	curl_easy_setopt(
		write->easy, CURLOPT_HTTPHEADER, patches ? client->patch_headers : client->headers);
	curl_easy_setopt(write->easy, CURLOPT_POSTFIELDS, write->body);
	curl_easy_setopt(write->easy, CURLOPT_CUSTOMREQUEST, write->method);
	curl_easy_setopt(write->easy, CURLOPT_PRIVATE, write);
	client->under_way++;
	must(curl_multi_add_handle(client->multi, write->easy));
}

/* Not before all that exists was told: a server ends a watch to which more happens than it
   can tell beside its list. */
static void send_waiting(struct floor_client *client)
{
	if (client->watch && !client->version[0])
		return;
	while (client->first && client->under_way < WRITES_MAX) {
		struct floor_write *write = client->first;

		client->first = write->next;
		send_write(client, write);
	}
}

static void write_ended(struct floor_client *client, struct floor_write *write, CURLcode why)
{
	if (why != CURLE_OK) {
		fprintf(stderr, "cannot %s %s: ", write->method, write->path);
		DIE(curl_easy_strerror(why));
	}
	must(curl_multi_remove_handle(client->multi, write->easy));
	client->idle[client->idle_count++] = write->easy;
	client->under_way--;
	free(write->path);
	free(write->body);
	free(write);
	client->sink.written(client->context);
}

/* ---- the watch ---- */

static void take_line(struct floor_client *client)
{
	AUTO_FREE char *version = floor_text_after(client->line, "\"resourceVersion\":\"");
	bool is_end = strstr(client->line, LISTED) != NULL;

	if ((client->version[0] || is_end) && version[0])
		snprintf(client->version, sizeof(client->version), "%s", version);
	if (is_end)
		client->sink.listed(client->context);
	else
		client->sink.line(client->context, client->line);
}

/* The server ends each event with a line feed. */
static size_t watch_body(char *bytes, size_t size, size_t count, void *context)
{
	struct floor_client *client = context;
	char *end = bytes + size * count;

	client->bytes += size * count;
	while (bytes < end) {
		char *feed = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t part = (size_t)((feed ? feed : end) - bytes);

		if (client->length + part + 1 > client->capacity) {
			client->capacity = 2 * (client->length + part + 1);
			client->line = xrealloc(client->line, client->capacity, 1);
		}
		memcpy(client->line + client->length, bytes, part);
		client->length += part;
		client->line[client->length] = '\0';
		bytes += part;
		if (!feed)
			break;
		bytes++;
		take_line(client);
		client->length = 0;
	}
	return size * count;
}

void floor_client_watch(struct floor_client *client)
{
	AUTO_FREE char *path =
		client->version[0] ? xasprintf("%s&resourceVersion=%s", WATCH_PATH, client->version)
				   : xstrdup(WATCH_PATH FROM_LIST);

	client->watch = new_exchange(client, watch_body);
	set_path(client, client->watch, path);
	must(curl_multi_add_handle(client->multi, client->watch));
}

static void watch_ended(struct floor_client *client, CURLcode why)
{
	if (why != CURLE_OK || !client->version[0]) {
		fputs("the watch has ended: ", stderr);
		DIE(curl_easy_strerror(why));
	}
	must(curl_multi_remove_handle(client->multi, client->watch));
	curl_easy_cleanup(client->watch);
	client->length = 0;
	client->resumed++;
	floor_client_watch(client);
}

size_t floor_client_bytes(const struct floor_client *client)
{
	return client->bytes;
}

size_t floor_client_resumed(const struct floor_client *client)
{
	return client->resumed;
}

/* ---- the loop ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	struct floor_client *client = context;
	struct epoll_event event = {.data.fd = fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(client->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events =
		(what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	if (epoll_ctl(client->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
		DIE(strerror(errno));
	must(curl_multi_assign(client->multi, fd, client));
	return 0;
}

static int on_timer(CURLM *multi, long after_ms, void *context)
{
	(void)multi;
	((struct floor_client *)context)->timeout_ms = after_ms;
	return 0;
}

static void take_ended(struct floor_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		CURLcode code = message->data.result;
		char *private = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		if (message->easy_handle == client->watch)
			watch_ended(client, code);
		else
			write_ended(client, (struct floor_write *)(void *)private, code);
	}
}

static void turn(struct floor_client *client)
{
	struct epoll_event events[4];
	int running, count = epoll_wait(client->epoll, events, 4, (int)client->timeout_ms);

	if (count <= 0) {
		client->timeout_ms = -1;
		must(curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running));
	}
	for (int i = 0; i < count; i++)
		must(curl_multi_socket_action(client->multi, events[i].data.fd,
			(events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
				(events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0),
			&running));
}

void floor_client_run(struct floor_client *client, const bool *finished)
{
	while (!*finished) {
		send_waiting(client);
		turn(client);
		take_ended(client);
	}
}

/* ---- making ---- */

static struct curl_slist *header(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (!longer)
		DIE("out of memory");
	return longer;
}

static struct curl_slist *headers(const char *token, const char *content_type)
{
	AUTO_FREE char *authorization = xasprintf("Authorization: Bearer %s", token);

	return header(
		header(header(NULL, authorization), "Accept: application/json"), content_type);
}

struct floor_client *floor_client_new(
	const struct floor_server *server, const struct floor_sink *sink, void *context)
{
	struct floor_client *client = xcalloc(1, sizeof(*client));

	client->server = *server;
	client->sink = *sink;
	client->context = context;
	client->timeout_ms = -1;
	client->headers = headers(server->token, "Content-Type: application/json");
	client->patch_headers =
		headers(server->token, "Content-Type: application/strategic-merge-patch+json");
	client->epoll = epoll_create1(EPOLL_CLOEXEC);
	client->multi = curl_multi_init();
	if (client->epoll < 0 || !client->multi)
		DIE("cannot set up libcurl");
	must(curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX));
	must(curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L));
	must(curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket));
	must(curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client));
	must(curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer));
	must(curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client));
	return client;
}
