/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "provision.h"
#include "xb/volumes.h"

static void write_meta(struct xb_jw *w, const char *name)
{
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_kstr(w, "name", name);
	xb_jw_key(w, "annotations");
	xb_jw_object(w);
	xb_jw_kstr(w, "kubernetes.io/createdby", "hostpath-dynamic-provisioner");
	xb_jw_kstr(w, XB_BOUND_BY_CONTROLLER, "yes");
	xb_jw_kstr(w, XB_PROVISIONED_BY, "kubernetes.io/host-path");
	xb_jw_end(w);
	xb_jw_end(w);
}

static void write_claim(struct xb_jw *w, struct xb_jv claim)
{
	xb_jw_key(w, "claimRef");
	xb_jw_object(w);
	xb_jw_kstr(w, "kind", "PersistentVolumeClaim");
	xb_jw_kstr(w, "apiVersion", "v1");
	xb_jw_ksv(w, "namespace", xb_jv_meta(claim, "namespace"));
	xb_jw_ksv(w, "name", xb_jv_meta(claim, "name"));
	xb_jw_ksv(w, "uid", xb_jv_meta(claim, "uid"));
	xb_jw_ksv(w, "resourceVersion", xb_jv_meta(claim, "resourceVersion"));
	xb_jw_end(w);
}

/* As a volume of type local has it: pods that use the directory come to the node where it is. */
static void write_affinity(struct xb_jw *w, struct xb_jv node)
{
	struct xb_sv host = xb_jv_text(xb_jv_path(node, "metadata", "labels", "kubernetes.io/hostname"));

	xb_jw_key(w, "nodeAffinity");
	xb_jw_object(w);
	xb_jw_key(w, "required");
	xb_jw_object(w);
	xb_jw_key(w, "nodeSelectorTerms");
	xb_jw_array(w);
	xb_jw_object(w);
	xb_jw_key(w, "matchExpressions");
	xb_jw_array(w);
	xb_jw_object(w);
	xb_jw_kstr(w, "key", "kubernetes.io/hostname");
	xb_jw_kstr(w, "operator", "In");
	xb_jw_key(w, "values");
	xb_jw_array(w);
	xb_jw_sv(w, host.n ? host : xb_jv_meta(node, "name"));
	for (int open = 7; open; open--)
		xb_jw_end(w);
}

static void write_path(struct xb_jw *w, struct xb_jv claim)
{
	_cleanup_buf_ struct xb_buf path = {};

	xb_buf_addf(&path, "/tmp/hostpath_pv/%.*s", XB_SV_ARG(xb_jv_meta(claim, "uid")));
	xb_jw_key(w, "hostPath");
	xb_jw_object(w);
	xb_jw_ksv(w, "path", xb_buf_sv(&path));
	xb_jw_kstr(w, "type", "DirectoryOrCreate");
	xb_jw_end(w);
	if (path.err)
		w->err = path.err;
}

int provision_write(struct xb_jv claim, struct xb_jv class, struct xb_jv node, const char *name, struct xb_buf *out)
{
	struct xb_jv policy = xb_jv_get(class, "reclaimPolicy"), spec = xb_jv_get(claim, "spec");
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	write_meta(&w, name);
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	xb_jw_key(&w, "accessModes");
	xb_jw_raw(&w, xb_jv_bytes(xb_jv_get(spec, "accessModes")));
	xb_jw_key(&w, "capacity");
	xb_jw_object(&w);
	xb_jw_ksv(&w, "storage", xb_jv_text(xb_jv_path(spec, "resources", "requests", "storage")));
	xb_jw_end(&w);
	xb_jw_ksv(&w, "storageClassName", xb_volume_class(claim));
	xb_jw_ksv(&w, "persistentVolumeReclaimPolicy", xb_jv_is(policy) ? xb_jv_text(policy) : XB_SV("Delete"));
	write_claim(&w, claim);
	write_path(&w, claim);
	if (xb_jv_is(node))
		write_affinity(&w, node);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}
