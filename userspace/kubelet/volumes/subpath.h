/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SUBPATH_H
#define KUBELET_SUBPATH_H
/*
 * A part of a volume, mounted for a container so that whoever writes to the volume meanwhile cannot make it another place of the
 * node: what the path means is opened once, inside the volume, and that descriptor is bound to a folder that only root can
 * reach (CVE-2017-1002101, CVE-2021-25741). Blocking; any thread.
 */
#include <stdbool.h>

struct subpath {
	char *root;                     /* the volume: a folder of the node */
	char *path;                     /* within it */
	char *target;                   /* within the pod's folder: "volume-subpaths/<volume>/<container>/<index>" */
};
void subpath_done(struct subpath *s);
/* Of what the path says, made as a folder with the volume's mode when there is nothing. -EXDEV: it leads out of the volume. What the
 * target showed before is let go when it is another. pod: the pod's folder, which is at pod_path. */
int subpath_mount(int pod, const char *pod_path, const struct subpath *s);

#endif
