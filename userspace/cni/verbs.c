/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "ipam.h"
#include "verbs.h"

static struct attachment name(const struct cni_call *call, const struct cni_config *c)
{
	struct attachment a = { .container = call->container, .ifname = call->ifname, .netns = call->netns, .mtu = c->mtu };

	attach_name(&a);
	return a;
}

static int reserve(const struct cni_config *c, struct attachment *a, struct cni_fault *f)
{
	_cleanup_(ipam_closep) struct ipam *m = NULL;
	int code = ipam_open(c->data_dir, &m, f);

	return code ? code : ipam_reserve(m, c->sets, a->container, a->ifname, a->ips, f);
}

static int release(const struct cni_config *c, const struct attachment *a, struct cni_fault *f)
{
	_cleanup_(ipam_closep) struct ipam *m = NULL;
	int code = ipam_open(c->data_dir, &m, f);

	return code ? code : ipam_release(m, a->container, a->ifname, f);
}

/* The address first: whatever a call that dies leaves has an owner by whose DEL it goes. */
int cni_add(const struct cni_call *call, const struct cni_config *c, struct xb_buf *out, struct cni_fault *f)
{
	struct attachment a = name(call, c);
	struct cni_fault ignored = {};
	int code;

	if (c->loopback) {
		code = loopback_set(call->netns, true, f);
		if (!code)
			result_write_loopback(c, call, out);
		return code;
	}
	if (xb_jv_is(c->prev_result))
		return cni_fault(f, CNI_UNSUPPORTED, "prevResult: this plugin makes the interface, so it must be the first of its list");
	code = reserve(c, &a, f);
	if (code)
		return code;
	code = attach_add(&a, f);
	if (code && release(c, &a, &ignored))
		cni_fault_done(&ignored);
	if (!code)
		result_write(c, &a, out);
	return code;
}

/* The interface first, so that an address that is free leads nowhere. */
int cni_del(const struct cni_call *call, const struct cni_config *c, struct cni_fault *f)
{
	struct attachment a = name(call, c);
	int code;

	if (c->loopback) {
		code = call->netns && *call->netns ? loopback_set(call->netns, false, f) : 0;
		return code == CNI_NO_CONTAINER ? 0 : code;
	}
	code = attach_del(&a, f);
	return code ? code : release(c, &a, f);
}

/* Each address that the runtime was told for the pod's interface is one that we gave it. */
static int check_told(const struct cni_config *c, const struct attachment *a, struct cni_fault *f)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(c->prev_result, "ips")); xb_jit_next(&it);) {
		struct xb_sv text = xb_jv_text(xb_jv_get(it.value, "address"));
		struct xb_net n;

		if (xb_net_parse(text, &n) < 0)
			return cni_fault(f, CNI_INVALID, "prevResult.ips: \"%.*s\" is not an address with its prefix", XB_SV_ARG(text));
		if (!xb_ip_eq(&n.ip, &a->ips[n.ip.family == AF_INET6]))
			return cni_fault(f, CNI_BROKEN, "the address %s is not reserved for container %s in %s", xb_ip_format(&n.ip).s,
					 a->container, c->data_dir);
	}
	return 0;
}

int cni_check(const struct cni_call *call, const struct cni_config *c, struct cni_fault *f)
{
	_cleanup_(ipam_closep) struct ipam *m = NULL;
	struct attachment a = name(call, c);
	int code;

	if (!strcmp(c->version, "0.3.1"))
		return cni_fault(f, CNI_INCOMPATIBLE, "cniVersion: CHECK is there from 0.4.0 on");
	if (c->loopback)
		return loopback_check(call->netns, f);
	if (!xb_jv_is(c->prev_result))
		return cni_fault(f, CNI_INVALID, "prevResult: CHECK needs what ADD answered");
	code = ipam_open(c->data_dir, &m, f);
	if (!code)
		code = ipam_find(m, a.container, a.ifname, a.ips, f);
	m = ipam_close(m);
	for (int i = 0; !code && i < 2; i++)
		if (c->sets[i].n && a.ips[i].family == AF_UNSPEC)
			code = cni_fault(f, CNI_BROKEN, "no %s address is reserved for container %s in %s", i ? "IPv6" : "IPv4",
					 a.container, c->data_dir);
	if (!code)
		code = check_told(c, &a, f);
	return code ? code : attach_check(&a, f);
}

/* --- GC --- */
struct garbage {
	const struct cni_config *c;
	struct cni_fault *f;
};

static bool is_attached(void *arg, const char *container, const char *ifname)
{
	const struct garbage *g = arg;

	for (struct xb_jit it = xb_jv_iter(g->c->attachments); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "containerID"), xb_sv(container)) &&
		    (!*ifname || xb_jv_streq(xb_jv_get(it.value, "ifname"), xb_sv(ifname))))
			return true;
	return false;
}

static int detach(void *arg, const char *container, const char *ifname)
{
	const struct garbage *g = arg;
	struct cni_call call = { .container = container, .ifname = ifname };
	struct attachment a = name(&call, g->c);

	return attach_del(&a, g->f);
}

int cni_gc(const struct cni_config *c, struct cni_fault *f)
{
	_cleanup_(ipam_closep) struct ipam *m = NULL;
	struct garbage g = { c, f };
	int code;

	if (c->loopback)
		return 0;
	if (xb_jv_type(c->attachments) != XB_JSON_ARRAY)
		return cni_fault(f, CNI_INVALID, "cni.dev/valid-attachments: expected a list of containerID and ifname");
	code = ipam_open(c->data_dir, &m, f);
	return code ? code : ipam_retain(m, is_attached, detach, &g, f);
}

/* Full ranges are no reason: the pods that are there would be told that the node's network is not ready. */
int cni_status(const struct cni_config *c, struct cni_fault *f)
{
	_cleanup_(ipam_closep) struct ipam *m = NULL;

	if (!c->loopback && ipam_open(c->data_dir, &m, f))
		f->code = CNI_UNAVAILABLE;
	return f->code;
}
