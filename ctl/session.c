// SPDX-License-Identifier: Apache-2.0
/*
 * Opening a connection to the API server, one request at a time over it, and advice for
 * when it fails. In: options. Out: objects, or a sentence that says what to do.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "herald/io/loop.h"
#include "herald/kube/json_object.h"

int session_open(struct session *session, struct cluster_options *options, struct err *e)
{
	int r;

	*session = (struct session){.options = options};
	r = kubeconfig_load(&options->where, &session->kubeconfig, e);
	if (r < 0) {
		err_wrap(e, "no cluster to ask");
		return r;
	}
	r = loop_new(&session->loop, e);
	if (r < 0)
		return r;
	session->log = log_new(stderr, LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR, "heraldctl");
	return kube_client_new(session->loop, session->kubeconfig, "heraldctl/" HERALD_VERSION,
		session->log, NULL, &session->client, e);
}

void session_close(struct session *session)
{
	if (session->client)
		kube_client_free(session->client);
	loop_free(session->loop);
	log_free(session->log);
	kubeconfig_free(session->kubeconfig);
	free(session->class);
	*session = (struct session){0};
}

struct exchange {
	struct loop *loop;
	char *body;
	size_t length;
	struct err error;
	bool failed;
};

static void on_answer(void *context, const struct kube_response *response)
{
	struct exchange *exchange = context;

	exchange->failed = response->error != NULL;
	if (response->error)
		exchange->error = *response->error;
	exchange->body = xstrndup(response->body ? response->body : "", response->length);
	exchange->length = response->length;
	loop_stop(exchange->loop);
}

static int ask(struct session *session, struct kube_request *request, struct exchange *exchange,
	struct err *e)
{
	*exchange = (struct exchange){.loop = session->loop};
	request->timeout_ms = session->options->timeout_ms;
	kube_call_start(session->client, request, on_answer, exchange);
	loop_run(session->loop);
	if (!exchange->failed)
		return 0;
	free(exchange->body);
	exchange->body = NULL;
	*e = exchange->error;
	return e->code;
}

int session_get(struct session *session, const char *path, json_t **ret, struct err *e)
{
	struct kube_request request = {.method = "GET", .path = path};
	struct exchange exchange;
	int r = ask(session, &request, &exchange, e);

	if (r == 0)
		r = kube_json_object_load(exchange.body, exchange.length, ret, e);
	free(exchange.body);
	return r;
}

int session_get_text(struct session *session, const char *path, char **ret, struct err *e)
{
	struct kube_request request = {.method = "GET", .path = path};
	struct exchange exchange;
	int r = ask(session, &request, &exchange, e);

	if (r == 0)
		*ret = exchange.body;
	return r;
}

int session_patch(struct session *session, const char *path, const char *body, struct err *e)
{
	struct kube_request request = {.method = "PATCH",
		.path = path,
		.content_type = KUBE_MERGE_PATCH,
		.body = body,
		.body_length = strlen(body)};
	struct exchange exchange;
	int r = ask(session, &request, &exchange, e);

	free(exchange.body);
	return r;
}

#define CLASS_OPTION "--load-balancer-class"

static void learn_class(struct session *session, const char *class)
{
	if (*class == '\0')
		return;
	free(session->class);
	session->class = xstrdup(class);
	session->options->rules.class = session->class;
}

/* A container's arguments, as argp would take them. */
static void learn_from(struct session *session, const json_t *arguments)
{
	bool class_follows = false;
	const json_t *argument;
	size_t i;

	json_array_foreach (arguments, i, argument) {
		const char *text = json_is_string(argument) ? json_string_value(argument) : "";
		bool is_class = class_follows;

		class_follows = !is_class && strcmp(text, CLASS_OPTION) == 0;
		if (is_class)
			learn_class(session, text);
		else if (strncmp(text, CLASS_OPTION "=", sizeof(CLASS_OPTION)) == 0)
			learn_class(session, text + sizeof(CLASS_OPTION));
		else if (strcmp(text, "--handle-unset-class") == 0)
			session->options->rules.handle_unset = true;
	}
}

static void learn_from_deployment(struct session *session, const json_t *deployment)
{
	const json_t *template = json_object_get(json_object_get(deployment, "spec"), "template");
	const json_t *containers = json_object_get(json_object_get(template, "spec"), "containers");
	const json_t *container;
	size_t i;

	json_array_foreach (containers, i, container)
		learn_from(session, json_object_get(container, "args"));
}

void session_learn_rules(struct session *session)
{
	AUTO_FREE char *home = kube_escape(session->options->home);
	AUTO_FREE char *path = xasprintf("/apis/apps/v1/namespaces/%s/deployments?labelSelector="
					 "app.kubernetes.io%%2Fname%%3Dherald,"
					 "app.kubernetes.io%%2Fcomponent%%3Dcontroller&limit=10",
		home);
	json_t *list = NULL;
	const json_t *deployment;
	struct err e;
	size_t i;

	if (session->options->rules_given || session_get(session, path, &list, &e) < 0)
		return;
	json_array_foreach (json_object_get(list, "items"), i, deployment)
		learn_from_deployment(session, deployment);
	json_decref(list);
}

int session_advise(const struct session *session, struct err *e)
{
	const char *advice = "";
	char text[sizeof(e->text)];

	if (!session->kubeconfig)
		advice = "; say with --kubeconfig or --context which cluster is meant";
	else if (e->code == -EPERM)
		advice = "; or ask as somebody who has these rights (--context, --kubeconfig)";
	else if (e->code == -EACCES)
		advice = "; or choose other credentials (--context, --kubeconfig)";
	else if (e->code == -EHOSTUNREACH)
		advice = "; is the API server up, and the one that you mean (--context, "
			 "--kubeconfig)?";
	memcpy(text, e->text, sizeof(text));
	return err_set(e, e->code, "%s%s", text, advice);
}
