/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A node's part: it registers once, as a kubelet does, so one that is deleted stays deleted until the next start. */
#include <stdio.h>
#include "command.h"
#include "hollow.h"
#include "xb/time.h"

enum { RETRY_MS = 1000, HEARTBEAT_MS = 300000 };
#define NODES "/api/v1/nodes"
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

static struct hollow *hollow; /* of the process */
static void (*when_registered)(struct hollow *h), (*when_deleted)(struct hollow *h);

static void add_path(struct writer_request *q, const char *collection, const struct node *n)
{
	xb_buf_addf(&q->path, "%s/", collection);
	names_add(hollow_names(hollow->o), n - hollow->nodes, &q->path);
}

/* --- the lease --- */
static void lease_write(struct job *j, struct writer_request *q)
{
	struct node *n = container_of(j, struct node, lease);
	struct hollow_lease l = { hollow->o, node_number(hollow, n), n->uid, n->lease_version };

	switch (n->lease_step) {
	case LEASE_CREATE:
		q->method = "POST";
		xb_buf_adds(&q->path, LEASES);
		break;
	case LEASE_RENEW:
		q->method = "PUT";
		add_path(q, LEASES, n);
		break;
	case LEASE_READ:
		q->method = "GET";
		add_path(q, LEASES, n);
		return;
	case LEASE_DELETE:
		q->method = "DELETE";
		add_path(q, LEASES, n);
		return;
	}
	q->content_type = "application/json";
	hollow_write_lease(&l, xb_time_now(), &q->body);
}

static void count_registered(struct node *n)
{
	if (n->registered)
		return;
	n->registered = true;
	if (++hollow->registered == (unsigned)hollow->o->nodes)
		when_registered(hollow);
}

static void lease_known(struct node *n, struct xb_sv body)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;

	if (xb_json_parse(body, NULL, &doc, NULL) ||
	    xb_sv_u64(xb_jv_text(xb_jv_path(xb_json_root(doc), "metadata", "resourceVersion")), &n->lease_version))
		return;
	hollow->renewed += n->lease_step == LEASE_RENEW;
	count_registered(n);
}

static void count_deleted(void)
{
	if (++hollow->deleted == 2 * (unsigned)hollow->o->nodes)
		when_deleted(hollow);
}

static bool lease_answered(struct job *j, int code, struct xb_sv body)
{
	struct node *n = container_of(j, struct node, lease);
	bool gone = code == 404, stale = code == 409, good = code / 100 == 2;

	if (n->lease_step == LEASE_DELETE) {
		if (good || gone)
			count_deleted();
		else
			writer_add_after(&hollow->writer, j, RETRY_MS);
		return good || gone || !code;
	}
	if (!n->seen)
		return true;
	if (good) {
		bool read = n->lease_step == LEASE_READ;

		lease_known(n, body);
		n->lease_step = LEASE_RENEW;
		if (read)
			writer_add(&hollow->writer, j);
	} else if (gone || stale) {
		n->lease_version = gone ? 0 : n->lease_version;
		n->lease_step = gone ? LEASE_CREATE : LEASE_READ;
		writer_add(&hollow->writer, j);
	} else {
		/* a PUT of what is gone is refused with 500, so a renewal that fails looks first, as the kubelet's */
		n->lease_step = n->lease_step == LEASE_RENEW && code ? LEASE_READ : n->lease_step;
		writer_add_after(&hollow->writer, j, RETRY_MS);
	}
	return good || gone || stale || !code;
}

/* --- the Node --- */
static struct xb_jv object_of(const struct node *n)
{
	_cleanup_buf_ struct xb_buf name = {};

	names_add(hollow_names(hollow->o), n - hollow->nodes, &name);
	return xb_informer_get(hollow->node_copy, "", name.p ? name.p : "");
}

static void status_write(struct job *j, struct writer_request *q)
{
	struct node *n = container_of(j, struct node, status);

	q->method = "PATCH";
	q->content_type = "application/strategic-merge-patch+json";
	switch (n->status_step) {
	case NODE_CREATE:
		q->method = "POST";
		q->content_type = "application/json";
		xb_buf_adds(&q->path, NODES);
		hollow_write_node(hollow->o, node_number(hollow, n), xb_time_now(), &q->body);
		break;
	case NODE_HEARTBEAT:
		add_path(q, NODES, n);
		xb_buf_adds(&q->path, "/status");
		hollow_write_heartbeat(xb_time_now(), !n->ready, &q->body);
		break;
	case NODE_UNTAINT:
		add_path(q, NODES, n);
		hollow_write_untaint(object_of(n), &q->body);
		break;
	case NODE_DELETE:
		q->method = "DELETE";
		q->content_type = NULL;
		add_path(q, NODES, n);
		break;
	}
}

static void set_step(struct node *n, int step)
{
	if (job_is_busy(&n->status))
		return;
	n->status_step = step;
	writer_add(&hollow->writer, &n->status);
}

static bool is_ready(struct xb_jv object)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("Ready")))
			return xb_jv_streq(xb_jv_get(it.value, "status"), XB_SV("True"));
	return false;
}

/* What the node lacks. While a write is under way it is looked at after the answer: the watch may be ahead of that. */
static void look(struct node *n, struct xb_jv object)
{
	n->ready = is_ready(object);
	n->look_again = job_is_busy(&n->status);
	if (!n->ready)
		set_step(n, NODE_HEARTBEAT);
	else if (hollow->o->untaint && hollow_is_tainted(object))
		set_step(n, NODE_UNTAINT);
}

static bool status_answered(struct job *j, int code, struct xb_sv body)
{
	struct node *n = container_of(j, struct node, status);
	/* there already; gone, or changed meanwhile, as the watch will show */
	bool past = n->status_step == NODE_CREATE ? code == 409 : code == 404 || code == 409, good = code / 100 == 2 || past;

	hollow->heartbeat_count += n->status_step == NODE_HEARTBEAT && code / 100 == 2;
	if (!good)
		writer_add_after(&hollow->writer, j, RETRY_MS);
	else if (n->status_step == NODE_DELETE)
		count_deleted();
	if (n->seen && n->look_again)
		look(n, object_of(n));
	return good || !code;
}

static void lost(struct node *n)
{
	n->seen = false;
	n->lease_version = 0;
	writer_drop(&hollow->writer, &n->lease);
	writer_drop(&hollow->writer, &n->status);
}

static void seen(struct node *n, struct xb_jv object)
{
	struct xb_sv uid = xb_jv_text(xb_jv_path(object, "metadata", "uid"));

	snprintf(n->uid, sizeof(n->uid), "%.*s", XB_SV_ARG(uid));
	hollow_range_read(xb_jv_path(object, "spec", "podCIDRs"), &n->range);
	if (!n->seen) {
		n->seen = true;
		n->lease_step = LEASE_CREATE;
		if (!job_is_busy(&n->lease))
			writer_add(&hollow->writer, &n->lease);
	}
	look(n, object);
}

static void on_changed(void *arg, struct xb_jv old, struct xb_jv object)
{
	struct xb_jv any = xb_jv_is(object) ? object : old;
	unsigned i;

	if (!names_find(hollow_names(hollow->o), xb_jv_text(xb_jv_path(any, "metadata", "name")), &i))
		return;
	if (xb_jv_is(object))
		seen(&hollow->nodes[i], object);
	else
		lost(&hollow->nodes[i]);
}

static void on_synced(void *arg)
{
	for (int i = 0; i < hollow->o->nodes; i++)
		if (!hollow->nodes[i].seen)
			set_step(&hollow->nodes[i], NODE_CREATE);
	if (hollow_pods_start(hollow)) {
		fprintf(stderr, "xebec-bench: out of memory\n");
		hollow->failed = true;
		uv_stop(&hollow->loop);
	}
}

void hollow_nodes_tick(struct hollow *h, uint64_t ms)
{
	unsigned first, n = hollow_round_take(&h->renewals, ms, &first);

	for (unsigned i = 0; i < n; i++) {
		struct node *node = &h->nodes[(first + i) % h->o->nodes];

		if (node->seen && node->lease_step == LEASE_RENEW && node->lease.place == JOB_IDLE)
			writer_add(&h->writer, &node->lease);
		else
			h->late += node->registered && node->seen;
	}
	n = hollow_round_take(&h->heartbeats, ms, &first);
	for (unsigned i = 0; i < n; i++)
		if (h->nodes[(first + i) % h->o->nodes].seen)
			set_step(&h->nodes[(first + i) % h->o->nodes], NODE_HEARTBEAT);
}

static int make(struct hollow *h)
{
	static const struct job_ops lease_ops = { lease_write, lease_answered, true }, status_ops = { status_write, status_answered, true };

	hollow = h;
	h->nodes = calloc(h->o->nodes, sizeof(*h->nodes));
	if (!h->nodes)
		return -ENOMEM;
	for (int i = 0; i < h->o->nodes; i++) {
		h->nodes[i].lease.ops = &lease_ops;
		h->nodes[i].status.ops = &status_ops;
		h->nodes[i].range = hollow_range_of(h->o->first + i);
	}
	h->renewals = (struct hollow_round){ .period_ms = h->o->lease_seconds * 1000, .n = h->o->nodes };
	h->heartbeats = (struct hollow_round){ .period_ms = HEARTBEAT_MS, .n = h->o->nodes };
	return 0;
}

int hollow_nodes_start(struct hollow *h, void (*registered)(struct hollow *h))
{
	static const char *const leave_out[] = {
		"metadata.managedFields", "metadata.labels", "metadata.annotations", "status.images", "status.nodeInfo", "status.capacity",
		"status.allocatable", "status.addresses", "status.conditions.message", "status.conditions.reason",
		"status.conditions.lastHeartbeatTime", "status.conditions.lastTransitionTime", NULL
	};
	struct xb_informer_config c = {
		.rest = h->rest, .path = NODES, .leave_out = leave_out,
		.changed = on_changed, .synced = on_synced, .trouble = hollow_trouble,
	};
	int r = make(h);

	when_registered = registered;
	return r ? r : xb_informer_new(&c, &h->node_copy);
}

int hollow_nodes_delete(struct hollow *h, void (*deleted)(struct hollow *h))
{
	int r = make(h);

	when_deleted = deleted;
	for (int i = 0; !r && i < h->o->nodes; i++) {
		h->nodes[i].lease_step = LEASE_DELETE;
		writer_add(&h->writer, &h->nodes[i].lease);
		set_step(&h->nodes[i], NODE_DELETE);
	}
	return r;
}
