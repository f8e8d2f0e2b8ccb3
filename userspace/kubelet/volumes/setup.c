/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "job.h"

struct setup {
	struct volume_job j;
	struct xb_json *doc;            /* that holds the pod */
	struct xb_jv pod;
	char *namespace_;
	char **ips;                     /* NULL-terminated, or NULL */
	XB_VEC(struct volume_plan) plans; /* of those that can be made */
	bool begun;
};

static struct setup *setup_of(struct volume_job *j)
{
	return container_of(j, struct setup, j);
}

/* --- on the loop --- */

static void plans_done(struct setup *s)
{
	for (size_t i = 0; i < s->plans.n; i++)
		volume_plan_done(&s->plans.v[i]);
	xb_vec_done(&s->plans);
}

static void fail_volume(struct volume_job *j, const struct volume_plan *p, int error, bool whole, const char *why)
{
	const char *step = p->step ? p->step : "MountVolume.SetUp", *name = p->shown ? p->shown : p->name;

	errno = -error;
	if (whole && why)
		volume_job_fail(j, error, "%s", why);
	else if (why)
		volume_job_fail(j, error, "%s failed for volume \"%s\" : %s", step, name, why);
	else
		volume_job_fail(j, error, "%s failed for volume \"%s\" : %m", step, name ? name : "");
}

/* 0, -EINPROGRESS, -EAGAIN, or 1 when it has failed. */
static int plan_one(struct setup *s, const struct plan_input *in, struct xb_jv volume)
{
	struct volume_plan p = {};
	_cleanup_free_ char *why = NULL;
	bool whole = false;
	int r = volume_plan(in, volume, &p, &whole, &why);

	if (!r)
		r = xb_vec_push(&s->plans, p);
	if (!r)
		return 0;
	if (r != -EINPROGRESS && r != -EAGAIN) {
		fail_volume(&s->j, &p, r, whole, why);
		r = 1;
	}
	volume_plan_done(&p);
	return r;
}

static int setup_begin(struct volume_job *j)
{
	struct setup *s = setup_of(j);
	const struct volumes *v = j->pod->v;
	struct plan_input in = {
		.facts = v->c.facts, .objects = v->c.objects, .tokens = v->tokens, .claims = v->claims, .pod = s->pod, .uid = j->pod->uid,
		.namespace_ = s->namespace_, .pod_ips = (const char *const *)s->ips, .fresh = !s->begun,
	};
	bool wait = false, unknown = false;

	plans_done(s);
	free(TAKE_PTR(j->why));
	j->error = 0;
	s->begun = true;
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(s->pod, "spec", "volumes")); xb_jit_next(&it);) {
		int r = volume_is_used(s->pod, it.value) ? plan_one(s, &in, it.value) : 0;

		wait = wait || r == -EINPROGRESS;
		unknown = unknown || r == -EAGAIN;
	}
	if (wait)
		return -EINPROGRESS;
	if (unknown && !j->error)
		j->error = -EAGAIN;
	return 0;
}

/* --- on the pool --- */

static void setup_run(struct volume_job *j)
{
	struct setup *s = setup_of(j);
	_cleanup_close_ int pod = volume_pod_open(j->pod->v, j->pod->uid);

	errno = MAX(-pod, 0);
	if (pod < 0)
		volume_job_fail(j, pod, "cannot make the pod's folder %s/%s: %m", j->pod->v->folder, j->pod->uid);
	for (size_t i = 0; pod >= 0 && i < s->plans.n; i++) {
		const struct volume_plan *p = &s->plans.v[i];
		_cleanup_free_ char *why = NULL;
		int r = p->make(pod, p, &why);

		if (r)
			fail_volume(j, p, r, false, why);
	}
}

/* --- the job --- */

static void setup_release(struct volume_job *j)
{
	struct setup *s = setup_of(j);

	plans_done(s);
	for (char **ip = s->ips; ip && *ip; ip++)
		free(*ip);
	free(s->ips);
	free(s->namespace_);
	xb_json_unref(s->doc);
	free(s);
}

static int copy_ips(struct setup *s, const char *const *ips)
{
	size_t n = 0;

	while (ips && ips[n])
		n++;
	s->ips = calloc(n + 1, sizeof(*s->ips));
	for (size_t i = 0; s->ips && i < n; i++) {
		s->ips[i] = strdup(ips[i]);
		if (!s->ips[i])
			return -ENOMEM;
	}
	return s->ips ? 0 : -ENOMEM;
}

int volumes_setup(struct volumes *v, struct xb_jv pod, const char *const *pod_ips, volumes_done *done, void *arg)
{
	_cleanup_free_ char *uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid"));
	struct setup *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->j = (struct volume_job){ .begin = setup_begin, .run = setup_run, .release = setup_release, .makes_ready = true,
				    .done = done, .arg = arg };
	s->doc = xb_json_ref(pod.doc);
	s->pod = pod;
	s->namespace_ = xb_jv_dup(xb_jv_path(pod, "metadata", "namespace"));
	if (!uid || !s->namespace_ || copy_ips(s, pod_ips)) {
		setup_release(&s->j);
		return -ENOMEM;
	}
	return volume_job_add(v, uid, &s->j);
}
