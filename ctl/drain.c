// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl drain and undrain: the label herald.io/drain on a node, set and taken away. Drain
 * says first where each address goes, refuses where one would go nowhere, and waits until
 * the node has handed all of them over.
 *
 * That it has is known from the Leases: every speaker concerned has renewed its own twice
 * since all could see the label, so that it lives, is in contact, and has planned anew.
 */
#include <stdlib.h>
#include <string.h>

#include "gather.h"
#include "grid.h"
#include "herald/core/suggest.h"
#include "herald/io/loop.h"
#include "verb.h"
#include "view.h"

#define DRAIN_LABEL "herald.io/drain"
#define LOOK_MS 100u
#define RENEWALS 2u

struct arguments {
	struct asking asking;
	const char *node;
	bool dry_run, force;
};

/* One address that the node announces, and who would announce it without it. */
struct move {
	struct ip address;
	char *service;
	char *to; /* NULL: nobody */
};

/* A speaker whose renewals are counted. */
struct witness {
	const char *node; /* borrowed from a move or the arguments */
	uint64_t renewed_ns;
	unsigned renewals;
};

struct drain {
	const struct arguments *arguments;
	struct gather *gather;
	struct move *moves;
	size_t move_count;
	struct witness *witnesses;
	size_t witness_count;
	struct timer *look, *bound;
	bool is_done;
};

static const struct node *find_node(const struct facts *facts, const char *name)
{
	const struct store *nodes = &facts->of[FACT_NODE];
	const struct node *node = store_find(nodes, "", name);
	struct suggestion near = {.word = name};

	for (size_t i = 0; !node && i < nodes->count; i++)
		suggest_offer(&near, ((const struct node *)nodes->items[i])->meta.name);
	if (!node && near.best)
		complain("there is no node \"%s\": did you mean \"%s\"?", name, near.best);
	else if (!node)
		complain("there is no node \"%s\": heraldctl nodes lists them", name);
	return node;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct string_pair *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* The plan as it would be with the label on the node. */
static struct plan *plan_without(const struct view *view, const struct node *node)
{
	struct node drained = *node;
	AUTO_FREE struct string_pair *labels = xcalloc(node->labels.count + 1u, sizeof(*labels));
	AUTO_FREE const struct node **nodes = NULL;
	struct plan_input input;
	uint32_t count = 0;

	for (uint32_t i = 0; i < node->labels.count; i++) {
		if (strcmp(node->labels.pairs[i].key, DRAIN_LABEL) != 0)
			labels[count++] = node->labels.pairs[i];
	}
	labels[count++] = (struct string_pair){DRAIN_LABEL, ""};
	qsort(labels, count, sizeof(*labels), compare_pairs);
	drained.labels = (struct string_map){labels, count};
	view_plan_input(view, &input);
	nodes = xcalloc(input.node_count, sizeof(*nodes));
	for (size_t i = 0; i < input.node_count; i++)
		nodes[i] = input.nodes[i] == node ? &drained : input.nodes[i];
	input.nodes = nodes;
	return plan_make(&input);
}

/* The node that has an address then, or all that serve it; malloc'ed, NULL: none. */
static char *whereto(const struct plan *plan, const struct plan_vip *vip)
{
	char *text = NULL;

	for (size_t i = 0; i < vip->serving_count; i++) {
		const char *node = plan->nodes[vip->serving[i]];
		char *longer = text ? xasprintf("%s,%s", text, node) : xstrdup(node);

		free(text);
		text = longer;
	}
	return text;
}

static void collect_moves(struct drain *d, const struct view *view, const struct node *node)
{
	struct plan *after = plan_without(view, node);

	d->moves = xcalloc(view->plan->vip_count + 1, sizeof(*d->moves));
	for (size_t i = 0; i < view->plan->vip_count; i++) {
		const struct plan_vip *vip = &view->plan->vips[i];
		const struct plan_vip *then = plan_find(after, &vip->address);

		if (!plan_serves(view->plan, vip, node->meta.name))
			continue;
		d->moves[d->move_count++] = (struct move){.address = vip->address,
			.service = xasprintf("%s/%s", vip->namespace, vip->service),
			.to = then ? whereto(after, then) : NULL};
	}
	plan_free(after);
}

static void print_moves(const struct drain *d)
{
	static const struct grid_column columns[] = {
		{.title = "ADDRESS"}, {.title = "SERVICE"}, {.title = "TO"}};
	json_t *list = json_array();
	struct grid grid;

	grid_init(&grid, columns, 3, 1);
	for (size_t i = 0; i < d->move_count; i++) {
		const struct move *move = &d->moves[i];

		grid_add(&grid, ip_text(&move->address).s);
		grid_add(&grid, move->service);
		grid_add(&grid, move->to ? move->to : "nobody");
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s?}", "address", ip_text(&move->address).s,
				      "service", move->service, "to", move->to));
	}
	if (output_is_data(d->arguments->asking.output))
		output_data(json_pack("{s:s, s:b, s:O}", "node", d->arguments->node, "dryRun",
				    d->arguments->dry_run, "moves", list),
			d->arguments->asking.output);
	else if (d->move_count > 0)
		grid_print(&grid, stdout, false);
	else
		printf("%s announces nothing\n", d->arguments->node);
	grid_done(&grid);
	json_decref(list);
}

static size_t count_lost(const struct drain *d)
{
	size_t lost = 0;

	for (size_t i = 0; i < d->move_count; i++)
		lost += !d->moves[i].to;
	return lost;
}

static void add_witness(struct drain *d, const char *node)
{
	const struct member *member = members_find(gather_facts(d->gather)->members, node);

	for (size_t i = 0; i < d->witness_count; i++) {
		if (strcmp(d->witnesses[i].node, node) == 0)
			return;
	}
	/* A speaker that is dead or gone holds nothing. */
	if (member && member->state == MEMBER_ALIVE)
		d->witnesses[d->witness_count++] = (struct witness){node, member->renewed.ns, 0};
}

static void call_witnesses(struct drain *d)
{
	d->witnesses = xcalloc(d->move_count + 1, sizeof(*d->witnesses));
	add_witness(d, d->arguments->node);
	for (size_t i = 0; i < d->move_count; i++) {
		if (d->moves[i].to)
			add_witness(d, d->moves[i].to);
	}
}

static bool have_all_renewed(struct drain *d)
{
	const struct members *members = gather_facts(d->gather)->members;
	bool all = true;

	for (size_t i = 0; i < d->witness_count; i++) {
		struct witness *witness = &d->witnesses[i];
		const struct member *member = members_find(members, witness->node);

		if (!member || member->state != MEMBER_ALIVE)
			continue;
		witness->renewals += member->renewed.ns != witness->renewed_ns;
		witness->renewed_ns = member->renewed.ns;
		all = all && witness->renewals >= RENEWALS;
	}
	return all;
}

static void on_look(void *context)
{
	struct drain *d = context;
	const struct node *node =
		store_find(&gather_facts(d->gather)->of[FACT_NODE], "", d->arguments->node);

	/* Counted from when the label is seen, here as elsewhere. */
	if (node && node_is_drained(node) && !d->witnesses)
		call_witnesses(d);
	d->is_done = !node || (d->witnesses && have_all_renewed(d));
	if (d->is_done)
		loop_stop(gather_session(d->gather)->loop);
	else
		timer_start(d->look, LOOK_MS);
}

static void on_bound(void *context)
{
	struct drain *d = context;

	loop_stop(gather_session(d->gather)->loop);
}

static void on_change(void *context)
{
	(void)context;
}

static int wait_for_hand_over(struct drain *d)
{
	struct loop *loop = gather_session(d->gather)->loop;
	uint32_t ms = d->arguments->asking.cluster.timeout_ms;

	d->look = timer_new(loop, on_look, d);
	d->bound = timer_new(loop, on_bound, d);
	timer_start(d->look, LOOK_MS);
	timer_start(d->bound, ms);
	gather_follow(d->gather, on_change, d);
	loop_run(loop);
	timer_free(d->look);
	timer_free(d->bound);
	if (!d->is_done) {
		complain("%s is labelled, but not every speaker was seen to renew its Lease within "
			 "%u s: heraldctl nodes and heraldctl services -A show how it stands; run "
			 "this again, with a longer --timeout, to go on waiting",
			d->arguments->node, ms / 1000);
		return VERB_UNKNOWN;
	}
	complain("%s is drained: %zu addresses were handed over", d->arguments->node,
		d->move_count - count_lost(d));
	return VERB_GOOD;
}

/* `value`: JSON, null takes the label away. */
static int set_label(struct session *session, const char *node, const char *value)
{
	AUTO_FREE char *name = kube_escape(node);
	AUTO_FREE char *path = xasprintf("/api/v1/nodes/%s", name);
	AUTO_FREE char *body =
		xasprintf("{\"metadata\":{\"labels\":{\"" DRAIN_LABEL "\":%s}}}", value);
	struct err e;

	if (session_patch(session, path, body, &e) == 0)
		return 0;
	session_advise(session, &e);
	complain("%s", e.text);
	return e.code;
}

static int carry_out(struct drain *d)
{
	size_t lost = count_lost(d);

	print_moves(d);
	if (lost > 0 && !d->arguments->force) {
		complain("%zu of these addresses would be announced by nobody (heraldctl why "
			 "SERVICE): nothing is changed; --force drains all the same",
			lost);
		return VERB_FOUND;
	}
	if (d->arguments->dry_run)
		return VERB_GOOD;
	if (set_label(gather_session(d->gather), d->arguments->node, "\"\"") < 0)
		return VERB_UNKNOWN;
	return wait_for_hand_over(d);
}

static int drain(void *context, struct gather *gather)
{
	struct drain d = {.arguments = context, .gather = gather};
	const struct node *node = find_node(gather_facts(gather), d.arguments->node);
	struct view view;
	int code;

	if (!node)
		return VERB_FOUND;
	view_make(gather_facts(gather), &d.arguments->asking.cluster.rules, &view);
	collect_moves(&d, &view, node);
	view_done(&view);
	code = carry_out(&d);
	for (size_t i = 0; i < d.move_count; i++) {
		free(d.moves[i].service);
		free(d.moves[i].to);
	}
	free(d.moves);
	free(d.witnesses);
	return code;
}

static int undrain(void *context, struct gather *gather)
{
	const struct arguments *arguments = context;
	const struct node *node = find_node(gather_facts(gather), arguments->node);

	if (!node)
		return VERB_FOUND;
	if (!string_map_get(&node->labels, DRAIN_LABEL)) {
		complain("%s is not drained", arguments->node);
		return VERB_GOOD;
	}
	if (set_label(gather_session(gather), arguments->node, "null") < 0)
		return VERB_UNKNOWN;
	complain("%s is drained no longer: it takes addresses back as membership.takeBack says",
		arguments->node);
	return VERB_GOOD;
}

enum option_key { OPTION_DRY_RUN = 0x200, OPTION_FORCE };

static const struct argp_option options[] = {
	{"dry-run", OPTION_DRY_RUN, NULL, 0, "Only tell where the addresses would go", 0},
	{"force", OPTION_FORCE, NULL, 0, "Drain also where an address would be announced by nobody",
		0},
	{0}};

static error_t parse_node(
	struct arguments *arguments, int key, char *value, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (arguments->node)
			argp_error(state, "one node at a time");
		arguments->node = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which NODE?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_drain(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->asking;
		return 0;
	case OPTION_DRY_RUN:
		arguments->dry_run = true;
		return 0;
	case OPTION_FORCE:
		arguments->force = true;
		return 0;
	default:
		return parse_node(arguments, key, value, state);
	}
}

static error_t parse_undrain(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	if (key == ARGP_KEY_INIT) {
		state->child_inputs[0] = &arguments->asking.cluster;
		return 0;
	}
	return parse_node(arguments, key, value, state);
}

static const char drain_doc[] =
	"Has the node hand its addresses over to others, by the label " DRAIN_LABEL
	", and waits until it has, as long as --timeout says. Tells first where each goes. Pods "
	"are "
	"left alone: kubectl drain moves these."
	"\vExit codes: 0 the node announces nothing any more, 1 an address would be announced by "
	"nobody, or there is no such node; nothing was changed, 2 it could not be done or was not "
	"seen done, 64 wrong command line.";
static const char undrain_doc[] =
	"Takes the label " DRAIN_LABEL " away, so that the node may announce addresses again."
	"\vExit codes: 0 done, 1 there is no such node, 2 it could not be done, 64 wrong command "
	"line.";

const struct argp drain_argp = {
	options, parse_drain, "NODE", drain_doc, asking_children, NULL, NULL};
const struct argp undrain_argp = {
	NULL, parse_undrain, "NODE", undrain_doc, cluster_children, NULL, NULL};

int drain_main(int argc, char **argv)
{
	struct arguments arguments = {0};

	asking_init(&arguments.asking);
	argp_parse(&drain_argp, argc, argv, 0, NULL, &arguments);
	return with_facts(&arguments.asking.cluster, FACTS_ALL, drain, &arguments);
}

int undrain_main(int argc, char **argv)
{
	struct arguments arguments = {0};

	asking_init(&arguments.asking);
	argp_parse(&undrain_argp, argc, argv, 0, NULL, &arguments);
	return with_facts(&arguments.asking.cluster, FACT_BIT(FACT_NODE), undrain, &arguments);
}
