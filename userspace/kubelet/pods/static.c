/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <dirent.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include "static.h"
#include "xb/file.h"
#include "xb/kinds.h"
#include "xb/time.h"
#include "xb/tree.h"
#include "xb/validate.h"
#include "xb/vec.h"
#include "xb/why.h"
#include "xb/yaml.h"

#define MAX_FILE   (3UL << 20)
#define MAX_FILES  1000
#define UID_BYTES  16

/* --- one text --- */

/* The same file on the same node is the same pod, also for the next kubelet; any change makes another. */
static char *hash_of(struct xb_arena *a, struct xb_sv text, const char *path, const char *node_name)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	_cleanup_buf_ struct xb_buf all = {};
	char *uid = xb_arena_alloc(a, 2 * UID_BYTES + 1);

	xb_buf_addf(&all, "%s\n%s\n", node_name, path);
	xb_buf_addsv(&all, text);
	if (all.err || !uid || EVP_Digest(all.p, all.n, digest, NULL, EVP_sha256(), NULL) != 1)
		return NULL;
	for (size_t i = 0; i < UID_BYTES; i++)
		snprintf(uid + 2 * i, 3, "%02x", digest[i]);
	return uid;
}

static int read_text(struct xb_arena *a, struct xb_sv text, struct xb_tree **ret, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf json = {}, fault = {};
	_cleanup_(xb_yaml_freep) struct xb_yaml *yaml = NULL;
	int r = xb_yaml_new(text, NULL, &yaml);

	if (!r)
		r = xb_yaml_next(yaml, &json, &fault);
	if (r == -ENOMEM)
		return r;
	if (r <= 0)
		return xb_why(reterr_why, -EINVAL, "%s", fault.n ? fault.p : "it is empty");
	return xb_tree_read(a, xb_buf_sv(&json), NULL, ret);
}

static int check(const struct xb_tree *pod, char **reterr_why)
{
	struct xb_sv name = xb_tree_text(xb_tree_path(pod, "metadata", "name"));
	struct xb_sv namespace_ = xb_tree_text(xb_tree_path(pod, "metadata", "namespace"));
	const struct xb_tree *containers = xb_tree_path(pod, "spec", "containers");
	const char *faults[XB_CHECK_MAX];

	if (xb_check_dns1123_subdomain(name, faults))
		return xb_why(reterr_why, -EINVAL, "metadata.name: Invalid value: \"%.*s\": %s", XB_SV_ARG(name), faults[0]);
	if (namespace_.n && xb_check_dns1123_label(namespace_, faults))
		return xb_why(reterr_why, -EINVAL, "metadata.namespace: Invalid value: \"%.*s\": %s", XB_SV_ARG(namespace_), faults[0]);
	if (!containers || !containers->count)
		return xb_why(reterr_why, -EINVAL, "spec.containers: Required value");
	xb_tree_each(list, xb_tree_get(pod, "spec"))
		if (xb_sv_is(list->key, "containers") || xb_sv_is(list->key, "initContainers"))
			xb_tree_each(c, list)
				if (xb_check_dns1123_label(xb_tree_gettext(c, "name"), faults))
					return xb_why(reterr_why, -EINVAL, "spec.%.*s: a container's name: %s", XB_SV_ARG(list->key), faults[0]);
	return 0;
}

/* --- what a pod of a file has besides what the file says --- */
static bool is_latest(struct xb_sv image)
{
	const char *slash = image.n ? memrchr(image.p, '/', image.n) : NULL;
	struct xb_sv base = slash ? (struct xb_sv){ slash + 1, image.n - (size_t)(slash + 1 - image.p) } : image;
	const char *colon = base.n ? memchr(base.p, ':', base.n) : NULL;

	if (base.n && memchr(base.p, '@', base.n))
		return false;
	return !colon || xb_sv_ends(base, ":latest");
}

/* Defaults that depend on another field; those that do not are the schema's. */
static void default_container(struct xb_arena *a, struct xb_tree *c)
{
	struct xb_tree *resources = xb_tree_get(c, "resources"), *limits = xb_tree_get(resources, "limits");
	struct xb_tree *requests = limits ? xb_tree_obtain(a, resources, "requests") : NULL;

	if (!xb_tree_gettext(c, "imagePullPolicy").n)
		xb_tree_setc(c, "imagePullPolicy",
			     xb_tree_str(a, is_latest(xb_tree_gettext(c, "image")) ? XB_SV("Always") : XB_SV("IfNotPresent")));
	xb_tree_each(limit, limits)
		if (requests && !xb_tree_getsv(requests, limit->key))
			xb_tree_set(requests, limit->key, xb_tree_copy(a, limit));
}

static void note(struct xb_arena *a, struct xb_tree *notes, const char *key, const char *value)
{
	xb_tree_set(notes, xb_sv(key), xb_tree_str(a, xb_sv(value)));
}

/* It stays whatever taints its node has. */
static void tolerate_all(struct xb_arena *a, struct xb_tree *spec)
{
	struct xb_tree *list = xb_tree_get(spec, "tolerations");

	if (!list) {
		list = xb_tree_array(a);
		xb_tree_setc(spec, "tolerations", list);
	}
	xb_tree_append(list, xb_tree_parse(a, "{\"operator\":\"Exists\",\"effect\":\"NoExecute\"}"));
}

static void complete(struct xb_arena *a, struct xb_tree *pod, const char *uid, const char *node_name, int64_t seen_us)
{
	struct xb_tree *meta = xb_tree_obtain(a, pod, "metadata"), *spec = xb_tree_obtain(a, pod, "spec");
	struct xb_tree *notes = xb_tree_obtain(a, meta, "annotations");
	char *name = xb_arena_printf(a, "%.*s-%s", XB_SV_ARG(xb_tree_gettext(meta, "name")), node_name);

	for (char *c = name; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	xb_tree_setc(meta, "name", xb_tree_str(a, xb_sv(name)));
	if (!xb_tree_gettext(meta, "namespace").n)
		xb_tree_setc(meta, "namespace", xb_tree_str(a, XB_SV("default")));
	xb_tree_setc(meta, "uid", xb_tree_str(a, xb_sv(uid)));
	note(a, notes, STATIC_NOTE_HASH, uid);
	note(a, notes, STATIC_NOTE_SEEN, xb_arena_printf(a, "%s", xb_time_format_micro(seen_us).s));
	note(a, notes, STATIC_NOTE_SOURCE, "file");
	xb_tree_setc(spec, "nodeName", xb_tree_str(a, xb_sv(node_name)));
	tolerate_all(a, spec);
	xb_tree_each(list, spec)
		if (xb_sv_is(list->key, "containers") || xb_sv_is(list->key, "initContainers"))
			xb_tree_each(c, list)
				default_container(a, c);
	xb_tree_del(pod, "status");
}

int static_parse(struct xb_sv text, const char *path, const char *node_name, int64_t seen_us, struct xb_json **ret, char **reterr_why)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	const struct xb_kind *kind = xb_kind_by_resource(XB_SV(""), XB_SV("v1"), XB_SV("pods"));
	_cleanup_buf_ struct xb_buf json = {};
	struct xb_status fault = {};
	struct xb_tree *pod = NULL;
	const char *uid = a ? hash_of(a, text, path, node_name) : NULL;
	int r = uid ? read_text(a, text, &pod, reterr_why) : -ENOMEM;

	if (r < 0)
		return r;
	if (!xb_tree_is(xb_tree_get(pod, "kind"), "Pod") || !xb_tree_is(xb_tree_get(pod, "apiVersion"), "v1"))
		return xb_why(reterr_why, -EINVAL, "it is no Pod of v1");
	r = xb_schema_decode(&(struct xb_decode){ .arena = a }, kind->type, pod, &fault);
	if (r < 0) {
		xb_why(reterr_why, r, "%s", fault.message ? fault.message : strerror(-r));
		xb_status_done(&fault);
		return r;
	}
	r = check(pod, reterr_why);
	if (r < 0)
		return r;
	complete(a, pod, uid, node_name, seen_us);
	xb_tree_write(pod, &json);
	return json.err ? -ENOMEM : xb_json_parse(xb_buf_sv(&json), NULL, ret, NULL);
}

/* --- files --- */
void static_pods_done(struct static_pods *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].path);
		free(s->v[i].why);
		xb_json_unref(s->v[i].pod);
	}
	free(s->v);
	*s = (struct static_pods){};
}

static int add_file(struct static_pods *s, const char *path, const char *node_name, int64_t seen_us)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct static_pod p = { .path = strdup(path) };
	int r = p.path ? xb_file_read(path, MAX_FILE, &text) : -ENOMEM;

	if (!r)
		r = static_parse(xb_buf_sv(&text), path, node_name, seen_us, &p.pod, &p.why);
	if (r == -ENOENT) {
		free(p.path);
		return 0;
	}
	if (r < 0 && r != -ENOMEM && !p.why)
		p.why = strdup(strerror(-r));
	if (r != -ENOMEM && !xb_vec_push(s, p))
		return 0;
	free(p.path);
	free(p.why);
	xb_json_unref(p.pod);
	return -ENOMEM;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(const char *path, const char *node_name, int64_t seen_us, struct static_pods *s)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, by_name), r = n < 0 ? -errno : 0;

	for (int i = 0; i < n; i++) {
		_cleanup_buf_ struct xb_buf file = {};
		struct stat st;

		xb_buf_addf(&file, "%s/%s", path, names[i]->d_name);
		if (!r && file.err)
			r = file.err;
		if (!r && *names[i]->d_name != '.' && i < MAX_FILES && !stat(file.p, &st) && S_ISREG(st.st_mode))
			r = add_file(s, file.p, node_name, seen_us);
		free(names[i]);
	}
	free(names);
	return r;
}

int static_read(const char *path, const char *node_name, int64_t seen_us, struct static_pods *ret)
{
	struct static_pods s = {};
	struct stat st;
	int r = stat(path, &st) < 0 ? -errno : 0;

	if (!r)
		r = S_ISDIR(st.st_mode) ? read_folder(path, node_name, seen_us, &s) : add_file(&s, path, node_name, seen_us);
	if (r < 0) {
		static_pods_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}
