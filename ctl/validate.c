// SPDX-License-Identifier: Apache-2.0
/*
 * heraldctl validate: do these files hold configurations that Herald takes? The parser is
 * the one of the programs, so that the answers are theirs; no cluster is asked. All
 * problems of all files are told in one run.
 */
#include <stdlib.h>
#include <string.h>

#include "herald/core/alloc.h"
#include "manifest.h"
#include "verb.h"

struct arguments {
	enum output_format output;
	struct manifest_options manifest;
	char **files;
	int file_count;
};

/* One run: what is wrong so far, and what to say of the good ones. */
struct validation {
	const struct arguments *arguments;
	struct findings findings;
	json_t *good;
};

struct totals {
	size_t pools;
	double addresses[2]; /* IPv4 and IPv6: those that can be given out */
};

static struct totals count(const struct config *config)
{
	struct alloc *alloc = alloc_new();
	struct totals totals = {0};

	alloc_configure(alloc, config);
	totals.pools = alloc_pool_count(alloc);
	for (size_t i = 0; i < totals.pools; i++) {
		struct alloc_pool_usage usage = alloc_pool_usage(alloc, i);

		totals.addresses[0] += usage.total[0];
		totals.addresses[1] += usage.total[1];
	}
	alloc_free(alloc);
	return totals;
}

static void tell_good(
	struct validation *v, const char *file, const char *object, const struct config *config)
{
	struct totals totals = count(config);
	const char *separator = *object ? ": " : "";

	if (!output_is_data(v->arguments->output)) {
		printf("%s: %s%sgood: %zu pool%s with %.9g IPv4 and %.9g IPv6 addresses\n", file,
			object, separator, totals.pools, totals.pools == 1 ? "" : "s",
			totals.addresses[0], totals.addresses[1]);
		return;
	}
	json_array_append_new(
		v->good, json_pack("{s:s, s:s, s:I, s:f, s:f}", "file", file, "object", object,
				 "pools", (json_int_t)totals.pools, "ipv4Addresses",
				 totals.addresses[0], "ipv6Addresses", totals.addresses[1]));
}

static void validate_file(struct validation *v, const char *name)
{
	struct manifest manifest = {0};
	struct input input;
	struct err e;

	if (input_read(name, &input, &e) < 0) {
		findings_add(&v->findings, input.name, (struct place){0}, "", e.text);
		input_done(&input);
		return;
	}
	manifest_read(&input, &v->arguments->manifest, &v->findings, &manifest);
	for (size_t i = 0; i < manifest.count; i++) {
		size_t before = v->findings.count;
		struct config *config = manifest_parse(&manifest, i, &v->findings);

		if (config && v->findings.count == before)
			tell_good(v, input.name, manifest.configs[i].object, config);
		config_free(config);
	}
	manifest_done(&manifest);
	input_done(&input);
}

enum option_key { OPTION_CONFIG_MAP = 0x200 };

static const struct argp_option options[] = {
	OPTION_OUTPUT,
	{"config-map", OPTION_CONFIG_MAP, "NAME", 0,
		"In manifests, look at the ConfigMap of this name only (default: every one that "
		"has "
		"the key config.yaml)",
		0},
	{0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'o':
		arguments->output = output_format_of(value, state);
		return 0;
	case OPTION_CONFIG_MAP:
		arguments->manifest.config_map = value;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->files = state->argv + state->next;
		arguments->file_count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a FILE is missing (\"-\" is standard input)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Checks configuration files, each a Herald configuration or a Kubernetes manifest with it "
	"in a ConfigMap's key config.yaml. Needs no cluster. Every problem of every file is told, "
	"as FILE:LINE:COLUMN: FIELD: what is wrong and how to mend it."
	"\vExit codes: 0 every file is good, 1 there are problems, 2 the results could not be "
	"written, 64 wrong command line.";

const struct argp validate_argp = {options, parse, "FILE...", doc, NULL, NULL, NULL};

int validate_main(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct validation v = {.arguments = &arguments};
	bool good;

	argp_parse(&validate_argp, argc, argv, 0, NULL, &arguments);
	v.good = json_array();
	for (int i = 0; i < arguments.file_count; i++)
		validate_file(&v, arguments.files[i]);
	good = v.findings.count == 0;
	if (output_is_data(arguments.output))
		output_data(json_pack("{s:b, s:O, s:o, s:I}", "good", good, "configurations",
				    v.good, "problems", findings_json(&v.findings), "omitted",
				    (json_int_t)v.findings.omitted),
			arguments.output);
	else
		findings_print(&v.findings);
	json_decref(v.good);
	findings_done(&v.findings);
	return good ? VERB_GOOD : VERB_FOUND;
}
