// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_MANIFEST_H
#define HERALDCTL_MANIFEST_H

#include "documents.h"
#include "findings.h"
#include "herald/core/config.h"
#include "input.h"

/*
 * The Herald configurations in one file: the file itself, or the key config.yaml of each
 * ConfigMap among its Kubernetes objects (several documents, List, YAML or JSON).
 */
struct manifest_config {
	const char *object; /* "ConfigMap/herald-config"; "" for the file itself */
	const char *text;
	size_t length;
	const struct yaml_node *scalar; /* where the text stands in the file; NULL: it is it */
};

struct manifest {
	const struct input *input;
	struct documents documents;
	struct manifest_config *configs;
	size_t count;
};

struct manifest_options {
	const char *config_map; /* only the ConfigMap of this name; NULL: any */
};

/*
 * `input` is borrowed until manifest_done. What is wrong is added to the findings; a file
 * without any configuration is wrong. Objects of other kinds are named on stderr.
 */
void manifest_read(const struct input *input, const struct manifest_options *options,
	struct findings *findings, struct manifest *ret);
void manifest_done(struct manifest *manifest);

/* NULL: refused, with the problems added in terms of the file. */
struct config *manifest_parse(
	const struct manifest *manifest, size_t index, struct findings *findings);

#endif
