// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_LISTING_H
#define HERALDCTL_LISTING_H

#include "cluster_options.h"
#include "grid.h"
#include "verb.h"
#include "view.h"

/*
 * What the verbs have in common that list things: the options (-o, -w, and for Services -n
 * and -A, as kubectl has them), names to pick, printing, and going on with --watch.
 */
struct listing_scope {
	const char *namespace; /* NULL: all */
	char **names;	       /* to pick; none: all */
	int name_count;
};
bool listing_wants(const struct listing_scope *scope, const char *namespace, const char *name);

struct listing {
	const char *member; /* of the JSON object: "services" */
	const char *noun;   /* "Service", for errors */
	const struct grid_column *columns;
	size_t column_count;
	size_t key_columns; /* the first ones, which tell rows apart */
	bool namespaced;    /* the first column is the namespace */
	/* Fills one row and one object for each thing in the scope, in the same order. `items`
	   may be NULL, and the grid discard what it gets: jansson takes NULL for an array. */
	void (*fill)(const struct view *view, const struct listing_scope *scope, struct grid *grid,
		json_t *items);
};
#define LISTING_COLUMNS(array) array, sizeof(array) / sizeof((array)[0])

extern const struct argp_option listing_options[], listing_namespaced_options[];
error_t listing_parse(int key, char *value, struct argp_state *state);

/* `listing` NULL: which one is meant was not said; --help works all the same. */
int listing_main(const struct listing *listing, const struct argp *argp, int argc, char **argv);

#endif
