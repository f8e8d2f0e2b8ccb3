/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_RUNTIME_OPS_H
#define KUBELET_RUNTIME_OPS_H
/* What a runtime is made of: each kind has its own struct that begins with struct runtime, likewise for calls. */
#include "runtime.h"
#include "xb/arena.h"

struct runtime_ops {
	int (*call)(struct runtime *rt, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, runtime_done done,
		    void *arg, struct runtime_call **ret_call);
	void (*cancel)(struct runtime_call *call);
	int (*watch)(struct runtime *rt, runtime_hint hint, void *arg);
	void (*free)(struct runtime *rt);
};
struct runtime {
	const struct runtime_ops *ops;
	uv_loop_t *loop;
	unsigned request_timeout_ms;
};
struct runtime_call {
	struct runtime *rt;
};

int runtime_pack(const ProtobufCMessage *message, struct xb_buf *out); /* appends its bytes; 0, -ENOMEM */
/* A message that lives in the arena, with copies of its strings; NULL when the bytes are not of its type or memory is out. */
ProtobufCMessage *runtime_unpack(struct xb_arena *a, const ProtobufCMessageDescriptor *type, struct xb_sv bytes);

int cri_new(const struct runtime_config *c, struct runtime **ret, char **reterr_why);
int fake_new(const struct runtime_config *c, struct runtime **ret, char **reterr_why);

#endif
