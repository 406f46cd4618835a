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

static const struct config_number_rule weight_rule = {1, 100, NULL};

#define PREFERENCE(member) offsetof(struct config_preference, member)
static const struct config_field preference_fields[] = {
	{"weight", config_read_u32, PREFERENCE(weight), &weight_rule, true},
	{"preference", config_read_selector, PREFERENCE(selector), NULL, true},
};
static const struct config_fields preference_table = CONFIG_FIELDS(preference_fields);

static void read_preferences(
	struct config_reader *r, const struct yaml_node *node, void *ret, const void *rule)
{
	struct config_layer2 *layer2 = ret;

	(void)rule;
	if (!config_is_list(r, node, NULL))
		return;
	layer2->preferences = arena_alloc(r->memory, node->count, sizeof(*layer2->preferences));
	for (const struct yaml_node *item = node->first; item; item = item->next)
		config_read_mapping(r, item, &preference_table,
			&layer2->preferences[layer2->preference_count++]);
}

#define RULE(member) offsetof(struct config_layer2, member)
static const struct config_field rule_fields[] = {
	{"name", config_read_name, RULE(name), &name_rule, false},
	{"pools", config_read_texts, RULE(pools), &pools_rule, false},
	{"interfaces", config_read_texts, RULE(interfaces), &interfaces_rule, false},
	{"nodeSelectors", config_read_selectors, RULE(node_selectors), NULL, false},
	{"nodePreferences", read_preferences, 0, NULL, false},
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
