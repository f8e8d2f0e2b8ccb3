/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Some parts of a kubelet without the rest: its Node, cgroups and images. It prints what they tell, and does what standard input
 * says, a line each:
 *   pod FILE        a pod's document: its cgroup is made; it counts from now on ("cgroup PATH")
 *   usage UID ID    of a container in it ("usage CPU-NS MEMORY PIDS")
 *   image UID       of its first container ("image REF USER" or "image - REASON WHY")
 *   collect         every unused image ("collected BYTES"); "use NAME" makes one used
 *   remove UID      its cgroup, until it is gone ("removed UID")
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include "../../userspace/kubelet/node/node.h"
#include "xb/file.h"
#include "xb/flags.h"
#include "xb/log.h"
#include "xb/map.h"

struct options {
	const char *kubeconfig, *name, *endpoint, *root, *cgroup_root, *thresholds, *sandbox_image;
	char **labels, **taints;
	int64_t report_ms;
	int memory;
};
static const struct xb_flag flags[] = {
	XB_FLAG(STRING, struct options, kubeconfig, "kubeconfig", NULL, "", ""),
	XB_FLAG(STRING, struct options, name, "name", "n1", "", ""),
	XB_FLAG(STRING, struct options, endpoint, "endpoint", "fake://", "", ""),
	XB_FLAG(STRING, struct options, root, "root", "/tmp", "", ""),
	XB_FLAG(STRING, struct options, cgroup_root, "cgroup-root", NULL, "", ""),
	XB_FLAG(STRING, struct options, thresholds, "thresholds", "{}", "", ""),
	XB_FLAG(STRING, struct options, sandbox_image, "sandbox-image", NULL, "", ""),
	XB_FLAG(LIST, struct options, labels, "labels", NULL, "", ""),
	XB_FLAG(LIST, struct options, taints, "taints", NULL, "", ""),
	XB_FLAG(DURATION, struct options, report_ms, "report", "5m", "", ""),
	XB_FLAG(INT, struct options, memory, "memory-gib", "8", "", ""),
};

static struct options o;
static uv_loop_t loop;
static struct facts facts;
static struct xb_map *pods, *used;
static struct objects *objects;
static struct images *images;
static struct cgroups *cgroups;
static struct node *node;

static _Noreturn void die(int r, const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why ? why : strerror(-r));
	exit(1);
}

/* --- what the parts tell */
static void on_event(void *arg, const char *uid, const char *container, bool warning, const char *reason, const char *text)
{
	printf("event %s %s %s\n", warning ? "Warning" : "Normal", reason, text);
}

static void on_changed(void *arg, const char *uid)
{
	printf("changed %s\n", uid);
}

static bool is_used(void *arg, const char *image)
{
	return xb_map_get(used, xb_sv(image)) != NULL;
}

static void on_node(void *arg, struct xb_jv object)
{
	printf("node %.*s\n", XB_SV_ARG(xb_jv_text(xb_jv_path(object, "metadata", "uid"))));
}

static void each_pod(void *arg, void (*each)(void *each_arg, struct xb_jv pod, struct xb_jv status), void *each_arg)
{
	for (struct xb_map_it it = {}; xb_map_next(pods, &it);)
		each(each_arg, xb_json_root(it.value), xb_jv_get(xb_json_root(it.value), "status"));
}

static void evict(void *arg, struct xb_jv pod, const char *message, uint64_t grace_s)
{
	struct xb_sv uid = xb_jv_text(xb_jv_path(pod, "metadata", "uid"));

	printf("evict %.*s grace %" PRIu64 " %s\n", XB_SV_ARG(uid), grace_s, message);
	xb_json_unref(xb_map_del(pods, uid));
}

/* As its annotations say. */
static void disk_excess(void *arg, struct xb_jv pod, void (*done)(void *done_arg, uint64_t bytes, const char *exceeded), void *done_arg)
{
	struct xb_jv notes = xb_jv_path(pod, "metadata", "annotations");
	_cleanup_free_ char *exceeded = xb_jv_dup(xb_jv_get(notes, "exceeded"));
	uint64_t bytes = 0;

	xb_sv_u64(xb_jv_text(xb_jv_get(notes, "bytes")), &bytes);
	done(done_arg, bytes, exceeded);
}

static void on_image(void *arg, const struct spec_image *image, const char *reason, const char *why)
{
	if (image)
		printf("image %s user %s %" PRId64 "\n", image->ref, image->username, image->has_uid ? image->uid : -1);
	else
		printf("image - %s %s\n", reason ? reason : "wait", why ? why : "");
}

static void on_collected(void *arg, int error, uint64_t freed)
{
	printf("collected %" PRIu64 " %d\n", freed, error);
}

/* --- what it is told */
static void add_pod(const char *file)
{
	_cleanup_buf_ struct xb_buf text = {}, parent = {};
	_cleanup_free_ char *why = NULL;
	struct xb_json *doc;
	int r = xb_file_read(file, 1 << 20, &text);

	r = r ? r : xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL);
	if (r)
		die(r, file, NULL);
	xb_map_set(pods, xb_jv_text(xb_jv_path(xb_json_root(doc), "metadata", "uid")), doc, NULL);
	objects_follow(objects, xb_json_root(doc));
	r = cgroups_pod_make(cgroups, xb_json_root(doc), &why);
	cgroups_parent(cgroups, xb_json_root(doc), &parent);
	printf("cgroup %s %s\n", parent.p, r ? why : "ok");
}

static void ensure(const char *uid)
{
	struct xb_json *doc = xb_map_get(pods, xb_sv(uid));
	struct xb_jv pod = xb_json_root(doc);

	images_ensure(images, pod, xb_jv_at(xb_jv_path(pod, "spec", "containers"), 0), on_image, NULL);
}

static void tell_usage(char *uid)
{
	char *id = strchr(uid, ' ');
	struct cgroups_usage u;
	int r;

	*id++ = '\0';
	r = cgroups_container_usage(cgroups, uid, id, &u);
	if (r)
		printf("usage - %s\n", strerror(-r));
	else
		printf("usage %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", u.cpu_ns, u.memory_working_set, u.pids);
}

static void remove_pod(const char *uid)
{
	int r;

	do
		r = cgroups_pod_remove(cgroups, uid);
	while (r == -EBUSY);
	printf("removed %s %s\n", uid, r ? strerror(-r) : "ok");
	images_forget(images, uid);
}

static void obey(char *line)
{
	char *argument = strchr(line, ' ');

	if (argument)
		*argument++ = '\0';
	if (!strcmp(line, "collect"))
		images_collect(images, true, on_collected, NULL);
	else if (!argument)
		fprintf(stderr, "unknown line: %s\n", line);
	else if (!strcmp(line, "pod"))
		add_pod(argument);
	else if (!strcmp(line, "usage"))
		tell_usage(argument);
	else if (!strcmp(line, "image"))
		ensure(argument);
	else if (!strcmp(line, "use"))
		xb_map_set(used, xb_sv(argument), (void *)1, NULL);
	else if (!strcmp(line, "remove"))
		remove_pod(argument);
}

static void on_input(uv_poll_t *p, int status, int events)
{
	static struct xb_buf pending;
	char *newline;
	ssize_t n;

	xb_buf_reserve(&pending, 4096);
	n = read(0, pending.p + pending.n, 4095);
	if (n <= 0) {
		uv_poll_stop(p);
		return;
	}
	pending.n += (size_t)n;
	pending.p[pending.n] = '\0';
	while ((newline = strchr(pending.p, '\n'))) {
		*newline = '\0';
		obey(pending.p);
		pending.n -= (size_t)(newline + 1 - pending.p);
		memmove(pending.p, newline + 1, pending.n + 1);
	}
}

/* --- made, and ended in order */
static void on_signal(uv_signal_t *s, int number)
{
	uv_stop(&loop);
}

static struct xb_rest *connect_api(struct xb_recorder **ret_recorder)
{
	_cleanup_kubeconfig_ struct xb_kubeconfig k = {};
	struct xb_rest *rest;
	char *why = NULL;
	int r = xb_kubeconfig_load(o.kubeconfig, NULL, NULL, &k, &why);

	r = r ? r : xb_rest_new(&loop, &k, "kubelet", &rest, &why);
	if (r)
		die(r, "kubeconfig", why);
	*ret_recorder = xb_recorder_new(rest, o.name);
	return rest;
}

static void make_facts(void)
{
	uint64_t memory = (uint64_t)o.memory << 30;

	facts = (struct facts){
		.node_name = o.name, .ips = { "192.0.2.1", "2001:db8::1" }, .root_dir = o.root, .max_pods = 110,
		.cgroup_root = o.cgroup_root, .cgroups_per_qos = true, .cpu_cfs_quota = true,
		.cpu_milli = 2000, .allocatable_cpu_milli = 1500,
		.memory_bytes = memory, .allocatable_memory_bytes = memory - (UINT64_C(512) << 20),
		.ephemeral_bytes = UINT64_C(100) << 30, .allocatable_ephemeral_bytes = UINT64_C(100) << 30,
	};
}

static void make_parts(struct xb_rest *rest, struct runtime *runtime, struct xb_recorder *recorder,
		       const struct node_thresholds *thresholds)
{
	struct objects_config oc = { .rest = rest, .changed = on_changed };
	char *why = NULL;
	int r = objects_new(&oc, &objects);
	struct images_config ic = {
		.loop = &loop, .runtime = runtime, .objects = objects, .max_parallel_pulls = 2, .gc_high_percent = 85, .gc_low_percent = 80,
		.event = on_event, .changed = on_changed, .in_use = is_used, .sandbox_image = o.sandbox_image,
	};

	r = r ? r : images_new(&ic, &images);
	r = r ? r : cgroups_new(&facts, &cgroups, &why);
	if (r)
		die(r, "parts", why);
	r = kubelet_node_new(&(struct node_config){
		.loop = &loop, .rest = rest, .recorder = recorder, .facts = &facts, .runtime = runtime, .images = images,
		.cgroups = cgroups, .register_node = true,
		.labels = (const char *const *)o.labels, .taints = (const char *const *)o.taints, .port = 10250,
		.lease_seconds = 2, .status_update_ms = 500, .status_report_ms = (unsigned)o.report_ms, .thresholds = thresholds,
		.changed = on_node, .each_pod = each_pod, .evict = evict, .disk_excess = disk_excess,
	}, &node, &why);
	if (r)
		die(r, "node", why);
}

int main(int argc, char **argv)
{
	_cleanup_(xb_json_unrefp) struct xb_json *configuration = NULL;
	_cleanup_(node_thresholds_freep) struct node_thresholds *thresholds = NULL;
	struct xb_recorder *recorder;
	struct runtime *runtime;
	struct xb_rest *rest;
	uv_signal_t term;
	uv_poll_t input;
	char *why = NULL;
	int r = xb_flags_parse(flags, ARRAY_SIZE(flags), argc, argv, &o, &why);

	if (r)
		die(r, "flags", why);
	setvbuf(stdout, NULL, _IOLBF, 0);
	xb_log_init("kubelet_node", 2, false);
	uv_loop_init(&loop);
	pods = xb_map_new(XB_MAP_BORROW);
	used = xb_map_new(XB_MAP_COPY);
	make_facts();
	rest = connect_api(&recorder);
	r = xb_json_parse(xb_sv(o.thresholds), NULL, &configuration, NULL);
	r = r ? r : node_thresholds_parse(xb_json_root(configuration), &thresholds, &why);
	r = r ? r : runtime_new(&(struct runtime_config){ .loop = &loop, .endpoint = o.endpoint }, &runtime, &why);
	if (r)
		die(r, "configuration", why);
	make_parts(rest, runtime, recorder, thresholds);
	r = uv_poll_init(&loop, &input, 0);
	if (r)
		die(r, "standard input", NULL);
	uv_poll_start(&input, UV_READABLE, on_input);
	uv_signal_init(&loop, &term);
	uv_signal_start(&term, on_signal, SIGTERM);
	uv_run(&loop, UV_RUN_DEFAULT);

	uv_close((uv_handle_t *)&input, NULL);
	uv_close((uv_handle_t *)&term, NULL);
	kubelet_node_free(node);
	images_free(images);
	objects_free(objects);
	xb_recorder_free(recorder);
	runtime_free(runtime);
	xb_rest_free(rest);
	uv_run(&loop, UV_RUN_DEFAULT);
	cgroups_free(cgroups);
	for (struct xb_map_it it = {}; xb_map_next(pods, &it);)
		xb_json_unref(it.value);
	xb_map_free(pods);
	xb_map_free(used);
	xb_flags_done(flags, ARRAY_SIZE(flags), &o);
	return uv_loop_close(&loop) ? 1 : 0;
}
