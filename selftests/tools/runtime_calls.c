/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One call of the kubelet's runtime interface, for live tests: runtime_calls ENDPOINT COMMAND ARGUMENTS...; prints what the
 * runtime answers, or "CODE: its words" and exits with 1. "watch" prints each hint as it comes, and goes on. "pod" makes a sandbox
 * and a container in it, and prints the sandbox and how many milliseconds each of the three calls for that took.
 */
#include <err.h>
#include <stdio.h>
#include "../../userspace/kubelet/runtime/runtime.h"

static uv_loop_t loop;
static struct runtime *rt;
static bool failed;

/* A row for each command: fills its request from arguments, and prints its reply. */
struct command {
	const char *name, *arguments;
	int n;                          /* arguments at least */
	enum runtime_rpc rpc;
	void (*fill)(void *request, char **args, int n);
	void (*print)(const void *reply);
};

static void fill_id(void *request, char **args, int n)
{
	/* every request of these begins with the ID of what it is about */
	((Runtime__V1__ContainerStatusRequest *)request)->container_id = args[0];
}

static void fill_stop(void *request, char **args, int n)
{
	Runtime__V1__StopContainerRequest *q = request;

	q->container_id = args[0];
	q->timeout = atoi(args[1]);
}

static void fill_exec(void *request, char **args, int n)
{
	Runtime__V1__ExecSyncRequest *q = request;

	q->container_id = args[0];
	q->timeout = 10;
	q->cmd = args + 1;
	q->n_cmd = n - 1;
}

static void fill_exec_url(void *request, char **args, int n)
{
	Runtime__V1__ExecRequest *q = request;

	q->container_id = args[0];
	q->cmd = args + 1;
	q->n_cmd = n - 1;
	q->stdout = true;
}

/* ID MEMORY SHARES */
static void fill_update(void *request, char **args, int n)
{
	static Runtime__V1__LinuxContainerResources resources = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__INIT;
	Runtime__V1__UpdateContainerResourcesRequest *q = request;

	resources.memory_limit_in_bytes = atoll(args[1]);
	resources.cpu_shares = atoll(args[2]);
	q->container_id = args[0];
	q->linux_resources = &resources;
}

static void fill_image(void *request, char **args, int n)
{
	static Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;

	spec.image = args[0];
	((Runtime__V1__ImageStatusRequest *)request)->image = &spec;
}

/* NAME CGROUP_PARENT LOGS [host] */
static void fill_sandbox(void *request, char **args, int n)
{
	static Runtime__V1__PodSandboxConfig c = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
	static Runtime__V1__PodSandboxMetadata m = RUNTIME__V1__POD_SANDBOX_METADATA__INIT;
	static Runtime__V1__LinuxPodSandboxConfig on_linux = RUNTIME__V1__LINUX_POD_SANDBOX_CONFIG__INIT;
	static Runtime__V1__LinuxSandboxSecurityContext security = RUNTIME__V1__LINUX_SANDBOX_SECURITY_CONTEXT__INIT;
	static Runtime__V1__NamespaceOption namespaces = RUNTIME__V1__NAMESPACE_OPTION__INIT;

	namespaces.network = n > 3 ? RUNTIME__V1__NAMESPACE_MODE__NODE : RUNTIME__V1__NAMESPACE_MODE__POD;
	namespaces.pid = RUNTIME__V1__NAMESPACE_MODE__CONTAINER;
	security.namespace_options = &namespaces;
	on_linux.security_context = &security;
	on_linux.cgroup_parent = args[1];
	m.name = args[0];
	m.uid = "uid";
	m.namespace_ = "default";
	c.metadata = &m;
	c.hostname = n > 3 ? "" : args[0];
	c.log_directory = args[2];
	c.linux_config = &on_linux;
	((Runtime__V1__RunPodSandboxRequest *)request)->config = &c;
}

/* SANDBOX NAME CGROUP_PARENT LOGS IMAGE MEMORY COMMAND... */
static void fill_container(void *request, char **args, int n)
{
	static Runtime__V1__RunPodSandboxRequest sandbox = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;
	static Runtime__V1__ContainerConfig c = RUNTIME__V1__CONTAINER_CONFIG__INIT;
	static Runtime__V1__ContainerMetadata m = RUNTIME__V1__CONTAINER_METADATA__INIT;
	static Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;
	static Runtime__V1__LinuxContainerConfig on_linux = RUNTIME__V1__LINUX_CONTAINER_CONFIG__INIT;
	static Runtime__V1__LinuxContainerResources resources = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__INIT;
	Runtime__V1__CreateContainerRequest *q = request;
	static char log[100];

	fill_sandbox(&sandbox, args + 1, 3);
	snprintf(log, sizeof(log), "%s.log", args[1]);
	m.name = args[1];
	spec.image = args[4];
	resources.memory_limit_in_bytes = atoll(args[5]);
	on_linux.resources = &resources;
	c.metadata = &m;
	c.image = &spec;
	c.command = args + 6;
	c.n_command = n - 6;
	c.log_path = log;
	c.linux_config = &on_linux;
	q->pod_sandbox_id = args[0];
	q->config = &c;
	q->sandbox_config = sandbox.config;
}

static void print_version(const void *reply)
{
	const Runtime__V1__VersionResponse *r = reply;

	printf("%s %s %s\n", r->runtime_name, r->runtime_version, r->runtime_api_version);
}

static void print_status(const void *reply)
{
	const Runtime__V1__RuntimeStatus *s = ((const Runtime__V1__StatusResponse *)reply)->status;

	for (size_t i = 0; s && i < s->n_conditions; i++)
		printf("%s=%s %s\n", s->conditions[i]->type, s->conditions[i]->status ? "true" : "false", s->conditions[i]->reason);
}

static void print_new_sandbox(const void *reply)
{
	puts(((const Runtime__V1__RunPodSandboxResponse *)reply)->pod_sandbox_id);
}

static void print_new_container(const void *reply)
{
	puts(((const Runtime__V1__CreateContainerResponse *)reply)->container_id);
}

static void print_nothing(const void *reply)
{
}

static void print_sandbox(const void *reply)
{
	const Runtime__V1__PodSandboxStatus *s = ((const Runtime__V1__PodSandboxStatusResponse *)reply)->status;

	printf("%s %s %s\n", s->metadata->name, s->state ? "NOTREADY" : "READY", s->network && s->network->ip[0] ? s->network->ip : "-");
}

static void print_container(const void *reply)
{
	const Runtime__V1__ContainerStatus *s = ((const Runtime__V1__ContainerStatusResponse *)reply)->status;

	printf("%s %s %d %s\n", s->metadata->name,
	       protobuf_c_enum_descriptor_get_value(&runtime__v1__container_state__descriptor, s->state)->name, s->exit_code,
	       s->reason[0] ? s->reason : "-");
}

static void print_exec(const void *reply)
{
	const Runtime__V1__ExecSyncResponse *r = reply;

	printf("%d ", r->exit_code);
	if (r->stdout.len)
		fwrite(r->stdout.data, 1, r->stdout.len, stdout);
	if (r->stderr.len)
		fwrite(r->stderr.data, 1, r->stderr.len, stdout);
}

static void print_exec_url(const void *reply)
{
	puts(((const Runtime__V1__ExecResponse *)reply)->url);
}

static void print_stats(const void *reply)
{
	const Runtime__V1__ListContainerStatsResponse *r = reply;

	for (size_t i = 0; i < r->n_stats; i++) {
		const Runtime__V1__ContainerStats *s = r->stats[i];

		printf("%s cpu=%s memory=%s disk=%s\n", s->attributes->metadata->name,
		       s->cpu && s->cpu->usage_core_nano_seconds && s->cpu->usage_core_nano_seconds->value ? "some" : "none",
		       s->memory && s->memory->working_set_bytes && s->memory->working_set_bytes->value ? "some" : "none",
		       s->writable_layer && s->writable_layer->used_bytes ? s->writable_layer->fs_id->mountpoint : "none");
	}
}

static void print_sandbox_stats(const void *reply)
{
	const Runtime__V1__ListPodSandboxStatsResponse *r = reply;

	for (size_t i = 0; i < r->n_stats; i++)
		printf("%s containers=%zu processes=%s\n", r->stats[i]->attributes->metadata->name, r->stats[i]->linux_stats->n_containers,
		       r->stats[i]->linux_stats->process ? "some" : "none");
}

static void print_fs(const void *reply)
{
	const Runtime__V1__ImageFsInfoResponse *r = reply;

	for (size_t i = 0; i < r->n_image_filesystems; i++)
		printf("%s %s\n", r->image_filesystems[i]->fs_id->mountpoint, r->image_filesystems[i]->used_bytes->value ? "used" : "empty");
}

static void print_containers(const void *reply)
{
	const Runtime__V1__ListContainersResponse *r = reply;

	for (size_t i = 0; i < r->n_containers; i++)
		printf("%s %s\n", r->containers[i]->id, r->containers[i]->metadata->name);
}

static void print_image(const void *reply)
{
	const Runtime__V1__Image *i = ((const Runtime__V1__ImageStatusResponse *)reply)->image;

	printf("%s %s\n", i ? i->id : "none", i && i->n_repo_tags ? i->repo_tags[0] : "");
}

static const struct command commands[] = {
	{ "version", "", 0, RPC_VERSION, NULL, print_version },
	{ "status", "", 0, RPC_STATUS, NULL, print_status },
	{ "run", "NAME CGROUP LOGS [host]", 3, RPC_RUN_POD_SANDBOX, fill_sandbox, print_new_sandbox },
	{ "sandbox", "ID", 1, RPC_POD_SANDBOX_STATUS, fill_id, print_sandbox },
	{ "stop-sandbox", "ID", 1, RPC_STOP_POD_SANDBOX, fill_id, print_nothing },
	{ "remove-sandbox", "ID", 1, RPC_REMOVE_POD_SANDBOX, fill_id, print_nothing },
	{ "create", "SANDBOX NAME CGROUP LOGS IMAGE MEMORY COMMAND...", 7, RPC_CREATE_CONTAINER, fill_container, print_new_container },
	{ "start", "ID", 1, RPC_START_CONTAINER, fill_id, print_nothing },
	{ "container", "ID", 1, RPC_CONTAINER_STATUS, fill_id, print_container },
	{ "containers", "", 0, RPC_LIST_CONTAINERS, NULL, print_containers },
	{ "exec", "ID COMMAND...", 2, RPC_EXEC_SYNC, fill_exec, print_exec },
	{ "exec-url", "ID COMMAND...", 2, RPC_EXEC, fill_exec_url, print_exec_url },
	{ "update", "ID MEMORY SHARES", 3, RPC_UPDATE_CONTAINER_RESOURCES, fill_update, print_nothing },
	{ "reopen", "ID", 1, RPC_REOPEN_CONTAINER_LOG, fill_id, print_nothing },
	{ "stats", "", 0, RPC_LIST_CONTAINER_STATS, NULL, print_stats },
	{ "sandbox-stats", "", 0, RPC_LIST_POD_SANDBOX_STATS, NULL, print_sandbox_stats },
	{ "image-fs", "", 0, RPC_IMAGE_FS_INFO, NULL, print_fs },
	{ "stop", "ID SECONDS", 2, RPC_STOP_CONTAINER, fill_stop, print_nothing },
	{ "remove", "ID", 1, RPC_REMOVE_CONTAINER, fill_id, print_nothing },
	{ "image", "NAME", 1, RPC_IMAGE_STATUS, fill_image, print_image },
	{ "pull", "NAME", 1, RPC_PULL_IMAGE, fill_image, print_nothing },
};

static void on_done(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	const struct command *c = arg;

	failed = code != XB_GRPC_OK;
	if (failed)
		printf("%s: %s\n", xb_grpc_code_name(code), message);
	else
		c->print(reply);
	rt = runtime_free(rt);
}

/* --- a whole pod: its sandbox's name is the container's --- */
static struct {
	char **args;                    /* NAME CGROUP LOGS IMAGE COMMAND... */
	int n;
	uint64_t began[4];              /* ns: of each call, and the end */
	char *sandbox;
} pod;

static void fail_pod(int code, const char *message)
{
	printf("%s: %s\n", xb_grpc_code_name(code), message);
	failed = true;
	rt = runtime_free(rt);
}

static void pod_started(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	if (code != XB_GRPC_OK) {
		fail_pod(code, message);
		return;
	}
	pod.began[3] = uv_hrtime();
	printf("%s", pod.sandbox);
	for (int i = 0; i < 3; i++)
		printf(" %.3f", (double)(pod.began[i + 1] - pod.began[i]) / 1e6);
	putchar('\n');
	rt = runtime_free(rt);
}

static void pod_created(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	Runtime__V1__StartContainerRequest q = RUNTIME__V1__START_CONTAINER_REQUEST__INIT;

	if (code != XB_GRPC_OK) {
		fail_pod(code, message);
		return;
	}
	pod.began[2] = uv_hrtime();
	q.container_id = ((const Runtime__V1__CreateContainerResponse *)reply)->container_id;
	if (runtime_call(rt, RPC_START_CONTAINER, &q.base, 30000, pod_started, NULL, NULL))
		errx(1, "out of memory");
}

static void pod_has_sandbox(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	Runtime__V1__CreateContainerRequest q = RUNTIME__V1__CREATE_CONTAINER_REQUEST__INIT;
	_cleanup_free_ char **args = calloc(pod.n + 2, sizeof(*args));

	if (code != XB_GRPC_OK) {
		fail_pod(code, message);
		return;
	}
	pod.began[1] = uv_hrtime();
	pod.sandbox = strdup(((const Runtime__V1__RunPodSandboxResponse *)reply)->pod_sandbox_id);
	if (!args || !pod.sandbox)
		errx(1, "out of memory");
	args[0] = pod.sandbox;
	memcpy(args + 1, pod.args, 4 * sizeof(*args));
	args[5] = "0";
	memcpy(args + 6, pod.args + 4, (pod.n - 4) * sizeof(*args));
	fill_container(&q, args, pod.n + 2);
	if (runtime_call(rt, RPC_CREATE_CONTAINER, &q.base, 30000, pod_created, NULL, NULL))
		errx(1, "out of memory");
}

static void make_pod(char **args, int n)
{
	Runtime__V1__RunPodSandboxRequest q = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;

	if (n < 4)
		errx(1, "pod NAME CGROUP LOGS IMAGE COMMAND...");
	pod.args = args;
	pod.n = n;
	fill_sandbox(&q, args, 3);
	pod.began[0] = uv_hrtime();
	if (runtime_call(rt, RPC_RUN_POD_SANDBOX, &q.base, 30000, pod_has_sandbox, NULL, NULL))
		errx(1, "out of memory");
}

static void on_hint(void *arg, enum runtime_news news, const char *id)
{
	puts(news == RUNTIME_RELIST ? "relist" : news == RUNTIME_BLIND ? "blind" : id);
	fflush(stdout);
}

static void run(const struct command *c, char **args, int n)
{
	const ProtobufCMessageDescriptor *type = runtime_rpcs[c->rpc].request;
	_cleanup_free_ ProtobufCMessage *request = calloc(1, type->sizeof_message);

	if (n < c->n)
		errx(1, "%s %s", c->name, c->arguments);
	protobuf_c_message_init(type, request);
	if (c->fill)
		c->fill(request, args, n);
	if (runtime_call(rt, c->rpc, request, 30000, on_done, (void *)c, NULL))
		errx(1, "out of memory");
}

int main(int argc, char **argv)
{
	struct runtime_config config = { .loop = &loop, .endpoint = argv[1] };
	char *why = NULL;

	if (argc < 3)
		errx(1, "usage: %s ENDPOINT COMMAND ARGUMENTS...", argv[0]);
	uv_loop_init(&loop);
	if (runtime_new(&config, &rt, &why) < 0)
		errx(1, "%s", why);
	if (!strcmp(argv[2], "watch")) {
		runtime_watch(rt, on_hint, NULL);
	} else if (!strcmp(argv[2], "pod")) {
		make_pod(argv + 3, argc - 3);
	} else {
		const struct command *c = commands;

		while (c < commands + ARRAY_SIZE(commands) && strcmp(c->name, argv[2]))
			c++;
		if (c == commands + ARRAY_SIZE(commands))
			errx(1, "unknown command %s", argv[2]);
		run(c, argv + 3, argc - 3);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	return failed;
}
