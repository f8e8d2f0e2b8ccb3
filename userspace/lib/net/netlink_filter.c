/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <string.h>

#include "netlink.h"

/* Both directions of a device that has the clsact qdisc. */
static uint32_t parent_of(bool egress)
{
	return TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
}

static struct nlmsghdr *begin_qdisc(struct xb_netlink *n, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	struct tcmsg m = {
		.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_CLSACT, .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
	};
	struct nlmsghdr *h = netlink_begin(n, type, flags, &m, sizeof(m));

	mnl_attr_put_strz(h, TCA_KIND, "clsact");
	return h;
}

int xb_netlink_add_clsact(struct xb_netlink *n, uint32_t ifindex)
{
	return netlink_run(n, begin_qdisc(n, RTM_NEWQDISC, NLM_F_CREATE, ifindex), NULL, NULL);
}

int xb_netlink_del_clsact(struct xb_netlink *n, uint32_t ifindex)
{
	int r = netlink_run(n, begin_qdisc(n, RTM_DELQDISC, 0, ifindex), NULL, NULL);

	/* what it says when there is none at all, none there, or another kind */
	return r == -EINVAL ? -ENOENT : r;
}

static struct nlmsghdr *begin_filter(struct xb_netlink *n, uint16_t type, uint16_t flags, const struct xb_filter *f)
{
	struct tcmsg m = {
		.tcm_family = AF_UNSPEC, .tcm_ifindex = (int)f->ifindex, .tcm_parent = parent_of(f->egress), .tcm_handle = f->handle,
		.tcm_info = TC_H_MAKE((uint32_t)f->priority << 16, htons(f->priority ? ETH_P_ALL : 0)),
	};

	return netlink_begin(n, type, flags, &m, sizeof(m));
}

int xb_netlink_set_filter(struct xb_netlink *n, const struct xb_filter *f, int program_fd)
{
	struct nlmsghdr *h = begin_filter(n, RTM_NEWTFILTER, NLM_F_CREATE, f);
	struct nlattr *options;

	mnl_attr_put_strz(h, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(h, TCA_OPTIONS);
	mnl_attr_put_u32(h, TCA_BPF_FD, (uint32_t)program_fd);
	mnl_attr_put_strz(h, TCA_BPF_NAME, f->name);
	mnl_attr_put_u32(h, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(h, options);
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_del_filter(struct xb_netlink *n, const struct xb_filter *f)
{
	struct nlmsghdr *h = begin_filter(n, RTM_DELTFILTER, 0, f);

	mnl_attr_put_strz(h, TCA_KIND, "bpf");
	return netlink_run(n, h, NULL, NULL);
}

int xb_netlink_read_filter(const struct nlmsghdr *h, struct xb_filter *ret)
{
	const struct tcmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[TCA_MAX + 1] = {}, *bpf[TCA_BPF_MAX + 1] = {};
	struct xb_filter f = {};

	if ((h->nlmsg_type != RTM_NEWTFILTER && h->nlmsg_type != RTM_DELTFILTER) || !netlink_attrs(h, sizeof(*m), attrs, TCA_MAX))
		return -EBADMSG;
	f.ifindex = (uint32_t)m->tcm_ifindex;
	f.egress = m->tcm_parent == parent_of(true);
	f.priority = (uint16_t)(TC_H_MAJ(m->tcm_info) >> 16);
	f.handle = m->tcm_handle;
	netlink_text(attrs[TCA_KIND], f.kind, sizeof(f.kind));
	if (!strcmp(f.kind, "bpf")) {
		netlink_nested(attrs[TCA_OPTIONS], bpf, TCA_BPF_MAX);
		netlink_text(bpf[TCA_BPF_NAME], f.name, sizeof(f.name));
		f.program_id = netlink_u32(bpf[TCA_BPF_ID]);
	}
	*ret = f;
	return 0;
}

struct filters {
	int (*each)(void *arg, const struct xb_filter *f);
	void *arg;
};

/* A chain of filters is told before what is in it, with handle 0. */
static int tell_filter(void *arg, const struct nlmsghdr *h)
{
	const struct filters *w = arg;
	struct xb_filter f;
	int r = xb_netlink_read_filter(h, &f);

	return r < 0 ? r : f.handle ? w->each(w->arg, &f) : 0;
}

int xb_netlink_each_filter(struct xb_netlink *n, uint32_t ifindex, bool egress, int (*each)(void *arg, const struct xb_filter *f),
			   void *arg)
{
	struct xb_filter all = { .ifindex = ifindex, .egress = egress };

	return netlink_run(n, begin_filter(n, RTM_GETTFILTER, NLM_F_DUMP, &all), tell_filter, &(struct filters){ each, arg });
}
