/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_RUNTIME_RUNTIME_H
#define KUBELET_RUNTIME_RUNTIME_H
/*
 * The container runtime: CRI v1 by gRPC (containerd, CRI-O), or the hollow one, which only pretends. What is said to it and what
 * it answers are CRI's messages, protobuf-c's structs of cri.proto, so nothing is said twice. One thread, that of the loop.
 *
 *	Runtime__V1__StopContainerRequest q = RUNTIME__V1__STOP_CONTAINER_REQUEST__INIT;
 *
 *	q.container_id = id;
 *	q.timeout = grace_seconds;
 *	r = runtime_call(rt, RPC_STOP_CONTAINER, &q.base, (grace_seconds + 120) * 1000, on_stopped, pod, NULL);
 *
 * Strings in a message are never NULL: "" is what was not said; an embedded message may be NULL.
 *
 * The hollow runtime ("fake://", "fake://?cidr=10.244.1.0/24") keeps sandboxes and containers in memory, starts at once, and
 * never runs anything: some hundred kubelets on a machine are tested with it. Its words are containerd's where it refuses.
 *   addresses    a sandbox that is not on the host's network gets the next free one of cidr, from .2 on; of the cidr that
 *                UPDATE_RUNTIME_CONFIG told, where there is none in the endpoint; of 10.88.0.0/16, where there is neither
 *   exits        a container whose command and arguments are "exit N" or "exit N after S" (seconds, with a fraction) ends so;
 *                likewise "exit-N" and "exit-N-after-S" as the last part of its image's name. Others run until they are
 *                stopped (143; 137 without a grace)
 *   not there    an image whose last part is "not-found" is not, and cannot be pulled; every other is. A command
 *                "no-such-command" cannot be started
 *   EXEC_SYNC    of "exit N" exits with N, of anything else with 0; it prints "fake\n". EXEC, ATTACH and PORT_FORWARD are refused
 *   stats        are zero; logs are not written
 */
#include <uv.h>
#include "cri.pb-c.h"
#include "xb/grpc.h"

struct runtime;
struct runtime_call;

enum runtime_rpc {
	RPC_VERSION,
	RPC_STATUS,
	RPC_UPDATE_RUNTIME_CONFIG,
	RPC_RUN_POD_SANDBOX,
	RPC_STOP_POD_SANDBOX,
	RPC_REMOVE_POD_SANDBOX,
	RPC_POD_SANDBOX_STATUS,
	RPC_LIST_POD_SANDBOX,
	RPC_CREATE_CONTAINER,
	RPC_START_CONTAINER,
	RPC_STOP_CONTAINER,
	RPC_REMOVE_CONTAINER,
	RPC_LIST_CONTAINERS,
	RPC_CONTAINER_STATUS,
	RPC_UPDATE_CONTAINER_RESOURCES,
	RPC_REOPEN_CONTAINER_LOG,
	RPC_EXEC_SYNC,
	RPC_EXEC,
	RPC_ATTACH,
	RPC_PORT_FORWARD,
	RPC_CONTAINER_STATS,
	RPC_LIST_CONTAINER_STATS,
	RPC_POD_SANDBOX_STATS,
	RPC_LIST_POD_SANDBOX_STATS,
	RPC_LIST_IMAGES,
	RPC_IMAGE_STATUS,
	RPC_PULL_IMAGE,
	RPC_REMOVE_IMAGE,
	RPC_IMAGE_FS_INFO,
	RPC_COUNT,
};
struct runtime_rpc_row {
	const char *path;               /* "/runtime.v1.RuntimeService/Version" */
	const ProtobufCMessageDescriptor *request, *reply;
	unsigned timeouts;              /* how many of the runtime's request time-outs it may take; 0: it has none */
};
extern const struct runtime_rpc_row runtime_rpcs[RPC_COUNT];

struct runtime_config {
	uv_loop_t *loop;                /* borrowed */
	const char *endpoint;           /* "unix:///run/containerd/containerd.sock", a path, "fake://..."; copied */
	unsigned request_timeout_ms;    /* upstream's runtimeRequestTimeout; 0: 2 min */
};
/* Connects to nothing yet. -EINVAL, -ENAMETOOLONG: *reterr_why, the caller's to free, says what is wrong with the endpoint. */
int runtime_new(const struct runtime_config *c, struct runtime **ret, char **reterr_why);
struct runtime *runtime_free(struct runtime *rt);       /* not from a callback of its own; drops what is under way without
							 * calling back; its handles are gone as the loop runs on */
XB_DEFINE_CLEANUP(struct runtime *, runtime_free)

/*
 * How a call ended; it is gone afterwards. code: of xb_grpc_code; message: the runtime's words, "" when there are none. reply:
 * of the row's type when code is XB_GRPC_OK, else NULL. Both are borrowed. Never called from within runtime_call.
 */
typedef void (*runtime_done)(void *arg, int code, const char *message, const ProtobufCMessage *reply);
/* request: borrowed until it returns, of the row's type. timeout_ms 0: the row's. 0, -ENOMEM; then done is not called. ret_call
 * may be NULL. What a call that timed out or was cancelled has done is not known. */
int runtime_call(struct runtime *rt, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, runtime_done done,
		 void *arg, struct runtime_call **ret_call);
void runtime_cancel(struct runtime_call *call);         /* done is not called; NULL is taken */

enum runtime_news {
	RUNTIME_RELIST,         /* from now on changes are told; those until now were not */
	RUNTIME_CHANGED,        /* this container or sandbox has ended or run out of memory, and the runtime's lists say so */
	RUNTIME_BLIND,          /* nothing is told until RUNTIME_RELIST: whoever wants to know lists every second */
};
/* id: of RUNTIME_CHANGED, borrowed; else NULL. */
typedef void (*runtime_hint)(void *arg, enum runtime_news news, const char *id);
/*
 * Tells of what happens without being asked for: GetContainerEvents where the runtime has it (containerd 1.7), else containerd's
 * own events on the same socket, else only RUNTIME_BLIND. It connects again by itself, after 100 ms to 10 s. What the caller
 * did itself (create, start) is not told, what it stopped or removed may be. Hints, not a record: a runtime drops events when
 * it cannot keep up, so list now and then (upstream: every 5 min). One watch a runtime, until runtime_free. The first hint
 * comes later, and is RUNTIME_RELIST or RUNTIME_BLIND. 0, -ENOMEM.
 */
int runtime_watch(struct runtime *rt, runtime_hint hint, void *arg);

#endif
