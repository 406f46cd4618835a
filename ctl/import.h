// SPDX-License-Identifier: Apache-2.0
#ifndef HERALDCTL_IMPORT_H
#define HERALDCTL_IMPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "documents.h"
#include "herald/core/config.h"
#include "input.h"

/*
 * MetalLB's configuration on its way to Herald's: resources are read one by one into
 * items, each the mapping that will stand in Herald's document and where it came from
 * (import_read.c, import_old.c, import_fields.c); then names and references between them
 * are put right (import_link.c), and the document is written (import_write.c).
 */
enum import_section {
	IMPORT_POOLS,
	IMPORT_LAYER2,
	IMPORT_BFD_PROFILES,
	IMPORT_COMMUNITIES,
	IMPORT_PEERS,
	IMPORT_ADVERTISEMENTS,
	IMPORT_SECTIONS
};

/* Where an item came from: for messages. */
struct import_origin {
	const char *file; /* borrowed */
	unsigned line;
	char *title; /* "IPAddressPool/web" */
};

struct import_item {
	struct import_origin origin;
	char *name;		/* as MetalLB knows it; "" none */
	json_t *value;		/* Herald's mapping */
	json_t *labels;		/* of a pool, or NULL */
	json_t *pool_selectors; /* of an advertisement: pools by label, or NULL */
	bool pinned;		/* a pool with serviceAllocation: tried before the others */
	bool named_here;	/* MetalLB has no name for it, and several may have this one */
	bool dropped;
};

struct import_list {
	struct import_item **items;
	size_t count;
};

/* Told at the end, in the order of the files and lines. */
struct import_message {
	size_t order;
	const char *file;
	unsigned line;
	char *text;
};

struct import {
	struct import_list sections[IMPORT_SECTIONS];
	struct import_message *messages;
	size_t message_count;
	size_t left_out;	/* of the messages, those of what was not carried over */
	struct findings faults; /* what could not be read */
	size_t resources;	/* of MetalLB, read so far */
	struct import_item *old_layer2;
	const char *namespace; /* of the ConfigMap to be written */
};
void import_done(struct import *import);

/* One resource while it is read. */
struct import_source {
	struct import *import;
	const struct input *input;
	const struct yaml_node *scalar; /* the text that it stands in; NULL: the file */
	const char *title;
	bool old;	 /* keys as in the old ConfigMap ("my-asn") */
	bool zero_unset; /* BGPPeer v1beta1 writes a time that is not set as 0s */
};

/* Reads all of a file; what can't be read goes to import->faults. */
void import_read(struct import *import, const struct input *input);
/* The old ConfigMap's document, or a file that is one. */
bool import_is_old(const struct yaml_node *document);
void import_read_old(struct import_source *source, const struct yaml_node *document);

/* A pool that says by which protocol it is announced: an old one, or an AddressPool. */
void import_read_pool(struct import_source *source, const struct yaml_node *node,
	const struct yaml_node *spec, const char *name);

struct import_item *import_add(struct import_source *source, enum import_section section,
	const struct yaml_node *node, const char *name);
/* In `source->title` and the messages: the node's place and path. */
void import_left_out(struct import_source *source, const struct yaml_node *node, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));
void import_note(struct import_source *source, const struct yaml_node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same of an item as a whole. */
void import_item_left_out(struct import *import, const struct import_item *item, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));
void import_item_note(struct import *import, const struct import_item *item, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The fields of a resource's spec, put into item->value under Herald's names. */
enum import_table {
	IMPORT_POOL_FIELDS,
	IMPORT_LAYER2_FIELDS,
	IMPORT_ADVERTISEMENT_FIELDS,
	IMPORT_PEER_FIELDS,
	IMPORT_BFD_FIELDS,
};
void import_fields(struct import_source *source, enum import_table table,
	const struct yaml_node *spec, struct import_item *item);

/* Names, references, priorities and what MetalLB takes for granted. */
void import_link(struct import *import);

/* Herald's document as text, malloc'ed. */
char *import_write(const struct import *import);
/* The item that a field of the document came from ("pools[2].x"); NULL: none. *ret_rest:
   the rest of the path. */
const struct import_item *import_find(
	const struct import *import, const char *field, const char **ret_rest);

#endif
