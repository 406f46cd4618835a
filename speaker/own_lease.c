// SPDX-License-Identifier: Apache-2.0
/*
 * This node's Lease. In: the cluster's timing, what the other rooms have to tell. Out: writes
 * of the Lease, and the proof that they give. Does not judge other nodes' Leases
 * (core/members.h).
 */
#include "own_lease.h"

#include <stdlib.h>
#include <string.h>

#include "herald/core/elect.h"
#include "herald/core/holds.h"
#include "herald/kube/lease.h"
#include "joining.h"

struct own_lease {
	struct program *program;
	const char *node;
	struct own_lease_sink sink;
	void *context;
	char *name;
	struct joining *joining;
	struct cluster *cluster;     /* NULL before own_lease_begin */
	struct kube_lease *lease;    /* NULL before it is our turn */
	struct timer *publish_timer; /* what is held now is told */
	char *published;	     /* the annotations that were told at once, last */
	struct monotime proven;
	bool released;
};

/* malloc'ed JSON. */
static char *annotations_of(const struct own_lease *l)
{
	bool is_named = strcmp(l->name + strlen(MEMBER_LEASE_PREFIX), l->node) == 0;
	json_t *annotations =
		json_pack("{s:s?}", MEMBER_NODE_ANNOTATION, is_named ? NULL : l->node);
	char *json;

	l->sink.annotate(l->context, annotations);
	json = json_dumps(annotations, JSON_COMPACT);
	json_decref(annotations);
	if (!json)
		DIE("annotations cannot be written as JSON");
	return json;
}

void own_lease_tell(struct own_lease *lease)
{
	AUTO_FREE char *json = NULL;

	if (!lease->lease)
		return;
	json = annotations_of(lease);
	if (lease->published && strcmp(lease->published, json) == 0)
		return;
	kube_lease_annotate(lease->lease, json);
	free(lease->published);
	lease->published = STEAL(json);
}

void own_lease_tell_later(struct own_lease *lease, size_t moved)
{
	uint64_t salt = elect_node_hash(lease->node) ^ loop_now(lease->program->loop).ns;
	AUTO_FREE char *json = NULL;

	if (!lease->lease)
		return;
	json = annotations_of(lease);
	kube_lease_set_annotations(lease->lease, json);
	if (moved > 0 && !timer_is_running(lease->publish_timer))
		timer_start(lease->publish_timer, holds_publish_ms(moved, salt));
}

void own_lease_renew(struct own_lease *lease)
{
	if (lease->lease)
		kube_lease_renew(lease->lease);
}

static void on_publish(void *context)
{
	own_lease_renew(context);
}

void own_lease_seen(struct own_lease *lease)
{
	const struct member *own =
		lease->cluster ? members_find(cluster_members(lease->cluster), lease->node) : NULL;

	if (lease->lease && own && kube_lease_written(lease->lease, own->version, &lease->proven))
		lease->sink.proven(lease->context);
}

static void on_written(void *context)
{
	own_lease_seen(context);
}

static void on_held(void *context)
{
	struct own_lease *l = context;

	log_info(l->program->log, "lease held", "lease", l->name, NULL);
	own_lease_seen(l);
}

static void on_lost(void *context, const char *why)
{
	struct own_lease *l = context;

	log_warn(l->program->log, "lease lost; addresses are answered until another claims them",
		"lease", l->name, "why", why, NULL);
}

static void on_failing(void *context, const struct err *error)
{
	struct own_lease *l = context;

	log_warn(
		l->program->log, "lease not renewed", "lease", l->name, "error", error->text, NULL);
}

static void on_our_turn(void *context)
{
	struct own_lease *l = context;
	struct member_timing timing = cluster_timing(l->cluster);
	static const struct kube_lease_sink sink = {
		.held = on_held,
		.lost = on_lost,
		.failing = on_failing,
		.written = on_written,
	};
	struct kube_lease_options options = {
		.namespace = l->program->options.namespace,
		.name = l->name,
		.identity = l->node,
		.duration_ms = timing.duration_ms,
		.renew_ms = timing.renew_ms,
		.labels_json = "{\"" MEMBER_COMPONENT_LABEL "\":\"speaker\"}",
	};

	if (l->released)
		return;
	l->lease = kube_lease_new(l->program->client, l->program->loop, &options, &sink, l);
	own_lease_follow_node(l);
	own_lease_tell(l);
}

struct own_lease *own_lease_new(
	struct program *program, const char *node, const struct own_lease_sink *sink, void *context)
{
	struct own_lease *l = xcalloc(1, sizeof(*l));

	l->program = program;
	l->node = node;
	l->sink = *sink;
	l->context = context;
	l->name = member_lease_name(node);
	l->joining = joining_new(program, node, on_our_turn, l);
	l->publish_timer = timer_new(program->loop, on_publish, l);
	return l;
}

void own_lease_free(struct own_lease *lease)
{
	if (!lease)
		return;
	kube_lease_free(lease->lease);
	joining_free(lease->joining);
	timer_free(lease->publish_timer);
	free(lease->name);
	free(lease->published);
	free(lease);
}

void own_lease_begin(struct own_lease *lease, struct cluster *cluster)
{
	if (lease->released)
		return;
	lease->cluster = cluster;
	joining_begin(lease->joining, cluster);
}

void own_lease_follow_timing(struct own_lease *lease)
{
	struct member_timing timing;

	if (!lease->lease)
		return;
	timing = cluster_timing(lease->cluster);
	kube_lease_set_timing(lease->lease, timing.duration_ms, timing.renew_ms);
}

void own_lease_follow_node(struct own_lease *lease)
{
	const struct node *node = lease->lease ? cluster_node(lease->cluster, lease->node) : NULL;

	if (node && *node->meta.uid)
		kube_lease_set_owner(lease->lease, lease->node, node->meta.uid);
}

struct monotime own_lease_proven(const struct own_lease *lease)
{
	return lease->proven;
}

void own_lease_release(struct own_lease *lease, void (*done)(void *context), void *context)
{
	lease->released = true;
	if (lease->lease)
		kube_lease_release(lease->lease, done, context);
	else
		done(context);
}
