/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What other parts ask of pods and tell them. */
#include "pod.h"
#include "source.h"
#include "xb/prometheus.h"

/* --- told --- */
static void retry_slots(struct pod *p)
{
	for (size_t i = 0; i < p->slots.n; i++)
		if (!p->slots.v[i].reason || strcmp(p->slots.v[i].reason, "CrashLoopBackOff"))
			p->slots.v[i].retry_ms = 0;
}

void pods_changed(void *arg, const char *uid)
{
	struct pod *p = pods_find_uid(arg, uid);

	if (!p)
		return;
	retry_slots(p);
	p->volumes_stale = true;
	pod_poke(p);
}

void pods_volumes_stale(void *arg, const char *uid)
{
	struct pod *p = pods_find_uid(arg, uid);

	if (!p)
		return;
	p->volumes_stale = true;
	pod_poke(p);
}

void pods_probe_changed(void *arg, const char *uid, const char *container)
{
	struct pod *p = pods_find_uid(arg, uid);

	if (p)
		pod_poke(p);
}

void pods_probe_failed(void *arg, const char *uid, const char *container, const char *reason, const char *text)
{
	struct pod *p = pods_find_uid(arg, uid);

	if (p)
		pod_event(p, xb_sv(container), POD_WARNING, reason, "%s", text);
}

void pods_image_event(void *arg, const char *uid, const char *container, bool warning, const char *reason, const char *text)
{
	struct pod *p = pods_find_uid(arg, uid);

	if (p)
		pod_event(p, xb_sv(container), warning ? POD_WARNING : POD_NORMAL, reason, "%s", text);
}

void pods_node_changed(void *arg, struct xb_jv node)
{
	struct pods *s = arg;

	source_node_changed(s->source);
}

/* --- asked --- */
struct xb_jv pods_node(void *arg)
{
	struct pods *s = arg;

	return s->parts.node ? kubelet_node_object(s->parts.node) : (struct xb_jv){};
}

bool pods_image_in_use(void *arg, const char *image_id)
{
	struct pods *s = arg;

	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);) {
		const struct pod *p = it.value;

		for (size_t i = 0; i < p->observed.n_containers; i++) {
			const struct observed_container *c = &p->observed.containers[i];

			if ((c->image_ref && !strcmp(c->image_ref, image_id)) || (c->image && !strcmp(c->image, image_id)))
				return true;
		}
	}
	return false;
}

void pods_each_active(void *arg, void (*each)(void *each_arg, struct xb_jv pod, struct xb_jv status), void *each_arg)
{
	struct pods *s = arg;

	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);) {
		const struct pod *p = it.value;

		if (p->stage == POD_ACTIVE)
			each(each_arg, p->document, p->status ? xb_json_root(p->status) : pod_server_status(p));
	}
}

struct usage {
	void (*done)(void *arg, uint64_t bytes, uint64_t inodes); /* one of these */
	void (*done_excess)(void *arg, uint64_t bytes, const char *exceeded);
	void *arg;
};

static void on_usage(void *arg, const struct volumes_usage *v)
{
	struct usage u = *(struct usage *)arg;
	uint64_t bytes = v->empty_dir_bytes + v->log_bytes;

	free(arg);
	if (u.done)
		u.done(u.arg, bytes, v->inodes);
	else
		u.done_excess(u.arg, bytes, v->exceeded);
}

static int ask_usage(struct pods *s, struct xb_jv pod, struct usage u)
{
	struct usage *copy = malloc(sizeof(*copy));
	int r;

	if (!copy)
		return -ENOMEM;
	*copy = u;
	r = volumes_usage(s->parts.volumes, pod, on_usage, copy);
	if (r < 0)
		free(copy);
	return r;
}

void pods_disk_usage(void *arg, struct xb_jv pod, void (*done)(void *done_arg, uint64_t bytes, uint64_t inodes), void *done_arg)
{
	if (ask_usage(arg, pod, (struct usage){ .done = done, .arg = done_arg }) < 0)
		done(done_arg, 0, 0);
}

void pods_disk_excess(void *arg, struct xb_jv pod, void (*done)(void *done_arg, uint64_t bytes, const char *exceeded), void *done_arg)
{
	if (ask_usage(arg, pod, (struct usage){ .done_excess = done, .arg = done_arg }) < 0)
		done(done_arg, 0, NULL);
}

void pods_collect_containers(void *arg)
{
	struct pods *s = arg;

	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);)
		pod_poke(it.value);
}

struct pod *pods_find_uid(const struct pods *s, const char *uid)
{
	return xb_map_get(s->by_uid, xb_sv(uid));
}

struct pod *pods_find(const struct pods *s, const char *namespace_, const char *name)
{
	struct pod *found = NULL;

	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);) {
		struct pod *p = it.value;

		if (!strcmp(p->name, name) && !strcmp(p->namespace_, namespace_))
			found = p;
	}
	return found;
}

void pods_each(const struct pods *s, void (*each)(void *arg, struct pod *pod), void *arg)
{
	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);)
		each(arg, it.value);
}

struct xb_jv pod_document(const struct pod *p)
{
	return p->document;
}

struct xb_jv pod_status(const struct pod *p)
{
	return p->status ? xb_json_root(p->status) : (struct xb_jv){};
}

const char *pod_uid(const struct pod *p)
{
	return p->uid;
}

const char *pod_sandbox_id(const struct pod *p)
{
	const struct observed_sandbox *s = observed_ready_sandbox(&p->observed);

	return s ? s->id : NULL;
}

int pod_container(const struct pod *p, const char *name, bool previous, struct pod_container *ret)
{
	const struct observed_container *c = observed_newest(&p->observed, xb_sv(name));

	if (c && previous && (c->state != OBSERVED_EXITED || p->stage != POD_ACTIVE))
		c = observed_before(&p->observed, c);
	if (!c)
		return -ENOENT;
	*ret = (struct pod_container){ .id = c->id, .name = c->name, .log_path = c->log_path, .attempt = c->attempt,
				       .running = c->state == OBSERVED_RUNNING, .exit_code = c->exit_code, .started_ns = c->started_ns,
				       .finished_ns = c->finished_ns };
	return 0;
}

/* --- ordered --- */
int pods_evict(struct pods *s, struct pod *p, const char *reason, const char *message, uint64_t grace_s)
{
	if (p->stage != POD_ACTIVE)
		return -EALREADY;
	pod_event(p, (struct xb_sv){}, POD_WARNING, reason, "%s", message);
	pod_end(p, reason, message, (int64_t)grace_s);
	return 0;
}

void pods_evict_document(void *arg, struct xb_jv pod, const char *message, uint64_t grace_s)
{
	struct pods *s = arg;
	struct pod *p = xb_map_get(s->by_uid, xb_jv_text(xb_jv_path(pod, "metadata", "uid")));

	if (p)
		pods_evict(s, p, "Evicted", message, grace_s);
}

/* --- counted --- */
void pods_write_metrics(const struct pods *s, struct xb_buf *out)
{
	static const char *const states[] = { [OBSERVED_CREATED] = "created", [OBSERVED_RUNNING] = "running", [OBSERVED_EXITED] = "exited",
					      [OBSERVED_UNKNOWN] = "unknown" };
	uint64_t running_pods = 0, desired = 0, containers[ARRAY_SIZE(states)] = {};
	char labels[64];

	for (struct xb_map_it it = {}; xb_map_next(s->by_uid, &it);) {
		const struct pod *p = it.value;

		desired += p->stage == POD_ACTIVE;
		running_pods += observed_ready_sandbox(&p->observed) != NULL;
		for (size_t i = 0; i < p->observed.n_containers; i++)
			containers[p->observed.containers[i].state]++;
	}
	xb_prom_one(out, "kubelet_desired_pods", "gauge", "The number of pods the kubelet is being instructed to run.", (double)desired);
	xb_prom_one(out, "kubelet_running_pods", "gauge", "Number of pods that have a running pod sandbox", (double)running_pods);
	xb_prom_head(out, "kubelet_running_containers", "gauge", "Number of containers currently running");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		snprintf(labels, sizeof(labels), "container_state=\"%s\"", states[i]);
		xb_prom_sample(out, "kubelet_running_containers", labels, (double)containers[i]);
	}
	pods_metrics_write(&s->metrics, out);
}
