/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "stale_destroy.h"
#include "xb/macro.h"

#define TIMEOUT_SECONDS 2

/* Those of one network namespace. */
struct group {
	const struct xb_stale *v;
	size_t n;
	int netns;                  /* -1: not found yet */
};

static int netns_order(const void *x, const void *y)
{
	const struct xb_stale *a = x, *b = y;

	return (a->netns > b->netns) - (a->netns < b->netns);
}

static size_t make_groups(struct xb_stale *list, size_t n, struct group *ret)
{
	size_t groups = 0;

	qsort(list, n, sizeof(*list), netns_order);
	for (size_t i = 0; i < n; i++) {
		if (!i || list[i].netns != list[i - 1].netns)
			ret[groups++] = (struct group){ .v = &list[i], .netns = -1 };
		ret[groups - 1].n++;
	}
	return groups;
}

static bool look_in(const char *path, struct group *groups, size_t n)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (groups[i].v->netns != st.st_ino || groups[i].netns >= 0)
			continue;
		groups[i].netns = open(path, O_RDONLY | O_CLOEXEC);
		return groups[i].netns >= 0;
	}
	return false;
}

/* Finds the namespaces by the processes that are in them. */
static void find_namespaces(struct group *groups, size_t n)
{
	size_t found = look_in("/proc/thread-self/ns/net", groups, n);
	DIR *d = found < n ? opendir("/proc") : NULL;
	struct dirent *e;

	while (d && found < n && (e = readdir(d))) {
		char path[64];

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/ns/net", e->d_name);
		found += look_in(path, groups, n);
	}
	if (d)
		closedir(d);
}

/* A socket stays in the namespace that it was made in. */
static int diag_socket(int netns, int home, int *ret)
{
	static const struct timeval timeout = { .tv_sec = TIMEOUT_SECONDS };
	_cleanup_close_ int fd = -1;

	if (setns(netns, CLONE_NEWNET) < 0)
		return -errno;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	/* a thread of the pool that stayed there would do others' work in the wrong place */
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

static bool is_mapped(const union xb_ip6 *addr)
{
	return !addr->word[0] && addr->be32[2] == htonl(0xffff);
}

static void put_request(char *buffer, const struct xb_stale *s, __u32 seq)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *req;

	h->nlmsg_type = SOCK_DESTROY;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = seq;
	req = mnl_nlmsg_put_extra_header(h, sizeof(*req));
	req->sdiag_protocol = IPPROTO_UDP;
	req->idiag_states = ~0u;
	req->id.idiag_sport = htons(s->sport);
	req->id.idiag_dport = htons(s->dport);
	req->id.idiag_if = s->ifindex;
	req->id.idiag_cookie[0] = (__u32)s->cookie;
	req->id.idiag_cookie[1] = (__u32)(s->cookie >> 32);
	if (is_mapped(&s->dst)) {
		req->sdiag_family = AF_INET;
		req->id.idiag_src[0] = s->src.be32[3];
		req->id.idiag_dst[0] = s->dst.be32[3];
	} else {
		req->sdiag_family = AF_INET6;
		memcpy(req->id.idiag_src, &s->src, sizeof(s->src));
		memcpy(req->id.idiag_dst, &s->dst, sizeof(s->dst));
	}
}

static int destroy(int diag, const struct xb_stale *s, __u32 seq)
{
	char buffer[512] __attribute__((aligned(8))) = {};
	const struct nlmsghdr *h = (const struct nlmsghdr *)buffer;
	const struct nlmsgerr *answer;
	ssize_t n;

	put_request(buffer, s, seq);
	if (send(diag, buffer, h->nlmsg_len, 0) < 0)
		return -errno;
	n = recv(diag, buffer, sizeof(buffer), 0);
	if (n < 0)
		return -errno;
	if (!mnl_nlmsg_ok(h, (int)n) || h->nlmsg_type != NLMSG_ERROR || h->nlmsg_seq != seq ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(*answer))
		return -EBADMSG;
	answer = mnl_nlmsg_get_payload(h);
	return answer->error;
}

static int destroy_group(const struct group *g, int home, __u64 *destroyed)
{
	_cleanup_close_ int diag = -1;
	int r, worst = 0;

	if (g->netns < 0)
		return -ESRCH;
	r = diag_socket(g->netns, home, &diag);
	for (size_t i = 0; i < g->n && r == 0; i++) {
		int one = destroy(diag, &g->v[i], (__u32)i + 1);

		*destroyed += one == 0;
		/* -ENOENT: it has gone, or is connected elsewhere */
		if (one < 0 && one != -ENOENT && !worst)
			worst = one;
	}
	return r < 0 ? r : worst;
}

int stale_destroy(struct xb_stale *list, size_t n, __u64 *destroyed)
{
	_cleanup_free_ struct group *groups = calloc(n + 1, sizeof(*groups));
	_cleanup_close_ int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	size_t n_groups;
	int worst = 0;

	if (!groups)
		return -ENOMEM;
	if (home < 0)
		return -errno;
	n_groups = make_groups(list, n, groups);
	find_namespaces(groups, n_groups);
	for (size_t i = 0; i < n_groups; i++) {
		int r = destroy_group(&groups[i], home, destroyed);

		if (r < 0 && !worst)
			worst = r;
		xb_closep(&groups[i].netns);
	}
	return worst;
}
