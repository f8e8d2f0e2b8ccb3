/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef TEST_SPEC_FIXTURE_H
#define TEST_SPEC_FIXTURE_H
/* What tests of spec/ share: documents written with ' for ", a node, and an arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../../../../userspace/kubelet/spec/spec.h"

static inline struct xb_json *parse(const char *text)
{
	struct xb_buf json = {};
	struct xb_json *doc = NULL;

	xb_buf_adds(&json, text);
	for (size_t i = 0; i < json.n; i++)
		if (json.p[i] == '\'')
			json.p[i] = '"';
	if (xb_json_parse(xb_buf_sv(&json), NULL, &doc, NULL))
		fail_msg("not JSON: %s", json.p);
	xb_buf_done(&json);
	return doc;
}

static const char *const node_dns[] = { "10.96.0.10", NULL };
static const struct facts node = {
	.node_name = "node-1",
	.ips = { "192.168.0.5", "fd00::5" },
	.root_dir = "/var/lib/kubelet",
	.pod_logs_dir = "/var/log/pods",
	.resolv_conf = "",
	.cluster_dns = node_dns,
	.cluster_domain = "cluster.local",
	.seccomp_root = "/var/lib/kubelet/seccomp",
	.cpu_cfs_quota = true,
	.memory_bytes = 8000000000,
	.allocatable_cpu_milli = 3920,
	.allocatable_memory_bytes = 7000000000,
	.allocatable_ephemeral_bytes = 90000000000,
};

/* A pod "web" of namespace "shop" with more of spec, and its first container with more fields. */
#define POD(spec, container) \
	"{'metadata':{'name':'web','namespace':'shop','uid':'u-1'},'spec':{" spec "'containers':[{'name':'c','image':'nginx:1'" container "}]}}"

struct given {
	struct xb_json *doc;
	struct xb_arena *arena;
	struct spec_input in;
};

static inline struct given given(const char *pod)
{
	static const char *const ips[] = { "10.244.1.7", "fd00:244::7", NULL };
	struct given g = { .doc = parse(pod), .arena = xb_arena_new(0) };

	g.in = (struct spec_input){ .facts = &node, .pod = xb_json_root(g.doc), .pod_ips = ips };
	g.in.container = xb_jv_at(xb_jv_path(g.in.pod, "spec", "containers"), 0);
	return g;
}

static inline void given_done(struct given *g)
{
	xb_json_unref(g->doc);
	xb_arena_free(g->arena);
}
#define _cleanup_given_ _cleanup_(given_done)

static inline void add_list(struct xb_buf *out, char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		xb_buf_addf(out, "%s%s", i ? " " : "", v[i]);
}

static inline void add_pairs(struct xb_buf *out, Runtime__V1__KeyValue *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		xb_buf_addf(out, "%s%s=%s", i ? " " : "", v[i]->key, v[i]->value);
}

#endif
