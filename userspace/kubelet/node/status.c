/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "status.h"
#include "xb/process.h"
#include "xb/quantity.h"
#include "xb/time.h"

/* --- resources */
static void write_quantity(struct xb_jw *w, const char *name, uint64_t n, bool milli, enum xb_quantity_form form)
{
	struct xb_quantity q = { (__int128)n * (milli ? 1000000 : 1000000000), form };
	_cleanup_buf_ struct xb_buf text = {};

	xb_quantity_write(&q, &text);
	if (text.err)
		w->err = text.err;
	xb_jw_kstr(w, name, text.p ? text.p : "0");
}

static void write_huge_pages(const struct node_view *v, struct xb_jw *w)
{
	for (size_t i = 0; i < v->machine->huge_pages.n; i++) {
		struct xb_quantity size = { (__int128)v->machine->huge_pages.v[i].size * 1000000000, XB_BINARY_SI };
		_cleanup_buf_ struct xb_buf name = {};

		xb_buf_adds(&name, "hugepages-");
		xb_quantity_write(&size, &name);
		if (!name.err)
			write_quantity(w, name.p, v->machine->huge_pages.v[i].bytes, false, XB_BINARY_SI);
	}
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void write_resources(const struct node_view *v, struct xb_jw *w, bool allocatable)
{
	const struct facts *f = v->facts;
	uint64_t cpu = f->cpu_milli, memory = f->memory_bytes, ephemeral = f->ephemeral_bytes;

	if (allocatable) {
		cpu = f->allocatable_cpu_milli;
		memory = less(f->allocatable_memory_bytes, thresholds_kept(v->thresholds, SIGNAL_MEMORY, f->memory_bytes));
		ephemeral = less(f->allocatable_ephemeral_bytes, thresholds_kept(v->thresholds, SIGNAL_NODEFS, f->ephemeral_bytes));
		for (size_t i = 0; i < v->machine->huge_pages.n; i++)
			memory = less(memory, v->machine->huge_pages.v[i].bytes);
	}
	xb_jw_key(w, allocatable ? "allocatable" : "capacity");
	xb_jw_object(w);
	write_quantity(w, "cpu", cpu, true, XB_DECIMAL_SI);
	write_quantity(w, "ephemeral-storage", ephemeral, false, allocatable ? XB_DECIMAL_SI : XB_BINARY_SI);
	write_huge_pages(v, w);
	write_quantity(w, "memory", memory, false, XB_BINARY_SI);
	write_quantity(w, "pods", f->max_pods, false, XB_DECIMAL_SI);
	xb_jw_end(w);
}

/* --- the rest, as nodes differ in it */
static void write_address(struct xb_jw *w, const char *type, const char *address)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "type", type);
	xb_jw_kstr(w, "address", address);
	xb_jw_end(w);
}

static void write_addresses(const struct node_view *v, struct xb_jw *w)
{
	xb_jw_key(w, "addresses");
	xb_jw_array(w);
	for (unsigned i = 0; i < ARRAY_SIZE(v->facts->ips); i++)
		if (v->facts->ips[i])
			write_address(w, "InternalIP", v->facts->ips[i]);
	write_address(w, "Hostname", v->facts->node_name);
	xb_jw_end(w);
}

static void write_info(const struct node_view *v, struct xb_jw *w)
{
	const struct machine *m = v->machine;

	xb_jw_key(w, "nodeInfo");
	xb_jw_object(w);
	xb_jw_kstr(w, "machineID", m->machine_id);
	xb_jw_kstr(w, "systemUUID", m->system_uuid);
	xb_jw_kstr(w, "bootID", m->boot_id);
	xb_jw_kstr(w, "kernelVersion", m->kernel);
	xb_jw_kstr(w, "osImage", m->os_image);
	xb_jw_kstr(w, "containerRuntimeVersion", v->runtime_version);
	xb_jw_kstr(w, "kubeletVersion", XB_PROCESS_VERSION);
	xb_jw_kstr(w, "kubeProxyVersion", "");
	xb_jw_kstr(w, "operatingSystem", "linux");
	xb_jw_kstr(w, "architecture", m->architecture);
	xb_jw_end(w);
}

static void write_endpoints(const struct node_view *v, struct xb_jw *w)
{
	xb_jw_key(w, "daemonEndpoints");
	xb_jw_object(w);
	xb_jw_key(w, "kubeletEndpoint");
	xb_jw_object(w);
	xb_jw_kint(w, "Port", v->port);
	xb_jw_end(w);
	xb_jw_end(w);
}

/* --- conditions */
struct words {
	const char *status, *reason, *message, *event;
};
static const struct {
	const char *type;
	struct words yes, no;
} conditions[CONDITIONS] = {
	[CONDITION_MEMORY] = { "MemoryPressure",
		{ "True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available", "NodeHasInsufficientMemory" },
		{ "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available", "NodeHasSufficientMemory" } },
	[CONDITION_DISK] = { "DiskPressure",
		{ "True", "KubeletHasDiskPressure", "kubelet has disk pressure", "NodeHasDiskPressure" },
		{ "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure", "NodeHasNoDiskPressure" } },
	[CONDITION_PID] = { "PIDPressure",
		{ "True", "KubeletHasInsufficientPID", "kubelet has insufficient PID available", "NodeHasInsufficientPID" },
		{ "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available", "NodeHasSufficientPID" } },
	[CONDITION_READY] = { "Ready",
		{ "True", "KubeletReady", "kubelet is posting ready status", "NodeReady" },
		{ "False", "KubeletNotReady", NULL, "NodeNotReady" } },
};

static struct words words_of(const struct node_view *v, enum node_condition c)
{
	struct words w = (c == CONDITION_READY ? !v->fault : v->under[c]) ? conditions[c].yes : conditions[c].no;

	if (!w.message)
		w.message = v->fault;
	return w;
}

static struct xb_jv old_condition(struct xb_jv old_status, enum node_condition c)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(old_status, "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), xb_sv(conditions[c].type)))
			return it.value;
	return (struct xb_jv){};
}

static bool has_status(struct xb_jv old, const struct words *w)
{
	return xb_jv_streq(xb_jv_get(old, "status"), xb_sv(w->status));
}

static bool condition_differs(const struct node_view *v, struct xb_jv old_status, enum node_condition c)
{
	struct xb_jv old = old_condition(old_status, c);
	struct words w = words_of(v, c);

	return !has_status(old, &w) || !xb_jv_streq(xb_jv_get(old, "reason"), xb_sv(w.reason)) ||
	       !xb_jv_streq(xb_jv_get(old, "message"), xb_sv(w.message));
}

const char *status_condition_event(const struct node_view *v, struct xb_jv old_status, enum node_condition c)
{
	struct words w = words_of(v, c);

	return has_status(old_condition(old_status, c), &w) ? NULL : w.event;
}

static void write_conditions(const struct node_view *v, struct xb_jv old_status, struct xb_jw *w)
{
	struct xb_time_text now = xb_time_format(v->now_us);

	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	for (enum node_condition c = 0; c < CONDITIONS; c++) {
		struct xb_jv old = old_condition(old_status, c), since = xb_jv_get(old, "lastTransitionTime");
		struct words is = words_of(v, c);

		xb_jw_object(w);
		xb_jw_kstr(w, "type", conditions[c].type);
		xb_jw_kstr(w, "status", is.status);
		xb_jw_kstr(w, "lastHeartbeatTime", now.s);
		xb_jw_key(w, "lastTransitionTime");
		if (has_status(old, &is) && xb_jv_text(since).n)
			xb_jw_sv(w, xb_jv_text(since));
		else
			xb_jw_str(w, now.s);
		xb_jw_kstr(w, "reason", is.reason);
		xb_jw_kstr(w, "message", is.message);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

/* --- whole, and what differs */
void status_write(const struct node_view *v, struct xb_jv old_status, struct xb_jw *w)
{
	xb_jw_object(w);
	write_resources(v, w, false);
	write_resources(v, w, true);
	write_conditions(v, old_status, w);
	write_addresses(v, w);
	write_endpoints(v, w);
	write_info(v, w);
	if (v->images.n) {
		xb_jw_key(w, "images");
		xb_jw_raw(w, v->images);
	}
	xb_jw_end(w);
}

static bool holds(struct xb_jv old, struct xb_jv want);

static bool holds_object(struct xb_jv old, struct xb_jv want)
{
	for (struct xb_jit it = xb_jv_iter(want); xb_jit_next(&it);)
		if (!holds(xb_jv_getsv(old, it.key), it.value))
			return false;
	return true;
}

static bool holds_array(struct xb_jv old, struct xb_jv want)
{
	struct xb_jit a = xb_jv_iter(old), b = xb_jv_iter(want);

	if (xb_jv_count(old) != xb_jv_count(want))
		return false;
	while (xb_jit_next(&a) && xb_jit_next(&b))
		if (!holds(a.value, b.value))
			return false;
	return true;
}

/* Is everything of want there? Others may have added to objects; an empty text is the same as none. */
static bool holds(struct xb_jv old, struct xb_jv want)
{
	if (xb_jv_type(want) == XB_JSON_OBJECT)
		return holds_object(old, want);
	if (xb_jv_type(want) == XB_JSON_ARRAY)
		return holds_array(old, want);
	if (xb_jv_type(want) == XB_JSON_STRING && !xb_jv_text(want).n)
		return !xb_jv_text(old).n;
	if (xb_jv_type(want) == XB_JSON_STRING && xb_jv_type(old) == XB_JSON_STRING && (xb_jv_escaped(want) || xb_jv_escaped(old))) {
		_cleanup_free_ char *text = xb_jv_dup(want);

		return text && xb_jv_streq(old, xb_sv(text));
	}
	return xb_sv_eq(xb_jv_bytes(old), xb_jv_bytes(want));
}

/* Addresses are merged by type, and two of them have the same: they replace what was there. */
static void write_member(struct xb_jw *w, struct xb_sv key, struct xb_jv value)
{
	xb_jw_keysv(w, key);
	if (!xb_sv_is(key, "addresses")) {
		xb_jw_raw(w, xb_jv_bytes(value));
		return;
	}
	xb_jw_array(w);
	for (struct xb_jit it = xb_jv_iter(value); xb_jit_next(&it);)
		xb_jw_raw(w, xb_jv_bytes(it.value));
	xb_jw_object(w);
	xb_jw_kstr(w, "$patch", "replace");
	xb_jw_end(w);
	xb_jw_end(w);
}

int status_write_patch(const struct node_view *v, struct xb_jv old_status, bool report, bool *ret_differs, struct xb_buf *out)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_jw all = XB_JW(&text), w = XB_JW(out);
	bool differs = report;
	int r;

	status_write(v, old_status, &all);
	r = xb_jw_finish(&all);
	r = r ? r : xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL);
	if (r)
		return r;
	for (enum node_condition c = 0; !differs && c < CONDITIONS; c++)
		differs = condition_differs(v, old_status, c);
	xb_jw_object(&w);
	xb_jw_key(&w, "status");
	xb_jw_object(&w);
	for (struct xb_jit it = xb_jv_iter(xb_json_root(doc)); xb_jit_next(&it);) {
		if (xb_sv_is(it.key, "conditions") || holds(xb_jv_getsv(old_status, it.key), it.value))
			continue;
		write_member(&w, it.key, it.value);
		differs = true;
	}
	write_member(&w, XB_SV("conditions"), xb_jv_get(xb_json_root(doc), "conditions"));
	xb_jw_end(&w);
	xb_jw_end(&w);
	r = xb_jw_finish(&w);
	if (!r)
		*ret_differs = differs;
	return r;
}
