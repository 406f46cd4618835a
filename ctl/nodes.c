// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl nodes: each node with its speaker, whether it may announce anything, and what
 * it announces.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/conflicts.h"
#include "listing.h"

static const struct grid_column columns[] = {
	{.title = "NAME"},
	{.title = "SPEAKER"},
	{.title = "ADDRESSES"},
	{.title = "VERDICT"},
	{.title = "INTERFACES", .wide = true},
	{.title = "BFD", .wide = true},
	{.title = "CONFLICTS", .wide = true},
};

/* Interfaces of a Lease, by name alone: "eth0,eth1"; malloc'ed. */
static char *interface_names(const struct member *member)
{
	struct interface_list list;
	char *text = xstrdup("");

	interface_list_parse(member ? member->interfaces : "", &list);
	for (size_t i = 0; i < list.count; i++)
		text = text_join(text, ",", list.items[i].name);
	interface_list_done(&list);
	return text;
}

static json_t *owned_json(const struct view *view, const char *node)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->plan->vip_count; i++) {
		const struct plan_vip *vip = &view->plan->vips[i];

		if (plan_serves(view->plan, vip, node))
			json_array_append_new(list, json_string(ip_text(&vip->address).s));
	}
	return list;
}

static const char *verdict_on(const struct view *view, const char *node)
{
	for (size_t n = 0; n < view->plan->node_count; n++) {
		if (strcmp(view->plan->nodes[n], node) == 0)
			return plan_verdict_text(view->plan->standing[n]);
	}
	return "no configuration is known";
}

static void list(const struct view *view, const struct node *node, struct grid *grid, json_t *items)
{
	const char *name = node->meta.name, *verdict = verdict_on(view, name);
	const struct member *member = members_find(view->facts->members, name);
	const char *state = member ? member_state_text(member->state) : "none";
	AUTO_FREE char *interfaces = interface_names(member);
	struct conflict_list conflicts;
	json_t *owned = owned_json(view, name);

	conflicts_parse(member ? member->conflicts : NULL, name, &conflicts);
	grid_add(grid, name);
	grid_add(grid, state);
	grid_addf(grid, "%zu", json_array_size(owned));
	grid_add(grid, verdict);
	grid_add(grid, interfaces);
	grid_add(grid, member ? member->bfd : NULL);
	grid_addf(grid, "%zu", conflicts.count);
	json_array_append_new(items,
		json_pack("{s:s, s:s, s:s, s:o, s:s, s:s?, s:I}", "name", name, "speaker", state,
			"verdict", verdict, "addresses", owned, "interfaces", interfaces, "bfd",
			member ? member->bfd : NULL, "conflicts", (json_int_t)conflicts.count));
	conflict_list_done(&conflicts);
}

static void fill(const struct view *view, const struct listing_scope *scope, struct grid *grid,
	json_t *items)
{
	const struct store *nodes = &view->facts->of[FACT_NODE];

	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = nodes->items[i];

		if (listing_wants(scope, "", node->meta.name))
			list(view, node, grid, items);
	}
}

static const struct listing listing = {"nodes", "node", LISTING_COLUMNS(columns), 1, false, fill};

static const char doc[] =
	"Lists the nodes: whether a speaker is alive there, how many addresses the node announces, "
	"and whether it may. With -o wide also the interfaces, the address of its BFD sessions, "
	"and "
	"how many addresses it has found to be other machines'."
	"\vExit codes: 0 done, 1 there is no node of a name asked for, 2 it could not be told, 64 "
	"wrong command line.";

const struct argp nodes_argp = {
	listing_options, listing_parse, "[NAME...]", doc, asking_children, NULL, NULL};

int nodes_main(int argc, char **argv)
{
	return listing_main(&listing, &nodes_argp, argc, argv);
}
