// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_YAML_TREE_H
#define HERALD_CORE_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "herald/core/arena.h"

/*
 * One YAML document as a tree of nodes that know where they stand. The subset is what a
 * configuration needs: mappings with scalar keys, sequences, scalars. Anchors, aliases
 * and tags, keys given twice, a second document, text that is not UTF-8, more nesting or
 * values than the bounds: each is a fault.
 */
#define YAML_TREE_TEXT_MAX (1024u * 1024u)
#define YAML_TREE_DEPTH_MAX 16
#define YAML_TREE_NODES_MAX 200000

/* The bounds of a stream: manifests of other kinds are larger and deeper than ours. */
#define YAML_STREAM_TEXT_MAX (16u * 1024u * 1024u)
#define YAML_STREAM_DEPTH_MAX 200
#define YAML_STREAM_NODES_MAX 1000000

enum yaml_tree_kind {
	YAML_TREE_SCALAR,
	YAML_TREE_SEQUENCE,
	YAML_TREE_MAPPING,
	YAML_TREE_FAULTY, /* a fault was told of it: readers pass over it in silence */
};

enum yaml_tree_style { YAML_TREE_PLAIN, YAML_TREE_QUOTED, YAML_TREE_LITERAL, YAML_TREE_FOLDED };

struct yaml_node {
	enum yaml_tree_kind kind;
	enum yaml_tree_style style; /* of a scalar */
	unsigned line, column;	    /* where it begins, from 1 */
	const char *text;	    /* of a scalar; may hold NUL, see length */
	size_t length;
	const struct yaml_node *up;	/* NULL: the root */
	const struct yaml_node *key;	/* the key it is the value of; NULL in a sequence */
	size_t index;			/* its place among its siblings, from 0 */
	struct yaml_node *first, *next; /* first child; next sibling */
	size_t count;			/* children */
};

/* Told of each fault, in the order found; `node` is NULL for one of the text itself. */
struct yaml_tree_sink {
	void (*fault)(void *context, const struct yaml_node *node, unsigned line, unsigned column,
		const char *text);
	void *context;
};

/* The root, within `arena`; NULL when the text could not be read to its end. */
struct yaml_node *yaml_tree_parse(
	struct arena *arena, const char *text, size_t length, const struct yaml_tree_sink *sink);

/*
 * The same for any number of documents, one after the other: in `ret` a root for each
 * (an empty document's is an empty scalar). False when the text could not be read to its
 * end; `ret` then has the documents before that place.
 */
struct yaml_documents {
	struct yaml_node **roots; /* in the arena */
	size_t count;
};
bool yaml_tree_parse_stream(struct arena *arena, const char *text, size_t length,
	const struct yaml_tree_sink *sink, struct yaml_documents *ret);

/* The value of `key` in a mapping; NULL when it has none or `node` is no mapping. */
const struct yaml_node *yaml_tree_get(const struct yaml_node *node, const char *key);

/* "pools[2].addresses[0]"; "" for the root. Cut to `size`. */
void yaml_tree_path(const struct yaml_node *node, char *ret, size_t size);

#endif
