// SPDX-License-Identifier: Apache-2.0
/*
 * The speaker's status as JSON, for people and for heraldctl. In: the speaker as it is.
 * Out: text. Bounded: the reasons of at most EXPLAIN_NODES nodes per address.
 */
#include "status_page.h"

#include <jansson.h>
#include <string.h>

#include "speaker.h"

#define EXPLAIN_NODES 10u

static json_t *interfaces_json(const struct speaker *s)
{
	const struct ports *ports = layer2_ports(speaker_layer2(s));
	json_t *list = json_array();

	for (unsigned slot = 0; slot < RESPONDER_SLOTS; slot++) {
		const struct port *port = ports_at(ports, slot);

		if (!port)
			continue;
		json_array_append_new(
			list, json_pack("{s:s,s:s,s:b,s:b}", "name", port->interface.name, "mac",
				      mac_text(port->mac).s, "capturing", port->wire != NULL,
				      "onlyByName", port->interface.only_by_name));
	}
	return list;
}

static json_t *members_json(const struct speaker *s)
{
	const struct members *members = cluster_members(speaker_cluster(s));
	json_t *list = json_array();

	for (size_t i = 0; i < members_count(members); i++) {
		const struct member *member = members_at(members, i);

		json_array_append_new(
			list, json_pack("{s:s,s:s,s:s,s:s?,s:b,s:s?}", "node", member->node,
				      "state", member_state_text(member->state), "interfaces",
				      member->interfaces, "bfd", member->bfd, "suspected",
				      member->suspicion.dead, "suspects", member->suspects));
	}
	return list;
}

/* The nodes that serve it at the same time; NULL: one serves all. */
static json_t *serving_json(const struct plan *plan, const struct plan_vip *vip)
{
	json_t *list = vip->per_client ? json_array() : NULL;

	for (size_t i = 0; list && i < vip->serving_count; i++)
		json_array_append_new(list, json_string(plan->nodes[vip->serving[i]]));
	return list;
}

static json_t *address_json(const struct speaker *s, const struct plan_vip *vip)
{
	const struct plan *plan = speaker_plan(s);
	AUTO_FREE char *interfaces = layer2_interfaces_of(speaker_layer2(s), &vip->address);
	AUTO_FREE char *verdicts = plan_explain(plan, vip, EXPLAIN_NODES);
	AUTO_FREE char *service = xasprintf("%s/%s", vip->namespace, vip->service);

	return json_pack("{s:s,s:s,s:I,s:s?,s:o*,s:s?,s:b,s:s,s:s,s:s}", "address",
		ip_text(&vip->address).s, "service", service, "sharers", (json_int_t)vip->sharers,
		"owner", vip->owner, "serving", serving_json(plan, vip), "heir", vip->heir, "ours",
		vip->ours, "state", layer2_state_text_of(speaker_layer2(s), &vip->address),
		"interfaces", interfaces, "verdicts", verdicts);
}

static json_t *conflicts_json(const struct speaker *s)
{
	struct conflict_list conflicts;
	json_t *list = json_array();

	layer2_conflicts(speaker_layer2(s), &conflicts);
	for (size_t i = 0; i < conflicts.count; i++)
		json_array_append_new(
			list, json_pack("{s:s,s:s}", "address", ip_text(&conflicts.items[i].ip).s,
				      "station", mac_text(conflicts.items[i].mac).s));
	conflict_list_done(&conflicts);
	return list;
}

char *status_page(void *speaker, const char **ret_content_type)
{
	const struct speaker *s = speaker;
	const struct plan *plan = speaker_plan(s);
	json_t *addresses = json_array();
	json_t *page;
	char *text;

	for (size_t i = 0; plan && i < plan->vip_count; i++)
		json_array_append_new(addresses, address_json(s, &plan->vips[i]));
	page = json_pack("{s:s,s:b,s:b,s:o,s:o,s:o,s:o,s:o,s:o}", "node", speaker_node(s),
		"inContact", cluster_in_contact(speaker_cluster(s)), "leaseLapsed",
		cluster_has_lapsed(speaker_cluster(s)), "interfaces", interfaces_json(s), "members",
		members_json(s), "bfd", bfd_status(speaker_bfd(s)), "bgp",
		bgp_status(speaker_bgp(s)), "addresses", addresses, "conflicts", conflicts_json(s));
	text = page ? json_dumps(page, JSON_INDENT(2)) : NULL;
	json_decref(page);
	*ret_content_type = "application/json";
	return text ? text : xstrdup("{}");
}
