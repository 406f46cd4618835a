// SPDX-License-Identifier: Apache-2.0
/*
 * The decoders of API objects: what is kept, what absent and wrong members become, and
 * how big the result is.
 */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/kube/decode.h"

static json_t *load(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_DECODE_ANY, &error);

	if (!json)
		fail_msg("test's JSON: %s in %s", error.text, text);
	return json;
}

static struct service *service_of(const char *text)
{
	json_t *json = load(text);
	struct service *service = NULL;
	struct err e = {0};

	if (kube_decode_service(json, &service, &e) < 0)
		fail_msg("%s", e.text);
	json_decref(json); /* the result must not point into it */
	return service;
}

#define META "\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"}"

static const char plain_service[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\","
	"\"namespace\":\"default\",\"uid\":\"0b9c7a3e-6f0e-4ed2-9a3c-5d1f6f3f6b11\","
	"\"resourceVersion\":\"123456\",\"creationTimestamp\":\"2026-01-02T03:04:05Z\","
	"\"labels\":{\"app\":\"web\"}},\"spec\":{\"type\":\"LoadBalancer\",\"selector\":"
	"{\"app\":\"web\"},\"clusterIP\":\"10.96.0.17\",\"clusterIPs\":[\"10.96.0.17\"],"
	"\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\",\"ports\":[{\"name\":"
	"\"http\",\"port\":80,\"protocol\":\"TCP\",\"nodePort\":30080,\"targetPort\":8080}]}}";

static void test_plain_service_is_kept_in_little_memory(void **state)
{
	struct service *s = service_of(plain_service);
	size_t size = malloc_usable_size(s);

	(void)state;
	assert_string_equal(s->meta.name, "web");
	assert_string_equal(s->meta.namespace, "default");
	assert_string_equal(s->meta.uid, "0b9c7a3e-6f0e-4ed2-9a3c-5d1f6f3f6b11");
	assert_string_equal(s->meta.resource_version, "123456");
	assert_int_equal(s->meta.created_unix, 1767323045);
	assert_false(s->meta.deleting);
	assert_int_equal(s->type, SERVICE_LOAD_BALANCER);
	assert_null(s->load_balancer_class);
	assert_string_equal(s->load_balancer_ip, "");
	assert_int_equal(s->families[0], IP_V4);
	assert_int_equal(s->families[1], IP_NONE);
	assert_int_equal(s->port_count, 1);
	assert_int_equal(s->ports[0].port, 80);
	assert_int_equal(s->ports[0].node_port, 30080);
	assert_int_equal(s->cluster_ip_count, 1);
	assert_string_equal(ip_text(&s->cluster_ips[0]).s, "10.96.0.17");
	assert_int_equal(s->selector.count, 1);
	assert_string_equal(s->labels.pairs[0].value, "web");
	print_message("a plain Service takes %zu bytes\n", size);
	assert_true(size < 350);
	free(s);
}

static void test_k23_only_canonical_addresses_are_called_so(void **state)
{
	struct service *s = service_of(
		"{" META ",\"status\":{\"loadBalancer\":{\"ingress\":["
		"{\"ip\":\"192.0.2.1\",\"ipMode\":\"VIP\"},"
		"{\"ip\":\"2001:DB8::1\",\"ipMode\":\"Proxy\"},"
		"{\"ip\":\"192.0.2.01\"},{\"hostname\":\"h\",\"ports\":[{\"port\":1}]},7]}}}");

	(void)state;
	assert_int_equal(s->ingress_count, 5);
	assert_true(s->ingress[0].canonical && s->ingress[0].ip_mode_vip &&
		    s->ingress[0].ip_mode_set && !s->ingress[0].has_ports);
	assert_int_equal(s->ingress[1].ip.family, IP_V6);
	assert_false(s->ingress[1].canonical || s->ingress[1].ip_mode_vip);
	assert_true(s->ingress[1].ip_mode_set);
	assert_int_equal(s->ingress[2].ip.family, IP_NONE);
	assert_false(s->ingress[2].canonical || s->ingress[2].ip_mode_set);
	assert_true(s->ingress[3].has_ports);
	assert_int_equal(s->ingress[4].ip.family, IP_NONE);
	free(s);
}

static void test_k27_families_come_from_cluster_ips(void **state)
{
	static const struct {
		const char *what, *spec;
		uint8_t first, second;
	} cases[] = {
		{"as listed", "\"ipFamilies\":[\"IPv6\",\"IPv4\"]", IP_V6, IP_V4},
		{"twice the same", "\"ipFamilies\":[\"IPv4\",\"IPv4\"]", IP_V4, IP_NONE},
		{"from clusterIPs", "\"clusterIPs\":[\"fd00::1\",\"10.0.0.1\"]", IP_V6, IP_V4},
		{"from clusterIP", "\"clusterIP\":\"10.0.0.1\"", IP_V4, IP_NONE},
		{"empty list", "\"ipFamilies\":[],\"clusterIP\":\"fd00::1\"", IP_V6, IP_NONE},
		{"headless", "\"clusterIP\":\"None\",\"clusterIPs\":[\"None\"]", IP_NONE, IP_NONE},
		{"unknown (K60)", "\"ipFamilies\":[\"IPv9\"]", IP_NONE, IP_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		struct service *s;

		snprintf(text, sizeof(text), "{" META ",\"spec\":{%s}}", cases[i].spec);
		s = service_of(text);
		if (s->families[0] != cases[i].first || s->families[1] != cases[i].second)
			fail_msg("%s: %d, %d", cases[i].what, s->families[0], s->families[1]);
		free(s);
	}
}

static void test_k60_unknown_values_and_wrong_types_are_harmless(void **state)
{
	struct service *s = service_of(
		"{\"metadata\":{\"name\":\"web\",\"namespace\":7,\"labels\":[],\"uid\":{},"
		"\"annotations\":{\"herald.io/a\":1,\"b\":\"c\"},\"finalizers\":\"x\"},"
		"\"spec\":{\"type\":\"Teleport\",\"ipFamilyPolicy\":\"Triple\","
		"\"externalTrafficPolicy\":3,\"loadBalancerClass\":{},\"loadBalancerIP\":[],"
		"\"externalIPs\":[\"x\",1,\"192.0.2.9\"],\"ports\":[null,{\"port\":\"80\"},"
		"{\"port\":70000},{\"port\":53,\"protocol\":\"QUIC\",\"nodePort\":-1}]},"
		"\"status\":[]}");

	(void)state;
	assert_string_equal(s->meta.namespace, "");
	assert_string_equal(s->meta.uid, "");
	assert_int_equal(s->type, SERVICE_CLUSTER_IP);
	assert_int_equal(s->family_policy, FAMILY_SINGLE);
	assert_false(s->traffic_local || s->has_finalizer);
	assert_null(s->load_balancer_class);
	assert_string_equal(s->load_balancer_ip, "");
	assert_int_equal(s->external_ip_count, 1);
	assert_int_equal(s->port_count, 1);
	assert_int_equal(s->ports[0].port, 53);
	assert_int_equal(s->ports[0].node_port, 0);
	assert_int_equal(s->ports[0].protocol, PROTOCOL_OTHER);
	assert_int_equal(s->labels.count + s->annotations.count, 0);
	free(s);
}

static void test_service_keeps_what_is_ours(void **state)
{
	struct service *s = service_of(
		"{\"metadata\":{\"name\":\"web\",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\","
		"\"finalizers\":[\"x\",\"" SERVICE_FINALIZER "\"],\"annotations\":{"
		"\"metallb.io/x\":\"2\",\"herald.io/pool\":\"blue\",\"other/x\":\"3\","
		"\"metallb.universe.tf/y\":\"\"}},\"spec\":{\"loadBalancerClass\":\"\","
		"\"externalTrafficPolicy\":\"Local\"},\"status\":{\"conditions\":["
		"{\"type\":\"Other\",\"status\":\"True\"},{\"type\":\"herald.io/Assigned\","
		"\"status\":\"False\",\"reason\":\"NoPool\",\"message\":\"make one\"}]}}");

	(void)state;
	assert_true(s->meta.deleting && s->has_finalizer && s->traffic_local);
	assert_string_equal(s->load_balancer_class, "");
	assert_int_equal(s->annotations.count, 3);
	assert_string_equal(s->annotations.pairs[0].key, "herald.io/pool");
	assert_string_equal(s->annotations.pairs[1].key, "metallb.io/x");
	assert_string_equal(s->annotations.pairs[2].value, "");
	assert_int_equal(s->condition_count, 1);
	assert_string_equal(s->conditions[0].type, "herald.io/Assigned");
	assert_string_equal(s->conditions[0].status, "False");
	assert_string_equal(s->conditions[0].message, "make one");
	free(s);
}

static void test_counts_are_bounded(void **state)
{
	json_t *object = load("{" META "}"), *ports = json_array(), *ingress = json_array();
	struct service *s = NULL;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		json_array_append_new(ports, json_pack("{s:i}", "port", 1 + i));
		json_array_append_new(ingress, json_pack("{s:s}", "ip", "192.0.2.1"));
	}
	json_object_set_new(object, "spec", json_pack("{s:o}", "ports", ports));
	json_object_set_new(
		object, "status", json_pack("{s:{s:o}}", "loadBalancer", "ingress", ingress));
	assert_int_equal(kube_decode_service(object, &s, NULL), 0);
	assert_int_equal(s->port_count, 1000);
	assert_int_equal(s->ingress_count, 64);
	json_decref(object);
	free(s);
}

/* K18, K35: nothing that a user adds hides what is ours, or what must not be given out. */
static void test_much_of_a_kind_hides_nothing(void **state)
{
	json_t *object = load("{" META "}"), *meta = json_object_get(object, "metadata");
	json_t *annotations = json_object(), *finalizers = json_array(), *ips = json_array();
	struct service *s = NULL;
	struct ip last;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[64];

		snprintf(text, sizeof(text), "herald.io/a%d", i);
		json_object_set_new(annotations, text, json_string(""));
		json_array_append_new(finalizers, json_string("example.com/x"));
		snprintf(text, sizeof(text), "10.0.%d.%d", i / 256, i % 256);
		json_array_append_new(ips, json_string(text));
	}
	json_object_set_new(annotations, "herald.io/assigned", json_string("192.0.2.1"));
	json_array_append_new(finalizers, json_string(SERVICE_FINALIZER));
	json_object_set_new(meta, "annotations", annotations);
	json_object_set_new(meta, "finalizers", finalizers);
	json_object_set_new(object, "spec", json_pack("{s:o}", "externalIPs", ips));
	assert_int_equal(kube_decode_service(object, &s, NULL), 0);
	assert_string_equal(
		s->annotations.pairs[s->annotations.count - 1].key, "herald.io/assigned");
	assert_true(s->has_finalizer);
	assert_int_equal(s->external_ip_count, 20000);
	assert_true(ip_parse("10.0.78.31", &last));
	assert_true(ip_equal(&s->external_ips[19999], &last));
	json_decref(object);
	free(s);
}

static void test_objects_without_a_usable_name_are_errors(void **state)
{
	static const struct {
		const char *json, *says;
	} cases[] = {
		{"{\"metadata\":{\"namespace\":\"shop\"}}", "no metadata.name"},
		{"{\"metadata\":{\"name\":\"a/b\"}}", "is no object name"},
		{"{\"metadata\":{\"name\":\"..\"}}", "is no object name"},
		{"{\"metadata\":{\"name\":\"a\\nb\"}}", "is no object name"},
		{"{\"metadata\":{\"name\":\"a\",\"namespace\":\"x/y\"}}", "is no namespace"},
		{"[]", "expected a Service, got an array"},
		{"null", "expected a Service, got null"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct service *s = NULL;
		struct err e = {0};
		json_t *json = load(cases[i].json);

		assert_int_equal(kube_decode_service(json, &s, &e), -EINVAL);
		assert_null(s);
		if (!strstr(e.text, cases[i].says))
			fail_msg("%s: %s", cases[i].json, e.text);
		json_decref(json);
	}
	assert_int_equal(kube_decode_service(NULL, &(struct service *){NULL}, NULL), -EINVAL);
}

static struct node *node_of(const char *rest)
{
	char text[1024];
	struct node *node = NULL;
	json_t *json;

	snprintf(text, sizeof(text),
		"{\"metadata\":{\"name\":\"n1\",\"labels\":{\"b\":\"2\","
		"\"a\":\"1\"}},%s}",
		rest);
	json = load(text);
	assert_int_equal(kube_decode_node(json, &node, NULL), 0);
	json_decref(json);
	return node;
}

static void test_node(void **state)
{
	struct node *n = node_of(
		"\"spec\":{\"unschedulable\":true,\"taints\":[{\"key\":"
		"\"ToBeDeletedByClusterAutoscaler\"},{\"key\":\"node.kubernetes.io/"
		"out-of-service\"}"
		"]},\"status\":{\"addresses\":[{\"type\":\"Hostname\",\"address\":\"n1\"},"
		"{\"type\":\"InternalIP\",\"address\":\"192.0.2.7\"},{\"type\":\"ExternalIP\","
		"\"address\":\"2001:db8::7\"}],\"conditions\":[{\"type\":\"NetworkUnavailable\","
		"\"status\":\"True\"},{\"type\":\"Ready\",\"status\":\"True\"}]}");

	(void)state;
	assert_true(n->ready && n->network_unavailable && n->unschedulable && n->to_be_deleted &&
		    n->out_of_service && !n->shutting_down);
	assert_int_equal(n->address_count, 2);
	assert_string_equal(ip_text(&n->addresses[1]).s, "2001:db8::7");
	assert_string_equal(n->labels.pairs[0].key, "a");
	free(n);
}

static void test_c12_a_node_that_shuts_down_is_recognized(void **state)
{
	static const struct {
		const char *condition;
		bool shutting_down;
	} cases[] = {
		{"\"status\":\"False\",\"reason\":\"KubeletNotReady\",\"message\":\"node is "
		 "shutting "
		 "down\"",
			true},
		{"\"status\":\"False\",\"message\":\"[x, node is shutting down]\"", true},
		{"\"status\":\"False\",\"message\":\"container runtime is down\"", false},
		{"\"status\":\"True\",\"message\":\"node is shutting down\"", false},
		{"\"status\":\"Unknown\",\"message\":\"node is shutting down\"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		struct node *n;

		snprintf(text, sizeof(text),
			"\"status\":{\"conditions\":[{\"type\":\"Ready\",%s}]}",
			cases[i].condition);
		n = node_of(text);
		assert_int_equal(n->shutting_down, cases[i].shutting_down);
		free(n);
	}
}

static void test_k43_absent_endpoint_conditions(void **state)
{
	json_t *json =
		load("{\"metadata\":{\"name\":\"s1\",\"labels\":{\"kubernetes.io/"
		     "service-name\":\"web\"}},"
		     "\"addressType\":\"IPv4\",\"endpoints\":[{\"nodeName\":\"n1\"},"
		     "{\"nodeName\":\"n1\",\"conditions\":{\"ready\":false,\"serving\":false,"
		     "\"terminating\":true}},{\"conditions\":{\"ready\":null}},7]}");
	struct endpoint_slice *s = NULL;

	(void)state;
	assert_int_equal(kube_decode_endpoint_slice(json, &s, NULL), 0);
	json_decref(json);
	assert_string_equal(s->service, "web");
	assert_int_equal(s->family, IP_V4);
	assert_int_equal(s->endpoint_count, 4);
	assert_true(
		s->endpoints[0].ready && s->endpoints[0].serving && !s->endpoints[0].terminating);
	assert_true(
		!s->endpoints[1].ready && !s->endpoints[1].serving && s->endpoints[1].terminating);
	assert_ptr_equal(s->endpoints[0].node, s->endpoints[1].node);
	assert_string_equal(s->endpoints[2].node, "");
	assert_true(s->endpoints[2].ready && s->endpoints[3].ready);
	free(s);
}

static void test_overlong_node_names_are_cut_alike_for_neighbours(void **state)
{
	json_t *json = load("{" META ",\"endpoints\":[]}"),
	       *list = json_object_get(json, "endpoints");
	struct endpoint_slice *s = NULL;
	char name[400];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 3; i++)
		json_array_append_new(list, json_pack("{s:s}", "nodeName", name));
	assert_int_equal(kube_decode_endpoint_slice(json, &s, NULL), 0);
	json_decref(json);
	assert_int_equal(strlen(s->endpoints[2].node), 253);
	free(s);
}

static void test_lease_namespace_and_config_map(void **state)
{
	json_t *json = load(
		"{\"metadata\":{\"name\":\"l\",\"annotations\":{\"herald.io/"
		"x\":\"1\",\"y\":\"2\"}},"
		"\"spec\":{\"holderIdentity\":\"n1\",\"renewTime\":\"2026-01-02T03:04:05.000006Z\","
		"\"leaseDurationSeconds\":3,\"leaseTransitions\":-4}}");
	struct lease *lease = NULL;
	struct config_map *map = NULL;
	struct namespace *namespace = NULL;

	(void)state;
	assert_int_equal(kube_decode_lease(json, &lease, NULL), 0);
	json_decref(json);
	assert_string_equal(lease->holder, "n1");
	assert_string_equal(lease->renew_time, "2026-01-02T03:04:05.000006Z");
	assert_int_equal(lease->duration_s, 3);
	assert_int_equal(lease->transitions, 0);
	assert_int_equal(lease->annotations.count, 1);
	free(lease);

	json = load("{" META ",\"data\":{\"k\":\"v\\n\",\"empty\":\"\",\"n\":1}}");
	assert_int_equal(kube_decode_config_map(json, "k", &map, NULL), 0);
	assert_int_equal(map->length, 2);
	assert_string_equal(map->text, "v\n");
	free(map);
	assert_int_equal(kube_decode_config_map(json, "empty", &map, NULL), 0);
	assert_string_equal(map->text, "");
	free(map);
	assert_int_equal(kube_decode_config_map(json, "n", &map, NULL), 0);
	assert_null(map->text);
	free(map);
	json_decref(json);

	json = load("{\"metadata\":{\"name\":\"shop\",\"labels\":{\"team\":\"a\"}}}");
	assert_int_equal(kube_decode_namespace(json, &namespace, NULL), 0);
	json_decref(json);
	assert_string_equal(namespace->labels.pairs[0].value, "a");
	free(namespace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_service_is_kept_in_little_memory),
		cmocka_unit_test(test_k23_only_canonical_addresses_are_called_so),
		cmocka_unit_test(test_k27_families_come_from_cluster_ips),
		cmocka_unit_test(test_k60_unknown_values_and_wrong_types_are_harmless),
		cmocka_unit_test(test_service_keeps_what_is_ours),
		cmocka_unit_test(test_counts_are_bounded),
		cmocka_unit_test(test_much_of_a_kind_hides_nothing),
		cmocka_unit_test(test_objects_without_a_usable_name_are_errors),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_c12_a_node_that_shuts_down_is_recognized),
		cmocka_unit_test(test_k43_absent_endpoint_conditions),
		cmocka_unit_test(test_overlong_node_names_are_cut_alike_for_neighbours),
		cmocka_unit_test(test_lease_namespace_and_config_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
