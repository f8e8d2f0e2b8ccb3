/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pod_refs.h"
#include "stored.h"

struct refs {
	void (*fn)(void *arg, const char *plural, struct xb_sv name);
	void *arg;
};

static void refer(const struct refs *r, const char *plural, struct xb_jv name)
{
	struct xb_sv text = xb_jv_text(name);

	if (text.n)
		r->fn(r->arg, plural, text);
}

static void of_environment(const struct refs *r, struct xb_jv container)
{
	for (struct xb_jit it = xb_jv_iter(stored_whole(xb_jv_get(container, "env"))); xb_jit_next(&it);) {
		refer(r, "secrets", xb_jv_path(it.value, "valueFrom", "secretKeyRef", "name"));
		refer(r, "configmaps", xb_jv_path(it.value, "valueFrom", "configMapKeyRef", "name"));
	}
	for (struct xb_jit it = xb_jv_iter(stored_whole(xb_jv_get(container, "envFrom"))); xb_jit_next(&it);) {
		refer(r, "secrets", xb_jv_path(it.value, "secretRef", "name"));
		refer(r, "configmaps", xb_jv_path(it.value, "configMapRef", "name"));
	}
}

static void of_projection(const struct refs *r, struct xb_jv volume)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(stored_whole(xb_jv_get(volume, "projected")), "sources")); xb_jit_next(&it);) {
		refer(r, "secrets", xb_jv_path(it.value, "secret", "name"));
		refer(r, "configmaps", xb_jv_path(it.value, "configMap", "name"));
	}
}

static void of_volume(const struct refs *r, struct xb_jv volume)
{
	static const char *const with_secret[] = { "cephfs", "cinder", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos" };

	refer(r, "secrets", xb_jv_path(volume, "secret", "secretName"));
	refer(r, "secrets", xb_jv_path(volume, "azureFile", "secretName"));
	refer(r, "secrets", xb_jv_path(volume, "csi", "nodePublishSecretRef", "name"));
	for (unsigned i = 0; i < ARRAY_SIZE(with_secret); i++)
		refer(r, "secrets", xb_jv_path(volume, with_secret[i], "secretRef", "name"));
	refer(r, "configmaps", xb_jv_path(volume, "configMap", "name"));
	refer(r, "persistentvolumeclaims", xb_jv_path(volume, "persistentVolumeClaim", "claimName"));
	of_projection(r, volume);
}

/* An ephemeral volume's claim is named after pod and volume. */
static void of_ephemeral(const struct refs *r, struct xb_jv pod, struct xb_jv volume)
{
	_cleanup_buf_ struct xb_buf name = {};

	if (!xb_jv_is(xb_jv_get(volume, "ephemeral")))
		return;
	xb_buf_addsv(&name, xb_jv_text(xb_jv_path(pod, "metadata", "name")));
	xb_buf_addc(&name, '-');
	xb_buf_addsv(&name, xb_jv_text(xb_jv_get(volume, "name")));
	if (!name.err)
		r->fn(r->arg, "persistentvolumeclaims", xb_buf_sv(&name));
}

void pod_refs_each(struct xb_jv pod, void (*fn)(void *arg, const char *plural, struct xb_sv name), void *arg)
{
	static const char *const containers[] = { "containers", "initContainers", "ephemeralContainers" };
	const struct refs r = { fn, arg };
	struct xb_jv spec = xb_jv_get(pod, "spec");

	for (unsigned i = 0; i < ARRAY_SIZE(containers); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, containers[i])); xb_jit_next(&it);)
			of_environment(&r, it.value);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "volumes")); xb_jit_next(&it);) {
		of_volume(&r, it.value);
		of_ephemeral(&r, pod, it.value);
	}
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "imagePullSecrets")); xb_jit_next(&it);)
		refer(&r, "secrets", xb_jv_get(it.value, "name"));
	refer(&r, "serviceaccounts", xb_jv_get(spec, "serviceAccountName"));
}
