// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl's multi interface on our loop; only this file and http_transfer.c know curl. Its
 * sockets are fd_watches, its clock is one timer. curl forbids to add or remove a transfer inside
 * its callbacks, so what callers start or cancel there waits until curl has returned: starts in
 * `queued`, which a timer of 0 ms takes up, cancellations as a flag. Handles are kept for reuse.
 */
#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

#include "http_transfer.h"

#define HANDLES_KEPT 8u
#define STREAMS_MAX 1000L     /* the server's own limit holds where it is lower */
#define CONNECTIONS_MAX 16L   /* without HTTP/2 each watch needs its own */
#define ACTIVE_MAX 90u	      /* an API server allows 100 streams; more wait in `queued` */
#define UNMULTIPLEXED_MAX 12u /* of CONNECTIONS_MAX, where each takes one for itself */
#define URGENT_MAX 4u	      /* besides */

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
	struct http_origin origin;
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
	struct http_transfer transfer;
	struct monotime wanted; /* since then */
	uint32_t timeout_ms;
	bool urgent, queued, finishing;
	struct http_request *prev, *next;
};

static void must(CURLMcode code)
{
	if (code != CURLM_OK)
		DIE(curl_multi_strerror(code));
}

/* ---- requests' memory ---- */

static void request_free(struct http_request *request)
{
	struct http *http = request->http;

	if (http->probe == request)
		http->probe = NULL;
	if (request->transfer.easy && http->spare_count < HANDLES_KEPT) {
		curl_easy_reset(request->transfer.easy);
		http->spare[http->spare_count++] = request->transfer.easy;
	} else if (request->transfer.easy) {
		curl_easy_cleanup(request->transfer.easy);
	}
	http_transfer_done(&request->transfer);
	free(request);
}

static CURL *take_handle(struct http *http)
{
	CURL *easy = http->spare_count > 0 ? http->spare[--http->spare_count] : curl_easy_init();

	if (!easy)
		DIE("cannot make a curl handle");
	return easy;
}

struct http_request *http_start(struct http *http, const struct http_options *options,
	const struct http_sink *sink, void *context)
{
	struct http_request *request = xcalloc(1, sizeof(*request));

	request->http = http;
	http_transfer_init(&request->transfer, &http->origin, take_handle(http), options);
	request->transfer.sink = *sink;
	request->transfer.context = context;
	curl_easy_setopt(request->transfer.easy, CURLOPT_PRIVATE, request);
	request->urgent = options->urgent;
	request->wanted = loop_now(http->loop);
	request->timeout_ms = options->timeout_ms;
	request->queued = true;
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

	must(curl_multi_remove_handle(http->multi, request->transfer.easy));
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
		request->transfer.cancelled = true;
		return;
	} else {
		forget_active(request);
	}
	request_free(request);
}

/* Whether it has to share its connection with none. */
static void note_version(const struct http_request *request)
{
	long version = CURL_HTTP_VERSION_NONE;

	curl_easy_getinfo(request->transfer.easy, CURLINFO_HTTP_VERSION, &version);
	if (version != CURL_HTTP_VERSION_NONE)
		request->http->multiplexes = version >= CURL_HTTP_VERSION_2_0;
}

static void finish(struct http_request *request, CURLcode code)
{
	struct http_result result = {
		.body = request->transfer.response ? request->transfer.response : "",
		.length = request->transfer.length};
	curl_off_t retry_after = 0, microseconds = 0;

	request->finishing = true;
	note_version(request);
	curl_easy_getinfo(request->transfer.easy, CURLINFO_RESPONSE_CODE, &result.status);
	curl_easy_getinfo(request->transfer.easy, CURLINFO_RETRY_AFTER, &retry_after);
	curl_easy_getinfo(request->transfer.easy, CURLINFO_TOTAL_TIME_T, &microseconds);
	if (retry_after > 0)
		result.retry_after_ms = retry_after < 3600 ? (uint32_t)retry_after * 1000 : 3600000;
	result.seconds = (double)microseconds / 1e6;
	result.failure = http_transfer_failure(&request->transfer, code);
	forget_active(request);
	request->transfer.sink.done(request->transfer.context, &result);
	request_free(request);
}

static void drop_cancelled(struct http *http)
{
	struct http_request *request, *next;

	DL_FOREACH_SAFE(http->active, request, next)
	{
		if (!request->transfer.cancelled)
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

	curl_easy_setopt(request->transfer.easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
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
		must(curl_multi_add_handle(http->multi, request->transfer.easy));
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

int http_new(struct loop *loop, const struct kubeconfig *config, const char *user_agent,
	struct http **ret, struct err *e)
{
	struct http *http;
	int r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, -EIO, "cannot initialise libcurl");
	http = xcalloc(1, sizeof(*http));
	http->loop = loop;
	r = http_origin_init(&http->origin, config, user_agent, e);
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
	http_origin_done(&http->origin);
	free(http);
	curl_global_cleanup();
}
