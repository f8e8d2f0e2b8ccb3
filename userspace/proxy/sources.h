/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_SOURCES_H
#define PROXY_SOURCES_H
/* What is in xb_src: the networks of all ports, each under its port's id. */
#include "xb/plan.h"
#include "xb/vec.h"

struct network {
	struct xb_src_key key;
	bool used;
};
struct networks {
	struct network *v;
	size_t n, cap;
};

/* Sorted by id. 0 or -errno; the caller calls xb_vec_done in every case. */
int networks_read(int fd, struct networks *ret);
/* Those of an id: *ret_n of them. */
struct network *networks_of(const struct networks *all, __u32 id, size_t *ret_n);
/* Whether a port has these source ranges, whose record names this id. */
bool networks_are(const struct networks *all, __u32 id, const struct xb_plan_port *p);

#endif
