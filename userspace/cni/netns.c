/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#include "netns.h"

int netns_enter(const char *path, struct netns *ret, struct cni_fault *f)
{
	struct netns n = { .home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), .pod = open(path, O_RDONLY | O_CLOEXEC) };
	int r = 0;

	if (n.pod < 0 && (errno == ENOENT || errno == ENOTDIR))
		r = cni_fault(f, CNI_NO_CONTAINER, "CNI_NETNS: there is no %s", path);
	else if (n.pod < 0)
		r = cni_fault(f, CNI_ENVIRONMENT, "CNI_NETNS: cannot open %s: %m", path);
	else if (n.home < 0)
		r = cni_fault(f, CNI_NETWORK, "cannot open the node's network namespace: %m");
	else if (setns(n.pod, CLONE_NEWNET) < 0)
		r = cni_fault(f, CNI_ENVIRONMENT, "CNI_NETNS: %s is not a network namespace: %m", path);
	if (r) {
		netns_done(&n);
		return r;
	}
	n.inside = true;
	*ret = n;
	return 0;
}

void netns_leave(struct netns *n)
{
	if (n->inside && setns(n->home, CLONE_NEWNET) < 0)
		abort(); /* to go on here would be to set up the node in the pod */
	n->inside = false;
}

void netns_done(struct netns *n)
{
	netns_leave(n);
	if (n->home >= 0)
		close(n->home);
	if (n->pod >= 0)
		close(n->pod);
	n->home = n->pod = -1;
}

int netns_fault(struct cni_fault *f, const struct xb_netlink *n, int r, const char *fmt, ...)
{
	_cleanup_free_ char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	return cni_fault(f, CNI_NETWORK, "%s: %s", what ? what : "", n ? xb_netlink_why(n, r) : strerror(-r));
}
