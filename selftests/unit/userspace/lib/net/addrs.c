/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Needs no privilege: a user namespace of its own gives it a network of its own. Skipped where that is not allowed. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include "../client/fake_api.h"
#include "xb/addrs.h"

struct test {
	uv_loop_t loop;
	struct xb_addrs *addrs;
	int changes;
};

static void on_change(void *arg)
{
	struct test *t = arg;

	t->changes++;
}

static bool has(const struct test *t, const char *text)
{
	const struct xb_ifaddr *all;
	size_t n = xb_addrs_get(t->addrs, &all);
	struct xb_ip ip;

	assert_int_equal(xb_ip_parse(xb_sv(text), &ip), 0);

	for (size_t i = 0; i < n; i++)
		if (xb_ip_eq(&all[i].net.ip, &ip))
			return true;
	return false;
}

/* 127.0.0.1 comes when lo goes up; another address by ioctl. */
static void set_lo(unsigned long what, struct ifreq *q)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(q->ifr_name, sizeof(q->ifr_name), "lo");
	assert_int_equal(ioctl(s, what, q), 0);
	close(s);
}

static void set_addr(const char *text)
{
	struct ifreq q = {};
	struct sockaddr_in *a = (struct sockaddr_in *)&q.ifr_addr;

	a->sin_family = AF_INET;
	inet_pton(AF_INET, text, &a->sin_addr);
	set_lo(SIOCSIFADDR, &q);
}

static void follows_the_kernel(void **state)
{
	struct test t = {};
	struct ifreq up = { .ifr_flags = IFF_UP };
	struct xb_ip ip = { AF_INET, { 10, 0, 0, 1 } };
	struct xb_ifaddr narrow = { 1, { ip, 24 }, RT_SCOPE_UNIVERSE }, wide = { 1, { ip, 8 }, RT_SCOPE_UNIVERSE };
	_cleanup_(xb_netlink_freep) struct xb_netlink *netlink = NULL;
	int before;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 && unshare(CLONE_NEWNET) < 0)
		skip();
	uv_loop_init(&t.loop);
	assert_int_equal(xb_addrs_new(&t.loop, on_change, &t, &t.addrs), 0);
	assert_false(has(&t, "127.0.0.1"));
	set_lo(SIOCSIFFLAGS, &up);
	run_until(&t.loop, has(&t, "127.0.0.1"));
	assert_true(t.changes > 0);
	before = t.changes;
	set_addr("127.5.5.5");
	run_until(&t.loop, has(&t, "127.5.5.5"));
	assert_false(has(&t, "127.0.0.1"));
	assert_true(t.changes > before);
	/* an address in two networks is there until it is in neither */
	assert_int_equal(xb_netlink_new(&netlink), 0);
	assert_int_equal(xb_netlink_set_addr(netlink, &narrow), 0);
	assert_int_equal(xb_netlink_set_addr(netlink, &wide), 0);
	run_until(&t.loop, has(&t, "10.0.0.1"));
	assert_int_equal(xb_netlink_del_addr(netlink, &narrow), 0);
	before = t.changes;
	run_until(&t.loop, t.changes > before);
	assert_true(has(&t, "10.0.0.1"));
	assert_int_equal(xb_netlink_del_addr(netlink, &wide), 0);
	run_until(&t.loop, !has(&t, "10.0.0.1"));
	t.addrs = xb_addrs_free(t.addrs);
	/* an address that was there first comes with the dump */
	assert_int_equal(xb_addrs_new(&t.loop, NULL, NULL, &t.addrs), 0);
	assert_true(has(&t, "127.5.5.5"));
	xb_addrs_free(t.addrs);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t.loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(follows_the_kernel) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
