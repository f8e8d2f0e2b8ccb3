/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command.h"
#include "images/demo.h"
#include "images/registry.h"
#include "xb/log.h"

struct options {
	struct common common;
	const char *folder;
	struct sockaddr_storage listen;
};
static const struct xb_flag rows[] = {
	XB_FLAG(STRING, struct options, folder, "folder", IMAGES_FOLDER, "Images", "Where the archives are."),
	XB_FLAG(ENDPOINT, struct options, listen, "listen", "127.0.0.1:5000", "Images", "Address and port."),
	COMMON_ROWS(struct options),
};

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	struct registry *registry;
	uv_loop_t loop;
	int r;

	xb_log_init("xebec", 0, false);
	uv_loop_init(&loop);
	r = registry_new(&loop, o->folder, &o->listen, &registry, reterr_why);
	if (r)
		return r;
	return uv_run(&loop, UV_RUN_DEFAULT); /* until a signal ends it */
}

const struct command images_serve_command = {
	.object = "images", .verb = "serve",
	.summary = "be a registry of the archives in a folder, which \"up\" has every cluster run",
	.purpose = "Serves the images of the tar archives in a folder for pulls, as a mirror of the registries that their names tell.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
