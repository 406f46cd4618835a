// SPDX-License-Identifier: Apache-2.0
/*
 * Lists of interfaces as text and as values, and the match of patterns against them. In
 * and out: values. Asks no kernel: io/netlink.c does.
 */
#include "herald/core/interfaces.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "herald/base/err.h"

/* Shell patterns of names as the usual network plugins and runtimes give them. */
static const char *const internal_names[] = {
	"lo",
	"veth*",
	"cali*",
	"cni*",
	"docker*",
	"br-*",
	"flannel*",
	"lxc*",
	"cilium_*",
	"kube-*",
	"nodelocaldns*",
	"dummy*",
	"virbr*",
	"vnet*",
	"tunl*",
	"vxlan*",
	"geneve*",
	"gre*",
	"erspan*",
	"sit*",
	"ip6tnl*",
	"ip_vti*",
	"ip6_vti*",
	"wg*",
	"tailscale*",
	"weave*",
	"antrea-*",
	"ovs-*",
	"genev_sys_*",
};

bool interface_name_is_internal(const char *name)
{
	for (size_t i = 0; i < sizeof(internal_names) / sizeof(*internal_names); i++) {
		if (fnmatch(internal_names[i], name, 0) == 0)
			return true;
	}
	return false;
}

bool interface_is_allowed(
	const struct interface *interface, const char *const *patterns, size_t pattern_count)
{
	if (pattern_count == 0)
		return !interface->only_by_name;
	for (size_t i = 0; i < pattern_count; i++) {
		if (fnmatch(patterns[i], interface->name, 0) == 0)
			return true;
	}
	return false;
}

int interface_network_length(const struct interface *interface, const struct ip *address)
{
	int length = -1;

	for (size_t i = 0; i < interface->network_count; i++) {
		struct ip_range range = ip_prefix_range(&interface->networks[i]);

		if (interface->networks[i].length > length && ip_range_contains(&range, address))
			length = interface->networks[i].length;
	}
	return length;
}

bool interface_has_network_of(const struct interface *interface, const struct ip *address)
{
	return interface_network_length(interface, address) >= 0;
}

bool interface_shares_network(const struct interface *a, const struct interface *b)
{
	for (size_t i = 0; i < a->network_count; i++) {
		for (size_t n = 0; n < b->network_count; n++) {
			if (a->networks[i].length == b->networks[n].length &&
				ip_equal(&a->networks[i].address, &b->networks[n].address))
				return true;
		}
	}
	return false;
}

/* The length up to a separator or the end. */
static size_t word_length(const char *text, const char *separators)
{
	return strcspn(text, separators);
}

static void parse_networks(const char *text, size_t length, struct interface *ret)
{
	const char *end = text + length;

	while (text < end && ret->network_count < INTERFACE_NETWORKS_MAX) {
		char word[IP_TEXT_MAX + 4];
		size_t size = word_length(text, ", ");

		if (size < sizeof(word)) {
			memcpy(word, text, size);
			word[size] = '\0';
			if (!mac_parse(word, ret->mac) &&
				ip_prefix_parse(word, &ret->networks[ret->network_count]))
				ret->network_count++;
		}
		text += size;
		if (text < end)
			text++;
	}
}

static bool parse_interface(const char *word, size_t length, struct interface *ret)
{
	size_t name;

	*ret = (struct interface){.only_by_name = *word == '~'};
	if (ret->only_by_name) {
		word++;
		length--;
	}
	name = word_length(word, "= ");
	if (name == 0 || name >= sizeof(ret->name))
		return false;
	memcpy(ret->name, word, name);
	if (name < length)
		parse_networks(word + name + 1, length - name - 1, ret);
	return true;
}

void interface_list_parse(const char *text, struct interface_list *ret)
{
	struct interface_list list = {0};

	while (*text && list.count < INTERFACES_MAX) {
		size_t length = word_length(text, " ");
		struct interface item;

		if (length > 0 && parse_interface(text, length, &item)) {
			list.items = xrealloc(list.items, list.count + 1, sizeof(item));
			list.items[list.count++] = item;
		}
		text += length;
		text += *text == ' ';
	}
	*ret = list;
}

void interface_list_done(struct interface_list *list)
{
	free(list->items);
	*list = (struct interface_list){0};
}

static void print_interface(FILE *out, const struct interface *item)
{
	char separator = '=';

	fprintf(out, "%s%s", item->only_by_name ? "~" : "", item->name);
	if (mac_is_station(item->mac)) {
		fprintf(out, "=%s", mac_text(item->mac).s);
		separator = ',';
	}
	for (size_t i = 0; i < item->network_count; i++) {
		fprintf(out, "%c%s/%u", separator, ip_text(&item->networks[i].address).s,
			item->networks[i].length);
		separator = ',';
	}
}

char *interface_list_text(const struct interface_list *list)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		DIE("out of memory");
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			fputc(' ', out);
		print_interface(out, &list->items[i]);
	}
	fclose(out);
	return text;
}

bool interface_text_has_mac(const char *text, const uint8_t mac[static MAC_SIZE])
{
	char word[2 + sizeof(struct mac_text)] = "=";

	strcat(word, mac_text(mac).s);
	return strstr(text, word) != NULL;
}
