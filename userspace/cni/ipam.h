/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CNI_IPAM_H
#define CNI_IPAM_H
/*
 * Which addresses of this node's ranges are taken, in host-local's form: a folder with a file for each, named after the address, that
 * holds "<container id>\r\n<interface>"; last_reserved_ip.<set>, so that one that was given back is not the next to be given out; and
 * lock, which whoever is in here holds (flock). An address file appears whole, by link(2), and goes by unlink(2): a call that dies
 * leaves either or nothing. Only the owner's DEL, or a GC, frees an address.
 *
 * Nothing is synced: a power cut that loses a file ends the pod as well. One that it left empty is swept.
 */
#include "config.h"

struct ipam;
int ipam_open(const char *folder, struct ipam **ret, struct cni_fault *f); /* makes the folder; waits for the lock */
struct ipam *ipam_close(struct ipam *m);
XB_DEFINE_CLEANUP(struct ipam *, ipam_close)

/* What an owner has: an address of each family, or AF_UNSPEC. */
int ipam_find(struct ipam *m, const char *container, const char *ifname, struct xb_ip ret[2], struct cni_fault *f);
/* Gives an owner an address of each of two sets that is not empty, or those that it has already. All or none. */
int ipam_reserve(struct ipam *m, const struct cni_set *sets, const char *container, const char *ifname, struct xb_ip ret[2],
		 struct cni_fault *f);
int ipam_release(struct ipam *m, const char *container, const char *ifname, struct cni_fault *f);
/* Frees what stays() denies, which may be called for an owner more than once; gone() is called before. Its code, not 0, ends it. */
int ipam_retain(struct ipam *m, bool (*stays)(void *arg, const char *container, const char *ifname),
		int (*gone)(void *arg, const char *container, const char *ifname), void *arg, struct cni_fault *f);

#endif
