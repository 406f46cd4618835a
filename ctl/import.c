// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl import metallb: MetalLB's configuration, of its resources or of the ConfigMap
 * before them, as one manifest of Herald's ConfigMap on stdout. What could not be carried
 * over is listed on stderr, each with where it stands and what to do instead. What is
 * printed was accepted by Herald's own parser.
 */
#include "import.h"
#include "yaml_write.h"

#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/suggest.h"
#include "verb.h"

struct arguments {
	bool named; /* the first argument, what is imported, was there */
	char **files;
	int file_count;
	const char *namespace, *config_map;
};

enum option_key { OPTION_NAMESPACE = 0x200, OPTION_CONFIG_MAP };

static const struct argp_option options[] = {
	{"namespace", OPTION_NAMESPACE, "NAME", 0,
		"Namespace of the ConfigMap to be written (default: herald-system)", 0},
	{"config-map", OPTION_CONFIG_MAP, "NAME", 0, "Its name (default: herald-config)", 0},
	{0},
};

static void read_subject(const char *name, struct argp_state *state)
{
	struct suggestion suggestion = {.word = name};

	if (strcmp(name, "metallb") == 0)
		return;
	suggest_offer(&suggestion, "metallb");
	argp_error(state, "\"%s\" can't be imported%s", name,
		suggestion.best ? ": did you mean \"metallb\"?" : ": only metallb can");
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPTION_NAMESPACE:
		arguments->namespace = value;
		return 0;
	case OPTION_CONFIG_MAP:
		arguments->config_map = value;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->named)
			return ARGP_ERR_UNKNOWN; /* the rest comes in one piece */
		read_subject(value, state);
		arguments->named = true;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->files = state->argv + state->next;
		arguments->file_count = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!arguments->named)
			argp_error(state, "what is to be imported is missing: write \"metallb\"");
		if (arguments->file_count == 0)
			argp_error(state, "a FILE is missing (\"-\" is standard input)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int compare_messages(const void *a, const void *b)
{
	const struct import_message *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order != 0)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void print_messages(struct import *import)
{
	if (import->message_count)
		qsort(import->messages, import->message_count, sizeof(*import->messages),
			compare_messages);
	for (size_t i = 0; i < import->message_count; i++)
		fprintf(stderr, "%s:%u: %s\n", import->messages[i].file, import->messages[i].line,
			import->messages[i].text);
}

/* Lines of a document that nobody sees help nobody: " on line 7" is cut out. */
static void cut_lines(char *text)
{
	static const char phrase[] = " on line ";
	bool quoted = false;

	for (char *c = text; *c; c++) {
		size_t length = strlen(phrase);

		quoted ^= *c == '"';
		if (quoted || strncmp(c, phrase, length) != 0)
			continue;
		length += strspn(c + length, "0123456789");
		memmove(c, c + length, strlen(c + length) + 1);
		quoted ^= *c == '"';
	}
}

/* In terms of what was imported, as far as it came from there. */
static void print_problem(const struct import *import, struct config_problem *problem)
{
	const char *rest = "";
	const struct import_item *item = import_find(import, problem->field, &rest);

	cut_lines(problem->text);
	if (item)
		fprintf(stderr, "%s:%u: %s: %s%srefused: %s\n", item->origin.file,
			item->origin.line, item->origin.title, rest, *rest ? ": " : "",
			problem->text);
	else
		complain("the document is refused: %s: %s", problem->field, problem->text);
}

static bool is_accepted(const struct import *import, const char *document)
{
	struct config_problems problems = {0};
	struct config *config = config_parse(document, strlen(document), &problems);
	bool accepted = config != NULL;

	for (size_t i = 0; i < problems.count; i++)
		print_problem(import, &problems.items[i]);
	config_problems_done(&problems);
	config_free(config);
	return accepted;
}

static void print_manifest(const struct arguments *arguments, const char *document)
{
	json_t *head = json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "v1", "kind",
		"ConfigMap", "metadata", "name", arguments->config_map, "namespace",
		arguments->namespace);
	AUTO_FREE char *text = NULL;

	if (!head)
		DIE("a JSON value could not be built");
	text = yaml_write(head, 0);
	json_decref(head);
	printf("%sdata:\n  config.yaml: |\n", text);
	while (*document) {
		size_t length = strcspn(document, "\n");

		printf("    %.*s\n", (int)length, document);
		document += length + (document[length] == '\n');
	}
}

static int finish(const struct arguments *arguments, struct import *import)
{
	AUTO_FREE char *document = NULL;

	if (import->faults.count > 0) {
		findings_print(&import->faults);
		return VERB_FOUND;
	}
	import_link(import);
	document = import_write(import);
	print_messages(import);
	if (!is_accepted(import, document)) {
		complain("nothing is written: mend what is refused above and import again");
		return VERB_FOUND;
	}
	print_manifest(arguments, document);
	return import->left_out > 0 ? VERB_LEFT_OUT : VERB_GOOD;
}

static int run(const struct arguments *arguments)
{
	struct input *inputs = xcalloc((size_t)arguments->file_count, sizeof(*inputs));
	struct import import = {.namespace = arguments->namespace};
	struct err e;
	int code;

	for (int i = 0; i < arguments->file_count; i++) {
		if (input_read(arguments->files[i], &inputs[i], &e) < 0)
			findings_add(&import.faults, inputs[i].name, (struct place){0}, "", e.text);
		else
			import_read(&import, &inputs[i]);
	}
	code = finish(arguments, &import);
	import_done(&import);
	for (int i = 0; i < arguments->file_count; i++)
		input_done(&inputs[i]);
	free(inputs);
	return code;
}

static const char doc[] =
	"Turns MetalLB's configuration into Herald's: one manifest of a ConfigMap on standard "
	"output. Each FILE holds resources of MetalLB, YAML or JSON as kubectl writes them, or its "
	"older ConfigMap. All of it has to be given at once. What has no counterpart is listed on "
	"standard error with what to do instead."
	"\vExit codes: 0 all was carried over, 1 something could not be read or would be refused "
	"(then nothing is written), 2 the results could not be written, 3 something was left out, "
	"64 wrong command line.";

const struct argp import_argp = {options, parse, "metallb FILE...", doc, NULL, NULL, NULL};

int import_main(int argc, char **argv)
{
	struct arguments arguments = {.namespace = "herald-system", .config_map = "herald-config"};

	argp_parse(&import_argp, argc, argv, 0, NULL, &arguments);
	return run(&arguments);
}
