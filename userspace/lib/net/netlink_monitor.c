/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/filter.h>

#include "netlink.h"

struct xb_netlink_monitor {
	struct xb_netlink_monitor_config c;
	struct mnl_socket *socket;
	uv_poll_t poll;
	_Alignas(struct nlmsghdr) char in[16384];
};

static void on_readable(uv_poll_t *h, int error, int events)
{
	struct xb_netlink_monitor *m = h->data;

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(m->socket, m->in, sizeof(m->in));
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		/* ENOBUFS, or longer than any notice that is of use. */
		if (got < 0)
			m->c.lost(m->c.arg);
		for (const struct nlmsghdr *n = (void *)m->in; got > 0 && mnl_nlmsg_ok(n, left); n = mnl_nlmsg_next(n, &left))
			m->c.notice(m->c.arg, n);
	}
}

/* By the first message, as what comes together has one cause. Filters read in network order. */
static int ignore(int fd, uint32_t portid)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(portid), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static void closed(uv_handle_t *h)
{
	struct xb_netlink_monitor *m = h->data;

	mnl_socket_close(m->socket);
	free(m);
}

struct xb_netlink_monitor *xb_netlink_monitor_free(struct xb_netlink_monitor *m)
{
	if (m)
		uv_close((uv_handle_t *)&m->poll, closed);
	return NULL;
}

int xb_netlink_monitor_new(const struct xb_netlink_monitor_config *c, struct xb_netlink_monitor **ret)
{
	struct xb_netlink_monitor *m = malloc(sizeof(*m));
	int r = 0;

	if (!m)
		return -ENOMEM;
	m->c = *c;
	m->c.groups = NULL;
	m->poll.data = m;
	m->socket = mnl_socket_open2(c->bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!m->socket || mnl_socket_bind(m->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		r = -errno;
	if (!r && c->ignore)
		r = ignore(mnl_socket_get_fd(m->socket), c->ignore);
	for (const unsigned *group = c->groups; !r && *group; group++)
		if (mnl_socket_setsockopt(m->socket, NETLINK_ADD_MEMBERSHIP, (void *)group, sizeof(*group)) < 0)
			r = -errno;
	if (!r)
		r = uv_poll_init(c->loop, &m->poll, mnl_socket_get_fd(m->socket));
	if (r < 0) {
		if (m->socket)
			mnl_socket_close(m->socket);
		free(m);
		return r;
	}
	uv_poll_start(&m->poll, UV_READABLE, on_readable);
	*ret = m;
	return 0;
}
