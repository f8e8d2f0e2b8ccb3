/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_BPFOBJ_H
#define XB_BPFOBJ_H
/* What programs with pinned BPF objects share: the BPF file system, mapped arrays, cgroups, waiting for running programs.
 * Thin over libbpf. All fds are close-on-exec. */
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* BPF file system. Its names have no dots: the kernel refuses them. */
int xb_bpffs_check(const char *path, char **reterr_why); /* 0 when path is a folder in one */
int xb_bpffs_mkdir(const char *path);                    /* 0 also when it is there */
int xb_bpffs_remove(const char *path);                   /* a folder and all below it; 0 also when there is none */

/* An array with BPF_F_MMAPABLE, readable and writable. Unmapped with munmap(*ret, *ret_bytes). */
int xb_bpf_mmap(int map_fd, void **ret, size_t *ret_bytes);
int xb_bpf_mmap_ro(int map_fd, const void **ret, size_t *ret_bytes); /* for reading alone; map_fd is open for both */
int xb_bpf_mmap_first(int map_fd, __u32 elements, const void **ret, size_t *ret_bytes); /* likewise, of so many elements at most */
int xb_bpf_memory(int map_fd, __u64 *ret);               /* bytes of kernel memory, as the kernel counts them */
/* Of an element of a PERCPU_ARRAY, which is n words: each summed over all processors. */
int xb_bpf_percpu_sum(int map_fd, __u32 index, __u64 *ret, size_t n);

/* The clock of programs, bpf_jiffies64(). A tick, about a second, is 1 << xb_tick_shift() jiffies: the power of two that is nearest.
 * xb_tick_now gives the low bits of the tick it is; -errno: it takes CAP_BPF and CAP_NET_ADMIN, as a program is run for it. Who
 * asks often keeps that program: an fd by xb_tick_open. */
__u32 xb_jiffies_per_second(void);
__u32 xb_tick_shift(void);
int xb_tick_now(__u32 *ret);
int xb_tick_open(void);
int xb_tick_read(int fd, __u32 *ret);

/* Opens a cgroup-v2 folder. The id is the one that links show. */
int xb_cgroup_open(const char *path, int *ret_fd, __u64 *ret_id, char **reterr_why);

/*
 * Waits until every (non-sleepable) program that runs now has returned. It costs a few milliseconds. An update of a map of
 * maps promises exactly this to user space; membarrier(2) does not on one CPU, and not at all with nohz_full.
 */
struct xb_grace {
	int outer, inner;                                /* -1 when not open */
};
int xb_grace_open(struct xb_grace *ret);
void xb_grace_done(struct xb_grace *g);
int xb_grace_wait(const struct xb_grace *g);

#endif
