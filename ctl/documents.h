// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_DOCUMENTS_H
#define HERALDCTL_DOCUMENTS_H

#include <stdbool.h>

#include "findings.h"
#include "herald/core/arena.h"
#include "herald/core/yaml_tree.h"
#include "input.h"

/*
 * A file as trees, a document each. What is wrong is kept until it is known whose it is:
 * documents that are no business of ours may hold what ours may not.
 */
struct document_fault {
	const struct yaml_node *node; /* NULL: of the text itself */
	struct place place;
	char *text;
};

struct documents {
	const struct input *input;
	struct arena memory;
	struct yaml_documents trees;
	struct document_fault *faults;
	size_t fault_count;
	bool whole; /* read to its end; else the last fault says why not */
};

/* `input` is borrowed until documents_done. */
void documents_read(const struct input *input, struct documents *ret);
void documents_done(struct documents *documents);

/* Adds the faults within `root` to the findings; true when there was one. */
bool documents_tell_faults(
	const struct documents *documents, const struct yaml_node *root, struct findings *findings);
/* The same for the fault that ended the reading, where it did end. */
bool documents_tell_end(const struct documents *documents, struct findings *findings);

/* Whether any document is a Kubernetes object: has a `kind`. */
bool documents_have_objects(const struct documents *documents);

/* Calls `each` with a Kubernetes object, or with each item where it is a list of them. */
typedef void object_fn(void *context, const struct yaml_node *object, const char *kind);
void documents_each_object(
	const struct yaml_node *root, const char *kind, object_fn *each, void *context);

/* A scalar's text by its key; "" when there is none. */
const char *document_text(const struct yaml_node *node, const char *key);
/* metadata.name; "" when there is none. */
const char *object_name(const struct yaml_node *object);

#endif
