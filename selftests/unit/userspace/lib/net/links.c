/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Needs no privilege: a user namespace of its own gives it networks of its own. Skipped where that is not allowed. */
#include <fcntl.h>
#include <net/if_arp.h>
#include <sched.h>
#include "../client/fake_api.h"
#include "xb/links.h"

struct test {
	uv_loop_t loop;
	struct xb_netlink *netlink;
	struct xb_links *links;
	int changes, far;
};

static void on_change(void *arg)
{
	struct test *t = arg;

	t->changes++;
}

static const struct xb_link *find(const struct test *t, const char *name)
{
	const struct xb_link *all;
	size_t n = xb_links_get(t->links, &all);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

static void add_veth(const struct test *t, const char *name)
{
	static const unsigned char mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
	struct xb_veth v = { name, name, mac[0], mac[1], t->far, 1500 };

	assert_int_equal(xb_netlink_add_veth(t->netlink, &v), 0);
}

static int setup(void **state)
{
	static struct test t;
	_cleanup_close_ int here = -1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		return 0;
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	t.far = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	assert_int_equal(xb_netlink_new(&t.netlink), 0);
	uv_loop_init(&t.loop);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	if (!t)
		return 0;
	xb_netlink_free(t->netlink);
	close(t->far);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	return uv_loop_close(&t->loop);
}

static void follows_the_kernel(void **state)
{
	struct test *t = *state;
	int before;

	if (!t)
		skip();
	assert_int_equal(xb_links_new(&t->loop, on_change, t, &t->links), 0);
	assert_true(find(t, "lo")->flags & IFF_LOOPBACK);
	assert_int_equal(find(t, "lo")->hw_type, ARPHRD_LOOPBACK);

	add_veth(t, "a0");
	run_until(&t->loop, find(t, "a0"));
	assert_int_equal(find(t, "a0")->hw_type, ARPHRD_ETHER);
	assert_false(find(t, "a0")->flags & IFF_UP);
	run_until(&t->loop, t->changes > 0);
	before = t->changes;
	assert_int_equal(xb_netlink_set_up(t->netlink, find(t, "a0")->ifindex, true), 0);
	run_until(&t->loop, find(t, "a0")->flags & IFF_UP);
	run_until(&t->loop, t->changes > before);

	assert_int_equal(xb_netlink_del_link(t->netlink, find(t, "a0")->ifindex), 0);
	run_until(&t->loop, !find(t, "a0"));
	t->links = xb_links_free(t->links);
}

/* More at once than the socket's buffer holds notices of. */
static void survives_lost_notices(void **state)
{
	struct test *t = *state;
	char name[IFNAMSIZ];

	if (!t)
		skip();
	assert_int_equal(xb_links_new(&t->loop, on_change, t, &t->links), 0);
	for (int i = 0; i < 100; i++) {
		struct xb_link l;

		snprintf(name, sizeof(name), "b%d", i);
		add_veth(t, name);
		assert_int_equal(xb_netlink_find_link(t->netlink, name, &l), 0);
		if (i != 99)
			assert_int_equal(xb_netlink_del_link(t->netlink, l.ifindex), 0);
	}
	run_until(&t->loop, find(t, "b99"));
	run_until(&t->loop, !find(t, "b98"));
	t->links = xb_links_free(t->links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_kernel),
		cmocka_unit_test(survives_lost_notices),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
