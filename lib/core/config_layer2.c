// SPDX-License-Identifier: Apache-2.0
/*
 * The `layer2` section: which addresses are announced in layer 2, for which Services,
 * from which nodes and interfaces. The absent section and the empty list differ: the
 * first is one rule that matches everything, the second switches layer 2 off.
 */
#include "config_read.h"

static const struct config_text_rule name_rule = {
	config_is_dns_label, CONFIG_DNS_LABEL, CONFIG_NAME_LAYER2, NULL};
static const struct config_text_rule pools_rule = {config_is_dns_label, CONFIG_DNS_LABEL,
	CONFIG_NAME_POOL, "remove it to announce every pool"};
static const struct config_text_rule interfaces_rule = {config_is_interface_pattern,
	"an interface's name (at most 15 characters, without '/' and blanks) or a pattern such as "
	"\"bond*\"",
	CONFIG_NAME_NONE, "remove it to use every suitable interface"};

#define RULE(member) offsetof(struct config_layer2, member)
static const struct config_field rule_fields[] = {
	{"name", config_read_name, RULE(name), &name_rule, false},
	{"pools", config_read_texts, RULE(pools), &pools_rule, false},
	{"interfaces", config_read_texts, RULE(interfaces), &interfaces_rule, false},
	{"nodeSelectors", config_read_selectors, RULE(node_selectors), NULL, false},
	{"serviceSelectors", config_read_selectors, RULE(service_selectors), NULL, false},
};
static const struct config_fields rule_table = CONFIG_FIELDS(rule_fields);

void config_read_layer2(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config *config = ret;

	(void)rule;
	if (!config_is_list(r, node, NULL))
		return;
	config->layer2 = arena_alloc(r->memory, node->count, sizeof(*config->layer2));
	config->layer2_count = 0;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct config_layer2 *layer2 = &config->layer2[config->layer2_count++];

		layer2->name = "";
		layer2->line = item->line;
		config_read_mapping(r, item, &rule_table, layer2);
	}
}
