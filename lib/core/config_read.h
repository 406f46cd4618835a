// SPDX-License-Identifier: Apache-2.0
#ifndef HERALD_CORE_CONFIG_READ_H
#define HERALD_CORE_CONFIG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herald/core/arena.h"
#include "herald/core/config.h"
#include "herald/core/yaml_tree.h"

/*
 * What the readers of the configuration's sections share: telling of a problem, reading
 * a mapping by a table of its fields, and the readers of plain values. Private to
 * lib/core/config*.c. A reader that meets a problem tells of it and leaves *ret alone.
 */
struct config_reader {
	struct config_problems *problems;
	struct arena *memory; /* the config's */
	struct config_names *names;
};

/* The text says what is wrong and how to mend it, and goes on from the field's path. */
void config_problem(struct config_reader *r, const struct yaml_node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Whether a problem stands at the node (not NULL) already: then what it was to hold is a
 * default, and nothing is to be said of how that fits the rest.
 */
bool config_is_told_of(const struct config_reader *r, const struct yaml_node *node);

/* A value for use in a message: in quotes, cut, without control characters. */
struct config_shown {
	char s[80];
};
struct config_shown config_show(const struct yaml_node *node);

/* `ret` is object + offset of the field; `rule` is the field's. */
struct config_field {
	const char *key;
	void (*read)(
		struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule);
	size_t offset;
	const void *rule;
	bool required;
};
struct config_fields {
	const struct config_field *items; /* read in this order, whatever the text's */
	size_t count;
};
#define CONFIG_FIELDS(table)                                                                       \
	{                                                                                          \
		(table), sizeof(table) / sizeof((table)[0])                                        \
	}

/* False when `node` is no mapping; unknown and missing keys are told. */
bool config_read_mapping(struct config_reader *r, const struct yaml_node *node,
	const struct config_fields *fields, void *object);
/* The same as a field's reader: `rule` is a struct config_fields. */
void config_read_section(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule);

/* True when it is a sequence; an empty one is a problem when `empty` says why (not NULL). */
bool config_is_list(struct config_reader *r, const struct yaml_node *node, const char *empty);

/* What other YAML programs take the text for ("a number"); NULL: it is text. */
const char *config_other_type(const struct yaml_node *node);

/* Text without NULs, or NULL with the problem told. */
const char *config_text(struct config_reader *r, const struct yaml_node *node);

struct config_number_rule {
	int64_t min, max;
	const char *why; /* the bound's reason; NULL: obvious */
};
struct config_duration_rule {
	uint32_t min_ms, max_ms;
	uint32_t unit_ms; /* what *ret counts in: 1 or 1000 */
	bool zero;	  /* "0s" is allowed beside min..max */
	const char *why;
};
struct config_choice_rule {
	const char *const *names; /* the index is stored, NULL ends */
};
struct config_text_rule {
	bool (*holds)(const char *text);
	const char *what;  /* "a DNS label (...)", after "is not" */
	int kind;	   /* enum config_name_kind of a reference; -1: none */
	const char *empty; /* of a list: what to do instead of an empty one; NULL: allowed */
};

typedef void config_read_fn(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule);
config_read_fn config_read_bool;	/* bool */
config_read_fn config_read_u32;		/* uint32_t, config_number_rule */
config_read_fn config_read_i32;		/* int32_t, config_number_rule */
config_read_fn config_read_duration;	/* uint32_t, config_duration_rule */
config_read_fn config_read_choice;	/* uint32_t, config_choice_rule */
config_read_fn config_read_choice_bool; /* bool: is it the second of two */
config_read_fn config_read_text;	/* const char *, config_text_rule */
config_read_fn config_read_texts;	/* struct config_string_list, config_text_rule */
config_read_fn config_read_ip;		/* struct ip */
config_read_fn config_read_selector;	/* struct selector */
config_read_fn config_read_selectors;	/* struct selector_list (config_selector.c) */

/* What names may look like (config_text.c). */
bool config_is_dns_label(const char *text);	 /* RFC 1123, at most 63 */
bool config_is_dns_subdomain(const char *text);	 /* RFC 1123, at most 253 */
bool config_is_qualified_name(const char *text); /* "prefix/name" of labels' keys */
bool config_is_label_value(const char *text);
bool config_is_interface(const char *text);
bool config_is_interface_pattern(const char *text);

#define CONFIG_DNS_LABEL                                                                           \
	"a name of at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"

/*
 * Names that are defined in one place and referred to in others; checked at the end,
 * since a reference may come first (config_names.c).
 */
enum config_name_kind {
	CONFIG_NAME_NONE = -1,
	CONFIG_NAME_POOL,
	CONFIG_NAME_LAYER2,
	CONFIG_NAME_BFD_PROFILE,
	CONFIG_NAME_COMMUNITY,
	CONFIG_NAME_PEER,
	CONFIG_NAME_ADVERTISEMENT,
	CONFIG_NAME_KINDS
};
struct config_names *config_names_new(void);
void config_names_free(struct config_names *names);
void config_names_define(
	struct config_names *names, enum config_name_kind kind, const struct yaml_node *node);
void config_names_refer(
	struct config_names *names, enum config_name_kind kind, const struct yaml_node *node);
void config_names_check(struct config_reader *r);

/* A field's reader that defines a name: const char *, config_text_rule with the kind. */
config_read_fn config_read_name;

/* Ranges of addresses with their places (config_range.c); `node` is a list. */
struct config_placed_range {
	struct ip_range range;
	const struct yaml_node *node;
};
struct config_ranges {
	struct config_placed_range *items;
	size_t count;
};
void config_read_ranges(
	struct config_reader *r, const struct yaml_node *node, struct config_ranges *ret);
/* A whole field of them; what is no list or no range is told and left out. */
void config_read_range_list(struct config_reader *r, const struct yaml_node *node,
	struct ip_range **ret, size_t *ret_count);

/* The sections (one file each); ret is the struct config. */
config_read_fn config_read_pools;
config_read_fn config_read_layer2;
config_read_fn config_read_bgp;

/*
 * What holds between the parts of the BGP section and the pools; `bgp` is its node, and
 * every list of the config has an item for each of its node's.
 */
void config_bgp_check(
	struct config_reader *r, const struct yaml_node *bgp, const struct config *config);

#endif
