/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/cluster.h"
#include "command.h"
#include "images/import.h"
#include "xb/why.h"
#include "xalloc.h"

struct options {
	struct common common;
	const char *name, *file;
};
static const struct xb_flag rows[] = {
	XB_FLAG(ARGUMENT, struct options, file, "FILE", NULL, "", "A tar archive: an OCI layout, or of \"docker save\"."),
	XB_FLAG(STRING, struct options, name, "name", "xebec", "Cluster", "The cluster's name."),
	COMMON_ROWS(struct options),
};

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_cluster_ struct cluster c = {};
	struct import_result result = {};
	int r = cluster_load(o->name, &c, reterr_why);

	for (unsigned node = 1; !r && node <= c.n_nodes; node++) {
		_cleanup_free_ char *socket = cluster_node_run(&c, node, "containerd.sock"), *why = NULL;

		r = images_import(socket, o->file, &result, &why);
		if (r)
			return xb_why(reterr_why, r, "node-%u: %s", node, why ? why : strerror(-r));
	}
	if (r)
		return r;
	print_string(p, "file", o->file);
	print_number(p, "images", result.images);
	print_number(p, "nodes", c.n_nodes);
	return 0;
}

const struct command images_import_command = {
	.object = "images", .verb = "import",
	.summary = "bring an archive's images to every node of a cluster",
	.purpose = "Brings the images of a tar archive, an OCI layout or what \"docker save\" writes, to every node of a cluster.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
