// SPDX-License-Identifier: Apache-2.0
/*
 * YAML text to a tree of nodes with their places, over libyaml's events. It takes hostile
 * text: size, nesting and number of nodes are bounded, and nothing in it can make the
 * tree larger than the text (aliases are refused). It knows no field of any document.
 *
 * A fault that leaves the structure sound (a tag, an alias, a key given twice) is told
 * and reading goes on, so that one run tells of all; a syntax error ends it.
 */
#include "herald/core/yaml_tree.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "herald/base/err.h"

struct tree_limits {
	size_t text, nodes;
	unsigned depth;
	bool many; /* documents */
};

struct tree_builder {
	const struct tree_limits *limits;
	struct arena *arena;
	const struct yaml_tree_sink *sink;
	yaml_parser_t parser;
	struct yaml_node *root;
	struct yaml_node *open;				    /* the innermost collection */
	struct yaml_node *key;				    /* waits for its value */
	struct yaml_node *stack[YAML_STREAM_DEPTH_MAX + 1]; /* the open collections, from 1 */
	struct yaml_node *last[YAML_STREAM_DEPTH_MAX + 1];  /* the last child of each */
	struct yaml_documents documents;
	unsigned depth;
	size_t nodes;
	bool stopped; /* a fault after which nothing can be read */
};

__attribute__((format(printf, 5, 6))) static void tell(const struct tree_builder *b,
	const struct yaml_node *node, unsigned line, unsigned column, const char *fmt, ...)
{
	char text[320];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	b->sink->fault(b->sink->context, node, line, column, text);
}

static unsigned place(size_t from_zero)
{
	return (unsigned)from_zero + 1;
}

/* libyaml counts these by the byte only, from the text's begin. */
static void tell_unreadable(
	const struct tree_builder *b, const char *text, size_t offset, const char *why)
{
	size_t line = 0, begin = 0;

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			begin = i + 1;
		}
	}
	tell(b, NULL, place(line), place(offset - begin),
		"byte %zu of the line is no text (%s): remove it, and save the document as UTF-8",
		offset - begin + 1, why);
}

/* libyaml's words are for its own grammar's terms; they are kept, with a way out added. */
static void tell_syntax(const struct tree_builder *b, const char *text)
{
	const yaml_parser_t *p = &b->parser;

	if (p->error == YAML_READER_ERROR) {
		tell_unreadable(b, text, p->problem_offset, p->problem);
		return;
	}
	tell(b, NULL, place(p->problem_mark.line), place(p->problem_mark.column),
		"is not valid YAML: %s%s%s; check indentation, quotes and brackets before this "
		"place",
		p->context ? p->context : "", p->context ? ", " : "",
		p->problem ? p->problem : "unknown error");
}

static struct yaml_node *new_node(
	struct tree_builder *b, enum yaml_tree_kind kind, const yaml_event_t *event)
{
	struct yaml_node *node;

	if (++b->nodes > b->limits->nodes) {
		tell(b, NULL, place(event->start_mark.line), place(event->start_mark.column),
			"the document holds more than %zu values: split it", b->limits->nodes);
		b->stopped = true;
		return NULL;
	}
	node = arena_alloc(b->arena, 1, sizeof(*node));
	node->kind = kind;
	node->line = place(event->start_mark.line);
	node->column = place(event->start_mark.column);
	node->text = "";
	return node;
}

/* Hangs the node where it belongs; a mapping's keys are kept aside for their values. */
static void attach(struct tree_builder *b, struct yaml_node *node)
{
	struct yaml_node *open = b->open;

	if (!open) {
		b->root = node;
		return;
	}
	if (open->kind == YAML_TREE_MAPPING && !b->key) {
		b->key = node;
		return;
	}
	node->up = open;
	node->key = b->key;
	node->index = open->count++;
	if (b->last[b->depth])
		b->last[b->depth]->next = node;
	else
		open->first = node;
	b->last[b->depth] = node;
	b->key = NULL;
}

/* A key has no path of its own yet: its mapping is named. */
static void tell_of(const struct tree_builder *b, const struct yaml_node *node, const char *text)
{
	tell(b, node == b->key ? b->open : node, node->line, node->column, "%s", text);
}

/* Told, but read on: what the text means is plain without them. */
static void refuse_extras(
	struct tree_builder *b, const struct yaml_node *node, const void *anchor, const void *tag)
{
	if (anchor)
		tell_of(b, node, "has a YAML anchor (&name), which is not allowed: remove it");
	if (tag)
		tell_of(b, node, "has a YAML tag (!name), which is not allowed: remove it");
}

static enum yaml_tree_style style_of(yaml_scalar_style_t style)
{
	switch (style) {
	case YAML_LITERAL_SCALAR_STYLE:
		return YAML_TREE_LITERAL;
	case YAML_FOLDED_SCALAR_STYLE:
		return YAML_TREE_FOLDED;
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		return YAML_TREE_QUOTED;
	case YAML_PLAIN_SCALAR_STYLE:
	case YAML_ANY_SCALAR_STYLE:
		break;
	}
	return YAML_TREE_PLAIN;
}

static void on_scalar(struct tree_builder *b, const yaml_event_t *event)
{
	struct yaml_node *node = new_node(b, YAML_TREE_SCALAR, event);

	if (!node)
		return;
	node->length = event->data.scalar.length;
	node->text = arena_strndup(b->arena, (const char *)event->data.scalar.value, node->length);
	node->style = style_of(event->data.scalar.style);
	attach(b, node);
	refuse_extras(b, node, event->data.scalar.anchor, event->data.scalar.tag);
}

static void on_alias(struct tree_builder *b, const yaml_event_t *event)
{
	struct yaml_node *node = new_node(b, YAML_TREE_FAULTY, event);

	if (!node)
		return;
	attach(b, node);
	tell_of(b, node, "is a YAML alias (*name), which is not allowed: write the value out");
}

static void on_start(struct tree_builder *b, enum yaml_tree_kind kind, const yaml_event_t *event)
{
	bool mapping = kind == YAML_TREE_MAPPING;
	const unsigned char *anchor =
		mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	const unsigned char *tag =
		mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	struct yaml_node *node = new_node(b, kind, event);

	if (!node)
		return;
	if (b->open && b->open->kind == YAML_TREE_MAPPING && !b->key) {
		tell(b, b->open, node->line, node->column,
			"has a key that is no plain text: write \"key: value\"");
		b->stopped = true;
		return;
	}
	if (b->depth == b->limits->depth) {
		tell(b, NULL, node->line, node->column,
			"is nested more than %u deep, which nothing here needs", b->limits->depth);
		b->stopped = true;
		return;
	}
	attach(b, node);
	b->depth++;
	b->open = b->stack[b->depth] = node;
	b->last[b->depth] = NULL;
	refuse_extras(b, node, anchor, tag);
}

static int compare_keys(const void *a, const void *b)
{
	const struct yaml_node *const *x = a, *const *y = b;
	size_t shorter =
		(*x)->key->length < (*y)->key->length ? (*x)->key->length : (*y)->key->length;
	int order = memcmp((*x)->key->text, (*y)->key->text, shorter);

	if (order != 0)
		return order;
	if ((*x)->key->length != (*y)->key->length)
		return (*x)->key->length < (*y)->key->length ? -1 : 1;
	return (*x)->index < (*y)->index ? -1 : (*x)->index > (*y)->index;
}

static bool same_key(const struct yaml_node *a, const struct yaml_node *b)
{
	return a->key->length == b->key->length &&
	       memcmp(a->key->text, b->key->text, a->key->length) == 0;
}

/* Sorting keeps a mapping of 100,000 keys from costing their square. */
static void refuse_double_keys(struct tree_builder *b, const struct yaml_node *mapping)
{
	AUTO_FREE struct yaml_node **values = xcalloc(mapping->count, sizeof(struct yaml_node *));
	size_t n = 0;

	for (struct yaml_node *value = mapping->first; value; value = value->next)
		values[n++] = value;
	qsort(values, n, sizeof(struct yaml_node *), compare_keys);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (!same_key(values[first], values[i])) {
			first = i;
			continue;
		}
		tell(b, values[i], values[i]->key->line, values[i]->key->column,
			"the key is given twice, first on line %u: keep one of the two",
			values[first]->key->line);
		values[i]->kind = YAML_TREE_FAULTY;
	}
}

static void on_end(struct tree_builder *b)
{
	struct yaml_node *closed = b->open;

	if (closed->kind == YAML_TREE_MAPPING)
		refuse_double_keys(b, closed);
	b->depth--;
	b->open = b->depth ? b->stack[b->depth] : NULL;
}

/* The list doubles within the arena, which frees nothing before its end. */
static void keep_root(struct tree_builder *b)
{
	struct yaml_documents *list = &b->documents;

	if ((list->count & (list->count - 1)) == 0) {
		struct yaml_node **larger =
			arena_alloc(b->arena, list->count ? 2 * list->count : 1, sizeof(*larger));

		if (list->count)
			memcpy(larger, list->roots, list->count * sizeof(*larger));
		list->roots = larger;
	}
	list->roots[list->count++] = b->root;
	b->root = NULL;
}

static void on_event(struct tree_builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->root) {
			tell(b, NULL, place(event->start_mark.line),
				place(event->start_mark.column),
				"a second document begins here: only one is allowed, remove "
				"\"---\" and what follows");
			b->stopped = true;
		}
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(b, event);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(b, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_start(b, YAML_TREE_SEQUENCE, event);
		break;
	case YAML_MAPPING_START_EVENT:
		on_start(b, YAML_TREE_MAPPING, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(b);
		break;
	case YAML_DOCUMENT_END_EVENT:
		if (b->limits->many)
			keep_root(b);
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
		break;
	}
}

static void read_events(struct tree_builder *b, const char *text)
{
	bool ended = false;

	while (!ended && !b->stopped) {
		yaml_event_t event;

		if (!yaml_parser_parse(&b->parser, &event)) {
			if (b->parser.error == YAML_MEMORY_ERROR)
				DIE("out of memory");
			tell_syntax(b, text);
			b->stopped = true;
			return;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		on_event(b, &event);
		yaml_event_delete(&event);
	}
}

static void read_text(struct tree_builder *b, const char *text, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some editors' byte order mark */

	if (length > b->limits->text) {
		tell(b, NULL, 0, 0, "the document is %zu bytes long, more than the %zu allowed",
			length, b->limits->text);
		b->stopped = true;
		return;
	}
	if (!yaml_parser_initialize(&b->parser))
		DIE("out of memory");
	/* Without this libyaml would take UTF-16 by its byte order mark. */
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	if (length >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
		text += strlen(mark);
		length -= strlen(mark);
	}
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)text, length);
	read_events(b, text);
	yaml_parser_delete(&b->parser);
}

struct yaml_node *yaml_tree_parse(
	struct arena *arena, const char *text, size_t length, const struct yaml_tree_sink *sink)
{
	static const struct tree_limits limits = {
		YAML_TREE_TEXT_MAX, YAML_TREE_NODES_MAX, YAML_TREE_DEPTH_MAX, false};
	struct tree_builder b = {.limits = &limits, .arena = arena, .sink = sink};

	read_text(&b, text, length);
	if (b.stopped)
		return NULL;
	if (!b.root)
		tell(&b, NULL, 0, 0, "the document is empty");
	return b.root;
}

bool yaml_tree_parse_stream(struct arena *arena, const char *text, size_t length,
	const struct yaml_tree_sink *sink, struct yaml_documents *ret)
{
	static const struct tree_limits limits = {
		YAML_STREAM_TEXT_MAX, YAML_STREAM_NODES_MAX, YAML_STREAM_DEPTH_MAX, true};
	struct tree_builder b = {.limits = &limits, .arena = arena, .sink = sink};

	read_text(&b, text, length);
	*ret = b.documents;
	return !b.stopped;
}

const struct yaml_node *yaml_tree_get(const struct yaml_node *node, const char *key)
{
	if (node->kind != YAML_TREE_MAPPING)
		return NULL;
	for (const struct yaml_node *value = node->first; value; value = value->next) {
		if (value->key->length == strlen(key) && strcmp(value->key->text, key) == 0)
			return value;
	}
	return NULL;
}

void yaml_tree_path(const struct yaml_node *node, char *ret, size_t size)
{
	const struct yaml_node *chain[YAML_STREAM_DEPTH_MAX + 2];
	size_t n = 0, used = 0;

	ret[0] = '\0';
	for (; node && node->up && n < sizeof(chain) / sizeof(chain[0]); node = node->up)
		chain[n++] = node;
	while (n-- > 0 && used < size) {
		int r;

		if (chain[n]->key)
			r = snprintf(ret + used, size - used, "%s%s", used ? "." : "",
				chain[n]->key->text);
		else
			r = snprintf(ret + used, size - used, "[%zu]", chain[n]->index);
		if (r < 0)
			return;
		used += (size_t)r;
	}
	for (char *c = ret; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
}
