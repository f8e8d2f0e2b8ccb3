/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "xb/addrs.h"
#include "xb/vec.h"

struct xb_addrs {
	struct mnl_socket *socket;
	uv_poll_t poll;
	void (*changed)(void *arg);
	void *arg;
	XB_VEC(struct xb_addr) all;
	bool touched;               /* by the messages read last */
};

static int take_attr(const struct nlattr *attr, void *arg)
{
	const struct nlattr **by_type = arg;

	if (mnl_attr_type_valid(attr, IFA_MAX) > 0)
		by_type[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

/* IFA_LOCAL is our end of a point-to-point link, where IFA_ADDRESS is the other's. */
static bool read_addr(const struct nlmsghdr *h, struct xb_addr *ret)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *attrs[IFA_MAX + 1] = {}, *from;
	struct xb_addr addr = { .family = m->ifa_family, .ifindex = m->ifa_index, .scope = m->ifa_scope };
	size_t n = m->ifa_family == AF_INET ? 4 : 16;

	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return false;
	mnl_attr_parse(h, sizeof(*m), take_attr, attrs);
	from = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!from || mnl_attr_get_payload_len(from) != n)
		return false;
	memcpy(addr.b, mnl_attr_get_payload(from), n);
	*ret = addr;
	return true;
}

static bool same(const struct xb_addr *x, const struct xb_addr *y)
{
	return x->family == y->family && x->ifindex == y->ifindex && x->scope == y->scope && !memcmp(x->b, y->b, sizeof(x->b));
}

static int take_message(const struct nlmsghdr *h, void *arg)
{
	struct xb_addrs *a = arg;
	struct xb_addr addr;
	size_t i = 0;

	if ((h->nlmsg_type != RTM_NEWADDR && h->nlmsg_type != RTM_DELADDR) || !read_addr(h, &addr))
		return MNL_CB_OK;
	while (i < a->all.n && !same(&a->all.v[i], &addr))
		i++;
	if (h->nlmsg_type == RTM_NEWADDR && i == a->all.n) {
		if (xb_vec_push(&a->all, addr) < 0) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		a->touched = true;
	} else if (h->nlmsg_type == RTM_DELADDR && i < a->all.n) {
		xb_vec_remove(&a->all, i);
		a->touched = true;
	}
	return MNL_CB_OK;
}

static int dump(struct xb_addrs *a)
{
	_Alignas(struct nlmsghdr) char buf[32768];
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	ssize_t n;
	int r = 0;

	if (!s)
		return -errno;
	a->all.n = 0;
	a->touched = true;
	h->nlmsg_type = RTM_GETADDR;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = 1;
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifaddrmsg));
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		r = -errno;
	while (!r) {
		n = mnl_socket_recvfrom(s, buf, sizeof(buf));
		n = n < 0 ? -1 : mnl_cb_run(buf, n, 1, mnl_socket_get_portid(s), take_message, a);
		if (n <= MNL_CB_STOP) {
			r = n < 0 ? -errno : 0;
			break;
		}
	}
	mnl_socket_close(s);
	return r;
}

static void on_readable(uv_poll_t *h, int error, int events)
{
	struct xb_addrs *a = h->data;
	_Alignas(struct nlmsghdr) char buf[32768];

	a->touched = false;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(a->socket, buf, sizeof(buf));

		if (n < 0 && errno == EAGAIN)
			break;
		/* Notifications were lost (ENOBUFS) or cannot be kept: the whole truth again. */
		if ((n < 0 || mnl_cb_run(buf, n, 0, 0, take_message, a) < 0) && dump(a) < 0)
			break;
	}
	if (a->touched && a->changed)
		a->changed(a->arg);
}

static void closed(uv_handle_t *h)
{
	struct xb_addrs *a = h->data;

	mnl_socket_close(a->socket);
	xb_vec_done(&a->all);
	free(a);
}

struct xb_addrs *xb_addrs_free(struct xb_addrs *a)
{
	if (a)
		uv_close((uv_handle_t *)&a->poll, closed);
	return NULL;
}

int xb_addrs_new(uv_loop_t *loop, void (*changed)(void *arg), void *arg, struct xb_addrs **ret)
{
	struct xb_addrs *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->changed = changed;
	a->arg = arg;
	a->poll.data = a;
	a->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	r = a->socket && !mnl_socket_bind(a->socket, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, MNL_SOCKET_AUTOPID) ? 0 : -errno;
	/* Listening comes before the dump, so that nothing falls between the two. */
	if (!r)
		r = dump(a);
	if (!r)
		r = uv_poll_init(loop, &a->poll, mnl_socket_get_fd(a->socket));
	if (r < 0) {
		if (a->socket)
			mnl_socket_close(a->socket);
		xb_vec_done(&a->all);
		free(a);
		return r;
	}
	uv_poll_start(&a->poll, UV_READABLE, on_readable);
	*ret = a;
	return 0;
}

size_t xb_addrs_get(const struct xb_addrs *a, const struct xb_addr **ret)
{
	*ret = a->all.v;
	return a->all.n;
}
