// SPDX-License-Identifier: Apache-2.0
/*
 * The configuration as a whole: text in, an immutable config or all its problems out.
 * This file knows the document's top level and the small sections; pools, layer 2 and
 * BGP have files of their own, and config_read has what they share. Nothing here opens a
 * file, asks the time or remembers anything.
 */
#include "herald/core/config.h"

#include <stdlib.h>
#include <string.h>

#include "config_read.h"
#include "herald/base/err.h"
#include "herald/core/bfd_ring.h"
#include "herald/core/yaml_tree.h"

static void read_api_version(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	const char *text = config_text(r, node);

	(void)ret;
	(void)rule;
	if (text && strcmp(text, CONFIG_API_VERSION) != 0)
		config_problem(r, node, "is %s, which this version does not know: write \"%s\"",
			config_show(node).s, CONFIG_API_VERSION);
}

static const char *const removed_names[] = {"keep", "move", NULL};
static const struct config_choice_rule removed_rule = {removed_names};
static void read_external(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config *config = ret;

	(void)rule;
	config_read_range_list(r, node, &config->external, &config->external_count);
}

static const struct config_field addresses_fields[] = {
	{"whenRemoved", config_read_choice_bool, offsetof(struct config, move_when_removed),
		&removed_rule, false},
	{"announceExternalIPs", read_external, 0, NULL, false},
};
static const struct config_fields addresses_table = CONFIG_FIELDS(addresses_fields);

static const struct config_number_rule repeat_rule = {
	1, 60, "one announcement is the least, and each costs every host of the segment work"};
static const struct config_duration_rule spacing_rule = {.min_ms = 10,
	.max_ms = 10000,
	.unit_ms = 1,
	.why = "closer is a burst that switches drop, and wider outlasts the takeover"};
static const struct config_duration_rule refresh_rule = {.min_ms = 5000,
	.max_ms = 24u * 3600 * 1000,
	.unit_ms = 1000,
	.zero = true,
	.why = "more often floods the segment when there are many addresses"};

static const struct config_number_rule probe_count_rule = {
	0, 10, "each delays every new Service by one more pause"};
static const struct config_duration_rule probe_spacing_rule = {.min_ms = 10,
	.max_ms = 2000,
	.unit_ms = 1,
	.why = "closer a station can't answer in time, and wider delays every new Service"};

#define PROBE(member) offsetof(struct config_probe, member)
static const struct config_field probe_fields[] = {
	{"count", config_read_u32, PROBE(count), &probe_count_rule, false},
	{"spacing", config_read_duration, PROBE(spacing_ms), &probe_spacing_rule, false},
};
static const struct config_fields probe_table = CONFIG_FIELDS(probe_fields);

#define ANNOUNCE(member) offsetof(struct config_announce, member)
static const struct config_field announce_fields[] = {
	{"repeat", config_read_u32, ANNOUNCE(repeat), &repeat_rule, false},
	{"spacing", config_read_duration, ANNOUNCE(spacing_ms), &spacing_rule, false},
	{"refresh", config_read_duration, ANNOUNCE(refresh_s), &refresh_rule, false},
	{"replyForm", config_read_bool, ANNOUNCE(reply_form), NULL, false},
	{"probe", config_read_section, ANNOUNCE(probe), &probe_table, false},
};
static const struct config_fields announce_table = CONFIG_FIELDS(announce_fields);

/* The Lease object counts whole seconds (coordination/v1 leaseDurationSeconds). */
static const struct config_duration_rule lease_rule = {.min_ms = 1000,
	.max_ms = 300u * 1000,
	.unit_ms = 1,
	.why = "below a renewal can't be in time, and above a dead node is noticed too late"};
static const struct config_duration_rule renew_rule = {.min_ms = 100,
	.max_ms = 60u * 1000,
	.unit_ms = 1,
	.why = "each renewal is a write to the API server"};

static const char *const take_back_names[] = {"staggered", "never", "immediate", NULL};
static const struct config_choice_rule take_back_rule = {take_back_names};
static const struct config_duration_rule take_back_time_rule = {.min_ms = 1000,
	.max_ms = 24u * 3600 * 1000,
	.unit_ms = 1,
	.why = "a Lease is renewed no more often, and after a day nobody knows what moves it"};

static const struct config_duration_rule bfd_interval_rule = {.min_ms = 10,
	.max_ms = 1000,
	.unit_ms = 1,
	.why = "more often takes a busy node for a dead one, and less often the Lease is as good"};
static const struct config_number_rule bfd_multiplier_rule = {2, 50, "one lost packet is no death"};
static const struct config_number_rule bfd_watchers_rule = {
	1, BFD_WATCHERS_MAX, "each is a session more that every node has"};

#define BFD(member) offsetof(struct config_bfd, member)
static const struct config_field bfd_fields[] = {
	{"interval", config_read_duration, BFD(interval_ms), &bfd_interval_rule, false},
	{"multiplier", config_read_u32, BFD(multiplier), &bfd_multiplier_rule, false},
	{"watchers", config_read_u32, BFD(watchers), &bfd_watchers_rule, false},
};
static const struct config_fields bfd_table = CONFIG_FIELDS(bfd_fields);

static void read_bfd(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_bfd *bfd = ret;

	(void)rule;
	bfd->on = config_read_mapping(r, node, &bfd_table, bfd);
}

#define MEMBERSHIP(member) offsetof(struct config_membership, member)
static const struct config_field membership_fields[] = {
	{"leaseDuration", config_read_duration, MEMBERSHIP(lease_duration_ms), &lease_rule, false},
	{"renewInterval", config_read_duration, MEMBERSHIP(renew_interval_ms), &renew_rule, false},
	{"takeBack", config_read_choice, MEMBERSHIP(take_back), &take_back_rule, false},
	{"takeBackTime", config_read_duration, MEMBERSHIP(take_back_ms), &take_back_time_rule,
		false},
	{"bfd", read_bfd, MEMBERSHIP(bfd), NULL, false},
};
static const struct config_fields membership_table = CONFIG_FIELDS(membership_fields);

static void read_membership(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_membership *m = ret;
	const struct yaml_node *at = yaml_tree_get(node, "leaseDuration");
	const struct yaml_node *renew = yaml_tree_get(node, "renewInterval");

	(void)rule;
	if (!config_read_mapping(r, node, &membership_table, m) || config_is_told_of(r, at) ||
		config_is_told_of(r, renew))
		return;
	if (m->lease_duration_ms % 1000 != 0)
		config_problem(r, at, "is %s, but a Lease counts whole seconds: write \"%us\"",
			config_show(at).s, m->lease_duration_ms / 1000 + 1);
	at = renew ? renew : at;
	if (at && 2 * m->renew_interval_ms >= m->lease_duration_ms)
		config_problem(r, at,
			"renewInterval (%ums) must be less than half of leaseDuration (%ums), so "
			"that one lost renewal loses nothing: lower it to %ums or less, or raise "
			"leaseDuration",
			m->renew_interval_ms, m->lease_duration_ms, m->lease_duration_ms / 3);
}

static const struct config_field nodes_fields[] = {
	{"ignoreExcludeLabel", config_read_bool, offsetof(struct config, ignore_exclude_label),
		NULL, false},
	{"moveOnCordon", config_read_bool, offsetof(struct config, move_on_cordon), NULL, false},
};
static const struct config_fields nodes_table = CONFIG_FIELDS(nodes_fields);

static const struct config_field compatibility_fields[] = {
	{"metallbAnnotations", config_read_bool, offsetof(struct config, metallb_annotations), NULL,
		false},
};
static const struct config_fields compatibility_table = CONFIG_FIELDS(compatibility_fields);

/* `addresses` first: it has the pools' default. */
static const struct config_field document_fields[] = {
	{"apiVersion", read_api_version, 0, NULL, true},
	{"addresses", config_read_section, 0, &addresses_table, false},
	{"pools", config_read_pools, 0, NULL, true},
	{"layer2", config_read_layer2, 0, NULL, false},
	{"announce", config_read_section, offsetof(struct config, announce), &announce_table,
		false},
	{"membership", read_membership, offsetof(struct config, membership), NULL, false},
	{"nodes", config_read_section, 0, &nodes_table, false},
	{"compatibility", config_read_section, 0, &compatibility_table, false},
	{"bgp", config_read_bgp, 0, NULL, false},
};
static const struct config_fields document_table = CONFIG_FIELDS(document_fields);

static struct config *new_config(void)
{
	struct config *config = xcalloc(1, sizeof(*config));

	config->memory = xcalloc(1, sizeof(*config->memory));
	config->announce = (struct config_announce){5, 200, 60, true, {3, 100}};
	config->membership = (struct config_membership){3000, 1000, CONFIG_TAKE_BACK_STAGGERED,
		60000, .bfd = {.interval_ms = 50, .multiplier = 3, .watchers = 3}};
	config->layer2 = arena_alloc(config->memory, 1, sizeof(*config->layer2));
	config->layer2[0].name = "";
	config->layer2_count = 1;
	return config;
}

static void on_fault(void *context, const struct yaml_node *node, unsigned line, unsigned column,
	const char *text)
{
	struct config_reader *r = context;
	struct yaml_node at = {0};

	if (node)
		at = *node;
	at.line = line;
	at.column = column;
	config_problem(r, &at, "%s", text);
}

static int compare_problems(const void *a, const void *b)
{
	const struct config_problem *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->text, y->text);
}

struct config *config_parse(const char *text, size_t length, struct config_problems *problems)
{
	struct config *config = new_config();
	struct config_reader r = {
		.problems = problems, .memory = config->memory, .names = config_names_new()};
	const struct yaml_tree_sink sink = {on_fault, &r};
	struct arena tree = {0};
	const struct yaml_node *root = yaml_tree_parse(&tree, text, length, &sink);

	if (root) {
		config_read_mapping(&r, root, &document_table, config);
		config_names_check(&r);
		if (config->bgp)
			config_bgp_check(&r, yaml_tree_get(root, "bgp"), config);
	}
	config_names_free(r.names);
	arena_done(&tree);
	if (problems->count == 0)
		return config;
	qsort(problems->items, problems->count, sizeof(*problems->items), compare_problems);
	config_free(config);
	return NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	arena_done(config->memory);
	free(config->memory);
	free(config);
}

void config_problems_done(struct config_problems *problems)
{
	free(problems->items);
	*problems = (struct config_problems){0};
}

const struct config_pool *config_pool_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->pool_count; i++) {
		if (strcmp(config->pools[i].name, name) == 0)
			return &config->pools[i];
	}
	return NULL;
}
