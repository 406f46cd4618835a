// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl diff: what a new configuration would do to the Services of a cluster, told
 * before it is applied. Changes nothing. The cluster is read from its API server, or from
 * a file that kubectl wrote.
 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "forecast.h"
#include "manifest.h"
#include "verb.h"

#define TIMEOUT_S_DEFAULT 30u
#define TIMEOUT_S_MAX 3600u

struct arguments {
	enum output_format output;
	const char *next, *services, *current; /* files; NULL: not given */
	bool wants_cluster;		       /* an option of the cluster's was given */
	struct facts_cluster cluster;
	struct assign_rules rules;
};

enum option_key {
	OPTION_SERVICES = 0x200,
	OPTION_CURRENT,
	OPTION_KUBECONFIG,
	OPTION_CONTEXT,
	OPTION_SERVER,
	OPTION_NAMESPACE,
	OPTION_CONFIG_MAP,
	OPTION_TIMEOUT,
	OPTION_CLASS,
	OPTION_UNSET,
};

static const struct argp_option options[] = {
	{"file", 'f', "NEW", 0,
		"The new configuration: a Herald document, or a manifest with a ConfigMap; \"-\" "
		"is "
		"standard input",
		1},
	{"output", 'o', "FORMAT", 0, "table (default) or json", 1},
	{"load-balancer-class", OPTION_CLASS, "CLASS", 0, "As the controller is started with", 1},
	{"handle-unset-class", OPTION_UNSET, NULL, 0, "As the controller is started with", 1},
	{NULL, 0, NULL, 0, "Kubernetes:", 2},
	{"kubeconfig", OPTION_KUBECONFIG, "FILE", 0,
		"Connect as this file says (default: the pod's service account, else $KUBECONFIG, "
		"else ~/.kube/config)",
		2},
	{"context", OPTION_CONTEXT, "NAME", 0,
		"Context of the kubeconfig (default: its current one)", 2},
	{"server", OPTION_SERVER, "URL", 0, "API server, instead of the kubeconfig's", 2},
	{"namespace", OPTION_NAMESPACE, "NAME", 0,
		"Namespace of the ConfigMap in force (default: $POD_NAMESPACE, else herald-system)",
		2},
	{"config-map", OPTION_CONFIG_MAP, "NAME", 0,
		"ConfigMap in force (default: herald-config); in manifests too", 2},
	{"timeout", OPTION_TIMEOUT, "SECONDS", 0, "Give the API server so long (default: 30)", 2},
	{NULL, 0, NULL, 0, "Without a cluster:", 3},
	{"services", OPTION_SERVICES, "FILE", 0,
		"Services, and the nodes, namespaces and ConfigMap that there are, as \"kubectl "
		"get "
		"services,nodes,namespaces -A -o json\" writes them",
		3},
	{"current", OPTION_CURRENT, "FILE", 0,
		"The configuration in force (default: the ConfigMap that is found)", 3},
	{0},
};

static uint32_t read_seconds(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || seconds < 1 || seconds > TIMEOUT_S_MAX)
		argp_error(state, "--timeout: \"%s\" is no number of seconds from 1 to %u", text,
			TIMEOUT_S_MAX);
	return (uint32_t)seconds * 1000;
}

/* The options that only matter where the API server is asked. */
static error_t parse_cluster(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct kubeconfig_options *where = &arguments->cluster.where;

	switch (key) {
	case OPTION_KUBECONFIG:
		where->path = value;
		break;
	case OPTION_CONTEXT:
		where->context = value;
		break;
	case OPTION_SERVER:
		where->server = value;
		break;
	case OPTION_NAMESPACE:
		arguments->cluster.namespace = value;
		break;
	case OPTION_TIMEOUT:
		arguments->cluster.timeout_ms = read_seconds(value, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	arguments->wants_cluster = true;
	return 0;
}

static void check(const struct arguments *arguments, struct argp_state *state)
{
	if (!arguments->next)
		argp_error(state, "the new configuration is missing: give -f FILE");
	if (arguments->services && arguments->wants_cluster)
		argp_error(state,
			"--services works without a cluster: leave out what says how to reach one");
	if (!*arguments->cluster.namespace || !*arguments->cluster.config_map)
		argp_error(state, "--namespace and --config-map need a value that is not empty");
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'f':
		arguments->next = value;
		return 0;
	case 'o':
		arguments->output = output_format_of(value, state);
		return 0;
	case OPTION_CLASS:
		arguments->rules.class = value;
		return 0;
	case OPTION_UNSET:
		arguments->rules.handle_unset = true;
		return 0;
	case OPTION_SERVICES:
		arguments->services = value;
		return 0;
	case OPTION_CURRENT:
		arguments->current = value;
		return 0;
	case OPTION_CONFIG_MAP:
		arguments->cluster.config_map = value;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\": give the new configuration with -f", value);
		return 0;
	case ARGP_KEY_END:
		check(arguments, state);
		return 0;
	default:
		return parse_cluster(key, value, state);
	}
}

/* Of several ConfigMaps in a manifest, the one of the name asked for. */
static struct config *parse_one(
	const struct input *input, const char *config_map, struct findings *findings)
{
	struct manifest_options any = {NULL}, named = {config_map};
	struct manifest manifest;
	struct config *config = NULL;

	manifest_read(input, &any, findings, &manifest);
	if (manifest.count > 1) {
		manifest_done(&manifest);
		manifest_read(input, &named, findings, &manifest);
	}
	if (manifest.count == 1 && findings->count == 0)
		config = manifest_parse(&manifest, 0, findings);
	else if (findings->count == 0)
		findings_add(findings, input->name, (struct place){0}, "",
			"holds several configurations: name the ConfigMap with --config-map");
	manifest_done(&manifest);
	return config;
}

static struct config *read_config(const char *name, const char *config_map)
{
	struct findings findings = {0};
	struct config *config = NULL;
	struct input input;
	struct err e;

	if (input_read(name, &input, &e) < 0)
		findings_add(&findings, input.name, (struct place){0}, "", e.text);
	else
		config = parse_one(&input, config_map, &findings);
	findings_print(&findings);
	findings_done(&findings);
	input_done(&input);
	return config;
}

/* NULL is no failure here: what the programs have in force then is not known. */
static struct config *parse_in_force(const struct facts *facts)
{
	struct config_problems problems = {0};
	struct config *config = NULL;

	if (!facts->config) {
		complain("note: there is no configuration in force");
		return NULL;
	}
	config = config_parse(facts->config->text, facts->config->length, &problems);
	if (!config)
		complain("note: the ConfigMap \"%s\" is refused (line %u: %s: %s), so that the "
			 "configuration in force is an earlier one, which is not known here",
			facts->config->meta.name, problems.items[0].line, problems.items[0].field,
			problems.items[0].text);
	config_problems_done(&problems);
	return config;
}

struct addresses_text {
	char s[2 * IP_TEXT_MAX];
};

static struct addresses_text addresses_text(const struct ip ips[2])
{
	struct addresses_text text = {"-"};

	if (ips[0].family && ips[1].family)
		snprintf(text.s, sizeof(text.s), "%s,%s", ip_text(&ips[0]).s, ip_text(&ips[1]).s);
	else if (ips[0].family || ips[1].family)
		snprintf(text.s, sizeof(text.s), "%s", ip_text(&ips[ips[0].family == 0]).s);
	return text;
}

static int wider(int width, const char *text)
{
	int length = (int)strlen(text);

	return length > width ? length : width;
}

static void print_table(const struct forecast *forecast)
{
	int name = 7, before = 3, after = 4;

	for (size_t i = 0; i < forecast->count; i++) {
		const struct forecast_row *row = &forecast->rows[i];

		if (row->change == FORECAST_SAME)
			continue;
		name = wider(name, row->name);
		before = wider(before, addresses_text(row->before).s);
		after = wider(after, addresses_text(row->after).s);
	}
	if (forecast->totals[FORECAST_SAME] < forecast->count)
		printf("%-*s  %-*s  %-*s  %-7s  %s\n", name, "SERVICE", before, "NOW", after,
			"THEN", "CHANGE", "WHY");
	for (size_t i = 0; i < forecast->count; i++) {
		const struct forecast_row *row = &forecast->rows[i];

		if (row->change != FORECAST_SAME)
			printf("%-*s  %-*s  %-*s  %-7s  %s\n", name, row->name, before,
				addresses_text(row->before).s, after, addresses_text(row->after).s,
				forecast_change_name(row->change), row->why);
	}
	printf("%zu Services: %zu lose an address, %zu change it, %zu get one, %zu keep one that "
	       "would not be assigned now, %zu wait, %zu stay the same\n",
		forecast->count, forecast->totals[FORECAST_LOSES],
		forecast->totals[FORECAST_CHANGES], forecast->totals[FORECAST_GETS],
		forecast->totals[FORECAST_KEEPS], forecast->totals[FORECAST_WAITS],
		forecast->totals[FORECAST_SAME]);
}

static json_t *addresses_json(const struct ip ips[2])
{
	json_t *list = json_array();

	for (size_t i = 0; i < 2; i++) {
		if (ips[i].family)
			json_array_append_new(list, json_string(ip_text(&ips[i]).s));
	}
	return list;
}

static void print_json(const struct forecast *forecast)
{
	json_t *rows = json_array(), *totals = json_object();

	for (size_t i = 0; i < forecast->count; i++) {
		const struct forecast_row *row = &forecast->rows[i];

		if (row->change == FORECAST_SAME)
			continue;
		json_array_append_new(
			rows, json_pack("{s:s, s:s, s:o, s:o, s:s}", "service", row->name, "change",
				      forecast_change_name(row->change), "now",
				      addresses_json(row->before), "then",
				      addresses_json(row->after), "why", row->why));
	}
	for (int change = 0; change < FORECAST_CHANGE_COUNT; change++)
		json_object_set_new(totals, forecast_change_name((enum forecast_change)change),
			json_integer((json_int_t)forecast->totals[change]));
	output_json(json_pack("{s:o, s:o}", "services", rows, "totals", totals));
}

static int tell(const struct arguments *arguments, const struct facts *facts,
	const struct config *current, const struct config *next)
{
	struct forecast forecast;
	int code;

	if (facts->namespaces.count == 0 && facts->services.count > 0)
		complain("note: no namespaces are known, so that pools with namespaceSelectors "
			 "serve none");
	forecast_make(facts, &arguments->rules, current, next, &forecast);
	for (size_t i = 0; i < forecast.count; i++) {
		text_clean(forecast.rows[i].name);
		if (forecast.rows[i].why)
			text_clean(forecast.rows[i].why);
	}
	if (arguments->output == OUTPUT_JSON)
		print_json(&forecast);
	else
		print_table(&forecast);
	code = forecast.totals[FORECAST_LOSES] + forecast.totals[FORECAST_CHANGES] > 0 ? VERB_FOUND
										       : VERB_GOOD;
	forecast_done(&forecast);
	return code;
}

static int run(const struct arguments *arguments)
{
	const char *config_map = arguments->cluster.config_map;
	struct config *next = read_config(arguments->next, config_map), *current = NULL;
	struct facts facts = {0};
	int code = VERB_UNKNOWN;
	struct err e;
	int r;

	if (!next)
		return VERB_UNKNOWN;
	r = arguments->services ? facts_from_file(arguments->services, config_map, &facts, &e)
				: facts_from_cluster(&arguments->cluster, &facts, &e);
	if (r < 0) {
		complain("%s", e.text);
	} else {
		current = arguments->current ? read_config(arguments->current, config_map)
					     : parse_in_force(&facts);
		if (current || !arguments->current)
			code = tell(arguments, &facts, current, next);
	}
	config_free(current);
	config_free(next);
	facts_done(&facts);
	return code;
}

static const char doc[] =
	"Tells, before a new configuration is applied, which Services would lose or change their "
	"address and which would get one. Nothing is changed. Services that stay the same are only "
	"counted."
	"\vExit codes: 0 nobody loses or changes an address, 1 somebody does, 2 it could not be "
	"told, 64 wrong command line.";

int diff_main(int argc, char **argv)
{
	static const struct argp argp = {options, parse, "-f NEW", doc, NULL, NULL, NULL};
	const char *namespace = getenv("POD_NAMESPACE");
	struct arguments arguments = {
		.cluster = {.namespace = namespace && *namespace ? namespace : "herald-system",
			.config_map = "herald-config",
			.timeout_ms = TIMEOUT_S_DEFAULT * 1000},
	};

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	return run(&arguments);
}
