/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pod as a file of static pods may hold it, made into the runtime's messages: whatever it is, it is refused with a sentence or
 * what was made can be packed and read again. The same bytes are the data of the ConfigMaps and Secrets it names, and the
 * node's resolv.conf.
 */
#include <stdint.h>

#include "../../userspace/kubelet/spec/dns.h"
#include "../../userspace/kubelet/spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct xb_jv pod;

int objects_get(const struct objects *o, enum objects_kind kind, const char *namespace_, const char *name, struct xb_jv *ret,
		const char **ret_why)
{
	if (!xb_jv_is(xb_jv_get(pod, "data")))
		return -ENOENT;
	*ret = pod;
	return 0;
}

bool objects_services_known(const struct objects *o)
{
	return true;
}

void objects_each_service(const struct objects *o, const char *namespace_, void (*each)(void *arg, struct xb_jv service), void *arg)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(pod, "services")); xb_jit_next(&it);)
		each(arg, it.value);
}

static const char *const dns[] = { "10.96.0.10", NULL }, *const ips[] = { "10.0.0.1", "fd00::1", NULL };
static const struct facts node = {
	.node_name = "n", .ips = { "10.0.0.1" }, .pod_logs_dir = "/var/log/pods", .resolv_conf = "", .cluster_dns = dns,
	.cluster_domain = "cluster.local", .seccomp_root = "/s", .apparmor = true, .cpu_cfs_quota = true, .memory_bytes = 1 << 30,
};

static void check_told(int r, char *why)
{
	if (r && r != -ENOMEM && r != -EAGAIN && !why)
		abort();
	free(why);
}

static void make_sandbox(struct xb_arena *a)
{
	Runtime__V1__PodSandboxConfig *made = NULL, *again;
	char *why = NULL;
	int r = spec_sandbox(&node, pod, 1, "/kubepods", a, &made, &why);
	uint8_t *packed;
	size_t n;

	check_told(r, why);
	if (r)
		return;
	packed = malloc(runtime__v1__pod_sandbox_config__get_packed_size(made));
	n = runtime__v1__pod_sandbox_config__pack(made, packed);
	again = runtime__v1__pod_sandbox_config__unpack(NULL, n, packed);
	if (!again || again->n_labels != made->n_labels || again->n_port_mappings != made->n_port_mappings)
		abort();
	runtime__v1__pod_sandbox_config__free_unpacked(again, NULL);
	free(packed);
}

static void make_container(struct xb_arena *a, struct xb_jv container)
{
	const struct spec_input in = { .facts = &node, .pod = pod, .container = container, .pod_ips = ips };
	Runtime__V1__ContainerConfig *made = NULL, *again;
	Runtime__V1__KeyValue **env = NULL;
	char *why = NULL;
	uint8_t *packed;
	size_t n_env = 0, n;
	int r = spec_env(&in, a, &env, &n_env, &why);

	check_told(r, why);
	why = NULL;
	r = spec_container(&in, 1, &(struct spec_image){ .ref = "x", .username = "www" }, env, n_env, NULL, 0, a, &made, &why);
	check_told(r, why);
	if (r)
		return;
	packed = malloc(runtime__v1__container_config__get_packed_size(made));
	n = runtime__v1__container_config__pack(made, packed);
	again = runtime__v1__container_config__unpack(NULL, n, packed);
	if (!again || again->n_envs != n_env || again->n_command != made->n_command)
		abort();
	runtime__v1__container_config__free_unpacked(again, NULL);
	free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(64 << 20);
	struct xb_sv text = { (const char *)bytes, n };
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_dns_ struct dns resolv = {};

	dns_read(&(struct make){ .a = a }, text, &resolv);
	if (xb_json_parse(text, NULL, &doc, NULL) < 0)
		return 0;
	pod = xb_json_root(doc);
	make_sandbox(a);
	for (struct spec_it it = spec_containers(pod); spec_next(&it);)
		make_container(a, it.container);
	return 0;
}
