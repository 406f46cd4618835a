// SPDX-License-Identifier: Apache-2.0
/*
 * core/v1 Service to struct service. Enumeration values that this version does not know
 * get the harmless reading (K60): an unknown type is no LoadBalancer, an unknown
 * protocol is PROTOCOL_OTHER. What other programs wrote into the status is kept as far
 * as it must be recognized, never interpreted.
 */
#include <string.h>

#include "decode_field.h"
#include "herald/kube/decode.h"

enum {
	PORTS_MAX = 1000,
	INGRESS_MAX = 64,
	CONDITIONS_MAX = 16,
};

static const char *const kept_annotations[] = {
	"herald.io/", "metallb.io/", "metallb.universe.tf/", NULL};

static enum service_type type_of(const json_t *spec)
{
	if (field_is(spec, "type", "LoadBalancer"))
		return SERVICE_LOAD_BALANCER;
	if (field_is(spec, "type", "NodePort"))
		return SERVICE_NODE_PORT;
	if (field_is(spec, "type", "ExternalName"))
		return SERVICE_EXTERNAL_NAME;
	return SERVICE_CLUSTER_IP;
}

static enum family_policy family_policy_of(const json_t *spec)
{
	if (field_is(spec, "ipFamilyPolicy", "RequireDualStack"))
		return FAMILY_REQUIRE_DUAL;
	if (field_is(spec, "ipFamilyPolicy", "PreferDualStack"))
		return FAMILY_PREFER_DUAL;
	return FAMILY_SINGLE;
}

static bool has_finalizer(const json_t *object)
{
	const json_t *finalizers =
		json_object_get(json_object_get(object, "metadata"), "finalizers");
	size_t count = field_count(finalizers, FIELD_LIST_MAX);

	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(finalizers, i));

		if (text && !strcmp(text, SERVICE_FINALIZER))
			return true;
	}
	return false;
}

static bool parse_element(const json_t *array, size_t index, struct ip *ret)
{
	const char *text = json_string_value(json_array_get(array, index));

	return text && ip_parse(text, ret);
}

/* Elements that are no addresses ("None" among clusterIPs) are left out. */
static const struct ip *keep_ips(
	struct decode_block *block, const json_t *array, uint32_t *ret_count)
{
	size_t total = field_count(array, FIELD_LIST_MAX);
	struct ip *ips, ip;
	uint32_t count = 0;

	for (size_t i = 0; i < total; i++)
		if (parse_element(array, i, &ip))
			count++;
	ips = DECODE_TAKE(block, count, struct ip);
	*ret_count = count;
	for (size_t i = 0, kept = 0; ips && i < total; i++)
		if (parse_element(array, i, &ip))
			ips[kept++] = ip;
	return ips;
}

static void keep_cluster_ips(struct decode_block *block, const json_t *spec, struct service *ret)
{
	struct ip ip, *one;

	ret->cluster_ips =
		keep_ips(block, json_object_get(spec, "clusterIPs"), &ret->cluster_ip_count);
	/* Objects from before dual stack have the singular field only. */
	if (ret->cluster_ip_count || !ip_parse(field_text(spec, "clusterIP"), &ip))
		return;
	one = DECODE_TAKE(block, 1, struct ip);
	if (one)
		*one = ip;
	ret->cluster_ips = one;
	ret->cluster_ip_count = 1;
}

static void add_family(uint8_t families[static 2], enum ip_family family)
{
	if (family == IP_NONE || families[0] == family)
		return;
	families[families[0] == IP_NONE ? 0 : 1] = (uint8_t)family;
}

/* K27: objects from before dual stack have no ipFamilies; clusterIPs tell the same. */
static void read_families(const json_t *spec, uint8_t ret_families[static 2])
{
	const json_t *families = json_object_get(spec, "ipFamilies");
	const json_t *cluster_ips = json_object_get(spec, "clusterIPs");
	struct ip ip;

	for (size_t i = 0; i < field_count(families, 2); i++) {
		const char *text = json_string_value(json_array_get(families, i));

		add_family(ret_families, field_family(text ? text : ""));
	}
	if (ret_families[0])
		return;
	for (size_t i = 0; i < field_count(cluster_ips, 2); i++)
		if (parse_element(cluster_ips, i, &ip))
			add_family(ret_families, ip.family);
	if (!ret_families[0] && ip_parse(field_text(spec, "clusterIP"), &ip))
		add_family(ret_families, ip.family);
}

static enum protocol protocol_of(const json_t *port)
{
	const char *text = field_text(port, "protocol");

	if (!*text || !strcmp(text, "TCP")) /* the API's default */
		return PROTOCOL_TCP;
	if (!strcmp(text, "UDP"))
		return PROTOCOL_UDP;
	return strcmp(text, "SCTP") ? PROTOCOL_OTHER : PROTOCOL_SCTP;
}

static void keep_ports(struct decode_block *block, const json_t *spec, struct service *ret)
{
	const json_t *array = json_object_get(spec, "ports");
	size_t total = field_count(array, PORTS_MAX);
	struct service_port *ports;

	for (size_t i = 0; i < total; i++)
		if (field_number(json_array_get(array, i), "port", 65535))
			ret->port_count++;
	ports = DECODE_TAKE(block, ret->port_count, struct service_port);
	ret->ports = ports;
	for (size_t i = 0, kept = 0; ports && i < total; i++) {
		const json_t *port = json_array_get(array, i);
		uint16_t number = (uint16_t)field_number(port, "port", 65535);

		if (!number)
			continue;
		ports[kept].port = number;
		ports[kept].node_port = (uint16_t)field_number(port, "nodePort", 65535);
		ports[kept].protocol = (uint8_t)protocol_of(port);
		kept++;
	}
}

static struct service_ingress read_ingress(const json_t *entry)
{
	const char *text = field_text(entry, "ip");
	struct service_ingress ingress = {0};

	if (ip_parse(text, &ingress.ip))
		ingress.canonical = !strcmp(text, ip_text(&ingress.ip).s);
	else
		ingress.ip = (struct ip){0};
	ingress.ip_mode_set = *field_text(entry, "ipMode") != '\0';
	ingress.ip_mode_vip = field_is(entry, "ipMode", "VIP");
	ingress.has_ports = json_array_size(json_object_get(entry, "ports")) > 0;
	return ingress;
}

static void keep_ingress(struct decode_block *block, const json_t *status, struct service *ret)
{
	const json_t *array = json_object_get(json_object_get(status, "loadBalancer"), "ingress");
	struct service_ingress *ingress;

	ret->ingress_count = (uint16_t)field_count(array, INGRESS_MAX);
	ingress = DECODE_TAKE(block, ret->ingress_count, struct service_ingress);
	ret->ingress = ingress;
	for (size_t i = 0; ingress && i < ret->ingress_count; i++)
		ingress[i] = read_ingress(json_array_get(array, i));
}

static bool is_our_condition(const json_t *condition)
{
	return !strncmp(field_text(condition, "type"), "herald.io/", strlen("herald.io/"));
}

static void keep_conditions(struct decode_block *block, const json_t *status, struct service *ret)
{
	const json_t *array = json_object_get(status, "conditions");
	struct condition *conditions;
	size_t total = json_array_size(array), kept = 0;

	for (size_t i = 0; i < total && ret->condition_count < CONDITIONS_MAX; i++)
		if (is_our_condition(json_array_get(array, i)))
			ret->condition_count++;
	conditions = DECODE_TAKE(block, ret->condition_count, struct condition);
	ret->conditions = conditions;
	for (size_t i = 0; i < total && kept < ret->condition_count; i++) {
		const json_t *from = json_array_get(array, i);
		struct condition condition;

		if (!is_our_condition(from))
			continue;
		condition.type = field_keep(block, from, "type", FIELD_KEY_MAX);
		condition.status = field_keep(block, from, "status", FIELD_ID_MAX);
		condition.reason = field_keep(block, from, "reason", FIELD_TEXT_MAX);
		condition.message = field_keep(block, from, "message", FIELD_VALUE_MAX);
		if (conditions)
			conditions[kept] = condition;
		kept++;
	}
}

static void fill_service(
	struct decode_block *block, const json_t *object, const void *context, void *ret)
{
	const json_t *meta = json_object_get(object, "metadata");
	const json_t *spec = json_object_get(object, "spec");
	const json_t *status = json_object_get(object, "status");
	struct service *service = ret;

	(void)context;
	field_keep_meta(block, object, &service->meta);
	service->type = type_of(spec);
	service->has_finalizer = has_finalizer(object);
	if (json_is_string(json_object_get(spec, "loadBalancerClass")))
		service->load_balancer_class =
			field_keep(block, spec, "loadBalancerClass", FIELD_KEY_MAX);
	service->load_balancer_ip = field_keep(block, spec, "loadBalancerIP", FIELD_ID_MAX);
	read_families(spec, service->families);
	service->family_policy = family_policy_of(spec);
	service->traffic_local = field_is(spec, "externalTrafficPolicy", "Local");
	service->internal_local = field_is(spec, "internalTrafficPolicy", "Local");
	service->external_ips =
		keep_ips(block, json_object_get(spec, "externalIPs"), &service->external_ip_count);
	keep_cluster_ips(block, spec, service);
	keep_ports(block, spec, service);
	keep_ingress(block, status, service);
	keep_conditions(block, status, service);
	service->labels = field_keep_map(block, json_object_get(meta, "labels"), NULL);
	service->selector = field_keep_map(block, json_object_get(spec, "selector"), NULL);
	service->annotations =
		field_keep_map(block, json_object_get(meta, "annotations"), kept_annotations);
}

int kube_decode_service(const json_t *object, struct service **ret, struct err *e)
{
	int r = field_check_object(object, "Service", e);

	if (r < 0)
		return r;
	*ret = decode_build(sizeof(**ret), fill_service, object, NULL);
	return 0;
}
