// SPDX-License-Identifier: Apache-2.0
/*
 * The course of every verb that lists: gather, view, fill, print, and once more after each
 * change with --watch. What is watched is printed row by row, as kubectl does.
 */
#include "listing.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "gather.h"
#include "herald/core/suggest.h"
#include "herald/io/loop.h"

struct arguments {
	struct asking asking;
	struct listing_scope scope;
	bool all_namespaces, watch;
};

#define OPTION_WATCH                                                                               \
	{                                                                                          \
		"watch", 'w', NULL, 0, "Go on: print what changes", 0                              \
	}

const struct argp_option listing_options[] = {OPTION_WATCH, {0}};
const struct argp_option listing_namespaced_options[] = {OPTION_WATCH,
	{"namespace", 'n', "NAME", 0,
		"Of this namespace (default: the kubeconfig's, else \"default\")", 0},
	{"all-namespaces", 'A', NULL, 0, "Of all namespaces", 0}, {0}};

error_t listing_parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->asking;
		return 0;
	case 'w':
		arguments->watch = true;
		return 0;
	case 'n':
		arguments->scope.namespace = value;
		return 0;
	case 'A':
		arguments->all_namespaces = true;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->scope.names = state->argv + state->next;
		arguments->scope.name_count = state->argc - state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

bool listing_wants(const struct listing_scope *scope, const char *namespace, const char *name)
{
	bool picked = scope->name_count == 0;

	if (scope->namespace && strcmp(scope->namespace, namespace) != 0)
		return false;
	for (int i = 0; i < scope->name_count && !picked; i++)
		picked = strcmp(scope->names[i], name) == 0;
	return picked;
}

struct run {
	const struct listing *listing;
	struct arguments *arguments;
	struct gather *gather;
	struct grid shown;
	json_t *items;
};

static void fill(struct run *run, const struct listing_scope *scope)
{
	const struct listing *listing = run->listing;
	struct view view;
	bool is_data;

	view_make(gather_facts(run->gather), &run->arguments->asking.cluster.rules, &view);
	grid_init(&run->shown, listing->columns, listing->column_count, listing->key_columns);
	run->shown.columns[0].hidden = listing->namespaced && scope->namespace;
	/* Of a large cluster only that is kept which is going to be looked at. */
	is_data = output_is_data(run->arguments->asking.output);
	run->shown.discards = is_data && !run->arguments->watch;
	run->items = is_data || scope != &run->arguments->scope ? json_array() : NULL;
	listing->fill(&view, scope, &run->shown, run->items);
	view_done(&view);
}

static void print_item_news(const struct run *run, const struct grid *before)
{
	const json_t *item;
	size_t row;

	json_array_foreach (run->items, row, item) {
		if (before && grid_row_is_known(&run->shown, row, before))
			continue;
		if (run->arguments->asking.output == OUTPUT_YAML)
			puts("---");
		output_data(json_deep_copy(item), run->arguments->asking.output);
	}
}

static void on_change(void *context)
{
	struct run *run = context;
	struct grid before = run->shown;

	json_decref(run->items);
	fill(run, &run->arguments->scope);
	if (output_is_data(run->arguments->asking.output))
		print_item_news(run, &before);
	else
		grid_print_news(
			&run->shown, stdout, run->arguments->asking.output == OUTPUT_WIDE, &before);
	grid_done(&before);
	if (output_end(VERB_GOOD) != VERB_GOOD)
		exit(VERB_UNKNOWN);
}

static void print_all(struct run *run)
{
	const struct arguments *arguments = run->arguments;

	if (!output_is_data(arguments->asking.output)) {
		if (grid_rows(&run->shown) == 0)
			complain("there are no %s%s%s", run->listing->member,
				run->shown.columns[0].hidden ? " in namespace " : "",
				run->shown.columns[0].hidden ? arguments->scope.namespace : "");
		else
			grid_print(&run->shown, stdout, arguments->asking.output == OUTPUT_WIDE);
	} else if (arguments->watch) {
		print_item_news(run, NULL);
	} else {
		output_data(json_pack("{s:O}", run->listing->member, run->items),
			arguments->asking.output);
	}
}

/* False, and told: one of the names is of nothing that there is. */
static bool has_all_names(struct run *run)
{
	const struct listing_scope *scope = &run->arguments->scope;
	const struct listing_scope all = {.namespace = scope->namespace};
	struct grid picked = run->shown;
	json_t *items = run->items;
	bool complete = true;

	fill(run, &all);
	for (int i = 0; i < scope->name_count; i++) {
		struct suggestion near = {.word = scope->names[i]};
		bool found = false;
		const json_t *item;
		size_t k;

		json_array_foreach (run->items, k, item) {
			const char *name = json_string_value(json_object_get(item, "name"));

			found = found || strcmp(name, scope->names[i]) == 0;
			suggest_offer(&near, name);
		}
		if (!found)
			complain("there is no %s \"%s\"%s%s%s", run->listing->noun, scope->names[i],
				near.best ? ": did you mean \"" : "", near.best ? near.best : "",
				near.best ? "\"?" : "");
		complete = complete && found;
	}
	grid_done(&run->shown);
	json_decref(run->items);
	run->shown = picked;
	run->items = items;
	return complete;
}

static int show(void *context, struct gather *gather)
{
	struct run *run = context;
	struct listing_scope *scope = &run->arguments->scope;
	struct session *session = gather_session(gather);
	int code;

	run->gather = gather;
	if (run->arguments->all_namespaces || !run->listing->namespaced)
		scope->namespace = NULL;
	else if (!scope->namespace)
		scope->namespace = session->kubeconfig->namespace;
	fill(run, scope);
	code = scope->name_count == 0 || has_all_names(run) ? VERB_GOOD : VERB_FOUND;
	if (code == VERB_GOOD || grid_rows(&run->shown) > 0)
		print_all(run);
	if (run->arguments->watch && code == VERB_GOOD) {
		code = output_end(VERB_GOOD);
		gather_follow(gather, on_change, run);
		loop_run(session->loop);
	}
	grid_done(&run->shown);
	json_decref(run->items);
	return code;
}

int listing_main(const struct listing *listing, const struct argp *argp, int argc, char **argv)
{
	struct arguments arguments = {0};
	struct run run = {.listing = listing, .arguments = &arguments};

	asking_init(&arguments.asking);
	argp_parse(argp, argc, argv, 0, NULL, &arguments);
	if (!listing) {
		complain("which list, \"peers\" or \"routes\"? (--help)");
		return EX_USAGE;
	}
	return with_facts(&arguments.asking.cluster, FACTS_ALL, show, &run);
}
