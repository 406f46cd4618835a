// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl: Herald's tool for people and for CI. This file holds the table of verbs and
 * finds the one that is meant; each verb has a file of its own. Out: the verb's exit
 * code, or 64 for a wrong command line.
 */
#include <errno.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/suggest.h"
#include "verbs.h"

static const struct verb verbs[] = {
	{"status", "tell how Herald is, and what is wrong", status_main, &status_argp, NULL},
	{"why", "tell the story of a Service, and what to do", why_main, &why_argp, NULL},
	{"watch", "tell what happens as it happens", watch_main, &watch_argp, NULL},
	{"services", "list Services, their addresses and who announces them", services_main,
		&services_argp, NULL},
	{"pools", "list pools and their use", pools_main, &pools_argp, NULL},
	{"nodes", "list nodes, their speakers and what they announce", nodes_main, &nodes_argp,
		NULL},
	{"bgp", "list BGP peers, or routes and who announces them", bgp_main, &bgp_argp,
		"peers routes"},
	{"drain", "have a node hand its addresses over to others", drain_main, &drain_argp, NULL},
	{"undrain", "let a node announce addresses again", undrain_main, &undrain_argp, NULL},
	{"validate", "check configuration files; needs no cluster", validate_main, &validate_argp,
		NULL},
	{"diff", "tell which Services a new configuration would take an address from", diff_main,
		&diff_argp, NULL},
	{"import", "turn the configuration of MetalLB into one of Herald", import_main,
		&import_argp, "metallb"},
	{"bug-report", "gather what is needed to find out what is wrong", bug_report_main,
		&bug_report_argp, NULL},
	{"completion", "write a script for a shell's completion", completion_main, &completion_argp,
		"bash zsh fish"},
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

const struct verb *verbs_at(size_t index)
{
	return index < VERB_COUNT ? &verbs[index] : NULL;
}

static char *list_verbs(void)
{
	char *text = xstrdup("Verbs:\n");

	for (size_t i = 0; i < VERB_COUNT; i++) {
		char *longer = xasprintf("%s  %-10s %s\n", text, verbs[i].name, verbs[i].what);

		free_pointer(&text);
		text = longer;
	}
	return text;
}

/* The text is argp's to free. */
static char *help(int key, const char *text, void *input)
{
	(void)input;
	if (key == ARGP_KEY_HELP_POST_DOC) {
		AUTO_FREE char *list = list_verbs();

		return xasprintf(
			"%s\n\"heraldctl VERB --help\" says more. Exit codes: 0 good, 1 the "
			"verb found what it looks for, 2 it could not tell, 3 done in part, 64 "
			"wrong command line.",
			list);
	}
	return text ? xstrdup(text) : NULL;
}

static const struct verb *find_verb(const char *name, struct argp_state *state)
{
	struct suggestion suggestion = {.word = name};

	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
		suggest_offer(&suggestion, verbs[i].name);
	}
	if (suggestion.best)
		argp_error(state, "there is no verb \"%s\": did you mean \"%s\"?", name,
			suggestion.best);
	else
		argp_error(state, "there is no verb \"%s\"", name);
	return NULL;
}

struct choice {
	const struct verb *verb;
	int first; /* where its arguments begin; its own name is before them */
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct choice *choice = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		choice->verb = find_verb(value, state);
		choice->first = state->next;
		state->next = state->argc; /* the rest is the verb's own */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a verb is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		NULL, parse, "VERB [ARGUMENT...]", "Herald's tool.", NULL, help, NULL};
	struct choice choice = {0};
	AUTO_FREE char *title = NULL;

	argp_program_version = "heraldctl " HERALD_VERSION;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
	title = xasprintf("%s %s",
		strcmp(program_invocation_short_name, "kubectl-herald") == 0 ? "kubectl herald"
									     : "heraldctl",
		choice.verb->name);
	argv[choice.first - 1] = title;
	return output_end(choice.verb->run(argc - choice.first + 1, argv + choice.first - 1));
}
