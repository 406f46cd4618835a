// SPDX-License-Identifier: Apache-2.0
/*
 * A kubeconfig file (client-go's clientcmd/api v1) into struct kubeconfig, through
 * libyaml's document API. Only the chosen context, its cluster and its user are looked
 * at; what they hold that Herald will not do (exec plugins, unverified TLS, proxies) is
 * an error rather than ignored.
 */
#include "kubeconfig_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "herald/base/base64.h"

struct source {
	const char *path;
	yaml_document_t document;
	char section[160]; /* "user \"admin\"", for errors */
};

/* A field and what becomes of it. */
enum field_kind { FIELD_TEXT, FIELD_PATH, FIELD_BASE64, FIELD_REFUSED };

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;	 /* in struct kubeconfig */
	const char *why; /* of FIELD_REFUSED */
};

#define INTO(member) offsetof(struct kubeconfig, member)

static const struct field cluster_fields[] = {
	{"server", FIELD_TEXT, INTO(server), NULL},
	{"certificate-authority", FIELD_PATH, INTO(ca_file), NULL},
	{"certificate-authority-data", FIELD_BASE64, INTO(ca_pem), NULL},
	{"tls-server-name", FIELD_TEXT, INTO(tls_server_name), NULL},
	{"proxy-url", FIELD_REFUSED, 0, "proxies are not supported"},
	{NULL, FIELD_TEXT, 0, NULL},
};

static const struct field user_fields[] = {
	{"client-certificate", FIELD_PATH, INTO(cert_file), NULL},
	{"client-certificate-data", FIELD_BASE64, INTO(cert_pem), NULL},
	{"client-key", FIELD_PATH, INTO(key_file), NULL},
	{"client-key-data", FIELD_BASE64, INTO(key_pem), NULL},
	{"token", FIELD_TEXT, INTO(token), NULL},
	{"tokenFile", FIELD_PATH, INTO(token_file), NULL},
	{"exec", FIELD_REFUSED, 0, "credential plugins are not run; use a token or a certificate"},
	{"auth-provider", FIELD_REFUSED, 0,
		"auth providers are not supported; use a token or a certificate"},
	{"username", FIELD_REFUSED, 0, "Kubernetes has no basic authentication any more"},
	{"as", FIELD_REFUSED, 0, "impersonation is not supported"},
	{NULL, FIELD_TEXT, 0, NULL},
};

static yaml_node_t *member(struct source *source, yaml_node_t *map, const char *key)
{
	if (!map || map->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = map->data.mapping.pairs.start;
		pair < map->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(&source->document, pair->key);

		if (name && name->type == YAML_SCALAR_NODE &&
			strcmp((const char *)name->data.scalar.value, key) == 0)
			return yaml_document_get_node(&source->document, pair->value);
	}
	return NULL;
}

/* NULL when there is none, when it is null, or no scalar. */
static const char *scalar(const yaml_node_t *node)
{
	const char *text;

	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	text = (const char *)node->data.scalar.value;
	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		(strcmp(text, "null") == 0 || strcmp(text, "~") == 0))
		return NULL;
	return *text ? text : NULL;
}

static char *beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (*path == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - file), file, path);
}

static int read_field(const struct source *source, const struct field *field,
	const yaml_node_t *node, struct kubeconfig *config, struct err *e)
{
	const char *text = scalar(node);
	char **into = (char **)(void *)((char *)config + field->offset);

	if (field->kind == FIELD_REFUSED)
		return err_set(e, -ENOTSUP, "cannot use \"%s\": %s has \"%s\": %s", source->path,
			source->section, field->name, field->why);
	if (!text)
		return node->type == YAML_SCALAR_NODE
			       ? 0
			       : err_set(e, -EINVAL, "cannot use \"%s\": \"%s\" of %s is no text",
					 source->path, field->name, source->section);
	free(*into);
	if (field->kind == FIELD_BASE64)
		*into = base64_decode_text(text);
	else
		*into = field->kind == FIELD_PATH ? beside(source->path, text) : xstrdup(text);
	if (!*into)
		return err_set(e, -EINVAL, "cannot use \"%s\": \"%s\" of %s is not base64",
			source->path, field->name, source->section);
	return 0;
}

static int read_fields(struct source *source, yaml_node_t *map, const struct field *fields,
	struct kubeconfig *config, struct err *e)
{
	for (; fields->name; fields++) {
		yaml_node_t *node = member(source, map, fields->name);
		int r = node ? read_field(source, fields, node, config, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* The entry `name` of "clusters", "users" or "contexts", its part `kind`. */
static yaml_node_t *entry(struct source *source, const char *list_name, const char *kind,
	const char *name, struct err *e)
{
	yaml_node_t *list =
		member(source, yaml_document_get_root_node(&source->document), list_name);

	snprintf(source->section, sizeof(source->section), "%s \"%.100s\"", kind, name);
	if (!list || list->type != YAML_SEQUENCE_NODE) {
		err_set(e, -EINVAL, "cannot use \"%s\": it has no list \"%s\"", source->path,
			list_name);
		return NULL;
	}
	for (yaml_node_item_t *item = list->data.sequence.items.start;
		item < list->data.sequence.items.top; item++) {
		yaml_node_t *node = yaml_document_get_node(&source->document, *item);
		const char *found = scalar(member(source, node, "name"));
		yaml_node_t *part = member(source, node, kind);

		if (found && part && strcmp(found, name) == 0)
			return part;
	}
	err_set(e, -ENOENT, "cannot use \"%s\": there is no %s in \"%s\"", source->path,
		source->section, list_name);
	return NULL;
}

static int read_cluster(
	struct source *source, const char *name, struct kubeconfig *config, struct err *e)
{
	yaml_node_t *cluster = entry(source, "clusters", "cluster", name, e);
	const char *insecure;
	int r;

	if (!cluster)
		return -EINVAL;
	insecure = scalar(member(source, cluster, "insecure-skip-tls-verify"));
	if (insecure && strcmp(insecure, "false") != 0)
		return err_set(e, -ENOTSUP,
			"cannot use \"%s\": %s has "
			"\"insecure-skip-tls-verify\": TLS is always verified; give "
			"\"certificate-authority\" instead",
			source->path, source->section);
	r = read_fields(source, cluster, cluster_fields, config, e);
	if (r == 0 && !config->server)
		r = err_set(e, -EINVAL, "cannot use \"%s\": %s has no \"server\"", source->path,
			source->section);
	return r;
}

static int read_user(
	struct source *source, const char *name, struct kubeconfig *config, struct err *e)
{
	yaml_node_t *user = entry(source, "users", "user", name, e);
	int r;

	if (!user)
		return -EINVAL;
	r = read_fields(source, user, user_fields, config, e);
	if (r < 0)
		return r;
	if ((config->cert_file || config->cert_pem) != (config->key_file || config->key_pem))
		return err_set(e, -EINVAL,
			"cannot use \"%s\": %s needs both \"client-certificate\" "
			"and \"client-key\", or their -data forms",
			source->path, source->section);
	return 0;
}

static int read_document(
	struct source *source, const char *context, struct kubeconfig *config, struct err *e)
{
	yaml_node_t *root = yaml_document_get_root_node(&source->document);
	const char *cluster, *user, *namespace;
	yaml_node_t *chosen;
	int r;

	if (!root || root->type != YAML_MAPPING_NODE)
		return err_set(e, -EINVAL, "cannot use \"%s\": it is no kubeconfig", source->path);
	if (!context)
		context = scalar(member(source, root, "current-context"));
	if (!context)
		return err_set(e, -EINVAL,
			"cannot use \"%s\": it has no \"current-context\"; "
			"choose one with --context",
			source->path);
	chosen = entry(source, "contexts", "context", context, e);
	if (!chosen)
		return -EINVAL;
	cluster = scalar(member(source, chosen, "cluster"));
	user = scalar(member(source, chosen, "user"));
	namespace = scalar(member(source, chosen, "namespace"));
	if (!cluster)
		return err_set(e, -EINVAL, "cannot use \"%s\": %s has no \"cluster\"", source->path,
			source->section);
	config->namespace = xstrdup(namespace ? namespace : "default");
	r = read_cluster(source, cluster, config, e);
	if (r == 0 && user)
		r = read_user(source, user, config, e);
	return r;
}

int kubeconfig_parse(const char *path, const char *text, size_t length, const char *context,
	struct kubeconfig *config, struct err *e)
{
	struct source source = {.path = path};
	yaml_parser_t parser;
	int r;

	if (!yaml_parser_initialize(&parser))
		DIE("out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	if (!yaml_parser_load(&parser, &source.document)) {
		r = err_set(e, -EINVAL, "cannot use \"%s\": line %zu: %s", path,
			parser.problem_mark.line + 1, parser.problem ? parser.problem : "no YAML");
	} else {
		r = read_document(&source, context, config, e);
		yaml_document_delete(&source.document);
	}
	yaml_parser_delete(&parser);
	return r;
}
