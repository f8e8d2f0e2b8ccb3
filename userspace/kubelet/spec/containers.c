/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which containers a pod has, of what kind, and what they are known by. */
#include "spec.h"

static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

static enum spec_container_kind kind_of(unsigned list, struct xb_jv container)
{
	if (list == 1)
		return SPEC_MAIN;
	if (list == 2)
		return SPEC_EPHEMERAL;
	return xb_jv_streq(xb_jv_get(container, "restartPolicy"), XB_SV("Always")) ? SPEC_SIDECAR : SPEC_INIT;
}

struct spec_it spec_containers(struct xb_jv pod)
{
	return (struct spec_it){ .pod = pod, .at = xb_jv_iter(xb_jv_path(pod, "spec", lists[0])) };
}

bool spec_next(struct spec_it *it)
{
	while (!xb_jit_next(&it->at)) {
		if (++it->list == ARRAY_SIZE(lists)) {
			it->list--; /* at its end it stays there */
			return false;
		}
		it->at = xb_jv_iter(xb_jv_path(it->pod, "spec", lists[it->list]));
	}
	it->container = it->at.value;
	it->name = xb_jv_text(xb_jv_get(it->container, "name"));
	it->kind = kind_of(it->list, it->container);
	return true;
}

struct xb_jv spec_find(struct xb_jv pod, struct xb_sv name, enum spec_container_kind *ret_kind)
{
	for (struct spec_it it = spec_containers(pod); spec_next(&it);)
		if (xb_sv_eq(it.name, name)) {
			if (ret_kind)
				*ret_kind = it.kind;
			return it.container;
		}
	return (struct xb_jv){};
}

/* FNV-1a: it is compared with what another process of another version wrote, so it must not depend on this one. */
static uint64_t fnv1a(uint64_t hash, struct xb_sv bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		hash = (hash ^ (unsigned char)bytes.p[i]) * 0x100000001b3u;
	return hash;
}

uint64_t spec_hash(struct xb_jv container)
{
	uint64_t hash = fnv1a(0xcbf29ce484222325u, xb_jv_text(xb_jv_get(container, "name")));

	hash = fnv1a(hash, (struct xb_sv){ "", 1 });
	return fnv1a(hash, xb_jv_text(xb_jv_get(container, "image")));
}

void spec_log_folder(struct xb_jv pod, struct xb_buf *out)
{
	struct xb_jv meta = xb_jv_get(pod, "metadata");

	xb_buf_addsv(out, xb_jv_text(xb_jv_get(meta, "namespace")));
	xb_buf_addc(out, '_');
	xb_buf_addsv(out, xb_jv_text(xb_jv_get(meta, "name")));
	xb_buf_addc(out, '_');
	xb_buf_addsv(out, xb_jv_text(xb_jv_get(meta, "uid")));
}

void spec_log_file(struct xb_sv container, unsigned attempt, struct xb_buf *out)
{
	xb_buf_addf(out, "%.*s/%u.log", XB_SV_ARG(container), attempt);
}

bool spec_is_static(struct xb_jv pod)
{
	struct xb_jv source = xb_jv_path(pod, "metadata", "annotations", "kubernetes.io/config.source");

	return xb_jv_is(source) && !xb_jv_streq(source, XB_SV("api"));
}
