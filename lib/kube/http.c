// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl's multi interface on our loop; only this file knows curl. Its sockets are
 * fd_watches, its clock is one timer. curl forbids to add or remove a transfer inside its
 * callbacks, so what callers start or cancel there waits until curl has returned: starts
 * in `queued`, which a timer of 0 ms takes up, cancellations as a flag.
 *
 * Handles are kept for reuse, and curl's buffers are small: there is one for each stream,
 * and memory counts on every node.
 */
#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#define HANDLES_KEPT 8u
#define STREAMS_MAX 1000L     /* the server's own limit holds where it is lower */
#define CONNECTIONS_MAX 16L   /* without HTTP/2 each watch needs its own */
#define ACTIVE_MAX 90u	      /* an API server allows 100 streams; more wait in `queued` */
#define UNMULTIPLEXED_MAX 12u /* of CONNECTIONS_MAX, where each takes one for itself */
#define URGENT_MAX 4u	      /* besides */
#define CURL_BUFFER 16384L
#define CONNECT_TIMEOUT_MS 5000L

/* A dead host: noticed after keepalive idle + interval, or when data goes unanswered. */
#define KEEPALIVE_IDLE_S 10L
#define KEEPALIVE_INTERVAL_S 5L
#define UNACKNOWLEDGED_MAX_MS 12000

/* A hung server: a probe after the first, the connections are cut after the second. */
#define SILENCE_CHECK_MS 5000u
#define SILENCE_PROBE_MS 14000u
#define SILENCE_CUT_MS 24000u
#define PROBE_PATH "/livez" /* any answer will do, also 401 or 404 */

struct http_socket {
	struct http *http;
	curl_socket_t fd;
	struct fd_watch *watch;
	struct http_socket *prev, *next;
};

struct http {
	struct loop *loop;
	const struct kubeconfig *config;
	char *user_agent;
	char *base_url;
	struct curl_slist *connect_to; /* NULL without a TLS server name */
	CURLM *multi;
	struct timer *clock;	/* curl's */
	struct timer *deferred; /* starts what is queued */
	struct timer *silence;
	struct monotime heard; /* when a socket was last readable */
	struct http_request *probe;
	bool in_curl;
	struct http_request *queued, *active;
	size_t active_count;
	bool multiplexes; /* the last answer came over HTTP/2 */
	struct http_socket *sockets;
	CURL *spare[HANDLES_KEPT];
	size_t spare_count;
};

struct http_request {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct http_sink sink;
	void *context;
	char *body;		/* sent */
	struct monotime wanted; /* since then */
	uint32_t timeout_ms;
	size_t response_max;
	char *response;
	size_t length, capacity;
	const char *refused; /* why we ended it ourselves */
	int socket_error;    /* errno: no socket could be made */
	bool urgent, queued, cancelled, finishing;
	char error[CURL_ERROR_SIZE];
	struct http_request *prev, *next;
};

static void must(CURLMcode code)
{
	if (code != CURLM_OK)
		DIE(curl_multi_strerror(code));
}

static void set_long(CURL *easy, CURLoption option, long value)
{
	if (curl_easy_setopt(easy, option, value) != CURLE_OK)
		DIE("libcurl does not know an option");
}

static void set_pointer(CURL *easy, CURLoption option, const void *value)
{
	CURLcode code = curl_easy_setopt(easy, option, value);

	if (code != CURLE_OK)
		DIE(curl_easy_strerror(code));
}

static void set_pem(CURL *easy, CURLoption option, const char *pem)
{
	struct curl_blob blob = {.flags = CURL_BLOB_NOCOPY, .len = strlen(pem)};

	memcpy(&blob.data, &pem, sizeof(pem)); /* curl's type lacks const; it only reads */
	set_pointer(easy, option, &blob);
}

/* ---- requests' memory ---- */

static void request_free(struct http_request *request)
{
	struct http *http = request->http;

	if (http->probe == request)
		http->probe = NULL;
	if (request->easy && http->spare_count < HANDLES_KEPT) {
		curl_easy_reset(request->easy);
		http->spare[http->spare_count++] = request->easy;
	} else if (request->easy) {
		curl_easy_cleanup(request->easy);
	}
	curl_slist_free_all(request->headers);
	free(request->body);
	free(request->response);
	free(request);
}

static CURL *take_handle(struct http *http)
{
	CURL *easy = http->spare_count > 0 ? http->spare[--http->spare_count] : curl_easy_init();

	if (!easy)
		DIE("cannot make a curl handle");
	return easy;
}

static void add_header(struct http_request *request, const char *name, const char *value)
{
	AUTO_FREE char *line = xasprintf("%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(request->headers, line);

	if (!longer)
		DIE("out of memory");
	request->headers = longer;
}

/* ---- curl's callbacks of a transfer ---- */

static bool collect(struct http_request *request, const char *bytes, size_t length)
{
	if (length > request->response_max - request->length) {
		request->refused = "the answer is larger than allowed";
		return false;
	}
	if (request->length + length + 1 > request->capacity) {
		size_t capacity = request->capacity ? request->capacity : 4096;

		while (capacity < request->length + length + 1)
			capacity *= 2;
		request->response = xrealloc(request->response, capacity, 1);
		request->capacity = capacity;
	}
	memcpy(request->response + request->length, bytes, length);
	request->length += length;
	request->response[request->length] = '\0';
	return true;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_request *request = context;
	size_t length = size * count;
	long status = 0;

	if (request->cancelled)
		return 0;
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!request->sink.data || status / 100 != 2)
		return collect(request, bytes, length) ? length : 0;
	if (!request->sink.data(request->context, bytes, length)) {
		request->refused = "the answer was refused";
		return 0;
	}
	return request->cancelled ? 0 : length;
}

/* curl does not tell why it could not make one. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_request *request = context;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	/* A family that this machine does not have: the other one counts. */
	request->socket_error = fd < 0 && errno != EAFNOSUPPORT ? errno : 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* Keepalive covers an idle connection only; unanswered data is this timeout's. */
static int on_socket_made(void *context, curl_socket_t fd, curlsocktype purpose)
{
	unsigned most = UNACKNOWLEDGED_MAX_MS;

	(void)context;
	(void)purpose;
	/* Best effort: the probe notices what this would have. */
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof(most));
	return CURL_SOCKOPT_OK;
}

static void set_identity(CURL *easy, const struct kubeconfig *config)
{
	set_long(easy, CURLOPT_SSL_VERIFYPEER, 1);
	set_long(easy, CURLOPT_SSL_VERIFYHOST, 2);
	set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	set_long(easy, CURLOPT_CA_CACHE_TIMEOUT, 0); /* a rotated CA file is seen */
	if (config->ca_pem)
		set_pem(easy, CURLOPT_CAINFO_BLOB, config->ca_pem);
	else if (config->ca_file)
		set_pointer(easy, CURLOPT_CAINFO, config->ca_file);
	if (config->cert_pem)
		set_pem(easy, CURLOPT_SSLCERT_BLOB, config->cert_pem);
	else if (config->cert_file)
		set_pointer(easy, CURLOPT_SSLCERT, config->cert_file);
	if (config->key_pem)
		set_pem(easy, CURLOPT_SSLKEY_BLOB, config->key_pem);
	else if (config->key_file)
		set_pointer(easy, CURLOPT_SSLKEY, config->key_file);
}

static void set_connection(const struct http *http, CURL *easy)
{
	set_long(easy, CURLOPT_NOSIGNAL, 1);
	set_pointer(easy, CURLOPT_PROTOCOLS_STR, "https");
	set_pointer(easy, CURLOPT_PROXY, ""); /* never by accident of the environment */
	set_pointer(easy, CURLOPT_CONNECT_TO, http->connect_to);
	set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	set_long(easy, CURLOPT_PIPEWAIT, 1);
	set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, CURL_BUFFER);
	set_long(easy, CURLOPT_TCP_KEEPALIVE, 1);
	set_long(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_long(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
}

static void set_exchange(struct http_request *request, const struct http_options *options)
{
	const struct http *http = request->http;
	AUTO_FREE char *url = xasprintf("%s%s", http->base_url, options->path);
	CURL *easy = request->easy;

	set_pointer(easy, CURLOPT_URL, url);
	set_pointer(easy, CURLOPT_USERAGENT, http->user_agent);
	if (options->body) {
		set_pointer(easy, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)options->body_length);
	}
	set_pointer(easy, CURLOPT_CUSTOMREQUEST, options->method);
	add_header(request, "Accept", "application/json");
	add_header(request, "Expect", ""); /* no wait for 100 Continue */
	if (options->content_type)
		add_header(request, "Content-Type", options->content_type);
	if (options->authorization)
		add_header(request, "Authorization", options->authorization);
	set_pointer(easy, CURLOPT_HTTPHEADER, request->headers);
	set_pointer(easy, CURLOPT_ERRORBUFFER, request->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	set_pointer(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	set_pointer(easy, CURLOPT_OPENSOCKETDATA, request);
	set_pointer(easy, CURLOPT_PRIVATE, request);
}

struct http_request *http_start(struct http *http, const struct http_options *options,
	const struct http_sink *sink, void *context)
{
	struct http_request *request = xcalloc(1, sizeof(*request));

	request->http = http;
	request->easy = take_handle(http);
	request->sink = *sink;
	request->context = context;
	request->response_max = options->response_max;
	request->urgent = options->urgent;
	request->wanted = loop_now(http->loop);
	request->timeout_ms = options->timeout_ms;
	request->queued = true;
	if (options->body) {
		request->body = xcalloc(options->body_length + 1, 1);
		memcpy(request->body, options->body, options->body_length);
	}
	set_connection(http, request->easy);
	set_identity(request->easy, http->config);
	set_exchange(request, options);
	if (request->urgent)
		DL_PREPEND(http->queued, request);
	else
		DL_APPEND(http->queued, request);
	timer_start(http->deferred, 0);
	return request;
}

/* ---- the end of a transfer ---- */

static void forget_active(struct http_request *request)
{
	struct http *http = request->http;

	must(curl_multi_remove_handle(http->multi, request->easy));
	DL_DELETE(http->active, request);
	http->active_count--;
	if (!http->active)
		timer_stop(http->silence);
	if (http->queued)
		timer_start(http->deferred, 0);
}

void http_cancel(struct http_request *request)
{
	if (!request || request->finishing)
		return;
	if (request->queued) {
		DL_DELETE(request->http->queued, request);
	} else if (request->http->in_curl) {
		request->cancelled = true;
		return;
	} else {
		forget_active(request);
	}
	request_free(request);
}

static const char *connect_failure_text(struct http_request *request, int os_error)
{
	if (request->socket_error != 0)
		snprintf(request->error, sizeof(request->error),
			"cannot make a socket to connect to %.120s: %s",
			request->http->config->server, strerror(request->socket_error));
	else
		snprintf(request->error, sizeof(request->error), "cannot connect to %.150s: %s",
			request->http->config->server,
			os_error ? strerror(os_error) : "no address answers");
	return request->error;
}

/* Without ports, counts and times that change from one try to the next: what is the same
   failure must have the same text. */
static const char *failure_text(struct http_request *request, CURLcode code)
{
	long os_error = 0;

	if (request->refused)
		return request->refused;
	switch (code) {
	case CURLE_OK:
		return NULL;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &os_error);
		return connect_failure_text(request, (int)os_error);
	case CURLE_OPERATION_TIMEDOUT:
		snprintf(request->error, sizeof(request->error), "no answer from %.150s in time",
			request->http->config->server);
		return request->error;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return "the connection broke off";
	case CURLE_PEER_FAILED_VERIFICATION:
		request->error[strcspn(request->error, "\r\n")] = '\0';
		return request->error[0] ? request->error : curl_easy_strerror(code);
	default:
		return curl_easy_strerror(code);
	}
}

/* Whether it has to share its connection with none. */
static void note_version(const struct http_request *request)
{
	long version = CURL_HTTP_VERSION_NONE;

	curl_easy_getinfo(request->easy, CURLINFO_HTTP_VERSION, &version);
	if (version != CURL_HTTP_VERSION_NONE)
		request->http->multiplexes = version >= CURL_HTTP_VERSION_2_0;
}

static void finish(struct http_request *request, CURLcode code)
{
	struct http_result result = {
		.body = request->response ? request->response : "", .length = request->length};
	curl_off_t retry_after = 0, microseconds = 0;

	request->finishing = true;
	note_version(request);
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &result.status);
	curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &retry_after);
	curl_easy_getinfo(request->easy, CURLINFO_TOTAL_TIME_T, &microseconds);
	if (retry_after > 0)
		result.retry_after_ms = retry_after < 3600 ? (uint32_t)retry_after * 1000 : 3600000;
	result.seconds = (double)microseconds / 1e6;
	result.failure = failure_text(request, code);
	forget_active(request);
	request->sink.done(request->context, &result);
	request_free(request);
}

static void drop_cancelled(struct http *http)
{
	struct http_request *request, *next;

	DL_FOREACH_SAFE(http->active, request, next)
	{
		if (!request->cancelled)
			continue;
		forget_active(request);
		request_free(request);
	}
}

/* What curl finished; a callback may start and cancel whatever it likes. */
static void after_curl(struct http *http)
{
	CURLMsg *message;
	int left;

	drop_cancelled(http);
	while ((message = curl_multi_info_read(http->multi, &left))) {
		CURLcode code = message->data.result;
		char *private = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		finish((struct http_request *)(void *)private, code);
	}
}

static void run_curl(struct http *http, curl_socket_t fd, int events)
{
	int running;

	http->in_curl = true;
	must(curl_multi_socket_action(http->multi, fd, events, &running));
	http->in_curl = false;
	after_curl(http);
}

/* ---- the loop's callbacks ---- */

/* Behind a proxy that knows no HTTP/2 too many would wait inside curl for a connection,
   the urgent ones behind them. Until the first answer it is taken for one. */
static bool may_start(const struct http *http, const struct http_request *request)
{
	size_t most = http->multiplexes ? ACTIVE_MAX : UNMULTIPLEXED_MAX;

	return http->active_count < (request->urgent ? most + URGENT_MAX : most);
}

/* What it waited for the others counts, too. */
static void set_timeout(const struct http_request *request)
{
	uint64_t waited_ms = (loop_now(request->http->loop).ns - request->wanted.ns) / 1000000u;
	uint64_t left_ms = request->timeout_ms > waited_ms ? request->timeout_ms - waited_ms : 1;

	set_long(request->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
}

static void start_queued(void *context)
{
	struct http *http = context;
	struct http_request *request;

	if (!http->active && http->queued) {
		http->heard = loop_now(http->loop);
		timer_start(http->silence, SILENCE_CHECK_MS);
	}
	while ((request = http->queued) && may_start(http, request)) {
		DL_DELETE(http->queued, request);
		request->queued = false;
		DL_APPEND(http->active, request);
		http->active_count++;
		set_timeout(request);
		must(curl_multi_add_handle(http->multi, request->easy));
	}
}

static void clock_fired(void *context)
{
	run_curl(context, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long after_ms, void *context)
{
	struct http *http = context;

	(void)multi;
	if (after_ms < 0)
		timer_stop(http->clock);
	else
		timer_start(http->clock, (uint64_t)after_ms);
	return 0;
}

static void socket_fired(void *context, unsigned events)
{
	struct http_socket *socket = context;
	struct http *http = socket->http;
	int happened = 0;

	if (events & FD_READABLE) {
		http->heard = loop_now(http->loop);
		happened |= CURL_CSELECT_IN;
	}
	if (events & FD_WRITABLE)
		happened |= CURL_CSELECT_OUT;
	run_curl(http, socket->fd, happened);
}

static void socket_free(struct http_socket *socket)
{
	fd_watch_free(socket->watch);
	DL_DELETE(socket->http->sockets, socket);
	free(socket);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct http *http = context;
	struct http_socket *socket = socket_context;
	unsigned events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket)
			socket_free(socket);
		return 0;
	}
	if (!socket) {
		socket = xcalloc(1, sizeof(*socket));
		socket->http = http;
		socket->fd = fd;
		socket->watch = fd_watch_new(http->loop, fd, socket_fired, socket);
		DL_APPEND(http->sockets, socket);
		must(curl_multi_assign(http->multi, fd, socket));
	}
	if (what & CURL_POLL_IN)
		events |= FD_READABLE;
	if (what & CURL_POLL_OUT)
		events |= FD_WRITABLE;
	fd_watch_set(socket->watch, events);
	return 0;
}

/* ---- a silent server ---- */

static void probe_done(void *context, const struct http_result *result)
{
	(void)context;
	(void)result; /* an answer was heard as any other data */
}

static void start_probe(struct http *http)
{
	static const struct http_sink sink = {.done = probe_done};
	const struct http_options options = {.method = "GET",
		.path = PROBE_PATH,
		.timeout_ms = SILENCE_CUT_MS,
		.response_max = 64u * 1024u};

	http->probe = http_start(http, &options, &sink, http);
}

/* curl would keep a connection whose streams time out; its end is seen by all of them. */
static void cut_connections(struct http *http)
{
	struct http_socket *socket;

	DL_FOREACH(http->sockets, socket)
	shutdown(socket->fd, SHUT_RDWR);
	http->heard = loop_now(http->loop);
}

static void check_silence(void *context)
{
	struct http *http = context;
	uint64_t silent_ms = (loop_now(http->loop).ns - http->heard.ns) / 1000000u;

	timer_start(http->silence, SILENCE_CHECK_MS);
	if (silent_ms >= SILENCE_CUT_MS)
		cut_connections(http);
	else if (silent_ms >= SILENCE_PROBE_MS && !http->probe)
		start_probe(http);
}

/* ---- making and unmaking ---- */

/* A TLS server name stands in the URL, and the connection is led to the real host. */
static int set_url(struct http *http, struct err *e)
{
	AUTO_FREE char *line = NULL;
	CURLU *url = curl_url();
	char *host = NULL, *port = NULL, *path = NULL;
	int r = 0;

	if (!url)
		DIE("out of memory");
	if (curl_url_set(url, CURLUPART_URL, http->config->server, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK) {
		r = err_set(
			e, -EINVAL, "\"%.200s\" is no URL of an API server", http->config->server);
	} else if (!http->config->tls_server_name) {
		http->base_url = xstrdup(http->config->server);
	} else {
		http->base_url = xasprintf("https://%s:%s%s", http->config->tls_server_name, port,
			strcmp(path, "/") == 0 ? "" : path);
		line = xasprintf("%s:%s:%s:%s", http->config->tls_server_name, port, host, port);
		http->connect_to = curl_slist_append(NULL, line);
	}
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_url_cleanup(url);
	return r;
}

int http_new(struct loop *loop, const struct kubeconfig *config, const char *user_agent,
	struct http **ret, struct err *e)
{
	struct http *http;
	int r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, -EIO, "cannot initialise libcurl");
	http = xcalloc(1, sizeof(*http));
	http->loop = loop;
	http->config = config;
	http->user_agent = xstrdup(user_agent);
	r = set_url(http, e);
	if (r < 0) {
		http_free(http);
		return r;
	}
	http->clock = timer_new(loop, clock_fired, http);
	http->deferred = timer_new(loop, start_queued, http);
	http->silence = timer_new(loop, check_silence, http);
	http->multi = curl_multi_init();
	if (!http->multi)
		DIE("out of memory");
	must(curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX));
	must(curl_multi_setopt(http->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, STREAMS_MAX));
	must(curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_MAX));
	must(curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket));
	must(curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http));
	must(curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer));
	must(curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http));
	*ret = http;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	while (http->queued)
		http_cancel(http->queued);
	while (http->active)
		http_cancel(http->active);
	while (http->spare_count > 0)
		curl_easy_cleanup(http->spare[--http->spare_count]);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	while (http->sockets)
		socket_free(http->sockets);
	timer_free(http->clock);
	timer_free(http->deferred);
	timer_free(http->silence);
	curl_slist_free_all(http->connect_to);
	free(http->user_agent);
	free(http->base_url);
	free(http);
	curl_global_cleanup();
}
