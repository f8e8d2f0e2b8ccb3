/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Validation of a pod's volumes, and of the references into objects that volumes and environments share. */
#include "edit.h"
#include "pod.h"

enum { MAX_MODE = 0777, MIN_TOKEN_SECONDS = 600 };

void pod_validate_relative_path(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv path)
{
	struct xb_sv rest = path, part;

	if (path.n && path.p[0] == '/')
		xb_err_invalid_sv(e, at, path, "must be a relative path");
	while (xb_sv_split(&rest, '/', &part))
		if (xb_sv_is(part, "..")) {
			xb_err_invalid_sv(e, at, path, "must not contain '..'");
			return;
		}
}

/* --- references to fields (downward API) */

static const char *const field_labels[] = {
	"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
	"spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase", "status.hostIP", "status.hostIPs",
	"status.podIP", "status.podIPs", NULL
};

static bool is_in(const char *const *list, struct xb_sv s)
{
	while (*list && !xb_sv_is(s, *list))
		list++;
	return *list;
}

static void validate_subscript(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv path, struct xb_sv key)
{
	if (xb_sv_is(path, "metadata.annotations") || xb_sv_is(path, "metadata.labels"))
		xb_validate(e, at, key, xb_check_qualified_name);
	else
		xb_err_invalid_sv(e, at, path, "does not support subscript");
}

void pod_validate_field_ref(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ref,
			    const char *const *supported)
{
	struct xb_sv whole = xb_tree_gettext(ref, "fieldPath"), rest = whole, path = {};
	const struct xb_path *here = XB_PATH(at, "fieldPath");
	bool subscripted = whole.n && whole.p[whole.n - 1] == ']' && memmem(whole.p, whole.n, "['", 2);

	if (!xb_tree_gettext(ref, "apiVersion").n) {
		xb_err_required(e, XB_PATH(at, "apiVersion"), "");
		return;
	}
	if (!whole.n) {
		xb_err_required(e, here, "");
		return;
	}
	(void)xb_sv_split(&rest, '[', &path);
	if (!is_in(field_labels, subscripted ? path : whole)) {
		xb_err_invalid_sv(e, here, whole, "error converting fieldPath: field label not supported: %.*s",
				  XB_SV_ARG(whole));
		return;
	}
	if (subscripted && rest.n >= 3)
		validate_subscript(e, at, path, (struct xb_sv){ rest.p + 1, rest.n - 3 });
	else if (!is_in(supported, whole))
		xb_err_unsupported(e, here, whole, supported);
}

static bool is_one_of(struct xb_sv s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (xb_sv_is(s, list[i]))
			return true;
	return false;
}

static void validate_divisor(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv resource, struct xb_sv divisor)
{
	static const char *const cpu[] = { "0", "1", "1m" };
	static const char *const bytes[] = { "0", "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei" };

	if (xb_sv_ends(resource, ".cpu")) {
		if (!is_one_of(divisor, cpu, ARRAY_SIZE(cpu)))
			xb_err_invalid_sv(e, XB_PATH(at, "divisor"), resource,
					  "only divisor's values 1m and 1 are supported with the cpu resource");
	} else if (!is_one_of(divisor, bytes, ARRAY_SIZE(bytes))) {
		xb_err_invalid_sv(e, XB_PATH(at, "divisor"), resource,
				  "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the %.*s resource",
				  XB_SV_ARG(resource));
	}
}

void pod_validate_resource_ref(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *ref, bool in_volume)
{
	static const char *const supported[] = {
		"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory", NULL
	};
	struct xb_sv resource = xb_tree_gettext(ref, "resource");

	if (in_volume && !xb_tree_gettext(ref, "containerName").n)
		xb_err_required(e, XB_PATH(at, "containerName"), "");
	else if (!resource.n)
		xb_err_required(e, XB_PATH(at, "resource"), "");
	else if (!is_in(supported, resource) && !xb_sv_starts(resource,
		 "limits.hugepages-") && !xb_sv_starts(resource, "requests.hugepages-"))
		xb_err_unsupported(e, XB_PATH(at, "resource"), resource, supported);
	validate_divisor(e, at, resource, xb_tree_gettext(ref, "divisor"));
}

/* --- files */

static void validate_mode(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *holder, const char *key)
{
	int64_t mode = xb_tree_geti64(holder, key, 0);

	if (mode < 0 || mode > MAX_MODE)
		xb_err_invalid(e, XB_PATH(at, key), xb_tree_get(holder, key),
			       "must be a number between 0 and 0777 (octal), both inclusive");
}

static void validate_file_path(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv path)
{
	if (!path.n) {
		xb_err_required(e, at, "");
		return;
	}
	pod_validate_relative_path(e, at, path);
	if (xb_sv_starts(path, "..") && !xb_sv_starts(path, "../"))
		xb_err_invalid_sv(e, at, path, "must not start with '..'");
}

static void validate_items(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *items)
{
	long i = 0;

	xb_tree_each(item, items) {
		const struct xb_path *here = XB_PATH_AT(at, i++);

		if (!xb_tree_gettext(item, "key").n)
			xb_err_required(e, XB_PATH(here, "key"), "");
		validate_file_path(e, XB_PATH(here, "path"), xb_tree_gettext(item, "path"));
		validate_mode(e, here, item, "mode");
	}
}

static void validate_downward_files(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *items)
{
	static const char *const fields[] = { "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", NULL };
	long i = 0;

	xb_tree_each(item, items) {
		const struct xb_tree *field = xb_tree_get(item, "fieldRef"), *resource = xb_tree_get(item, "resourceFieldRef");
		const struct xb_path *here = XB_PATH_AT(at, i++);

		validate_file_path(e, XB_PATH(here, "path"), xb_tree_gettext(item, "path"));
		if (field)
			pod_validate_field_ref(e, XB_PATH(here, "fieldRef"), field, fields);
		if (field && resource)
			xb_err_invalid_sv(e, here, XB_SV("resource"),
					  "fieldRef and resourceFieldRef can not be specified simultaneously");
		else if (resource)
			pod_validate_resource_ref(e, XB_PATH(here, "resourceFieldRef"), resource, true);
		else if (!field)
			xb_err_required(e, here, "one of fieldRef and resourceFieldRef is required");
		validate_mode(e, here, item, "mode");
	}
}

/* --- sources */

static void validate_empty_dir(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	struct xb_quantity limit;

	if (!xb_quantity_parse(xb_tree_gettext(source, "sizeLimit"), &limit) && limit.nano < 0)
		xb_err_forbidden(e, XB_PATH(at, "sizeLimit"), "SizeLimit field must be a valid resource quantity");
}

static void validate_host_path(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	static const char *const types[] = {
		"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket", NULL
	};
	struct xb_sv rest = xb_tree_gettext(source, "path"), path = rest, part, type = xb_tree_gettext(source, "type");

	while (xb_sv_split(&rest, '/', &part))
		if (xb_sv_is(part, "..")) {
			xb_err_invalid_sv(e, XB_PATH(at, "path"), path, "must not contain '..'");
			break;
		}
	if (!is_in(types, type))
		xb_err_unsupported(e, XB_PATH(at, "type"), type, types);
}

static void validate_keys(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	validate_mode(e, at, source, "defaultMode");
	validate_items(e, XB_PATH(at, "items"), xb_tree_get(source, "items"));
}

static void validate_downward(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	validate_mode(e, at, source, "defaultMode");
	validate_downward_files(e, at, xb_tree_get(source, "items"));
}

static void validate_nfs(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	struct xb_sv path = xb_tree_gettext(source, "path");

	if (path.n && path.p[0] != '/')
		xb_err_invalid_sv(e, XB_PATH(at, "path"), path, "must be an absolute path");
}

static void validate_ephemeral(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	if (!xb_tree_get(source, "volumeClaimTemplate"))
		xb_err_required(e, XB_PATH(at, "volumeClaimTemplate"), "");
}

static void validate_token(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *token)
{
	const struct xb_tree *seconds = xb_tree_get(token, "expirationSeconds");
	int64_t n = xb_tree_geti64(token, "expirationSeconds", MIN_TOKEN_SECONDS);

	if (n < MIN_TOKEN_SECONDS)
		xb_err_invalid(e, XB_PATH(at, "expirationSeconds"), seconds, "may not specify a duration less than 10 minutes");
	if (n > INT64_C(1) << 32)
		xb_err_invalid(e, XB_PATH(at, "expirationSeconds"), seconds,
			       "may not specify a duration larger than 2^32 seconds");
	validate_file_path(e, XB_PATH(at, "path"), xb_tree_gettext(token, "path"));
}

static void validate_projection(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	static const char *const named[] = { "secret", "configMap" };
	const struct xb_tree *downward = xb_tree_get(source, "downwardAPI"), *token = xb_tree_get(source,
						     "serviceAccountToken");

	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		const struct xb_tree *n = xb_tree_get(source, named[i]);
		const struct xb_path *here = XB_PATH(at, named[i]);

		if (n && !xb_tree_gettext(n, "name").n)
			xb_err_required(e, XB_PATH(here, "name"), "");
		validate_items(e, XB_PATH(here, "items"), xb_tree_get(n, "items"));
	}
	if (downward)
		validate_downward_files(e, XB_PATH(at, "downwardAPI"), xb_tree_get(downward, "items"));
	if (token)
		validate_token(e, XB_PATH(at, "serviceAccountToken"), token);
	if (source->count > 1)
		xb_err_forbidden(e, at, "may not specify more than 1 volume type");
}

static void validate_projected(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source)
{
	long i = 0;

	validate_mode(e, at, source, "defaultMode");
	xb_tree_each(projection, xb_tree_get(source, "sources"))
		validate_projection(e, XB_PATH_AT(XB_PATH(at, "sources"), i++), projection);
}

/* In the order in which upstream looks: the first found is the volume's source, more are too many. */
static const struct {
	const char *name;
	const char *required[3];           /* members that may not be empty */
	void (*validate)(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *source);
} sources[] = {
	{ "emptyDir", {}, validate_empty_dir },
	{ "hostPath", { "path" }, validate_host_path },
	{ "gitRepo", { "repository" }, NULL },
	{ "gcePersistentDisk", { "pdName" }, NULL },
	{ "awsElasticBlockStore", { "volumeID" }, NULL },
	{ "secret", { "secretName" }, validate_keys },
	{ "nfs", { "server", "path" }, validate_nfs },
	{ "iscsi", { "targetPortal", "iqn" }, NULL },
	{ "glusterfs", { "endpoints", "path" }, NULL },
	{ "flocker", {}, NULL },
	{ "persistentVolumeClaim", { "claimName" }, NULL },
	{ "rbd", { "image" }, NULL },
	{ "cinder", { "volumeID" }, NULL },
	{ "cephfs", {}, NULL },
	{ "downwardAPI", {}, validate_downward },
	{ "fc", {}, NULL },
	{ "configMap", { "name" }, validate_keys },
	{ "azureFile", { "secretName", "shareName" }, NULL },
	{ "vsphereVolume", { "volumePath" }, NULL },
	{ "photonPersistentDisk", { "pdID" }, NULL },
	{ "portworxVolume", { "volumeID" }, NULL },
	{ "azureDisk", { "diskName", "diskURI" }, NULL },
	{ "storageos", { "volumeName" }, NULL },
	{ "projected", {}, validate_projected },
	{ "scaleIO", { "gateway", "system", "volumeName" }, NULL },
	{ "csi", { "driver" }, NULL },
	{ "ephemeral", {}, validate_ephemeral },
	{ "image", { "reference" }, NULL },
};

static void validate_source(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *volume)
{
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		const struct xb_tree *source = xb_tree_get(volume, sources[i].name);
		const struct xb_path *here = XB_PATH(at, sources[i].name);

		if (!source)
			continue;
		if (found) {
			xb_err_forbidden(e, here, "may not specify more than 1 volume type");
			continue;
		}
		found = true;
		for (size_t n = 0; n < ARRAY_SIZE(sources[i].required) && sources[i].required[n]; n++)
			if (!xb_tree_gettext(source, sources[i].required[n]).n)
				xb_err_required(e, XB_PATH(here, sources[i].required[n]), "");
		if (sources[i].validate)
			sources[i].validate(e, here, source);
	}
	if (!found)
		xb_err_required(e, at, "must specify a volume type");
}

void pod_validate_volumes(struct pod_check *c, const struct xb_path *at)
{
	long i = 0;

	c->volumes = xb_tree_object(c->e->arena);
	if (!c->volumes) {
		c->e->no_memory = true;
		return;
	}
	xb_tree_each(volume, xb_tree_get(c->spec, "volumes")) {
		const struct xb_path *here = XB_PATH_AT(at, i++), *name_path = XB_PATH(here, "name");
		struct xb_sv name = xb_tree_gettext(volume, "name");
		unsigned before = c->e->n;

		validate_source(c->e, here, volume);
		if (name.n)
			xb_validate(c->e, name_path, name, xb_check_dns1123_label);
		else
			xb_err_required(c->e, name_path, "");
		if (xb_tree_getsv(c->volumes, name))
			xb_err_duplicate(c->e, name_path, name);
		if (c->e->n == before)
			edit_entry(c->w, c->volumes, name, name);
	}
}
