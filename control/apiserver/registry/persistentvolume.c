/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "amounts.h"
#include "edit.h"
#include "table.h"
#include "volume_access.h"

/* The sources, in the order in which upstream looks at them. */
static const char *const sources[] = {
	"hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder",
	"fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local",
	"storageos", "csi",
};

static void prepare_create(struct write *w, struct xb_tree *object)
{
	edit_json(w, object, "status", "{\"phase\":\"Pending\"}");
	edit_str(w, xb_tree_get(object, "status"), "lastPhaseTransitionTime", w->now);
}

static void prepare_status(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	struct xb_tree *status = xb_tree_get(object, "status");

	if (!edit_same(status, xb_tree_get(old, "status"), "phase") &&
	    edit_same(status, xb_tree_get(old, "status"), "lastPhaseTransitionTime"))
		edit_str(w, status, "lastPhaseTransitionTime", w->now);
}

static void validate_required(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source, const char *key)
{
	if (!xb_tree_gettext(source, key).n)
		xb_err_required(e, XB_PATH(at, key), "");
}

static void validate_path(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv path)
{
	struct xb_sv rest = path, part;

	while (xb_sv_split(&rest, '/', &part))
		if (xb_sv_is(part, "..")) {
			xb_err_invalid_sv(e, at, path, "must not contain '..'");
			return;
		}
}

static void validate_source(struct xb_field_errors *e, const struct xb_path *at, const char *type, const struct xb_tree *source)
{
	static const struct {
		const char *type, *required[2];
	} rules[] = {
		{ "hostPath", { "path" } }, { "local", { "path" } }, { "nfs", { "server", "path" } }, { "csi", { "driver", "volumeHandle" } },
		{ "gcePersistentDisk", { "pdName" } }, { "awsElasticBlockStore", { "volumeID" } }, { "rbd", { "image" } },
		{ "glusterfs", { "endpoints", "path" } }, { "iscsi", { "targetPortal", "iqn" } }, { "cinder", { "volumeID" } },
		{ "flexVolume", { "driver" } }, { "azureFile", { "secretName", "shareName" } }, { "vsphereVolume", { "volumePath" } },
		{ "photonPersistentDisk", { "pdID" } }, { "portworxVolume", { "volumeID" } }, { "azureDisk", { "diskName", "diskURI" } },
		{ "quobyte", { "registry", "volume" } },
	};
	struct xb_sv path = xb_tree_gettext(source, "path");

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		for (size_t k = 0; k < 2 && rules[i].required[k] && !strcmp(rules[i].type, type); k++)
			validate_required(e, at, source, rules[i].required[k]);
	if (!strcmp(type, "hostPath") || !strcmp(type, "local"))
		validate_path(e, XB_PATH(at, "path"), path);
	if (!strcmp(type, "nfs") && path.n && path.p[0] != '/')
		xb_err_invalid_sv(e, XB_PATH(at, "path"), path, "must be an absolute path");
}

static void validate_sources(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		const struct xb_tree *source = xb_tree_get(spec, sources[i]);

		if (source && n++)
			xb_err_forbidden(e, XB_PATH(at, sources[i]), "may not specify more than 1 volume type");
		else if (source)
			validate_source(e, XB_PATH(at, sources[i]), sources[i], source);
	}
	if (!n)
		xb_err_required(e, at, "must specify a volume type");
}

static void validate_capacity(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *capacity)
{
	static const char *const known[] = { "storage", NULL };

	if (edit_is_empty(capacity))
		xb_err_required(e, at, "");
	xb_tree_each(amount, capacity)
		if (!xb_sv_is(amount->key, "storage"))
			xb_err_unsupported(e, at, amount->key, known);
		else
			amount_validate_positive(e, XB_PATH_KEY(at, amount->key), amount);
}

static void validate(struct write *w, const struct xb_tree *object, struct xb_field_errors *e)
{
	static const char *const policies[] = { "Delete", "Recycle", "Retain", NULL };
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *affinity = xb_tree_get(spec, "nodeAffinity");
	const struct xb_path *at = XB_PATH(NULL, "spec");
	struct xb_sv class = xb_tree_gettext(spec, "storageClassName"), policy = xb_tree_gettext(spec, "persistentVolumeReclaimPolicy");

	volume_validate_access(e, at, spec, "");
	validate_capacity(e, XB_PATH(at, "capacity"), xb_tree_get(spec, "capacity"));
	xb_validate_one_of(e, XB_PATH(at, "persistentVolumeReclaimPolicy"), policy, policies);
	if (affinity && !xb_tree_get(affinity, "required"))
		xb_err_required(e, XB_PATH(XB_PATH(at, "nodeAffinity"), "required"), "must specify required node constraints");
	validate_sources(e, at, spec);
	if (xb_tree_get(spec, "local") && !affinity)
		xb_err_required(e, XB_PATH(NULL, "metadata.annotations"), "Local volume requires node affinity");
	if (xb_tree_is(xb_tree_path(spec, "hostPath", "path"), "/") && xb_sv_is(policy, "Recycle"))
		xb_err_forbidden(e, XB_PATH(at, "persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'");
	if (class.n)
		xb_validate(e, XB_PATH(at, "storageClassName"), class, xb_check_dns1123_subdomain);
}

static void validate_update(struct write *w, const struct xb_tree *object, const struct xb_tree *old_object, struct xb_field_errors *e)
{
	const struct xb_tree *spec = xb_tree_get(object, "spec"), *old = xb_tree_get(old_object, "spec");
	const struct xb_path *at = XB_PATH(NULL, "spec");
	bool same = true;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		same &= edit_same(spec, old, sources[i]);
	if (!same)
		xb_err_forbidden(e, XB_PATH(at, "persistentvolumesource"), "spec.persistentvolumesource is immutable after creation");
	xb_validate_immutable(e, XB_PATH(at, "volumeMode"), xb_tree_get(spec, "volumeMode"), xb_tree_get(old, "volumeMode"));
	if (xb_tree_get(old, "nodeAffinity"))
		xb_validate_immutable(e, XB_PATH(at, "nodeAffinity"), xb_tree_get(spec, "nodeAffinity"), xb_tree_get(old, "nodeAffinity"));
}

static const struct column columns[] = {
	COLUMN_NAME,
	{ "Capacity", "string", "", "capacity is the description of the persistent volume's resources and capacity. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#capacity", 0 },
	{ "Access Modes", "string", "", "accessModes contains all ways the volume can be mounted. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes", 0 },
	{ "Reclaim Policy", "string", "", "persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim. Valid options are Retain (default for manually created PersistentVolumes), Delete (default for dynamically provisioned PersistentVolumes), and Recycle (deprecated). Recycle must be supported by the volume plugin underlying this PersistentVolume. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#reclaiming", 0 },
	{ "Status", "string", "", "phase indicates if a volume is available, bound to a claim, or released by a claim. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#phase", 0 },
	{ "Claim", "string", "", "claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding", 0 },
	{ "StorageClass", "string", "", "StorageClass of the pv", 0 },
	{ "Reason", "string", "", "reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy display in the CLI.", 0 },
	COLUMN_AGE,
	{ "VolumeMode", "string", "", "volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state. Value of Filesystem is implied when not included in spec.", 1 },
};

static void cell_claim(struct table_row *r, struct xb_jv claim)
{
	_cleanup_buf_ struct xb_buf b = {};

	cell_open(&b);
	if (xb_jv_is(claim)) {
		xb_buf_addsv(&b, xb_jv_text(xb_jv_get(claim, "namespace")));
		xb_buf_addc(&b, '/');
		xb_buf_addsv(&b, xb_jv_text(xb_jv_get(claim, "name")));
	}
	cell_close(r, &b, "");
}

static void row(struct table_row *r, struct xb_jv object)
{
	struct xb_jv spec = xb_jv_get(object, "spec");

	cell_name(r, object);
	cell_text(r, xb_jv_path(spec, "capacity", "storage"), "");
	cell_access_modes(r, xb_jv_get(spec, "accessModes"));
	cell_text(r, xb_jv_get(spec, "persistentVolumeReclaimPolicy"), "");
	cell_phase(r, object);
	cell_claim(r, xb_jv_get(spec, "claimRef"));
	cell_text(r, xb_jv_get(spec, "storageClassName"), "");
	cell_text(r, xb_jv_path(object, "status", "reason"), "");
	cell_age(r, object);
	cell_text(r, xb_jv_get(spec, "volumeMode"), "<unset>");
}

const struct strategy persistent_volume_strategy = {
	.group = "", .kind = "PersistentVolume",
	.name = xb_check_dns1123_subdomain,
	.prepare_create = prepare_create,
	.prepare_status = prepare_status,
	.validate = validate,
	.validate_update = validate_update,
	.unconditional_update = true,
	.returns_deleted = true,
	COLUMNS(columns),
	.row = row,
};
