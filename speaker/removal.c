// SPDX-License-Identifier: Apache-2.0
/*
 * Asking for our own DaemonSet, when we start and when we are told to stop. In: the API
 * server's answers. Out: restart or removal, and a word of it in a file.
 */
#include "removal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "herald/io/small_file.h"

struct removal {
	struct program *program;
	char *path, *word;
	struct kube_call *call;
	bool was_there; /* when we started */
	void (*answered)(void *context, bool removed);
	void *context;
};

static bool is_going(const struct kube_response *response)
{
	json_t *object = json_loadb(response->body, response->length, 0, NULL);
	bool going = json_object_get(json_object_get(object, "metadata"), "deletionTimestamp");

	json_decref(object);
	return going;
}

static void on_found(void *context, const struct kube_response *response)
{
	struct removal *r = context;

	r->call = NULL;
	r->was_there = !response->error;
	if (response->error)
		log_warn(r->program->log,
			"our DaemonSet can't be asked for: every stop is taken for a restart",
			"error", response->error->text, NULL);
}

static void on_answer(void *context, const struct kube_response *response)
{
	struct removal *r = context;
	bool refused =
		response->status == 401 || response->status == 403 || response->status == 404;
	bool removed = r->was_there && (refused || (!response->error && is_going(response)));

	r->call = NULL;
	log_info(r->program->log, "asked for our DaemonSet", "this is",
		removed ? "a removal" : "a restart", NULL);
	r->answered(r->context, removed);
}

static void ask(struct removal *r, kube_done_fn *done)
{
	const struct kube_request request = {
		.method = "GET", .path = r->path, .timeout_ms = REMOVAL_MS};

	kube_call_cancel(r->call);
	r->call = kube_call_start(r->program->client, &request, done, r);
}

struct removal *removal_new(struct program *program, const char *daemonset, const char *include)
{
	AUTO_FREE char *namespace = kube_escape(program->options.namespace);
	AUTO_FREE char *name = kube_escape(daemonset);
	const char *slash = strrchr(include, '/');
	struct removal *r = xcalloc(1, sizeof(*r));

	r->program = program;
	r->path = xasprintf("/apis/apps/v1/namespaces/%s/daemonsets/%s", namespace, name);
	r->word = xasprintf("%.*sstop", slash ? (int)(slash - include) + 1 : 0, include);
	unlink(r->word);
	ask(r, on_found);
	return r;
}

void removal_free(struct removal *removal)
{
	if (!removal)
		return;
	kube_call_cancel(removal->call);
	free(removal->path);
	free(removal->word);
	free(removal);
}

void removal_ask(
	struct removal *removal, void (*answered)(void *context, bool removed), void *context)
{
	removal->answered = answered;
	removal->context = context;
	ask(removal, on_answer);
}

void removal_leave_word(const struct removal *removal, bool removed)
{
	struct err e;

	if (small_file_write(removal->word, removed ? "remove\n" : "restart\n", 0644, &e) != 0)
		log_warn(removal->program->log, "BIRD is not told why we stop", "error", e.text,
			NULL);
}
