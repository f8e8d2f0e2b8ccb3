/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "beneath.h"
#include "hosts.h"

#define LABEL_LEN 63

static void add_loopback(struct xb_buf *out)
{
	xb_buf_adds(out, "# Kubernetes-managed hosts file.\n"
			 "127.0.0.1\tlocalhost\n"
			 "::1\tlocalhost ip6-localhost ip6-loopback\n"
			 "fe00::0\tip6-localnet\n"
			 "fe00::0\tip6-mcastprefix\n"
			 "fe00::1\tip6-allnodes\n"
			 "fe00::2\tip6-allrouters\n");
}

static struct xb_sv hostname_of(struct xb_jv pod)
{
	struct xb_sv name = xb_jv_text(xb_jv_path(pod, "spec", "hostname"));

	if (!name.n)
		name = xb_jv_text(xb_jv_path(pod, "metadata", "name"));
	name.n = MIN(name.n, LABEL_LEN);
	while (name.n && strchr("-.", name.p[name.n - 1]))
		name.n--;
	return name;
}

static void add_own(struct xb_jv pod, const char *ip, const char *cluster_domain, struct xb_buf *out)
{
	struct xb_sv name = hostname_of(pod), subdomain = xb_jv_text(xb_jv_path(pod, "spec", "subdomain"));
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(pod, "metadata", "namespace"));

	if (subdomain.n)
		xb_buf_addf(out, "%s\t%.*s.%.*s.%.*s.svc.%s\t%.*s\n", ip, XB_SV_ARG(name), XB_SV_ARG(subdomain), XB_SV_ARG(namespace_),
			    cluster_domain, XB_SV_ARG(name));
	else
		xb_buf_addf(out, "%s\t%.*s\n", ip, XB_SV_ARG(name));
}

static void add_aliases(struct xb_jv aliases, struct xb_buf *out)
{
	if (!xb_jv_count(aliases))
		return;
	xb_buf_adds(out, "\n# Entries added by HostAliases.\n");
	for (struct xb_jit it = xb_jv_iter(aliases); xb_jit_next(&it);) {
		xb_buf_addsv(out, xb_jv_text(xb_jv_get(it.value, "ip")));
		for (struct xb_jit name = xb_jv_iter(xb_jv_get(it.value, "hostnames")); xb_jit_next(&name);) {
			xb_buf_addc(out, '\t');
			xb_buf_addsv(out, xb_jv_text(name.value));
		}
		xb_buf_addc(out, '\n');
	}
}

void hosts_write(struct xb_jv pod, const char *const *pod_ips, const char *cluster_domain, struct xb_sv node, struct xb_buf *out)
{
	struct xb_jv spec = xb_jv_get(pod, "spec");

	if (xb_jv_true(xb_jv_get(spec, "hostNetwork"))) {
		xb_buf_adds(out, "# Kubernetes-managed hosts file (host network).\n");
		xb_buf_addsv(out, node);
	} else {
		add_loopback(out);
		for (const char *const *ip = pod_ips; ip && *ip; ip++)
			add_own(pod, *ip, cluster_domain, out);
	}
	add_aliases(xb_jv_get(spec, "hostAliases"), out);
}

static bool holds(int fd, struct xb_sv text)
{
	_cleanup_free_ char *now = malloc(text.n + 1);

	return now && pread(fd, now, text.n + 1, 0) == (ssize_t)text.n && !memcmp(now, text.p, text.n);
}

int hosts_store(int dir, const char *name, struct xb_sv text)
{
	_cleanup_close_ int fd = beneath_open(dir, name, O_RDWR | O_CREAT | O_NONBLOCK, 0644);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || fchmod(fd, 0644) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (holds(fd, text))
		return 0;
	if (ftruncate(fd, 0) < 0)
		return -errno;
	n = pwrite(fd, text.p, text.n, 0);
	return n < 0 ? -errno : (size_t)n < text.n ? -ENOSPC : 0;
}
