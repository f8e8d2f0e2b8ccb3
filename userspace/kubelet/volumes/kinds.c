/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "beneath.h"
#include "plan.h"
#include "xb/why.h"

#define FOLDER_MODE 0750

/* What a volume is, by its member. In upstream's order, for one that has several. */
static const struct kind {
	const char *member, *folder;
	int (*plan)(const struct plan_input *in, struct xb_jv source, struct volume_plan *p, char **reterr_why);
} kinds[] = {
	{ "hostPath", NULL, hostpath_plan },
	{ "emptyDir", VOLUME_EMPTY_DIR, emptydir_plan },
	{ "secret", "kubernetes.io~secret", secret_plan },
	{ "downwardAPI", "kubernetes.io~downward-api", downward_plan },
	{ "configMap", "kubernetes.io~configmap", config_map_plan },
	{ "projected", "kubernetes.io~projected", projected_plan },
};

static const struct kind *kind_of(struct xb_jv volume)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (xb_jv_type(xb_jv_get(volume, kinds[i].member)) == XB_JSON_OBJECT)
			return &kinds[i];
	return NULL;
}

static bool is_claim(struct xb_jv volume)
{
	return xb_jv_is(xb_jv_get(volume, "persistentVolumeClaim")) || xb_jv_is(xb_jv_get(volume, "ephemeral"));
}

void volume_plan_done(struct volume_plan *p)
{
	free(p->name);
	free(p->shown);
	free(p->path);
	free(p->type);
	volume_files_done(&p->files);
	*p = (struct volume_plan){};
}

bool volume_is_used(struct xb_jv pod, struct xb_jv volume)
{
	static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };
	struct xb_sv name = xb_jv_text(xb_jv_get(volume, "name"));

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", lists[i])); xb_jit_next(&it);)
			for (struct xb_jit m = xb_jv_iter(xb_jv_get(it.value, "volumeMounts")); xb_jit_next(&m);)
				if (xb_jv_streq(xb_jv_get(m.value, "name"), name))
					return true;
	return false;
}

static int plan_claim(const struct plan_input *in, struct xb_jv volume, struct volume_plan *p, bool *ret_whole, char **reterr_why)
{
	struct claim_volume c;
	int r;

	*ret_whole = true;
	if (!in->claims)
		return xb_why(reterr_why, -ENOTSUP, "Unable to attach or mount volumes: unmounted volumes=[%s], unattached volumes=[]: "
			      "there is no API server to ask for the claim", p->name);
	r = claims_get(in->claims, in->pod, volume, in->fresh, &c, reterr_why);
	if (r)
		return r;
	p->shown = strdup(c.name);
	p->path = strdup(c.path);
	p->type = c.type ? strdup(c.type) : NULL;
	p->make = c.local ? local_make : hostpath_make;
	if (c.local)
		p->step = "MountVolume.NewMounter initialization";
	return p->shown && p->path && (p->type || !c.type) ? 0 : -ENOMEM;
}

/* The first member that is not the name says which kind it would be. */
static int refuse(struct xb_jv volume, const char *name, bool *ret_whole, char **reterr_why)
{
	struct xb_sv kind = XB_SV("");

	for (struct xb_jit it = xb_jv_iter(volume); !kind.n && xb_jit_next(&it);)
		if (!xb_sv_is(it.key, "name"))
			kind = it.key;
	*ret_whole = true;
	return xb_why(reterr_why, -ENOTSUP, "Unable to attach or mount volumes: unmounted volumes=[%s], unattached volumes=[], failed to process "
		      "volumes=[%s]: failed to get Plugin from volumeSpec for volume \"%s\" err=no volume plugin matched name: %.*s",
		      name, name, name, XB_SV_ARG(kind));
}

int volume_plan(const struct plan_input *in, struct xb_jv volume, struct volume_plan *p, bool *ret_whole, char **reterr_why)
{
	const struct kind *k = kind_of(volume);
	struct xb_jv security = xb_jv_path(in->pod, "spec", "securityContext");
	int64_t group = -1;

	*ret_whole = false;
	p->name = xb_jv_dup(xb_jv_get(volume, "name"));
	if (!p->name)
		return -ENOMEM;
	p->has_group = !xb_jv_i64(xb_jv_get(security, "fsGroup"), &group) && group >= 0;
	p->group = (gid_t)group;
	p->on_root_mismatch = xb_jv_streq(xb_jv_get(security, "fsGroupChangePolicy"), XB_SV("OnRootMismatch"));
	if (k) {
		p->folder = k->folder;
		return k->plan(in, xb_jv_get(volume, k->member), p, reterr_why);
	}
	return is_claim(volume) ? plan_claim(in, volume, p, ret_whole, reterr_why) : refuse(volume, p->name, ret_whole, reterr_why);
}

int volume_path(const char *pod_folder, const struct claims *claims, const char *uid, struct xb_jv volume, struct xb_buf *out,
		bool *ret_read_only)
{
	const struct kind *k = kind_of(volume);
	struct xb_sv name = xb_jv_text(xb_jv_get(volume, "name"));
	struct claim_volume c;

	*ret_read_only = k && k->folder && strcmp(k->folder, VOLUME_EMPTY_DIR);
	if (k && k->folder) {
		xb_buf_addf(out, "%s/volumes/%s/%.*s", pod_folder, k->folder, XB_SV_ARG(name));
	} else if (k) {
		xb_json_unescape(xb_jv_text(xb_jv_path(volume, k->member, "path")), out);
	} else if (!claims || claims_find(claims, uid, name, &c)) {
		return -ENOENT;
	} else {
		xb_buf_adds(out, c.path);
		*ret_read_only = c.read_only;
	}
	return out->err;
}

int volume_folder(int pod, const struct volume_plan *p)
{
	char path[64];

	snprintf(path, sizeof(path), "volumes/%s", p->folder);
	return beneath_mkdirs(pod, path, FOLDER_MODE, false);
}
