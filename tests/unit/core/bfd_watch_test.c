// SPDX-License-Identifier: Apache-2.0
/* What a node thinks of its BFD peers, reading after reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "herald/base/err.h"
#include "herald/core/bfd_watch.h"

static struct bfd_peer peer_of(const char *node, const char *address)
{
	struct bfd_peer peer = {.node = node};

	if (!ip_parse(address, &peer.address))
		DIE("no address");
	return peer;
}

/* As BIRD shows the session with 192.0.2.2; -1: not at all. */
static bool see(struct bfd_watch *watch, int state)
{
	struct bird_session session = {.state = (enum bird_bfd_state)state};

	session.address = peer_of("", "192.0.2.2").address;
	return bfd_watch_see(watch, &session, state >= 0);
}

static void assert_suspects(const struct bfd_watch *watch, const char *expected)
{
	AUTO_FREE char *text = bfd_watch_suspects(watch);

	assert_string_equal(text, expected);
}

static struct bfd_watch *watching(const struct members *members)
{
	struct bfd_watch *watch = bfd_watch_new();
	struct bfd_peer peer = peer_of("b", "192.0.2.2");

	assert_false(bfd_watch_set_peers(watch, &peer, 1, members));
	return watch;
}

static void up_then_down_is_suspicion(void **state)
{
	struct members *members = members_new();
	struct bfd_watch *watch = watching(members);

	(void)state;
	assert_false(see(watch, BIRD_BFD_UP));
	assert_suspects(watch, "");
	assert_true(see(watch, BIRD_BFD_DOWN));
	assert_suspects(watch, "b");
	assert_false(see(watch, BIRD_BFD_INIT));
	assert_false(see(watch, -1));
	assert_suspects(watch, "b");
	assert_true(see(watch, BIRD_BFD_UP));
	assert_suspects(watch, "");
	bfd_watch_free(watch);
	members_free(members);
}

static void no_suspicion(void **state)
{
	static const struct {
		const char *what;
		int states[4];
	} cases[] = {
		{"of one that was never up",
			{BIRD_BFD_DOWN, BIRD_BFD_INIT, BIRD_BFD_DOWN, BIRD_BFD_DOWN}},
		{"of one taken down here by hand",
			{BIRD_BFD_UP, BIRD_BFD_ADMIN_DOWN, BIRD_BFD_ADMIN_DOWN, BIRD_BFD_DOWN}},
		{"of one that BIRD was told to forget", {BIRD_BFD_UP, -1, BIRD_BFD_DOWN, -1}},
	};
	struct members *members = members_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bfd_watch *watch = watching(members);

		for (size_t s = 0; s < 4; s++)
			assert_false(see(watch, cases[i].states[s]));
		bfd_watch_free(watch);
	}
	members_free(members);
}

static void without_bird_nothing_is_known(void **state)
{
	struct members *members = members_new();
	struct bfd_watch *watch = watching(members);

	(void)state;
	see(watch, BIRD_BFD_UP);
	see(watch, BIRD_BFD_DOWN);
	assert_true(bfd_watch_forget(watch));
	assert_suspects(watch, "");
	assert_false(see(watch, BIRD_BFD_DOWN));
	assert_suspects(watch, "");
	assert_false(bfd_watch_forget(watch));
	bfd_watch_free(watch);
	members_free(members);
}

static void other_address_is_another_session(void **state)
{
	struct members *members = members_new();
	struct bfd_watch *watch = watching(members);
	struct bfd_peer peer = peer_of("b", "192.0.2.99");

	(void)state;
	see(watch, BIRD_BFD_UP);
	see(watch, BIRD_BFD_DOWN);
	assert_true(bfd_watch_set_peers(watch, &peer, 1, members));
	assert_suspects(watch, "");
	bfd_watch_free(watch);
	members_free(members);
}

static void show_lease(struct members *members, const char *node, const char *renew, uint64_t ms)
{
	AUTO_FREE char *name = xasprintf(MEMBER_LEASE_PREFIX "%s", node);
	struct lease lease = {.holder = node, .renew_time = renew, .duration_s = 3};

	lease.meta = (struct object_meta){.namespace = "", .name = name, .resource_version = renew};
	members_put(members, &lease, (struct monotime){.ns = ms * 1000000});
}

/* The Lease expires, and comes back before the session does. */
static void suspicion_outlives_the_lease(void **state)
{
	struct members *members = members_new();
	struct bfd_watch *watch = watching(members);
	struct bfd_peer peer = peer_of("b", "192.0.2.2");

	(void)state;
	show_lease(members, "b", "1", 0);
	see(watch, BIRD_BFD_UP);
	see(watch, BIRD_BFD_DOWN);
	show_lease(members, "a", "2", 1000);
	show_lease(members, "a", "3", 2000);
	members_judge(members, (struct monotime){.ns = 3000000000});
	assert_int_equal(members_find(members, "b")->state, MEMBER_DEAD);
	assert_true(bfd_watch_set_peers(watch, NULL, 0, members));
	assert_suspects(watch, "");
	assert_int_equal(bfd_watch_count(watch), 1);
	show_lease(members, "b", "4", 3100);
	assert_true(bfd_watch_set_peers(watch, &peer, 1, members));
	assert_suspects(watch, "b");
	see(watch, BIRD_BFD_DOWN);
	assert_suspects(watch, "b");
	assert_true(see(watch, BIRD_BFD_UP));
	assert_suspects(watch, "");
	/* One that is alive and no peer any more says that it has no BFD. */
	see(watch, BIRD_BFD_DOWN);
	assert_true(bfd_watch_set_peers(watch, NULL, 0, members));
	assert_int_equal(bfd_watch_count(watch), 0);
	bfd_watch_free(watch);
	members_free(members);
}

static void several_suspects(void **state)
{
	struct members *members = members_new();
	struct bfd_watch *watch = bfd_watch_new();
	struct bfd_peer peers[] = {
		peer_of("b", "192.0.2.2"), peer_of("c", "192.0.2.3"), peer_of("d", "192.0.2.4")};
	struct bird_session seen[3];

	(void)state;
	bfd_watch_set_peers(watch, peers, 3, members);
	for (size_t i = 0; i < 3; i++)
		seen[i] = (struct bird_session){peers[i].address, BIRD_BFD_UP};
	bfd_watch_see(watch, seen, 3);
	seen[0].state = seen[2].state = BIRD_BFD_DOWN;
	assert_true(bfd_watch_see(watch, seen, 3));
	assert_suspects(watch, "b d");
	bfd_watch_free(watch);
	members_free(members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_then_down_is_suspicion),
		cmocka_unit_test(no_suspicion),
		cmocka_unit_test(without_bird_nothing_is_known),
		cmocka_unit_test(other_address_is_another_session),
		cmocka_unit_test(suspicion_outlives_the_lease),
		cmocka_unit_test(several_suspects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
