// SPDX-License-Identifier: Apache-2.0
/*
 * Log lines, Events and counters for what was done. In: effects and the plans before and
 * after. Out: words. Changes nothing.
 */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double failover_bounds[] = {
	0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 30, 60};

#define EXPLAIN_NODES 10u /* an Event's message is at most 1024 bytes */

void report_init(struct report *report, struct program *program, const char *self)
{
	*report = (struct report){
		.program = program,
		.self = self,
		.failovers = metric_counter(program->metrics, "herald_speaker_failovers_total",
			"Addresses taken over from a node that lost its eligibility.", NULL),
		.failover_seconds = metric_histogram(program->metrics,
			"herald_speaker_failover_seconds",
			"Time from the last sign of life of a dead node's speaker until an address "
			"of it was announced here.",
			failover_bounds, sizeof(failover_bounds) / sizeof(failover_bounds[0])),
	};
}

static void event(const struct report *report, const struct plan_vip *vip,
	enum kube_event_type type, const char *reason, const char *message)
{
	const struct kube_object_ref about = {
		.api_version = "v1",
		.kind = "Service",
		.namespace = vip->namespace,
		.name = vip->service,
		.uid = vip->uid,
	};

	kube_event_record(report->program->events, &about, type, reason, message);
}

/* The verdict of a plan on a node by name; NULL where it does not know the node. */
static const uint8_t *verdict_on(
	const struct plan *plan, const struct plan_vip *vip, const char *node)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		if (strcmp(plan->nodes[i], node) == 0)
			return &vip->verdicts[i];
	}
	return NULL;
}

/* From the last that was heard of the node, if it is its death that moved the address. */
static void observe_failover(const struct report *report, const char *node)
{
	const struct member *member = members_find(cluster_members(report->cluster), node);
	struct monotime now = loop_now(report->program->loop);

	if (member && (member->state == MEMBER_DEAD || member->suspicion.dead))
		metric_observe(
			report->failover_seconds, (double)(now.ns - member->renewed.ns) / 1e9);
}

/* "taken over from node1: its speaker's Lease has expired"; malloc'ed. */
static char *why_taken(const struct report *report, const struct plan_vip *vip,
	const struct plan *before, const struct plan *after)
{
	const struct plan_vip *old = before ? plan_find(before, &vip->address) : NULL;
	const uint8_t *verdict;

	if (vip->per_client)
		return xasprintf(
			"one of %zu nodes that serve it, each its own clients", vip->serving_count);
	if (!old)
		return xstrdup("newly assigned");
	if (!old->owner || strcmp(old->owner, report->self) == 0)
		return xstrdup("eligible again");
	verdict = verdict_on(after, vip, old->owner);
	if (!verdict)
		return xasprintf("taken over from \"%s\": the node is gone", old->owner);
	if (*verdict < PLAN_REFUSAL_COUNT) {
		metric_add(report->failovers, 1);
		observe_failover(report, old->owner);
		return xasprintf(
			"taken over from \"%s\": %s", old->owner, plan_verdict_text(*verdict));
	}
	return xasprintf("moved from \"%s\" by the election", old->owner);
}

static void report_taken(const struct report *report, const struct plan_vip *vip,
	const struct plan *before, const struct plan *after)
{
	AUTO_FREE char *why = why_taken(report, vip, before, after);
	AUTO_FREE char *interfaces = layer2_interfaces_of(report->layer2, &vip->address);
	AUTO_FREE char *message =
		xasprintf("announcing %s from node \"%s\" on %s (%s)", ip_text(&vip->address).s,
			report->self, *interfaces ? interfaces : "no interface", why);

	log_info(report->program->log, "address taken", "address", ip_text(&vip->address).s,
		"namespace", vip->namespace, "service", vip->service, "interfaces", interfaces,
		"why", why, NULL);
	event(report, vip, KUBE_EVENT_NORMAL, "nodeAssigned", message);
}

/* "station 02:...", and whose it is where it is one of ours; malloc'ed. */
static char *station_text(const struct report *report, const uint8_t mac[static MAC_SIZE])
{
	const char *node = cluster_node_with_mac(report->cluster, mac);

	if (!node)
		return xasprintf("station %s", mac_text(mac).s);
	return xasprintf("station %s (node \"%s\")", mac_text(mac).s, node);
}

static void report_claim(const struct report *report, const struct plan_vip *vip,
	const struct ownership_effect *effect)
{
	const char *outcome = effect->action == OWNERSHIP_YIELD ? "yielded" : "defended";
	const struct mac_text ours = layer2_mac_of(report->layer2, &vip->address);
	AUTO_FREE char *claimant = station_text(report, effect->mac);
	AUTO_FREE char *message = xasprintf("%s claims %s, which node \"%s\" (%s) has: %s",
		claimant, ip_text(&vip->address).s, report->self, ours.s, outcome);

	log_warn(report->program->log, "address conflict", "address", ip_text(&vip->address).s,
		"claimant", mac_text(effect->mac).s, "ours", ours.s, "outcome", outcome, "service",
		vip->service, "namespace", vip->namespace, NULL);
	event(report, vip, KUBE_EVENT_WARNING, "AddressConflict", message);
}

void report_conflict(const struct report *report, const struct conflict *conflict,
	const struct port *port, const struct plan *plan)
{
	const struct plan_vip *vip = plan ? plan_find(plan, &conflict->ip) : NULL;
	const struct mac_text station = mac_text(conflict->mac);
	AUTO_FREE char *message = xasprintf(
		"%s is not announced: station %s has it already, as node \"%s\" (%s on %s) found "
		"before its first announcement; take it from that machine, or add it to its pool's "
		"reserved; it is tried again now and then",
		ip_text(&conflict->ip).s, station.s, report->self, mac_text(port->mac).s,
		port->interface.name);

	log_warn(report->program->log, "address withheld: another station has it", "address",
		ip_text(&conflict->ip).s, "station", station.s, "ours", mac_text(port->mac).s,
		"interface", port->interface.name, "service", vip ? vip->service : NULL,
		"namespace", vip ? vip->namespace : NULL, NULL);
	if (vip)
		event(report, vip, KUBE_EVENT_WARNING, "AddressConflict", message);
}

void report_effect(const struct report *report, const struct ownership_effect *effect,
	const struct plan *before, const struct plan *after)
{
	const struct plan_vip *vip = after ? plan_find(after, &effect->ip) : NULL;

	switch (effect->action) {
	case OWNERSHIP_TAKE:
		if (vip)
			report_taken(report, vip, before, after);
		break;
	case OWNERSHIP_DEFEND:
	case OWNERSHIP_INSIST:
	case OWNERSHIP_YIELD:
		if (vip)
			report_claim(report, vip, effect);
		break;
	case OWNERSHIP_HAND_OVER:
		log_info(report->program->log, "handing address over", "address",
			ip_text(&effect->ip).s, "to", vip ? vip->owner : NULL, NULL);
		break;
	case OWNERSHIP_RELEASE:
		log_info(report->program->log, "address released", "address",
			ip_text(&effect->ip).s, NULL);
		break;
	case OWNERSHIP_ASK:
		break; /* what comes of it is told */
	}
}

static void report_nobody(
	const struct report *report, const struct plan *plan, const struct plan_vip *vip)
{
	AUTO_FREE char *reasons = plan_explain(plan, vip, EXPLAIN_NODES);
	AUTO_FREE char *message =
		xasprintf("no node can announce %s: %s", ip_text(&vip->address).s, reasons);

	log_warn(report->program->log, "no node can announce", "address", ip_text(&vip->address).s,
		"service", vip->service, "namespace", vip->namespace, "reasons", reasons, NULL);
	event(report, vip, KUBE_EVENT_WARNING, "NoEligibleNode", message);
}

static void report_uncovered(const struct report *report, const struct plan_vip *vip)
{
	AUTO_FREE char *message = xasprintf(
		"%s is assigned, but announced by nobody: no layer2 rule and no BGP advertisement "
		"covers its pool and this Service; add one, or widen the pools or serviceSelectors "
		"of one",
		ip_text(&vip->address).s);

	log_warn(report->program->log, "nothing announces an address", "address",
		ip_text(&vip->address).s, "service", vip->service, "namespace", vip->namespace,
		NULL);
	event(report, vip, KUBE_EVENT_WARNING, "NotAnnounced", message);
}

void report_ownerless(
	const struct report *report, const struct plan *before, const struct plan *after)
{
	for (size_t i = 0; i < after->vip_count; i++) {
		const struct plan_vip *vip = &after->vips[i];
		const struct plan_vip *old = before ? plan_find(before, &vip->address) : NULL;

		if (vip->owner || (old && !old->owner && old->covered == vip->covered))
			continue;
		if (vip->covered)
			report_nobody(report, after, vip);
		else if (!bgp_covers(report->bgp, &vip->address))
			report_uncovered(report, vip);
	}
}
