/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_NETLINK_H
#define XB_NETLINK_H
/*
 * Links, addresses, routes and neighbours of one network namespace by rtnetlink(7). Requests block until the kernel has
 * answered, some 10 us each, so they may be made from a loop's handlers. 0 or -errno; what the kernel says besides
 * (extended acknowledgement) is kept for xb_netlink_why. One thread.
 */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <uv.h>
#include "xb/ip.h"

struct nlmsghdr;
struct xb_netlink;
/* For the network namespace of the calling thread; it stays with that one when the thread goes elsewhere. */
int xb_netlink_new(struct xb_netlink **ret);
int xb_netlink_new_netfilter(struct xb_netlink **ret); /* the same for netfilter, for messages made elsewhere alone */
struct xb_netlink *xb_netlink_free(struct xb_netlink *n);
XB_DEFINE_CLEANUP(struct xb_netlink *, xb_netlink_free)
/* What was wrong with the last request that failed, for r, which it returned: the kernel's own words, else errno's. */
const char *xb_netlink_why(const struct xb_netlink *n, int r);
uint32_t xb_netlink_portid(const struct xb_netlink *n); /* in nlmsg_pid of most notices that n's requests cause (not of links) */

/* --- links --- */
struct xb_link {
	uint32_t ifindex, mtu;
	char name[IFNAMSIZ];
	char kind[16];              /* "veth", "vxlan"; "" for a device that is none of the kernel's making */
	uint16_t hw_type;           /* ARPHRD_ETHER, ARPHRD_NONE, ... */
	unsigned flags;             /* IFF_UP, IFF_LOWER_UP, IFF_LOOPBACK */
	unsigned char mac[6];
	uint32_t peer;              /* IFLA_LINK: of a veth, the other's index in its own namespace */
	uint32_t xdp;               /* id of the XDP program; 0: none */
	struct xb_vxlan {           /* of kind vxlan */
		uint32_t vni;
		uint16_t port;          /* host order */
		uint32_t underlay;      /* index of the link below; 0: by the routes */
		struct xb_ip local;
		bool learning;
	} vxlan;
};
struct xb_veth {
	const char *name, *peer_name;
	const unsigned char *mac, *peer_mac; /* of 6 bytes; set, they are left alone by udev's MACAddressPolicy */
	int peer_netns_fd;                   /* the namespace in which the peer is made */
	uint32_t mtu;                        /* of both */
};
int xb_netlink_add_veth(struct xb_netlink *n, const struct xb_veth *v);             /* -EEXIST when either name is in use */
int xb_netlink_add_vxlan(struct xb_netlink *n, const char *name, const unsigned char mac[6], uint32_t mtu, const struct xb_vxlan *v);
int xb_netlink_add_bridge(struct xb_netlink *n, const char *name);                  /* -EEXIST */
int xb_netlink_set_master(struct xb_netlink *n, uint32_t ifindex, uint32_t bridge); /* a port of it; 0: of none */
int xb_netlink_set_up(struct xb_netlink *n, uint32_t ifindex, bool up);
int xb_netlink_set_mtu(struct xb_netlink *n, uint32_t ifindex, uint32_t mtu);
int xb_netlink_rename(struct xb_netlink *n, uint32_t ifindex, const char *name);    /* the link must be down */
int xb_netlink_del_link(struct xb_netlink *n, uint32_t ifindex);
int xb_netlink_find_link(struct xb_netlink *n, const char *name, struct xb_link *ret); /* -ENODEV */
int xb_netlink_get_link(struct xb_netlink *n, uint32_t ifindex, struct xb_link *ret);  /* -ENODEV */

/* --- addresses --- */
struct xb_ifaddr {
	uint32_t ifindex;
	struct xb_net net;
	unsigned char scope;        /* RT_SCOPE_UNIVERSE, _LINK, _HOST */
};
int xb_netlink_set_addr(struct xb_netlink *n, const struct xb_ifaddr *a);           /* adds or keeps; no duplicate address detection */
int xb_netlink_del_addr(struct xb_netlink *n, const struct xb_ifaddr *a);

/* --- routes --- */
struct xb_route {
	struct xb_net dst;
	struct xb_ip gateway, src;  /* AF_UNSPEC: none */
	uint32_t ifindex;
	uint32_t table;             /* 0: RT_TABLE_MAIN */
	unsigned char protocol;     /* who made it; 0: RTPROT_STATIC */
	unsigned char type;         /* 0: RTN_UNICAST */
	unsigned char scope;        /* IPv4; RT_SCOPE_LINK for what is on the link */
	bool onlink;                /* the gateway is on the link, whatever the routes say */
	uint32_t mtu;               /* 0: the link's */
};
int xb_netlink_add_route(struct xb_netlink *n, const struct xb_route *r);           /* -EEXIST when there is one to r->dst, whoever's */
int xb_netlink_replace_route(struct xb_netlink *n, const struct xb_route *r);       /* adds, or takes the place of whatever is there */
int xb_netlink_del_route(struct xb_netlink *n, const struct xb_route *r);           /* alike in all that is set; -ESRCH */
int xb_netlink_route_to(struct xb_netlink *n, const struct xb_ip *ip, struct xb_route *ret); /* the one that a packet to ip takes */

/* --- neighbours, and forwarding entries of a VXLAN device, all permanent --- */
struct xb_neigh {
	uint32_t ifindex;
	struct xb_ip ip;            /* of a forwarding entry: the machine behind which mac is */
	unsigned char mac[6];
	bool forwarding;            /* an entry of the device's table (AF_BRIDGE, NTF_SELF), not of the neighbours' */
	bool permanent;             /* what was read is; what is set always is */
};
int xb_netlink_set_neigh(struct xb_netlink *n, const struct xb_neigh *e);           /* adds or replaces */
int xb_netlink_del_neigh(struct xb_netlink *n, const struct xb_neigh *e);           /* -ENOENT when there is none */

/* --- BPF programs on devices, as bpf filters of the clsact qdisc: where there is no tcx, which is before Linux 6.6 --- */
struct xb_filter {
	uint32_t ifindex;
	bool egress;
	uint16_t priority;          /* from 1; the least is asked first. All filters of one are of one kind and protocol */
	uint32_t handle;            /* among those of one priority */
	char kind[16];              /* "bpf", "flower" */
	char name[64];              /* of kind bpf, and so is program_id */
	uint32_t program_id;
};
int xb_netlink_add_clsact(struct xb_netlink *n, uint32_t ifindex);                  /* or keeps it. -EINVAL: an ingress qdisc is there */
int xb_netlink_del_clsact(struct xb_netlink *n, uint32_t ifindex);                  /* with all filters; -ENOENT */
/* For all protocols, direct-action. Takes the place of one with the same priority and handle, at once. */
int xb_netlink_set_filter(struct xb_netlink *n, const struct xb_filter *f, int program_fd);
int xb_netlink_del_filter(struct xb_netlink *n, const struct xb_filter *f);         /* -ENOENT */

/* Every one there is. each returns 0 to go on; anything else ends it and is returned; it makes no requests on n. -EINTR: there were
 * changes meanwhile, so one may have been missed or told twice. */
int xb_netlink_each_link(struct xb_netlink *n, int (*each)(void *arg, const struct xb_link *l), void *arg);
int xb_netlink_each_addr(struct xb_netlink *n, uint32_t ifindex, int (*each)(void *arg, const struct xb_ifaddr *a), void *arg);
/* family: AF_INET or AF_INET6; protocol and ifindex: 0 for all. The kernel picks them. Main table. */
int xb_netlink_each_route(struct xb_netlink *n, int family, unsigned char protocol, uint32_t ifindex,
			  int (*each)(void *arg, const struct xb_route *r), void *arg);
int xb_netlink_each_neigh(struct xb_netlink *n, uint32_t ifindex, bool forwarding, int (*each)(void *arg, const struct xb_neigh *e),
			  void *arg);
/* In the order in which they are asked; none where there is no clsact. */
int xb_netlink_each_filter(struct xb_netlink *n, uint32_t ifindex, bool egress, int (*each)(void *arg, const struct xb_filter *f),
			   void *arg);

/* Messages made elsewhere, one behind the other, sent at once: a batch of netfilter's, which holds as a whole or not at all. The
 * first fault of any. */
int xb_netlink_send(struct xb_netlink *n, const void *messages, size_t bytes);
uint32_t xb_netlink_fault_seq(const struct xb_netlink *n); /* the number of the message that had that fault; 0: no message's */
/* One request made elsewhere, and each message of the answer to it. As xb_netlink_each_link() otherwise; -EINTR too. */
int xb_netlink_ask(struct xb_netlink *n, struct nlmsghdr *request, int (*each)(void *arg, const struct nlmsghdr *h), void *arg);
uint32_t xb_netlink_next_seq(struct xb_netlink *n); /* a number for such a message */

/* --- reading notices --- */
/* What a message of the kernel says; -EBADMSG when it is not what the function reads. Outside bytes: nothing is trusted. */
int xb_netlink_read_link(const struct nlmsghdr *h, struct xb_link *ret);
int xb_netlink_read_addr(const struct nlmsghdr *h, struct xb_ifaddr *ret);
int xb_netlink_read_route(const struct nlmsghdr *h, struct xb_route *ret);
int xb_netlink_read_neigh(const struct nlmsghdr *h, struct xb_neigh *ret);
int xb_netlink_read_filter(const struct nlmsghdr *h, struct xb_filter *ret);

struct xb_netlink_monitor;
struct xb_netlink_monitor_config {
	uv_loop_t *loop;
	int bus;                    /* NETLINK_ROUTE, NETLINK_NETFILTER */
	const unsigned *groups;     /* RTNLGRP_...; ended by 0 */
	uint32_t ignore;            /* xb_netlink_portid of one whose doing is not told, where the kernel says whose it was; 0: none */
	void (*notice)(void *arg, const struct nlmsghdr *h); /* borrowed */
	void (*lost)(void *arg);    /* the socket's buffer ran over: notices were lost, look anew */
	void *arg;
};
/* Notices from now on. Neither callback may free the monitor. */
int xb_netlink_monitor_new(const struct xb_netlink_monitor_config *c, struct xb_netlink_monitor **ret);
struct xb_netlink_monitor *xb_netlink_monitor_free(struct xb_netlink_monitor *m); /* its handle is gone after one more turn of the loop */
XB_DEFINE_CLEANUP(struct xb_netlink_monitor *, xb_netlink_monitor_free)

#endif
