/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Before the kernel's headers, which make way for the C library's names. */
#include "flows.h"
#include "attr.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

/* The kernel's own: net/netfilter/nf_internals.h. They say which parts of a tuple count. */
#define FILTER_SRC      (1u << 0)   /* CTA_FILTER_F_CTA_IP_SRC */
#define FILTER_PROTO    (1u << 3)   /* CTA_FILTER_F_CTA_PROTO_NUM */
#define FILTER_SRC_PORT (1u << 4)   /* CTA_FILTER_F_CTA_PROTO_SRC_PORT */

static bool read_bytes(const struct nlattr *a, void *ret, size_t n)
{
	if (!a || mnl_attr_get_payload_len(a) != n)
		return false;
	memcpy(ret, mnl_attr_get_payload(a), n);
	return true;
}

/* The address and port of one end of a tuple; of UDP alone. */
static bool read_end(const struct nlattr *tuple, int family, bool source, struct xb_plan_backend *ret)
{
	const struct nlattr *ip = nested(tuple, CTA_TUPLE_IP), *l4 = nested(tuple, CTA_TUPLE_PROTO);
	uint16_t addr = family == AF_INET ? source ? CTA_IP_V4_SRC : CTA_IP_V4_DST : source ? CTA_IP_V6_SRC : CTA_IP_V6_DST;
	struct xb_plan_backend b = {};
	__be16 port;
	__u8 proto;

	if (!read_bytes(nested(ip, addr), &b.addr, family == AF_INET ? 4 : 16) ||
	    !read_bytes(nested(l4, CTA_PROTO_NUM), &proto, sizeof(proto)) || proto != IPPROTO_UDP ||
	    !read_bytes(nested(l4, source ? CTA_PROTO_SRC_PORT : CTA_PROTO_DST_PORT), &port, sizeof(port)))
		return false;
	b.port = ntohs(port);
	*ret = b;
	return true;
}

static bool same(const struct xb_plan_backend *a, const struct xb_plan_backend *b)
{
	return !memcmp(&a->addr, &b->addr, sizeof(a->addr)) && a->port == b->port;
}

bool nft_flow_read(const struct nlmsghdr *h, int family, struct nft_flow *ret)
{
	struct nft_flow f = {};

	if (h->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg) || h->nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK ||
	    !read_end(attr(h, CTA_TUPLE_ORIG), family, false, &f.to) || !read_end(attr(h, CTA_TUPLE_REPLY), family, true, &f.by) ||
	    same(&f.to, &f.by))
		return false;
	*ret = f;
	return true;
}

struct search {
	int family;
	const struct xb_plan_backend *by;
	bool (*stale)(void *arg, const struct nft_flow *f);
	void *arg;
	struct xb_buf deletions;
	int n;
};

static struct nlmsghdr *begin(void *buf, int family, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	nfg = mnl_nlmsg_put_extra_header(h, sizeof(*nfg));
	nfg->nfgen_family = (__u8)family;
	nfg->version = NFNETLINK_V0;
	return h;
}

/* By its number as well: not one that took its place. */
static void add_deletion(struct search *s, const struct nlmsghdr *entry)
{
	static const uint16_t which[] = { CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID };
	char buf[1024] __attribute__((aligned(8)));
	struct nlmsghdr *h = begin(buf, s->family, IPCTNL_MSG_CT_DELETE, 0);

	for (size_t i = 0; i < ARRAY_SIZE(which); i++) {
		const struct nlattr *a = attr(entry, which[i]);

		if (a && !mnl_attr_put_check(h, sizeof(buf), a->nla_type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a)))
			return;
	}
	xb_buf_add(&s->deletions, h, NLMSG_ALIGN(h->nlmsg_len));
	s->n++;
}

static int look(void *arg, const struct nlmsghdr *h)
{
	struct search *s = arg;
	struct nft_flow f;

	if (nft_flow_read(h, s->family, &f) && same(&f.by, s->by) && s->stale(s->arg, &f))
		add_deletion(s, h);
	return 0;
}

static struct nlmsghdr *request(void *buf, const struct search *s)
{
	struct nlmsghdr *h = begin(buf, s->family, IPCTNL_MSG_CT_GET, NLM_F_DUMP);
	struct nlattr *tuple = mnl_attr_nest_start(h, CTA_TUPLE_REPLY), *part = mnl_attr_nest_start(h, CTA_TUPLE_IP);

	mnl_attr_put(h, s->family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, s->family == AF_INET ? 4 : 16, &s->by->addr);
	mnl_attr_nest_end(h, part);
	part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons(s->by->port));
	mnl_attr_nest_end(h, part);
	mnl_attr_nest_end(h, tuple);
	part = mnl_attr_nest_start(h, CTA_FILTER);
	mnl_attr_put_u32(h, CTA_FILTER_ORIG_FLAGS, 0);
	mnl_attr_put_u32(h, CTA_FILTER_REPLY_FLAGS, FILTER_SRC | FILTER_PROTO | FILTER_SRC_PORT);
	mnl_attr_nest_end(h, part);
	return h;
}

int nft_flows_end(struct xb_netlink *n, int family, const struct xb_plan_backend *by, bool (*stale)(void *arg, const struct nft_flow *f),
		  void *arg)
{
	struct search s = { .family = family, .by = by, .stale = stale, .arg = arg };
	char buf[512] __attribute__((aligned(8)));
	int r = xb_netlink_ask(n, request(buf, &s), look, &s);

	/* A table that changes under the search is the rule; what is new in it went elsewhere. */
	if (r == -EINTR)
		r = 0;
	if (!r && s.deletions.n)
		r = s.deletions.err ? s.deletions.err : xb_netlink_send(n, s.deletions.p, s.deletions.n);
	xb_buf_done(&s.deletions);
	/* One that ended by itself meanwhile. */
	return r < 0 && r != -ENOENT ? r : s.n;
}
