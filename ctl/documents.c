// SPDX-License-Identifier: Apache-2.0
/*
 * A file's YAML or JSON documents as trees, and the Kubernetes objects in them: one a
 * document, or several in a List, whose items may leave their kind out.
 */
#include "documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

static void on_fault(void *context, const struct yaml_node *node, unsigned line, unsigned column,
	const char *text)
{
	struct documents *d = context;

	if ((d->fault_count & (d->fault_count - 1)) == 0)
		d->faults = xrealloc(
			d->faults, d->fault_count ? 2 * d->fault_count : 1, sizeof(*d->faults));
	d->faults[d->fault_count++] = (struct document_fault){node, {line, column}, xstrdup(text)};
}

void documents_read(const struct input *input, struct documents *ret)
{
	const struct yaml_tree_sink sink = {on_fault, ret};

	*ret = (struct documents){.input = input};
	ret->whole = yaml_tree_parse_stream(
		&ret->memory, input->text, input->length, &sink, &ret->trees);
}

void documents_done(struct documents *documents)
{
	for (size_t i = 0; i < documents->fault_count; i++)
		free(documents->faults[i].text);
	free(documents->faults);
	arena_done(&documents->memory);
	*documents = (struct documents){0};
}

static void tell(const struct documents *documents, const struct document_fault *fault,
	struct findings *findings)
{
	char path[128] = "";

	if (fault->node)
		yaml_tree_path(fault->node, path, sizeof(path));
	findings_add(findings, documents->input->name, fault->place, path, fault->text);
}

static bool is_within(const struct yaml_node *node, const struct yaml_node *root)
{
	while (node && node != root)
		node = node->up;
	return node != NULL;
}

bool documents_tell_faults(
	const struct documents *documents, const struct yaml_node *root, struct findings *findings)
{
	bool any = false;

	for (size_t i = 0; i < documents->fault_count; i++) {
		if (!is_within(documents->faults[i].node, root))
			continue;
		tell(documents, &documents->faults[i], findings);
		any = true;
	}
	return any;
}

bool documents_tell_end(const struct documents *documents, struct findings *findings)
{
	if (documents->whole)
		return false;
	tell(documents, &documents->faults[documents->fault_count - 1], findings);
	return true;
}

bool documents_have_objects(const struct documents *documents)
{
	for (size_t i = 0; i < documents->trees.count; i++) {
		if (yaml_tree_get(documents->trees.roots[i], "kind"))
			return true;
	}
	return false;
}

void documents_each_object(
	const struct yaml_node *root, const char *kind, object_fn *each, void *context)
{
	const struct yaml_node *items = yaml_tree_get(root, "items");
	size_t length = strlen(kind);
	char own[64];

	if (length < 4 || strcmp(kind + length - 4, "List") != 0 || !items) {
		each(context, root, kind);
		return;
	}
	snprintf(own, sizeof(own), "%.*s", (int)(length - 4 < 60 ? length - 4 : 60), kind);
	for (const struct yaml_node *item = items->first; item; item = item->next) {
		const char *named = document_text(item, "kind");

		each(context, item, *named ? named : own);
	}
}

const char *document_text(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *value = yaml_tree_get(node, key);

	return value && value->kind == YAML_TREE_SCALAR ? value->text : "";
}

const char *object_name(const struct yaml_node *object)
{
	const struct yaml_node *metadata = yaml_tree_get(object, "metadata");

	return metadata ? document_text(metadata, "name") : "";
}
