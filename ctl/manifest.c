// SPDX-License-Identifier: Apache-2.0
/*
 * From a file to the configurations in it. A document with a `kind` is a Kubernetes
 * object and the file a manifest; a file without any is one bare configuration. Objects
 * that are no business of ours are passed over and may hold what our own documents may
 * not (anchors, tags, double keys): what is wrong in them is not told.
 */
#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/suggest.h"
#include "verb.h"

#define CONFIG_KEY "config.yaml"
#define NAMED_MAX 5 /* objects passed over that are named; the others are counted */

struct reading {
	struct manifest *manifest;
	const struct manifest_options *options;
	struct findings *findings;
	char passed_over[512];
	size_t passed_over_count;
};

static void tell(struct reading *r, const struct yaml_node *node, const char *text)
{
	struct place place = {node->line, node->column};
	char path[128];

	yaml_tree_path(node, path, sizeof(path));
	findings_add(r->findings, r->manifest->input->name, place, path, text);
}

static void pass_over(struct reading *r, const struct yaml_node *object, const char *kind)
{
	const char *name = object_name(object);
	size_t used = strlen(r->passed_over);

	if (r->passed_over_count++ < NAMED_MAX)
		snprintf(r->passed_over + used, sizeof(r->passed_over) - used,
			"%s%.60s/%.60s (line %u)", used ? ", " : "", kind, name, object->line);
}

static void add_config(struct reading *r, struct manifest_config config)
{
	struct manifest *manifest = r->manifest;

	if ((manifest->count & (manifest->count - 1)) == 0)
		manifest->configs = xrealloc(manifest->configs,
			manifest->count ? 2 * manifest->count : 1, sizeof(*manifest->configs));
	manifest->configs[manifest->count++] = config;
}

/* The key is missing: perhaps it has a slip, or the value stands where it is not read. */
static void tell_missing_key(struct reading *r, const struct yaml_node *object)
{
	const struct yaml_node *binary = yaml_tree_get(object, "binaryData");
	const struct yaml_node *data = yaml_tree_get(object, "data");
	struct suggestion suggestion = {.word = CONFIG_KEY};
	AUTO_FREE char *text = NULL;

	if (binary && yaml_tree_get(binary, CONFIG_KEY)) {
		tell(r, yaml_tree_get(binary, CONFIG_KEY),
			"is not read: put the text under data instead of binaryData");
		return;
	}
	for (const struct yaml_node *item = data && data->kind == YAML_TREE_MAPPING ? data->first
										    : NULL;
		item; item = item->next)
		suggest_offer(&suggestion, item->key->text);
	if (suggestion.best) {
		text = xasprintf(
			"has no key %s, but \"%s\": rename it", CONFIG_KEY, suggestion.best);
		tell(r, data, text);
		return;
	}
	pass_over(r, object, "ConfigMap");
}

static void read_config_map(struct reading *r, const struct yaml_node *object)
{
	const struct yaml_node *data = yaml_tree_get(object, "data");
	const struct yaml_node *value = data ? yaml_tree_get(data, CONFIG_KEY) : NULL;
	const char *name = object_name(object);
	AUTO_FREE char *title = xasprintf("ConfigMap/%s", name);

	if (r->options->config_map && strcmp(name, r->options->config_map) != 0) {
		pass_over(r, object, "ConfigMap");
		return;
	}
	documents_tell_faults(&r->manifest->documents, object, r->findings);
	if (!value) {
		tell_missing_key(r, object);
		return;
	}
	if (value->kind != YAML_TREE_SCALAR) {
		tell(r, value, "is not text: write \"" CONFIG_KEY ": |\" before it");
		return;
	}
	add_config(r, (struct manifest_config){
			      arena_strndup(&r->manifest->documents.memory, title, strlen(title)),
			      value->text, value->length, value});
}

static void read_object(void *context, const struct yaml_node *object, const char *kind)
{
	if (strcmp(kind, "ConfigMap") == 0)
		read_config_map(context, object);
	else
		pass_over(context, object, kind);
}

static bool is_empty(const struct yaml_node *root)
{
	return root->kind == YAML_TREE_SCALAR && root->length == 0;
}

static void read_documents(struct reading *r)
{
	const struct yaml_documents *trees = &r->manifest->documents.trees;

	for (size_t i = 0; i < trees->count; i++) {
		const struct yaml_node *root = trees->roots[i];
		const char *kind = document_text(root, "kind");

		if (*kind)
			documents_each_object(root, kind, read_object, r);
		else if (!is_empty(root))
			tell(r, root,
				"is no Kubernetes object, as the other documents of this file are: "
				"give it a kind, or put it into a file of its own");
	}
}

static void note_passed_over(struct reading *r)
{
	text_clean(r->passed_over);
	if (r->passed_over_count > NAMED_MAX)
		complain("note: %s: passed over: %s and %zu more", r->manifest->input->name,
			r->passed_over, r->passed_over_count - NAMED_MAX);
	else if (r->passed_over_count)
		complain("note: %s: passed over: %s", r->manifest->input->name, r->passed_over);
}

void manifest_read(const struct input *input, const struct manifest_options *options,
	struct findings *findings, struct manifest *ret)
{
	struct reading r = {.manifest = ret, .options = options, .findings = findings};
	struct documents *documents = &ret->documents;
	size_t before = findings->count;

	*ret = (struct manifest){.input = input};
	documents_read(input, documents);
	/* What could not be read to its end and is no larger than one is told of as one. */
	if (!documents_have_objects(documents) &&
		(documents->whole || input->length <= CONFIG_TEXT_MAX)) {
		add_config(&r, (struct manifest_config){
				       .object = "", .text = input->text, .length = input->length});
		return;
	}
	read_documents(&r);
	documents_tell_end(documents, findings);
	note_passed_over(&r);
	if (ret->count == 0 && findings->count == before)
		findings_add(findings, input->name, (struct place){0}, "",
			"holds no configuration of Herald: no ConfigMap in it has the "
			"key " CONFIG_KEY);
}

void manifest_done(struct manifest *manifest)
{
	documents_done(&manifest->documents);
	free(manifest->configs);
	*manifest = (struct manifest){0};
}

static struct place outside(
	const struct manifest *manifest, const struct manifest_config *source, struct place place)
{
	if (!source->scalar)
		return place;
	if (place.line == 0)
		return (struct place){source->scalar->line, source->scalar->column};
	return place_outside(manifest->input->text, manifest->input->length, source->scalar, place);
}

/* Problems also name other lines ("first on line 3"), beside values in quotes. */
static char *outside_text(
	const struct manifest *manifest, const struct manifest_config *source, const char *text)
{
	static const char phrase[] = "on line ";
	char ret[640];
	size_t used = 0;
	bool quoted = false;

	while (*text && used < sizeof(ret) - 32) {
		struct place place = {0, 1};
		char *end;

		quoted ^= *text == '"';
		ret[used++] = *text++;
		if (quoted || used < strlen(phrase) ||
			memcmp(ret + used - strlen(phrase), phrase, strlen(phrase)) != 0)
			continue;
		place.line = (unsigned)strtoul(text, &end, 10);
		if (end == text)
			continue;
		used += (size_t)snprintf(ret + used, sizeof(ret) - used, "%u",
			outside(manifest, source, place).line);
		text = end;
	}
	return xstrndup(ret, used);
}

struct config *manifest_parse(
	const struct manifest *manifest, size_t index, struct findings *findings)
{
	const struct manifest_config *source = &manifest->configs[index];
	const struct input *input = manifest->input;
	struct config_problems problems = {0};
	struct config *config = config_parse(source->text, source->length, &problems);

	for (size_t i = 0; i < problems.count; i++) {
		const struct config_problem *problem = &problems.items[i];
		struct place place = {problem->line, problem->column};
		AUTO_FREE char *text = outside_text(manifest, source, problem->text);

		findings_add(findings, input->name, outside(manifest, source, place),
			problem->field, text);
	}
	findings->omitted += problems.omitted;
	config_problems_done(&problems);
	return config;
}
