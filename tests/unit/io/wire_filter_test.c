// SPDX-License-Identifier: Apache-2.0
/* The filter as the kernel runs it, on a pair of sockets: which frames come through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "herald/core/arp.h"
#include "herald/core/ndp.h"
#include "herald/io/wire_filter.h"

struct pair {
	int in, out;
};

static struct ip ip(const char *text)
{
	struct ip made;

	assert_true(ip_parse(text, &made));
	return made;
}

static struct pair filtered(const char *const *networks, size_t count)
{
	struct ip_prefix made[2 * WIRE_FILTER_NETWORKS];
	struct sock_filter items[WIRE_FILTER_MAX];
	struct sock_fprog program = {.filter = items};
	int ends[2];

	for (size_t i = 0; i < count; i++)
		assert_true(ip_prefix_parse(networks[i], &made[i]));
	program.len = (unsigned short)wire_filter_build(made, count, items);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_int_equal(
		setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	return (struct pair){ends[0], ends[1]};
}

static void done(const struct pair *pair)
{
	close(pair->in);
	close(pair->out);
}

static bool passes(const struct pair *pair, const uint8_t *bytes, size_t length)
{
	uint8_t got[NDP_FRAME_MAX];

	/* What the filter drops is an error of the sender here. */
	if (send(pair->in, bytes, length, 0) < 0)
		return false;
	return recv(pair->out, got, sizeof(got), MSG_DONTWAIT) == (ssize_t)length;
}

static size_t arp(const char *sender, const char *target, uint8_t ret[static NDP_FRAME_SIZE])
{
	struct ip from = ip(sender), to = ip(target);
	struct arp_frame frame = {.operation = ARP_REQUEST};

	memcpy(frame.sender_ip, from.bytes, 4);
	memcpy(frame.target_ip, to.bytes, 4);
	arp_build(&frame, ret);
	return ARP_FRAME_SIZE;
}

static size_t ndp(const char *from, const char *target, enum ndp_type type,
	uint8_t ret[static NDP_FRAME_SIZE])
{
	const struct ndp_message message = {
		.from = ip(from), .to = ip("ff02::1"), .type = type, .target = ip(target)};

	return ndp_build(&message, ret);
}

static bool arp_passes(const struct pair *pair, const char *sender, const char *target)
{
	uint8_t bytes[NDP_FRAME_SIZE];

	return passes(pair, bytes, arp(sender, target, bytes));
}

static bool ndp_passes(
	const struct pair *pair, const char *from, const char *target, enum ndp_type type)
{
	uint8_t bytes[NDP_FRAME_SIZE];

	return passes(pair, bytes, ndp(from, target, type, bytes));
}

static void only_networks_of_interest_pass(void **state)
{
	static const char *const networks[] = {
		"192.0.2.192/26", "10.0.0.1/32", "fd00::200/120", "2001:db8::/33"};
	struct pair pair = filtered(networks, 4);

	(void)state;
	assert_true(arp_passes(&pair, "192.0.2.1", "192.0.2.200"));
	assert_true(arp_passes(&pair, "192.0.2.1", "10.0.0.1"));
	assert_true(arp_passes(&pair, "192.0.2.200", "192.0.2.1")); /* a claim */
	assert_false(arp_passes(&pair, "192.0.2.1", "192.0.2.2"));
	assert_false(arp_passes(&pair, "192.0.2.1", "10.0.0.2"));
	assert_true(ndp_passes(&pair, "fe80::9", "fd00::2ff", NDP_SOLICITATION));
	assert_true(ndp_passes(&pair, "::", "2001:db8:7fff::1", NDP_SOLICITATION));
	assert_true(ndp_passes(&pair, "fe80::9", "fd00::200", NDP_ADVERTISEMENT));
	assert_true(ndp_passes(&pair, "fd00::201", "fe80::1", NDP_SOLICITATION)); /* a claim */
	assert_false(ndp_passes(&pair, "fe80::9", "fd00::300", NDP_SOLICITATION));
	assert_false(ndp_passes(&pair, "fe80::9", "2001:db8:8000::1", NDP_SOLICITATION));
	done(&pair);
}

static void nothing_passes_where_nothing_is_of_interest(void **state)
{
	struct pair pair = filtered(NULL, 0);

	(void)state;
	assert_false(arp_passes(&pair, "192.0.2.1", "192.0.2.200"));
	assert_false(ndp_passes(&pair, "fe80::9", "fd00::200", NDP_SOLICITATION));
	done(&pair);
}

static void all_passes_at_first(void **state)
{
	static const char *const networks[] = {"0.0.0.0/0", "::/0"};
	struct pair pair = filtered(networks, 2);

	(void)state;
	assert_true(arp_passes(&pair, "192.0.2.1", "192.0.2.2"));
	assert_true(ndp_passes(&pair, "fe80::9", "fd00::300", NDP_SOLICITATION));
	done(&pair);
}

static void as_many_as_may_be(void **state)
{
	const char *networks[2 * WIRE_FILTER_NETWORKS];
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < WIRE_FILTER_NETWORKS; i++) {
		networks[i] = "192.0.2.200/32";
		networks[WIRE_FILTER_NETWORKS + i] = "fd00::200/128";
	}
	networks[WIRE_FILTER_NETWORKS - 1] = "10.9.9.9/32";
	networks[2 * WIRE_FILTER_NETWORKS - 1] = "fd00::999/128";
	pair = filtered(networks, 2 * WIRE_FILTER_NETWORKS);
	assert_true(arp_passes(&pair, "192.0.2.1", "10.9.9.9"));
	assert_true(ndp_passes(&pair, "fe80::9", "fd00::999", NDP_SOLICITATION));
	assert_false(ndp_passes(&pair, "fe80::9", "fd00::998", NDP_SOLICITATION));
	done(&pair);
}

static void short_frames_pass_and_other_protocols_do_not(void **state)
{
	static const char *const networks[] = {"192.0.2.200/32", "fd00::200/128"};
	struct pair pair = filtered(networks, 2);
	uint8_t bytes[NDP_FRAME_SIZE];
	size_t length = arp("192.0.2.1", "192.0.2.2", bytes);

	(void)state;
	assert_true(passes(&pair, bytes, length - 1));
	bytes[13] = 0; /* IPv4 */
	assert_false(passes(&pair, bytes, length));
	length = ndp("fe80::9", "fd00::1", NDP_SOLICITATION, bytes);
	assert_true(passes(&pair, bytes, 60));
	assert_false(passes(&pair, bytes, 30)); /* not known to be neighbour discovery */
	bytes[54] = 128;			/* an echo request */
	assert_false(passes(&pair, bytes, length));
	bytes[20] = 17; /* UDP */
	assert_false(passes(&pair, bytes, length));
	done(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_networks_of_interest_pass),
		cmocka_unit_test(nothing_passes_where_nothing_is_of_interest),
		cmocka_unit_test(all_passes_at_first),
		cmocka_unit_test(as_many_as_may_be),
		cmocka_unit_test(short_frames_pass_and_other_protocols_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
