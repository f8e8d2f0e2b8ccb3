/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pod that was given a node is bound when its claims are: volumes are reserved for them, or asked for on that node, and then
 * their binding is awaited, which is the controller manager's (upstream's VolumeBinding, Reserve and PreBind). Killed in between,
 * the next process finds claims that are bound, or a node that was selected, and the pod goes there.
 */
#include "claims.h"
#include "scheduler.h"
#include "xb/calls.h"
#include "xb/time.h"

#define TIMEOUT_MS (600 * 1000) /* upstream's bindTimeoutSeconds */

struct reserved {
	enum sched_storage_kind kind;
	char *key;
};
struct sched_reservation {
	LIST_ENTRY(sched_reservation) link;
	struct scheduler *scheduler;
	struct sched_pod *pod;
	struct xb_calls *calls;         /* NULL: everything is written */
	XB_VEC(struct reserved) objects; /* volumes that are the claims', claims whose volume is to be made */
	int64_t until_ms;
	char *why;                      /* what the API server said against it */
};

static void drop(struct sched_reservation *o)
{
	LIST_REMOVE(o, link);
	o->pod->reservation = NULL;
	o->scheduler->n_reserving -= o->calls != NULL;
	xb_calls_cancel(o->calls);
	for (size_t i = 0; i < o->objects.n; i++)
		free(o->objects.v[i].key);
	xb_vec_done(&o->objects);
	free(o->why);
	free(o);
}

void sched_unreserve(struct scheduler *s, struct sched_pod *p)
{
	struct sched_reservation *o = p->reservation;

	for (size_t i = 0; o && i < o->objects.n; i++)
		sched_storage_forget(s->cache->storage, o->objects.v[i].kind, xb_sv(o->objects.v[i].key));
	if (o)
		drop(o);
}

void sched_reserve_done(struct scheduler *s)
{
	while (LIST_FIRST(&s->reservations))
		drop(LIST_FIRST(&s->reservations));
}

static void fail(struct sched_reservation *o, const char *fmt, ...) _printf_(2, 3);
static void fail(struct sched_reservation *o, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf message = {};
	struct scheduler *s = o->scheduler;
	struct sched_pod *p = o->pod;
	va_list ap;

	xb_buf_adds(&message, "running PreBind plugin \"VolumeBinding\": ");
	va_start(ap, fmt);
	xb_buf_addv(&message, fmt, ap);
	va_end(ap);
	sched_unreserve(s, p);
	sched_take_back(s, p, xb_buf_sv(&message));
}

/* --- waiting for the binding --- */
static const char *node_of(const struct sched_reservation *o)
{
	return o->scheduler->cache->nodes.v[o->pod->node].name;
}

/* The claim is gone, or whoever was to make its volume there has given up. */
static bool is_hopeless(const struct sched_reservation *o, const char *key)
{
	struct xb_jv claim = sched_storage_get(o->scheduler->cache->storage, SCHED_CLAIMS, xb_sv(key));
	bool made = false;

	for (size_t i = 0; i < o->objects.n; i++)
		made |= o->objects.v[i].kind == SCHED_CLAIMS && !strcmp(o->objects.v[i].key, key);
	if (!xb_jv_is(claim) || !made || xb_jv_text(xb_jv_path(claim, "spec", "volumeName")).n)
		return !xb_jv_is(claim);
	return !xb_sv_is(xb_annotation(claim, XB_SELECTED_NODE), node_of(o));
}

/* They may have been bound to other volumes than those that were chosen, and volumes may show later than claims. */
static unsigned why_not_there(struct scheduler *s, const struct sched_pod *p)
{
	_cleanup_(sched_claims_done) struct sched_claims claims = {};

	return sched_claims_read(&claims, s->cache, p) ? SCHED_VOLUME_LOST : sched_claims_fit(&claims, &s->cache->nodes.v[p->node]);
}

static void look(struct sched_reservation *o)
{
	struct scheduler *s = o->scheduler;
	struct sched_pod *p = o->pod;
	unsigned why;

	if (o->calls)
		return;
	for (size_t i = 0; i < p->claims.n; i++)
		if (is_hopeless(o, p->claims.v[i].key)) {
			fail(o, "binding volumes: provisioning failed for PVC \"%s\"", strchr(p->claims.v[i].key, '/') + 1);
			return;
		}
	why = sched_claims_are_bound(s->cache, p) ? why_not_there(s, p) : SCHED_VOLUME_LOST;
	if (why & SCHED_VOLUME_LOST)
		return;
	if (why) {
		fail(o, "binding volumes: pv node affinity doesn't match node \"%s\"", node_of(o));
		return;
	}
	drop(o);
	sched_bind(s, p);
}

void sched_reserve_look(struct scheduler *s, struct xb_sv claim)
{
	struct sched_reservation *o = LIST_FIRST(&s->reservations), *next;

	for (; o; o = next) {
		next = LIST_NEXT(o, link);
		for (size_t i = 0; i < o->pod->claims.n; i++)
			if (xb_sv_is(claim, o->pod->claims.v[i].key)) {
				look(o);
				break;
			}
	}
}

void sched_reserve_tick(struct scheduler *s, int64_t now)
{
	struct sched_reservation *o = LIST_FIRST(&s->reservations), *next;

	for (; o; o = next) {
		next = LIST_NEXT(o, link);
		if (o->until_ms <= now)
			fail(o, "binding volumes: context deadline exceeded");
	}
}

/* --- writing --- */
static int on_put(void *arg, int code, struct xb_sv body, const struct xb_status *status)
{
	struct sched_reservation *o = arg;

	if (code / 100 != 2 && !o->why)
		o->why = strdup(status->message ? status->message : "no answer");
	return xb_calls_error(code, status);
}

static void on_written(void *arg, int error)
{
	struct sched_reservation *o = arg;

	struct scheduler *s = o->scheduler;

	o->calls = NULL;
	s->n_reserving--;
	if (error)
		fail(o, "%s", o->why ? o->why : strerror(-error));
	else
		look(o);
	sched_work(s);
}

static int note(struct sched_reservation *o, enum sched_storage_kind kind, struct xb_jv object)
{
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(object, "metadata", "namespace"));
	_cleanup_buf_ struct xb_buf key = {};
	int r = xb_vec_room(&o->objects, 1);

	xb_buf_addf(&key, "%.*s%s%.*s", XB_SV_ARG(namespace_), namespace_.n ? "/" : "",
		    XB_SV_ARG(xb_jv_text(xb_jv_path(object, "metadata", "name"))));
	if (r || key.err)
		return -ENOMEM;
	o->objects.v[o->objects.n++] = (struct reserved){ kind, xb_buf_steal(&key) };
	return 0;
}

/* The object that was noted last counts as it is written. */
static int put(struct sched_reservation *o, const struct xb_tree *object)
{
	const struct reserved *last = &o->objects.v[o->objects.n - 1];
	const struct xb_kind *k = sched_kind("", "v1", last->kind == SCHED_CLAIMS ? "persistentvolumeclaims" : "persistentvolumes");
	_cleanup_buf_ struct xb_buf body = {}, path = {};
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	struct xb_rest_request q = { .method = "PUT", .content_type = "application/json" };
	int r;

	xb_tree_write(object, &body);
	xb_kind_path(k, xb_tree_text(xb_tree_path(object, "metadata", "namespace")), xb_tree_text(xb_tree_path(object, "metadata", "name")),
		     NULL, &path);
	r = body.err || path.err ? -ENOMEM : xb_json_parse(xb_buf_sv(&body), NULL, &doc, NULL);
	if (!r)
		r = sched_storage_assume(o->scheduler->cache->storage, last->kind, xb_sv(last->key), doc);
	q.path = path.p;
	q.body = xb_buf_sv(&body);
	return r ? r : xb_calls_add(o->calls, &q, on_put, o);
}

static int reserve(struct sched_reservation *o, const struct sched_wish *w, struct xb_jv volume)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	bool made = !xb_jv_is(volume);
	struct xb_tree *claim = a ? xb_tree_from(a, w->claim.object, NULL, NULL) : NULL;
	struct xb_tree *object = a && !made ? xb_tree_from(a, volume, NULL, NULL) : claim;
	int r, noted;

	if (!claim || !object)
		return -ENOMEM;
	r = made ? xb_annotate(a, object, XB_SELECTED_NODE, xb_sv(node_of(o))) : xb_volume_reserve(a, object, claim);
	/* another pod with the same claim may have reserved the volume: then it is not this one's to take back */
	if (r < 0 || (!r && !made))
		return r;
	noted = note(o, made ? SCHED_CLAIMS : SCHED_VOLUMES, made ? w->claim.object : volume);
	return noted ? noted : r ? put(o, object) : 0;
}

static int begin(struct sched_reservation *o, const struct sched_claims *claims)
{
	int r = 0;

	o->calls = xb_calls_new(o->scheduler->rest, on_written, o);
	if (!o->calls)
		return -ENOMEM;
	o->scheduler->n_reserving++;
	for (size_t i = 0; !r && i < claims->wishes.n; i++)
		r = reserve(o, &claims->wishes.v[i], claims->chosen[i]);
	if (!r)
		xb_calls_end(o->calls);
	return r;
}

int sched_reserve(struct scheduler *s, struct sched_pod *p)
{
	_cleanup_(sched_claims_done) struct sched_claims claims = {};
	struct sched_reservation *o;
	int r = sched_claims_read(&claims, s->cache, p);

	if (r || !claims.wishes.n)
		return r;
	/* nothing has changed since the node was found to fit; this says again with which volumes */
	sched_claims_fit(&claims, &s->cache->nodes.v[p->node]);
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	*o = (struct sched_reservation){ .scheduler = s, .pod = p, .until_ms = xb_time_ms() + TIMEOUT_MS };
	LIST_INSERT_HEAD(&s->reservations, o, link);
	p->reservation = o;
	r = begin(o, &claims);
	if (r)
		sched_unreserve(s, p);
	return r ? r : 1;
}
