// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl pools: the pools of the configuration in force and their use, counted by the
 * controller's own allocator.
 */
#include <stdlib.h>

#include "herald/base/err.h"
#include "listing.h"

static const struct grid_column columns[] = {
	{.title = "NAME"},
	{.title = "IPV4"},
	{.title = "IPV6"},
	{.title = "ASSIGNS"},
	{.title = "PRIORITY", .wide = true},
	{.title = "ADDRESSES", .wide = true},
};

static const char *mode_of(const struct config_pool *pool)
{
	if (pool->disabled)
		return "nothing";
	return pool->auto_assign ? "automatically" : "on request";
}

static json_t *ranges_json(const struct config_pool *pool)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pool->range_count; i++) {
		AUTO_FREE char *text = xasprintf("%s-%s", ip_text(&pool->ranges[i].first).s,
			ip_text(&pool->ranges[i].last).s);

		json_array_append_new(list, json_string(text));
	}
	return list;
}

static void add_usage(struct grid *grid, const struct alloc_pool_usage *usage, size_t family)
{
	if (usage->total[family] > 0 || usage->in_use[family] > 0)
		grid_addf(grid, "%llu/%.0f", (unsigned long long)usage->in_use[family],
			usage->total[family]);
	else
		grid_add(grid, "-");
}

/* Totals are real numbers: an IPv6 pool may be wider than any integer. */
static json_t *usage_json(const struct alloc_pool_usage *usage, size_t family)
{
	return json_pack("{s:I, s:f}", "used", (json_int_t)usage->in_use[family], "total",
		usage->total[family]);
}

static void list(const struct config_pool *pool, const struct alloc_pool_usage *usage,
	struct grid *grid, json_t *items)
{
	json_t *ranges = ranges_json(pool), *range;
	AUTO_FREE char *text = xstrdup("");
	size_t i;

	json_array_foreach (ranges, i, range)
		text = text_join(text, ",", json_string_value(range));
	grid_add(grid, pool->name);
	add_usage(grid, usage, 0);
	add_usage(grid, usage, 1);
	grid_add(grid, mode_of(pool));
	grid_addf(grid, "%d", pool->priority);
	grid_add(grid, text);
	json_array_append_new(
		items, json_pack("{s:s, s:o, s:o, s:s, s:i, s:o}", "name", pool->name, "ipv4",
			       usage_json(usage, 0), "ipv6", usage_json(usage, 1), "assigns",
			       mode_of(pool), "priority", pool->priority, "addresses", ranges));
}

static void fill(const struct view *view, const struct listing_scope *scope, struct grid *grid,
	json_t *items)
{
	if (view->config_problem)
		complain("note: the configuration in force is not known: %s", view->config_problem);
	for (size_t i = 0; i < alloc_pool_count(view->adoption.alloc); i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(view->adoption.alloc, i);
		const struct config_pool *pool = config_pool_find(view->config, usage.name);

		if (pool && listing_wants(scope, "", pool->name))
			list(pool, &usage, grid, items);
	}
}

static const struct listing listing = {"pools", "pool", LISTING_COLUMNS(columns), 1, false, fill};

static const char doc[] =
	"Lists the pools with the addresses in use and those that can be given out. With -o wide "
	"also the order in which pools are tried, and their addresses."
	"\vExit codes: 0 done, 1 there is no pool of a name asked for, 2 it could not be told, 64 "
	"wrong command line.";

const struct argp pools_argp = {
	listing_options, listing_parse, "[NAME...]", doc, asking_children, NULL, NULL};

int pools_main(int argc, char **argv)
{
	return listing_main(&listing, &pools_argp, argc, argv);
}
