/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "names.h"

/* A slice's name holds those of all slices that it is in, between dashes; so in a part of it a dash is an underscore. */
static void add_slice(struct xb_buf *slice, struct xb_sv part, struct xb_buf *out)
{
	if (slice->n)
		xb_buf_addc(slice, '-');
	for (size_t i = 0; i < part.n; i++)
		xb_buf_addc(slice, part.p[i] == '-' ? '_' : part.p[i]);
	xb_buf_addf(out, "/%.*s.slice", XB_SV_ARG(xb_buf_sv(slice)));
}

static void add_path(const struct facts *f, struct xb_sv path, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf slice = {};
	struct xb_sv part;

	while (xb_sv_split(&path, '/', &part)) {
		if (part.n && f->systemd_cgroups)
			add_slice(&slice, part, out);
		else if (part.n)
			xb_buf_addf(out, "/%.*s", XB_SV_ARG(part));
	}
	if (slice.err)
		out->err = slice.err;
}

void name_root(const struct facts *f, struct xb_buf *out)
{
	add_path(f, xb_sv(f->cgroup_root), out);
}

static void plain_qos(const struct facts *f, enum spec_qos qos, struct xb_buf *out)
{
	static const char *const part[] = {
		[SPEC_QOS_GUARANTEED] = "", [SPEC_QOS_BURSTABLE] = "/burstable", [SPEC_QOS_BEST_EFFORT] = "/besteffort",
	};

	xb_buf_addf(out, "%s/kubepods%s", f->cgroup_root, part[qos]);
}

void name_qos(const struct facts *f, enum spec_qos qos, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf plain = {};

	plain_qos(f, qos, &plain);
	if (plain.err)
		out->err = plain.err;
	add_path(f, xb_buf_sv(&plain), out);
}

void name_pod(const struct facts *f, enum spec_qos qos, const char *uid, struct xb_buf *out)
{
	_cleanup_buf_ struct xb_buf plain = {};

	plain_qos(f, qos, &plain);
	xb_buf_addf(&plain, "/pod%s", uid);
	if (plain.err)
		out->err = plain.err;
	add_path(f, xb_buf_sv(&plain), out);
}

void name_container(const struct facts *f, const char *container_id, struct xb_buf *out)
{
	xb_buf_addf(out, f->systemd_cgroups ? "cri-containerd-%s.scope" : "%s", container_id);
}

bool name_to_uid(const struct facts *f, const char *name, struct xb_buf *out)
{
	struct xb_sv s = xb_sv(name);

	if (f->systemd_cgroups) {
		const char *dash = strrchr(name, '-');

		if (!dash || !xb_sv_ends(s, ".slice"))
			return false;
		s = (struct xb_sv){ dash + 1, (size_t)(name + s.n - strlen(".slice") - dash - 1) };
	}
	if (!xb_sv_starts(s, "pod") || s.n == strlen("pod"))
		return false;
	for (size_t i = strlen("pod"); i < s.n; i++)
		xb_buf_addc(out, f->systemd_cgroups && s.p[i] == '_' ? '-' : s.p[i]);
	return true;
}
