/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host_ports.h"

#define EXPECTED_MS 60000

static const char *const leave_out[] = {
	"metadata.managedFields", "metadata.ownerReferences", "metadata.finalizers", "metadata.generateName", "metadata.creationTimestamp",
	"metadata.generation", "metadata.annotations", "metadata.labels", "spec.volumes", "spec.tolerations", "spec.affinity",
	"spec.topologySpreadConstraints", "spec.securityContext", "spec.nodeSelector", "spec.containers.env", "spec.containers.envFrom",
	"spec.containers.image", "spec.containers.command", "spec.containers.args", "spec.containers.resources",
	"spec.containers.volumeMounts", "spec.containers.livenessProbe", "spec.containers.readinessProbe", "spec.containers.startupProbe",
	"spec.containers.lifecycle", "spec.containers.securityContext", "spec.initContainers.env", "spec.initContainers.envFrom",
	"spec.initContainers.image", "spec.initContainers.command", "spec.initContainers.args", "spec.initContainers.resources",
	"spec.initContainers.volumeMounts", "spec.initContainers.livenessProbe", "spec.initContainers.readinessProbe",
	"spec.initContainers.startupProbe", "spec.initContainers.lifecycle", "spec.initContainers.securityContext", "status.conditions",
	"status.containerStatuses", "status.initContainerStatuses", "status.ephemeralContainerStatuses", "spec.ephemeralContainers", NULL
};

struct host_ports {
	struct xb_informer *informer;
	uv_timer_t timer;
	bool late;
	void (*tell_late)(void *arg);
	void *arg;
};

static void on_late(uv_timer_t *t)
{
	struct host_ports *h = t->data;

	h->late = true;
	if (!host_ports_synced(h))
		h->tell_late(h->arg);
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

struct host_ports *host_ports_free(struct host_ports *h)
{
	if (!h)
		return NULL;
	xb_informer_free(h->informer);
	uv_close((uv_handle_t *)&h->timer, timer_closed);
	return NULL;
}

int host_ports_new(const struct host_ports_config *c, struct host_ports **ret)
{
	_cleanup_(host_ports_freep) struct host_ports *h = calloc(1, sizeof(*h));
	_cleanup_buf_ struct xb_buf selector = {};
	struct xb_informer_config pods = {
		.rest = c->rest, .path = "/api/v1/pods", .leave_out = leave_out, .changed = c->changed, .trouble = c->trouble, .arg = c->arg,
	};
	int r;

	if (!h)
		return -ENOMEM;
	uv_timer_init(xb_rest_loop(c->rest), &h->timer);
	h->timer.data = h;
	h->tell_late = c->late;
	h->arg = c->arg;
	xb_buf_addf(&selector, "spec.nodeName=%s", c->node_name);
	pods.field_selector = selector.p;
	r = selector.err ? selector.err : xb_informer_new(&pods, &h->informer);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(h);
	return 0;
}

bool host_ports_synced(const struct host_ports *h)
{
	return !h || xb_informer_synced(h->informer);
}

bool host_ports_settled(const struct host_ports *h)
{
	return host_ports_synced(h) || h->late;
}

void host_ports_expect(struct host_ports *h)
{
	if (!host_ports_settled(h) && !uv_is_active((uv_handle_t *)&h->timer))
		uv_timer_start(&h->timer, on_late, EXPECTED_MS, 0);
}

void host_ports_stats(const struct host_ports *h, struct xb_informer_stats *ret)
{
	xb_informer_stats(h->informer, ret);
}
