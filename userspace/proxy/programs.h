/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_PROGRAMS_H
#define PROXY_PROGRAMS_H
/* The built-in BPF objects: one for each kind of hook, all made from bpf/lib, so that maps and settings of one name are the same. */
#include <stddef.h>
#include <linux/types.h>
#include "xb/str.h"

struct bpf_map;
struct bpf_object;

enum object_id {
	OBJECT_SOCK,                /* hooks of a cgroup's sockets */
	OBJECT_TC,                  /* ingress and egress of devices with Ethernet headers */
	OBJECT_TC_L3,               /* and of those without */
	OBJECT_XDP,
	N_OBJECTS
};

struct programs {
	struct bpf_object *object[N_OBJECTS];   /* NULL: not wanted, or no longer */
};

/* A "const volatile" integer of the programs, by its name there. */
struct setting {
	const char *name;
	__u64 value;
};

/* which: a bit for each object. Nothing is in the kernel yet. */
int programs_open(unsigned which, struct programs *ret, char **reterr_why);
void programs_close(struct programs *p);
/* Before loading. -EINVAL: an object has no such setting, or a value does not fit. */
int programs_set(const struct programs *p, const struct setting *settings, size_t n);
/* The map of a name in one object; NULL when it has none. */
struct bpf_map *programs_map(const struct programs *p, enum object_id object, const char *name);
/* Brings one object into the kernel, where its programs run nowhere yet. */
int programs_load(const struct programs *p, enum object_id object, char **reterr_why);

/* Of programs in the kernel, anybody's. Empty when it cannot be had. */
void program_name(int fd, char *ret, size_t n);
/* How many of these are not ours (an id; 0: none is). Each is named in out, with where it runs. */
size_t programs_others(const __u32 *ids, size_t n, __u32 ours, const char *where, struct xb_buf *out);

#endif
