/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "attach.h"
#include "netns.h"

static int open_loopback(const char *path, struct xb_netlink **ret, struct xb_link *ret_link, struct cni_fault *f)
{
	struct netns inside = NETNS_NONE;
	int code = netns_enter(path, &inside, f), r;

	if (code)
		return code;
	r = xb_netlink_new(ret);
	netns_done(&inside);
	if (!r)
		r = xb_netlink_find_link(*ret, "lo", ret_link);
	return r < 0 ? netns_fault(f, *ret, r, "cannot look at lo in %s", path) : 0;
}

int loopback_set(const char *netns, bool up, struct cni_fault *f)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	struct xb_link lo;
	int code = open_loopback(netns, &n, &lo, f), r;

	if (code)
		return code;
	r = xb_netlink_set_up(n, lo.ifindex, up);
	return r < 0 ? netns_fault(f, n, r, "cannot set lo %s", up ? "up" : "down") : 0;
}

int loopback_check(const char *netns, struct cni_fault *f)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = NULL;
	struct xb_link lo;
	int code = open_loopback(netns, &n, &lo, f);

	return code ? code : lo.flags & IFF_UP ? 0 : cni_fault(f, CNI_BROKEN, "lo in %s is down", netns);
}
