// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl why: one Service's story, from its spec to the wire, as a chain of findings
 * that ends in what to do next.
 */
#include <stdlib.h>
#include <string.h>

#include "chain.h"
#include "gather.h"
#include "grid.h"
#include "herald/core/suggest.h"
#include "verb.h"

struct arguments {
	struct asking asking;
	const char *namespace, *name; /* namespace NULL: the kubeconfig's */
};

/* "web", "service/web" and "svc/web" as kubectl has them, and "NAMESPACE/web" as we print. */
static void read_name(struct arguments *arguments, char *text)
{
	char *slash = strchr(text, '/');

	arguments->name = slash ? slash + 1 : text;
	if (!slash)
		return;
	*slash = '\0';
	if (strcmp(text, "service") != 0 && strcmp(text, "services") != 0 &&
		strcmp(text, "svc") != 0)
		arguments->namespace = text;
}

static const struct service *find(const struct facts *facts, const struct arguments *arguments)
{
	const struct store *services = &facts->of[FACT_SERVICE];
	const struct service *found = store_find(services, arguments->namespace, arguments->name);
	struct suggestion near = {.word = arguments->name};
	const char *elsewhere = NULL;

	for (size_t i = 0; !found && i < services->count; i++) {
		const struct service *service = services->items[i];

		if (strcmp(service->meta.namespace, arguments->namespace) == 0)
			suggest_offer(&near, service->meta.name);
		else if (strcmp(service->meta.name, arguments->name) == 0)
			elsewhere = service->meta.namespace;
	}
	if (!found && elsewhere)
		complain("there is no Service \"%s\" in namespace \"%s\", but in \"%s\": add -n %s",
			arguments->name, arguments->namespace, elsewhere, elsewhere);
	else if (!found && near.best)
		complain("there is no Service \"%s\" in namespace \"%s\": did you mean \"%s\"?",
			arguments->name, arguments->namespace, near.best);
	else if (!found)
		complain("there is no Service \"%s\" in namespace \"%s\": heraldctl services -A "
			 "lists them",
			arguments->name, arguments->namespace);
	return found;
}

/* Without the right to read Events the story is told without them. */
static void add_events(struct chain *chain, struct session *session, const struct service *service)
{
	AUTO_FREE char *namespace = kube_escape(service->meta.namespace);
	AUTO_FREE char *selector =
		xasprintf("involvedObject.kind=Service,involvedObject.name=%s", service->meta.name);
	AUTO_FREE char *query = kube_escape(selector);
	AUTO_FREE char *path = xasprintf(
		"/api/v1/namespaces/%s/events?fieldSelector=%s&limit=500", namespace, query);
	json_t *list = NULL;
	struct err e;

	if (session_get(session, path, &list, &e) == 0)
		chain_events(chain, json_object_get(list, "items"));
	else
		complain("note: its Events can't be read: %s", e.text);
	json_decref(list);
}

/* What to do about each thing that is wrong, each once. */
static json_t *next_steps(const struct chain *chain, const struct service *service)
{
	json_t *steps = json_array(), *step;

	for (size_t i = 0; i < chain->count; i++) {
		const struct link *link = &chain->links[i];
		const char *text = link->remedy ? link->remedy : link->text;
		bool is_new = link->result == LINK_WRONG;
		size_t k;

		json_array_foreach (steps, k, step)
			is_new = is_new && strcmp(json_string_value(step), text) != 0;
		if (is_new)
			json_array_append_new(steps, json_string(text));
	}
	if (json_array_size(steps) == 0) {
		AUTO_FREE char *text = xasprintf("nothing is wrong as far as the API server knows; "
						 "if it does not answer, ask "
						 "for %s from a machine of that network (arping, "
						 "ip neighbour), then curl an "
						 "endpoint on the owner",
			service->ingress_count ? ip_text(&service->ingress[0].ip).s
					       : "the address");

		json_array_append_new(steps, json_string(text));
	}
	return steps;
}

static void print_text(const struct chain *chain, const json_t *steps)
{
	static const struct grid_column columns[] = {
		{.title = "RESULT"}, {.title = "STEP"}, {.title = "FINDING"}};
	struct grid grid;
	const json_t *step;
	size_t i;

	grid_init(&grid, columns, 3, 1);
	for (i = 0; i < chain->count; i++) {
		grid_add(&grid, link_result_name(chain->links[i].result));
		grid_add(&grid, chain->links[i].step);
		grid_add(&grid, chain->links[i].text);
	}
	grid_print(&grid, stdout, false);
	grid_done(&grid);
	puts("\nNext:");
	json_array_foreach (steps, i, step) {
		AUTO_FREE char *text = xstrdup(json_string_value(step));

		printf("- %s\n", text_clean(text));
	}
}

static json_t *data_of(const struct chain *chain, const struct service *service, json_t *steps)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < chain->count; i++) {
		const struct link *link = &chain->links[i];

		json_array_append_new(
			findings, json_pack("{s:s, s:s, s:s, s:s, s:s?}", "result",
					  link_result_name(link->result), "step", link->step,
					  "reason", link->reason, "text", text_clean(link->text),
					  "remedy", link->remedy));
	}
	return json_pack("{s:s, s:s, s:b, s:o, s:O}", "namespace", service->meta.namespace, "name",
		service->meta.name, "good", !chain->is_wrong, "findings", findings, "next", steps);
}

static int tell(
	const struct arguments *arguments, struct gather *gather, const struct service *service)
{
	struct chain chain = {0};
	struct view view;
	json_t *steps;
	int code;

	view_make(gather_facts(gather), &arguments->asking.cluster.rules, &view);
	chain_assignment(&chain, &view, service);
	if (assign_is_ours(&arguments->asking.cluster.rules, service)) {
		chain_announcement(&chain, &view, service);
		add_events(&chain, gather_session(gather), service);
	}
	steps = next_steps(&chain, service);
	if (output_is_data(arguments->asking.output))
		output_data(data_of(&chain, service, steps), arguments->asking.output);
	else
		print_text(&chain, steps);
	code = chain.is_wrong ? VERB_FOUND : VERB_GOOD;
	json_decref(steps);
	chain_done(&chain);
	view_done(&view);
	return code;
}

static int run(void *context, struct gather *gather)
{
	struct arguments *arguments = context;
	const struct service *service;

	if (!arguments->namespace)
		arguments->namespace = gather_session(gather)->kubeconfig->namespace;
	service = find(gather_facts(gather), arguments);
	return service ? tell(arguments, gather, service) : VERB_FOUND;
}

static const struct argp_option options[] = {
	{"namespace", 'n', "NAME", 0,
		"The Service's namespace (default: the kubeconfig's, else \"default\")", 0},
	{0}};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->asking;
		return 0;
	case 'n':
		arguments->namespace = value;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->name)
			argp_error(state, "one Service at a time");
		read_name(arguments, value);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which SERVICE?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Tells the story of one Service from its spec to the wire: whose it is, what it asks for, "
	"the pools and why each refused, every node's verdict and why the owner is the owner, "
	"endpoints, conflicts, routers and Events; and what to do next."
	"\vExit codes: 0 nothing is wrong, 1 something is, or there is no such Service, 2 it could "
	"not be told, 64 wrong command line.";

const struct argp why_argp = {options, parse, "SERVICE", doc, asking_children, NULL, NULL};

int why_main(int argc, char **argv)
{
	struct arguments arguments = {0};

	asking_init(&arguments.asking);
	argp_parse(&why_argp, argc, argv, 0, NULL, &arguments);
	return with_facts(&arguments.asking.cluster, FACTS_ALL, run, &arguments);
}
