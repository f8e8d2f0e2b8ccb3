/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_NODE_MACHINE_H
#define KUBELET_NODE_MACHINE_H
/* What the Node says of the machine: read once, from files that do not change while it runs. */
#include "xb/str.h"
#include "xb/vec.h"

struct huge_pages {
	uint64_t size, bytes;           /* of one page, of all */
};
struct machine {
	char *machine_id, *system_uuid, *boot_id, *kernel, *os_image; /* "" where there is none */
	const char *architecture;       /* in Go's words: "amd64" */
	XB_VEC(struct huge_pages) huge_pages;
};
/* root: "" or where a test has files instead of /etc, /proc and /sys. 0 or -ENOMEM. */
int machine_read(const char *root, struct machine *ret);
void machine_done(struct machine *m);

#endif
