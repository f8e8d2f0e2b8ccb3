/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "units.h"
#include "xb/file.h"
#include "xb/kubeconfig.h"
#include "xb/tls.h"
#include "xb/why.h"
#include "../xalloc.h"

#define CA_DAYS   3650
#define CERT_DAYS 365

static int write_file(const char *path, const char *text, char **reterr_why)
{
	int r = xb_file_write(path, xb_sv(text), 0644);

	return r ? xb_why(reterr_why, r, "cannot write '%s': %s", path, strerror(-r)) : 0;
}

/* folder/name.crt and .key, by the cluster's authority, as long as there is none that it signed. */
static int make_certificate(const struct cluster *c, const char *name, const struct xb_cert_request *q, char **reterr_why)
{
	_cleanup_free_ char *cert = cluster_file(c, "%s.crt", name), *key = cluster_file(c, "%s.key", name);
	_cleanup_free_ char *ca = cluster_file(c, "pki/ca.crt"), *ca_key = cluster_file(c, "pki/ca.key");

	if (!xb_cert_check_pair(cert, key, NULL) && xb_cert_signed_by(cert, ca))
		return 0;
	return xb_cert_make(q, ca, ca_key, cert, key, reterr_why);
}

/* A user's certificate, and the kubeconfig with it: NAME.conf. */
static int make_user(const struct cluster *c, const char *cert_name, const char *conf_name, const char *user, const char *group,
		     char **reterr_why)
{
	const char *const groups[] = { group, NULL };
	const struct xb_cert_request q = {
		.common_name = user, .organizations = group ? groups : NULL, .client_auth = true, .days = CERT_DAYS,
	};
	_cleanup_free_ char *cert = cluster_file(c, "%s.crt", cert_name), *key = cluster_file(c, "%s.key", cert_name);
	_cleanup_free_ char *ca = cluster_file(c, "pki/ca.crt"), *conf = cluster_file(c, "%s", conf_name), *server = cluster_server(c);
	const struct xb_kubeconfig_files files = { .server = server, .user = user, .ca = ca, .cert = cert, .key = key };
	int r = make_certificate(c, cert_name, &q, reterr_why);

	return r ? r : xb_kubeconfig_write(conf, &files, reterr_why);
}

/* Of every registry the cluster's own is asked first, so that images are pulled without a network. */
static int write_registries(const struct cluster *c, char **reterr_why)
{
	_cleanup_free_ char *folder = cluster_file(c, "registries/_default"), *path = xprintf("%s/hosts.toml", folder);
	_cleanup_free_ char *ip = cluster_ip4(c, 1);
	_cleanup_free_ char *text = xprintf("[host.\"http://%s:%d\"]\n  capabilities = [\"pull\", \"resolve\"]\n", ip, CLUSTER_REGISTRY_PORT);
	int r = make_folders(folder, 0755, reterr_why);

	return r ? r : write_file(path, text, reterr_why);
}

int files_make_control(const struct cluster *c, char **reterr_why)
{
	static const struct xb_cert_request authority = { .common_name = "kubernetes", .is_ca = true, .days = CA_DAYS };
	_cleanup_free_ char *pki = cluster_file(c, "pki"), *logs = cluster_file(c, "logs"), *data = cluster_file(c, "apiserver");
	_cleanup_free_ char *ca = cluster_file(c, "pki/ca.crt"), *ca_key = cluster_file(c, "pki/ca.key");
	int r = make_folders(pki, 0755, reterr_why);

	if (!r)
		r = make_folders(logs, 0755, reterr_why);
	if (!r)
		r = make_folders(data, 0700, reterr_why);
	if (!r)
		r = write_registries(c, reterr_why);
	if (!r && xb_cert_check_pair(ca, ca_key, NULL))
		r = xb_cert_make(&authority, NULL, NULL, ca, ca_key, reterr_why);
	if (!r)
		r = make_user(c, "pki/controller-manager", "controller-manager.conf", "system:kube-controller-manager", NULL, reterr_why);
	if (!r)
		r = make_user(c, "pki/scheduler", "scheduler.conf", "system:kube-scheduler", NULL, reterr_why);
	if (!r)
		r = make_user(c, "pki/kube-proxy", "kube-proxy.conf", "system:kube-proxy", NULL, reterr_why);
	if (!r)
		r = make_user(c, "pki/xebec-netd", "xebec-netd.conf", CLUSTER_NETD_USER, NULL, reterr_why);
	return r;
}

/* Where root has not all capabilities, as in a container, no sandbox would start with the score that it is to have. */
static bool may_lower_oom_scores(void)
{
	return prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE, 0, 0, 0) == 1;
}

static int write_containerd(const struct cluster *c, unsigned node, char **reterr_why)
{
	_cleanup_free_ char *path = cluster_node_file(c, node, "containerd.toml");
	_cleanup_free_ char *run = cluster_node_run(c, node, "containerd");
	_cleanup_free_ char *text = xprintf(
		"version = 2\n"
		"root = \"%1$s/node-%2$u/containerd\"\n"
		"state = \"%3$s\"\n"
		"disabled_plugins = [\"io.containerd.snapshotter.v1.aufs\", \"io.containerd.snapshotter.v1.btrfs\",\n"
		"  \"io.containerd.snapshotter.v1.devmapper\", \"io.containerd.snapshotter.v1.zfs\", \"io.containerd.tracing.processor.v1.otlp\"]\n"
		"[grpc]\n"
		"  address = \"%3$s.sock\"\n"
		"[plugins.\"io.containerd.internal.v1.opt\"]\n"
		"  path = \"%1$s/node-%2$u/containerd-opt\"\n"
		"[plugins.\"io.containerd.grpc.v1.cri\"]\n"
		"  sandbox_image = \"registry.k8s.io/pause:3.10\"\n"
		"  netns_mounts_under_state_dir = true\n"
		"  stream_server_address = \"127.0.0.1\"\n"
		"  restrict_oom_score_adj = %5$s\n"
		"  [plugins.\"io.containerd.grpc.v1.cri\".registry]\n"
		"    config_path = \"%1$s/registries\"\n"
		"  [plugins.\"io.containerd.grpc.v1.cri\".cni]\n"
		"    bin_dir = \"%4$s\"\n"
		"    conf_dir = \"%1$s/node-%2$u/cni/net.d\"\n",
		c->root, node, run, c->bin, may_lower_oom_scores() ? "false" : "true");

	return write_file(path, text, reterr_why);
}

static int write_kubelet(const struct cluster *c, unsigned node, char **reterr_why)
{
	_cleanup_free_ char *path = cluster_node_file(c, node, "kubelet.yaml");
	_cleanup_free_ char *text = xprintf(
		"apiVersion: kubelet.config.k8s.io/v1beta1\n"
		"kind: KubeletConfiguration\n"
		"authentication:\n"
		"  anonymous:\n"
		"    enabled: false\n"
		"  webhook:\n"
		"    enabled: true\n"
		"  x509:\n"
		"    clientCAFile: %1$s/pki/ca.crt\n"
		"authorization:\n"
		"  mode: Webhook\n"
		"clusterDNS:\n"
		"- " CLUSTER_DNS "\n"
		"clusterDomain: cluster.local\n"
		"podLogsDir: %1$s/node-%2$u/pod-logs\n"
		"staticPodPath: %1$s/node-%2$u/manifests\n"
		"tlsCertFile: %1$s/node-%2$u/kubelet-serving.crt\n"
		"tlsPrivateKeyFile: %1$s/node-%2$u/kubelet-serving.key\n",
		c->root, node);

	return write_file(path, text, reterr_why);
}

static int make_node_certificates(const struct cluster *c, unsigned node, char **reterr_why)
{
	_cleanup_free_ char *name = cluster_node_name(node), *ip4 = cluster_ip4(c, node), *ip6 = cluster_ip6(c, node);
	_cleanup_free_ char *user = xprintf("system:node:%s", name), *client = xprintf("%s/kubelet", name);
	_cleanup_free_ char *serving = xprintf("%s/kubelet-serving", name), *conf = xprintf("%s/kubelet.conf", name);
	const char *const names[] = { name, NULL }, *const ips[] = { ip4, ip6, NULL }, *const groups[] = { "system:nodes", NULL };
	const struct xb_cert_request q = {
		.common_name = user, .organizations = groups, .dns_names = names, .ip_addresses = ips, .server_auth = true,
		.days = CERT_DAYS,
	};
	int r = make_user(c, client, conf, user, "system:nodes", reterr_why);

	return r ? r : make_certificate(c, serving, &q, reterr_why);
}

/* A BPF file system of the node's own, in which its kube-proxy pins. */
static int mount_bpffs(const struct cluster *c, unsigned node, char **reterr_why)
{
	_cleanup_free_ char *path = cluster_node_run(c, node, "bpf"), *above = cluster_node_run(c, node, "");
	struct stat inside, outside;
	int r = make_folders(path, 0700, reterr_why);

	if (r)
		return r;
	if (stat(path, &inside) < 0 || stat(above, &outside) < 0)
		return xb_why(reterr_why, -errno, "cannot look at '%s': %s", path, strerror(errno));
	if (inside.st_dev == outside.st_dev && mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return xb_why(reterr_why, -errno, "cannot mount a BPF file system at '%s': %s", path, strerror(errno));
	return 0;
}

int files_make_node(const struct cluster *c, unsigned node, char **reterr_why)
{
	static const struct { const char *name; unsigned mode; } folders[] = {
		{ "containerd", 0711 }, { "kubelet", 0750 }, { "cni/net.d", 0755 }, { "pod-logs", 0755 }, { "manifests", 0755 },
	};
	_cleanup_free_ char *logs = cluster_file(c, "logs/node-%u", node);
	int r = make_folders(logs, 0755, reterr_why);

	for (size_t i = 0; !r && i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = cluster_node_file(c, node, folders[i].name);

		r = make_folders(path, folders[i].mode, reterr_why);
	}
	if (!r)
		r = mount_bpffs(c, node, reterr_why);
	if (!r)
		r = make_node_certificates(c, node, reterr_why);
	if (!r)
		r = write_containerd(c, node, reterr_why);
	return r ? r : write_kubelet(c, node, reterr_why);
}
