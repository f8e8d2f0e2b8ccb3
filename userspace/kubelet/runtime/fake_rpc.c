/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "fake.h"

int fake_fail(struct fake_turn *t, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	free(t->why);
	if (vasprintf(&t->why, fmt, ap) < 0)
		t->why = NULL;
	va_end(ap);
	return code;
}

int fake_no_memory(struct fake_turn *t)
{
	return fake_fail(t, XB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
}

char *fake_copy(struct fake_turn *t, const char *s)
{
	char *p = xb_arena_strn(t->arena, xb_sv(s));

	return p ? p : (char *)"";
}

bool fake_has_labels(Runtime__V1__KeyValue *const *labels, size_t n, Runtime__V1__KeyValue *const *want, size_t n_want)
{
	for (size_t i = 0, j; i < n_want; i++) {
		for (j = 0; j < n; j++)
			if (!strcmp(labels[j]->key, want[i]->key) && !strcmp(labels[j]->value, want[i]->value))
				break;
		if (j == n)
			return false;
	}
	return true;
}

static int version(struct fake_turn *t, const void *request, void *to)
{
	Runtime__V1__VersionResponse *reply = to;

	reply->version = "0.1.0";
	reply->runtime_name = "fake";
	reply->runtime_version = "1.0.0";
	reply->runtime_api_version = "v1";
	return XB_GRPC_OK;
}

static int status(struct fake_turn *t, const void *request, void *to)
{
	static const char *const types[] = { "RuntimeReady", "NetworkReady" };
	Runtime__V1__StatusResponse *reply = to;

	reply->status = FAKE_NEW(t, RuntimeStatus, RUNTIME_STATUS);
	if (!reply->status)
		return fake_no_memory(t);
	reply->status->conditions = xb_arena_alloc(t->arena, ARRAY_SIZE(types) * sizeof(void *));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		Runtime__V1__RuntimeCondition *c = FAKE_NEW(t, RuntimeCondition, RUNTIME_CONDITION);

		if (!c || !reply->status->conditions)
			return fake_no_memory(t);
		c->type = (char *)types[i];
		c->status = true;
		reply->status->conditions[reply->status->n_conditions++] = c;
	}
	return XB_GRPC_OK;
}

static int update_runtime_config(struct fake_turn *t, const void *request, void *to)
{
	const Runtime__V1__UpdateRuntimeConfigRequest *q = request;
	const Runtime__V1__NetworkConfig *network = q->runtime_config ? q->runtime_config->network_config : NULL;

	if (network && network->pod_cidr[0] && !t->f->fixed_ranges && fake_ranges_parse(t->f, xb_sv(network->pod_cidr)))
		return fake_fail(t, XB_GRPC_UNKNOWN, "invalid CIDR address: %s", network->pod_cidr);
	return XB_GRPC_OK;
}


static int refuse(struct fake_turn *t, const void *request, void *to)
{
	return fake_fail(t, XB_GRPC_UNIMPLEMENTED, "the hollow runtime has no streams");
}

/* There is nothing to change or to reopen. */
static int agree(struct fake_turn *t, const void *request, void *to)
{
	return XB_GRPC_OK;
}

static fake_handler *const handlers[RPC_COUNT] = {
	[RPC_VERSION] = version,
	[RPC_STATUS] = status,
	[RPC_UPDATE_RUNTIME_CONFIG] = update_runtime_config,
	[RPC_RUN_POD_SANDBOX] = fake_run_pod_sandbox,
	[RPC_STOP_POD_SANDBOX] = fake_stop_pod_sandbox,
	[RPC_REMOVE_POD_SANDBOX] = fake_remove_pod_sandbox,
	[RPC_POD_SANDBOX_STATUS] = fake_pod_sandbox_status,
	[RPC_LIST_POD_SANDBOX] = fake_list_pod_sandbox,
	[RPC_CREATE_CONTAINER] = fake_create_container,
	[RPC_START_CONTAINER] = fake_start_container,
	[RPC_STOP_CONTAINER] = fake_stop_container,
	[RPC_REMOVE_CONTAINER] = fake_remove_container,
	[RPC_LIST_CONTAINERS] = fake_list_containers,
	[RPC_CONTAINER_STATUS] = fake_container_status,
	[RPC_UPDATE_CONTAINER_RESOURCES] = agree,
	[RPC_REOPEN_CONTAINER_LOG] = agree,
	[RPC_EXEC_SYNC] = fake_exec_sync,
	[RPC_EXEC] = refuse,
	[RPC_ATTACH] = refuse,
	[RPC_PORT_FORWARD] = refuse,
	[RPC_CONTAINER_STATS] = fake_container_stats,
	[RPC_LIST_CONTAINER_STATS] = fake_list_container_stats,
	[RPC_POD_SANDBOX_STATS] = fake_pod_sandbox_stats,
	[RPC_LIST_POD_SANDBOX_STATS] = fake_list_pod_sandbox_stats,
	[RPC_LIST_IMAGES] = fake_list_images,
	[RPC_IMAGE_STATUS] = fake_image_status,
	[RPC_PULL_IMAGE] = fake_pull_image,
	[RPC_REMOVE_IMAGE] = fake_remove_image,
	[RPC_IMAGE_FS_INFO] = fake_image_fs_info,
};

int fake_answer(struct fake_turn *t, enum runtime_rpc rpc, const void *request, void *reply)
{
	return handlers[rpc](t, request, reply);
}
