// SPDX-License-Identifier: Apache-2.0
/*
 * Redaction of configurations, objects and texts; the rules are in the header. Rather too
 * much is left out than too little: who needs it can ask.
 */
#include "redact.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/core/suggest.h"
#include "herald/core/yaml_tree.h"
#include "yaml_write.h"

#define SECRET_MIN 4u /* shorter ones would blot out half of a text, and protect nothing */

void redaction_done(struct redaction *redaction)
{
	for (size_t i = 0; i < redaction->count; i++) {
		explicit_bzero(redaction->secrets[i], strlen(redaction->secrets[i]));
		free(redaction->secrets[i]);
	}
	free(redaction->secrets);
	*redaction = (struct redaction){0};
}

static void remember(struct redaction *redaction, const struct yaml_node *node)
{
	if (node->kind != YAML_TREE_SCALAR || node->length < SECRET_MIN)
		return;
	redaction->secrets =
		xrealloc(redaction->secrets, redaction->count + 1, sizeof(*redaction->secrets));
	redaction->secrets[redaction->count++] = xstrndup(node->text, node->length);
}

/* Also a key that is misspelt, as far as one can tell. */
static bool is_secret_key(const char *key)
{
	static const char *const parts[] = {"passw", "passphrase", "pwd", "secret", "token", "auth",
		"cred", "md5", "psk", "private"};

	struct suggestion near = {.word = key};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strcasestr(key, parts[i]))
			return true;
	}
	suggest_offer(&near, "password");
	return near.best != NULL;
}

/* {name: rack-a} of a passwordSecret tells a Secret's name, and no more. */
static bool is_reference(const struct yaml_node *node)
{
	return node->kind == YAML_TREE_MAPPING && node->key &&
	       strcmp(node->key->text, "passwordSecret") == 0;
}

static bool is_secret(const struct yaml_node *node)
{
	if (node->key && is_secret_key(node->key->text) && !is_reference(node))
		return true;
	return node->kind == YAML_TREE_SCALAR && strcasestr(node->text, "password") &&
	       !(node->up && is_reference(node->up));
}

static json_t *scalar_json(const struct yaml_node *node)
{
	bool plain = node->style == YAML_TREE_PLAIN;
	size_t digits = strspn(node->text, "0123456789");

	if (plain && digits > 0 && digits < 18 && digits == node->length)
		return json_integer(strtoll(node->text, NULL, 10));
	if (plain && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0))
		return json_boolean(node->text[0] == 't');
	return json_stringn(node->text, node->length);
}

static void remember_all(struct redaction *redaction, const struct yaml_node *node)
{
	remember(redaction, node);
	for (const struct yaml_node *child = node->first; child; child = child->next)
		remember_all(redaction, child);
}

static json_t *node_json(struct redaction *redaction, const struct yaml_node *node)
{
	json_t *made = NULL;

	if (is_secret(node) || node->kind == YAML_TREE_FAULTY) {
		if (node->key && is_secret_key(node->key->text))
			remember_all(redaction, node);
		return json_string(REDACTED);
	}
	if (node->kind == YAML_TREE_SCALAR)
		made = scalar_json(node);
	else
		made = node->kind == YAML_TREE_MAPPING ? json_object() : json_array();
	for (const struct yaml_node *child = node->first; child; child = child->next) {
		json_t *value = node_json(redaction, child);

		if (node->kind == YAML_TREE_MAPPING)
			json_object_set_new(made, child->key->text, value);
		else
			json_array_append_new(made, value);
	}
	return made ? made : json_string(REDACTED);
}

static void on_fault(void *context, const struct yaml_node *node, unsigned line, unsigned column,
	const char *text)
{
	(void)node;
	(void)line;
	(void)column;
	(void)text;
	*(bool *)context = true;
}

char *redact_config(struct redaction *redaction, const char *text, size_t length)
{
	struct arena memory = {0};
	bool faulty = false;
	const struct yaml_tree_sink sink = {on_fault, &faulty};
	const struct yaml_node *root = yaml_tree_parse(&memory, text, length, &sink);
	char *made;

	if (root && root->kind == YAML_TREE_MAPPING && !faulty) {
		json_t *value = node_json(redaction, root);

		made = yaml_write(value, 0);
		json_decref(value);
	} else {
		made = xasprintf(
			"# " REDACTED ": %zu bytes that are no configuration in YAML\n", length);
	}
	arena_done(&memory);
	return made;
}

/* ---- objects ---- */

static bool is_ours(const char *annotation)
{
	static const char *const prefixes[] = {
		"herald.io/", "metallb.io/", "metallb.universe.tf/", "deprecated.daemonset"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(annotation, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

static void redact_values(json_t *object, bool (*is_kept)(const char *key))
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, key, value)
	{
		if (!is_kept || !is_kept(key))
			json_object_set_new(object, key, json_string(REDACTED));
	}
}

static void redact_meta(json_t *meta)
{
	json_object_del(meta, "managedFields");
	redact_values(json_object_get(meta, "annotations"), is_ours);
}

static void redact_containers(json_t *containers)
{
	json_t *container, *variable;
	size_t i, k;

	json_array_foreach (containers, i, container) {
		json_array_foreach (json_object_get(container, "env"), k, variable) {
			if (json_object_get(variable, "value"))
				json_object_set_new(variable, "value", json_string(REDACTED));
		}
	}
}

static void redact_pod(json_t *pod)
{
	json_t *spec = json_object_get(pod, "spec");

	redact_meta(json_object_get(pod, "metadata"));
	redact_containers(json_object_get(spec, "containers"));
	redact_containers(json_object_get(spec, "initContainers"));
}

static void redact_data(struct redaction *redaction, json_t *data)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(data, next, key, value)
	{
		AUTO_FREE char *text = NULL;

		if (strcmp(key, "config.yaml") == 0 && json_is_string(value))
			text = redact_config(
				redaction, json_string_value(value), json_string_length(value));
		json_object_set_new(data, key, json_string(text ? text : REDACTED));
	}
}

void redact_object(struct redaction *redaction, json_t *object)
{
	redact_pod(object);
	redact_pod(json_object_get(json_object_get(object, "spec"), "template"));
	redact_data(redaction, json_object_get(object, "data"));
	redact_values(json_object_get(object, "binaryData"), NULL);
	redact_values(json_object_get(object, "stringData"), NULL);
}

/* ---- texts ---- */

/* All of one word; `text` is released. */
static char *blot_out(char *text, const char *word)
{
	size_t length = strlen(word), size;
	const char *rest = text, *found;
	char *made = NULL;
	FILE *out;

	if (length == 0 || !strstr(text, word))
		return text;
	out = open_memstream(&made, &size);
	if (!out)
		DIE("out of memory");
	while ((found = strstr(rest, word))) {
		fprintf(out, "%.*s%s", (int)(found - rest), rest, REDACTED);
		rest = found + length;
	}
	fputs(rest, out);
	fclose(out);
	free(text);
	return made;
}

char *redact_text(const struct redaction *redaction, const char *text)
{
	char *made = xstrdup(text);

	for (size_t i = 0; i < redaction->count; i++) {
		json_t *value = json_string(redaction->secrets[i]);
		char *escaped = json_dumps(value, JSON_ENCODE_ANY);

		made = blot_out(made, redaction->secrets[i]);
		/* As it stands in JSON, where that is another text: without its quotes. */
		if (escaped && strlen(escaped) > 2) {
			escaped[strlen(escaped) - 1] = '\0';
			made = blot_out(made, escaped + 1);
		}
		free(escaped);
		json_decref(value);
	}
	return made;
}
