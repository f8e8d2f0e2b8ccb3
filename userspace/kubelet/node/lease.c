/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "inner.h"
#include "xb/log.h"
#include "xb/time.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

static void write_lease(const struct node *n, struct xb_jw *w)
{
	struct xb_jv uid = xb_jv_path(kubelet_node_object(n), "metadata", "uid");

	xb_jw_object(w);
	xb_jw_kstr(w, "kind", "Lease");
	xb_jw_kstr(w, "apiVersion", "coordination.k8s.io/v1");
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_kstr(w, "name", n->config.facts->node_name);
	xb_jw_kstr(w, "namespace", "kube-node-lease");
	if (xb_jv_is(uid)) {
		xb_jw_key(w, "ownerReferences");
		xb_jw_array(w);
		xb_jw_object(w);
		xb_jw_kstr(w, "apiVersion", "v1");
		xb_jw_kstr(w, "kind", "Node");
		xb_jw_kstr(w, "name", n->config.facts->node_name);
		xb_jw_ksv(w, "uid", xb_jv_text(uid));
		xb_jw_end(w);
		xb_jw_end(w);
	}
	xb_jw_end(w);
	xb_jw_key(w, "spec");
	xb_jw_object(w);
	xb_jw_kstr(w, "holderIdentity", n->config.facts->node_name);
	xb_jw_kint(w, "leaseDurationSeconds", n->config.lease_seconds);
	xb_jw_kstr(w, "renewTime", xb_time_format_micro(xb_time_now()).s);
	xb_jw_end(w);
	xb_jw_end(w);
}

/* A quarter of its duration, and a little more or less so that nodes do not come in step. */
static unsigned interval_ms(const struct node *n)
{
	unsigned quarter = n->config.lease_seconds * 1000 / 4;

	return xb_backoff_between(quarter, quarter + quarter / 25);
}

static void on_renewed(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct node *n = arg;
	struct lease *l = &n->lease;
	bool well = code / 100 == 2;

	l->call = NULL;
	if (well || code == 409)        /* which is: made meanwhile */
		l->there = true;
	if (code == 404)
		l->there = false;
	if (!well && !l->troubled && code != 409 && code != 404)
		log_err("cannot renew the node's lease: %s", status->message);
	if (well && l->troubled)
		log_info("the node's lease is renewed again");
	l->troubled = !well && (l->troubled || (code != 409 && code != 404));
	if (well)
		xb_backoff_reset(&l->backoff);
	uv_timer_start(&l->timer, lease_renew, well ? interval_ms(n) : xb_backoff_next(&l->backoff), 0);
}

void lease_renew(uv_timer_t *t)
{
	_cleanup_buf_ struct xb_buf body = {}, path = {};
	struct xb_jw w = XB_JW(&body);
	struct node *n = t->data;
	struct xb_rest_request q = { .method = "POST", .content_type = "application/json", .timeout_ms = 10000 };

	if (n->lease.call)
		return;
	write_lease(n, &w);
	xb_buf_adds(&path, LEASES);
	if (n->lease.there) {
		q.method = "PATCH";
		q.content_type = "application/merge-patch+json";
		xb_buf_addf(&path, "/%s", n->config.facts->node_name);
	}
	q.path = path.p;
	q.body = xb_buf_sv(&body);
	if (path.err || xb_jw_finish(&w) || xb_rest_send(n->config.rest, &q, on_renewed, n, &n->lease.call))
		uv_timer_start(&n->lease.timer, lease_renew, xb_backoff_next(&n->lease.backoff), 0);
}

void lease_init(struct node *n)
{
	n->lease.backoff = (struct xb_backoff){ .min_ms = 100, .max_ms = 7000 };
	uv_timer_init(n->config.loop, &n->lease.timer);
	n->lease.timer.data = n;
	n->open_handles++;
}

void lease_start(struct node *n)
{
	if (n->lease.started)
		return;
	n->lease.started = true;
	lease_renew(&n->lease.timer);
}
