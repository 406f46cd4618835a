// SPDX-License-Identifier: Apache-2.0
/*
 * Leadership and the parts that live as long as it lasts. In: the Lease, the
 * configuration. Out: an assigner at work while this replica leads, none otherwise.
 */
#include "controller.h"

#include <jansson.h>
#include <stdlib.h>

#include "feeds.h"
#include "herald/kube/config_watch.h"
#include "herald/kube/lease.h"
#include "strangers.h"

#define LEASE_DURATION_MS 6000u
#define LEASE_RENEW_MS 2000u
#define WAITING_SHOWN 500u

struct controller {
	struct program *program;
	const struct controller_options *options;
	struct kube_lease *lease;
	struct metric *leads;
	bool stopping;
	/* While leading: */
	struct assigner *assigner;
	struct feeds *feeds;
	struct strangers *strangers;
	struct config_watch *config;
};

static bool is_leading(const struct controller *c)
{
	return c->assigner != NULL;
}

/* Until everything was seen once, an assignment could be wrong. */
static void start_if_complete(void *context)
{
	struct controller *c = context;

	if (c->stopping || !c->config || assigner_has_started(c->assigner))
		return;
	if (feeds_are_synced(c->feeds) && config_watch_is_synced(c->config))
		assigner_start(c->assigner);
}

static void on_config(void *context, const struct config *config)
{
	struct controller *c = context;

	log_info(c->program->log, "configuration in force", NULL);
	assigner_configure(c->assigner, config);
}

static void stop_leading(struct controller *c)
{
	metric_set(c->leads, 0);
	feeds_free(c->feeds);
	strangers_free(c->strangers);
	assigner_free(c->assigner);
	config_watch_free(c->config);
	c->feeds = NULL;
	c->strangers = NULL;
	c->assigner = NULL;
	c->config = NULL;
}

static void on_held(void *context)
{
	struct controller *c = context;
	struct assigner_options options = {
		.rules = c->options->rules,
		.namespace_labels = feeds_namespace_labels,
		.list_again = feeds_list_services_again,
		.retry_ms = c->options->retry_ms,
	};

	if (c->stopping || is_leading(c))
		return;
	log_info(c->program->log, "leading", "identity", c->options->identity, NULL);
	metric_set(c->leads, 1);
	c->feeds = feeds_new(c->program, start_if_complete, c);
	options.context = c->feeds;
	c->assigner = assigner_new(c->program, &options);
	feeds_start(c->feeds, c->assigner);
	c->strangers = strangers_new(c->program, c->assigner);
	c->config = config_watch_new(c->program, CONFIG_WATCH_EVENTS, on_config, c);
	config_watch_set_synced(c->config, start_if_complete);
}

static void on_released(void *context)
{
	struct controller *c = context;

	loop_stop(c->program->loop);
}

static void on_drained(void *context)
{
	struct controller *c = context;

	kube_lease_release(c->lease, on_released, c);
}

static void on_lost(void *context, const char *why)
{
	struct controller *c = context;

	if (!is_leading(c))
		return;
	log_warn(c->program->log, "no longer leading: nothing is written until it leads again",
		"identity", c->options->identity, "why", why, NULL);
	stop_leading(c);
	if (c->stopping)
		on_drained(c); /* what it waited for went with the rest */
}

static void on_failing(void *context, const struct err *error)
{
	struct controller *c = context;

	log_warn(c->program->log, "leader lease", "error", error->text, NULL);
}

static bool is_ready(void *context, const char **ret_reason)
{
	const struct controller *c = context;

	if (!is_leading(c))
		return true; /* a replica that stands by is as it should be */
	if (!config_watch_current(c->config))
		*ret_reason = "no valid configuration was seen yet";
	else if (!assigner_has_started(c->assigner))
		*ret_reason = "the first list of the cluster's objects is not complete";
	else
		return true;
	return false;
}

static char *status_page(void *context, const char **ret_content_type)
{
	const struct controller *c = context;
	json_t *page =
		is_leading(c) ? assigner_describe(c->assigner, WAITING_SHOWN) : json_object();
	char *text;

	json_object_set_new(page, "identity", json_string(c->options->identity));
	json_object_set_new(page, "leading", json_boolean(is_leading(c)));
	text = json_dumps(page, JSON_INDENT(2));
	json_decref(page);
	*ret_content_type = "application/json";
	return text ? text : xstrdup("{}");
}

struct controller *controller_new(struct program *program, const struct controller_options *options)
{
	static const struct kube_lease_sink sink = {
		.held = on_held, .lost = on_lost, .failing = on_failing};
	struct kube_lease_options lease = {
		.namespace = program->options.namespace,
		.name = CONTROLLER_LEASE,
		.identity = options->identity,
		.duration_ms = LEASE_DURATION_MS,
		.renew_ms = LEASE_RENEW_MS,
		.labels_json = "{\"app.kubernetes.io/component\":\"controller\"}",
	};
	struct controller *c = xcalloc(1, sizeof(*c));

	c->program = program;
	c->options = options;
	c->leads = metric_gauge(program->metrics, "herald_controller_leader",
		"1 while this replica leads, else 0.", NULL);
	status_server_set_ready(program->status, is_ready, c);
	status_server_add_page(program->status, "/status", status_page, c);
	c->lease = kube_lease_new(program->client, program->loop, &lease, &sink, c);
	return c;
}

bool controller_is_leading(void *controller)
{
	return is_leading(controller);
}

void controller_free(struct controller *controller)
{
	if (!controller)
		return;
	kube_lease_free(controller->lease);
	stop_leading(controller);
	free(controller);
}

void controller_stop(void *controller)
{
	struct controller *c = controller;

	c->stopping = true;
	/* A write that is still under way could land after the next leader's list. */
	if (is_leading(c))
		assigner_drain(c->assigner, on_drained, c);
	else
		on_drained(c);
}
