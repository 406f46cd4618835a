// SPDX-License-Identifier: Apache-2.0
/* What a Service asks for, from spec and annotations (K25, A05, A07, A10). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_scene.h"
#include "herald/base/utf8.h"

#define POOLS "pools: [{name: a, addresses: [10.0.0.0/24, fd00::/64]}]\n"
#define METALLB POOLS "compatibility: {metallbAnnotations: true}\n"

struct pair {
	const char *key, *value;
};

static void requests_are_read(void **state)
{
	static const struct {
		const char *what, *config;
		struct pair pairs[3];
		const char *load_balancer_ip;
		bool dual;
		const char *v4, *v6, *pool, *key; /* v4 NULL and v6 NULL: any */
		const char *problem;		  /* part of it; NULL: none */
	} cases[] = {
		{"nothing", POOLS, {{0}}, "", false, NULL, NULL, NULL, NULL, NULL},
		{"spec.loadBalancerIP", POOLS, {{0}}, "10.0.0.7", false, "10.0.0.7", NULL, NULL,
			NULL, NULL},
		{"annotation", POOLS, {{ANNOTATION_IPS, "10.0.0.7"}}, "", false, "10.0.0.7", NULL,
			NULL, NULL, NULL},
		{"one a family", POOLS, {{ANNOTATION_IPS, "fd00::7, 10.0.0.7"}}, "", true,
			"10.0.0.7", "fd00::7", NULL, NULL, NULL},
		{"both alike", POOLS, {{ANNOTATION_IPS, "10.0.0.7"}}, "10.0.0.7", false, "10.0.0.7",
			NULL, NULL, NULL, NULL},
		{"both, different", POOLS, {{ANNOTATION_IPS, "10.0.0.7"}}, "10.0.0.8", false, NULL,
			NULL, NULL, NULL,
			"spec.loadBalancerIP: differs from the annotation herald.io/ips"},
		{"blank annotation", POOLS, {{ANNOTATION_IPS, " , "}}, "10.0.0.8", false,
			"10.0.0.8", NULL, NULL, NULL, NULL},
		{"two of a family", POOLS, {{ANNOTATION_IPS, "10.0.0.7,10.0.0.8"}}, "", false, NULL,
			NULL, NULL, NULL, "two addresses of one family"},
		{"malformed", POOLS, {{ANNOTATION_IPS, "10.0.0.7,web"}}, "", false, NULL, NULL,
			NULL, NULL, "annotation herald.io/ips: `web` is not an IP address"},
		{"malformed in spec", POOLS, {{0}}, "010.0.0.1", false, NULL, NULL, NULL, NULL,
			"spec.loadBalancerIP: `010.0.0.1` is not an IP address"},
		{"a network", POOLS, {{0}}, "10.0.0.0/24", false, NULL, NULL, NULL, NULL,
			"is not an IP address"},
		{"IPv4-mapped", POOLS, {{0}}, "::ffff:10.0.0.7", true, NULL, NULL, NULL, NULL,
			"is not an IP address"},
		{"wrong family", POOLS, {{0}}, "fd00::7", false, NULL, NULL, NULL, NULL,
			"`fd00::7` is of a family that spec.ipFamilies does not have"},
		{"pool and key", POOLS, {{ANNOTATION_POOL, "a"}, {ANNOTATION_SHARE, "k"}}, "",
			false, NULL, NULL, "a", "k", NULL},
		{"MetalLB's are not read unless asked for", POOLS,
			{{"metallb.io/loadBalancerIPs", "10.0.0.7"},
				{"metallb.io/address-pool", "a"},
				{"metallb.io/allow-shared-ip", "k"}},
			"", false, NULL, NULL, NULL, NULL, NULL},
		{"A10", METALLB,
			{{"metallb.io/loadBalancerIPs", "10.0.0.7"},
				{"metallb.io/address-pool", "a"},
				{"metallb.io/allow-shared-ip", "k"}},
			"", false, "10.0.0.7", NULL, "a", "k", NULL},
		{"A10, older prefix", METALLB,
			{{"metallb.universe.tf/loadBalancerIPs", "10.0.0.7"},
				{"metallb.universe.tf/address-pool", "a"},
				{"metallb.universe.tf/allow-shared-ip", "k"}},
			"", false, "10.0.0.7", NULL, "a", "k", NULL},
		{"ours before theirs", METALLB,
			{{"metallb.io/address-pool", "b"}, {ANNOTATION_POOL, "a"}}, "", false, NULL,
			NULL, "a", NULL, NULL},
		{"the problem names the key that has it", METALLB,
			{{"metallb.universe.tf/loadBalancerIPs", "x"}}, "", false, NULL, NULL, NULL,
			NULL, "annotation metallb.universe.tf/loadBalancerIPs: `x`"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene *scene = scene_new(cases[i].config);
		const char *ips[] = {cases[i].v4, cases[i].v6};
		struct subject subject;
		struct assign_input input;
		struct assign_wish wish;

		subject_init(&subject, "x", "web");
		subject_ask(&subject, cases[i].load_balancer_ip);
		if (cases[i].dual)
			subject_families(&subject, IP_V4, IP_V6, FAMILY_PREFER_DUAL);
		for (size_t j = 0; j < 3 && cases[i].pairs[j].key; j++)
			subject_annotate(&subject, cases[i].pairs[j].key, cases[i].pairs[j].value);
		input = subject_input(&subject);
		assign_wish_read(scene->alloc, &input, &wish);
		if (wish.malformed != (cases[i].problem != NULL) ||
			(cases[i].problem && !strstr(wish.problem, cases[i].problem)))
			fail_msg("%s: %s", cases[i].what, wish.problem);
		for (size_t j = 0; j < 2 && !wish.malformed; j++) {
			if (strcmp(ip_text(&wish.ips[j]).s, ips[j] ? ips[j] : "none") != 0)
				fail_msg("%s: %s", cases[i].what, ip_text(&wish.ips[j]).s);
		}
		if (!wish.malformed) {
			assert_string_equal(wish.request.pool ? wish.request.pool : "",
				cases[i].pool ? cases[i].pool : "");
			assert_string_equal(
				wish.request.sharing_key ? wish.request.sharing_key : "",
				cases[i].key ? cases[i].key : "");
		}
		scene_free(scene);
	}
}

static void assert_is_utf8(const char *text)
{
	size_t length = strlen(text), at = 0;

	while (at < length) {
		uint32_t code;
		size_t size = utf8_next(text + at, length - at, &code);

		assert_true(size > 0);
		assert_true(code >= 0x20);
		at += size;
	}
}

/* Whatever a user writes, what is told of it can be sent: whole characters, no controls. */
static void hostile_requests_are_told_in_clean_text(void **state)
{
	static const char *const values[] = {
		"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
		"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
		"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
		"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
		"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
		"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
		"a\nb\x01\x7f\xc2\x80", "\xff\xfe\x80", "%s%n%d", "\xf0\x9f\x98"};

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(values) / sizeof(values[0]); i++) {
		static const char *const keys[] = {ANNOTATION_IPS, ANNOTATION_POOL};
		struct scene *scene = scene_new(POOLS);
		const struct assign_decision *decision;
		struct subject subject;

		subject_init(&subject, "x", "web");
		if (i % 3 < 2)
			subject_annotate(&subject, keys[i % 3], values[i / 3]);
		else
			subject_ask(&subject, values[i / 3]);
		decision = subject_settle(scene, &subject);
		assert_int_equal(decision->state, ASSIGN_PENDING);
		assert_int_equal(decision->event_count, 1);
		assert_is_utf8(decision->condition_message);
		assert_is_utf8(decision->events[0].message);
		subject_done(scene, &subject);
		scene_free(scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(hostile_requests_are_told_in_clean_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
