/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>

#include "cluster/api.h"
#include "cluster/cgroup.h"
#include "cluster/network.h"
#include "cluster/rights.h"
#include "cluster/supervise.h"
#include "command.h"
#include "images/demo.h"
#include "images/import.h"
#include "xb/time.h"
#include "xb/why.h"
#include "xalloc.h"

#define LOOK_MS          5
#define API_WAIT_MS      20000
#define CONTAINERD_WAIT_MS 20000
#define NODE_WAIT_MS     60000

struct options {
	struct common common;
	const char *name;
	int nodes;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, name, "name", "xebec", "Cluster", "The cluster's name."),
	XB_FLAG(INT, struct options, nodes, "nodes", "0", "Cluster",
		"How many nodes. Default: as many as it has, or 1. A cluster grows; it does not shrink.", .max = CLUSTER_NODES_MAX),
	COMMON_ROWS(struct options),
};

/* What is told while it goes on, on standard error, so that -o json stays clean; each line with the time since the start. */
struct progress {
	int64_t started;
};
static _printf_(2, 3) void say(const struct progress *p, const char *fmt, ...)
{
	int64_t ms = xb_time_ms() - p->started;
	va_list ap;

	fprintf(stderr, "%3" PRId64 ".%02" PRId64 " s  ", ms / 1000, ms % 1000 / 10);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int find(const struct options *o, struct cluster *c, char **reterr_why)
{
	if (o->nodes && (unsigned)o->nodes < c->n_nodes)
		return xb_why(reterr_why, -EINVAL, "--nodes: the cluster has %u nodes, and does not shrink", c->n_nodes);
	c->n_nodes = MAX(c->n_nodes, (unsigned)o->nodes);
	return cluster_save(c, reterr_why);
}

/* From here on "xebec down" knows it, and no other cluster takes its network. */
static int begin(const struct options *o, struct cluster *c, char **reterr_why)
{
	_cleanup_close_ int fd = -1;
	int r = networks_lock(&fd, reterr_why);

	if (!r)
		r = make_folders(c->root, 0711, reterr_why);
	if (!r)
		r = network_choose(&c->network, reterr_why);
	if (r)
		return r;
	c->n_nodes = o->nodes ? o->nodes : 1;
	return cluster_save(c, reterr_why);
}

static int find_or_begin(const struct options *o, struct cluster *ret, char **reterr_why)
{
	_cleanup_cluster_ struct cluster c = {}, found = {};
	_cleanup_free_ char *why = NULL;
	int r = cluster_init(o->name, &c, reterr_why);

	if (!r)
		r = cluster_lock(&c, reterr_why);
	if (r)
		return r;
	r = cluster_load(o->name, &found, &why);
	if (r && r != -ENOENT)
		return xb_why(reterr_why, r, "%s", why ? why : strerror(-r));
	r = r ? begin(o, &c, reterr_why) : find(o, &found, reterr_why);
	if (r)
		return r;
	*ret = found.name ? found : c;
	*(found.name ? &found : &c) = (struct cluster){};
	return 0;
}

static int make_node(const struct cluster *c, unsigned node, char **reterr_why)
{
	_cleanup_free_ char *cgroup = cluster_cgroup(c, node), *agents = xprintf("%s/agents", cgroup);
	int r = network_make_node(c, node, reterr_why);

	if (!r)
		r = cgroup_make(agents, reterr_why);
	return r ? r : files_make_node(c, node, reterr_why);
}

static int make_all(const struct cluster *c, const struct progress *p, char **reterr_why)
{
	bool routes;
	int r = network_make(c, reterr_why);

	if (!r)
		r = files_make_control(c, reterr_why);
	for (unsigned node = 1; !r && node <= c->n_nodes; node++)
		r = make_node(c, node, reterr_why);
	if (!r)
		r = network_make_routes(c, &routes, reterr_why);
	if (r)
		return r;
	say(p, "network 172.28.%u.0/24, %u node%s", c->network, c->n_nodes, c->n_nodes == 1 ? "" : "s");
	if (!routes)
		say(p, "this host has routes of its own to Services' or pods' networks: they stay, and do not lead to this cluster");
	return supervisor_start(c, reterr_why);
}

static int wait_for_api(const struct cluster *c, struct api **ret, char **reterr_why)
{
	int64_t end = xb_time_ms() + API_WAIT_MS;

	for (;;) {
		_cleanup_(api_closep) struct api *a = NULL;
		_cleanup_free_ char *why = NULL;
		int r = api_open(c, &a, &why);

		if (!r)
			r = api_get(a, "/readyz", NULL, &why);
		if (r == 200) {
			*ret = TAKE_PTR(a);
			return 0;
		}
		if (xb_time_ms() > end)
			return xb_why(reterr_why, -ETIMEDOUT, "the API server is not ready: %s; its log is %s/logs/kube-apiserver.log",
				      why ? why : "no answer", c->root);
		usleep(LOOK_MS * 1000);
	}
}

/* The sandbox's own image, and what the operator laid ready for every cluster. */
static int give_images(const struct cluster *c, unsigned node, const struct progress *p, char **reterr_why)
{
	_cleanup_free_ char *socket = cluster_node_run(c, node, "containerd.sock"), *where = xprintf("unix:%s", socket);
	_cleanup_free_ char *own = cluster_file(c, "images");
	int64_t end = xb_time_ms() + CONTAINERD_WAIT_MS;
	struct import_result pause = {}, laid = {};
	int r;

	while (!answers_at(where)) {
		if (xb_time_ms() > end)
			return xb_why(reterr_why, -ETIMEDOUT, "containerd of node-%u does not answer; its log is %s/logs/node-%u/containerd.log",
				      node, c->root, node);
		usleep(LOOK_MS * 1000);
	}
	r = make_folders(own, 0755, reterr_why);
	if (!r)
		r = demo_pause(c->bin, own, reterr_why);
	if (!r)
		r = images_import_folder(socket, own, &pause, reterr_why);
	if (!r)
		r = images_import_folder(socket, IMAGES_FOLDER, &laid, reterr_why);
	if (!r && laid.blobs_sent)
		say(p, "node-%u has %zu images of " IMAGES_FOLDER, node, laid.images);
	return r;
}

/* Is the Node Ready; if not, ret_why says what it says of itself. */
static bool node_is_ready(struct api *a, unsigned node, char **ret_why)
{
	_cleanup_free_ char *path = xprintf("/api/v1/nodes/node-%u", node);
	_cleanup_(xb_json_unrefp) struct xb_json *body = NULL;
	int code = api_get(a, path, &body, ret_why);

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(xb_json_root(body), "status", "conditions")); code == 200 && xb_jit_next(&it);) {
		if (!xb_sv_is(xb_jv_text(xb_jv_get(it.value, "type")), "Ready"))
			continue;
		if (xb_sv_is(xb_jv_text(xb_jv_get(it.value, "status")), "True"))
			return true;
		free(*ret_why);
		*ret_why = xb_jv_dup(xb_jv_get(it.value, "message"));
	}
	return false;
}

static int wait_for_node(const struct cluster *c, struct api *a, unsigned node, char **reterr_why)
{
	int64_t end = xb_time_ms() + NODE_WAIT_MS;

	for (;;) {
		_cleanup_free_ char *why = NULL;

		if (node_is_ready(a, node, &why))
			return 0;
		if (xb_time_ms() > end)
			return xb_why(reterr_why, -ETIMEDOUT, "node-%u is not ready: %s; logs are in %s/logs/node-%u", node,
				      why ? why : "it has not registered", c->root, node);
		usleep(LOOK_MS * 1000);
	}
}

static void print_cluster(struct printer *p, const struct cluster *c, int64_t ms)
{
	_cleanup_free_ char *server = cluster_server(c), *conf = cluster_file(c, "admin.conf");

	print_string(p, "name", c->name);
	print_string(p, "server", server);
	print_string(p, "kubeconfig", conf);
	print_number(p, "nodes", c->n_nodes);
	print_number(p, "readyMilliseconds", ms);
}

static int run(const void *options, struct printer *printer, char **reterr_why)
{
	const struct options *o = options;
	const struct progress p = { xb_time_ms() };
	_cleanup_cluster_ struct cluster c = {};
	_cleanup_(api_closep) struct api *a = NULL;
	int r;

	if (geteuid())
		return xb_why(reterr_why, -EPERM, "namespaces, cgroups and BPF need root: sudo xebec up");
	r = find_or_begin(o, &c, reterr_why);
	if (!r)
		r = make_all(&c, &p, reterr_why);
	if (!r)
		r = wait_for_api(&c, &a, reterr_why);
	if (!r)
		r = rights_give(&c, a, reterr_why);
	if (r)
		return r;
	say(&p, "control plane ready");
	for (unsigned node = 1; !r && node <= c.n_nodes; node++)
		r = give_images(&c, node, &p, reterr_why);
	for (unsigned node = 1; !r && node <= c.n_nodes; node++) {
		r = wait_for_node(&c, a, node, reterr_why);
		if (!r)
			say(&p, "node-%u ready", node);
	}
	if (!r)
		print_cluster(printer, &c, xb_time_ms() - p.started);
	return r;
}

const struct command up_command = {
	.object = "up", .summary = "make a cluster on this machine, or bring one up again",
	.purpose = "Makes a whole cluster on this machine: each node is a network namespace with its own containerd, kubelet, kube-proxy\n"
		   "and xebec-netd, the control plane is on the first. Once more changes nothing but what is missing. \"xebec down\" removes it.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
