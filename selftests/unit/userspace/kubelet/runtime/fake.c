/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include "../../../../../userspace/kubelet/runtime/runtime.h"

static struct {
	uv_loop_t loop;
	struct runtime *rt;
	int code;
	char message[600], text[200], hints[2000];
	bool done;
	void (*read)(const void *reply);        /* notes in text what a reply says */
} t;

static void open_fake(const char *endpoint)
{
	struct runtime_config c = { .loop = &t.loop, .endpoint = endpoint };
	char *why = NULL;

	assert_int_equal(runtime_new(&c, &t.rt, &why), 0);
}

static int set_up(void **state)
{
	memset(&t, 0, sizeof(t));
	uv_loop_init(&t.loop);
	open_fake("fake://?cidr=10.1.2.0/29");
	return 0;
}

static int tear_down(void **state)
{
	t.rt = runtime_free(t.rt);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&t.loop);
}

static void on_done(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	t.done = true;
	t.code = code;
	snprintf(t.message, sizeof(t.message), "%s", message);
	assert_int_equal(reply != NULL, code == XB_GRPC_OK);
	if (reply) {
		assert_ptr_equal(reply->descriptor, runtime_rpcs[*(enum runtime_rpc *)arg].reply);
		if (t.read)
			t.read(reply);
	}
}

/* What the call says in the words of read; "" after a fault. */
static const char *call(enum runtime_rpc rpc, const ProtobufCMessage *q, void (*read)(const void *reply))
{
	t.done = false;
	t.read = read;
	t.text[0] = '\0';
	assert_int_equal(runtime_call(t.rt, rpc, q, 0, on_done, &rpc, NULL), 0);
	assert_false(t.done);
	while (!t.done)
		uv_run(&t.loop, UV_RUN_NOWAIT); /* answers wait for nothing */
	return t.text;
}

static void read_sandbox(const void *reply)
{
	snprintf(t.text, sizeof(t.text), "%s", ((const Runtime__V1__RunPodSandboxResponse *)reply)->pod_sandbox_id);
}

static char *run_sandbox(const char *name, bool host)
{
	Runtime__V1__RunPodSandboxRequest q = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;
	Runtime__V1__PodSandboxConfig c = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
	Runtime__V1__PodSandboxMetadata m = RUNTIME__V1__POD_SANDBOX_METADATA__INIT;
	Runtime__V1__LinuxPodSandboxConfig on_linux = RUNTIME__V1__LINUX_POD_SANDBOX_CONFIG__INIT;
	Runtime__V1__LinuxSandboxSecurityContext security = RUNTIME__V1__LINUX_SANDBOX_SECURITY_CONTEXT__INIT;
	Runtime__V1__NamespaceOption namespaces = RUNTIME__V1__NAMESPACE_OPTION__INIT;
	Runtime__V1__KeyValue label = RUNTIME__V1__KEY_VALUE__INIT, *labels[] = { &label };

	namespaces.network = host ? RUNTIME__V1__NAMESPACE_MODE__NODE : RUNTIME__V1__NAMESPACE_MODE__POD;
	security.namespace_options = &namespaces;
	on_linux.security_context = &security;
	m.name = (char *)name;
	m.namespace_ = "default";
	m.uid = "u1";
	label.key = "name";
	label.value = (char *)name;
	c.metadata = &m;
	c.linux_config = &on_linux;
	c.labels = labels;
	c.n_labels = 1;
	q.config = &c;
	return strdup(call(RPC_RUN_POD_SANDBOX, &q.base, read_sandbox));
}

static void read_created(const void *reply)
{
	snprintf(t.text, sizeof(t.text), "%s", ((const Runtime__V1__CreateContainerResponse *)reply)->container_id);
}

static char *create(const char *sandbox, const char *image, const char *command)
{
	Runtime__V1__CreateContainerRequest q = RUNTIME__V1__CREATE_CONTAINER_REQUEST__INIT;
	Runtime__V1__ContainerConfig c = RUNTIME__V1__CONTAINER_CONFIG__INIT;
	Runtime__V1__PodSandboxConfig s = RUNTIME__V1__POD_SANDBOX_CONFIG__INIT;
	Runtime__V1__ContainerMetadata m = RUNTIME__V1__CONTAINER_METADATA__INIT;
	Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;
	char *words[] = { (char *)command };

	m.name = "main";
	spec.image = (char *)image;
	c.metadata = &m;
	c.image = &spec;
	c.args = words;
	c.n_args = command ? 1 : 0;
	c.log_path = "main/0.log";
	s.log_directory = "/var/log/pods/p";
	q.pod_sandbox_id = (char *)sandbox;
	q.config = &c;
	q.sandbox_config = &s;
	return strdup(call(RPC_CREATE_CONTAINER, &q.base, read_created));
}

static int start(const char *id)
{
	Runtime__V1__StartContainerRequest q = RUNTIME__V1__START_CONTAINER_REQUEST__INIT;

	q.container_id = (char *)id;
	call(RPC_START_CONTAINER, &q.base, NULL);
	return t.code;
}

static void read_status(const void *reply)
{
	const Runtime__V1__ContainerStatus *s = ((const Runtime__V1__ContainerStatusResponse *)reply)->status;

	snprintf(t.text, sizeof(t.text), "%s %s %d %s %s", s->metadata->name,
		 protobuf_c_enum_descriptor_get_value(&runtime__v1__container_state__descriptor, s->state)->name, s->exit_code,
		 s->reason[0] ? s->reason : "-", s->log_path);
	assert_int_equal(s->started_at > 0, s->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING || s->finished_at > 0);
}

static const char *status(const char *id)
{
	Runtime__V1__ContainerStatusRequest q = RUNTIME__V1__CONTAINER_STATUS_REQUEST__INIT;

	q.container_id = (char *)id;
	return call(RPC_CONTAINER_STATUS, &q.base, read_status);
}

static void stop(const char *id, int grace)
{
	Runtime__V1__StopContainerRequest q = RUNTIME__V1__STOP_CONTAINER_REQUEST__INIT;

	q.container_id = (char *)id;
	q.timeout = grace;
	call(RPC_STOP_CONTAINER, &q.base, NULL);
	assert_int_equal(t.code, XB_GRPC_OK);
}

static void read_sandbox_status(const void *reply)
{
	const Runtime__V1__PodSandboxStatus *s = ((const Runtime__V1__PodSandboxStatusResponse *)reply)->status;

	snprintf(t.text, sizeof(t.text), "%s/%s %s [%s] %s", s->metadata->namespace_, s->metadata->name, s->state ? "NOTREADY" : "READY",
		 s->network->ip, s->network->n_additional_ips ? s->network->additional_ips[0]->ip : "");
}

static const char *sandbox_status(const char *id)
{
	Runtime__V1__PodSandboxStatusRequest q = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;

	q.pod_sandbox_id = (char *)id;
	return call(RPC_POD_SANDBOX_STATUS, &q.base, read_sandbox_status);
}

static void stop_sandbox(const char *id)
{
	Runtime__V1__StopPodSandboxRequest q = RUNTIME__V1__STOP_POD_SANDBOX_REQUEST__INIT;

	q.pod_sandbox_id = (char *)id;
	call(RPC_STOP_POD_SANDBOX, &q.base, NULL);
	assert_int_equal(t.code, XB_GRPC_OK);
}

static void remove_sandbox(const char *id)
{
	Runtime__V1__RemovePodSandboxRequest q = RUNTIME__V1__REMOVE_POD_SANDBOX_REQUEST__INIT;

	q.pod_sandbox_id = (char *)id;
	call(RPC_REMOVE_POD_SANDBOX, &q.base, NULL);
	assert_int_equal(t.code, XB_GRPC_OK);
}

static void test_life(void **state)
{
	char *s = run_sandbox("web", false), *c = create(s, "nginx", NULL), want[600];

	assert_string_equal(sandbox_status(s), "default/web READY [10.1.2.2] ");
	assert_string_equal(status(c), "main CONTAINER_CREATED 0 - /var/log/pods/p/main/0.log");
	assert_int_equal(start(c), XB_GRPC_OK);
	assert_string_equal(status(c), "main CONTAINER_RUNNING 0 - /var/log/pods/p/main/0.log");
	assert_int_equal(start(c), XB_GRPC_UNKNOWN);
	stop(c, 30);
	stop(c, 30);
	assert_string_equal(status(c), "main CONTAINER_EXITED 143 Error /var/log/pods/p/main/0.log");
	stop_sandbox(s);
	assert_string_equal(sandbox_status(s), "default/web NOTREADY [] ");
	remove_sandbox(s);
	remove_sandbox(s);
	sandbox_status(s);
	assert_int_equal(t.code, XB_GRPC_NOT_FOUND);
	assert_string_equal(t.message, "an error occurred when try to find sandbox: not found");
	status(c);
	snprintf(want, sizeof(want), "an error occurred when try to find container \"%s\": not found", c);
	assert_string_equal(t.message, want);
	assert_int_equal(t.code, XB_GRPC_NOT_FOUND);
	free(s);
	free(c);
}

static void on_hint(void *arg, enum runtime_news news, const char *id)
{
	size_t n = strlen(t.hints);

	snprintf(t.hints + n, sizeof(t.hints) - n, "%s ", news == RUNTIME_RELIST ? "relist" : news == RUNTIME_BLIND ? "blind" : id);
}

static void wait_for_hint(const char *id)
{
	while (!strstr(t.hints, id))
		uv_run(&t.loop, UV_RUN_ONCE);
}

static void test_exits(void **state)
{
	char *s = run_sandbox("jobs", false), *at_once = create(s, "job", "exit 3"), *never = create(s, "job", "exit now");
	char *image = create(s, "registry.example:5000/tests/exit-7-after-0.02:v1@sha256:ab", NULL);
	char *later = create(s, "job", "exit 0 after 0.05");
	char *broken = create(s, "job", "no-such-command");

	assert_int_equal(runtime_watch(t.rt, on_hint, NULL), 0);
	assert_string_equal(t.hints, "");
	assert_int_equal(start(never), 0);
	assert_string_equal(t.hints, "relist ");
	assert_int_equal(start(at_once), 0);
	assert_int_equal(start(later), 0);
	assert_int_equal(start(image), 0);
	wait_for_hint(later);
	assert_true(strstr(t.hints, at_once) < strstr(t.hints, image));
	assert_true(strstr(t.hints, image) < strstr(t.hints, later));
	assert_string_equal(status(at_once), "main CONTAINER_EXITED 3 Error /var/log/pods/p/main/0.log");
	assert_string_equal(status(later), "main CONTAINER_EXITED 0 Completed /var/log/pods/p/main/0.log");
	assert_string_equal(status(image), "main CONTAINER_EXITED 7 Error /var/log/pods/p/main/0.log");
	assert_int_equal(start(broken), XB_GRPC_UNKNOWN);
	assert_non_null(strstr(t.message, "executable file not found in $PATH"));
	stop_sandbox(s);
	wait_for_hint(never);
	wait_for_hint(s);
	assert_string_equal(status(never), "main CONTAINER_EXITED 137 Error /var/log/pods/p/main/0.log");
	free(s);
	free(at_once);
	free(later);
	free(image);
	free(never);
	free(broken);
}

static void test_addresses(void **state)
{
	static const char *const want[] = { "default/p0 READY [10.1.2.2] ", "default/p1 READY [10.1.2.3] ", "default/p2 READY [10.1.2.4] ",
					    "default/p3 READY [10.1.2.5] ", "default/p4 READY [10.1.2.6] " };
	char *ids[ARRAY_SIZE(want)], *host, *full, *again, name[8];

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		snprintf(name, sizeof(name), "p%zu", i);
		ids[i] = run_sandbox(name, false);
		assert_string_equal(sandbox_status(ids[i]), want[i]);
	}
	full = run_sandbox("full", false);
	assert_int_equal(t.code, XB_GRPC_UNKNOWN);
	host = run_sandbox("host", true);
	assert_string_equal(sandbox_status(host), "default/host READY [] ");
	stop_sandbox(ids[1]);
	again = run_sandbox("again", false);
	assert_string_equal(sandbox_status(again), "default/again READY [10.1.2.3] ");
	free(run_sandbox("again", false));
	assert_int_equal(t.code, XB_GRPC_UNKNOWN);
	assert_non_null(strstr(t.message, "name \"again_default_u1_0\" is reserved for"));
	free(again);
	free(host);
	free(full);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		free(ids[i]);
}

static void test_pod_cidr(void **state)
{
	Runtime__V1__UpdateRuntimeConfigRequest q = RUNTIME__V1__UPDATE_RUNTIME_CONFIG_REQUEST__INIT;
	Runtime__V1__RuntimeConfig c = RUNTIME__V1__RUNTIME_CONFIG__INIT;
	Runtime__V1__NetworkConfig n = RUNTIME__V1__NETWORK_CONFIG__INIT;
	char *s;

	runtime_free(t.rt);
	open_fake("fake://");
	n.pod_cidr = "10.244.3.0/24,fd00:10:244:3::/64";
	c.network_config = &n;
	q.runtime_config = &c;
	call(RPC_UPDATE_RUNTIME_CONFIG, &q.base, NULL);
	s = run_sandbox("dual", false);
	assert_string_equal(sandbox_status(s), "default/dual READY [10.244.3.2] fd00:10:244:3::2");
	n.pod_cidr = "10.244.3.0";
	call(RPC_UPDATE_RUNTIME_CONFIG, &q.base, NULL);
	assert_int_equal(t.code, XB_GRPC_UNKNOWN);
	free(s);
}

static void read_containers(const void *reply)
{
	const Runtime__V1__ListContainersResponse *r = reply;

	for (size_t i = 0; i < r->n_containers; i++)
		snprintf(t.text + strlen(t.text), sizeof(t.text) - strlen(t.text), "%.4s in %.4s ", r->containers[i]->id,
			 r->containers[i]->pod_sandbox_id);
}

static void read_sandboxes(const void *reply)
{
	const Runtime__V1__ListPodSandboxResponse *r = reply;

	for (size_t i = 0; i < r->n_items; i++)
		snprintf(t.text + strlen(t.text), sizeof(t.text) - strlen(t.text), "%s ", r->items[i]->metadata->name);
}

static void test_lists(void **state)
{
	Runtime__V1__ListContainersRequest q = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
	Runtime__V1__ContainerFilter f = RUNTIME__V1__CONTAINER_FILTER__INIT;
	Runtime__V1__ContainerStateValue running = RUNTIME__V1__CONTAINER_STATE_VALUE__INIT;
	Runtime__V1__ListPodSandboxRequest sq = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
	Runtime__V1__PodSandboxFilter sf = RUNTIME__V1__POD_SANDBOX_FILTER__INIT;
	Runtime__V1__KeyValue label = RUNTIME__V1__KEY_VALUE__INIT, *labels[] = { &label };
	char *s1 = run_sandbox("one", false), *s2 = run_sandbox("two", false), *c1 = create(s1, "nginx", NULL), *c2 = create(s2, "nginx", NULL);
	char want[100];

	snprintf(want, sizeof(want), "%.4s in %.4s %.4s in %.4s ", c1, s1, c2, s2);
	assert_string_equal(call(RPC_LIST_CONTAINERS, &q.base, read_containers), want);
	q.filter = &f;
	f.pod_sandbox_id = s2;
	snprintf(want, sizeof(want), "%.4s in %.4s ", c2, s2);
	assert_string_equal(call(RPC_LIST_CONTAINERS, &q.base, read_containers), want);
	running.state = RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING;
	f.state = &running;
	assert_string_equal(call(RPC_LIST_CONTAINERS, &q.base, read_containers), "");
	start(c2);
	assert_string_equal(call(RPC_LIST_CONTAINERS, &q.base, read_containers), want);

	assert_string_equal(call(RPC_LIST_POD_SANDBOX, &sq.base, read_sandboxes), "one two ");
	label.key = "name";
	label.value = "two";
	sf.label_selector = labels;
	sf.n_label_selector = 1;
	sq.filter = &sf;
	assert_string_equal(call(RPC_LIST_POD_SANDBOX, &sq.base, read_sandboxes), "two ");
	free(s1);
	free(s2);
	free(c1);
	free(c2);
}

static void read_image(const void *reply)
{
	const Runtime__V1__Image *i = ((const Runtime__V1__ImageStatusResponse *)reply)->image;

	snprintf(t.text, sizeof(t.text), "%.11s %s", i ? i->id : "none", i && i->n_repo_tags ? i->repo_tags[0] : "");
}

static void read_pulled(const void *reply)
{
	snprintf(t.text, sizeof(t.text), "%.7s", ((const Runtime__V1__PullImageResponse *)reply)->image_ref);
}

static void read_images(const void *reply)
{
	const Runtime__V1__ListImagesResponse *r = reply;

	for (size_t i = 0; i < r->n_images; i++)
		snprintf(t.text + strlen(t.text), sizeof(t.text) - strlen(t.text), "%s ", r->images[i]->repo_tags[0]);
}

static void test_images(void **state)
{
	Runtime__V1__ImageStatusRequest q = RUNTIME__V1__IMAGE_STATUS_REQUEST__INIT;
	Runtime__V1__PullImageRequest p = RUNTIME__V1__PULL_IMAGE_REQUEST__INIT;
	Runtime__V1__ListImagesRequest l = RUNTIME__V1__LIST_IMAGES_REQUEST__INIT;
	Runtime__V1__RemoveImageRequest r = RUNTIME__V1__REMOVE_IMAGE_REQUEST__INIT;
	Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;

	q.image = p.image = r.image = &spec;
	spec.image = "nginx";
	assert_non_null(strstr(call(RPC_IMAGE_STATUS, &q.base, read_image), "docker.io/library/nginx:latest"));
	assert_string_equal(call(RPC_PULL_IMAGE, &p.base, read_pulled), "sha256:");
	spec.image = "quay.io/a/b:v2";
	call(RPC_PULL_IMAGE, &p.base, read_pulled);
	call(RPC_PULL_IMAGE, &p.base, read_pulled);
	assert_string_equal(call(RPC_LIST_IMAGES, &l.base, read_images), "docker.io/library/nginx:latest quay.io/a/b:v2 ");
	call(RPC_REMOVE_IMAGE, &r.base, NULL);
	assert_string_equal(call(RPC_LIST_IMAGES, &l.base, read_images), "docker.io/library/nginx:latest ");
	spec.image = "user/not-found:v1";
	assert_string_equal(call(RPC_IMAGE_STATUS, &q.base, read_image), "none ");
	call(RPC_PULL_IMAGE, &p.base, read_pulled);
	assert_int_equal(t.code, XB_GRPC_NOT_FOUND);
	assert_string_equal(t.message, "failed to pull and unpack image \"docker.io/user/not-found:v1\": failed to resolve reference "
				       "\"docker.io/user/not-found:v1\": docker.io/user/not-found:v1: not found");
}

static void read_exec(const void *reply)
{
	const Runtime__V1__ExecSyncResponse *r = reply;

	snprintf(t.text, sizeof(t.text), "%d %.*s", r->exit_code, (int)r->stdout.len, r->stdout.data);
}

static void test_exec(void **state)
{
	Runtime__V1__ExecSyncRequest q = RUNTIME__V1__EXEC_SYNC_REQUEST__INIT;
	Runtime__V1__ExecRequest e = RUNTIME__V1__EXEC_REQUEST__INIT;
	char *s = run_sandbox("web", false), *c = create(s, "nginx", NULL), *words[] = { "exit", "4" };

	q.container_id = c;
	q.cmd = words;
	q.n_cmd = 2;
	call(RPC_EXEC_SYNC, &q.base, read_exec);
	assert_int_equal(t.code, XB_GRPC_UNKNOWN);
	assert_string_equal(t.message, "container is in CONTAINER_CREATED state");
	start(c);
	assert_string_equal(call(RPC_EXEC_SYNC, &q.base, read_exec), "4 fake\n");
	words[0] = "cat";
	assert_string_equal(call(RPC_EXEC_SYNC, &q.base, read_exec), "0 fake\n");
	e.container_id = c;
	call(RPC_EXEC, &e.base, NULL);
	assert_int_equal(t.code, XB_GRPC_UNIMPLEMENTED);
	free(s);
	free(c);
}

static void test_cancel(void **state)
{
	Runtime__V1__VersionRequest q = RUNTIME__V1__VERSION_REQUEST__INIT;
	struct runtime_call *c;

	assert_int_equal(runtime_call(t.rt, RPC_VERSION, &q.base, 0, on_done, NULL, &c), 0);
	runtime_cancel(c);
	runtime_cancel(NULL);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	assert_false(t.done);
	assert_int_equal(runtime_call(t.rt, RPC_VERSION, &q.base, 0, on_done, NULL, &c), 0); /* freed with the runtime */
}

static void test_endpoints(void **state)
{
	static const char *const wrong[] = { "fake://x", "fake://?cidr=", "fake://?cidr=10.0.0.0", "fake://?cidr=10.0.0.0/31", "tcp:x",
					     "fake://?cidr=10.0.0.0/24,10.1.0.0/24" };
	struct runtime_config c = { .loop = &t.loop };
	struct runtime *rt;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char *why = NULL;

		c.endpoint = wrong[i];
		assert_int_equal(runtime_new(&c, &rt, &why), -EINVAL);
		assert_non_null(strstr(why, wrong[i]));
		free(why);
	}
}

/* A hundred nodes of thirty pods each live in one process, in tests. */
static void test_memory(void **state)
{
	size_t before = mallinfo2().uordblks;

	runtime_free(t.rt);
	open_fake("fake://");
	for (int i = 0; i < 200; i++) {
		char name[16], *s, *c;

		snprintf(name, sizeof(name), "p%d", i);
		s = run_sandbox(name, false);
		c = create(s, "nginx", NULL);
		start(c);
		free(s);
		free(c);
	}
	assert_true(mallinfo2().uordblks - before < 200 * 1200);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life), TEST(test_exits), TEST(test_addresses), TEST(test_pod_cidr), TEST(test_lists), TEST(test_images),
		TEST(test_exec), TEST(test_cancel), TEST(test_endpoints), TEST(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
