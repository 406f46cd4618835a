// SPDX-License-Identifier: Apache-2.0
/* Address ranges of a pool (A01): which are taken, and what is told of each other one. */
#include "config_expect.h"

#define POOL CONFIG_HEAD "pools:\n- name: p\n  addresses:\n"

static void A01_ranges_that_are_taken(void **state)
{
	static const struct config_case cases[] = {
		{"an IPv4 prefix", "  - 192.0.2.0/24\n", ""},
		{"an IPv6 prefix", "  - 2001:db8::/64\n", ""},
		{"the widest ordinary one", "  - 2000::/3\n", ""},
		{"a range", "  - 192.0.2.1-192.0.2.9\n", ""},
		{"blanks around the dash", "  - 192.0.2.1 - 192.0.2.9\n", ""},
		{"a tab around the dash", "  - \"192.0.2.1\\t-\\t192.0.2.9\"\n", ""},
		{"a range of IPv6", "  - 2001:db8::1-2001:db8::ffff\n", ""},
		{"one address", "  - 192.0.2.7\n", ""},
		{"one IPv6 address", "  - 2001:db8::7\n", ""},
		{"a range of one", "  - 192.0.2.7-192.0.2.7\n", ""},
		{"an IPv6 address in capitals", "  - 2001:DB8::A\n", ""},
		{"a prefix of one", "  - 192.0.2.7/32\n", ""},
		{"blanks about it, in quotes", "  - \" 192.0.2.0/24 \"\n", ""},
		{"class E, which some networks use", "  - 240.0.0.0/24\n", ""},
		{"the last before multicast", "  - 223.255.255.255\n", ""},
		{"unique local addresses", "  - fd00::/64\n", ""},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A01_prefixes_that_are_none(void **state)
{
	static const struct config_case cases[] = {
		{"host bits set", "  - 192.0.2.1/24\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.1/24\", which has host bits set: "
			"write \"192.0.2.0/24\" for the whole network or \"192.0.2.1\" for the one "
			"address\n"},
		{"host bits of IPv6", "  - 2001:db8::1/64\n",
			"5:5 pools[0].addresses[0]: is \"2001:db8::1/64\", which has host bits "
			"set: write \"2001:db8::/64\" for the whole network or \"2001:db8::1\" for "
			"the one address\n"},
		{"too long a prefix", "  - 192.0.2.0/33\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.0/33\": \"33\" is no prefix "
			"length for IPv4, write one from 0 to 32\n"},
		{"too long for IPv6", "  - 2001:db8::/129\n",
			"5:5 pools[0].addresses[0]: is \"2001:db8::/129\": \"129\" is no prefix "
			"length for IPv6, write one from 0 to 128\n"},
		{"no prefix length", "  - 192.0.2.0/\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.0/\": \"\" is no prefix length "
			"for IPv4, write one from 0 to 32\n"},
		{"a netmask", "  - 192.0.2.0/255.255.255.0\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.0/255.255.255.0\": "
			"\"255.255.255.0\" is no prefix length for IPv4, write one from 0 to 32\n"},
		{"a negative length", "  - 192.0.2.0/-1\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.0/-1\": write a prefix with '/' "
			"or a range with '-', not both\n"},
		{"a length with a zero before", "  - 192.0.2.0/024\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.0/024\": \"024\" is no prefix "
			"length for IPv4, write one from 0 to 32\n"},
		{"no address before the slash", "  - /24\n",
			"5:5 pools[0].addresses[0]: is \"/24\": \"\" is no IPv4 or IPv6 address; "
			"write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one address\n"},
		{"two slashes", "  - 192.0.2.0/24/24\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.0/24/24\": \"24/24\" is no prefix "
			"length for IPv4, write one from 0 to 32\n"},
		{"prefix and range", "  - 192.0.2.0/24-192.0.3.0/24\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.0/24-192.0.3.0/24\": write a "
			"prefix with '/' or a range with '-', not both\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A01_ranges_that_are_none(void **state)
{
	static const struct config_case cases[] = {
		{"reversed", "  - 192.0.2.9-192.0.2.1\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.9-192.0.2.1\", which runs "
			"backwards: write \"192.0.2.1-192.0.2.9\"\n"},
		{"reversed IPv6", "  - 2001:db8::2-2001:db8::1\n",
			"5:5 pools[0].addresses[0]: is \"2001:db8::2-2001:db8::1\", which runs "
			"backwards: write \"2001:db8::1-2001:db8::2\"\n"},
		{"two families", "  - 192.0.2.1-2001:db8::1\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.1-2001:db8::1\", from one family "
			"to the other: write a range for each\n"},
		{"no end", "  - 192.0.2.1-\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.1-\": \"\" is no IPv4 or IPv6 "
			"address; write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one "
			"address\n"},
		{"no begin", "  - -192.0.2.1\n",
			"5:5 pools[0].addresses[0]: is \"-192.0.2.1\": \"\" is no IPv4 or IPv6 "
			"address; write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one "
			"address\n"},
		{"three parts", "  - 192.0.2.1-192.0.2.3-192.0.2.5\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.1-192.0.2.3-192.0.2.5\": "
			"\"192.0.2.3-192.0.2.5\" is no IPv4 or IPv6 address; write "
			"\"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one address\n"},
		{"only the last part", "  - 192.0.2.1-9\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.1-9\": \"9\" is no IPv4 or IPv6 "
			"address; write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one "
			"address\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A01_addresses_that_are_none(void **state)
{
	static const struct config_case cases[] = {
		{"an octet above 255", "  - 192.0.2.256\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.256\": \"192.0.2.256\" is no "
			"address; numbers are written without leading zeros, up to 255\n"},
		{"leading zeros", "  - 192.0.2.010\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.010\": \"192.0.2.010\" is no "
			"address; numbers are written without leading zeros, up to 255\n"},
		{"three octets", "  - 192.0.2\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2\": \"192.0.2\" is no IPv4 or IPv6 "
			"address; write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one "
			"address\n"},
		{"a zone", "  - fe80::1%eth0\n",
			"5:5 pools[0].addresses[0]: is \"fe80::1%eth0\": an address of a pool has "
			"no zone, remove '%' and what follows\n"},
		{"a zone in a range", "  - 2001:db8::1%eth0-2001:db8::2\n",
			"5:5 pools[0].addresses[0]: is \"2001:db8::1%eth0-2001:db8::2\": an "
			"address of a pool has no zone, remove '%' and what follows\n"},
		{"IPv4-mapped", "  - '::ffff:192.0.2.1'\n",
			"5:5 pools[0].addresses[0]: is \"::ffff:192.0.2.1\": \"::ffff:192.0.2.1\" "
			"is an IPv4-mapped address, write it as IPv4\n"},
		{"IPv4-mapped in hex", "  - '::ffff:c000:201'\n",
			"5:5 pools[0].addresses[0]: is \"::ffff:c000:201\": \"::ffff:c000:201\" is "
			"an IPv4-mapped address, write it as IPv4\n"},
		{"a hostname", "  - gateway.example.com\n",
			"5:5 pools[0].addresses[0]: is \"gateway.example.com\": "
			"\"gateway.example.com\" is no IPv4 or IPv6 address; write "
			"\"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one address\n"},
		{"empty text", "  - \"\"\n",
			"5:5 pools[0].addresses[0]: is \"\": \"\" is no IPv4 or IPv6 address; "
			"write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one address\n"},
		{"a blank", "  - \" \"\n",
			"5:5 pools[0].addresses[0]: is \" \": \"\" is no IPv4 or IPv6 address; "
			"write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one address\n"},
		{"a number", "  - 192\n",
			"5:5 pools[0].addresses[0]: is \"192\", which YAML takes for a number: put "
			"it in quotes\n"},
		{"a fraction", "  - 192.0\n",
			"5:5 pools[0].addresses[0]: is \"192.0\", which YAML takes for a number: "
			"put it in quotes\n"},
		{"nothing", "  - \n",
			"5:4 pools[0].addresses[0]: has no value: give it one, or remove it\n"},
		{"a mapping", "  - {a: b}\n",
			"5:5 pools[0].addresses[0]: is a mapping where text is wanted: write one "
			"value\n"},
		{"a list in the list", "  - [192.0.2.1]\n",
			"5:5 pools[0].addresses[0]: is a list where text is wanted: write one "
			"value\n"},
		{"too long",
			"  - "
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
			"5:5 pools[0].addresses[0]: is "
			"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aa...\", too long for a range: write \"192.0.2.0/24\"\n"},
		{"a line break within", "  - \"192.0.2.1\\n\"\n",
			"5:5 pools[0].addresses[0]: is \"192.0.2.1?\": \"192.0.2.1?\" is no IPv4 "
			"or IPv6 address; write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one "
			"address\n"},
		{"a NUL within", "  - \"192.0.2.1\\0\"\n",
			"5:5 pools[0].addresses[0]: holds a NUL character: remove it\n"},
		{"an escape sequence", "  - \"\\e[31m192.0.2.1\"\n",
			"5:5 pools[0].addresses[0]: is \"?[31m192.0.2.1\": \"?[31m192.0.2.1\" is "
			"no IPv4 or IPv6 address; write \"192.0.2.0/24\", "
			"\"192.0.2.10-192.0.2.20\" or one address\n"},
		{"a C1 control and a letter", "  - \"\\x9b\303\251\"\n",
			"5:5 pools[0].addresses[0]: is \"?\303\251\": \"?\303\251\" is no IPv4 or "
			"IPv6 address; write \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\" or one "
			"address\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A01_addresses_that_no_Service_can_have(void **state)
{
	static const struct config_case cases[] = {
		{"multicast", "  - 224.0.0.1\n",
			"5:5 pools[0].addresses[0]: is \"224.0.0.1\", which holds multicast "
			"addresses (224.0.0.0/4): leave them out\n"},
		{"multicast within", "  - 223.255.255.0-224.0.0.1\n",
			"5:5 pools[0].addresses[0]: is \"223.255.255.0-224.0.0.1\", which holds "
			"multicast addresses (224.0.0.0/4): leave them out\n"},
		{"multicast IPv6", "  - ff02::1\n",
			"5:5 pools[0].addresses[0]: is \"ff02::1\", which holds multicast "
			"addresses (ff00::/8): leave them out\n"},
		{"loopback", "  - 127.0.0.1\n",
			"5:5 pools[0].addresses[0]: is \"127.0.0.1\", which holds loopback "
			"addresses (127.0.0.0/8): leave them out\n"},
		{"loopback IPv6", "  - '::1'\n",
			"5:5 pools[0].addresses[0]: is \"::1\", which holds the loopback address "
			"(::1): leave them out\n"},
		{"link-local", "  - 169.254.1.0/24\n",
			"5:5 pools[0].addresses[0]: is \"169.254.1.0/24\", which holds link-local "
			"addresses (169.254.0.0/16): leave them out\n"},
		{"link-local IPv6", "  - fe80::/64\n",
			"5:5 pools[0].addresses[0]: is \"fe80::/64\", which holds link-local "
			"addresses (fe80::/10): leave them out\n"},
		{"unspecified", "  - 0.0.0.0\n",
			"5:5 pools[0].addresses[0]: is \"0.0.0.0\", which holds unspecified "
			"addresses (0.0.0.0/8): leave them out\n"},
		{"unspecified IPv6", "  - '::'\n",
			"5:5 pools[0].addresses[0]: is \"::\", which holds the unspecified address "
			"(::): leave them out\n"},
		{"all of IPv4", "  - 0.0.0.0/0\n",
			"5:5 pools[0].addresses[0]: is \"0.0.0.0/0\", which holds unspecified "
			"addresses (0.0.0.0/8): leave them out\n"},
		{"all of IPv6", "  - '::/0'\n",
			"5:5 pools[0].addresses[0]: is \"::/0\", which holds the unspecified "
			"address (::): leave them out\n"},
		{"broadcast", "  - 255.255.255.255\n",
			"5:5 pools[0].addresses[0]: is \"255.255.255.255\", which holds the "
			"broadcast address (255.255.255.255): leave them out\n"},
		{"mapped addresses within a prefix", "  - '::ffff:0:0/95'\n",
			"5:5 pools[0].addresses[0]: is \"::ffff:0:0/95\": \"::ffff:0:0\" is an "
			"IPv4-mapped address, write it as IPv4\n"},
		{"mapped addresses within a range", "  - '::fffe:0:0-::1:0:0:0'\n",
			"5:5 pools[0].addresses[0]: is \"::fffe:0:0-::1:0:0:0\", which holds "
			"IPv4-mapped addresses (::ffff:0:0/96): write them as IPv4\n"},
	};

	(void)state;
	CONFIG_EXPECT(POOL, cases);
}

static void A01_both_families_in_the_order_of_the_text(void **state)
{
	struct config *config = config_of(POOL,
		"  - 2001:db8::/127\n  - 192.0.2.4/31\n  - 192.0.2.1 - 192.0.2.2\n  - 192.0.2.9\n");
	static const char *const bounds[][2] = {{"2001:db8::", "2001:db8::1"},
		{"192.0.2.4", "192.0.2.5"}, {"192.0.2.1", "192.0.2.2"}, {"192.0.2.9", "192.0.2.9"}};

	(void)state;
	assert_int_equal(config->pools[0].range_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(ip_text(&config->pools[0].ranges[i].first).s, bounds[i][0]);
		assert_string_equal(ip_text(&config->pools[0].ranges[i].last).s, bounds[i][1]);
	}
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A01_ranges_that_are_taken),
		cmocka_unit_test(A01_prefixes_that_are_none),
		cmocka_unit_test(A01_ranges_that_are_none),
		cmocka_unit_test(A01_addresses_that_are_none),
		cmocka_unit_test(A01_addresses_that_no_Service_can_have),
		cmocka_unit_test(A01_both_families_in_the_order_of_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
