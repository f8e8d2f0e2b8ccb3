/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../spec/spec.h"
#include "projected.h"
#include "xb/why.h"

static int write_item(const struct source *s, struct xb_jv item, struct xb_buf *out, char **reterr_why)
{
	struct spec_input in = { .facts = s->in->facts, .objects = s->in->objects, .pod = s->in->pod, .pod_ips = s->in->pod_ips };
	struct xb_jv field = xb_jv_path(item, "fieldRef", "fieldPath"), resource = xb_jv_get(item, "resourceFieldRef");
	struct xb_jv container = xb_jv_get(resource, "containerName");
	enum spec_container_kind kind;

	if (xb_jv_is(field)) {
		_cleanup_free_ char *path = xb_jv_dup(field);

		return path ? spec_field(&in, xb_sv(path), out, reterr_why) : -ENOMEM;
	}
	in.container = spec_find(in.pod, xb_jv_text(container), &kind);
	if (!xb_jv_is(in.container))
		return xb_why(reterr_why, -ENOENT, "container %.*s not found", XB_SV_ARG(xb_jv_text(container)));
	return spec_resource(&in, resource, out, reterr_why);
}

int downward_add(const struct source *s, char **reterr_why)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(s->spec, "items")); !r && xb_jit_next(&it);) {
		struct xb_sv path = xb_jv_text(xb_jv_get(it.value, "path"));
		struct volume_file *f;
		int64_t mode = s->mode;

		r = atomic_check_path(path, reterr_why);
		if (r)
			return r;
		xb_jv_i64(xb_jv_get(it.value, "mode"), &mode);
		f = volume_files_add(s->files, path, (mode_t)mode & 07777);
		r = f ? write_item(s, it.value, &f->bytes, reterr_why) : -ENOMEM;
		if (!r)
			r = f->bytes.err;
	}
	return r;
}
