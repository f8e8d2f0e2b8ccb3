/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>
#include <sys/stat.h>

#include "cluster.h"
#include "xb/config_file.h"
#include "xb/file.h"
#include "xb/why.h"
#include "../xalloc.h"

#define ROOT     "/var/lib/xebec/clusters"
#define NAME_MAX_LETTERS 20     /* a socket's path has room for 107 bytes */
#define VERSION  1

void cluster_done(struct cluster *c)
{
	free(c->name);
	free(c->root);
	free(c->run);
	free(c->bin);
	*c = (struct cluster){};
}

static char *program_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	return xalloc(strdup(path));
}

int cluster_init(const char *name, struct cluster *ret, char **reterr_why)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	char *bin;

	if (!n || name[n] || n > NAME_MAX_LETTERS || name[0] == '-' || name[n - 1] == '-')
		return xb_why(reterr_why, -EINVAL, "--name: \"%s\" is no name for a cluster: at most %d of a-z, 0-9 and '-'", name,
			      NAME_MAX_LETTERS);
	bin = program_folder();
	if (!bin)
		return xb_why(reterr_why, -EIO, "cannot tell where this program is: /proc/self/exe: %s", strerror(errno));
	*ret = (struct cluster){
		.name = xalloc(strdup(name)), .root = xprintf(ROOT "/%s", name), .run = xprintf(CLUSTER_RUN "/%s", name), .bin = bin,
	};
	return 0;
}

/* "cluster.json": {"version":1,"network":0,"nodes":3} */
static int read_state(const struct xb_json *doc, const char *path, struct cluster *c, char **reterr_why)
{
	struct xb_jv root = xb_json_root(doc);
	int64_t version = 0, network = -1, nodes = 0;

	xb_jv_i64(xb_jv_get(root, "version"), &version);
	xb_jv_i64(xb_jv_get(root, "network"), &network);
	xb_jv_i64(xb_jv_get(root, "nodes"), &nodes);
	if (version != VERSION)
		return xb_why(reterr_why, -EINVAL, "%s: version: %jd is not %d, which this program knows", path, (intmax_t)version, VERSION);
	if (network < 0 || network > 255 || nodes < 1 || nodes > CLUSTER_NODES_MAX)
		return xb_why(reterr_why, -EINVAL, "%s: network must be 0 to 255, nodes 1 to %d", path, CLUSTER_NODES_MAX);
	c->network = network;
	c->n_nodes = nodes;
	return 0;
}

int cluster_load(const char *name, struct cluster *ret, char **reterr_why)
{
	_cleanup_cluster_ struct cluster c = {};
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_free_ char *path = NULL;
	int r = cluster_init(name, &c, reterr_why);

	if (r)
		return r;
	path = cluster_file(&c, "cluster.json");
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return xb_why(reterr_why, -ENOENT, "there is no cluster \"%s\": \"xebec up%s%s\" makes it", name,
			      !strcmp(name, "xebec") ? "" : " --name ", !strcmp(name, "xebec") ? "" : name);
	r = xb_config_file_read(path, &doc, reterr_why);
	if (!r)
		r = read_state(doc, path, &c, reterr_why);
	if (r)
		return r;
	*ret = c;
	c = (struct cluster){};
	return 0;
}

int cluster_save(const struct cluster *c, char **reterr_why)
{
	_cleanup_free_ char *path = cluster_file(c, "cluster.json");
	_cleanup_free_ char *text = xprintf("{\"version\":%d,\"network\":%u,\"nodes\":%u}\n", VERSION, c->network, c->n_nodes);
	int r = xb_file_write(path, xb_sv(text), 0644);

	return r ? xb_why(reterr_why, r, "cannot write '%s': %s", path, strerror(-r)) : 0;
}

int cluster_each(int (*each)(void *arg, const struct cluster *c), void *arg)
{
	DIR *d = opendir(ROOT);
	struct dirent *e;
	int r = 0;

	while (d && !r && (e = readdir(d))) {
		_cleanup_cluster_ struct cluster c = {};

		if (e->d_name[0] != '.' && !cluster_load(e->d_name, &c, NULL))
			r = each(arg, &c);
	}
	if (d)
		closedir(d);
	return r;
}

char *cluster_file(const struct cluster *c, const char *fmt, ...)
{
	_cleanup_free_ char *below = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&below, fmt, ap) < 0)
		below = NULL;
	va_end(ap);
	return xprintf("%s/%s", c->root, (char *)xalloc(below));
}

char *cluster_node_name(unsigned node)
{
	return xprintf("node-%u", node);
}

char *cluster_node_file(const struct cluster *c, unsigned node, const char *file)
{
	return xprintf("%s/node-%u/%s", c->root, node, file);
}

char *cluster_node_run(const struct cluster *c, unsigned node, const char *file)
{
	return xprintf("%s/node-%u/%s", c->run, node, file);
}

char *cluster_tasks(const struct cluster *c, unsigned node)
{
	return cluster_node_run(c, node, "containerd/io.containerd.runtime.v2.task/k8s.io");
}

char *cluster_cgroup(const struct cluster *c, unsigned node)
{
	return node ? xprintf("xebec/%s/node-%u", c->name, node) : xprintf("xebec/%s", c->name);
}

char *cluster_netns(const struct cluster *c, unsigned node)
{
	return node ? xprintf("xb-%s-node-%u", c->name, node) : xprintf("xb-%s-net", c->name);
}

char *cluster_ip4(const struct cluster *c, unsigned node)
{
	return xprintf("172.28.%u.%u", c->network, node + 1);
}

char *cluster_ip6(const struct cluster *c, unsigned node)
{
	return xprintf("fd00:28:%x::%x", c->network, node + 1);
}

char *cluster_server(const struct cluster *c)
{
	return xprintf("https://172.28.%u.2:%d", c->network, CLUSTER_API_PORT);
}

char *cluster_host_device(const struct cluster *c)
{
	return xprintf("xebec%u", c->network);
}

int make_folders(const char *path, unsigned mode, char **reterr_why)
{
	_cleanup_free_ char *p = xalloc(strdup(path));

	for (char *slash = p + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(p, 0755) < 0 && errno != EEXIST)
			return xb_why(reterr_why, -errno, "cannot make '%s': %s", p, strerror(errno));
		*slash = '/';
	}
	if (mkdir(p, mode) < 0 && errno != EEXIST)
		return xb_why(reterr_why, -errno, "cannot make '%s': %s", p, strerror(errno));
	return 0;
}
