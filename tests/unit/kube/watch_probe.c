// SPDX-License-Identifier: Apache-2.0
/*
 * Shows what a watch tells its owner: one JSON line on stdout for each call of the sink,
 * with the object's identity. Driven by tests/contract/test_client.py.
 *
 *     watch_probe KUBECONFIG PATH [PAGE_SIZE]    watches until SIGTERM
 *     watch_probe KUBECONFIG call METHOD PATH [BODY [TIMES]]   TIMES calls at once
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/kube/watch.h"

struct probe {
	struct loop *loop;
	struct log *log;
	struct metrics *metrics;
	struct kubeconfig *config;
	struct kube_client *client;
	unsigned waiting;
};

static void print(json_t *line)
{
	if (json_dumpf(line, stdout, JSON_COMPACT) < 0)
		exit(1);
	json_decref(line);
	putchar('\n');
	fflush(stdout);
}

static void print_call(const char *call)
{
	print(json_pack("{s:s}", "call", call));
}

static void print_object(const char *call, const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *name = json_string_value(json_object_get(metadata, "name"));
	const char *version = json_string_value(json_object_get(metadata, "resourceVersion"));

	print(json_pack("{s:s,s:s*,s:s*}", "call", call, "name", name, "version", version));
}

static void on_list_begin(void *context)
{
	(void)context;
	print_call("list_begin");
}

static void on_put(void *context, const json_t *object)
{
	(void)context;
	print_object("put", object);
}

static void on_gone(void *context, const json_t *object)
{
	(void)context;
	print_object("gone", object);
}

static void on_list_end(void *context)
{
	(void)context;
	print_call("list_end");
}

static void on_failing(void *context, const struct err *error)
{
	(void)context;
	print(json_pack(
		"{s:s,s:s,s:i}", "call", "failing", "text", error->text, "code", error->code));
}

static void on_signal(void *context, int signal_number)
{
	struct probe *probe = context;

	(void)signal_number;
	loop_stop(probe->loop);
}

static void on_answer(void *context, const struct kube_response *response)
{
	struct probe *probe = context;

	print(json_pack("{s:s,s:i,s:i,s:s,s:i,s:s*}", "call", "answer", "status",
		(int)response->status, "length", (int)response->length, "reason", response->reason,
		"retry_after_ms", (int)response->retry_after_ms, "text",
		response->error ? response->error->text : NULL));
	if (--probe->waiting == 0)
		loop_stop(probe->loop);
}

static void call(struct probe *probe, char **argv, int count)
{
	const char *body = count > 2 && *argv[2] ? argv[2] : NULL;
	const struct kube_request request = {.method = argv[0],
		.path = argv[1],
		.body = body,
		.body_length = body ? strlen(body) : 0,
		.content_type = strcmp(argv[0], "PATCH") == 0 ? KUBE_MERGE_PATCH : NULL};

	probe->waiting = count > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1;
	for (unsigned i = probe->waiting; i > 0; i--)
		kube_call_start(probe->client, &request, on_answer, probe);
	loop_run(probe->loop);
}

static void watch(struct probe *probe, const char *path, const char *page_size)
{
	static const struct kube_watch_sink sink = {.list_begin = on_list_begin,
		.put = on_put,
		.gone = on_gone,
		.list_end = on_list_end,
		.failing = on_failing};
	const struct kube_watch_options options = {
		.path = path, .page_size = page_size ? (unsigned)strtoul(page_size, NULL, 10) : 0};
	struct kube_watch *watch = kube_watch_new(probe->client, &options, &sink, NULL);
	char *text;
	size_t length;

	loop_run(probe->loop);
	kube_watch_free(watch);
	text = metrics_render(probe->metrics, &length);
	print(json_pack("{s:s,s:s}", "call", "metrics", "text", text));
	free(text);
}

static int start(struct probe *probe, const char *kubeconfig, struct err *e)
{
	const struct kubeconfig_options options = {.path = kubeconfig};
	int r = kubeconfig_load(&options, &probe->config, e);

	if (r == 0)
		r = loop_new(&probe->loop, e);
	if (r < 0)
		return r;
	probe->log = log_new(stderr, LOG_FORMAT_LOGFMT, LOG_LEVEL_DEBUG, "watch_probe");
	probe->metrics = metrics_new();
	r = loop_on_signal(probe->loop, SIGTERM, on_signal, probe, e);
	if (r < 0)
		return r;
	return kube_client_new(probe->loop, probe->config, "herald-watch-probe", probe->log,
		probe->metrics, &probe->client, e);
}

int main(int argc, char **argv)
{
	struct probe probe = {0};
	struct err e;

	if (argc < 3) {
		fprintf(stderr,
			"usage: watch_probe KUBECONFIG (PATH [PAGE_SIZE] | call METHOD PATH "
			"[BODY [TIMES]])\n");
		return 2;
	}
	if (start(&probe, argv[1], &e) < 0) {
		fprintf(stderr, "watch_probe: %s\n", e.text);
		return 1;
	}
	if (argc >= 5 && strcmp(argv[2], "call") == 0)
		call(&probe, argv + 3, argc - 3);
	else
		watch(&probe, argv[2], argc > 3 ? argv[3] : NULL);
	kube_client_free(probe.client);
	loop_free(probe.loop);
	metrics_free(probe.metrics);
	log_free(probe.log);
	kubeconfig_free(probe.config);
	return 0;
}
