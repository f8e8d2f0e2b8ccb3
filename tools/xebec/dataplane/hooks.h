/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_HOOKS_H
#define XEBEC_HOOKS_H
/* Which BPF programs run where the data plane's do: on the cgroup, and on the devices of the network namespace that the caller is
 * in. Ours are those that the pinned links hold. */
#include <stdbool.h>
#include <linux/types.h>
#include "xb/vec.h"

struct hook_program {
	const char *hook;       /* "connect4", "tcx-ingress", "xdp" */
	char *where;            /* the cgroup's path or the device's name */
	char name[64];          /* the program's; "" when it cannot be asked */
	__u32 id;
	bool ours;
};
struct hooks {
	XB_VEC(struct hook_program) v;
};
/* links: the folder in which the agent pins them. -errno with reterr_why. */
int hooks_read(const char *links, struct hooks *ret, char **reterr_why);
void hooks_done(struct hooks *h);
#define _cleanup_hooks_ _cleanup_(hooks_done)

#endif
