/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/api.h"
#include "cluster/supervise.h"
#include "command.h"
#include "xb/file.h"
#include "xb/why.h"
#include "xalloc.h"

struct options {
	struct common common;
	const char *name;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, name, "name", "xebec", "Cluster", "The cluster's name."),
	COMMON_ROWS(struct options),
};

/* VmRSS of proc(5), in KiB; 0: it has ended meanwhile. */
static uint64_t resident_kib(pid_t pid)
{
	_cleanup_free_ char *path = xprintf("/proc/%d/status", (int)pid);
	_cleanup_buf_ struct xb_buf text = {};
	const char *at;

	if (xb_file_read(path, 1 << 16, &text) || !text.p)
		return 0;
	at = strstr(text.p, "\nVmRSS:");
	return at ? strtoull(at + 7, NULL, 10) : 0;
}

static void print_unit(struct printer *p, const struct cluster *c, const struct unit_row *row, unsigned node, unsigned *missing)
{
	pid_t pid = unit_pid(c, row, node);

	print_group(p, row->name);
	print_string(p, "state", pid ? "running" : "not running");
	if (pid) {
		print_number(p, "pid", pid);
		print_number(p, "residentKiB", resident_kib(pid));
	}
	print_group_end(p);
	*missing += !pid;
}

static void print_ready(struct printer *p, struct api *a, const char *node)
{
	_cleanup_free_ char *path = xprintf("/api/v1/nodes/%s", node), *why = NULL, *word = NULL;
	_cleanup_(xb_json_unrefp) struct xb_json *body = NULL;
	int code = a ? api_get(a, path, &body, &why) : 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_path(xb_json_root(body), "status", "conditions")); code == 200 && xb_jit_next(&it);)
		if (xb_sv_is(xb_jv_text(xb_jv_get(it.value, "type")), "Ready"))
			word = xb_jv_dup(xb_jv_get(it.value, "status"));
	print_string(p, "ready", word ? word : "Unknown");
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_cluster_ struct cluster c = {};
	_cleanup_free_ char *server = NULL, *conf = NULL, *why = NULL;
	_cleanup_(api_closep) struct api *a = NULL;
	unsigned missing = 0;
	int r = cluster_load(o->name, &c, reterr_why);

	if (r)
		return r;
	server = cluster_server(&c);
	conf = cluster_file(&c, "admin.conf");
	api_open(&c, &a, &why);
	print_string(p, "name", c.name);
	print_string(p, "server", server);
	print_string(p, "kubeconfig", conf);
	print_string(p, "controlPlane", a && api_get(a, "/readyz", NULL, &why) == 200 ? "ready" : "not ready");
	print_string(p, "supervisor", supervisor_pid(&c) ? "running" : "not running");
	for (unsigned node = 1; node <= c.n_nodes; node++) {
		_cleanup_free_ char *name = cluster_node_name(node), *ip4 = cluster_ip4(&c, node);

		print_group(p, name);
		print_string(p, "address", ip4);
		print_ready(p, a, name);
		for (size_t i = 0; i < n_unit_rows; i++)
			if (!unit_rows[i].control || node == 1)
				print_unit(p, &c, &unit_rows[i], node, &missing);
		print_group_end(p);
	}
	print_number(p, "programsNotRunning", missing);
	return 0;
}

const struct command status_command = {
	.object = "status", .summary = "what of a cluster runs",
	.purpose = "Says of each node whether it is ready, and of each program whether it runs and what memory it takes.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
