/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "../pods.h"
#include "rollout_status.h"
#include "xb/time.h"

#define PROGRESSING "Progressing"
#define FAILURE     "ReplicaFailure"
#define COMPLETE    "NewReplicaSetAvailable"
#define TIMED_OUT   "ProgressDeadlineExceeded"
#define PAUSED      "DeploymentPaused"

struct condition {
	struct xb_sv type, status, reason;
	struct xb_sv message;           /* as JSON */
	struct xb_sv updated, changed;
};
struct conditions {
	XB_VEC(struct condition) list;
	struct xb_time_text now;
	XB_VEC(char *) texts;
	bool changed;
	int err;
};

struct counts {
	int64_t replicas, updated, ready, available, unavailable, observed;
};
static const struct {
	const char *field;
	size_t at;
} count_fields[] = {
	{ "replicas", offsetof(struct counts, replicas) }, { "updatedReplicas", offsetof(struct counts, updated) },
	{ "readyReplicas", offsetof(struct counts, ready) }, { "availableReplicas", offsetof(struct counts, available) },
	{ "unavailableReplicas", offsetof(struct counts, unavailable) }, { "observedGeneration", offsetof(struct counts, observed) },
};

static int64_t *count_at(struct counts *c, size_t i)
{
	return (int64_t *)((char *)c + count_fields[i].at);
}

static int64_t number(struct xb_jv object, const char *group, const char *field)
{
	int64_t n = 0;

	xb_jv_i64(xb_jv_path(object, group, field), &n);
	return n;
}

/* --- conditions --- */
static void conditions_done(struct conditions *c)
{
	for (size_t i = 0; i < c->texts.n; i++)
		free(c->texts.v[i]);
	xb_vec_done(&c->texts);
	xb_vec_done(&c->list);
}

static struct condition read_condition(struct xb_jv v)
{
	return (struct condition){
		.type = xb_jv_text(xb_jv_get(v, "type")), .status = xb_jv_text(xb_jv_get(v, "status")),
		.reason = xb_jv_text(xb_jv_get(v, "reason")), .message = xb_jv_bytes(xb_jv_get(v, "message")),
		.updated = xb_jv_text(xb_jv_get(v, "lastUpdateTime")), .changed = xb_jv_text(xb_jv_get(v, "lastTransitionTime")),
	};
}

static void push(struct conditions *c, struct condition one)
{
	if (xb_vec_push(&c->list, one))
		c->err = -ENOMEM;
}

static void conditions_read(struct conditions *c, struct xb_jv deployment, int64_t now)
{
	c->now = xb_time_format(now);
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(deployment, "status", "conditions")); xb_jit_next(&it);)
		push(c, read_condition(it.value));
}

static struct condition *find(struct conditions *c, const char *type)
{
	for (size_t i = 0; i < c->list.n; i++)
		if (xb_sv_is(c->list.v[i].type, type))
			return &c->list.v[i];
	return NULL;
}

static bool has_reason(struct conditions *c, const char *reason)
{
	const struct condition *progressing = find(c, PROGRESSING);

	return progressing && xb_sv_is(progressing->reason, reason);
}

static void drop(struct conditions *c, const char *type)
{
	struct condition *was = find(c, type);

	if (!was)
		return;
	xb_vec_remove(&c->list, was - c->list.v);
	c->changed = true;
}

/* What says the same already stays as it is, unless anew is set; the time of a change is that of its status. */
static void set(struct conditions *c, struct condition one, bool anew)
{
	const struct condition *was = find(c, one.type.p);

	if (was && xb_sv_eq(was->status, one.status)) {
		if (!anew && xb_sv_eq(was->reason, one.reason))
			return;
		one.changed = was->changed;
	}
	drop(c, one.type.p);
	push(c, one);
	c->changed = true;
}

static struct condition condition(struct conditions *c, const char *type, const char *status, const char *reason, struct xb_sv message)
{
	_cleanup_buf_ struct xb_buf quoted = {};
	struct condition one = {
		.type = xb_sv(type), .status = xb_sv(status), .reason = xb_sv(reason),
		.updated = xb_sv(c->now.s), .changed = xb_sv(c->now.s),
	};

	xb_json_quote(message, &quoted);
	if (quoted.err || xb_vec_push(&c->texts, quoted.p)) {
		c->err = -ENOMEM;
		return one;
	}
	one.message = xb_buf_sv(&quoted);
	xb_buf_steal(&quoted);
	return one;
}

static void write_conditions(const struct conditions *c, struct xb_jw *w)
{
	xb_jw_key(w, "conditions");
	xb_jw_array(w);
	for (size_t i = 0; i < c->list.n; i++) {
		const struct condition *one = &c->list.v[i];

		xb_jw_object(w);
		xb_jw_ksv(w, "type", one->type);
		xb_jw_ksv(w, "status", one->status);
		xb_jw_ksv(w, "lastUpdateTime", one->updated);
		xb_jw_ksv(w, "lastTransitionTime", one->changed);
		xb_jw_ksv(w, "reason", one->reason);
		if (one->message.n) {
			xb_jw_key(w, "message");
			xb_jw_raw(w, one->message);
		}
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

/* --- what there is to tell --- */
static struct counts count(const struct rollout *r)
{
	struct counts c = { .observed = number(r->deployment, "metadata", "generation") };
	int64_t told = MAX(r->make, (int64_t)0);

	for (size_t i = 0; i < r->sets.n; i++) {
		const struct rollout_set *s = &r->sets.v[i];

		told += s->replicas;
		c.replicas += s->actual;
		c.ready += s->ready;
		c.available += s->available;
	}
	c.updated = r->current ? r->current->actual : 0;
	c.unavailable = MAX(told - c.available, (int64_t)0);
	return c;
}

static struct counts counts_told(const struct rollout *r)
{
	struct counts c;

	for (size_t i = 0; i < ARRAY_SIZE(count_fields); i++)
		*count_at(&c, i) = number(r->deployment, "status", count_fields[i].field);
	return c;
}

static bool complete(const struct rollout *r, const struct counts *c)
{
	return c->updated == r->replicas && c->replicas == r->replicas && c->available == r->replicas;
}

static bool progressed(const struct counts *was, const struct counts *is)
{
	return is->updated > was->updated || is->replicas - is->updated < was->replicas - was->updated || is->ready > was->ready ||
	       is->available > was->available;
}

static bool has_deadline(struct xb_jv deployment)
{
	int64_t n = INT32_MAX;

	xb_jv_i64(xb_jv_path(deployment, "spec", "progressDeadlineSeconds"), &n);
	return n != INT32_MAX;
}

/* When the rollout counts as stuck; 0 when it does not come to that: it never began, is over, or counts as stuck already. */
static int64_t deadline(const struct rollout *r, struct conditions *c)
{
	const struct condition *progressing = find(c, PROGRESSING);
	int64_t since = 0;

	if (!progressing || has_reason(c, COMPLETE) || has_reason(c, TIMED_OUT))
		return 0;
	xb_time_parse(progressing->updated, &since);
	return since + number(r->deployment, "spec", "progressDeadlineSeconds") * 1000000;
}

static struct condition progress(struct conditions *c, const struct rollout *r, const char *status, const char *reason, const char *what)
{
	struct xb_jv of = r->current ? r->current->object : r->deployment;
	_cleanup_buf_ struct xb_buf message = {};

	xb_buf_addf(&message, "%s \"%.*s\" %s", r->current ? "ReplicaSet" : "Deployment",
		    XB_SV_ARG(xb_jv_text(xb_jv_path(of, "metadata", "name"))), what);
	return condition(c, PROGRESSING, status, reason, xb_buf_sv(&message));
}

static void estimate_progress(struct conditions *c, const struct rollout *r, const struct counts *is, int64_t now)
{
	struct counts was = counts_told(r);
	int64_t end = deadline(r, c);

	if (!has_deadline(r->deployment))
		drop(c, PROGRESSING);
	else if (is->replicas == is->updated && has_reason(c, COMPLETE))
		return;
	else if (complete(r, is))
		set(c, progress(c, r, "True", COMPLETE, "has successfully progressed."), false);
	else if (progressed(&was, is))
		set(c, progress(c, r, "True", "ReplicaSetUpdated", "is progressing."), true);
	else if (end && end < now)
		set(c, progress(c, r, "False", TIMED_OUT, "has timed out progressing."), false);
}

/* A time that was spent paused does not count towards the deadline. */
static void tell_paused(struct conditions *c, const struct rollout *r)
{
	if (!has_deadline(r->deployment) || has_reason(c, TIMED_OUT) || r->paused == has_reason(c, PAUSED))
		return;
	if (r->paused)
		set(c, condition(c, PROGRESSING, "Unknown", PAUSED, XB_SV("Deployment is paused")), false);
	else
		set(c, condition(c, PROGRESSING, "Unknown", "DeploymentResumed", XB_SV("Deployment is resumed")), false);
}

static void tell_found(struct conditions *c, const struct rollout *r)
{
	_cleanup_buf_ struct xb_buf message = {};

	if (!r->current || !has_deadline(r->deployment) || find(c, PROGRESSING))
		return;
	xb_buf_addf(&message, "Found new replica set \"%.*s\"", XB_SV_ARG(xb_jv_text(xb_jv_path(r->current->object, "metadata", "name"))));
	set(c, condition(c, PROGRESSING, "True", "FoundNewReplicaSet", xb_buf_sv(&message)), false);
}

static void tell_available(struct conditions *c, const struct rollout *r, const struct counts *is)
{
	if (is->available >= r->replicas - r->unavailable)
		set(c, condition(c, "Available", "True", "MinimumReplicasAvailable", XB_SV("Deployment has minimum availability.")), false);
	else
		set(c, condition(c, "Available", "False", "MinimumReplicasUnavailable", XB_SV("Deployment does not have minimum availability.")),
		    false);
}

static struct xb_jv failure_of(struct xb_jv set)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(set, "status", "conditions")); xb_jit_next(&it);)
		if (xb_jv_streq(xb_jv_get(it.value, "type"), XB_SV(FAILURE)))
			return it.value;
	return (struct xb_jv){};
}

/* The current set's before another one's. */
static void tell_failure(struct conditions *c, const struct rollout *r)
{
	struct xb_jv failure = r->current ? failure_of(r->current->object) : (struct xb_jv){};
	struct condition one;

	for (size_t i = 0; i < r->sets.n && !xb_jv_is(failure); i++)
		failure = failure_of(r->sets.v[i].object);
	if (!xb_jv_is(failure)) {
		drop(c, FAILURE);
		return;
	}
	one = read_condition(failure);
	one.type = XB_SV(FAILURE);
	one.updated = one.changed;
	set(c, one, false);
}

/* --- patches --- */
static void open_patch(struct xb_jw *w, struct xb_jv deployment, struct xb_sv revision)
{
	struct xb_jv meta = xb_jv_get(deployment, "metadata");

	xb_jw_object(w);
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	xb_jw_ksv(w, "uid", xb_jv_text(xb_jv_get(meta, "uid")));
	xb_jw_ksv(w, "resourceVersion", xb_jv_text(xb_jv_get(meta, "resourceVersion")));
	if (revision.n) {
		xb_jw_key(w, "annotations");
		xb_jw_object(w);
		xb_jw_ksv(w, ROLLOUT_REVISION, revision);
		xb_jw_end(w);
	}
	xb_jw_end(w);
	xb_jw_key(w, "status");
	xb_jw_object(w);
}

static void close_patch(struct xb_jw *w, int err)
{
	xb_jw_end(w);
	xb_jw_end(w);
	if (xb_jw_finish(w) < 0 || err)
		w->out->err = -ENOMEM;
}

/* {} when the Deployment has that one. */
static struct xb_sv other_revision(const struct rollout *r)
{
	struct xb_sv of = r->current ? xb_jv_text(xb_jv_path(r->current->object, "metadata", "annotations", ROLLOUT_REVISION)) : (struct xb_sv){};

	return xb_sv_eq(of, xb_jv_text(xb_jv_path(r->deployment, "metadata", "annotations", ROLLOUT_REVISION))) ? (struct xb_sv){} : of;
}

static void write_status(const struct rollout *r, struct counts *is, const struct conditions *c, struct xb_sv revision, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	open_patch(&w, r->deployment, revision);
	for (size_t i = 0; i < ARRAY_SIZE(count_fields); i++)
		xb_jw_kint(&w, count_fields[i].field, *count_at(is, i));
	if (c->changed)
		write_conditions(c, &w);
	close_patch(&w, c->err);
}

void rollout_status_patch(const struct rollout *r, int64_t now, struct xb_buf *out, int64_t *ret_again)
{
	_cleanup_(conditions_done) struct conditions c = {};
	struct counts is = count(r), was = counts_told(r);
	struct xb_sv revision = other_revision(r);

	conditions_read(&c, r->deployment, now);
	tell_paused(&c, r);
	tell_found(&c, r);
	tell_available(&c, r, &is);
	if (!r->scaling) {
		estimate_progress(&c, r, &is, now);
		tell_failure(&c, r);
	}
	*ret_again = r->scaling || !has_deadline(r->deployment) ? 0 : deadline(r, &c);
	if (!c.err && !c.changed && !revision.n && !memcmp(&is, &was, sizeof(is)))
		return;
	write_status(r, &is, &c, revision, out);
}

void rollout_made_patch(const struct rollout *r, const char *set_name, int64_t now, struct xb_buf *out)
{
	_cleanup_(conditions_done) struct conditions c = {};
	_cleanup_buf_ struct xb_buf message = {}, revision = {};
	struct counts is = count(r);

	xb_buf_addf(&revision, "%lld", (long long)rollout_next_revision(r));
	xb_buf_addf(&message, "Created new replica set \"%s\"", set_name);
	conditions_read(&c, r->deployment, now);
	tell_available(&c, r, &is);
	if (has_deadline(r->deployment))
		set(&c, condition(&c, PROGRESSING, "True", "NewReplicaSetCreated", xb_buf_sv(&message)), false);
	write_status(r, &is, &c, xb_buf_sv(&revision), out);
	if (message.err || revision.err)
		out->err = -ENOMEM;
}

void rollout_refused_patch(struct xb_jv deployment, struct xb_sv message, int64_t now, struct xb_buf *out)
{
	_cleanup_(conditions_done) struct conditions c = {};
	struct xb_jw w = XB_JW(out);

	if (!has_deadline(deployment))
		return;
	conditions_read(&c, deployment, now);
	set(&c, condition(&c, PROGRESSING, "False", ROLLOUT_CREATE_ERROR, message), false);
	if (!c.changed && !c.err)
		return;
	open_patch(&w, deployment, (struct xb_sv){});
	write_conditions(&c, &w);
	close_patch(&w, c.err);
}

void rollout_collision_patch(struct xb_jv deployment, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	open_patch(&w, deployment, (struct xb_sv){});
	xb_jw_kint(&w, "collisionCount", number(deployment, "status", "collisionCount") + 1);
	close_patch(&w, 0);
}
