// SPDX-License-Identifier: Apache-2.0
/*
 * Address ranges as people write them: "192.0.2.0/24", "192.0.2.10-192.0.2.20" (blanks
 * around the dash allowed), "192.0.2.7". Each refusal says which rule is broken and what
 * to write instead (A01). Whether ranges meet other ranges is the pools' business.
 */
#include "config_read.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/ip.h"

#define RANGE_TEXT_MAX 128

/* What no Service can be reached at from outside. */
static const struct {
	const char *prefix, *what;
} unusable[] = {
	{"0.0.0.0/8", "unspecified addresses (0.0.0.0/8)"},
	{"127.0.0.0/8", "loopback addresses (127.0.0.0/8)"},
	{"169.254.0.0/16", "link-local addresses (169.254.0.0/16)"},
	{"224.0.0.0/4", "multicast addresses (224.0.0.0/4)"},
	{"255.255.255.255/32", "the broadcast address (255.255.255.255)"},
	{"::/128", "the unspecified address (::)"},
	{"::1/128", "the loopback address (::1)"},
	{"fe80::/10", "link-local addresses (fe80::/10)"},
	{"ff00::/8", "multicast addresses (ff00::/8)"},
};

static const struct ip_range mapped_range = {
	.first = {IP_V6, {[10] = 0xff, [11] = 0xff}},
	.last = {IP_V6,
		{[10] = 0xff, [11] = 0xff, [12] = 0xff, [13] = 0xff, [14] = 0xff, [15] = 0xff}},
};

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		text[--length] = '\0';
	return text;
}

static bool has_leading_zero(const char *text)
{
	return !strchr(text, ':') && text[strspn(text, "0123456789.")] == '\0' &&
	       (strstr(text, ".0") || text[0] == '0') && strlen(text) > 7;
}

static bool read_address(
	struct config_reader *r, const struct yaml_node *node, const char *text, struct ip *ret)
{
	unsigned char bytes[16];

	if (ip_parse(text, ret))
		return true;
	if (strchr(text, '%'))
		config_problem(r, node,
			"is %s: an address of a pool has no zone, remove '%%' and what follows",
			config_show(node).s);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		config_problem(r, node, "is %s: \"%s\" is an IPv4-mapped address, write it as IPv4",
			config_show(node).s, text);
	else if (has_leading_zero(text))
		config_problem(r, node,
			"is %s: \"%s\" is no address; numbers are written without leading zeros, "
			"up to 255",
			config_show(node).s, text);
	else
		config_problem(r, node,
			"is %s: \"%s\" is no IPv4 or IPv6 address; write \"192.0.2.0/24\", "
			"\"192.0.2.10-192.0.2.20\" or one address",
			config_show(node).s, text);
	return false;
}

static bool read_prefix_length(struct config_reader *r, const struct yaml_node *node,
	const char *text, const struct ip *ip, uint8_t *ret)
{
	unsigned top = ip->family == IP_V4 ? 32 : 128;
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	value = digits > 0 && digits <= 3 && text[digits] == '\0' ? strtoul(text, NULL, 10) : 999;
	if (value > top || (digits > 1 && text[0] == '0')) {
		config_problem(r, node,
			"is %s: \"%s\" is no prefix length for %s, write one from 0 to %u",
			config_show(node).s, text, top == 32 ? "IPv4" : "IPv6", top);
		return false;
	}
	*ret = (uint8_t)value;
	return true;
}

static bool read_cidr(struct config_reader *r, const struct yaml_node *node, char *text,
	char *slash, struct ip_range *ret)
{
	struct ip_prefix prefix;
	struct ip ip;
	uint8_t length;

	*slash = '\0';
	if (!read_address(r, node, trim(text), &ip) ||
		!read_prefix_length(r, node, trim(slash + 1), &ip, &length))
		return false;
	prefix = ip_prefix_of(&ip, length);
	if (!ip_equal(&prefix.address, &ip)) {
		config_problem(r, node,
			"is %s, which has host bits set: write \"%s/%u\" for the whole network or "
			"\"%s\" for the one address",
			config_show(node).s, ip_text(&prefix.address).s, length, ip_text(&ip).s);
		return false;
	}
	*ret = ip_prefix_range(&prefix);
	return true;
}

static bool read_dash(struct config_reader *r, const struct yaml_node *node, char *text, char *dash,
	struct ip_range *ret)
{
	struct ip_range range;

	*dash = '\0';
	if (!read_address(r, node, trim(text), &range.first) ||
		!read_address(r, node, trim(dash + 1), &range.last))
		return false;
	if (range.first.family != range.last.family) {
		config_problem(r, node,
			"is %s, from one family to the other: write a range for each",
			config_show(node).s);
		return false;
	}
	if (ip_compare(&range.first, &range.last) > 0) {
		config_problem(r, node, "is %s, which runs backwards: write \"%s-%s\"",
			config_show(node).s, ip_text(&range.last).s, ip_text(&range.first).s);
		return false;
	}
	*ret = range;
	return true;
}

static bool is_usable(
	struct config_reader *r, const struct yaml_node *node, const struct ip_range *range)
{
	for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
		struct ip_prefix prefix;
		struct ip_range block;

		if (!ip_prefix_parse(unusable[i].prefix, &prefix))
			continue;
		block = ip_prefix_range(&prefix);
		if (!ip_range_overlaps(&block, range))
			continue;
		config_problem(r, node, "is %s, which holds %s: leave them out",
			config_show(node).s, unusable[i].what);
		return false;
	}
	if (ip_range_overlaps(&mapped_range, range)) {
		config_problem(r, node,
			"is %s, which holds IPv4-mapped addresses (::ffff:0:0/96): write them as "
			"IPv4",
			config_show(node).s);
		return false;
	}
	return true;
}

static bool read_range(struct config_reader *r, const struct yaml_node *node, struct ip_range *ret)
{
	const char *text = config_text(r, node);
	char copy[RANGE_TEXT_MAX];
	char *slash, *dash;
	bool ok;

	if (!text)
		return false;
	if (node->length >= sizeof(copy)) {
		config_problem(r, node, "is %s, too long for a range: write \"192.0.2.0/24\"",
			config_show(node).s);
		return false;
	}
	memcpy(copy, text, node->length + 1);
	slash = strchr(copy, '/');
	dash = strchr(copy, '-');
	if (slash && dash) {
		config_problem(r, node,
			"is %s: write a prefix with '/' or a range with '-', not both",
			config_show(node).s);
		return false;
	}
	if (slash) {
		ok = read_cidr(r, node, copy, slash, ret);
	} else if (dash) {
		ok = read_dash(r, node, copy, dash, ret);
	} else {
		ok = read_address(r, node, trim(copy), &ret->first);
		ret->last = ret->first;
	}
	return ok && is_usable(r, node, ret);
}

void config_read_ranges(
	struct config_reader *r, const struct yaml_node *node, struct config_ranges *ret)
{
	ret->items = arena_alloc(r->memory, node->count, sizeof(*ret->items));
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		if (read_range(r, item, &ret->items[ret->count].range)) {
			ret->items[ret->count].node = item;
			ret->count++;
		}
	}
}

void config_read_range_list(struct config_reader *r, const struct yaml_node *node,
	struct ip_range **ret, size_t *ret_count)
{
	struct config_ranges ranges = {0};

	if (!config_is_list(r, node, NULL))
		return;
	config_read_ranges(r, node, &ranges);
	*ret = arena_alloc(r->memory, ranges.count, sizeof(**ret));
	for (*ret_count = 0; *ret_count < ranges.count; (*ret_count)++)
		(*ret)[*ret_count] = ranges.items[*ret_count].range;
}
