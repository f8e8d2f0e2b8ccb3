/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/cluster.h"
#include "command.h"
#include "images/demo.h"
#include "xb/why.h"

struct options {
	struct common common;
	const char *folder;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, folder, "folder", IMAGES_FOLDER, "Images", "Where the archives go."),
	COMMON_ROWS(struct options),
};

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_cluster_ struct cluster any = {};      /* it knows where our programs are */
	int r = cluster_init("any", &any, reterr_why);

	if (!r)
		r = make_folders(o->folder, 0755, reterr_why);
	if (!r)
		r = demo_pause(any.bin, o->folder, reterr_why);
	if (!r)
		r = demo_busybox(o->folder, reterr_why);
	if (!r)
		r = demo_nginx(o->folder, reterr_why);
	if (!r)
		print_string(p, "folder", o->folder);
	return r;
}

const struct command images_build_demo_command = {
	.object = "images", .verb = "build-demo",
	.summary = "make images of nginx, busybox and pause from this host's files",
	.purpose = "Makes images of this host's nginx (Debian's nginx-light), busybox (busybox-static) and of our own pause, for clusters\n"
		   "without a registry. \"xebec up\" takes what lies in the folder.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
