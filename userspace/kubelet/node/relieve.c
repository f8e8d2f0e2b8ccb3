/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <fcntl.h>
#include <sys/stat.h>
#include "../spec/spec.h"
#include "evict.h"
#include "inner.h"
#include "xb/log.h"
#include "xb/time.h"

/* Processes waited for memory for 200 ms within 2 s, the shortest window that takes no CAP_SYS_RESOURCE. */
#define PSI_TRIGGER "some 200000 2000000"
#define HARD_GRACE_S 1

/* What is being done against one threshold: first what costs nobody anything, then at most one pod. */
struct relief {
	struct node *node;              /* NULL: the node has ended, and the answer about disk usage still comes */
	const struct threshold *threshold;
	XB_VEC(struct candidate) pods;
	size_t measured;                /* candidates whose disk usage is known */
	bool collecting, measuring;     /* images; disk usage */
};

static void relief_free(struct relief *f)
{
	for (size_t i = 0; i < f->pods.n; i++) {
		xb_json_unref((struct xb_json *)f->pods.v[i].pod.doc);
		xb_json_unref((struct xb_json *)f->pods.v[i].status.doc);
	}
	xb_vec_done(&f->pods);
	free(f);
}

static void finish(struct relief *f)
{
	if (f->node)
		f->node->relief = NULL;
	relief_free(f);
}

/* --- the pod that goes */
static void write_containers(const struct node *n, const struct candidate *c, enum signal s, struct xb_buf *out)
{
	_cleanup_free_ char *uid = xb_jv_dup(xb_jv_path(c->pod, "metadata", "uid"));

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(c->status, "containerStatuses")); uid && s == SIGNAL_MEMORY && xb_jit_next(&it);) {
		_cleanup_free_ char *id = xb_jv_dup(xb_jv_get(it.value, "containerID"));
		const char *bare = id ? strstr(id, "://") : NULL;
		struct cgroups_usage u;

		if (bare && !cgroups_container_usage(n->config.cgroups, uid, bare + 3, &u))
			evict_write_container(spec_find(c->pod, xb_jv_text(xb_jv_get(it.value, "name")), NULL), s, u.memory_working_set, out);
	}
}

static uint64_t grace_of(const struct node *n, const struct threshold *t, struct xb_jv pod)
{
	int64_t own;

	if (t->hard)
		return HARD_GRACE_S;
	if (xb_jv_i64(xb_jv_path(pod, "spec", "terminationGracePeriodSeconds"), &own) || own < 0)
		return n->config.thresholds->max_pod_grace_s;
	return MIN((uint64_t)own, n->config.thresholds->max_pod_grace_s);
}

static void evict_one(struct relief *f)
{
	const struct threshold *t = f->threshold;
	struct node *n = f->node;

	evict_rank(f->pods.v, f->pods.n, t->signal);
	for (size_t i = 0; i < f->pods.n; i++) {
		const struct candidate *c = &f->pods.v[i];
		_cleanup_buf_ struct xb_buf message = {};

		if (evict_is_critical(c->pod))
			continue;
		evict_write_cause(t, &n->seen[t->signal], &message);
		write_containers(n, c, t->signal, &message);
		if (message.err)
			break;
		n->evictions[t->signal]++;
		n->evicted_ms = xb_time_ms();
		n->config.evict(n->config.arg, c->pod, message.p, grace_of(n, t, c->pod));
		break;
	}
	finish(f);
}

/* --- who uses how much */
static void add_candidate(void *arg, struct xb_jv pod, struct xb_jv status)
{
	struct relief *f = arg;
	enum signal s = f->threshold->signal;
	_cleanup_free_ char *uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid"));
	struct candidate c = { .pod = pod, .status = status, .request = evict_request(pod, s) };
	struct cgroups_usage u = {};

	if (uid && signal_pressure(s) != PRESSURE_DISK && !cgroups_pod_usage(f->node->config.cgroups, uid, &u))
		c.usage = s == SIGNAL_PID ? u.pids : u.memory_working_set;
	if (xb_vec_push(&f->pods, c))
		return;
	xb_json_ref(pod.doc);
	if (status.doc)
		xb_json_ref(status.doc);
}

static bool is_inodes(enum signal s)
{
	return s == SIGNAL_NODEFS_INODES || s == SIGNAL_IMAGEFS_INODES;
}

static void measure_next(struct relief *f);

static void on_usage(void *arg, uint64_t bytes, uint64_t inodes)
{
	struct relief *f = arg;

	f->measuring = false;
	if (!f->node) {
		relief_free(f);
		return;
	}
	f->pods.v[f->measured++].usage = is_inodes(f->threshold->signal) ? inodes : bytes;
	measure_next(f);
}

/* One after the other: a walk through a pod's folders is work for the disk that is in trouble. */
static void measure_next(struct relief *f)
{
	const struct node_config *c = &f->node->config;

	if (f->measured == f->pods.n || !c->disk_usage || signal_pressure(f->threshold->signal) != PRESSURE_DISK) {
		evict_one(f);
		return;
	}
	f->measuring = true;
	c->disk_usage(c->arg, f->pods.v[f->measured].pod, on_usage, f);
}

static void choose(struct relief *f)
{
	struct node *n = f->node;

	n->config.each_pod(n->config.arg, add_candidate, f);
	measure_next(f);
}

/* --- what costs nobody anything */
/* A node that has a part of the machine can run out of that before the machine does. */
static void see_own_memory(struct node *n)
{
	struct observation *o = &n->seen[SIGNAL_MEMORY];
	struct cgroups_usage u;
	uint64_t left;

	if (!strcmp(n->config.facts->cgroup_root, "/") || cgroups_node_usage(n->config.cgroups, &u) || !u.memory_limit)
		return;
	left = u.memory_limit > u.memory_working_set ? u.memory_limit - u.memory_working_set : 0;
	if (!o->known || left < o->available)
		*o = (struct observation){ true, left, u.memory_limit };
}

static void see(struct node *n)
{
	observe("/proc", n->config.facts->root_dir, images_folder(n->config.images), n->seen);
	see_own_memory(n);
	pressure_observe(n->pressure, n->seen, (uint64_t)xb_time_ms());
}

static void on_collected(void *arg, int error, uint64_t freed)
{
	struct relief *f = arg;

	f->collecting = false;
	see(f->node);
	if (pressure_worst(f->node->pressure, (uint64_t)xb_time_ms()) == f->threshold)
		choose(f);
	else
		finish(f);
}

static bool is_same_disk(const char *a, const char *b)
{
	struct stat x, y;

	return a && b && !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev;
}

/* Do images take room of what runs short? */
static bool is_images_disk(const struct node *n, enum signal s)
{
	if (s == SIGNAL_IMAGEFS || s == SIGNAL_IMAGEFS_INODES)
		return true;
	return signal_pressure(s) == PRESSURE_DISK && is_same_disk(n->config.facts->root_dir, images_folder(n->config.images));
}

static void begin(struct node *n, const struct threshold *t)
{
	struct relief *f = calloc(1, sizeof(*f));

	if (!f)
		return;
	f->node = n;
	f->threshold = t;
	n->relief = f;
	log_warning("%s is below its %s threshold: attempting to reclaim %s", signal_name(t->signal), t->hard ? "hard" : "soft",
		    signal_resource(t->signal));
	node_event(n, XB_EVENT_WARNING, "EvictionThresholdMet", "Attempting to reclaim %s", signal_resource(t->signal));
	if (signal_pressure(t->signal) == PRESSURE_DISK && n->config.collect_containers)
		n->config.collect_containers(n->config.arg);
	f->collecting = is_images_disk(n, t->signal) && !images_collect(n->config.images, true, on_collected, f);
	if (!f->collecting)
		choose(f);
}

/* --- from time to time, and when the kernel says that processes wait for memory */
void pressure_check(struct node *n)
{
	const struct threshold *worst;
	bool before[PRESSURES];

	memcpy(before, n->pressure->under, sizeof(before));
	see(n);
	if (memcmp(before, n->pressure->under, sizeof(before)))
		node_sync(n);
	worst = pressure_worst(n->pressure, (uint64_t)xb_time_ms());
	/* the last one that went may still be going */
	if (worst && !n->relief && (!n->evicted_ms || xb_time_ms() - n->evicted_ms >= (int64_t)n->config.status_update_ms))
		begin(n, worst);
}

static void on_psi(uv_poll_t *p, int status, int events)
{
	struct node *n = p->data;

	if (status)
		uv_poll_stop(p);
	else
		pressure_check(n);
}

void pressure_init(struct node *n)
{
	int fd = open("/proc/pressure/memory", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, PSI_TRIGGER, sizeof(PSI_TRIGGER)) < 0 || uv_poll_init(n->config.loop, &n->psi_poll, fd)) {
		close(fd);
		return;
	}
	n->psi = fd;
	n->psi_poll.data = n;
	n->open_handles++;
	uv_poll_start(&n->psi_poll, UV_PRIORITIZED, on_psi);
}

void pressure_stop(struct node *n)
{
	struct relief *f = n->relief;

	if (f && f->collecting)
		images_collect_cancel(n->config.images);
	if (f) {
		f->node = NULL;
		n->relief = NULL;
		if (!f->measuring)
			relief_free(f);
	}
	if (n->psi >= 0)
		uv_close((uv_handle_t *)&n->psi_poll, node_closed);
}
