// SPDX-License-Identifier: Apache-2.0
/*
 * The chain's second part: from an address to the wire. Rules, every node's verdict, the
 * owner and why it is that one, endpoints, other machines that have the address, and the
 * routers that have a route for it. And what Events say, where there are any.
 */
#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "herald/base/err.h"
#include "herald/core/holds.h"
#include "verb.h"

#define SHOWN_EVENTS 5u

/* What to do about a verdict; NULL: nothing that could be said in general. */
static const char *remedy_for(uint8_t verdict)
{
	static const char *const remedies[PLAN_REFUSAL_COUNT] = {
		[PLAN_NO_SPEAKER] =
			"see why no speaker runs there: kubectl -n herald-system get pods "
			"-o wide",
		[PLAN_LEASE_EXPIRED] =
			"look at the speaker there and its log: it does not renew its "
			"Lease",
		[PLAN_SUSPECTED] =
			"its peers have lost it by BFD: look at its network, UDP port 3784",
		[PLAN_LEAVING] = "start its speaker again",
		[PLAN_OUT_OF_SERVICE] = "take the taint node.kubernetes.io/out-of-service away",
		[PLAN_DRAINED] = "heraldctl undrain NODE",
		[PLAN_CORDONED] = "kubectl uncordon NODE, or take nodes.moveOnCordon out of the "
				  "configuration",
		[PLAN_NETWORK_UNAVAILABLE] = "see why the node's network is not available: kubectl "
					     "describe node NODE",
		[PLAN_EXCLUDED] =
			"kubeadm labels its control plane so: kubectl label node NODE "
			"node.kubernetes.io/exclude-from-external-load-balancers-, or set "
			"nodes.ignoreExcludeLabel: true",
		[PLAN_NO_RULE] =
			"add a rule to layer2, or widen the pools or serviceSelectors of one",
		[PLAN_NOT_SELECTED] =
			"label a node so that a layer2 rule's nodeSelectors select it, or "
			"widen them",
		[PLAN_NO_INTERFACE] =
			"bring an interface of the node up, or widen the interfaces of the "
			"layer2 rule",
		[PLAN_NO_ENDPOINT] =
			"have a ready pod of the Service on a node that may announce, or set "
			"externalTrafficPolicy: Cluster",
	};

	return verdict < PLAN_REFUSAL_COUNT ? remedies[verdict] : NULL;
}

/* The names of the nodes with this verdict: "a, b"; malloc'ed. */
static char *nodes_with(const struct view *view, const struct plan_vip *vip, uint8_t verdict)
{
	char *text = xstrdup("");

	for (size_t n = 0; n < view->plan->node_count; n++) {
		if (vip->verdicts[n] == verdict)
			text = text_join(text, ", ", view->plan->nodes[n]);
	}
	return text;
}

/* Every node's verdict, those with the same one together. */
static void add_verdicts(
	struct chain *chain, const struct view *view, const struct plan_vip *vip, bool by_bgp)
{
	bool is_wrong = !vip->owner && !by_bgp;

	for (unsigned verdict = 0; verdict <= UINT8_MAX; verdict++) {
		AUTO_FREE char *names = nodes_with(view, vip, (uint8_t)verdict);
		enum link_result result = verdict >= PLAN_ELIGIBLE ? LINK_GOOD : LINK_NOTE;

		if (*names)
			chain_add(chain, is_wrong ? LINK_WRONG : result, "nodes",
				verdict < PLAN_ELIGIBLE ? "NodeRefused" : "",
				remedy_for((uint8_t)verdict), "%s: %s", names,
				plan_verdict_text((uint8_t)verdict));
	}
	if (view->plan->node_count == 0)
		chain_add(chain, is_wrong ? LINK_WRONG : LINK_NOTE, "nodes", "NodeRefused", NULL,
			"the cluster has no nodes");
}

static bool holds(const struct view *view, const char *node, const struct ip *address)
{
	const struct member *member = members_find(view->facts->members, node);
	uint32_t hashes[HOLDS_MAX], hash = holds_hash(address);
	size_t count = member && member->holds ? holds_parse(member->holds, hashes, HOLDS_MAX) : 0;

	for (size_t i = 0; i < count; i++) {
		if (hashes[i] == hash)
			return true;
	}
	return false;
}

static void add_owner(struct chain *chain, const struct view *view, const struct plan_vip *vip)
{
	const struct ip_text text = ip_text(&vip->address);
	const char *address = text.s;
	uint8_t best = *view_verdict(view, vip, vip->owner);
	size_t rivals = 0;

	for (size_t n = 0; n < view->plan->node_count; n++)
		rivals += vip->verdicts[n] == best;
	if (vip->per_client)
		chain_add(chain, LINK_GOOD, "owner", "", NULL,
			"%zu nodes serve %s at the same time, each its own clients",
			vip->serving_count, address);
	else if (holds(view, vip->owner, &vip->address))
		chain_add(chain, LINK_GOOD, "owner", "", NULL,
			"%s announces %s: it has it, and holds it though it would be another's by "
			"election",
			vip->owner, address);
	else if (rivals == 1)
		chain_add(chain, LINK_GOOD, "owner", "", NULL,
			"%s announces %s: no other node suits as well", vip->owner, address);
	else
		chain_add(chain, LINK_GOOD, "owner", "", NULL,
			"%s announces %s: elected among the %zu nodes that suit best", vip->owner,
			address, rivals);
	if (vip->sharers > 1)
		chain_add(chain, LINK_NOTE, "owner", "", NULL, "%zu Services share %s",
			vip->sharers, address);
}

static void add_layer2(
	struct chain *chain, const struct view *view, const struct ip *address, bool by_bgp)
{
	const struct plan_vip *vip = plan_find(view->plan, address);

	if (!vip || !vip->covered) {
		chain_add(chain, by_bgp ? LINK_NOTE : LINK_WRONG, "rules", "NotAnnounced",
			vip ? remedy_for(PLAN_NO_RULE) : "put the address back into a pool",
			"%s is announced by nobody in layer 2: %s", ip_text(address).s,
			vip ? "no layer2 rule covers its pool and this Service"
			    : "it is in no pool");
		return;
	}
	add_verdicts(chain, view, vip, by_bgp);
	if (vip->owner)
		add_owner(chain, view, vip);
	else
		chain_add(chain, by_bgp ? LINK_NOTE : LINK_WRONG, "owner", "NoEligibleNode",
			"mend what the nodes say above", "no node may announce %s in layer 2",
			ip_text(address).s);
}

struct endpoint_count {
	size_t ready, terminating, other;
};

static struct endpoint_count count_endpoints(
	const struct view *view, const struct service *service, uint8_t family)
{
	const struct store *slices = &view->facts->of[FACT_SLICE];
	struct endpoint_count count = {0};

	for (size_t i = 0; i < slices->count; i++) {
		const struct endpoint_slice *slice = slices->items[i];

		if (slice->family != family || strcmp(slice->service, service->meta.name) != 0 ||
			strcmp(slice->meta.namespace, service->meta.namespace) != 0)
			continue;
		for (uint32_t e = 0; e < slice->endpoint_count; e++) {
			const struct endpoint *endpoint = &slice->endpoints[e];

			if (endpoint->ready)
				count.ready++;
			else if (endpoint->serving && endpoint->terminating)
				count.terminating++;
			else
				count.other++;
		}
	}
	return count;
}

static void add_endpoints(
	struct chain *chain, const struct view *view, const struct service *service, uint8_t family)
{
	struct endpoint_count count = count_endpoints(view, service, family);
	const char *name = family == IP_V6 ? "IPv6" : "IPv4";
	AUTO_FREE char *remedy =
		xasprintf("have a ready pod: kubectl -n %s get endpointslices -l "
			  "kubernetes.io/service-name=%s, and the Service's selector",
			service->meta.namespace, service->meta.name);

	if (count.ready + count.terminating == 0)
		chain_add(chain, LINK_WRONG, "endpoints", "NoEndpoints", remedy,
			"no %s endpoint is ready (%zu are not): kube-proxy has nowhere to send "
			"traffic to",
			name, count.other);
	else
		chain_add(chain, LINK_GOOD, "endpoints", "", NULL,
			"%zu %s endpoints are ready, %zu are terminating, %zu are not ready",
			count.ready, name, count.terminating, count.other);
}

static void add_conflict(struct chain *chain, const struct view *view, const struct ip *address)
{
	const struct conflict *conflict = conflict_find(&view->adoption.strangers, address);
	AUTO_FREE char *remedy = xasprintf(
		"take %s from that machine, or add it to its pool's reserved", ip_text(address).s);

	if (conflict)
		chain_add(chain, LINK_WRONG, "conflicts", "AddressConflict", remedy,
			"station %s has %s, as node \"%s\" found: it is not announced until nobody "
			"answers for it",
			mac_text(conflict->mac).s, ip_text(address).s, conflict->node);
	else
		chain_add(chain, LINK_GOOD, "conflicts", "", NULL,
			"no speaker has found another machine with %s", ip_text(address).s);
}

/* One session of a node to which a route for the address is offered. True: it is up. */
static bool add_session(
	struct chain *chain, const struct bgp_node *node, const struct bgp_session *session)
{
	const struct bgp_peer *told = bgp_peer_find(&node->told, session->peer);
	bool is_up = told && strcmp(told->state, "up") == 0;

	if (is_up)
		chain_add(chain, LINK_GOOD, "bgp", "", NULL,
			"%s: its session with %s is up, %lld routes are with it", node->name,
			session->peer, (long long)told->exported);
	else
		chain_add(chain, LINK_NOTE, "bgp", "SessionDown", NULL,
			"%s: its session with %s is %s%s%s", node->name, session->peer,
			told ? told->state : "not told of by its speaker",
			told && *told->error ? ": " : "", told ? told->error : "");
	return is_up;
}

static bool offers(const struct bgp_plan *plan, const struct bgp_vip *vip, size_t session)
{
	for (size_t r = 0; r < vip->route_count; r++) {
		if (bgp_route_is_offered(plan, &plan->routes[vip->routes[r]], session))
			return true;
	}
	return false;
}

static void add_problems(struct chain *chain, const struct bgp_node *node)
{
	for (size_t i = 0; i < node->plan->problem_count; i++) {
		const struct bgp_problem *problem = &node->plan->problems[i];

		chain_add(chain, LINK_NOTE, "bgp", "BgpProblem", NULL, "%s: %s", node->name,
			problem->text);
	}
}

/* Why a node that could announce the address by BGP does not. */
static void add_silence(
	struct chain *chain, const struct bgp_node *node, const struct bgp_vip *planned)
{
	const char *why = "another node suits it better, or no peer that would hear of it has a "
			  "session there";

	if (!node->is_alive)
		why = "its speaker is not alive";
	else if (planned->verdict < PLAN_ELIGIBLE)
		why = bgp_verdict_text(planned->verdict);
	chain_add(chain, LINK_NOTE, "bgp", "NodeRefused", NULL, "%s does not announce %s: %s",
		node->name, ip_text(&planned->address).s, why);
}

/* The same on all nodes where the same advertisements meet, so that it is told once. */
static void add_disagreement(struct chain *chain, const struct bgp_vip *planned, const char **told)
{
	if (!*planned->problem || (*told && strcmp(*told, planned->problem) == 0))
		return;
	*told = planned->problem;
	chain_add(chain, LINK_WRONG, "bgp", "AdvertisementsDisagree", NULL, "%s: %s",
		ip_text(&planned->address).s, planned->problem);
}

static void add_bgp(struct chain *chain, const struct view *view, const struct ip *address)
{
	size_t announcing = 0, up = 0;
	const char *told = NULL;

	for (size_t n = 0; n < view->bgp->count; n++) {
		const struct bgp_node *node = &view->bgp->nodes[n];
		const struct bgp_vip *planned =
			node->plan ? bgp_plan_find(node->plan, address) : NULL;

		if (!planned || !planned->covered)
			continue;
		add_disagreement(chain, planned, &told);
		if (!bgp_node_announces(node, address)) {
			add_silence(chain, node, planned);
			continue;
		}
		announcing++;
		for (size_t s = 0; s < node->plan->session_count; s++) {
			if (offers(node->plan, planned, s))
				up += add_session(chain, node, &node->plan->sessions[s]);
		}
	}
	if (announcing > 0 && up == 0)
		chain_add(chain, LINK_WRONG, "bgp", "NoPeerHasRoute",
			"heraldctl bgp peers; then the router's side of a session, and the "
			"speaker's "
			"log",
			"no router has a route for %s", ip_text(address).s);
	else if (announcing == 0)
		chain_add(chain, LINK_NOTE, "bgp", "", NULL, "no node announces %s by BGP",
			ip_text(address).s);
}

void chain_announcement(struct chain *chain, const struct view *view, const struct service *service)
{
	for (size_t n = 0; n < view->bgp->count; n++)
		add_problems(chain, &view->bgp->nodes[n]);
	for (uint16_t i = 0; i < service->ingress_count && view->config; i++) {
		const struct ip *address = &service->ingress[i].ip;
		AUTO_FREE char *by_bgp = view_bgp_nodes(view, address);

		if (address->family == IP_NONE)
			continue;
		add_layer2(chain, view, address, *by_bgp);
		if (view->bgp->count > 0)
			add_bgp(chain, view, address);
		add_conflict(chain, view, address);
		add_endpoints(chain, view, service, address->family);
	}
}

static const char *event_time(const json_t *event)
{
	const char *last = json_string_value(json_object_get(event, "lastTimestamp"));
	const char *series = json_string_value(
		json_object_get(json_object_get(event, "series"), "lastObservedTime"));
	const char *time = json_string_value(json_object_get(event, "eventTime"));

	return series ? series : last ? last : time ? time : "";
}

static int compare_events(const void *a, const void *b)
{
	return strcmp(event_time(*(json_t *const *)a), event_time(*(json_t *const *)b));
}

void chain_events(struct chain *chain, const json_t *events)
{
	size_t count = json_array_size(events);
	json_t **sorted = xcalloc(count + 1, sizeof(json_t *));

	for (size_t i = 0; i < count; i++)
		sorted[i] = json_array_get(events, i);
	qsort(sorted, count, sizeof(*sorted), compare_events);
	for (size_t i = count > SHOWN_EVENTS ? count - SHOWN_EVENTS : 0; i < count; i++) {
		const char *reason = json_string_value(json_object_get(sorted[i], "reason"));
		const char *message = json_string_value(json_object_get(sorted[i], "message"));

		chain_add(chain, LINK_NOTE, "events", "", NULL, "%s %s: %s", event_time(sorted[i]),
			reason ? reason : "", message ? message : "");
	}
	free(sorted);
}
