// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl diff: what a new configuration would do to the Services of a cluster, told
 * before it is applied. Changes nothing. The cluster is read from its API server, or from
 * a file that kubectl wrote.
 */
#include <stdlib.h>
#include <string.h>

#include "forecast.h"
#include "gather.h"
#include "manifest.h"
#include "verb.h"

struct arguments {
	struct asking asking;
	const char *next, *services, *current; /* files; NULL: not given */
};

enum option_key {
	OPTION_SERVICES = 0x200,
	OPTION_CURRENT,
};

static const struct argp_option options[] = {
	{"file", 'f', "NEW", 0,
		"The new configuration: a Herald document, or a manifest with a ConfigMap; \"-\" "
		"is "
		"standard input",
		1},
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

static void check(const struct arguments *arguments, struct argp_state *state)
{
	if (!arguments->next)
		argp_error(state, "the new configuration is missing: give -f FILE");
	if (arguments->services && arguments->asking.cluster.wants_cluster)
		argp_error(state,
			"--services works without a cluster: leave out what says how to reach one");
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->asking;
		return 0;
	case 'f':
		arguments->next = value;
		return 0;
	case OPTION_SERVICES:
		arguments->services = value;
		return 0;
	case OPTION_CURRENT:
		arguments->current = value;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\": give the new configuration with -f", value);
		return 0;
	case ARGP_KEY_END:
		check(arguments, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
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
	const struct config_map *map = facts_config_map(facts);
	struct config *config = NULL;

	if (!map || !map->text) {
		complain("note: there is no configuration in force");
		return NULL;
	}
	config = config_parse(map->text, map->length, &problems);
	if (!config)
		complain("note: the ConfigMap \"%s\" is refused (line %u: %s: %s), so that the "
			 "configuration in force is an earlier one, which is not known here",
			map->meta.name, problems.items[0].line, problems.items[0].field,
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

static void print_data(const struct forecast *forecast, enum output_format format)
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
	output_data(json_pack("{s:o, s:o}", "services", rows, "totals", totals), format);
}

static int tell(const struct arguments *arguments, const struct facts *facts,
	const struct config *current, const struct config *next)
{
	struct forecast forecast;
	int code;

	if (facts->of[FACT_NAMESPACE].count == 0 && facts->of[FACT_SERVICE].count > 0)
		complain("note: no namespaces are known, so that pools with namespaceSelectors "
			 "serve none");
	forecast_make(facts, &arguments->asking.cluster.rules, current, next, &forecast);
	for (size_t i = 0; i < forecast.count; i++) {
		text_clean(forecast.rows[i].name);
		if (forecast.rows[i].why)
			text_clean(forecast.rows[i].why);
	}
	if (output_is_data(arguments->asking.output))
		print_data(&forecast, arguments->asking.output);
	else
		print_table(&forecast);
	code = forecast.totals[FORECAST_LOSES] + forecast.totals[FORECAST_CHANGES] > 0 ? VERB_FOUND
										       : VERB_GOOD;
	forecast_done(&forecast);
	return code;
}

static int compare(
	const struct arguments *arguments, const struct facts *facts, const struct config *next)
{
	struct config *current = arguments->current ? read_config(arguments->current,
							      arguments->asking.cluster.config_map)
						    : parse_in_force(facts);
	int code = VERB_UNKNOWN;

	if (current || !arguments->current)
		code = tell(arguments, facts, current, next);
	config_free(current);
	return code;
}

struct question {
	const struct arguments *arguments;
	const struct config *next;
};

static int on_facts(void *context, struct gather *gather)
{
	const struct question *question = context;

	return compare(question->arguments, gather_facts(gather), question->next);
}

static int run(struct arguments *arguments)
{
	const char *config_map = arguments->asking.cluster.config_map;
	struct config *next = read_config(arguments->next, config_map);
	struct question question = {arguments, next};
	struct facts facts = {0};
	int code = VERB_UNKNOWN;
	struct err e;

	if (!next)
		return VERB_UNKNOWN;
	if (!arguments->services)
		code = with_facts(
			&arguments->asking.cluster, FACTS_OF_CONTROLLER, on_facts, &question);
	else if (facts_from_file(arguments->services, config_map, &facts, &e) < 0)
		complain("%s", e.text);
	else
		code = compare(arguments, &facts, next);
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

const struct argp diff_argp = {options, parse, "-f NEW", doc, asking_children, NULL, NULL};

int diff_main(int argc, char **argv)
{
	struct arguments arguments = {0};

	asking_init(&arguments.asking);
	argp_parse(&diff_argp, argc, argv, 0, NULL, &arguments);
	return run(&arguments);
}
