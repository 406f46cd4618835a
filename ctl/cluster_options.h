// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_CLUSTER_OPTIONS_H
#define HERALDCTL_CLUSTER_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "herald/core/assign.h"
#include "herald/kube/kubeconfig.h"
#include "verb.h"

/*
 * The options of every verb that asks an API server: how to reach it, where Herald's own
 * objects are, and which Services are Herald's. An argp child: the verb's parser sets
 * state->child_inputs[i] to the struct on ARGP_KEY_INIT.
 */
struct cluster_options {
	struct kubeconfig_options where;
	const char *home, *config_map; /* Herald's namespace, and its ConfigMap */
	uint32_t timeout_ms;
	struct assign_rules rules; /* as the controller is started with; see rules_given */
	bool rules_given;	   /* else session_learn_rules finds out */
	bool wants_cluster;	   /* an option that says how to reach one was given */
};
void cluster_options_init(struct cluster_options *options);

extern const struct argp_child cluster_children[];

/* The same and -o. A verb that has no further options needs no parser of its own. */
struct asking {
	struct cluster_options cluster;
	enum output_format output;
};
void asking_init(struct asking *asking);
extern const struct argp_child asking_children[];

/* The value of an option that is a time in seconds; anything else ends in argp_error. */
uint32_t read_seconds(const char *option, const char *text, struct argp_state *state);

#endif
