/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "cri.h"

#define REPLY_MEMORY (256 << 20) /* of a message of 16 MiB: many small ones take more in memory than on the wire */

static void on_done(void *arg, int code, const char *why, struct xb_sv reply)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = NULL;
	struct cri_call *call = arg;
	struct cri_call was = *call;
	ProtobufCMessage *message = NULL;

	LIST_REMOVE(call, link);
	free(call);
	if (code == XB_GRPC_OK) {
		a = xb_arena_new(REPLY_MEMORY);
		message = a ? runtime_unpack(a, runtime_rpcs[was.rpc].reply, reply) : NULL;
		if (!message) {
			code = XB_GRPC_INTERNAL;
			why = "grpc: failed to unmarshal the received message";
		}
	}
	was.done(was.arg, code, why, message);
}

static int start_call(struct runtime *rt, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, runtime_done done,
		    void *arg, struct runtime_call **ret_call)
{
	struct cri *cri = container_of(rt, struct cri, base);
	struct xb_grpc_request q = { .path = runtime_rpcs[rpc].path, .timeout_ms = timeout_ms };
	_cleanup_free_ struct cri_call *call = calloc(1, sizeof(*call));
	_cleanup_buf_ struct xb_buf message = {};
	int r;

	if (!call || runtime_pack(request, &message))
		return -ENOMEM;
	q.message = xb_buf_sv(&message);
	*call = (struct cri_call){ .base.rt = rt, .rpc = rpc, .done = done, .arg = arg };
	r = xb_grpc_unary(cri->grpc, &q, on_done, call, &call->call);
	if (r < 0)
		return r;
	LIST_INSERT_HEAD(&cri->calls, call, link);
	if (ret_call)
		*ret_call = &call->base;
	call = NULL;
	return 0;
}

static void cancel_call(struct runtime_call *base)
{
	struct cri_call *call = container_of(base, struct cri_call, base);

	xb_grpc_cancel(call->call);
	LIST_REMOVE(call, link);
	free(call);
}

static int start_watch(struct runtime *rt, runtime_hint hint, void *arg)
{
	struct cri *cri = container_of(rt, struct cri, base);

	return cri_watch_new(cri, hint, arg, &cri->watch);
}

static void cri_free(struct runtime *rt)
{
	struct cri *cri = container_of(rt, struct cri, base);

	cri_watch_free(cri->watch);
	while (!LIST_EMPTY(&cri->calls))
		cancel_call(&LIST_FIRST(&cri->calls)->base);
	xb_grpc_free(cri->grpc);
	free(cri);
}

static const struct runtime_ops cri_ops = { .call = start_call, .cancel = cancel_call, .watch = start_watch, .free = cri_free };

int cri_new(const struct runtime_config *c, struct runtime **ret, char **reterr_why)
{
	struct xb_grpc_config config = { .loop = c->loop, .target = c->endpoint, .user_agent = "xebec-kubelet" };
	struct cri *cri = calloc(1, sizeof(*cri));
	int r;

	if (!cri)
		return -ENOMEM;
	cri->base = (struct runtime){ &cri_ops, c->loop, c->request_timeout_ms };
	LIST_INIT(&cri->calls);
	r = xb_grpc_new(&config, &cri->grpc);
	if (r == -ENAMETOOLONG && asprintf(reterr_why, "\"%s\": the path of a unix socket has at most 107 bytes", c->endpoint) < 0)
		r = -ENOMEM;
	if (r == -EINVAL && asprintf(reterr_why, "\"%s\": expected unix:///path/of/socket or fake://", c->endpoint) < 0)
		r = -ENOMEM;
	if (r < 0) {
		free(cri);
		return r;
	}
	*ret = &cri->base;
	return 0;
}
