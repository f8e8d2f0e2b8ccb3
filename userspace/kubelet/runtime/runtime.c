/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "ops.h"

#define REQUEST_TIMEOUT_MS 120000

#define RUNTIME "/runtime.v1.RuntimeService/"
#define IMAGE "/runtime.v1.ImageService/"
#define ROW(service, method, type, timeouts) \
	{ service method, &runtime__v1__##type##_request__descriptor, &runtime__v1__##type##_response__descriptor, timeouts }

const struct runtime_rpc_row runtime_rpcs[RPC_COUNT] = {
	[RPC_VERSION] = ROW(RUNTIME, "Version", version, 1),
	[RPC_STATUS] = ROW(RUNTIME, "Status", status, 1),
	[RPC_UPDATE_RUNTIME_CONFIG] = ROW(RUNTIME, "UpdateRuntimeConfig", update_runtime_config, 1),
	[RPC_RUN_POD_SANDBOX] = ROW(RUNTIME, "RunPodSandbox", run_pod_sandbox, 2),
	[RPC_STOP_POD_SANDBOX] = ROW(RUNTIME, "StopPodSandbox", stop_pod_sandbox, 1),
	[RPC_REMOVE_POD_SANDBOX] = ROW(RUNTIME, "RemovePodSandbox", remove_pod_sandbox, 1),
	[RPC_POD_SANDBOX_STATUS] = ROW(RUNTIME, "PodSandboxStatus", pod_sandbox_status, 1),
	[RPC_LIST_POD_SANDBOX] = ROW(RUNTIME, "ListPodSandbox", list_pod_sandbox, 1),
	[RPC_CREATE_CONTAINER] = ROW(RUNTIME, "CreateContainer", create_container, 1),
	[RPC_START_CONTAINER] = ROW(RUNTIME, "StartContainer", start_container, 1),
	[RPC_STOP_CONTAINER] = ROW(RUNTIME, "StopContainer", stop_container, 1),
	[RPC_REMOVE_CONTAINER] = ROW(RUNTIME, "RemoveContainer", remove_container, 1),
	[RPC_LIST_CONTAINERS] = ROW(RUNTIME, "ListContainers", list_containers, 1),
	[RPC_CONTAINER_STATUS] = ROW(RUNTIME, "ContainerStatus", container_status, 1),
	[RPC_UPDATE_CONTAINER_RESOURCES] = ROW(RUNTIME, "UpdateContainerResources", update_container_resources, 1),
	[RPC_REOPEN_CONTAINER_LOG] = ROW(RUNTIME, "ReopenContainerLog", reopen_container_log, 1),
	[RPC_EXEC_SYNC] = ROW(RUNTIME, "ExecSync", exec_sync, 1),
	[RPC_EXEC] = ROW(RUNTIME, "Exec", exec, 1),
	[RPC_ATTACH] = ROW(RUNTIME, "Attach", attach, 1),
	[RPC_PORT_FORWARD] = ROW(RUNTIME, "PortForward", port_forward, 1),
	[RPC_CONTAINER_STATS] = ROW(RUNTIME, "ContainerStats", container_stats, 1),
	[RPC_LIST_CONTAINER_STATS] = ROW(RUNTIME, "ListContainerStats", list_container_stats, 1),
	[RPC_POD_SANDBOX_STATS] = ROW(RUNTIME, "PodSandboxStats", pod_sandbox_stats, 1),
	[RPC_LIST_POD_SANDBOX_STATS] = ROW(RUNTIME, "ListPodSandboxStats", list_pod_sandbox_stats, 1),
	[RPC_LIST_IMAGES] = ROW(IMAGE, "ListImages", list_images, 1),
	[RPC_IMAGE_STATUS] = ROW(IMAGE, "ImageStatus", image_status, 1),
	/* as long as it takes: the runtime itself gives up when nothing comes any more */
	[RPC_PULL_IMAGE] = ROW(IMAGE, "PullImage", pull_image, 0),
	[RPC_REMOVE_IMAGE] = ROW(IMAGE, "RemoveImage", remove_image, 1),
	[RPC_IMAGE_FS_INFO] = ROW(IMAGE, "ImageFsInfo", image_fs_info, 1),
};

int runtime_pack(const ProtobufCMessage *message, struct xb_buf *out)
{
	size_t n = protobuf_c_message_get_packed_size(message);

	if (xb_buf_reserve(out, n))
		return -ENOMEM;
	protobuf_c_message_pack(message, (uint8_t *)out->p + out->n);
	out->n += n;
	return 0;
}

static void *take(void *arena, size_t n)
{
	return xb_arena_alloc(arena, n);
}

static void give(void *arena, void *p)
{
}

ProtobufCMessage *runtime_unpack(struct xb_arena *a, const ProtobufCMessageDescriptor *type, struct xb_sv bytes)
{
	ProtobufCAllocator allocator = { take, give, a };

	return protobuf_c_message_unpack(type, &allocator, bytes.n, (const uint8_t *)bytes.p);
}

int runtime_new(const struct runtime_config *config, struct runtime **ret, char **reterr_why)
{
	struct runtime_config c = *config;

	if (!c.request_timeout_ms)
		c.request_timeout_ms = REQUEST_TIMEOUT_MS;
	return xb_sv_starts(xb_sv(c.endpoint), "fake://") ? fake_new(&c, ret, reterr_why) : cri_new(&c, ret, reterr_why);
}

struct runtime *runtime_free(struct runtime *rt)
{
	if (rt)
		rt->ops->free(rt);
	return NULL;
}

int runtime_call(struct runtime *rt, enum runtime_rpc rpc, const ProtobufCMessage *request, unsigned timeout_ms, runtime_done done,
		 void *arg, struct runtime_call **ret_call)
{
	if (!timeout_ms)
		timeout_ms = rt->request_timeout_ms * runtime_rpcs[rpc].timeouts;
	return rt->ops->call(rt, rpc, request, timeout_ms, done, arg, ret_call);
}

void runtime_cancel(struct runtime_call *call)
{
	if (call)
		call->rt->ops->cancel(call);
}

int runtime_watch(struct runtime *rt, runtime_hint hint, void *arg)
{
	return rt->ops->watch(rt, hint, arg);
}
