/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include "cgroups_inner.h"
#include "limits.h"
#include "names.h"
#include "xb/why.h"

static enum spec_qos next_qos(enum spec_qos q)
{
	return q == SPEC_QOS_GUARANTEED ? SPEC_QOS_BURSTABLE : SPEC_QOS_BEST_EFFORT;
}

/* --- values, in the words of either version */
static int write_number(const struct cgroups *c, enum controller which, const char *cgroup, const char *v1, const char *v2, int64_t n,
			char **reterr_why)
{
	bool two = hierarchies_v2(&c->trees, which);
	char text[32];

	if (n < 0)
		snprintf(text, sizeof(text), "%s", two ? "max" : "-1");
	else
		snprintf(text, sizeof(text), "%" PRId64, n);
	return hierarchies_write(&c->trees, which, cgroup, two ? v2 : v1, text, reterr_why);
}

static int write_shares(const struct cgroups *c, const char *cgroup, uint64_t shares, char **reterr_why)
{
	uint64_t n = hierarchies_v2(&c->trees, CG_CPU) ? shares_to_weight(shares) : shares;

	return write_number(c, CG_CPU, cgroup, "cpu.shares", "cpu.weight", (int64_t)n, reterr_why);
}

static int write_quota(const struct cgroups *c, const char *cgroup, int64_t quota_us, char **reterr_why)
{
	char text[64];

	if (!hierarchies_v2(&c->trees, CG_CPU))
		return write_number(c, CG_CPU, cgroup, "cpu.cfs_quota_us", "", quota_us, reterr_why);
	if (quota_us < 0)
		snprintf(text, sizeof(text), "max %d", CPU_PERIOD_US);
	else
		snprintf(text, sizeof(text), "%" PRId64 " %d", quota_us, CPU_PERIOD_US);
	return hierarchies_write(&c->trees, CG_CPU, cgroup, "cpu.max", text, reterr_why);
}

static int write_memory(const struct cgroups *c, const char *cgroup, int64_t bytes, char **reterr_why)
{
	return write_number(c, CG_MEMORY, cgroup, "memory.limit_in_bytes", "memory.max", bytes, reterr_why);
}

static int write_pids(const struct cgroups *c, const char *cgroup, uint64_t limit, char **reterr_why)
{
	char text[32] = "max";

	if (limit)
		snprintf(text, sizeof(text), "%" PRIu64, limit);
	return hierarchies_write(&c->trees, CG_PIDS, cgroup, "pids.max", text, reterr_why);
}

/* --- kubepods and its two classes */
static int write_burstable(struct cgroups *c, char **reterr_why)
{
	uint64_t shares = milli_to_shares(c->burstable_milli);
	_cleanup_buf_ struct xb_buf path = {};
	int r;

	if (shares == c->burstable_shares)
		return 0;
	name_qos(c->facts, SPEC_QOS_BURSTABLE, &path);
	r = path.err ? path.err : write_shares(c, path.p, shares, reterr_why);
	if (!r)
		c->burstable_shares = shares;
	return r;
}

static int limit_node(const struct cgroups *c, const char *kubepods, char **reterr_why)
{
	int r = 0;

	if (c->facts->cpu_milli)
		r = write_shares(c, kubepods, milli_to_shares(c->facts->allocatable_cpu_milli), reterr_why);
	if (!r && c->facts->memory_bytes)
		r = write_memory(c, kubepods, (int64_t)c->facts->allocatable_memory_bytes, reterr_why);
	return r;
}

static int make_classes(struct cgroups *c, char **reterr_why)
{
	int r = 0;

	for (enum spec_qos q = SPEC_QOS_GUARANTEED; !r; q = next_qos(q)) {
		_cleanup_buf_ struct xb_buf path = {};

		name_qos(c->facts, q, &path);
		r = path.err ? path.err : hierarchies_make(&c->trees, path.p, reterr_why);
		if (!r && q == SPEC_QOS_GUARANTEED)
			r = limit_node(c, path.p, reterr_why);
		if (!r && q == SPEC_QOS_BEST_EFFORT)
			return write_shares(c, path.p, milli_to_shares(0), reterr_why);
	}
	return r;
}

int cgroups_new_at(const struct facts *f, const char *proc, struct cgroups **ret, char **reterr_why)
{
	_cleanup_(cgroups_freep) struct cgroups *c = calloc(1, sizeof(*c));
	_cleanup_buf_ struct xb_buf mounts = {};
	int r;

	if (!c)
		return -ENOMEM;
	c->facts = f;
	c->proc = proc;
	c->pods = xb_map_new(XB_MAP_BORROW);
	xb_buf_addf(&mounts, "%s/self/mountinfo", proc);
	if (!c->pods || mounts.err)
		return -ENOMEM;
	r = hierarchies_find(mounts.p, &c->trees, reterr_why);
	if (!r && f->cgroups_per_qos)
		r = make_classes(c, reterr_why);
	if (!r)
		*ret = TAKE_PTR(c);
	return r;
}

int cgroups_new(const struct facts *f, struct cgroups **ret, char **reterr_why)
{
	return cgroups_new_at(f, "/proc", ret, reterr_why);
}

struct cgroups *cgroups_free(struct cgroups *c)
{
	if (!c)
		return NULL;
	for (struct xb_map_it it = {}; xb_map_next(c->pods, &it);)
		free(it.value);
	xb_map_free(c->pods);
	hierarchies_done(&c->trees);
	free(c);
	return NULL;
}

/* --- a pod's */
void cgroups_parent(const struct cgroups *c, struct xb_jv pod, struct xb_buf *out)
{
	_cleanup_free_ char *uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid"));
	_cleanup_buf_ struct xb_buf path = {};

	if (!c->facts->cgroups_per_qos)
		xb_buf_adds(out, c->facts->cgroup_root);
	else if (!uid)
		out->err = -ENOMEM;
	else
		name_pod(c->facts, spec_qos(pod), uid, &path);
	if (path.err)
		out->err = path.err;
	else if (path.p)
		xb_buf_adds(out, c->facts->systemd_cgroups ? strrchr(path.p, '/') + 1 : path.p);
}

/* What is known of the pod, with it in the sum of the burstable ones' requests. */
static int note_pod(struct cgroups *c, const char *uid, enum spec_qos qos, uint64_t cpu_milli)
{
	struct pod_cgroup *p = xb_map_get(c->pods, xb_sv(uid));
	int r;

	if (!p) {
		p = calloc(1, sizeof(*p) + strlen(uid) + 1);
		if (!p)
			return -ENOMEM;
		memcpy(p->uid, uid, strlen(uid) + 1);
		r = xb_map_set(c->pods, xb_sv(p->uid), p, NULL);
		if (r) {
			free(p);
			return r;
		}
	}
	p->qos = qos;
	if (qos == SPEC_QOS_BURSTABLE) {
		c->burstable_milli += cpu_milli - p->cpu_milli;
		p->cpu_milli = cpu_milli;
	}
	return 0;
}

int cgroups_pod_make(struct cgroups *c, struct xb_jv pod, char **reterr_why)
{
	_cleanup_free_ char *uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid"));
	_cleanup_buf_ struct xb_buf path = {};
	enum spec_qos qos = spec_qos(pod);
	struct pod_limits l;
	int r;

	if (!c->facts->cgroups_per_qos)
		return 0;
	if (!uid)
		return -ENOMEM;
	if (strchr(uid, '/'))           /* one out of a file can be anything */
		return xb_why(reterr_why, -EINVAL, "metadata.uid \"%s\": must not contain '/'", uid);
	pod_limits(pod, qos, c->facts->cpu_cfs_quota, &l);
	name_pod(c->facts, qos, uid, &path);
	r = path.err ? path.err : hierarchies_make(&c->trees, path.p, reterr_why);
	r = r ? r : write_shares(c, path.p, l.shares, reterr_why);
	r = r ? r : write_quota(c, path.p, l.quota_us, reterr_why);
	r = r ? r : write_memory(c, path.p, l.memory_bytes, reterr_why);
	r = r ? r : write_pids(c, path.p, c->facts->pod_pids, reterr_why);
	r = r ? r : note_pod(c, uid, qos, l.cpu_milli);
	return r ? r : write_burstable(c, reterr_why);
}

static bool is_there(const struct cgroups *c, const char *path)
{
	_cleanup_buf_ struct xb_buf full = {};
	struct stat st;

	xb_buf_addf(&full, "%s%s", c->trees.all.v[0].mount, path);
	return !full.err && !stat(full.p, &st);
}

int cgroups_pod_path(const struct cgroups *c, const char *uid, struct xb_buf *out)
{
	const struct pod_cgroup *p = xb_map_get(c->pods, xb_sv(uid));
	size_t before = out->n;

	if (!c->facts->cgroups_per_qos)
		return -ENOENT;
	for (enum spec_qos q = p ? p->qos : SPEC_QOS_GUARANTEED;; q = next_qos(q)) {
		name_pod(c->facts, q, uid, out);
		if (out->err)
			return out->err;
		if (p || is_there(c, out->p + before))
			return 0;
		out->n = before;
		if (q == SPEC_QOS_BEST_EFFORT)
			return -ENOENT;
	}
}

int cgroups_pod_remove(struct cgroups *c, const char *uid)
{
	_cleanup_buf_ struct xb_buf path = {};
	_cleanup_free_ char *why = NULL;
	struct pod_cgroup *p;
	int r = cgroups_pod_path(c, uid, &path);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = hierarchies_remove(&c->trees, path.p);
	if (r)
		return r;
	p = xb_map_del(c->pods, xb_sv(uid));
	if (p)
		c->burstable_milli -= p->cpu_milli;
	free(p);
	return write_burstable(c, &why);
}

struct each_uid {
	const struct cgroups *c;
	void (*each)(void *arg, const char *uid);
	void *arg;
};

static void tell_uid(void *arg, const char *name)
{
	_cleanup_buf_ struct xb_buf uid = {};
	struct each_uid *e = arg;

	if (name_to_uid(e->c->facts, name, &uid) && !uid.err)
		e->each(e->arg, uid.p);
}

void cgroups_each_pod(const struct cgroups *c, void (*each)(void *arg, const char *uid), void *arg)
{
	struct each_uid e = { c, each, arg };

	for (enum spec_qos q = SPEC_QOS_GUARANTEED; c->facts->cgroups_per_qos; q = next_qos(q)) {
		_cleanup_buf_ struct xb_buf path = {};

		name_qos(c->facts, q, &path);
		if (!path.err)
			hierarchies_each(&c->trees, path.p, tell_uid, &e);
		if (q == SPEC_QOS_BEST_EFFORT)
			break;
	}
}
