// SPDX-License-Identifier: Apache-2.0
/*
 * From files to items: finds MetalLB's resources among the Kubernetes objects of a file
 * and the old configuration in a ConfigMap's key "config" or as a file of its own. Other
 * objects are passed over without a word; a file without anything of MetalLB's is told.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "import.h"
#include "verb.h"

#define OLD_KEY "config"
#define GROUP "metallb.io/"

static void add_message(struct import *import, const struct import_origin *origin, char *text)
{
	struct import_message *message;

	if ((import->message_count & (import->message_count - 1)) == 0)
		import->messages = xrealloc(import->messages,
			import->message_count ? 2 * import->message_count : 1,
			sizeof(*import->messages));
	message = &import->messages[import->message_count];
	*message = (struct import_message){
		import->message_count++, origin->file, origin->line, text_clean(text)};
}

static unsigned line_of(const struct import_source *source, const struct yaml_node *node)
{
	struct place place = {node->line, node->column};

	if (source->scalar)
		place = place_outside(
			source->input->text, source->input->length, source->scalar, place);
	return place.line;
}

static void message(struct import_source *source, const struct yaml_node *node, const char *kind,
	const char *text)
{
	struct import_origin origin = {source->input->name, line_of(source, node), NULL};
	char path[160];

	yaml_tree_path(node, path, sizeof(path));
	add_message(source->import, &origin,
		xasprintf("%s: %s%s%s: %s", source->title, path, *path ? ": " : "", kind, text));
}

void import_left_out(
	struct import_source *source, const struct yaml_node *node, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	source->import->left_out++;
	message(source, node, "left out", text);
}

void import_note(struct import_source *source, const struct yaml_node *node, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	message(source, node, "note", text);
}

void import_item_left_out(
	struct import *import, const struct import_item *item, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	import->left_out++;
	add_message(import, &item->origin, xasprintf("%s: left out: %s", item->origin.title, text));
}

void import_item_note(struct import *import, const struct import_item *item, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	add_message(import, &item->origin, xasprintf("%s: note: %s", item->origin.title, text));
}

struct import_item *import_add(struct import_source *source, enum import_section section,
	const struct yaml_node *node, const char *name)
{
	struct import_list *list = &source->import->sections[section];
	struct import_item *item = xcalloc(1, sizeof(*item));

	if ((list->count & (list->count - 1)) == 0)
		list->items = xrealloc(list->items, list->count ? 2 * list->count : 1,
			sizeof(struct import_item *));
	list->items[list->count++] = item;
	item->origin = (struct import_origin){
		source->input->name, line_of(source, node), xstrdup(source->title)};
	item->name = xstrdup(name);
	item->value = json_object();
	if (*name)
		json_object_set_new(item->value, "name", json_string(name));
	return item;
}

static json_t *read_labels(const struct yaml_node *object)
{
	const struct yaml_node *metadata = yaml_tree_get(object, "metadata");
	const struct yaml_node *labels = metadata ? yaml_tree_get(metadata, "labels") : NULL;
	json_t *ret = json_object();

	for (const struct yaml_node *label = labels ? labels->first : NULL; label && label->key;
		label = label->next)
		json_object_set_new(ret, label->key->text, json_string(label->text));
	return ret;
}

static void read_communities(struct import_source *source, const struct yaml_node *spec)
{
	const struct yaml_node *list = yaml_tree_get(spec, "communities");

	for (const struct yaml_node *child = list ? list->first : NULL; child;
		child = child->next) {
		struct import_item *item =
			import_add(source, IMPORT_COMMUNITIES, child, document_text(child, "name"));

		json_object_set_new(
			item->value, "value", json_string(document_text(child, "value")));
	}
}

/* What MetalLB writes for others to read. */
static bool is_status(const char *kind)
{
	static const char *const kinds[] = {"ServiceL2Status", "ServiceBGPStatus",
		"ConfigurationState", "ConfigurationStatus", "BGPSessionState"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i], kind) == 0)
			return true;
	}
	return false;
}

static void read_resource(struct import_source *source, const struct yaml_node *object,
	const char *kind, const struct yaml_node *spec)
{
	static const struct {
		const char *kind;
		enum import_section section;
		enum import_table table;
	} kinds[] = {
		{"IPAddressPool", IMPORT_POOLS, IMPORT_POOL_FIELDS},
		{"L2Advertisement", IMPORT_LAYER2, IMPORT_LAYER2_FIELDS},
		{"BGPAdvertisement", IMPORT_ADVERTISEMENTS, IMPORT_ADVERTISEMENT_FIELDS},
		{"BGPPeer", IMPORT_PEERS, IMPORT_PEER_FIELDS},
		{"BFDProfile", IMPORT_BFD_PROFILES, IMPORT_BFD_FIELDS},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct import_item *item;

		if (strcmp(kinds[i].kind, kind) != 0)
			continue;
		item = import_add(source, kinds[i].section, object, object_name(object));
		item->labels = read_labels(object);
		import_fields(source, kinds[i].table, spec, item);
		return;
	}
	if (strcmp(kind, "AddressPool") == 0)
		import_read_pool(source, object, spec, object_name(object));
	else if (strcmp(kind, "Community") == 0)
		read_communities(source, spec);
	else
		import_left_out(source, object, "this kind of resource has no counterpart here");
}

struct reading {
	struct import *import;
	const struct documents *documents;
	size_t found;
};

static void read_metallb(struct reading *r, const struct yaml_node *object, const char *kind)
{
	static const struct yaml_node nothing = {.kind = YAML_TREE_MAPPING, .text = ""};
	const struct yaml_node *spec = yaml_tree_get(object, "spec");
	AUTO_FREE char *title = xasprintf("%s/%s", kind, object_name(object));
	struct import_source source = {.import = r->import,
		.input = r->documents->input,
		.title = title,
		.zero_unset = strcmp(document_text(object, "apiVersion"), GROUP "v1beta1") == 0};

	r->found++;
	if (is_status(kind) || documents_tell_faults(r->documents, object, &r->import->faults))
		return;
	/* An advertisement that says nothing is one of everything. */
	if (!spec || (spec->kind == YAML_TREE_SCALAR && spec->length == 0))
		spec = &nothing;
	read_resource(&source, object, kind, spec);
}

static void on_embedded_fault(void *context, const struct yaml_node *node, unsigned line,
	unsigned column, const char *text)
{
	struct import_source *source = context;
	struct place place = {line, column};

	(void)node;
	if (line)
		place = place_outside(
			source->input->text, source->input->length, source->scalar, place);
	findings_add(&source->import->faults, source->input->name, place, source->title, text);
}

static void read_old_map(struct reading *r, const struct yaml_node *object)
{
	const struct yaml_node *data = yaml_tree_get(object, "data");
	const struct yaml_node *value = data ? yaml_tree_get(data, OLD_KEY) : NULL;
	AUTO_FREE char *title = xasprintf("ConfigMap/%s", object_name(object));
	struct import_source source = {.import = r->import,
		.input = r->documents->input,
		.scalar = value,
		.title = title,
		.old = true};
	const struct yaml_tree_sink sink = {on_embedded_fault, &source};
	struct arena memory = {0};
	const struct yaml_node *root;

	if (!value || value->kind != YAML_TREE_SCALAR)
		return;
	documents_tell_faults(r->documents, object, &r->import->faults);
	root = yaml_tree_parse(&memory, value->text, value->length, &sink);
	if (root && import_is_old(root)) {
		r->found++;
		import_read_old(&source, root);
	}
	arena_done(&memory);
}

static void read_object(void *context, const struct yaml_node *object, const char *kind)
{
	struct reading *r = context;
	const char *version = document_text(object, "apiVersion");

	if (strncmp(version, GROUP, strlen(GROUP)) == 0)
		read_metallb(r, object, kind);
	else if (strcmp(kind, "ConfigMap") == 0)
		read_old_map(r, object);
}

static void read_document(struct reading *r, const struct yaml_node *root)
{
	struct import_source source = {.import = r->import,
		.input = r->documents->input,
		.title = "configuration",
		.old = true};
	const char *kind = document_text(root, "kind");

	if (*kind) {
		documents_each_object(root, kind, read_object, r);
	} else if (import_is_old(root)) {
		r->found++;
		if (!documents_tell_faults(r->documents, root, &r->import->faults))
			import_read_old(&source, root);
	}
}

void import_read(struct import *import, const struct input *input)
{
	struct documents documents;
	struct reading r = {.import = import, .documents = &documents};
	size_t before = import->faults.count;

	documents_read(input, &documents);
	for (size_t i = 0; i < documents.trees.count; i++)
		read_document(&r, documents.trees.roots[i]);
	documents_tell_end(&documents, &import->faults);
	if (r.found == 0 && import->faults.count == before)
		findings_add(&import->faults, input->name, (struct place){0}, "",
			"holds nothing of MetalLB's: neither resources of " GROUP
			"v1beta1 or v1beta2 nor a ConfigMap with the key \"" OLD_KEY "\"");
	import->resources += r.found;
	documents_done(&documents);
}

void import_done(struct import *import)
{
	for (int section = 0; section < IMPORT_SECTIONS; section++) {
		struct import_list *list = &import->sections[section];

		for (size_t i = 0; i < list->count; i++) {
			struct import_item *item = list->items[i];

			json_decref(item->value);
			json_decref(item->labels);
			json_decref(item->pool_selectors);
			free(item->origin.title);
			free(item->name);
			free(item);
		}
		free(list->items);
	}
	for (size_t i = 0; i < import->message_count; i++)
		free(import->messages[i].text);
	free(import->messages);
	findings_done(&import->faults);
	*import = (struct import){0};
}
