// SPDX-License-Identifier: Apache-2.0
/* Interface lists as told in a Lease: untrusted text (L05, L06). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "herald/core/interfaces.h"

static void text_becomes_a_list_and_text_again(void **state)
{
	static const struct {
		const char *text, *again;
	} cases[] = {
		{"", ""},
		{"eth0", "eth0"},
		{"eth0=192.0.2.0/24,198.51.100.0/24 eth1 ~dummy0",
			"eth0=192.0.2.0/24,198.51.100.0/24 eth1 ~dummy0"},
		{"  eth0   eth1 ", "eth0 eth1"},
		{"eth0=192.0.2.1/24", "eth0"}, /* host bits */
		{"eth0=,, eth1=300.0.0.0/8", "eth0 eth1"},
		{"=192.0.2.0/24 ~ ~=", ""},
		{"a-name-that-is-much-too-long eth0", "eth0"},
		{"eth0=192.0.2.0/24,2001:db8::/64 eth1=2001:db8:1::/48",
			"eth0=192.0.2.0/24,2001:db8::/64 eth1=2001:db8:1::/48"},
		{"eth0=2001:db8::1/64,2001:db8::/129", "eth0"},
		{"eth0=02:00:00:AA:bb:cc,192.0.2.0/24 ~eth1=02:00:00:aa:bb:cd",
			"eth0=02:00:00:aa:bb:cc,192.0.2.0/24 ~eth1=02:00:00:aa:bb:cd"},
		{"eth0=192.0.2.0/24,02:00:00:aa:bb:cc", "eth0=02:00:00:aa:bb:cc,192.0.2.0/24"},
		{"eth0=02:00:00:aa:bb,ff:ff:ff:ff:ff:ff", "eth0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct interface_list list;
		char *again;

		interface_list_parse(cases[i].text, &list);
		again = interface_list_text(&list);
		assert_string_equal(again, cases[i].again);
		free(again);
		interface_list_done(&list);
	}
}

static void number_is_bounded(void **state)
{
	char text[1001] = "";
	struct interface_list list;

	(void)state;
	for (size_t i = 0; i < 1000; i += 2)
		memcpy(text + i, "a ", 3);
	interface_list_parse(text, &list);
	assert_int_equal(list.count, INTERFACES_MAX);
	interface_list_done(&list);
}

static void number_of_networks_is_bounded(void **state)
{
	char text[400] = "eth0=";
	struct interface_list list;

	(void)state;
	for (unsigned i = 1; i <= INTERFACE_NETWORKS_MAX + 1; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u.0.0.0/8,", i);
	interface_list_parse(text, &list);
	assert_int_equal(list.items[0].network_count, INTERFACE_NETWORKS_MAX);
	interface_list_done(&list);
}

static void container_side_names_are_internal(void **state)
{
	static const char *const internal[] = {"veth12ab", "cali0a", "cni0", "docker0", "flannel.1",
		"lxc1", "kube-ipvs0", "nodelocaldns", "dummy0", "virbr0", "tunl0", "vxlan.calico"};
	static const char *const usable[] = {"eth0", "ens3", "enp1s0f0", "bond0", "br0", "eth0.10"};

	(void)state;
	for (size_t i = 0; i < sizeof(internal) / sizeof(*internal); i++)
		assert_true(interface_name_is_internal(internal[i]));
	for (size_t i = 0; i < sizeof(usable) / sizeof(*usable); i++)
		assert_false(interface_name_is_internal(usable[i]));
}

static void patterns_allow(void **state)
{
	static const char *const patterns[] = {"ens*", "eth[01]"};
	struct interface interface = {.name = "eth1"};

	(void)state;
	assert_true(interface_is_allowed(&interface, patterns, 2));
	assert_false(interface_is_allowed(&interface, patterns, 1));
	assert_true(interface_is_allowed(&interface, NULL, 0));
	interface.only_by_name = true;
	assert_false(interface_is_allowed(&interface, NULL, 0));
	assert_true(interface_is_allowed(&interface, patterns, 2));
}

static void a_mac_is_found(void **state)
{
	static const char text[] = "eth0=02:00:00:aa:bb:cc,192.0.2.0/24 ~eth1=02:00:00:aa:bb:cd";
	static const uint8_t first[MAC_SIZE] = {2, 0, 0, 0xaa, 0xbb, 0xcc};
	static const uint8_t second[MAC_SIZE] = {2, 0, 0, 0xaa, 0xbb, 0xcd};
	static const uint8_t none[MAC_SIZE] = {2, 0, 0, 0xaa, 0xbb, 0xce};

	(void)state;
	assert_true(interface_text_has_mac(text, first));
	assert_true(interface_text_has_mac(text, second));
	assert_false(interface_text_has_mac(text, none));
	assert_false(interface_text_has_mac("", first));
}

static void L12_networks_are_compared(void **state)
{
	struct interface_list list;
	struct ip narrow = ip_from_v4((const uint8_t[4]){10, 20, 0, 1});
	struct ip wide = ip_from_v4((const uint8_t[4]){10, 30, 0, 1});
	struct ip none = ip_from_v4((const uint8_t[4]){192, 0, 2, 1});

	(void)state;
	interface_list_parse(
		"eth0=10.0.0.0/8,10.20.0.0/16,2001:db8::/64 eth1=10.0.0.0/9 eth2=2001:db8::/64",
		&list);
	assert_int_equal(interface_network_length(&list.items[0], &narrow), 16);
	assert_int_equal(interface_network_length(&list.items[0], &wide), 8);
	assert_int_equal(interface_network_length(&list.items[0], &none), -1);
	assert_true(interface_shares_network(&list.items[0], &list.items[2]));
	assert_false(interface_shares_network(&list.items[0], &list.items[1]));
	interface_list_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_a_list_and_text_again),
		cmocka_unit_test(number_is_bounded),
		cmocka_unit_test(number_of_networks_is_bounded),
		cmocka_unit_test(container_side_names_are_internal),
		cmocka_unit_test(patterns_allow),
		cmocka_unit_test(a_mac_is_found),
		cmocka_unit_test(L12_networks_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
