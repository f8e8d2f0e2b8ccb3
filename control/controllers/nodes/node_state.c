/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "node_state.h"
#include "xb/time.h"

/* The taints that are this loop's. type: NULL for spec.unschedulable. */
static const struct ours {
	const char *type, *status, *key, *effect;
} ours[] = {
	{ "Ready", "False", "node.kubernetes.io/not-ready", "NoSchedule" },
	{ "Ready", "Unknown", "node.kubernetes.io/unreachable", "NoSchedule" },
	{ "MemoryPressure", "True", "node.kubernetes.io/memory-pressure", "NoSchedule" },
	{ "DiskPressure", "True", "node.kubernetes.io/disk-pressure", "NoSchedule" },
	{ "NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable", "NoSchedule" },
	{ "PIDPressure", "True", "node.kubernetes.io/pid-pressure", "NoSchedule" },
	{ NULL, NULL, "node.kubernetes.io/unschedulable", "NoSchedule" },
	{ "Ready", "False", "node.kubernetes.io/not-ready", "NoExecute" },
	{ "Ready", "Unknown", "node.kubernetes.io/unreachable", "NoExecute" },
};
enum { N_OURS = ARRAY_SIZE(ours), NOT_READY = N_OURS - 2, UNREACHABLE = N_OURS - 1 };

struct taints {
	bool have[N_OURS], want[N_OURS];
};

static struct xb_jv label(struct xb_jv node, const char *key)
{
	return xb_jv_path(node, "metadata", "labels", key);
}

struct xb_jv node_condition(struct xb_jv node, const char *type)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(type)))
			return it.value;
	return (struct xb_jv){};
}

enum node_ready node_ready(struct xb_jv node)
{
	struct xb_jv condition = node_condition(node, "Ready");
	struct xb_sv status = xb_jv_text(xb_jv_get(condition, "status"));

	if (!xb_jv_is(condition))
		return NODE_READY_NONE;
	return xb_sv_is(status, "True") ? NODE_READY_TRUE : xb_sv_is(status, "False") ? NODE_READY_FALSE : NODE_READY_UNKNOWN;
}

void node_state_zone(struct xb_jv node, struct xb_buf *out)
{
	struct xb_jv zone = label(node, "failure-domain.beta.kubernetes.io/zone"), region = label(node, "failure-domain.beta.kubernetes.io/region");

	if (!xb_jv_is(zone))
		zone = label(node, "topology.kubernetes.io/zone");
	if (!xb_jv_is(region))
		region = label(node, "topology.kubernetes.io/region");
	if (xb_jv_text(zone).n || xb_jv_text(region).n)
		xb_buf_addf(out, "%.*s/%.*s", XB_SV_ARG(xb_jv_text(region)), XB_SV_ARG(xb_jv_text(zone)));
}

/* --- the status --- */
static void begin_patch(struct xb_jw *w, struct xb_jv node)
{
	xb_jw_object(w);
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "resourceVersion", xb_jv_text(xb_jv_path(node, "metadata", "resourceVersion")));
}

static void write_unknown(struct xb_jw *w, struct xb_jv node, const char *type, int64_t now)
{
	struct xb_jv condition = node_condition(node, type);

	if (xb_jv_streq(xb_jv_get(condition, "status"), XB_SV("Unknown")))
		return;
	xb_jw_object(w);
	xb_jw_kstr(w, "type", type);
	xb_jw_kstr(w, "status", "Unknown");
	if (!xb_jv_is(condition))
		xb_jw_ksv(w, "lastHeartbeatTime", xb_jv_text(xb_jv_path(node, "metadata", "creationTimestamp")));
	xb_jw_kstr(w, "lastTransitionTime", xb_time_format(now).s);
	xb_jw_kstr(w, "reason", xb_jv_is(condition) ? "NodeStatusUnknown" : "NodeStatusNeverUpdated");
	xb_jw_kstr(w, "message", xb_jv_is(condition) ? "Kubelet stopped posting node status." : "Kubelet never posted node status.");
	xb_jw_end(w);
}

void node_silence_patch(struct xb_jv node, int64_t now, struct xb_buf *out)
{
	static const char *const types[] = { "Ready", "MemoryPressure", "DiskPressure", "PIDPressure" };
	struct xb_jw w = XB_JW(out);

	if (node_ready(node) == NODE_READY_UNKNOWN)
		return;
	begin_patch(&w, node);
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	xb_jw_key(&w, "conditions");
	xb_jw_array(&w);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		write_unknown(&w, node, types[i], now);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	out->err = out->err ? out->err : xb_jw_finish(&w);
}

/* --- taints --- */
static size_t which(struct xb_jv taint)
{
	struct xb_sv key = xb_jv_text(xb_jv_get(taint, "key")), effect = xb_jv_text(xb_jv_get(taint, "effect"));
	size_t i = 0;

	while (i < N_OURS && !(xb_sv_is(key, ours[i].key) && xb_sv_is(effect, ours[i].effect)))
		i++;
	return i;
}

static bool wanted(struct xb_jv node, const struct ours *o)
{
	if (!o->type)
		return xb_jv_true(xb_jv_path(node, "spec", "unschedulable"));
	return xb_jv_streq(xb_jv_get(node_condition(node, o->type), "status"), xb_sv(o->status));
}

/* A node that never said whether it is ready keeps what admission gave it. */
static void read_taints(struct xb_jv node, struct taints *t)
{
	bool said = node_ready(node) != NODE_READY_NONE;

	*t = (struct taints){};
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "spec", "taints")); xb_jit_next(&it);) {
		size_t i = which(it.value);

		if (i < N_OURS)
			t->have[i] = true;
	}
	for (size_t i = 0; i < N_OURS; i++)
		t->want[i] = !said && ours[i].type && !strcmp(ours[i].type, "Ready") ? t->have[i] : wanted(node, &ours[i]);
}

static bool is_executed(const struct taints *t)
{
	return t->have[NOT_READY] || t->have[UNREACHABLE];
}

bool node_awaits_execute(struct xb_jv node)
{
	struct taints t;

	read_taints(node, &t);
	return (t.want[NOT_READY] || t.want[UNREACHABLE]) && !is_executed(&t);
}

static void write_taints(struct xb_jw *w, struct xb_jv node, const struct taints *t, int64_t now)
{
	xb_jw_key(w, "taints");
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "spec", "taints")); xb_jit_next(&it);) {
		size_t i = which(it.value);

		if (i == N_OURS || t->want[i])
			xb_jw_raw(w, xb_jv_bytes(it.value));
	}
	for (size_t i = 0; i < N_OURS; i++) {
		if (!t->want[i] || t->have[i])
			continue;
		xb_jw_object(w);
		xb_jw_kstr(w, "key", ours[i].key);
		xb_jw_kstr(w, "effect", ours[i].effect);
		xb_jw_kstr(w, "timeAdded", xb_time_format(now).s);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

/* --- labels: the older name says what the newer does --- */
static const char *const names[][2] = {
	{ "kubernetes.io/os", "beta.kubernetes.io/os" }, { "kubernetes.io/arch", "beta.kubernetes.io/arch" },
};

static bool is_behind(struct xb_jv node, const char *const name[2])
{
	return xb_jv_is(label(node, name[0])) && !xb_sv_eq(xb_jv_bytes(label(node, name[0])), xb_jv_bytes(label(node, name[1])));
}

static void write_labels(struct xb_jw *w, struct xb_jv node)
{
	xb_jw_key(w, "labels");
	xb_jw_object(w);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!is_behind(node, names[i]))
			continue;
		xb_jw_key(w, names[i][1]);
		xb_jw_raw(w, xb_jv_bytes(label(node, names[i][0])));
	}
	xb_jw_end(w);
}

void node_spec_patch(struct xb_jv node, enum node_execute execute, int64_t now, struct xb_buf *out)
{
	bool labels = is_behind(node, names[0]) || is_behind(node, names[1]), taints;
	struct xb_jw w = XB_JW(out);
	struct taints t;

	read_taints(node, &t);
	if (execute == NODE_EXECUTE_NEVER || (execute == NODE_EXECUTE_LATER && !is_executed(&t)))
		t.want[NOT_READY] = t.want[UNREACHABLE] = false;
	taints = memcmp(t.have, t.want, sizeof(t.have));
	if (!labels && !taints)
		return;
	begin_patch(&w, node);
	if (labels)
		write_labels(&w, node);
	xb_jw_end(&w);
	if (taints) {
		xb_jw_key(&w, "spec");
		xb_jw_object(&w);
		write_taints(&w, node, &t, now);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	out->err = out->err ? out->err : xb_jw_finish(&w);
}
