/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../../lib/net/grpc_fixture.h"
#include "../../../../../userspace/kubelet/runtime/runtime.h"
#include "containerd_events.pb-c.h"

#define SOCKET "/tmp/xb-cri-test.%d"

/* What the runtime at the other end is like. */
static struct {
	uv_loop_t loop;
	struct grpc_server server;
	struct runtime *rt;
	char socket[64], hints[1000];
	bool cri_events, containerd_events;     /* it has them */
	struct grpc_server_call *events;        /* the stream of either */
	unsigned streams, asked, settles_after; /* how often a status is asked for until it says that something has ended */
	struct xb_buf subscribed;               /* the request */
	int code;
	char text[200];
	bool done;
} t;

static void put(struct grpc_server_call *c, const ProtobufCMessage *m)
{
	uint8_t bytes[1000];

	grpc_put(&c->out, bytes, protobuf_c_message_pack(m, bytes));
}

static void refuse(struct grpc_server_call *c, int code, const char *message)
{
	snprintf(c->status, sizeof(c->status), "%d", code);
	snprintf(c->message, sizeof(c->message), "%s", message);
	grpc_reply(c);
}

static void answer_version(struct grpc_server_call *c)
{
	Runtime__V1__VersionResponse v = RUNTIME__V1__VERSION_RESPONSE__INIT;

	v.runtime_name = "containerd";
	put(c, &v.base);
	grpc_reply(c);
}

/* "box" is a sandbox, "gone" is no more, the rest are containers; "oom" ran out of memory. */
static void answer_container(struct grpc_server_call *c)
{
	Runtime__V1__ContainerStatusRequest *q = runtime__v1__container_status_request__unpack(NULL, c->in.n - 5, (uint8_t *)c->in.p + 5);
	Runtime__V1__ContainerStatusResponse r = RUNTIME__V1__CONTAINER_STATUS_RESPONSE__INIT;
	Runtime__V1__ContainerStatus s = RUNTIME__V1__CONTAINER_STATUS__INIT;
	bool there = strcmp(q->container_id, "box") && strcmp(q->container_id, "gone");

	s.state = !strcmp(q->container_id, "oom") || t.asked < t.settles_after ? RUNTIME__V1__CONTAINER_STATE__CONTAINER_RUNNING :
										 RUNTIME__V1__CONTAINER_STATE__CONTAINER_EXITED;
	s.reason = t.asked < t.settles_after ? "" : "OOMKilled";
	t.asked += there;
	r.status = &s;
	runtime__v1__container_status_request__free_unpacked(q, NULL);
	if (!there) {
		refuse(c, XB_GRPC_NOT_FOUND, "not found");
		return;
	}
	put(c, &r.base);
	grpc_reply(c);
}

static void answer_sandbox(struct grpc_server_call *c)
{
	Runtime__V1__PodSandboxStatusResponse r = RUNTIME__V1__POD_SANDBOX_STATUS_RESPONSE__INIT;
	Runtime__V1__PodSandboxStatus s = RUNTIME__V1__POD_SANDBOX_STATUS__INIT;

	s.state = t.asked++ < t.settles_after ? RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY :
						RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_NOTREADY;
	r.status = &s;
	put(c, &r.base);
	grpc_reply(c);
}

static void answer_stream(struct grpc_server_call *c, bool there)
{
	t.streams++;
	if (!there) {
		refuse(c, XB_GRPC_UNIMPLEMENTED, "unknown method");
		return;
	}
	xb_buf_clear(&t.subscribed);
	xb_buf_addsv(&t.subscribed, xb_buf_sv(&c->in));
	t.events = c;
	c->streaming = true;
	grpc_reply(c);
}

static void on_request(struct grpc_server_call *c, bool end)
{
	if (!end)
		return;
	if (!strcmp(c->path, "/runtime.v1.RuntimeService/Version"))
		answer_version(c);
	else if (!strcmp(c->path, "/runtime.v1.RuntimeService/ContainerStatus"))
		answer_container(c);
	else if (!strcmp(c->path, "/runtime.v1.RuntimeService/PodSandboxStatus"))
		answer_sandbox(c);
	else if (!strcmp(c->path, "/runtime.v1.RuntimeService/GetContainerEvents"))
		answer_stream(c, t.cri_events);
	else if (!strcmp(c->path, "/containerd.services.events.v1.Events/Subscribe"))
		answer_stream(c, t.containerd_events && !strcmp(c->metadata, "k8s.io"));
	else if (!strcmp(c->path, "/runtime.v1.ImageService/ListImages"))
		grpc_put(&c->out, "\377\377", 2), grpc_reply(c);
	else
		refuse(c, XB_GRPC_FAILED_PRECONDITION, c->timeout);
}

static int set_up(void **state)
{
	struct runtime_config c = { .loop = &t.loop, .endpoint = t.socket };
	char *why = NULL;

	memset(&t, 0, sizeof(t));
	uv_loop_init(&t.loop);
	snprintf(t.socket, sizeof(t.socket), "unix://" SOCKET, getpid());
	t.server.on_request = on_request;
	grpc_server_open(&t.server, &t.loop, t.socket + strlen("unix://"));
	return runtime_new(&c, &t.rt, &why);
}

static int tear_down(void **state)
{
	t.rt = runtime_free(t.rt);
	grpc_server_kill(&t.server);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	unlink(t.socket + strlen("unix://"));
	xb_buf_done(&t.subscribed);
	return uv_loop_close(&t.loop);
}

static void on_done(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	t.done = true;
	t.code = code;
	snprintf(t.text, sizeof(t.text), "%s", message);
	if (reply)
		snprintf(t.text, sizeof(t.text), "%s", ((const Runtime__V1__VersionResponse *)reply)->runtime_name);
}

static void call(enum runtime_rpc rpc, const ProtobufCMessage *q, unsigned timeout_ms)
{
	t.done = false;
	assert_int_equal(runtime_call(t.rt, rpc, q, timeout_ms, on_done, NULL, NULL), 0);
	while (!t.done)
		uv_run(&t.loop, UV_RUN_ONCE);
}

static void test_calls(void **state)
{
	Runtime__V1__VersionRequest v = RUNTIME__V1__VERSION_REQUEST__INIT;
	Runtime__V1__RunPodSandboxRequest s = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;
	Runtime__V1__PullImageRequest p = RUNTIME__V1__PULL_IMAGE_REQUEST__INIT;
	Runtime__V1__ListImagesRequest l = RUNTIME__V1__LIST_IMAGES_REQUEST__INIT;
	struct runtime_call *c;

	call(RPC_VERSION, &v.base, 0);
	assert_int_equal(t.code, XB_GRPC_OK);
	assert_string_equal(t.text, "containerd");
	call(RPC_RUN_POD_SANDBOX, &s.base, 0); /* refused, with the time that it had */
	assert_int_equal(t.code, XB_GRPC_FAILED_PRECONDITION);
	assert_string_equal(t.text, "240000m");
	call(RPC_RUN_POD_SANDBOX, &s.base, 5000);
	assert_string_equal(t.text, "5000m");
	call(RPC_PULL_IMAGE, &p.base, 0);
	assert_string_equal(t.text, "");
	call(RPC_LIST_IMAGES, &l.base, 0);
	assert_int_equal(t.code, XB_GRPC_INTERNAL);
	assert_string_equal(t.text, "grpc: failed to unmarshal the received message");
	t.done = false;
	assert_int_equal(runtime_call(t.rt, RPC_VERSION, &v.base, 0, on_done, NULL, &c), 0);
	runtime_cancel(c);
	assert_int_equal(runtime_call(t.rt, RPC_VERSION, &v.base, 0, on_done, NULL, NULL), 0); /* freed with the runtime */
	assert_false(t.done);
}

static void on_hint(void *arg, enum runtime_news news, const char *id)
{
	size_t n = strlen(t.hints);

	snprintf(t.hints + n, sizeof(t.hints) - n, "%s ", news == RUNTIME_RELIST ? "relist" : news == RUNTIME_BLIND ? "blind" : id);
}

static void hints_are(const char *want)
{
	while (strlen(t.hints) < strlen(want))
		uv_run(&t.loop, UV_RUN_ONCE);
	assert_string_equal(t.hints, want);
}

static void cri_event(const char *id, Runtime__V1__ContainerEventType type)
{
	Runtime__V1__ContainerEventResponse e = RUNTIME__V1__CONTAINER_EVENT_RESPONSE__INIT;

	e.container_id = (char *)id;
	e.container_event_type = type;
	put(t.events, &e.base);
	grpc_resume(t.events);
}

static void containerd_event(const char *topic, const char *id)
{
	Containerd__Envelope e = CONTAINERD__ENVELOPE__INIT;
	Containerd__Any any = CONTAINERD__ANY__INIT;
	Containerd__TaskEvent task = CONTAINERD__TASK_EVENT__INIT;
	uint8_t bytes[100];

	task.container_id = (char *)id;
	any.value.len = containerd__task_event__pack(&task, bytes);
	any.value.data = bytes;
	e.namespace_ = "k8s.io";
	e.topic = (char *)topic;
	e.event = &any;
	put(t.events, &e.base);
	grpc_resume(t.events);
}

static void test_cri_events(void **state)
{
	t.cri_events = true;
	assert_int_equal(runtime_watch(t.rt, on_hint, NULL), 0);
	hints_are("relist ");
	cri_event("a", RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STARTED_EVENT);
	cri_event("b", RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT);
	cri_event("c", RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_DELETED_EVENT);
	hints_are("relist b c ");
	grpc_put(&t.events->out, "\377", 1); /* whatever it was */
	grpc_resume(t.events);
	hints_are("relist b c relist ");
	assert_int_equal(t.streams, 1);
	assert_int_equal(t.asked, 0);
}

static void test_containerd_events(void **state)
{
	t.containerd_events = true;
	assert_int_equal(runtime_watch(t.rt, on_hint, NULL), 0);
	while (!t.events)
		uv_run(&t.loop, UV_RUN_ONCE);
	while (!strstr(t.hints, "relist"))
		uv_run(&t.loop, UV_RUN_ONCE);
	uv_run(&t.loop, UV_RUN_NOWAIT);
	t.hints[0] = '\0';
	assert_non_null(memmem(t.subscribed.p, t.subscribed.n, "namespace==\"k8s.io\",topic==\"/tasks/delete\"", 42));
	assert_non_null(memmem(t.subscribed.p, t.subscribed.n, "namespace==\"k8s.io\",topic==\"/tasks/oom\"", 39));
	t.settles_after = 3; /* the CRI is slower than its events */
	containerd_event("/tasks/delete", "a");
	hints_are("a ");
	assert_int_equal(t.asked, 4);
	t.asked = 0;
	containerd_event("/tasks/delete", "box");
	hints_are("a box ");
	assert_int_equal(t.asked, 4);
	t.asked = 0;
	containerd_event("/tasks/oom", "oom");
	hints_are("a box oom ");
	assert_int_equal(t.asked, 4);
	t.settles_after = 0;
	containerd_event("/tasks/delete", "gone");
	hints_are("a box oom gone ");
}

static void test_no_events(void **state)
{
	assert_int_equal(runtime_watch(t.rt, on_hint, NULL), 0);
	while (t.streams < 6) /* it asks again, in case another version came */
		uv_run(&t.loop, UV_RUN_ONCE);
	assert_non_null(strstr(t.hints, "blind"));
	t.cri_events = true;
	t.hints[0] = '\0';
	while (!t.events)
		uv_run(&t.loop, UV_RUN_ONCE);
	hints_are("relist ");
}

static void test_reconnect(void **state)
{
	t.cri_events = true;
	assert_int_equal(runtime_watch(t.rt, on_hint, NULL), 0);
	hints_are("relist ");
	grpc_server_kill(&t.server);
	unlink(t.socket + strlen("unix://"));
	hints_are("relist blind ");
	t.events = NULL;
	t.server = (struct grpc_server){ .on_request = on_request };
	grpc_server_open(&t.server, &t.loop, t.socket + strlen("unix://"));
	hints_are("relist blind relist ");
	cri_event("b", RUNTIME__V1__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT);
	hints_are("relist blind relist b ");
}

static void test_free_in_flight(void **state)
{
	t.containerd_events = true;
	t.settles_after = 1000000;
	assert_int_equal(runtime_watch(t.rt, on_hint, NULL), 0);
	while (!t.events)
		uv_run(&t.loop, UV_RUN_ONCE);
	containerd_event("/tasks/delete", "a");
	while (t.asked < 3)
		uv_run(&t.loop, UV_RUN_ONCE);
	t.rt = runtime_free(t.rt);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_calls), TEST(test_cri_events), TEST(test_containerd_events), TEST(test_no_events), TEST(test_reconnect),
		TEST(test_free_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
