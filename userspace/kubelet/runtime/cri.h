/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_RUNTIME_CRI_H
#define KUBELET_RUNTIME_CRI_H
/* The runtime at the other end of a socket: cri.c its calls, cri_watch.c what it tells. */
#include <sys/queue.h>
#include "ops.h"
#include "xb/backoff.h"

struct cri_call {
	struct runtime_call base;
	LIST_ENTRY(cri_call) link;
	struct xb_grpc_call *call;
	enum runtime_rpc rpc;
	runtime_done done;
	void *arg;
};

struct cri_watch;
struct cri {
	struct runtime base;
	struct xb_grpc *grpc;
	LIST_HEAD(, cri_call) calls;
	struct cri_watch *watch;        /* NULL: nobody wants to know */
};

int cri_watch_new(struct cri *cri, runtime_hint hint, void *arg, struct cri_watch **ret);
void cri_watch_free(struct cri_watch *w);

#endif
