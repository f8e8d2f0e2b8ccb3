/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "claim.h"
#include "xb/map.h"
#include "xb/time.h"
#include "xb/volumes.h"
#include "xb/why.h"

struct claim {
	struct claims *all;
	char *key;                      /* uid "/" volume */
	char *uid, *volume, *namespace_, *name;
	struct xb_json *pod;            /* while it is asked for: whose ephemeral volume it is to be */
	bool ephemeral, known;
	char *claim_uid, *pv;
	char *path, *type;
	bool local, read_only;
	char *failed;                   /* why */
	struct xb_rest_call *call;
};

struct claims {
	struct claims_config c;
	struct xb_map *claims;          /* key -> struct claim */
};

static void claim_free(struct claim *c)
{
	xb_rest_cancel(c->call);
	xb_json_unref(c->pod);
	free(c->claim_uid);
	free(c->pv);
	free(c->path);
	free(c->type);
	free(c->failed);
	free(c->name);
	free(c->namespace_);
	free(c->volume);
	free(c->uid);
	free(c->key);
	free(c);
}

/* --- the ends of asking --- */

static void finish(struct claim *c)
{
	c->pod = xb_json_unref(c->pod);
	c->all->c.arrived(c->all->c.arg, c->uid);
}

static _printf_(2, 3) void fail(struct claim *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&c->failed, fmt, ap) < 0)
		c->failed = NULL;
	va_end(ap);
	finish(c);
}

/* As upstream's populator of wanted volumes, which the wait for mounts then tells. */
static _printf_(2, 3) void fail_claim(struct claim *c, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf text = {};
	va_list ap;

	va_start(ap, fmt);
	xb_buf_addv(&text, fmt, ap);
	va_end(ap);
	fail(c, "Unable to attach or mount volumes: unmounted volumes=[%s], unattached volumes=[], failed to process volumes=[%s]: "
	     "error processing PVC %s/%s: %s", c->volume, c->volume, c->namespace_, c->name, text.p ? text.p : "out of memory");
}

static int ask(struct claim *c, const char *path, xb_rest_done done)
{
	struct xb_rest_request q = { .method = "GET", .path = path };

	return path ? xb_rest_send(c->all->c.rest, &q, done, c, &c->call) : -ENOMEM;
}

/* --- the PersistentVolume --- */

static int take_source(struct claim *c, struct xb_jv spec)
{
	struct xb_jv host = xb_jv_get(spec, "hostPath"), local = xb_jv_get(spec, "local");
	struct xb_jv type = xb_jv_get(host, "type");

	c->local = xb_jv_is(local);
	if (!c->local && !xb_jv_is(host))
		return -ENOTSUP;
	c->path = xb_jv_dup(xb_jv_get(c->local ? local : host, "path"));
	c->type = xb_jv_text(type).n ? xb_jv_dup(type) : NULL;
	return c->path && (c->type || !xb_jv_text(type).n) ? 0 : -ENOMEM;
}

/* Its source is the member of spec that no other volume has as well. */
static struct xb_sv kind_of_source(struct xb_jv spec)
{
	static const char *const others[] = { "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName",
					      "mountOptions", "volumeMode", "nodeAffinity", "volumeAttributesClassName" };
	unsigned i;

	for (struct xb_jit it = xb_jv_iter(spec); xb_jit_next(&it);) {
		for (i = 0; i < ARRAY_SIZE(others) && !xb_sv_is(it.key, others[i]); i++)
			;
		if (i == ARRAY_SIZE(others))
			return it.key;
	}
	return XB_SV("");
}

static void take_volume(struct claim *c, struct xb_jv spec)
{
	const struct claims *all = c->all;
	struct xb_jv reference = xb_jv_get(spec, "claimRef"), node = all->c.node ? all->c.node(all->c.node_arg) : (struct xb_jv){};
	struct xb_sv source = kind_of_source(spec);
	int r;

	if (!xb_jv_is(reference)) {
		fail_claim(c, "found PV object %s but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim", c->pv);
		return;
	}
	if (!xb_jv_streq(xb_jv_get(reference, "uid"), xb_sv(c->claim_uid))) {
		fail_claim(c, "found PV object %s but its pv.Spec.ClaimRef.UID %.*s does not point to claim.UID %s", c->pv,
			   XB_SV_ARG(xb_jv_text(xb_jv_get(reference, "uid"))), c->claim_uid);
		return;
	}
	if (xb_jv_streq(xb_jv_get(spec, "volumeMode"), XB_SV("Block"))) {
		fail_claim(c, "volume %s has volumeMode Block, but is specified in volumeMounts", c->volume);
		return;
	}
	if (!claim_node_matches(xb_jv_path(spec, "nodeAffinity", "required"), node)) {
		fail(c, "MountVolume.NodeAffinity check failed for volume \"%s\" : no matching NodeSelectorTerms", c->pv);
		return;
	}
	r = take_source(c, spec);
	if (r == -ENOTSUP) {
		fail(c, "Unable to attach or mount volumes: unmounted volumes=[%s], unattached volumes=[], failed to process volumes=[%s]: "
		     "failed to get Plugin from volumeSpec for volume \"%s\" err=no volume plugin matched name: %.*s", c->volume, c->volume,
		     c->pv, XB_SV_ARG(source));
		return;
	}
	if (r) {
		fail_claim(c, "out of memory");
		return;
	}
	c->known = true;
	finish(c);
}

static void on_volume(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct claim *c = arg;

	c->call = NULL;
	if (code < 200 || code > 299)
		fail_claim(c, "failed to fetch PV %s from API server: %s", c->pv, status->message ? status->message : "out of memory");
	else if (xb_json_parse(body, NULL, &doc, NULL))
		fail_claim(c, "failed to fetch PV %s from API server: its answer is not JSON", c->pv);
	else
		take_volume(c, xb_jv_get(xb_json_root(doc), "spec"));
}

/* --- the claim --- */

static void take_claim(struct claim *c, struct xb_jv claim)
{
	_cleanup_buf_ struct xb_buf path = {};
	struct xb_jv meta = xb_jv_get(claim, "metadata"), name = xb_jv_path(claim, "spec", "volumeName"), pod = xb_json_root(c->pod);
	struct xb_jv pod_meta = xb_jv_get(pod, "metadata");

	if (c->ephemeral && !xb_claim_is_of_pod(claim, pod)) {
		fail_claim(c, "PVC %s/%s was not created for pod %s/%.*s (pod is not owner)", c->namespace_, c->name, c->namespace_,
			   XB_SV_ARG(xb_jv_text(xb_jv_get(pod_meta, "name"))));
		return;
	}
	if (xb_jv_text(xb_jv_get(meta, "deletionTimestamp")).n) {
		fail_claim(c, "PVC is being deleted");
		return;
	}
	if (!xb_jv_streq(xb_jv_path(claim, "status", "phase"), XB_SV("Bound"))) {
		fail_claim(c, "PVC is not bound");
		return;
	}
	if (!xb_jv_text(name).n) {
		fail_claim(c, "PVC has empty pvc.Spec.VolumeName");
		return;
	}
	free(c->pv);
	free(c->claim_uid);
	c->pv = xb_jv_dup(name);
	c->claim_uid = xb_jv_dup(xb_jv_get(meta, "uid"));
	xb_buf_addf(&path, "/api/v1/persistentvolumes/%s", c->pv ? c->pv : "");
	if (!c->pv || !c->claim_uid || path.err || ask(c, path.p, on_volume))
		fail_claim(c, "out of memory");
}

static void on_claim(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct claim *c = arg;

	c->call = NULL;
	if (code < 200 || code > 299)
		fail_claim(c, "failed to fetch PVC from API server: %s", status->message ? status->message : "out of memory");
	else if (xb_json_parse(body, NULL, &doc, NULL))
		fail_claim(c, "failed to fetch PVC from API server: its answer is not JSON");
	else
		take_claim(c, xb_json_root(doc));
}

/* --- getting --- */

static void write_key(const char *uid, struct xb_sv volume, struct xb_buf *out)
{
	xb_buf_adds(out, uid);
	xb_buf_addc(out, '/');
	xb_buf_addsv(out, volume);
}

static int claim_new(struct claims *all, const char *uid, struct xb_jv pod, struct xb_jv volume, struct claim **ret)
{
	_cleanup_buf_ struct xb_buf key = {}, name = {};
	struct claim *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	write_key(uid, xb_jv_text(xb_jv_get(volume, "name")), &key);
	xb_pod_claim(pod, volume, &name, &c->ephemeral);
	c->all = all;
	c->key = xb_buf_steal(&key);
	c->name = xb_buf_steal(&name);
	c->uid = strdup(uid);
	c->volume = xb_jv_dup(xb_jv_get(volume, "name"));
	c->namespace_ = xb_jv_dup(xb_jv_path(pod, "metadata", "namespace"));
	c->read_only = xb_jv_true(xb_jv_path(volume, "persistentVolumeClaim", "readOnly"));
	if (!c->key || !c->name || !c->uid || !c->volume || !c->namespace_ || xb_map_set(all->claims, xb_sv(c->key), c, NULL)) {
		claim_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

static int begin(struct claim *c, struct xb_jv pod)
{
	_cleanup_buf_ struct xb_buf path = {};
	int r;

	xb_buf_addf(&path, "/api/v1/namespaces/%s/persistentvolumeclaims/%s", c->namespace_, c->name);
	r = path.err ? path.err : xb_json_parse(xb_jv_bytes(pod), NULL, &c->pod, NULL);
	if (!r)
		r = ask(c, path.p, on_claim);
	if (r)
		c->pod = xb_json_unref(c->pod);
	return r;
}

static void show(const struct claim *c, struct claim_volume *ret)
{
	*ret = (struct claim_volume){ .name = c->pv, .path = c->path, .type = c->type, .local = c->local, .read_only = c->read_only };
}

int claims_get(struct claims *all, struct xb_jv pod, struct xb_jv volume, bool fresh, struct claim_volume *ret, char **reterr_why)
{
	_cleanup_free_ char *uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid"));
	_cleanup_buf_ struct xb_buf key = {};
	struct claim *c;
	int r = 0;

	write_key(uid ? uid : "", xb_jv_text(xb_jv_get(volume, "name")), &key);
	if (!uid || key.err)
		return -ENOMEM;
	c = xb_map_get(all->claims, xb_buf_sv(&key));
	if (!c)
		r = claim_new(all, uid, pod, volume, &c);
	if (r)
		return r;
	if (c->known) {
		show(c, ret);
		return 0;
	}
	if (fresh)
		free(TAKE_PTR(c->failed));
	if (c->failed)
		return xb_why(reterr_why, -EPROTO, "%s", c->failed);
	if (!c->call)
		r = begin(c, pod);
	return r ? r : -EINPROGRESS;
}

int claims_find(const struct claims *all, const char *uid, struct xb_sv volume, struct claim_volume *ret)
{
	_cleanup_buf_ struct xb_buf key = {};
	const struct claim *c;

	write_key(uid, volume, &key);
	c = key.err ? NULL : xb_map_get(all->claims, xb_buf_sv(&key));
	if (!c || !c->known)
		return -ENOENT;
	show(c, ret);
	return 0;
}

void claims_forget(struct claims *all, const char *uid)
{
	for (struct xb_map_it it = {}; xb_map_next(all->claims, &it);) {
		struct claim *c = it.value;

		if (strcmp(c->uid, uid))
			continue;
		xb_map_del(all->claims, it.key);
		claim_free(c);
	}
}

struct claims *claims_free(struct claims *all)
{
	if (!all)
		return NULL;
	for (struct xb_map_it it = {}; all->claims && xb_map_next(all->claims, &it);)
		claim_free(it.value);
	xb_map_free(all->claims);
	free(all);
	return NULL;
}

int claims_new(const struct claims_config *c, struct claims **ret)
{
	struct claims *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->c = *c;
	all->claims = xb_map_new(XB_MAP_BORROW);
	if (!all->claims) {
		free(all);
		return -ENOMEM;
	}
	*ret = all;
	return 0;
}
