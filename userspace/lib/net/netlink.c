/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include "netlink.h"

/* Not in the libc's headers. */
#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif
#define BATCH_BYTES (16 << 20)

struct xb_netlink {
	struct mnl_socket *socket;
	uint32_t seq, fault_seq;
	char why[256];
	_Alignas(struct nlmsghdr) char out[4096];
	_Alignas(struct nlmsghdr) char in[32768];
};

static int open_bus(int bus, struct xb_netlink **ret)
{
	_cleanup_(xb_netlink_freep) struct xb_netlink *n = malloc(sizeof(*n));
	int on = 1, batch = BATCH_BYTES;

	if (!n)
		return -ENOMEM;
	n->seq = n->fault_seq = 0;
	n->why[0] = '\0';
	n->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!n->socket || mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* Words instead of numbers, and answers without a copy of the question: since Linux 4.12. */
	mnl_socket_setsockopt(n->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(n->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	if (bus == NETLINK_ROUTE)
		mnl_socket_setsockopt(n->socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	else
		setsockopt(mnl_socket_get_fd(n->socket), SOL_SOCKET, SO_SNDBUFFORCE, &batch, sizeof(batch));
	*ret = TAKE_PTR(n);
	return 0;
}

int xb_netlink_new(struct xb_netlink **ret)
{
	return open_bus(NETLINK_ROUTE, ret);
}

int xb_netlink_new_netfilter(struct xb_netlink **ret)
{
	return open_bus(NETLINK_NETFILTER, ret);
}

struct xb_netlink *xb_netlink_free(struct xb_netlink *n)
{
	if (n && n->socket)
		mnl_socket_close(n->socket);
	free(n);
	return NULL;
}

const char *xb_netlink_why(const struct xb_netlink *n, int r)
{
	return n->why[0] ? n->why : strerror(-r);
}

uint32_t xb_netlink_portid(const struct xb_netlink *n)
{
	return mnl_socket_get_portid(n->socket);
}

uint32_t xb_netlink_fault_seq(const struct xb_netlink *n)
{
	return n->fault_seq;
}

uint32_t xb_netlink_next_seq(struct xb_netlink *n)
{
	return ++n->seq;
}

struct nlmsghdr *netlink_begin(struct xb_netlink *n, uint16_t type, uint16_t flags, const void *header, size_t bytes)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(n->out);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = xb_netlink_next_seq(n);
	memcpy(mnl_nlmsg_put_extra_header(h, bytes), header, bytes);
	return h;
}

/* An acknowledgement: the errno, with the kernel's words in n->why. */
static int read_ack(struct xb_netlink *n, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1] = {};
	size_t header = sizeof(*e);

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*e))
		return -EBADMSG;
	if (e->error && (h->nlmsg_flags & NLM_F_ACK_TLVS)) {
		if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof(e->msg))
			header += e->msg.nlmsg_len - sizeof(e->msg);
		if (netlink_attrs(h, header, attrs, NLMSGERR_ATTR_MAX))
			netlink_text(attrs[NLMSGERR_ATTR_MSG], n->why, sizeof(n->why));
	}
	return e->error;
}

struct answer {
	int (*each)(void *arg, const struct nlmsghdr *h);
	void *arg;
	uint32_t seq;
	int r;                      /* the fault */
	int told;                   /* what each returned: nothing more is told */
	bool interrupted, done;
};

static void read_answer(struct xb_netlink *n, const struct nlmsghdr *h, struct answer *a)
{
	if (h->nlmsg_seq != a->seq)
		return;
	a->interrupted |= h->nlmsg_flags & NLM_F_DUMP_INTR;
	if (h->nlmsg_type == NLMSG_ERROR) {
		a->r = read_ack(n, h);
		a->done = true;
	} else if (h->nlmsg_type == NLMSG_DONE) {
		if (mnl_nlmsg_get_payload_len(h) >= sizeof(int))
			a->r = *(const int *)mnl_nlmsg_get_payload(h);
		a->done = true;
	} else if (a->each && !a->told) {
		a->told = a->each(a->arg, h);
	}
}

int netlink_run(struct xb_netlink *n, struct nlmsghdr *h, int (*each)(void *arg, const struct nlmsghdr *h), void *arg)
{
	struct answer a = { .each = each, .arg = arg, .seq = h->nlmsg_seq };

	n->why[0] = '\0';
	/* A dump, which ends otherwise, sends none all the same. */
	h->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(n->socket, h, h->nlmsg_len) < 0)
		return -errno;
	/* To the end in every case: what is left would be in the way of the next request. */
	while (!a.done) {
		ssize_t got = mnl_socket_recvfrom(n->socket, n->in, sizeof(n->in));
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		for (const struct nlmsghdr *m = (void *)n->in; !a.done && mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			read_answer(n, m, &a);
	}
	return a.r ? a.r : a.told ? a.told : a.interrupted ? -EINTR : 0;
}

int xb_netlink_ask(struct xb_netlink *n, struct nlmsghdr *request, int (*each)(void *arg, const struct nlmsghdr *h), void *arg)
{
	request->nlmsg_flags |= NLM_F_REQUEST;
	request->nlmsg_seq = xb_netlink_next_seq(n);
	return netlink_run(n, request, each, arg);
}

int xb_netlink_send(struct xb_netlink *n, const void *messages, size_t bytes)
{
	int r = 0;

	n->why[0] = '\0';
	n->fault_seq = 0;
	if (mnl_socket_sendto(n->socket, messages, bytes) < 0)
		return -errno;
	/* The kernel has done it all when that returns, and its answers wait: only faults, as no acknowledgement is asked for. */
	for (;;) {
		ssize_t got = recv(mnl_socket_get_fd(n->socket), n->in, sizeof(n->in), MSG_DONTWAIT);
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? r : r ? r : -errno;
		for (const struct nlmsghdr *m = (void *)n->in; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			if (m->nlmsg_type == NLMSG_ERROR && !r) {
				r = read_ack(n, m);
				n->fault_seq = r ? m->nlmsg_seq : 0;
			}
	}
}

/* --- attributes --- */
bool netlink_attrs(const struct nlmsghdr *h, size_t header, const struct nlattr **by_type, unsigned max)
{
	const struct nlattr *a;

	if (h->nlmsg_len < MNL_NLMSG_HDRLEN + header)
		return false;
	mnl_attr_for_each(a, h, header)
		if (mnl_attr_get_type(a) <= max)
			by_type[mnl_attr_get_type(a)] = a;
	return true;
}

void netlink_nested(const struct nlattr *nest, const struct nlattr **by_type, unsigned max)
{
	const struct nlattr *a;

	if (!nest)
		return;
	mnl_attr_for_each_nested(a, nest)
		if (mnl_attr_get_type(a) <= max)
			by_type[mnl_attr_get_type(a)] = a;
}

uint32_t netlink_u32(const struct nlattr *a)
{
	return a && mnl_attr_get_payload_len(a) == 4 ? mnl_attr_get_u32(a) : 0;
}

void netlink_text(const struct nlattr *a, char *ret, size_t size)
{
	if (a)
		snprintf(ret, size, "%.*s", (int)mnl_attr_get_payload_len(a), (const char *)mnl_attr_get_payload(a));
}

void netlink_mac(const struct nlattr *a, unsigned char ret[6])
{
	if (a && mnl_attr_get_payload_len(a) == 6)
		memcpy(ret, mnl_attr_get_payload(a), 6);
}

struct xb_ip netlink_ip(const struct nlattr *a)
{
	struct xb_ip ip = {};
	size_t n = a ? mnl_attr_get_payload_len(a) : 0;

	if (n == 4 || n == 16) {
		ip.family = n == 4 ? AF_INET : AF_INET6;
		memcpy(ip.b, mnl_attr_get_payload(a), n);
	}
	return ip;
}
