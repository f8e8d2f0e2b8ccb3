/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "beneath.h"
#include "hosts.h"
#include "job.h"
#include "subpath.h"
#include "termination.h"
#include "xb/file.h"
#include "xb/why.h"

#define HOSTS     "/etc/hosts"
#define HOSTS_MAX (1u << 20)

struct prepare {
	struct volume_job j;
	const struct spec_input *in;
	unsigned attempt;
	Runtime__V1__KeyValue *const *env;
	size_t n_env;
	struct volumes_mounts *ret;
	volumes_done *done;
	void *arg;
	char *container;
	XB_VEC(Runtime__V1__Mount *) mounts; /* in the caller's arena */
	struct part {
		struct subpath at;
		char *volume;
	} *parts;                       /* subPaths */
	size_t n_parts;
	bool hosts;
	const char *termination;        /* where the container has its file; NULL: nowhere */
	char termination_name[9];
};

static struct prepare *prepare_of(struct volume_job *j)
{
	return container_of(j, struct prepare, j);
}

/* --- on the loop: what is mounted where --- */

static int add_mount(struct prepare *p, const char *container_path, const char *host_path, Runtime__V1__Mount **ret)
{
	struct xb_arena *a = p->ret->arena;
	Runtime__V1__Mount *m = xb_arena_alloc(a, sizeof(*m));

	if (!m || !container_path || !host_path)
		return -ENOMEM;
	runtime__v1__mount__init(m);
	m->container_path = (char *)container_path;
	m->host_path = (char *)host_path;
	if (ret)
		*ret = m;
	return xb_vec_push(&p->mounts, m);
}

static struct xb_jv find_volume(struct xb_jv pod, struct xb_jv name)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(pod, "spec", "volumes")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "name"), xb_jv_text(name)))
			return it.value;
	return (struct xb_jv){};
}

/* The subPath, expanded, and fit to be looked for; empty: the volume itself. */
static int read_sub_path(const struct prepare *p, struct xb_jv mount, struct xb_buf *out, char **reterr_why)
{
	struct xb_jv plain = xb_jv_get(mount, "subPath"), expr = xb_jv_get(mount, "subPathExpr");
	_cleanup_free_ char *text = xb_jv_dup(xb_jv_text(expr).n ? expr : plain);
	struct xb_sv rest, part;

	if (!text)
		return xb_jv_is(plain) || xb_jv_is(expr) ? -ENOMEM : 0;
	if (!xb_jv_text(expr).n)
		xb_buf_adds(out, text);
	else if (spec_expand(xb_sv(text), p->env, p->n_env, true, out))
		return xb_why(reterr_why, -EINVAL, "missing value for a variable of subPathExpr \"%s\"", text);
	if (out->n && out->p[0] == '/')
		return xb_why(reterr_why, -EINVAL, "error SubPath `%s` must not be an absolute path", out->p);
	rest = xb_buf_sv(out);
	while (xb_sv_split(&rest, '/', &part))
		if (xb_sv_is(part, ".."))
			return xb_why(reterr_why, -EINVAL, "unable to provision SubPath `%s`: must not contain '..'", out->p);
	return out->err;
}

/* From here on the container sees the part of the volume, at the path that is returned. */
static int add_part(struct prepare *p, struct xb_jv name, size_t index, const char *root, const char *sub, const char **ret_path)
{
	const struct volumes *v = p->j.pod->v;
	struct part *part = &p->parts[p->n_parts];

	part->volume = xb_jv_dup(name);
	part->at.root = strdup(root);
	part->at.path = strdup(sub);
	p->n_parts++;
	if (!part->volume || !part->at.root || !part->at.path)
		return -ENOMEM;
	if (asprintf(&part->at.target, "volume-subpaths/%s/%s/%zu", part->volume, p->container, index) < 0) {
		part->at.target = NULL;
		return -ENOMEM;
	}
	*ret_path = xb_arena_printf(p->ret->arena, "%s/%s/%s", v->folder, p->j.pod->uid, part->at.target);
	return *ret_path ? 0 : -ENOMEM;
}

static Runtime__V1__MountPropagation propagation_of(struct xb_jv mount)
{
	struct xb_sv text = xb_jv_text(xb_jv_get(mount, "mountPropagation"));

	return xb_sv_is(text, "Bidirectional") ? RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_BIDIRECTIONAL :
	       xb_sv_is(text, "HostToContainer") ? RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_HOST_TO_CONTAINER :
	       RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_PRIVATE;
}

/* CRI's Mount here says nothing of recursion: what insists on it is refused, what would like it goes without. */
static int check_recursion(struct xb_jv mount, char **reterr_why)
{
	struct xb_sv name = xb_jv_text(xb_jv_get(mount, "name"));

	if (!xb_jv_streq(xb_jv_get(mount, "recursiveReadOnly"), XB_SV("Enabled")))
		return 0;
	return xb_why(reterr_why, -ENOTSUP, "failed to resolve recursive read-only mode: volume \"%.*s\" requested recursive read-only mode, "
		      "but it is not supported by the runtime", XB_SV_ARG(name));
}

static int add_volume_mount(struct prepare *p, struct xb_jv mount, size_t index, char **reterr_why)
{
	const struct volumes *v = p->j.pod->v;
	struct xb_jv name = xb_jv_get(mount, "name"), volume = find_volume(p->in->pod, name);
	_cleanup_free_ char *pod_folder = NULL, *where = xb_jv_dup(xb_jv_get(mount, "mountPath"));
	_cleanup_buf_ struct xb_buf root = {}, sub = {};
	const char *path;
	Runtime__V1__Mount *m;
	bool read_only = false;
	int r = check_recursion(mount, reterr_why);

	if (r)
		return r;
	if (asprintf(&pod_folder, "%s/%s", v->folder, p->j.pod->uid) < 0) {
		pod_folder = NULL;
		return -ENOMEM;
	}
	r = where ? volume_path(pod_folder, v->claims, p->j.pod->uid, volume, &root, &read_only) : -ENOMEM;
	if (r == -ENOENT)
		return xb_why(reterr_why, r, "cannot find volume \"%.*s\" to mount into container \"%s\"", XB_SV_ARG(xb_jv_text(name)),
			      p->container);
	if (!r)
		r = read_sub_path(p, mount, &sub, reterr_why);
	if (r)
		return r;
	path = xb_arena_strn(p->ret->arena, xb_buf_sv(&root));
	if (sub.n)
		r = add_part(p, name, index, root.p, sub.p, &path);
	if (!r)
		r = add_mount(p, xb_arena_printf(p->ret->arena, "%s%s", *where == '/' ? "" : "/", where), path, &m);
	if (r)
		return r;
	m->readonly = read_only || xb_jv_true(xb_jv_get(mount, "readOnly"));
	m->propagation = propagation_of(mount);
	return 0;
}

static bool mounts_at(struct xb_jv container, const char *path)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(container, "volumeMounts")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "mountPath"), xb_sv(path)))
			return true;
	return false;
}

static int add_own_files(struct prepare *p)
{
	const struct volumes *v = p->j.pod->v;
	struct xb_arena *a = p->ret->arena;
	struct xb_sv message = xb_jv_text(xb_jv_get(p->in->container, "terminationMessagePath"));
	const char *uid = p->j.pod->uid;
	int r = 0;

	p->hosts = p->in->pod_ips && p->in->pod_ips[0] && !mounts_at(p->in->container, HOSTS);
	if (p->hosts)
		r = add_mount(p, HOSTS, xb_arena_printf(a, "%s/%s/etc-hosts", v->folder, uid), NULL);
	if (r || !message.n)
		return r;
	p->termination = xb_arena_strn(a, message);
	return add_mount(p, p->termination, xb_arena_printf(a, "%s/%s/containers/%s/%08x", v->folder, uid, p->container, p->attempt), NULL);
}

static int prepare_begin(struct volume_job *j)
{
	struct prepare *p = prepare_of(j);
	struct xb_jv mounts = xb_jv_get(p->in->container, "volumeMounts");
	_cleanup_free_ char *why = NULL;
	size_t index = 0;
	int r = 0;

	p->parts = calloc(xb_jv_count(mounts) + 1, sizeof(*p->parts));
	if (!p->parts)
		return -ENOMEM;
	for (struct xb_jit it = xb_jv_iter(mounts); !r && xb_jit_next(&it);)
		r = add_volume_mount(p, it.value, index++, &why);
	if (!r)
		r = add_own_files(p);
	if (r)
		volume_job_fail(j, r, "%s", why ? why : "out of memory");
	return 0;
}

/* --- on the pool --- */

static int store_hosts(const struct prepare *p, int pod)
{
	_cleanup_buf_ struct xb_buf node = {}, text = {};
	int r = xb_file_read(HOSTS, HOSTS_MAX, &node);

	if (r && r != -ENOENT)
		return r;
	hosts_write(p->in->pod, p->in->pod_ips, p->in->facts->cluster_domain, xb_buf_sv(&node), &text);
	return text.err ? text.err : hosts_store(pod, "etc-hosts", xb_buf_sv(&text));
}

static void mount_parts(struct prepare *p, int pod)
{
	_cleanup_free_ char *path = NULL;
	int r = 0;

	if (asprintf(&path, "%s/%s", p->j.pod->v->folder, p->j.pod->uid) < 0) {
		path = NULL;
		volume_job_fail(&p->j, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; path && !r && i < p->n_parts; i++) {
		r = subpath_mount(pod, path, &p->parts[i].at);
		errno = -r;
		if (r)
			volume_job_fail(&p->j, r, "failed to prepare subPath for volumeMount \"%s\" of container \"%s\": %m",
					p->parts[i].volume, p->container);
	}
}

static void prepare_run(struct volume_job *j)
{
	struct prepare *p = prepare_of(j);
	_cleanup_close_ int pod = j->error ? -1 : volume_pod_open(j->pod->v, j->pod->uid);
	int r = 0;

	if (j->error)
		return;
	errno = MAX(-pod, 0);
	if (pod < 0) {
		volume_job_fail(j, pod, "cannot make the pod's folder: %m");
		return;
	}
	mount_parts(p, pod);
	if (p->hosts)
		r = store_hosts(p, pod);
	errno = -r;
	if (r)
		volume_job_fail(j, r, "cannot write the pod's hosts file: %m");
	r = p->termination ? termination_store(pod, p->container, p->attempt, p->termination_name) : 0;
	errno = -r;
	if (r)
		volume_job_fail(j, r, "cannot make the file of the termination message: %m");
}

/* --- the job --- */

static void on_prepared(void *arg, int error, const char *why)
{
	struct prepare *p = arg;
	struct xb_arena *a = p->ret->arena;

	if (!error) {
		Runtime__V1__Mount **mounts = xb_arena_alloc(a, (p->mounts.n + 1) * sizeof(*mounts));

		if (mounts) {
			memcpy(mounts, p->mounts.v, p->mounts.n * sizeof(*mounts));
			p->ret->mounts = mounts;
			p->ret->n = p->mounts.n;
		} else {
			error = -ENOMEM;
			why = "out of memory";
		}
	}
	p->done(p->arg, error, why);
}

static void prepare_release(struct volume_job *j)
{
	struct prepare *p = prepare_of(j);

	for (size_t i = 0; i < p->n_parts; i++) {
		subpath_done(&p->parts[i].at);
		free(p->parts[i].volume);
	}
	free(p->parts);
	free(p->container);
	xb_vec_done(&p->mounts);
	free(p);
}

int volumes_prepare(struct volumes *v, const struct spec_input *in, unsigned attempt, Runtime__V1__KeyValue *const *env, size_t n_env,
		    struct volumes_mounts *m, volumes_done *done, void *arg)
{
	_cleanup_free_ char *uid = xb_jv_dup(xb_jv_path(in->pod, "metadata", "uid"));
	struct prepare *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct prepare){ .in = in, .attempt = attempt, .env = env, .n_env = n_env, .ret = m, .done = done, .arg = arg };
	p->j = (struct volume_job){ .begin = prepare_begin, .run = prepare_run, .release = prepare_release, .done = on_prepared, .arg = p };
	p->container = xb_jv_dup(xb_jv_get(in->container, "name"));
	if (!uid || !p->container) {
		prepare_release(&p->j);
		return -ENOMEM;
	}
	return volume_job_add(v, uid, &p->j);
}
