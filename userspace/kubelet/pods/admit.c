/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "admit.h"
#include "../spec/spec.h"
#include "xb/quota.h"
#include "xb/why.h"

#define NANO      1000000000
#define MILLI     1000000
#define AFFINITY  "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
#define PORTS     "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
#define TAINTS    "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
#define OS_FIELD  "Failed to admit pod as the OS field doesn't match node OS"
#define OS_LABEL  "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
#define CRITICAL  2000000000            /* system-cluster-critical, and those above */

/* --- labels --- */
enum operator { OP_IN, OP_NOT_IN, OP_EXISTS, OP_ABSENT, OP_GREATER, OP_LESS, OP_UNKNOWN };

static enum operator operator_of(struct xb_jv requirement)
{
	static const char *const words[] = { "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt" };
	enum operator op = OP_IN;

	while (op < OP_UNKNOWN && !xb_jv_streq(xb_jv_get(requirement, "operator"), xb_sv(words[op])))
		op++;
	return op;
}

static bool is_among(struct xb_jv values, struct xb_sv value)
{
	for (struct xb_jit it = xb_jv_iter(values); xb_jit_next(&it);)
		if (xb_jv_streq(it.value, value))
			return true;
	return false;
}

static bool meets(struct xb_jv requirement, bool there, struct xb_sv value)
{
	struct xb_jv values = xb_jv_get(requirement, "values");
	int64_t bound, number;

	switch (operator_of(requirement)) {
	case OP_IN:
		return there && is_among(values, value);
	case OP_NOT_IN:
		return !there || !is_among(values, value);
	case OP_EXISTS:
		return there;
	case OP_ABSENT:
		return !there;
	case OP_GREATER:
		return there && !xb_sv_i64(value, &number) && !xb_sv_i64(xb_jv_text(xb_jv_at(values, 0)), &bound) && number > bound;
	case OP_LESS:
		return there && !xb_sv_i64(value, &number) && !xb_sv_i64(xb_jv_text(xb_jv_at(values, 0)), &bound) && number < bound;
	default:
		return false;
	}
}

static bool meets_term(struct xb_jv node, struct xb_jv term)
{
	struct xb_jv labels = xb_jv_path(node, "metadata", "labels");
	struct xb_jv expressions = xb_jv_get(term, "matchExpressions"), fields = xb_jv_get(term, "matchFields");

	for (struct xb_jit it = xb_jv_iter(expressions); xb_jit_next(&it);) {
		struct xb_jv label = xb_jv_getsv(labels, xb_jv_text(xb_jv_get(it.value, "key")));

		if (!meets(it.value, xb_jv_is(label), xb_jv_text(label)))
			return false;
	}
	for (struct xb_jit it = xb_jv_iter(fields); xb_jit_next(&it);)
		if (!xb_jv_streq(xb_jv_get(it.value, "key"), XB_SV("metadata.name")) ||
		    !meets(it.value, true, xb_jv_text(xb_jv_path(node, "metadata", "name"))))
			return false;
	return xb_jv_count(expressions) || xb_jv_count(fields);
}

static bool likes_node(struct xb_jv node, struct xb_jv spec)
{
	struct xb_jv labels = xb_jv_path(node, "metadata", "labels");
	struct xb_jv required = xb_jv_path(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "nodeSelector")); xb_jit_next(&it);)
		if (!xb_jv_streq(xb_jv_getsv(labels, it.key), xb_jv_text(it.value)))
			return false;
	if (!xb_jv_is(required))
		return true;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(required, "nodeSelectorTerms")); xb_jit_next(&it);)
		if (meets_term(node, it.value))
			return true;
	return false;
}

/* --- taints --- */
static bool tolerates(struct xb_jv toleration, struct xb_jv taint)
{
	struct xb_sv effect = xb_jv_text(xb_jv_get(toleration, "effect")), key = xb_jv_text(xb_jv_get(toleration, "key"));
	bool exists = xb_jv_streq(xb_jv_get(toleration, "operator"), XB_SV("Exists"));

	if (effect.n && !xb_jv_streq(xb_jv_get(taint, "effect"), effect))
		return false;
	if (key.n ? !xb_jv_streq(xb_jv_get(taint, "key"), key) : !exists)
		return false;
	return exists || xb_sv_eq(xb_jv_text(xb_jv_get(toleration, "value")), xb_jv_text(xb_jv_get(taint, "value")));
}

static bool tolerates_taint(struct xb_jv pod, struct xb_jv taint)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "tolerations")); xb_jit_next(&it);)
		if (tolerates(it.value, taint))
			return true;
	return false;
}

static bool is_driven_out(struct xb_jv node, struct xb_jv pod)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(node, "spec", "taints")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "effect"), XB_SV("NoExecute")) && !tolerates_taint(pod, it.value))
			return true;
	return false;
}

/* --- ports --- */
static bool same_or_empty(struct xb_sv a, struct xb_sv b, const char *otherwise)
{
	a = a.n ? a : xb_sv(otherwise);
	b = b.n ? b : xb_sv(otherwise);
	return xb_sv_eq(a, b);
}

static bool is_any(struct xb_sv ip)
{
	return !ip.n || xb_sv_is(ip, "0.0.0.0") || xb_sv_is(ip, "::");
}

static bool ports_clash(struct xb_jv a, struct xb_jv b)
{
	struct xb_sv ip_a = xb_jv_text(xb_jv_get(a, "hostIP")), ip_b = xb_jv_text(xb_jv_get(b, "hostIP"));
	int64_t port_a = 0, port_b = 0;

	xb_jv_i64(xb_jv_get(a, "hostPort"), &port_a);
	xb_jv_i64(xb_jv_get(b, "hostPort"), &port_b);
	return port_a > 0 && port_a == port_b &&
	       same_or_empty(xb_jv_text(xb_jv_get(a, "protocol")), xb_jv_text(xb_jv_get(b, "protocol")), "TCP") &&
	       (is_any(ip_a) || is_any(ip_b) || xb_sv_eq(ip_a, ip_b));
}

static bool port_is_taken(struct xb_jv port, struct xb_jv other)
{
	for (struct spec_it it = spec_containers(other); spec_next(&it);)
		for (struct xb_jit at = xb_jv_iter(xb_jv_get(it.container, "ports")); xb_jit_next(&at);)
			if (it.kind != SPEC_INIT && ports_clash(port, at.value))
				return true;
	return false;
}

static bool has_free_ports(const struct admit_input *in)
{
	for (struct spec_it it = spec_containers(in->pod); spec_next(&it);)
		for (struct xb_jit at = xb_jv_iter(xb_jv_get(it.container, "ports")); it.kind != SPEC_INIT && xb_jit_next(&at);)
			for (size_t i = 0; i < in->n_active && xb_jv_is(xb_jv_get(at.value, "hostPort")); i++)
				if (port_is_taken(at.value, in->active[i]))
					return false;
	return true;
}

/* --- room --- */
struct admit_wants admit_wants(struct xb_jv pod, int64_t now_us)
{
	const struct xb_kind *k = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));

	return (struct admit_wants){
		.cpu = xb_quota_amount(k, pod, XB_SV("requests.cpu"), now_us),
		.memory = xb_quota_amount(k, pod, XB_SV("requests.memory"), now_us),
		.ephemeral = xb_quota_amount(k, pod, XB_SV("requests.ephemeral-storage"), now_us),
	};
}

static int refuse(struct admit_refusal *ret, const char *reason, const char *message)
{
	char *copy = strdup(message);

	if (!copy)
		return -ENOMEM;
	*ret = (struct admit_refusal){ reason, copy };
	return -EPERM;
}

struct room {
	const char *reason, *name;
	__int128 wanted, used;
	uint64_t capacity;
	unsigned unit;                  /* nano-units of one */
};

static bool is_short(const struct room *r)
{
	return r->wanted && (r->wanted + r->used + r->unit - 1) / r->unit > (__int128)r->capacity;
}

static int check_room(const struct admit_input *in, struct admit_refusal *ret)
{
	const struct facts *f = in->facts;
	struct admit_wants wants = admit_wants(in->pod, in->now_us);
	const struct room rooms[] = {
		{ "OutOfpods", "pods", NANO, (__int128)in->pods * NANO, f->max_pods, NANO },
		{ "OutOfcpu", "cpu", wants.cpu, in->used.cpu, f->allocatable_cpu_milli, MILLI },
		{ "OutOfmemory", "memory", wants.memory, in->used.memory, f->allocatable_memory_bytes, NANO },
		{ "OutOfephemeral-storage", "ephemeral-storage", wants.ephemeral, in->used.ephemeral, f->allocatable_ephemeral_bytes, NANO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		const struct room *r = &rooms[i];
		char text[160];

		if (!r->capacity || !is_short(r))
			continue;
		snprintf(text, sizeof(text), "Node didn't have enough resource: %s, requested: %lld, used: %lld, capacity: %llu", r->name,
			 (long long)((r->wanted + r->unit - 1) / r->unit), (long long)((r->used + r->unit - 1) / r->unit),
			 (unsigned long long)r->capacity);
		return refuse(ret, r->reason, text);
	}
	return 0;
}

/* --- pressure --- */
static bool is_critical(struct xb_jv pod)
{
	int64_t priority = 0;

	xb_jv_i64(xb_jv_path(pod, "spec", "priority"), &priority);
	return spec_is_static(pod) || priority >= CRITICAL;
}

static bool bears_pressure(const struct admit_input *in)
{
	if (is_critical(in->pod) || !(in->memory_pressure || in->disk_pressure || in->pid_pressure))
		return true;
	return !in->disk_pressure && !in->pid_pressure && spec_qos(in->pod) != SPEC_QOS_BEST_EFFORT;
}

static int tell_pressure(const struct admit_input *in, struct admit_refusal *ret)
{
	char text[96];

	snprintf(text, sizeof(text), "The node had condition: [%s%s%s%s%s]. ", in->memory_pressure ? "MemoryPressure" : "",
		 in->memory_pressure && in->disk_pressure ? " " : "", in->disk_pressure ? "DiskPressure" : "",
		 (in->memory_pressure || in->disk_pressure) && in->pid_pressure ? " " : "", in->pid_pressure ? "PIDPressure" : "");
	return refuse(ret, "Evicted", text);
}

int admit_pod(const struct admit_input *in, struct admit_refusal *ret)
{
	struct xb_jv spec = xb_jv_get(in->pod, "spec"), os = xb_jv_path(spec, "os", "name");
	struct xb_jv wanted_os = xb_jv_path(spec, "nodeSelector", "kubernetes.io/os");

	if (!bears_pressure(in))
		return tell_pressure(in, ret);
	if (xb_jv_is(wanted_os) && !xb_jv_streq(wanted_os, XB_SV("linux")))
		return refuse(ret, "PodOSSelectorNodeLabelDoesNotMatch", OS_LABEL);
	if (xb_jv_is(os) && !xb_jv_streq(os, XB_SV("linux")))
		return refuse(ret, "PodOSNotSupported", OS_FIELD);
	if (xb_jv_count(in->node) && !likes_node(in->node, spec))
		return refuse(ret, "NodeAffinity", AFFINITY);
	if (!has_free_ports(in))
		return refuse(ret, "NodePorts", PORTS);
	if (!spec_is_static(in->pod) && is_driven_out(in->node, in->pod))
		return refuse(ret, "TaintToleration", TAINTS);
	return check_room(in, ret);
}
