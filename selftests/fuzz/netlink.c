/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Netlink messages from outside: what is read of one holds together, and nothing beyond its end is touched. */
#include <libmnl/libmnl.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../userspace/netd/masq.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void read_one(const struct nlmsghdr *h)
{
	struct xb_link l;
	struct xb_ifaddr a;
	struct xb_route r;
	struct xb_neigh e;
	struct xb_filter f;

	if (!xb_netlink_read_link(h, &l) && (!memchr(l.name, '\0', sizeof(l.name)) || !memchr(l.kind, '\0', sizeof(l.kind))))
		abort();
	if (!xb_netlink_read_addr(h, &a) && !xb_ip_bytes(a.net.ip.family))
		abort();
	if (!xb_netlink_read_route(h, &r) && (!xb_ip_bytes(r.dst.ip.family) || r.dst.bits > 128))
		abort();
	xb_netlink_read_neigh(h, &e);
	if (!xb_netlink_read_filter(h, &f) && (!memchr(f.name, '\0', sizeof(f.name)) || !memchr(f.kind, '\0', sizeof(f.kind))))
		abort();
	masq_matters(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	int left = (int)n;
	void *copy = malloc(n ? n : 1);

	memcpy(copy, bytes, n);
	/* libmnl takes a length beyond INT_MAX for a negative one; the kernel sends none. */
	for (const struct nlmsghdr *h = copy; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (unsigned)left; h = mnl_nlmsg_next(h, &left))
		read_one(h);
	free(copy);
	return 0;
}
