/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pods.h"
#include "xb/owner.h"

#define NAME_MAX_LEN 253 /* RFC 1123 subdomain */

static void copy(struct xb_jw *w, struct xb_jv from, const char *field)
{
	struct xb_jv v = xb_jv_get(from, field);

	if (!xb_jv_is(v))
		return;
	xb_jw_key(w, field);
	xb_jw_raw(w, xb_jv_bytes(v));
}

static void write_metadata(struct xb_jw *w, struct xb_jv template, const struct xb_kind *kind, struct xb_jv owner)
{
	struct xb_jv meta = xb_jv_get(template, "metadata");
	struct xb_sv name = xb_jv_text(xb_jv_path(owner, "metadata", "name"));
	_cleanup_buf_ struct xb_buf prefix = {};

	xb_buf_addf(&prefix, "%.*s%s", XB_SV_ARG(name), name.n < NAME_MAX_LEN ? "-" : "");
	if (prefix.err)
		w->err = prefix.err;
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "generateName", xb_buf_sv(&prefix));
	copy(w, meta, "labels");
	copy(w, meta, "annotations");
	copy(w, meta, "finalizers");
	xb_jw_key(w, "ownerReferences");
	xb_jw_array(w);
	xb_owner_write(w, kind, owner);
	xb_jw_end(w);
	xb_jw_end(w);
}

void pod_template_write(struct xb_jv template, const struct xb_kind *kind, struct xb_jv owner, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Pod");
	xb_jw_kstr(&w, "apiVersion", "v1");
	write_metadata(&w, template, kind, owner);
	copy(&w, template, "spec");
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
