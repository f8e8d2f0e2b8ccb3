/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "beneath.h"
#include "mounts.h"
#include "plan.h"
#include "xb/quantity.h"
#include "xb/why.h"

#define MODE  0777
#define GROUP (S_ISGID | 0070)  /* what its group gets besides, when it has one */

int emptydir_plan(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why)
{
	struct xb_sv medium = xb_jv_text(xb_jv_get(source, "medium"));

	p->make = emptydir_make;
	p->in_memory = xb_sv_is(medium, "Memory");
	if (p->in_memory)
		p->size = volume_memory(in->facts, in->pod, xb_jv_get(source, "sizeLimit"));
	else if (medium.n)
		return xb_why(reterr_why, -EINVAL, "unknown storage medium \"%.*s\"", XB_SV_ARG(medium));
	return 0;
}

static mode_t mode_of(const struct volume_plan *p)
{
	return MODE | (p->has_group ? GROUP : 0);
}

static int make_in_memory(int folder, const struct volume_plan *p)
{
	_cleanup_close_ int dir = beneath_mkdirs(folder, p->name, MODE, false);

	if (dir < 0)
		return dir;
	return beneath_is_mount(dir) ? 0 : mounts_tmpfs(dir, p->size, mode_of(p), p->has_group ? p->group : 0);
}

/* It appears whole: what is there was made by us, and what became of its mode since is the pod's own doing. */
static int make_on_disk(int folder, const struct volume_plan *p)
{
	_cleanup_close_ int dir = beneath_open(folder, p->name, O_PATH | O_DIRECTORY, 0);
	char name[300];

	if (dir != -ENOENT)
		return MIN(dir, 0);
	snprintf(name, sizeof(name), "%s.tmp", p->name); /* no volume is called so: names have no dots */
	dir = beneath_mkdirs(folder, name, MODE, false);
	if (dir < 0)
		return dir;
	if ((p->has_group && fchown(dir, -1, p->group) < 0) || fchmod(dir, mode_of(p)) < 0 || renameat(folder, name, folder, p->name) < 0)
		return -errno;
	return 0;
}

int emptydir_make(int pod, const struct volume_plan *p, char **reterr_why)
{
	_cleanup_close_ int folder = volume_folder(pod, p);
	int r = folder < 0 ? folder : p->in_memory ? make_in_memory(folder, p) : make_on_disk(folder, p);

	errno = -r;
	return r ? xb_why(reterr_why, r, "cannot make the folder of the emptyDir: %m") : 0;
}

/* --- how large a tmpfs may be --- */

/* Memory limits of a list of containers: all of them together and the largest; false: one has none. */
static bool add_limits(struct xb_jv containers, uint64_t *sum, uint64_t *most)
{
	for (struct xb_jit it = xb_jv_iter(containers); xb_jit_next(&it);) {
		struct xb_jv limit = xb_jv_path(it.value, "resources", "limits", "memory");
		struct xb_quantity q;
		int64_t n;

		if (xb_quantity_parse(xb_jv_text(limit), &q) || (n = xb_quantity_value(&q)) <= 0)
			return false;
		*sum += n;
		*most = MAX(*most, (uint64_t)n);
	}
	return true;
}

uint64_t volume_memory(const struct facts *f, struct xb_jv pod, struct xb_jv size_limit)
{
	struct xb_jv spec = xb_jv_get(pod, "spec");
	uint64_t size = f->allocatable_memory_bytes ? f->allocatable_memory_bytes : UINT64_MAX, sum = 0, most = 0, init = 0;
	struct xb_quantity q;

	if (add_limits(xb_jv_get(spec, "containers"), &sum, &most) && add_limits(xb_jv_get(spec, "initContainers"), &init, &most))
		size = MIN(size, MAX(sum, most));
	if (!xb_quantity_parse(xb_jv_text(size_limit), &q) && xb_quantity_value(&q) > 0)
		size = MIN(size, (uint64_t)xb_quantity_value(&q));
	return size == UINT64_MAX ? 0 : size;
}
