/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The start of a sandbox, and of a container: image, variables, mounts, made, started, its postStart hook. One step each. */
#include <sys/stat.h>
#include "pod.h"
#include "xb/log.h"
#include "xb/why.h"

#define SANDBOX_MIN_MS 1000
#define SANDBOX_MAX_MS 10000
#define CONFIG_MS      10000            /* what upstream's worker waits after an error */
#define PULL_MS        3000             /* then images say that they back off */
#define BACKOFF_MS     20000            /* they say when it is over; or an image came otherwise */

/* --- messages of a pod --- */
static int sandbox_config(struct pod *p, unsigned attempt, struct xb_arena *a, Runtime__V1__PodSandboxConfig **ret, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf parent = {};

	if (p->pods->parts.cgroups)
		cgroups_parent(p->pods->parts.cgroups, p->document, &parent);
	if (parent.err)
		return -ENOMEM;
	return spec_sandbox(p->pods->c.facts, p->document, attempt, parent.p ? parent.p : "", a, ret, reterr_why);
}

/* container {}: the pod's folder of logs alone. */
static int make_log_folder(const struct pod *p, struct xb_sv container)
{
	_cleanup_buf_ struct xb_buf path = {};
	int r;

	xb_buf_addf(&path, "%s/", p->pods->c.facts->pod_logs_dir);
	spec_log_folder(p->document, &path);
	if (path.err)
		return -ENOMEM;
	r = mkdir(path.p, 0755) < 0 ? -errno : 0;
	if (container.n && (!r || r == -EEXIST)) {
		xb_buf_addf(&path, "/%.*s", XB_SV_ARG(container));
		r = path.err ? -ENOMEM : mkdir(path.p, 0755) < 0 ? -errno : 0;
	}
	return r == -EEXIST ? 0 : r;
}

/* --- the sandbox --- */
static void sandbox_fails(struct pod *p, const char *why)
{
	int64_t wait = SANDBOX_MIN_MS << MIN(p->sandbox_failures, 8u);

	p->sandbox_failures++;
	p->sandbox_retry_ms = pod_now_ms() + MIN(wait, SANDBOX_MAX_MS);
	pod_event(p, (struct xb_sv){}, POD_WARNING, "FailedCreatePodSandBox", "Failed to create pod sandbox: %s", why);
}

static void tell_dns(void *arg, const char *reason, const char *text)
{
	pod_event(arg, (struct xb_sv){}, POD_WARNING, reason, "%s", text);
}

static void on_sandbox(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod *p = arg;

	if (code == XB_GRPC_UNAVAILABLE) {
		p->sandbox_retry_ms = pod_now_ms() + SANDBOX_MIN_MS;
	} else if (code != XB_GRPC_OK) {
		_cleanup_free_ char *why = NULL;

		if (asprintf(&why, "rpc error: code = %s desc = %s", xb_grpc_code_name(code), message) < 0)
			why = NULL;
		sandbox_fails(p, why ? why : message);
	} else {
		p->sandbox_failures = 0;
		spec_dns_warnings(p->pods->c.facts, p->document, tell_dns, p);
	}
	pod_step_ends(p);
}

/* A class' handler does not change, so a pod asks once. */
static void on_class(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	_cleanup_(xb_json_unrefp) struct xb_json *class = NULL;
	struct pod *p = arg;

	p->write = NULL;
	p->writing = false;
	if (code == 200 && !xb_json_parse(body, NULL, &class, NULL))
		p->runtime_handler = xb_jv_dup(xb_jv_get(xb_json_root(class), "handler"));
	if (!p->runtime_handler)
		sandbox_fails(p, status->message ? status->message : "the RuntimeClass has no handler");
	pod_step_ends(p);
}

/* 0: the handler is known, or there is none to know; 1: it was asked for, which is a step. */
static int find_handler(struct pod *p, char **reterr_why)
{
	struct xb_sv class = xb_jv_text(xb_jv_path(p->document, "spec", "runtimeClassName"));
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_rest_request q = { .method = "GET" };
	int r;

	if (!class.n || p->runtime_handler)
		return 0;
	if (!p->pods->c.rest)
		return xb_why(reterr_why, -EOPNOTSUPP, "RuntimeClass \"%.*s\" needs an API server", XB_SV_ARG(class));
	if (p->writing)
		return -EAGAIN;
	xb_buf_addf(&path, "/apis/node.k8s.io/v1/runtimeclasses/%.*s", XB_SV_ARG(class));
	q.path = path.p;
	r = path.err ? path.err : xb_rest_send(p->pods->c.rest, &q, on_class, p, &p->write);
	p->writing = !r;
	return r ? r : 1;
}

static int ask_for_sandbox(struct pod *p, unsigned attempt, char **reterr_why)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	Runtime__V1__RunPodSandboxRequest q = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;
	int r = a ? 0 : -ENOMEM;

	if (!r && p->pods->parts.cgroups)
		r = cgroups_pod_make(p->pods->parts.cgroups, p->document, reterr_why);
	if (!r)
		r = make_log_folder(p, (struct xb_sv){});
	if (!r)
		r = sandbox_config(p, attempt, a, &q.config, reterr_why);
	if (p->runtime_handler)
		q.runtime_handler = p->runtime_handler;
	return r ? r : pods_call(p->pods, RPC_RUN_POD_SANDBOX, &q.base, 0, on_sandbox, p);
}

void pod_start_sandbox(struct pod *p, unsigned attempt)
{
	_cleanup_free_ char *why = NULL;
	int r = find_handler(p, &why);

	if (r == -EAGAIN)
		return;                 /* its status is being written; the answer pokes */
	if (!r)
		r = ask_for_sandbox(p, attempt, &why);
	if (r >= 0) {
		p->steps++;
		return;
	}
	sandbox_fails(p, why ? why : strerror(-r));
	pod_wake_at(p, p->sandbox_retry_ms);
}

/* --- a container --- */
struct pod_start {
	struct pod *pod;
	struct xb_json *document;       /* of the pod as it was when the start began */
	struct xb_jv container;
	struct xb_sv name;
	unsigned attempt;
	struct xb_arena *arena;
	struct spec_image image;
	const char *ips[3];
	struct spec_input in;
	Runtime__V1__KeyValue **env;
	size_t n_env;
	struct volumes_mounts mounts;
	char *id;                       /* once it is made */
	struct hook *hook;
	bool waits_for_image;
};

static void start_free(struct pod_start *s)
{
	xb_arena_free(s->arena);
	xb_json_unref(s->document);
	free(s->id);
	free(s);
}

static void start_ends(struct pod_start *s)
{
	struct pod *p = s->pod;

	p->start = NULL;
	start_free(s);
	pod_step_ends(p);
}

static _printf_(4, 5) void start_fails(struct pod_start *s, const char *reason, int64_t retry_ms, const char *fmt, ...)
{
	struct pod_slot *slot = pod_slot(s->pod, s->name);
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	if (slot)
		pod_slot_say(slot, reason, text.p, pod_now_ms() + retry_ms);
	start_ends(s);
}

/* Nothing to tell: what it waits for will wake the pod, or the time does. */
static void start_again(struct pod_start *s, int64_t retry_ms)
{
	struct pod_slot *slot = pod_slot(s->pod, s->name);

	if (slot)
		slot->retry_ms = pod_now_ms() + retry_ms;
	start_ends(s);
}

/* What it is not allowed to be made of, or the runtime refuses: told, and tried again. */
static void refused(struct pod_start *s, const char *reason, const char *why)
{
	s->pod->pods->metrics.started_containers_errors++;
	pod_event(s->pod, s->name, POD_WARNING, "Failed", "Error: %s", why);
	start_fails(s, reason, CONFIG_MS, "%s", why);
}

static void is_started(struct pod_start *s)
{
	struct pod_slot *slot = pod_slot(s->pod, s->name);

	if (slot)
		pod_slot_say(slot, NULL, NULL, 0);
	start_ends(s);
}

/* A hook that fails takes its container with it. */
static void on_post_start(void *arg, int error, const char *why)
{
	struct pod_start *s = arg;
	struct pod *p = s->pod;
	struct observed_container c = { .id = s->id, .name = xb_arena_strn(s->arena, s->name), .state = OBSERVED_RUNNING };
	_cleanup_buf_ struct xb_buf text = {};

	s->hook = NULL;
	if (!error) {
		is_started(s);
		return;
	}
	/* what a hook answers may be a secret, and Events are read by more people than pods are */
	pod_event(p, s->name, POD_WARNING, "FailedPostStartHook", "PostStartHook failed");
	if (c.name)
		pod_kill(p, &c, pod_now_ms() + pod_grace_s(p) * 1000, "FailedPostStartHook", false);
	hook_sentence(xb_json_root(s->document), s->container, xb_jv_path(s->container, "lifecycle", "postStart"), why ? why : "", &text);
	start_fails(s, "PostStartHookError", 0, "%s", text.err ? "" : text.p);
}

static void run_post_start(struct pod_start *s)
{
	struct xb_jv hook = xb_jv_path(s->container, "lifecycle", "postStart");
	int r;

	if (!xb_jv_is(hook)) {
		is_started(s);
		return;
	}
	pod_stale(s->pod);
	r = hook_run(s->pod->pods->parts.probes, s->container, hook, s->id, s->ips[0] ? s->ips[0] : "", 0, on_post_start, s, &s->hook);
	if (r < 0)
		on_post_start(s, r, strerror(-r));
}

static void on_started(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod_start *s = arg;
	struct pods *all = s->pod->pods;

	if (code == XB_GRPC_OK) {
		all->metrics.started_containers++;
		pod_event(s->pod, s->name, POD_NORMAL, "Started", "Started container %.*s", XB_SV_ARG(s->name));
		run_post_start(s);
		return;
	}
	all->metrics.started_containers_errors++;
	if (code != XB_GRPC_UNAVAILABLE)
		pod_event(s->pod, s->name, POD_WARNING, "Failed", "Error: %s", message);
	/* the runtime has it as a container that has ended; its back-off counts from there */
	start_fails(s, "RunContainerError", 0, "%s", message);
}

static void on_created(void *arg, int code, const char *message, const ProtobufCMessage *reply)
{
	struct pod_start *s = arg;
	const Runtime__V1__CreateContainerResponse *r = (const Runtime__V1__CreateContainerResponse *)reply;
	Runtime__V1__StartContainerRequest q = RUNTIME__V1__START_CONTAINER_REQUEST__INIT;

	if (code == XB_GRPC_UNAVAILABLE) {
		start_again(s, 1000);
		return;
	}
	if (code != XB_GRPC_OK) {
		refused(s, "CreateContainerError", message);
		return;
	}
	pod_event(s->pod, s->name, POD_NORMAL, "Created", "Created container: %.*s", XB_SV_ARG(s->name));
	s->id = strdup(r->container_id);
	q.container_id = s->id;
	if (!s->id || pods_call(s->pod->pods, RPC_START_CONTAINER, &q.base, 0, on_started, s) < 0)
		start_again(s, 1000);
}

static void create(struct pod_start *s)
{
	const struct observed_sandbox *sandbox = observed_ready_sandbox(&s->pod->observed);
	Runtime__V1__CreateContainerRequest q = RUNTIME__V1__CREATE_CONTAINER_REQUEST__INIT;
	_cleanup_free_ char *why = NULL;
	int r;

	if (!sandbox || s->pod->stage != POD_ACTIVE || pod_is_deleted(s->pod)) {
		start_again(s, 0);
		return;
	}
	r = spec_container(&s->in, s->attempt, &s->image, s->env, s->n_env, s->mounts.mounts, s->mounts.n, s->arena, &q.config, &why);
	if (!r)
		r = sandbox_config(s->pod, sandbox->attempt, s->arena, &q.sandbox_config, &why);
	if (!r)
		r = make_log_folder(s->pod, s->name);
	if (r < 0) {
		refused(s, "CreateContainerConfigError", why ? why : strerror(-r));
		return;
	}
	q.pod_sandbox_id = sandbox->id;
	if (pods_call(s->pod->pods, RPC_CREATE_CONTAINER, &q.base, 0, on_created, s) < 0)
		start_again(s, 1000);
}

static void on_mounts(void *arg, int error, const char *why)
{
	struct pod_start *s = arg;

	if (error == -EAGAIN)
		start_again(s, CONFIG_MS);
	else if (error)
		refused(s, "CreateContainerConfigError", why ? why : strerror(-error));
	else
		create(s);
}

/* An ephemeral container may aim at another one, whose processes it sees. */
static const char *target_of(const struct pod_start *s)
{
	struct xb_sv target = xb_jv_text(xb_jv_get(s->container, "targetContainerName"));
	const struct observed_container *c = target.n ? observed_newest(&s->pod->observed, target) : NULL;

	return c ? xb_arena_strn(s->arena, xb_sv(c->id)) : NULL;
}

static void prepare(struct pod_start *s)
{
	struct pod *p = s->pod;
	_cleanup_free_ char *why = NULL;
	int r;

	pod_ips(p, s->ips);
	for (size_t i = 0; s->ips[i]; i++)
		s->ips[i] = xb_arena_strn(s->arena, xb_sv(s->ips[i]));
	s->in = (struct spec_input){ .facts = p->pods->c.facts, .objects = p->pods->parts.objects, .pod = xb_json_root(s->document),
				     .container = s->container, .pod_ips = s->ips, .target_id = target_of(s) };
	r = spec_env(&s->in, s->arena, &s->env, &s->n_env, &why);
	if (r == -EAGAIN) {
		start_again(s, CONFIG_MS);
		return;
	}
	if (r < 0) {
		refused(s, "CreateContainerConfigError", why ? why : strerror(-r));
		return;
	}
	s->mounts = (struct volumes_mounts){ .arena = s->arena };
	r = volumes_prepare(p->pods->parts.volumes, &s->in, s->attempt, s->env, s->n_env, &s->mounts, on_mounts, s);
	if (r < 0)
		on_mounts(s, r, NULL);
}

static void on_image(void *arg, const struct spec_image *image, const char *reason, const char *why)
{
	struct pod_start *s = arg;
	bool pulled = reason && !strcmp(reason, "ErrImagePull");

	s->waits_for_image = false;
	if (!image && !reason) {
		start_again(s, CONFIG_MS);
		return;
	}
	if (!image) {
		start_fails(s, reason, pulled ? PULL_MS : BACKOFF_MS, "%s", why ? why : "");
		return;
	}
	s->image = (struct spec_image){ .ref = xb_arena_strn(s->arena, xb_sv(image->ref)), .has_uid = image->has_uid, .uid = image->uid };
	if (image->username)
		s->image.username = xb_arena_strn(s->arena, xb_sv(image->username));
	prepare(s);
}

void pod_start_container(struct pod *p, const struct sync_start *want)
{
	struct pod_start *s = calloc(1, sizeof(*s));

	if (!s || !(s->arena = xb_arena_new(0))) {
		free(s);
		pod_wake_at(p, pod_now_ms() + 1000);
		return;
	}
	s->pod = p;
	s->document = xb_json_ref(p->document.doc);
	s->container = want->container;
	s->name = want->name;
	s->attempt = want->attempt;
	s->waits_for_image = true;
	p->start = s;
	p->steps++;
	if (images_ensure(p->pods->parts.images, p->document, want->container, on_image, s) < 0)
		on_image(s, NULL, NULL, NULL);
}

void pod_start_cancel(struct pod *p)
{
	struct pod_start *s = p->start;

	if (s->waits_for_image) {
		images_forget(p->pods->parts.images, p->uid);
		start_ends(s);
	} else if (s->hook) {
		hook_cancel(s->hook);
		start_ends(s);
	}
}

void pod_start_drop(struct pod *p)
{
	if (!p->start)
		return;
	hook_cancel(p->start->hook);
	start_free(p->start);
	p->start = NULL;
}
