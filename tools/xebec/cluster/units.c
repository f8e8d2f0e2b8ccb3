/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdarg.h>

#include "cgroup.h"
#include "units.h"
#include "../xalloc.h"

void words_add(struct words *w, const char *fmt, ...)
{
	va_list ap;
	char *word;

	va_start(ap, fmt);
	if (vasprintf(&word, fmt, ap) < 0)
		word = NULL;
	va_end(ap);
	w->v = xalloc(reallocarray(w->v, w->n + 2, sizeof(*w->v)));
	w->v[w->n++] = xalloc(word);
	w->v[w->n] = NULL;
}

void words_done(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	*w = (struct words){};
}

/* FLAG=FILE, of the cluster's folder or of the node's in it. */
static void add_file(struct words *w, const struct cluster *c, const char *flag, const char *file)
{
	words_add(w, "%s=%s/%s", flag, c->root, file);
}

static void add_node_file(struct words *w, const struct cluster *c, unsigned node, const char *flag, const char *file)
{
	words_add(w, "%s=%s/node-%u/%s", flag, c->root, node, file);
}

static void containerd(const struct cluster *c, unsigned node, struct words *w)
{
	words_add(w, "%s/xebec", c->bin);
	words_add(w, "containerd");
	words_add(w, "--name=%s", c->name);
	words_add(w, "--node=%u", node);
}

static void apiserver(const struct cluster *c, unsigned node, struct words *w)
{
	_cleanup_free_ char *ip = cluster_ip4(c, node);

	words_add(w, "%s/kube-apiserver", c->bin);
	words_add(w, "--bind-address=0.0.0.0");
	words_add(w, "--advertise-address=%s", ip);
	words_add(w, "--secure-port=%d", CLUSTER_API_PORT);
	words_add(w, "--service-cluster-ip-range=" CLUSTER_SERVICE_CIDRS);
	words_add(w, "--authorization-mode=Node,RBAC");
	words_add(w, "--kubelet-preferred-address-types=InternalIP");
	add_file(w, c, "--kubelet-certificate-authority", "pki/ca.crt");
	add_file(w, c, "--data-dir", "apiserver");
	add_file(w, c, "--cert-dir", "pki");
	add_file(w, c, "--kubeconfig-out", "admin.conf");
}

static void controller_manager(const struct cluster *c, unsigned node, struct words *w)
{
	words_add(w, "%s/kube-controller-manager", c->bin);
	add_file(w, c, "--kubeconfig", "controller-manager.conf");
	words_add(w, "--use-service-account-credentials");
	words_add(w, "--leader-elect=false");
	words_add(w, "--bind-address=127.0.0.1");
	words_add(w, "--allocate-node-cidrs");
	words_add(w, "--cluster-cidr=" CLUSTER_POD_CIDRS);
	words_add(w, "--service-cluster-ip-range=" CLUSTER_SERVICE_CIDRS);
	add_file(w, c, "--root-ca-file", "pki/ca.crt");
	add_file(w, c, "--cluster-signing-cert-file", "pki/ca.crt");
	add_file(w, c, "--cluster-signing-key-file", "pki/ca.key");
	words_add(w, "--enable-hostpath-provisioner");
}

static void scheduler(const struct cluster *c, unsigned node, struct words *w)
{
	words_add(w, "%s/kube-scheduler", c->bin);
	add_file(w, c, "--kubeconfig", "scheduler.conf");
	words_add(w, "--leader-elect=false");
	words_add(w, "--bind-address=127.0.0.1");
}

static void kubelet(const struct cluster *c, unsigned node, struct words *w)
{
	_cleanup_free_ char *ip4 = cluster_ip4(c, node), *ip6 = cluster_ip6(c, node), *cgroup = cluster_cgroup(c, node);
	_cleanup_free_ char *socket = cluster_node_run(c, node, "containerd.sock");

	words_add(w, "%s/kubelet", c->bin);
	words_add(w, "--hostname-override=node-%u", node);
	words_add(w, "--node-ip=%s,%s", ip4, ip6);
	words_add(w, "--container-runtime-endpoint=unix://%s", socket);
	words_add(w, "--cgroup-root=/%s", cgroup);
	add_node_file(w, c, node, "--config", "kubelet.yaml");
	add_node_file(w, c, node, "--kubeconfig", "kubelet.conf");
	add_node_file(w, c, node, "--root-dir", "kubelet");
}

static void proxy(const struct cluster *c, unsigned node, struct words *w)
{
	_cleanup_free_ char *cgroup = cluster_cgroup(c, node), *bpffs = cluster_node_run(c, node, "bpf"), *mount = NULL;

	cgroup_mount(&mount, NULL); /* without one nothing of a node starts */
	words_add(w, "%s/kube-proxy", c->bin);
	add_file(w, c, "--kubeconfig", "kube-proxy.conf");
	words_add(w, "--hostname-override=node-%u", node);
	words_add(w, "--cluster-cidr=" CLUSTER_POD_CIDRS);
	words_add(w, "--cgroup-path=%s/%s", mount ? mount : "", cgroup);
	words_add(w, "--bpffs-path=%s", bpffs);
	words_add(w, "--host-ports");
}

static void netd(const struct cluster *c, unsigned node, struct words *w)
{
	words_add(w, "%s/xebec-netd", c->bin);
	add_file(w, c, "--kubeconfig", "xebec-netd.conf");
	words_add(w, "--hostname-override=node-%u", node);
	words_add(w, "--cluster-cidr=" CLUSTER_POD_CIDRS);
	add_node_file(w, c, node, "--cni-conf-dir", "cni/net.d");
	add_node_file(w, c, node, "--cni-data-dir", "cni/addresses");
	words_add(w, "--cni-bin-dir=%s", c->bin);
}

static void registry(const struct cluster *c, unsigned node, struct words *w)
{
	_cleanup_free_ char *ip = cluster_ip4(c, node);

	words_add(w, "%s/xebec", c->bin);
	words_add(w, "images");
	words_add(w, "serve");
	words_add(w, "--listen=%s:%d", ip, CLUSTER_REGISTRY_PORT);
}

static char *containerd_answers(const struct cluster *c, unsigned node)
{
	_cleanup_free_ char *socket = cluster_node_run(c, node, "containerd.sock");

	return xprintf("unix:%s", socket);
}

static char *apiserver_answers(const struct cluster *c, unsigned node)
{
	_cleanup_free_ char *ip = cluster_ip4(c, node);

	return xprintf("%s:%d", ip, CLUSTER_API_PORT);
}

const struct unit_row unit_rows[] = {
	{ .name = "kube-apiserver", .control = true, .command = apiserver, .answers = apiserver_answers },
	{ .name = "image-registry", .control = true, .command = registry },
	{ .name = "containerd", .command = containerd, .answers = containerd_answers },
	{ .name = "kube-controller-manager", .control = true, .command = controller_manager, .after = "kube-apiserver" },
	{ .name = "kube-scheduler", .control = true, .command = scheduler, .after = "kube-apiserver" },
	{ .name = "kubelet", .command = kubelet, .after = "kube-apiserver" },
	{ .name = "kube-proxy", .command = proxy, .after = "kube-apiserver", .rights = true },
	{ .name = "xebec-netd", .command = netd, .after = "kube-apiserver", .rights = true },
};
const size_t n_unit_rows = ARRAY_SIZE(unit_rows);

char *unit_log(const struct cluster *c, const struct unit_row *row, unsigned node)
{
	return row->control ? cluster_file(c, "logs/%s.log", row->name) : cluster_file(c, "logs/node-%u/%s.log", node, row->name);
}

char *unit_pid_file(const struct cluster *c, const struct unit_row *row, unsigned node)
{
	return xprintf("%s/node-%u/%s.pid", c->run, node, row->name);
}
