/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "xb/owner.h"

struct xb_jv xb_owner_controller(struct xb_jv object)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "metadata", "ownerReferences")); xb_jit_next(&it);)
		if (xb_jv_true(xb_jv_get(it.value, "controller")))
			return it.value;
	return (struct xb_jv){};
}

struct xb_sv xb_owner_uid(struct xb_jv object)
{
	return xb_jv_text(xb_jv_get(xb_owner_controller(object), "uid"));
}

void xb_kind_api_version(const struct xb_kind *kind, struct xb_buf *out)
{
	xb_buf_addf(out, "%s%s%s", kind->group, *kind->group ? "/" : "", kind->version);
}

void xb_owner_write(struct xb_jw *w, const struct xb_kind *kind, struct xb_jv owner)
{
	_cleanup_buf_ struct xb_buf version = {};
	struct xb_jv meta = xb_jv_get(owner, "metadata");

	xb_kind_api_version(kind, &version);
	if (version.err)
		w->err = version.err;
	xb_jw_object(w);
	xb_jw_ksv(w, "apiVersion", xb_buf_sv(&version));
	xb_jw_kstr(w, "kind", kind->kind);
	xb_jw_ksv(w, "name", xb_jv_text(xb_jv_get(meta, "name")));
	xb_jw_ksv(w, "uid", xb_jv_text(xb_jv_get(meta, "uid")));
	xb_jw_kbool(w, "controller", true);
	xb_jw_kbool(w, "blockOwnerDeletion", true);
	xb_jw_end(w);
}
