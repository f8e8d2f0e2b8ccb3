/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include "inner.h"
#include "xb/log.h"
#include "xb/prometheus.h"
#include "xb/time.h"

#define MAX_IMAGES   50                 /* nodeStatusMaxImages */
#define EAGER_MS     100                /* how often it is looked whether the node can be ready, at first */
#define EAGER_FOR_MS 30000
#define PATIENT_MS   1000               /* and afterwards */

static const struct xb_kind *nodes(void)
{
	return xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("nodes"));
}

void node_event(struct node *n, enum xb_event_type type, const char *reason, const char *fmt, ...)
{
	struct xb_event e = { .component = "kubelet", .kind = nodes(), .object = xb_json_root(n->self), .type = type, .reason = reason };
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	if (!text.err && n->config.recorder)
		xb_recorder_event(n->config.recorder, &e, "%s", text.p);
}

void node_view(const struct node *n, struct xb_buf *images, struct node_view *ret)
{
	struct xb_jw w = XB_JW(images);

	images_write_status(n->config.images, MAX_IMAGES, &w);
	*ret = (struct node_view){
		.facts = n->config.facts, .machine = &n->machine, .thresholds = n->config.thresholds, .port = n->config.port,
		.runtime_version = n->runtime_version ? n->runtime_version : "", .fault = n->fault, .under = n->pressure->under,
		.now_us = xb_time_now(), .images = xb_jw_finish(&w) ? (struct xb_sv){} : xb_buf_sv(images),
	};
}

/* --- writing */
static uint64_t version_of(struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	uint64_t version = 0;

	if (!xb_json_parse(body, NULL, &doc, NULL))
		xb_sv_u64(xb_jv_text(xb_jv_path(xb_json_root(doc), "metadata", "resourceVersion")), &version);
	return version;
}

static void try_again(uv_timer_t *t)
{
	node_sync(t->data);
}

static void on_written(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct node *n = arg;

	n->write = NULL;
	if (code / 100 == 2) {
		if (n->troubled)
			log_info("the node's object is written again");
		n->troubled = false;
		n->written = version_of(body);
		xb_backoff_reset(&n->backoff);
		node_sync(n);
		return;
	}
	/* made or removed meanwhile: the copy will show it */
	if (!n->troubled && code != 409 && code != 404) {
		log_err("cannot write node \"%s\": %s", n->config.facts->node_name, status->message);
		n->troubled = true;
	}
	n->reported_ms = 0;
	uv_timer_start(&n->retry, try_again, xb_backoff_next(&n->backoff), 0);
}

static void send_node(struct node *n, const char *method, const char *sub, const char *type, struct xb_sv body)
{
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_rest_request q = { .method = method, .content_type = type, .body = body };

	xb_buf_adds(&path, "/api/v1/nodes");
	if (strcmp(method, "POST"))
		xb_buf_addf(&path, "/%s%s", n->config.facts->node_name, sub);
	q.path = path.p;
	if (path.err || xb_rest_send(n->config.rest, &q, on_written, n, &n->write))
		uv_timer_start(&n->retry, try_again, xb_backoff_next(&n->backoff), 0);
}

/* --- what is to be written */
static void tell_conditions(struct node *n, const struct node_view *v, struct xb_jv old_status)
{
	for (enum node_condition c = 0; c < CONDITIONS; c++) {
		const char *event = status_condition_event(v, old_status, c);

		if (event)
			node_event(n, XB_EVENT_NORMAL, event, "Node %s status is now: %s", n->config.facts->node_name, event);
	}
}

static void greet(struct node *n, struct xb_jv object)
{
	struct xb_jv boot = xb_jv_path(object, "status", "nodeInfo", "bootID");

	if (n->greeted)
		return;
	n->greeted = true;
	node_event(n, XB_EVENT_NORMAL, "Starting", "Starting kubelet.");
	if (n->config.facts->cgroups_per_qos)
		node_event(n, XB_EVENT_NORMAL, "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
	if (xb_jv_text(boot).n && !xb_jv_streq(boot, xb_sv(n->machine.boot_id)))
		node_event(n, XB_EVENT_WARNING, "Rebooted", "Node %s has been rebooted, boot id: %s", n->config.facts->node_name,
			   n->machine.boot_id);
}

static void create(struct node *n, const struct node_view *v)
{
	_cleanup_buf_ struct xb_buf body = {};

	if (status_write_node(v, n->config.labels, n->config.taints, &body))
		return;
	greet(n, (struct xb_jv){});
	tell_conditions(n, v, (struct xb_jv){});
	n->reported_ms = xb_time_ms();
	send_node(n, "POST", "", "application/json", xb_buf_sv(&body));
}

/* Once for each Node of that name: true when a write was begun. */
static bool adopt(struct node *n, const struct node_view *v, struct xb_jv object)
{
	struct xb_jv uid = xb_jv_path(object, "metadata", "uid");
	_cleanup_buf_ struct xb_buf body = {};
	bool differs = false;

	if (n->adopted && xb_jv_streq(uid, xb_sv(n->adopted)))
		return false;
	free(n->adopted);
	n->adopted = xb_jv_dup(uid);
	greet(n, object);
	lease_start(n);
	if (!n->config.register_node ||
	    status_write_labels(v, n->config.labels, xb_jv_path(object, "metadata", "labels"), &differs, &body) || !differs)
		return false;
	send_node(n, "PATCH", "", "application/merge-patch+json", xb_buf_sv(&body));
	return true;
}

static void update(struct node *n, const struct node_view *v, struct xb_jv object)
{
	bool differs = false, due = !n->reported_ms || xb_time_ms() - n->reported_ms >= (int64_t)n->config.status_report_ms;
	struct xb_jv old = xb_jv_get(object, "status");
	_cleanup_buf_ struct xb_buf body = {};

	if (status_write_patch(v, old, due, &differs, &body) || !differs)
		return;
	tell_conditions(n, v, old);
	n->reported_ms = xb_time_ms();
	send_node(n, "PATCH", "/status", "application/strategic-merge-patch+json", xb_buf_sv(&body));
}

/* The copy does not show yet what was written. The informer's version is that of before the change that it tells of. */
static bool is_behind(const struct node *n, struct xb_jv object)
{
	uint64_t version = 0;

	xb_sv_u64(xb_jv_text(xb_jv_path(object, "metadata", "resourceVersion")), &version);
	return MAX(version, xb_informer_version(n->informer)) < n->written;
}

void node_sync(struct node *n)
{
	_cleanup_buf_ struct xb_buf images = {};
	struct xb_jv object = kubelet_node_object(n);
	struct node_view v;

	if (!n->looked || n->write || uv_is_active((uv_handle_t *)&n->retry) || !xb_informer_synced(n->informer) || is_behind(n, object))
		return;
	node_view(n, &images, &v);
	if (xb_jv_is(object)) {
		if (!adopt(n, &v, object))
			update(n, &v, object);
	} else if (n->config.register_node) {
		create(n, &v);
	}
}

/* --- what happens */
static void on_change(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct node *n = arg;

	if (xb_jv_is(object))
		n->config.changed(n->config.arg, object);
	else
		log_warning("node \"%s\" was removed from the API server", n->config.facts->node_name);
	node_sync(n);
}

static void on_sync(void *arg)
{
	node_sync(arg);
}

static void on_trouble(void *arg, const char *path, const char *why)
{
	if (why)
		log_warning("%s: %s", path, why);
	else
		log_info("%s: the API server answers again", path);
}

static void on_tick(uv_timer_t *t)
{
	struct node *n = t->data;
	unsigned next = n->config.status_update_ms;

	if (!n->looked || n->fault)
		next = MIN(next, xb_time_ms() - n->began_ms < EAGER_FOR_MS ? EAGER_MS : PATIENT_MS);
	uv_timer_start(t, on_tick, next, 0);
	look(n);
	pressure_check(n);
	limits_check(n);
}

void node_runtime_changed(struct node *n)
{
	n->began_ms = xb_time_ms();
	on_tick(&n->tick);
}

/* --- from beginning to end */
static int make_self(struct node *n)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_jw w = XB_JW(&text);

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "name", n->config.facts->node_name);
	xb_jw_kstr(&w, "uid", n->config.facts->node_name);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return xb_jw_finish(&w) ? -ENOMEM : xb_json_parse(xb_buf_sv(&text), NULL, &n->self, NULL);
}

static int follow(struct node *n)
{
	static const char *const leave_out[] = { "metadata.managedFields", NULL };
	_cleanup_buf_ struct xb_buf selector = {};
	struct xb_informer_config c = {
		.rest = n->config.rest, .path = "/api/v1/nodes", .leave_out = leave_out, .changed = on_change, .synced = on_sync,
		.trouble = on_trouble, .arg = n,
	};

	xb_buf_addf(&selector, "metadata.name=%s", n->config.facts->node_name);
	c.field_selector = selector.p;
	return selector.err ? selector.err : xb_informer_new(&c, &n->informer);
}

static void init_timers(struct node *n)
{
	uv_timer_t *const timers[] = { &n->tick, &n->retry };

	for (unsigned i = 0; i < ARRAY_SIZE(timers); i++) {
		uv_timer_init(n->config.loop, timers[i]);
		timers[i]->data = n;
		n->open_handles++;
	}
	lease_init(n);
	pressure_init(n);
	uv_timer_start(&n->tick, on_tick, 0, 0);
}

int kubelet_node_new(const struct node_config *c, struct node **ret, char **reterr_why)
{
	struct node *n;
	int r = status_check_flags(c->labels, c->taints, reterr_why);

	if (r)
		return r;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->config = *c;
	n->psi = -1;
	n->backoff = (struct xb_backoff){ .min_ms = 100, .max_ms = 7000 };
	n->began_ms = xb_time_ms();
	r = machine_read("", &n->machine);
	r = r ? r : make_self(n);
	r = r ? r : pressure_new(c->thresholds, &n->pressure);
	r = r ? r : follow(n);
	if (r) {
		kubelet_node_free(n);
		return r;
	}
	init_timers(n);
	*ret = n;
	return 0;
}

static void release(struct node *n)
{
	pressure_free(n->pressure);
	machine_done(&n->machine);
	xb_json_unref(n->self);
	free(n->runtime_version);
	free(n->fault);
	free(n->network_fault);
	free(n->adopted);
	if (n->psi >= 0)
		close(n->psi);
	free(n);
}

void node_closed(uv_handle_t *h)
{
	struct node *n = h->data;

	if (!--n->open_handles)
		release(n);
}

struct node *kubelet_node_free(struct node *n)
{
	if (!n)
		return NULL;
	look_stop(n);
	xb_rest_cancel(n->write);
	xb_rest_cancel(n->lease.call);
	xb_informer_free(n->informer);
	if (!n->open_handles) {
		release(n);
		return NULL;
	}
	pressure_stop(n);
	limits_stop(n);
	uv_close((uv_handle_t *)&n->tick, node_closed);
	uv_close((uv_handle_t *)&n->retry, node_closed);
	uv_close((uv_handle_t *)&n->lease.timer, node_closed);
	return NULL;
}

bool node_under_memory_pressure(const struct node *n)
{
	return n->pressure->under[PRESSURE_MEMORY];
}

bool node_under_disk_or_pid_pressure(const struct node *n)
{
	return n->pressure->under[PRESSURE_DISK] || n->pressure->under[PRESSURE_PID];
}

struct xb_jv kubelet_node_object(const struct node *n)
{
	return xb_informer_get(n->informer, NULL, n->config.facts->node_name);
}

void node_write_metrics(const struct node *n, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf label = {};

	xb_buf_addf(&label, "node=\"%s\"", n->config.facts->node_name);
	xb_prom_head(out, "kubelet_node_name", "gauge", "The node's name. The count is always 1.");
	xb_prom_sample(out, "kubelet_node_name", label.p ? label.p : "", 1);
	xb_prom_head(out, "kubelet_evictions", "counter", "Cumulative number of pod evictions by eviction signal");
	for (enum signal s = 0; s < SIGNALS; s++) {
		xb_buf_clear(&label);
		xb_buf_addf(&label, "eviction_signal=\"%s\"", signal_name(s));
		if (n->evictions[s] && label.p)
			xb_prom_sample(out, "kubelet_evictions", label.p, (double)n->evictions[s]);
	}
	if (n->over_limit)
		xb_prom_sample(out, "kubelet_evictions", "eviction_signal=\"ephemeralpodfs.limit\"", (double)n->over_limit);
	if (label.err)
		out->err = label.err;
}
