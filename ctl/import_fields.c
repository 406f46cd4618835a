// SPDX-License-Identifier: Apache-2.0
/*
 * The fields of MetalLB's resources, in tables: their names in the resources and in the
 * old ConfigMap, the name in Herald's document, and how the value is carried over. What
 * is in no table, or has no counterpart, is listed with what to do instead. Values are
 * not judged here but by Herald's own parser, at the end.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"
#include "herald/base/ip.h"
#include "import.h"

/* NULL: nothing is to stand in the document (told, where that matters). */
typedef json_t *convert_fn(
	struct import_source *source, const struct yaml_node *node, struct import_item *item);

struct field {
	const char *name;    /* in a resource */
	const char *old;     /* in the old ConfigMap; NULL: not there */
	const char *herald;  /* NULL: `convert` says where it goes */
	convert_fn *convert; /* NULL: no counterpart */
	const char *instead; /* what to do then */
};

struct fields {
	const struct field *items;
	size_t count;
};
#define FIELDS(table)                                                                              \
	{                                                                                          \
		(table), sizeof(table) / sizeof((table)[0])                                        \
	}

static bool is_null(const struct yaml_node *node)
{
	return node->kind == YAML_TREE_SCALAR && node->style == YAML_TREE_PLAIN &&
	       (node->length == 0 || strcmp(node->text, "null") == 0 ||
		       strcmp(node->text, "~") == 0);
}

static void read_fields(struct import_source *source, const struct fields *fields,
	const struct yaml_node *node, struct import_item *item)
{
	if (node->kind != YAML_TREE_MAPPING) {
		import_left_out(source, node, "is no mapping of fields");
		return;
	}
	for (const struct yaml_node *child = node->first; child; child = child->next) {
		const struct field *field = NULL;
		json_t *value;

		for (size_t i = 0; i < fields->count && !field; i++) {
			const char *name =
				source->old ? fields->items[i].old : fields->items[i].name;

			if (name && strcmp(name, child->key->text) == 0)
				field = &fields->items[i];
		}
		if (is_null(child))
			continue;
		if (!field || !field->convert) {
			import_left_out(source, child, "%s",
				field ? field->instead
				      : "this field is not known here: see whether Herald has it "
					"under another name");
			continue;
		}
		value = field->convert(source, child, item);
		if (value && field->herald)
			json_object_set_new(item->value, field->herald, value);
	}
}

static json_t *convert_text(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	(void)item;
	if (node->kind == YAML_TREE_SCALAR)
		return node->length ? json_string(node->text) : NULL;
	import_left_out(source, node, "is no text");
	return NULL;
}

static json_t *convert_bool(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	(void)item;
	if (node->kind == YAML_TREE_SCALAR &&
		(strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0))
		return json_boolean(node->text[0] == 't');
	import_left_out(source, node, "is neither true nor false");
	return NULL;
}

/* What is true only where it is said; false is Herald's default too. */
static json_t *convert_true(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_bool(source, node, item);

	return json_is_true(value) ? value : NULL;
}

/* The same where true is the default. */
static json_t *convert_false(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_bool(source, node, item);

	return json_is_false(value) ? value : NULL;
}

static json_t *convert_number(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	char *end = NULL;
	long long number;

	(void)item;
	errno = 0;
	number = node->kind == YAML_TREE_SCALAR ? strtoll(node->text, &end, 10) : 0;
	if (end && end != node->text && *end == '\0' && errno == 0)
		return json_integer(number);
	import_left_out(source, node, "is no whole number");
	return NULL;
}

/* 0 stands for "not set". */
static json_t *convert_positive(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_number(source, node, item);

	if (!value || json_integer_value(value) != 0)
		return value;
	json_decref(value);
	return NULL;
}

static json_t *convert_ms(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *number = convert_positive(source, node, item), *value = NULL;

	if (number)
		value = json_sprintf("%" JSON_INTEGER_FORMAT "ms", json_integer_value(number));
	json_decref(number);
	return value;
}

static json_t *convert_texts(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *list = json_array();

	(void)item;
	for (const struct yaml_node *child = node->first; child; child = child->next) {
		if (child->kind == YAML_TREE_SCALAR && child->length)
			json_array_append_new(list, json_string(child->text));
		else
			import_left_out(source, child, "is no text");
	}
	if (node->kind != YAML_TREE_SEQUENCE)
		import_left_out(source, node, "is no list");
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}

/* Go's durations ("1m30s", "1.5h") in milliseconds; false: none. */
static bool read_duration(const char *text, double *ret_ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 36e5}};
	double total = 0;

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return true;
	}
	do {
		size_t length = strspn(text, "0123456789."), i = 0;
		char *end;
		double number = strtod(text, &end);

		if (end != text + length)
			return false;
		text += length;
		while (i < 6 && strncmp(text, units[i].name, strlen(units[i].name)) != 0)
			i++;
		if (length == 0 || i == 6)
			return false;
		/* "m" is also how "ms" begins, which stands before it in the table. */
		total += number * units[i].ms;
		text += strlen(units[i].name);
	} while (*text);
	*ret_ms = total;
	return true;
}

static json_t *convert_seconds(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	double ms;
	uint64_t seconds;

	(void)item;
	if (node->kind != YAML_TREE_SCALAR || !read_duration(node->text, &ms) || ms > 1e12) {
		import_left_out(source, node, "is no duration such as \"90s\"");
		return NULL;
	}
	seconds = (uint64_t)(ms / 1000);
	if ((double)seconds * 1000 < ms) {
		seconds++;
		import_note(source, node,
			"rounded up to %" PRIu64 "s: only whole seconds are possible", seconds);
	}
	if (seconds == 0 && source->zero_unset)
		return NULL;
	return json_sprintf("%" PRIu64 "s", seconds);
}

static json_t *convert_keepalive(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_seconds(source, node, item);

	if (!value || strcmp(json_string_value(value), "0s") != 0)
		return value;
	json_decref(value);
	return NULL;
}

static void convert_labels(const struct yaml_node *node, json_t *to)
{
	json_t *labels = json_object();

	for (const struct yaml_node *label = node->first; label && label->key;
		label = label->next) {
		if (label->kind == YAML_TREE_SCALAR)
			json_object_set_new(labels, label->key->text, json_string(label->text));
	}
	json_object_set_new(to, "matchLabels", labels);
}

static void convert_expressions(const struct yaml_node *node, json_t *to)
{
	json_t *list = json_array();

	for (const struct yaml_node *child = node->first; child; child = child->next) {
		json_t *expression = json_object(), *values = json_array();
		const struct yaml_node *given = yaml_tree_get(child, "values");

		json_object_set_new(expression, "key", json_string(document_text(child, "key")));
		json_object_set_new(
			expression, "operator", json_string(document_text(child, "operator")));
		for (const struct yaml_node *value = given ? given->first : NULL; value;
			value = value->next)
			json_array_append_new(values, json_string(value->text));
		if (json_array_size(values) > 0)
			json_object_set_new(expression, "values", values);
		else
			json_decref(values);
		json_array_append_new(list, expression);
	}
	json_object_set_new(to, "matchExpressions", list);
}

static json_t *convert_selector(struct import_source *source, const struct yaml_node *node)
{
	json_t *selector = json_object();

	for (const struct yaml_node *part = node->first; part && part->key; part = part->next) {
		const char *key = part->key->text;

		if (is_null(part))
			continue;
		if (strcmp(key, source->old ? "match-labels" : "matchLabels") == 0)
			convert_labels(part, selector);
		else if (strcmp(key, source->old ? "match-expressions" : "matchExpressions") == 0)
			convert_expressions(part, selector);
		else
			import_left_out(source, part, "is no part of a selector");
	}
	return selector;
}

static json_t *convert_selectors(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *list = json_array();

	(void)item;
	if (node->kind != YAML_TREE_SEQUENCE)
		import_left_out(source, node, "is no list of selectors");
	for (const struct yaml_node *child = node->first; child; child = child->next)
		json_array_append_new(list, convert_selector(source, child));
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *convert_pool_selectors(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	item->pool_selectors = convert_selectors(source, node, item);
	return NULL;
}

/* MetalLB takes "10.0.0.5/24" for the network; Herald wants the network written. */
static json_t *convert_range(struct import_source *source, const struct yaml_node *node)
{
	const char *slash = strchr(node->text, '/');
	struct ip_prefix prefix;
	char address[IP_TEXT_MAX + 1] = "";
	struct ip ip;
	unsigned long length;

	if (slash && (size_t)(slash - node->text) < sizeof(address))
		memcpy(address, node->text, (size_t)(slash - node->text));
	length = slash ? strtoul(slash + 1, NULL, 10) : 0;
	if (!*address || !ip_parse(address, &ip) || length > (ip.family == IP_V4 ? 32u : 128u) ||
		slash[1] < '0' || slash[1] > '9')
		return json_string(node->text);
	prefix = ip_prefix_of(&ip, (uint8_t)length);
	if (ip_equal(&prefix.address, &ip))
		return json_string(node->text);
	import_note(source, node, "\"%s\" is written as the network it stands for, %s/%lu",
		node->text, ip_text(&prefix.address).s, length);
	return json_sprintf("%s/%lu", ip_text(&prefix.address).s, length);
}

static json_t *convert_ranges(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *list = json_array();

	(void)item;
	if (node->kind != YAML_TREE_SEQUENCE)
		import_left_out(source, node, "is no list of addresses");
	for (const struct yaml_node *child = node->first; child; child = child->next) {
		if (child->kind == YAML_TREE_SCALAR)
			json_array_append_new(list, convert_range(source, child));
		else
			import_left_out(source, child, "is no text");
	}
	return list;
}

static json_t *convert_nothing(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	(void)source;
	(void)node;
	(void)item;
	return NULL;
}

/* ---- pools ---- */

static const struct field allocation_fields[] = {
	{"priority", NULL, "priority", convert_positive, NULL},
	{"namespaces", NULL, "namespaces", convert_texts, NULL},
	{"namespaceSelectors", NULL, "namespaceSelectors", convert_selectors, NULL},
	{"serviceSelectors", NULL, "serviceSelectors", convert_selectors, NULL},
};
static const struct fields allocation_table = FIELDS(allocation_fields);

static json_t *convert_allocation(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	item->pinned = true;
	read_fields(source, &allocation_table, node, item);
	return NULL;
}

static const struct field pool_fields[] = {
	{"addresses", "addresses", "addresses", convert_ranges, NULL},
	{"autoAssign", "auto-assign", "autoAssign", convert_false, NULL},
	{"avoidBuggyIPs", "avoid-buggy-ips", "avoidBuggyIPs", convert_true, NULL},
	{"serviceAllocation", NULL, NULL, convert_allocation, NULL},
	/* Of AddressPool and the old ConfigMap; their reader looks at these. */
	{NULL, "name", NULL, convert_nothing, NULL},
	{"protocol", "protocol", NULL, convert_nothing, NULL},
	{"bgpAdvertisements", "bgp-advertisements", NULL, convert_nothing, NULL},
};

/* ---- advertisements ---- */

static const struct field layer2_fields[] = {
	{"ipAddressPools", NULL, "pools", convert_texts, NULL},
	{"ipAddressPoolSelectors", NULL, NULL, convert_pool_selectors, NULL},
	{"interfaces", NULL, "interfaces", convert_texts, NULL},
	{"nodeSelectors", NULL, "nodeSelectors", convert_selectors, NULL},
	{"serviceSelectors", NULL, "serviceSelectors", convert_selectors, NULL},
};

static const struct field advertisement_fields[] = {
	{"ipAddressPools", NULL, "pools", convert_texts, NULL},
	{"ipAddressPoolSelectors", NULL, NULL, convert_pool_selectors, NULL},
	{"peers", "peers", "peers", convert_texts, NULL},
	{"aggregationLength", "aggregation-length", "aggregationLength", convert_positive, NULL},
	{"aggregationLengthV6", "aggregation-length-v6", "aggregationLengthV6", convert_positive,
		NULL},
	{"localPref", "localpref", "localPref", convert_positive, NULL},
	{"communities", "communities", "communities", convert_texts, NULL},
	{"nodeSelectors", NULL, "nodeSelectors", convert_selectors, NULL},
	{"serviceSelectors", NULL, "serviceSelectors", convert_selectors, NULL},
};

/* ---- BGP ---- */

static json_t *convert_password(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_text(source, node, item);

	if (value)
		import_note(source, node,
			"stands in the ConfigMap for all to read who may read that: better put it "
			"into a Secret and name that in passwordSecret");
	return value;
}

static json_t *convert_secret(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	const char *name = document_text(node, "name");
	const char *namespace = document_text(node, "namespace");

	(void)item;
	if (!*name)
		return NULL;
	import_left_out(source, node,
		"the Secret itself: copy \"%s\" from %s%s%s to the namespace \"%s\"", name,
		*namespace ? "\"" : "", *namespace ? namespace : "MetalLB's namespace",
		*namespace ? "\"" : "", source->import->namespace);
	return json_pack("{s:s}", "name", name);
}

/* The session's own family only; a peer found on an interface has none of its own. */
static void own_family_only(const struct yaml_node *node, struct import_item *item)
{
	const char *address = document_text(node->up, "peerAddress");
	struct ip ip;

	if (!ip_parse(address, &ip))
		return;
	json_object_set_new(
		item->value, "families", json_pack("[s]", ip.family == IP_V4 ? "ipv4" : "ipv6"));
}

static json_t *convert_disable_mp(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_true(source, node, item);

	if (value)
		own_family_only(node, item);
	json_decref(value);
	return NULL;
}

/* Where it is said at all, the session carries both families only if it is true. */
static json_t *convert_dual_stack(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_bool(source, node, item);

	if (json_is_false(value))
		own_family_only(node, item);
	return NULL;
}

static json_t *convert_peer_interface(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_text(source, node, item);

	if (value)
		import_note(source, node,
			"BIRD can't find a router on an interface by itself: the router must "
			"connect, as FRR's \"neighbor IFACE interface\" does");
	return value;
}

static const struct field peer_fields[] = {
	{"myASN", "my-asn", "myASN", convert_positive, NULL},
	{"localASN", NULL, "localASN", convert_positive, NULL},
	{"peerASN", "peer-asn", "peerASN", convert_positive, NULL},
	{"dynamicASN", NULL, "dynamicASN", convert_text, NULL},
	{"peerAddress", "peer-address", "peerAddress", convert_text, NULL},
	{"interface", NULL, "interface", convert_peer_interface, NULL},
	{"sourceAddress", "source-address", "sourceAddress", convert_text, NULL},
	{"peerPort", "peer-port", "peerPort", convert_positive, NULL},
	{"holdTime", "hold-time", "holdTime", convert_seconds, NULL},
	{"keepaliveTime", "keepalive-time", "keepaliveTime", convert_keepalive, NULL},
	{"connectTime", NULL, "connectTime", convert_keepalive, NULL},
	{"routerID", "router-id", "routerID", convert_text, NULL},
	{"nodeSelectors", "node-selectors", "nodeSelectors", convert_selectors, NULL},
	{"password", "password", "password", convert_password, NULL},
	{"passwordSecret", NULL, "passwordSecret", convert_secret, NULL},
	{"bfdProfile", "bfd-profile", "bfdProfile", convert_text, NULL},
	{"enableGracefulRestart", NULL, "gracefulRestart", convert_true, NULL},
	{"ebgpMultiHop", "ebgp-multihop", "ebgpMultiHop", convert_true, NULL},
	{"vrf", NULL, "vrf", convert_text, NULL},
	{"disableMP", NULL, NULL, convert_disable_mp, NULL},
	{"dualStackAddressFamily", NULL, NULL, convert_dual_stack, NULL},
};

static json_t *convert_echo_mode(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_true(source, node, item);

	if (value)
		import_left_out(source, node,
			"BIRD's BFD has no echo mode: detection by receiveInterval and "
			"detectMultiplier is what there is");
	json_decref(value);
	return NULL;
}

/* 254 is what every packet over several hops has at least, unless others are far away. */
static json_t *convert_minimum_ttl(
	struct import_source *source, const struct yaml_node *node, struct import_item *item)
{
	json_t *value = convert_positive(source, node, item);

	if (value && json_integer_value(value) != 254)
		import_note(source, node, "BIRD has no such bound: it changes nothing");
	return value;
}

static const struct field bfd_fields[] = {
	{NULL, "name", NULL, convert_nothing, NULL},
	{"receiveInterval", "receive-interval", "receiveInterval", convert_ms, NULL},
	{"transmitInterval", "transmit-interval", "transmitInterval", convert_ms, NULL},
	{"detectMultiplier", "detect-multiplier", "detectMultiplier", convert_positive, NULL},
	{"passiveMode", "passive-mode", "passiveMode", convert_true, NULL},
	{"minimumTtl", "minimum-ttl", "minimumTTL", convert_minimum_ttl, NULL},
	{"echoMode", "echo-mode", NULL, convert_echo_mode, NULL},
	/* Means nothing without echoMode, of which is told. */
	{"echoInterval", "echo-interval", NULL, convert_nothing, NULL},
};

void import_fields(struct import_source *source, enum import_table table,
	const struct yaml_node *spec, struct import_item *item)
{
	static const struct fields tables[] = {
		[IMPORT_POOL_FIELDS] = FIELDS(pool_fields),
		[IMPORT_LAYER2_FIELDS] = FIELDS(layer2_fields),
		[IMPORT_ADVERTISEMENT_FIELDS] = FIELDS(advertisement_fields),
		[IMPORT_PEER_FIELDS] = FIELDS(peer_fields),
		[IMPORT_BFD_FIELDS] = FIELDS(bfd_fields),
	};

	read_fields(source, &tables[table], spec, item);
}
