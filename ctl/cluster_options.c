// SPDX-License-Identifier: Apache-2.0
/*
 * The options by which a cluster is found, named as kubectl names them. Herald's own
 * namespace has an option of its own, since -n is that of the Services asked about.
 */
#include "cluster_options.h"

#include <stdlib.h>

#define TIMEOUT_S_DEFAULT 30u
#define SECONDS_MAX 3600u

enum option_key {
	OPTION_KUBECONFIG = 0x1000,
	OPTION_CONTEXT,
	OPTION_SERVER,
	OPTION_HOME,
	OPTION_CONFIG_MAP,
	OPTION_TIMEOUT,
	OPTION_CLASS,
	OPTION_UNSET,
};

static const struct argp_option option_list[] = {
	{NULL, 0, NULL, 0, "Kubernetes:", 10},
	{"kubeconfig", OPTION_KUBECONFIG, "FILE", 0,
		"Connect as this file says (default: the pod's service account, else $KUBECONFIG, "
		"else ~/.kube/config)",
		10},
	{"context", OPTION_CONTEXT, "NAME", 0,
		"Context of the kubeconfig (default: its current one)", 10},
	{"server", OPTION_SERVER, "URL", 0, "API server, instead of the kubeconfig's", 10},
	{"timeout", OPTION_TIMEOUT, "SECONDS", 0, "Give the API server so long (default: 30)", 10},
	{NULL, 0, NULL, 0, "Herald:", 11},
	{"herald-namespace", OPTION_HOME, "NAME", 0,
		"Namespace of Herald's own objects (default: $POD_NAMESPACE, else herald-system)",
		11},
	{"config-map", OPTION_CONFIG_MAP, "NAME", 0,
		"ConfigMap with the configuration in force (default: herald-config)", 11},
	{"load-balancer-class", OPTION_CLASS, "CLASS", 0,
		"As the controller is started with (default: as its Deployment says)", 11},
	{"handle-unset-class", OPTION_UNSET, NULL, 0,
		"Also Services without a class (default: as the controller's Deployment says)", 11},
	{0},
};

void cluster_options_init(struct cluster_options *options)
{
	const char *namespace = getenv("POD_NAMESPACE");

	*options = (struct cluster_options){
		.home = namespace && *namespace ? namespace : "herald-system",
		.config_map = "herald-config",
		.timeout_ms = TIMEOUT_S_DEFAULT * 1000};
}

uint32_t read_seconds(const char *option, const char *text, struct argp_state *state)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || seconds < 1 || seconds > SECONDS_MAX)
		argp_error(state, "%s: \"%s\" is no number of seconds from 1 to %u", option, text,
			SECONDS_MAX);
	return (uint32_t)seconds;
}

static const char *non_empty(const char *option, const char *value, struct argp_state *state)
{
	if (*value == '\0')
		argp_error(state, "%s needs a value that is not empty", option);
	return value;
}

static error_t parse_herald(int key, char *value, struct argp_state *state)
{
	struct cluster_options *chosen = state->input;

	switch (key) {
	case OPTION_CONFIG_MAP:
		chosen->config_map = non_empty("--config-map", value, state);
		return 0;
	case OPTION_CLASS:
		chosen->rules.class = non_empty("--load-balancer-class", value, state);
		chosen->rules_given = true;
		return 0;
	case OPTION_UNSET:
		chosen->rules.handle_unset = true;
		chosen->rules_given = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct cluster_options *chosen = state->input;

	switch (key) {
	case OPTION_KUBECONFIG:
		chosen->where.path = value;
		break;
	case OPTION_CONTEXT:
		chosen->where.context = value;
		break;
	case OPTION_SERVER:
		chosen->where.server = value;
		break;
	case OPTION_HOME:
		chosen->home = non_empty("--herald-namespace", value, state);
		break;
	case OPTION_TIMEOUT:
		chosen->timeout_ms = read_seconds("--timeout", value, state) * 1000;
		break;
	default:
		return parse_herald(key, value, state);
	}
	chosen->wants_cluster = true;
	return 0;
}

static const struct argp cluster_argp = {option_list, parse, NULL, NULL, NULL, NULL, NULL};

void asking_init(struct asking *asking)
{
	*asking = (struct asking){.output = OUTPUT_TABLE};
	cluster_options_init(&asking->cluster);
}

static error_t parse_asking(int key, char *value, struct argp_state *state)
{
	struct asking *asking = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &asking->cluster;
		return 0;
	case 'o':
		asking->output = output_format_of(value, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option output_options[] = {OPTION_OUTPUT, {0}};
const struct argp_child cluster_children[] = {{&cluster_argp, 0, NULL, 0}, {0}};
static const struct argp asking_argp = {
	output_options, parse_asking, NULL, NULL, cluster_children, NULL, NULL};
const struct argp_child asking_children[] = {{&asking_argp, 0, NULL, 0}, {0}};
