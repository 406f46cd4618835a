// SPDX-License-Identifier: Apache-2.0
/*
 * What is set on a handle of libcurl and what it calls back. In: options, bytes. Out: bytes
 * for the sink, or collected; a failure in words. TLS is always verified, proxies of the
 * environment are never used, and curl's buffers are small: there is one for each stream,
 * and memory counts on every node.
 */
#include "http_transfer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CURL_BUFFER 16384L
#define CONNECT_TIMEOUT_MS 5000L

/* A dead host: noticed after keepalive idle + interval, or when data goes unanswered. */
#define KEEPALIVE_IDLE_S 10L
#define KEEPALIVE_INTERVAL_S 5L
#define UNACKNOWLEDGED_MAX_MS 12000

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

static void add_header(struct http_transfer *transfer, const char *name, const char *value)
{
	AUTO_FREE char *line = xasprintf("%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (!longer)
		DIE("out of memory");
	transfer->headers = longer;
}

/* ---- curl's callbacks of a transfer ---- */

static bool collect(struct http_transfer *transfer, const char *bytes, size_t length)
{
	if (length > transfer->response_max - transfer->length) {
		transfer->refused = "the answer is larger than allowed";
		return false;
	}
	if (transfer->length + length + 1 > transfer->capacity) {
		size_t capacity = transfer->capacity ? transfer->capacity : 4096;

		while (capacity < transfer->length + length + 1)
			capacity *= 2;
		transfer->response = xrealloc(transfer->response, capacity, 1);
		transfer->capacity = capacity;
	}
	memcpy(transfer->response + transfer->length, bytes, length);
	transfer->length += length;
	transfer->response[transfer->length] = '\0';
	return true;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	size_t length = size * count;
	long status = 0;

	if (transfer->cancelled)
		return 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!transfer->sink.data || status / 100 != 2)
		return collect(transfer, bytes, length) ? length : 0;
	if (!transfer->sink.data(transfer->context, bytes, length)) {
		transfer->refused = "the answer was refused";
		return 0;
	}
	return transfer->cancelled ? 0 : length;
}

/* curl does not tell why it could not make one. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_transfer *transfer = context;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	/* A family that this machine does not have: the other one counts. */
	transfer->socket_error = fd < 0 && errno != EAFNOSUPPORT ? errno : 0;
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

static void set_connection(const struct http_origin *origin, CURL *easy)
{
	set_long(easy, CURLOPT_NOSIGNAL, 1);
	set_pointer(easy, CURLOPT_PROTOCOLS_STR, "https");
	set_pointer(easy, CURLOPT_PROXY, ""); /* never by accident of the environment */
	set_pointer(easy, CURLOPT_CONNECT_TO, origin->connect_to);
	set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	set_long(easy, CURLOPT_PIPEWAIT, 1);
	set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, CURL_BUFFER);
	set_long(easy, CURLOPT_TCP_KEEPALIVE, 1);
	set_long(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_long(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
}

static void set_exchange(struct http_transfer *transfer, const struct http_options *options)
{
	const struct http_origin *origin = transfer->origin;
	AUTO_FREE char *url = xasprintf("%s%s", origin->base_url, options->path);
	CURL *easy = transfer->easy;

	set_pointer(easy, CURLOPT_URL, url);
	set_pointer(easy, CURLOPT_USERAGENT, origin->user_agent);
	if (options->body) {
		set_pointer(easy, CURLOPT_POSTFIELDS, transfer->body);
		curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)options->body_length);
	}
	set_pointer(easy, CURLOPT_CUSTOMREQUEST, options->method);
	add_header(transfer, "Accept", "application/json");
	add_header(transfer, "Expect", ""); /* no wait for 100 Continue */
	if (options->content_type)
		add_header(transfer, "Content-Type", options->content_type);
	if (options->authorization)
		add_header(transfer, "Authorization", options->authorization);
	set_pointer(easy, CURLOPT_HTTPHEADER, transfer->headers);
	set_pointer(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	set_pointer(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	set_pointer(easy, CURLOPT_OPENSOCKETDATA, transfer);
}

static const char *connect_failure_text(struct http_transfer *transfer, int os_error)
{
	if (transfer->socket_error != 0)
		snprintf(transfer->error, sizeof(transfer->error),
			"cannot make a socket to connect to %.120s: %s",
			transfer->origin->config->server, strerror(transfer->socket_error));
	else
		snprintf(transfer->error, sizeof(transfer->error), "cannot connect to %.150s: %s",
			transfer->origin->config->server,
			os_error ? strerror(os_error) : "no address answers");
	return transfer->error;
}

/* Without ports, counts and times that change from one try to the next: what is the same
   failure must have the same text. */
const char *http_transfer_failure(struct http_transfer *transfer, CURLcode code)
{
	long os_error = 0;

	if (transfer->refused)
		return transfer->refused;
	switch (code) {
	case CURLE_OK:
		return NULL;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
		return connect_failure_text(transfer, (int)os_error);
	case CURLE_OPERATION_TIMEDOUT:
		snprintf(transfer->error, sizeof(transfer->error), "no answer from %.150s in time",
			transfer->origin->config->server);
		return transfer->error;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return "the connection broke off";
	case CURLE_PEER_FAILED_VERIFICATION:
		transfer->error[strcspn(transfer->error, "\r\n")] = '\0';
		return transfer->error[0] ? transfer->error : curl_easy_strerror(code);
	default:
		return curl_easy_strerror(code);
	}
}

/* ---- making and unmaking ---- */

void http_transfer_init(struct http_transfer *transfer, const struct http_origin *origin,
	CURL *easy, const struct http_options *options)
{
	*transfer = (struct http_transfer){
		.origin = origin, .easy = easy, .response_max = options->response_max};
	if (options->body) {
		transfer->body = xcalloc(options->body_length + 1, 1);
		memcpy(transfer->body, options->body, options->body_length);
	}
	set_connection(origin, easy);
	set_identity(easy, origin->config);
	set_exchange(transfer, options);
}

void http_transfer_done(struct http_transfer *transfer)
{
	curl_slist_free_all(transfer->headers);
	free(transfer->body);
	free(transfer->response);
}

/* A TLS server name stands in the URL, and the connection is led to the real host. */
static int set_url(struct http_origin *origin, struct err *e)
{
	AUTO_FREE char *line = NULL;
	CURLU *url = curl_url();
	char *host = NULL, *port = NULL, *path = NULL;
	int r = 0;

	if (!url)
		DIE("out of memory");
	if (curl_url_set(url, CURLUPART_URL, origin->config->server, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK) {
		r = err_set(e, -EINVAL, "\"%.200s\" is no URL of an API server",
			origin->config->server);
	} else if (!origin->config->tls_server_name) {
		origin->base_url = xstrdup(origin->config->server);
	} else {
		origin->base_url = xasprintf("https://%s:%s%s", origin->config->tls_server_name,
			port, strcmp(path, "/") == 0 ? "" : path);
		line = xasprintf("%s:%s:%s:%s", origin->config->tls_server_name, port, host, port);
		origin->connect_to = curl_slist_append(NULL, line);
	}
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_url_cleanup(url);
	return r;
}

int http_origin_init(struct http_origin *origin, const struct kubeconfig *config,
	const char *user_agent, struct err *e)
{
	int r;

	*origin = (struct http_origin){.config = config};
	r = set_url(origin, e);
	if (r == 0)
		origin->user_agent = xstrdup(user_agent);
	return r;
}

void http_origin_done(struct http_origin *origin)
{
	curl_slist_free_all(origin->connect_to);
	free(origin->user_agent);
	free(origin->base_url);
}
