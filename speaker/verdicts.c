// SPDX-License-Identifier: Apache-2.0
/*
 * Log lines, Events and a count for the nodes that count as dead by BFD. In: the members
 * as they are. Out: words, when a node's fate has changed. Changes nothing.
 */
#include "verdicts.h"

#include <stdlib.h>
#include <string.h>

struct verdicts {
	struct program *program;
	char **dead; /* those told of, sorted */
	size_t count;
	struct metric *suspected;
};

struct verdicts *verdicts_new(struct program *program)
{
	struct verdicts *v = xcalloc(1, sizeof(*v));

	v->program = program;
	v->suspected = metric_gauge(program->metrics, "herald_speaker_members_suspected",
		"Speakers whose Lease is valid, but that count as dead by BFD.", NULL);
	return v;
}

static void free_names(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

void verdicts_free(struct verdicts *verdicts)
{
	if (!verdicts)
		return;
	free_names(verdicts->dead, verdicts->count);
	free(verdicts);
}

static bool contains(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static void tell_dead(const struct verdicts *v, const struct cluster *cluster,
	const struct member *member, bool speak)
{
	const struct node *node = cluster_node(cluster, member->node);
	AUTO_FREE char *message = xasprintf(
		"%u of the %u nodes that watch \"%s\" by BFD have lost it: its addresses move to "
		"other nodes",
		member->suspicion.against, member->suspicion.watchers, member->node);
	const struct kube_object_ref about = {
		.api_version = "v1",
		.kind = "Node",
		.namespace = "",
		.name = member->node,
		.uid = node ? node->meta.uid : "",
	};

	log_warn(v->program->log, "node counts as dead by BFD", "node", member->node, "why",
		message, NULL);
	if (speak)
		kube_event_record(
			v->program->events, &about, KUBE_EVENT_WARNING, "NodeSuspected", message);
}

void verdicts_follow(struct verdicts *verdicts, const struct cluster *cluster, bool speak)
{
	const struct members *members = cluster_members(cluster);
	char **dead = xcalloc(members_count(members) + 1, sizeof(*dead));
	size_t count = 0;

	for (size_t i = 0; i < members_count(members); i++) {
		const struct member *member = members_at(members, i);
		bool was_dead = contains(verdicts->dead, verdicts->count, member->node);

		if (member->suspicion.dead)
			dead[count++] = xstrdup(member->node);
		if (member->suspicion.dead && !was_dead)
			tell_dead(verdicts, cluster, member, speak);
		else if (was_dead && !member->suspicion.dead)
			log_info(verdicts->program->log, "node no longer counts as dead by BFD",
				"node", member->node, "lease", member_state_text(member->state),
				NULL);
	}
	free_names(verdicts->dead, verdicts->count);
	verdicts->dead = dead;
	verdicts->count = count;
	metric_set(verdicts->suspected, (double)count);
}
