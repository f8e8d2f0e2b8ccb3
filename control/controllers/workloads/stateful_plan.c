/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include "../pods.h"
#include "stateful_plan.h"

static int by_ordinal(const void *a, const void *b)
{
	const struct stateful_member *x = a, *y = b;

	return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

void stateful_read(struct stateful *s)
{
	struct xb_jv spec = xb_jv_get(s->set, "spec"), strategy = xb_jv_get(spec, "updateStrategy");
	struct xb_jv rolling = xb_jv_get(strategy, "rollingUpdate");

	s->replicas = 1;
	xb_jv_i64(xb_jv_get(spec, "replicas"), &s->replicas);
	xb_jv_i64(xb_jv_path(spec, "ordinals", "start"), &s->start);
	xb_jv_i64(xb_jv_get(spec, "minReadySeconds"), &s->min_ready);
	xb_jv_i64(xb_jv_get(rolling, "partition"), &s->partition);
	s->partitioned = xb_jv_type(rolling) == XB_JSON_OBJECT;
	s->parallel = xb_jv_streq(xb_jv_get(spec, "podManagementPolicy"), XB_SV("Parallel"));
	s->on_delete = xb_jv_streq(xb_jv_get(strategy, "type"), XB_SV("OnDelete"));
	if (s->members.n)
		qsort(s->members.v, s->members.n, sizeof(*s->members.v), by_ordinal);
}

void stateful_done(struct stateful *s)
{
	xb_vec_done(&s->members);
	xb_vec_done(&s->steps);
}

/* --- a pod --- */
static bool has_phase(struct xb_jv pod, const char *phase)
{
	return xb_jv_streq(xb_jv_path(pod, "status", "phase"), xb_sv(phase));
}

static bool is_over(struct xb_jv pod)
{
	return has_phase(pod, "Failed") || has_phase(pod, "Succeeded");
}

static bool is_ready(struct xb_jv pod)
{
	return has_phase(pod, "Running") && pods_ready(pod, NULL);
}

static bool is_available(const struct stateful *s, struct xb_jv pod)
{
	return !pods_deleting(pod) && is_ready(pod) && pods_available(pod, s->min_ready, s->now);
}

static bool is_of(struct xb_jv pod, struct xb_jv revision)
{
	return xb_jv_is(revision) && xb_sv_eq(stateful_revision(pod), xb_jv_meta(revision, "name"));
}

/* --- how many --- */
static void count_available(struct stateful *s, struct xb_jv pod)
{
	int64_t since = 0, until;

	pods_ready(pod, &since);
	until = since + s->min_ready * 1000000;
	if (pods_available(pod, s->min_ready, s->now))
		s->n_available++;
	else if (since && (!s->next_available_us || until < s->next_available_us))
		s->next_available_us = until;
}

void stateful_count(struct stateful *s)
{
	for (size_t i = 0; i < s->members.n; i++) {
		struct xb_jv pod = s->members.v[i].pod;

		s->n_created++;
		if (is_ready(pod)) {
			s->n_ready++;
			count_available(s, pod);
		}
		if (pods_deleting(pod))
			continue;
		s->n_current += is_of(pod, s->current);
		s->n_update += is_of(pod, s->update);
	}
}

/* --- claims --- */
void stateful_owners(const struct stateful *s, int64_t ordinal, struct xb_jv pod, struct xb_sv pod_name, struct stateful_owners *ret)
{
	*ret = (struct stateful_owners){
		.set_kind = s->set_kind, .pod_kind = s->pod_kind, .set = s->set, .pod = pod, .pod_name = pod_name,
		.scaled_down = ordinal < s->start || ordinal >= s->start + s->replicas,
	};
}

enum claims { SETTLED = 0, MISSING = 1, STALE = 2, UNSETTLED = 4 };

/* What is wrong with the claims of a place. */
static unsigned look_at_claims(const struct stateful *s, int64_t ordinal, struct xb_jv pod)
{
	_cleanup_buf_ struct xb_buf name = {}, pod_name = {};
	struct stateful_owners owners;
	unsigned found = SETTLED;

	xb_buf_addf(&pod_name, "%.*s-%lld", XB_SV_ARG(xb_jv_meta(s->set, "name")), (long long)ordinal);
	stateful_owners(s, ordinal, pod, xb_buf_sv(&pod_name), &owners);
	for (struct xb_jit it = xb_jv_iter(stateful_claim_templates(s->set)); xb_jit_next(&it);) {
		const char *n = stateful_claim_name(it.value, s->set, ordinal, &name);
		struct xb_jv claim = n ? s->claim(s->claim_arg, n) : (struct xb_jv){};

		if (!xb_jv_is(claim))
			found |= MISSING;
		else if (stateful_claim_stale(&owners, claim))
			found |= STALE;
		else if (!stateful_claim_settled(&owners, claim))
			found |= UNSETTLED;
	}
	return found;
}

/* --- the replicas --- */
static struct xb_jv pod_at(const struct stateful *s, int64_t ordinal)
{
	struct stateful_member key = { .ordinal = ordinal };
	const struct stateful_member *m = s->members.n ?
		bsearch(&key, s->members.v, s->members.n, sizeof(key), by_ordinal) : NULL;

	return m ? m->pod : (struct xb_jv){};
}

/* Below the partition pods are as they were. Without one, the lowest are, as many as have not been replaced yet. */
static struct xb_jv revision_at(const struct stateful *s, int64_t ordinal)
{
	int64_t as_they_were = s->partitioned ? s->partition : s->on_delete ? 0 : s->n_current;

	return ordinal < s->start + as_they_were ? s->current : s->update;
}

static int add(struct stateful *s, enum stateful_act act, int64_t ordinal, struct xb_jv pod)
{
	struct stateful_step step = { .act = act, .ordinal = ordinal, .pod = pod, .over = is_over(pod) };

	if (act == STATEFUL_CREATE)
		step.revision = revision_at(s, ordinal);
	step.make_claims = act == STATEFUL_CREATE;
	return xb_vec_push(&s->steps, step);
}

static int add_fix(struct stateful *s, int64_t ordinal, struct xb_jv pod, bool make_claims, bool fix_pod)
{
	struct stateful_step step = { STATEFUL_FIX, ordinal, pod, .make_claims = make_claims, .fix_pod = fix_pod };

	return xb_vec_push(&s->steps, step);
}

/* What one replica needs comes first; *go_on: the next one may be looked at, too. */
static int plan_replica(struct stateful *s, int64_t ordinal, bool *go_on)
{
	struct xb_jv pod = pod_at(s, ordinal);
	unsigned claims = look_at_claims(s, ordinal, pod);
	bool stored;

	*go_on = s->parallel;
	if (!xb_jv_is(pod))
		return claims & STALE ? 0 : add(s, STATEFUL_CREATE, ordinal, pod);
	if (pods_deleting(pod))
		return 0;
	if (is_over(pod))
		return add(s, STATEFUL_DELETE, ordinal, pod);
	if (has_phase(pod, "Pending") && claims & (MISSING | UNSETTLED))
		return add_fix(s, ordinal, pod, true, false);
	if (!is_available(s, pod))
		return 0;
	*go_on = true;
	stored = stateful_storage_matches(s->set, pod, ordinal);
	if (stored && stateful_identity_matches(pod) && !(claims & UNSETTLED))
		return 0;
	return add_fix(s, ordinal, pod, !stored, true);
}

/* Steps of one act at a time: the others come when these show. */
static void keep_one_act(struct stateful *s)
{
	static const enum stateful_act order[] = { STATEFUL_FIX, STATEFUL_DELETE, STATEFUL_CREATE };
	size_t n = 0;

	for (size_t o = 0; o < ARRAY_SIZE(order) && !n; o++)
		for (size_t i = 0; i < s->steps.n; i++)
			if (s->steps.v[i].act == order[o])
				s->steps.v[n++] = s->steps.v[i];
	s->steps.n = n;
}

static int plan_replicas(struct stateful *s, bool *ret_go_on)
{
	bool go_on = true;
	int r = 0;

	for (int64_t i = 0; i < s->replicas && go_on && !r && s->steps.n < STATEFUL_BURST; i++)
		r = plan_replica(s, s->start + i, &go_on);
	*ret_go_on = go_on && !s->steps.n;
	return r;
}

/* --- the condemned --- */
static bool is_condemned(const struct stateful *s, const struct stateful_member *m)
{
	return m->ordinal < s->start || m->ordinal >= s->start + s->replicas;
}

static int fix_claims_of_condemned(struct stateful *s)
{
	int r = 0;

	for (size_t i = 0; i < s->members.n && !r && s->steps.n < STATEFUL_BURST; i++) {
		const struct stateful_member *m = &s->members.v[i];

		if (is_condemned(s, m) && look_at_claims(s, m->ordinal, m->pod) & UNSETTLED)
			r = add_fix(s, m->ordinal, m->pod, false, false);
	}
	return r;
}

static const struct stateful_member *lowest_unavailable_condemned(const struct stateful *s)
{
	for (size_t i = 0; i < s->members.n; i++)
		if (is_condemned(s, &s->members.v[i]) && !is_available(s, s->members.v[i].pod))
			return &s->members.v[i];
	return NULL;
}

/* One that is not available goes only when no lower one is in the same state: that is waited for, it may hold what others need. */
static int plan_condemned(struct stateful *s, bool *ret_go_on)
{
	const struct stateful_member *first = lowest_unavailable_condemned(s);
	int r = fix_claims_of_condemned(s);

	for (size_t i = s->members.n; i-- > 0 && !r && s->steps.n < STATEFUL_BURST;) {
		const struct stateful_member *m = &s->members.v[i];

		if (!is_condemned(s, m))
			continue;
		if (!pods_deleting(m->pod) && (s->parallel || m == first || is_available(s, m->pod)))
			r = add(s, STATEFUL_DELETE, m->ordinal, m->pod);
		if (!s->parallel)
			break;
	}
	*ret_go_on = (s->parallel || !first) && !s->steps.n;
	return r;
}

/* --- the update --- */
static int plan_update(struct stateful *s)
{
	for (int64_t i = s->replicas; i-- > s->partition;) {
		struct xb_jv pod = pod_at(s, s->start + i);

		if (xb_jv_is(pod) && !pods_deleting(pod) && !is_of(pod, s->update))
			return add(s, STATEFUL_DELETE, s->start + i, pod);
		if (!xb_jv_is(pod) || !is_available(s, pod))
			return 0;
	}
	return 0;
}

int stateful_plan(struct stateful *s)
{
	bool go_on;
	int r = plan_replicas(s, &go_on);

	if (!r && go_on)
		r = plan_condemned(s, &go_on);
	if (!r && go_on && !s->on_delete)
		r = plan_update(s);
	keep_one_act(s);
	return r;
}

/* --- status --- */
static int64_t number(struct xb_jv object, const char *group, const char *field)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_path(object, group, field), &n);
	return n;
}

static struct xb_sv status_text(const struct stateful *s, const char *field)
{
	return xb_jv_text(xb_jv_path(s->set, "status", field));
}

static bool is_complete(const struct stateful *s)
{
	return !s->on_delete && s->n_update == s->replicas && s->n_ready == s->replicas && s->n_created == s->replicas;
}

void stateful_status(const struct stateful *s, struct xb_buf *out)
{
	struct xb_sv current = xb_jv_is(s->current) ? xb_jv_meta(s->current, "name") : status_text(s, "currentRevision");
	struct xb_sv update = xb_jv_is(s->update) ? xb_jv_meta(s->update, "name") : status_text(s, "updateRevision");
	bool complete = xb_jv_is(s->update) && is_complete(s), same;
	const struct { const char *field; int64_t n; } counts[] = {
		{ "observedGeneration", number(s->set, "metadata", "generation") }, { "replicas", s->n_created },
		{ "readyReplicas", s->n_ready }, { "currentReplicas", complete ? s->n_update : s->n_current },
		{ "updatedReplicas", s->n_update }, { "availableReplicas", s->n_available },
	};
	struct xb_jw w = XB_JW(out);

	if (complete)
		current = update;
	same = xb_sv_eq(current, status_text(s, "currentRevision")) && xb_sv_eq(update, status_text(s, "updateRevision"));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		same &= number(s->set, "status", counts[i].field) == counts[i].n;
	if (same)
		return;
	xb_jw_object(&w);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		xb_jw_kint(&w, counts[i].field, counts[i].n);
	xb_jw_ksv(&w, "currentRevision", current);
	xb_jw_ksv(&w, "updateRevision", update);
	xb_jw_kint(&w, "collisionCount", number(s->set, "status", "collisionCount"));
	xb_jw_end(&w);
	if (xb_jw_finish(&w) < 0)
		out->err = -ENOMEM;
}
