/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "service_pods.h"
#include "../pods.h"
#include "../selected.h"

static struct xb_jv spec(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "spec", field);
}

static struct xb_jv status(struct xb_jv object, const char *field)
{
	return xb_jv_path(object, "status", field);
}

static struct xb_jv labels(struct xb_jv object)
{
	return xb_jv_path(object, "metadata", "labels");
}

/* --- by label --- */
static void pair_key(struct xb_jv object, struct xb_sv key, struct xb_jv value, struct xb_buf *out)
{
	selected_key(xb_jv_text(xb_jv_path(object, "metadata", "namespace")), key, xb_jv_text(value), out);
}

/* The pair with the longest value: the more is said, the fewer are meant. */
static void by_one_pair(struct xb_jv service, struct xb_index_entry *e)
{
	_cleanup_buf_ struct xb_buf key = {};
	size_t longest = 0;

	for (struct xb_jit it = xb_jv_iter(spec(service, "selector")); xb_jit_next(&it);) {
		size_t n = xb_jv_text(it.value).n + 1;

		if (n <= longest)
			continue;
		longest = n;
		pair_key(service, it.key, it.value, &key);
	}
	if (longest)
		xb_index_add(e, xb_buf_sv(&key));
}

int service_pods_init(struct service_pods *s, struct kcm *k)
{
	*s = (struct service_pods){ .service_kind = kcm_kind("", "v1", "services"), .pod_kind = kcm_kind("", "v1", "pods") };
	s->services = xb_cache_of(k->cache, s->service_kind);
	s->services_by_pair = kcm_index(k, s->service_kind, by_one_pair);
	s->pods_by_label = kcm_index(k, s->pod_kind, selected_by_label);
	return s->services && s->services_by_pair && s->pods_by_label ? 0 : -ENOMEM;
}

bool service_selects(struct xb_jv service, struct xb_jv pod)
{
	struct xb_jv selector = spec(service, "selector");

	for (struct xb_jit it = xb_jv_iter(selector); xb_jit_next(&it);) {
		struct xb_jv has = xb_jv_getsv(labels(pod), it.key);

		if (!xb_jv_is(has) || !xb_sv_eq(xb_jv_text(has), xb_jv_text(it.value)))
			return false;
	}
	return xb_jv_count(selector);
}

static bool begin(const struct service_pods *s, struct xb_jv service, struct service_pods_it *it)
{
	_cleanup_buf_ struct xb_buf key = {};
	size_t fewest = SIZE_MAX;

	for (struct xb_jit pair = xb_jv_iter(spec(service, "selector")); xb_jit_next(&pair);) {
		size_t n;

		pair_key(service, pair.key, pair.value, &key);
		n = xb_index_count(s->pods_by_label, xb_buf_sv(&key));
		if (n >= fewest)
			continue;
		fewest = n;
		xb_buf_clear(&it->pair);
		xb_buf_addsv(&it->pair, xb_buf_sv(&key));
	}
	it->begun = true;
	return fewest != SIZE_MAX;
}

bool service_pods_next(const struct service_pods *s, struct xb_jv service, struct service_pods_it *it)
{
	bool more = it->begun || begin(s, service, it);

	while (more && xb_index_next(s->pods_by_label, xb_buf_sv(&it->pair), &it->at)) {
		it->pod = it->at.object;
		if (service_selects(service, it->pod))
			return true;
	}
	xb_buf_done(&it->pair);
	return false;
}

/* --- a pod's change --- */
static bool same(struct xb_jv a, struct xb_jv b)
{
	return xb_sv_eq(xb_jv_bytes(a), xb_jv_bytes(b));
}

/* In all that an endpoint tells of a pod; its name and uid do not change. */
static bool looks_same(struct xb_jv old, struct xb_jv pod)
{
	return pods_ready(old, NULL) == pods_ready(pod, NULL) && pods_deleting(old) == pods_deleting(pod) &&
	       service_pod_counts(old) == service_pod_counts(pod) && same(status(old, "podIPs"), status(pod, "podIPs")) &&
	       same(spec(old, "nodeName"), spec(pod, "nodeName")) &&
	       same(xb_jv_path(old, "metadata", "uid"), xb_jv_path(pod, "metadata", "uid"));
}

static void each_selecting(const struct service_pods *s, struct xb_jv pod, struct xb_jv but_for,
			   void (*each)(void *arg, struct xb_jv service), void *arg)
{
	_cleanup_buf_ struct xb_buf key = {};

	for (struct xb_jit pair = xb_jv_iter(labels(pod)); xb_jit_next(&pair);) {
		pair_key(pod, pair.key, pair.value, &key);
		for (struct xb_index_it it = {}; xb_index_next(s->services_by_pair, xb_buf_sv(&key), &it);)
			if (service_selects(it.object, pod) && !(xb_jv_is(but_for) && service_selects(it.object, but_for)))
				each(arg, it.object);
	}
}

void service_pods_changed(const struct service_pods *s, struct xb_jv old, struct xb_jv pod, void (*each)(void *arg, struct xb_jv service),
			  void *arg)
{
	bool both = xb_jv_is(old) && xb_jv_is(pod), as_before = both && looks_same(old, pod);

	if (both && as_before && same(labels(old), labels(pod)))
		return;
	/* one that selected it before and does now has nothing to do unless it looks different */
	if (xb_jv_is(pod))
		each_selecting(s, pod, as_before ? old : (struct xb_jv){}, each, arg);
	if (xb_jv_is(old))
		each_selecting(s, old, pod, each, arg);
}

/* --- what a Service sees --- */
bool service_is_managed(struct xb_jv service)
{
	return xb_jv_count(spec(service, "selector")) && !xb_jv_streq(spec(service, "type"), XB_SV("ExternalName"));
}

bool service_is_headless(struct xb_jv service)
{
	return xb_jv_streq(spec(service, "clusterIP"), XB_SV("None"));
}

bool service_is_ipv6(struct xb_sv address)
{
	return address.n && memchr(address.p, ':', address.n);
}

bool service_pod_counts(struct xb_jv pod)
{
	struct xb_sv phase = xb_jv_text(status(pod, "phase"));

	return !xb_sv_is(phase, "Succeeded") && !xb_sv_is(phase, "Failed") && xb_jv_count(status(pod, "podIPs"));
}

struct xb_sv service_pod_ip(struct xb_jv pod, bool ipv6)
{
	for (struct xb_jit it = xb_jv_iter(status(pod, "podIPs")); xb_jit_next(&it);) {
		struct xb_sv ip = xb_jv_text(xb_jv_get(it.value, "ip"));

		if (ip.n && service_is_ipv6(ip) == ipv6)
			return ip;
	}
	return (struct xb_sv){};
}

struct xb_sv service_pod_hostname(struct xb_jv pod, struct xb_jv service)
{
	struct xb_sv subdomain = xb_jv_text(spec(pod, "subdomain"));

	return xb_sv_eq(subdomain, xb_jv_text(xb_jv_path(service, "metadata", "name"))) ? xb_jv_text(spec(pod, "hostname")) : (struct xb_sv){};
}

static bool named_port(struct xb_jv container, struct xb_jv port, int64_t *ret)
{
	struct xb_sv name = xb_jv_text(xb_jv_get(port, "targetPort")), protocol = xb_jv_text(xb_jv_get(port, "protocol"));

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(container, "ports")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "name"), name) && xb_jv_streq(xb_jv_get(it.value, "protocol"), protocol))
			return !xb_jv_i64(xb_jv_get(it.value, "containerPort"), ret);
	return false;
}

bool service_pod_port(struct xb_jv pod, struct xb_jv port, int64_t *ret)
{
	if (!xb_jv_i64(xb_jv_get(port, "targetPort"), ret))
		return true;
	for (struct xb_jit it = xb_jv_iter(spec(pod, "containers")); xb_jit_next(&it);)
		if (named_port(it.value, port, ret))
			return true;
	/* of the others only those that run on, sidecars */
	for (struct xb_jit it = xb_jv_iter(spec(pod, "initContainers")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "restartPolicy"), XB_SV("Always")) && named_port(it.value, port, ret))
			return true;
	return false;
}

int64_t service_pod_since(struct xb_jv pod)
{
	for (struct xb_jit it = xb_jv_iter(status(pod, "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV("Ready")))
			return pods_time(xb_jv_get(it.value, "lastTransitionTime"));
	return 0;
}
