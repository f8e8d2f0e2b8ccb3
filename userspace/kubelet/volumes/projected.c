/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "beneath.h"
#include "mounts.h"
#include "ownership.h"
#include "plan.h"
#include "projected.h"
#include "xb/base64.h"
#include "xb/why.h"

#define FOLDER_MODE   0777
#define FILE_MODE     0644
#define TOKEN_SECONDS 3600

/* --- from keys to files --- */

static int not_there(enum objects_kind kind, const char *name, int r, const char *why, char **reterr_why)
{
	const char *word = kind == OBJECTS_SECRET ? "secret" : "configmap";

	if (r == -ENOENT)
		return xb_why(reterr_why, r, "%s \"%s\" not found", word, name);
	return r == -EACCES ? xb_why(reterr_why, r, "%s", why) : r;
}

static int fill(struct volume_file *f, struct xb_jv value, bool base64)
{
	if (base64)
		return xb_base64_decode(xb_jv_text(value), &f->bytes);
	if (xb_jv_escaped(value))
		xb_json_unescape(xb_jv_text(value), &f->bytes);
	else
		xb_buf_addsv(&f->bytes, xb_jv_text(value));
	return f->bytes.err;
}

static int add_key(const struct source *s, struct xb_jv value, bool base64, struct xb_sv path, struct xb_jv mode)
{
	struct volume_file *f;
	int64_t own = s->mode;

	xb_jv_i64(mode, &own);
	f = volume_files_add(s->files, path, (mode_t)own & 07777);
	if (!f)
		return -ENOMEM;
	return fill(f, value, base64);
}

static int add_all(const struct source *s, struct xb_jv values, bool base64)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(values); !r && xb_jit_next(&it);)
		r = add_key(s, it.value, base64, it.key, (struct xb_jv){});
	return r;
}

/* Of the object those keys that items name, or all. */
static int add_object(const struct source *s, enum objects_kind kind, struct xb_jv object, char **reterr_why)
{
	struct xb_jv data = xb_jv_get(object, "data"), none = {}, items = xb_jv_get(s->spec, "items");
	struct xb_jv plain = kind == OBJECTS_SECRET ? none : data;
	struct xb_jv coded = kind == OBJECTS_SECRET ? data : xb_jv_get(object, "binaryData");
	int r = 0;

	if (!xb_jv_count(items)) {
		r = add_all(s, plain, false);
		return r ? r : add_all(s, coded, true);
	}
	for (struct xb_jit it = xb_jv_iter(items); !r && xb_jit_next(&it);) {
		struct xb_sv key = xb_jv_text(xb_jv_get(it.value, "key")), path = xb_jv_text(xb_jv_get(it.value, "path"));
		struct xb_jv value = xb_jv_getsv(plain, key);
		bool base64 = !xb_jv_is(value);

		if (base64)
			value = xb_jv_getsv(coded, key);
		if (!xb_jv_is(value) && xb_jv_true(xb_jv_get(s->spec, "optional")))
			continue;
		if (!xb_jv_is(value))
			return xb_why(reterr_why, -ENOENT, kind == OBJECTS_SECRET ? "references non-existent secret key: %.*s" :
				      "configmap references non-existent config key: %.*s", XB_SV_ARG(key));
		r = atomic_check_path(path, reterr_why);
		if (!r)
			r = add_key(s, value, base64, path, xb_jv_get(it.value, "mode"));
	}
	return r;
}

static int add_named(const struct source *s, enum objects_kind kind, const char *member, char **reterr_why)
{
	_cleanup_free_ char *name = xb_jv_dup(xb_jv_get(s->spec, member));
	struct xb_jv object = {};
	const char *why = NULL;
	int r;

	if (!name)
		return -ENOMEM;
	r = objects_get(s->in->objects, kind, s->in->namespace_, name, &object, &why);
	if (r == -ENOENT && xb_jv_true(xb_jv_get(s->spec, "optional")))
		return 0;
	return r ? not_there(kind, name, r, why, reterr_why) : add_object(s, kind, object, reterr_why);
}

/* --- tokens --- */

/* Whom the pod's containers run as, when they all say the same one. */
static uid_t user_of(struct xb_jv pod)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
	struct xb_jv spec = xb_jv_get(pod, "spec");
	int64_t common = -1, user;

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, lists[i])); xb_jit_next(&it);) {
			if (xb_jv_i64(xb_jv_path(it.value, "securityContext", "runAsUser"), &user) &&
			    xb_jv_i64(xb_jv_path(spec, "securityContext", "runAsUser"), &user))
				return 0;
			if (common >= 0 && common != user)
				return 0;
			common = user;
		}
	return common > 0 ? (uid_t)common : 0;
}

static int add_token(const struct source *s, char **reterr_why)
{
	const struct plan_input *in = s->in;
	struct xb_jv spec = xb_jv_get(in->pod, "spec"), audience = xb_jv_get(s->spec, "audience");
	_cleanup_free_ char *pod = xb_jv_dup(xb_jv_path(in->pod, "metadata", "name")), *to = NULL;
	_cleanup_free_ char *account = xb_jv_dup(xb_jv_get(spec, "serviceAccountName"));
	struct token_request q = { in->namespace_, account && *account ? account : "default", pod, in->uid, NULL, TOKEN_SECONDS };
	struct xb_sv token, path = xb_jv_text(xb_jv_get(s->spec, "path"));
	bool owned = s->has_group || s->files->user;
	struct volume_file *f;
	int r = atomic_check_path(path, reterr_why);

	if (r)
		return r;
	if (!in->tokens)
		return xb_why(reterr_why, -ENOTSUP, "failed to fetch token: there is no API server");
	if (xb_jv_text(audience).n)
		to = xb_jv_dup(audience);
	if (!pod || (xb_jv_text(audience).n && !to))
		return -ENOMEM;
	q.audience = to;
	xb_jv_i64(xb_jv_get(s->spec, "expirationSeconds"), &q.seconds);
	r = tokens_get(in->tokens, &q, in->fresh, &token, reterr_why);
	if (r)
		return r;
	f = volume_files_add(s->files, path, owned ? 0600 : (mode_t)s->mode);
	if (!f)
		return -ENOMEM;
	f->of_user = true;
	xb_buf_addsv(&f->bytes, token);
	return f->bytes.err;
}

/* --- the volumes --- */

static int plan_files(const struct plan_input *in, struct xb_jv spec, struct volume_plan *p, struct source *ret)
{
	p->make = projected_make;
	p->files.user = user_of(in->pod);
	*ret = (struct source){ .in = in, .spec = spec, .files = &p->files, .has_group = p->has_group, .mode = FILE_MODE };
	return xb_jv_is(xb_jv_get(spec, "defaultMode")) ? xb_jv_i64(xb_jv_get(spec, "defaultMode"), &ret->mode) : 0;
}

int config_map_plan(const struct plan_input *in, struct xb_jv spec, struct volume_plan *p, char **reterr_why)
{
	struct source s;
	int r = plan_files(in, spec, p, &s);

	return r ? r : add_named(&s, OBJECTS_CONFIGMAP, "name", reterr_why);
}

int secret_plan(const struct plan_input *in, struct xb_jv spec, struct volume_plan *p, char **reterr_why)
{
	struct source s;
	int r = plan_files(in, spec, p, &s);

	p->in_memory = true;
	return r ? r : add_named(&s, OBJECTS_SECRET, "secretName", reterr_why);
}

int downward_plan(const struct plan_input *in, struct xb_jv spec, struct volume_plan *p, char **reterr_why)
{
	struct source s;
	int r = plan_files(in, spec, p, &s);

	p->in_memory = true;
	return r ? r : downward_add(&s, reterr_why);
}

static int add_source(const struct source *all, struct xb_jv source, char **reterr_why)
{
	struct source s = *all;

	s.spec = xb_jv_get(source, "configMap");
	if (xb_jv_is(s.spec))
		return add_named(&s, OBJECTS_CONFIGMAP, "name", reterr_why);
	s.spec = xb_jv_get(source, "secret");
	if (xb_jv_is(s.spec))
		return add_named(&s, OBJECTS_SECRET, "name", reterr_why);
	s.spec = xb_jv_get(source, "downwardAPI");
	if (xb_jv_is(s.spec))
		return downward_add(&s, reterr_why);
	s.spec = xb_jv_get(source, "serviceAccountToken");
	if (xb_jv_is(s.spec))
		return add_token(&s, reterr_why);
	return xb_why(reterr_why, -ENOTSUP, "projected volume source %.*s is not supported", XB_SV_ARG(xb_jv_bytes(source)));
}

/* Which of several faults is told: what is asked for already goes before what is wrong, and that before what is not known yet. */
static int weight(int r)
{
	return !r ? 0 : r == -EAGAIN ? 1 : r == -EINPROGRESS ? 3 : 2;
}

/* Every source is looked at, so that everything there is to wait for is asked for at once. */
int projected_plan(const struct plan_input *in, struct xb_jv spec, struct volume_plan *p, char **reterr_why)
{
	struct source s;
	int r = plan_files(in, spec, p, &s);

	p->in_memory = true;
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(spec, "sources")); xb_jit_next(&it);) {
		_cleanup_free_ char *why = NULL;
		int one = add_source(&s, it.value, &why);

		if (weight(one) <= weight(r))
			continue;
		r = one;
		free(*reterr_why);
		*reterr_why = TAKE_PTR(why);
	}
	return r;
}

/* --- on the pool --- */

static int give(void *arg, int dir)
{
	const struct volume_plan *p = arg;

	return p->has_group ? ownership_give(dir, p->group, true, false) : 0;
}

static int make(int pod, const struct volume_plan *p)
{
	_cleanup_close_ int folder = volume_folder(pod, p), dir = -1;
	int r;

	if (folder < 0)
		return folder;
	dir = beneath_mkdirs(folder, p->name, FOLDER_MODE, false);
	if (dir >= 0 && p->in_memory && !beneath_is_mount(dir)) {
		r = mounts_tmpfs(dir, p->size, FOLDER_MODE, 0);
		if (r)
			return r;
		close(dir);
		dir = beneath_open(folder, p->name, O_RDONLY | O_DIRECTORY, 0);
	}
	if (dir < 0)
		return dir;
	r = atomic_write(dir, &p->files, give, (void *)p);
	return r >= 0 && p->has_group ? ownership_give(dir, p->group, true, true) : MIN(r, 0);
}

int projected_make(int pod, const struct volume_plan *p, char **reterr_why)
{
	int r = make(pod, p);

	errno = -r;
	return r ? xb_why(reterr_why, r, "cannot write its files: %m") : 0;
}
