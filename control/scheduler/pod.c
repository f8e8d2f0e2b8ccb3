/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "belongs.h"
#include "cache.h"
#include "xb/volumes.h"

/* --- reading --- */
static int read_ports(struct sched_names *names, struct xb_jv container, struct sched_pod *p)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(container, "ports")); !r && xb_jit_next(&it);) {
		struct xb_sv ip = sched_text(it.value, "hostIP"), protocol = sched_text(it.value, "protocol");
		int64_t port = 0;

		if (xb_jv_i64(xb_jv_get(it.value, "hostPort"), &port) || port <= 0)
			continue;
		r = xb_vec_push(&p->ports, (struct sched_port){
			.ip = !ip.n || xb_sv_is(ip, "0.0.0.0") ? 0 : sched_names_id(names, ip),
			.port = port, .protocol = protocol.n ? *protocol.p : 'T' });
	}
	return r;
}

/* As images are known on nodes: with a tag. */
static int read_image(struct sched_names *names, struct xb_jv container, struct sched_pod *p)
{
	struct xb_sv image = sched_text(container, "image");
	_cleanup_buf_ struct xb_buf full = {};
	size_t colon = 0, slash = 0;

	for (size_t i = 0; i < image.n; i++)
		*(image.p[i] == ':' ? &colon : image.p[i] == '/' ? &slash : &(size_t){ 0 }) = i + 1;
	xb_buf_addsv(&full, image);
	if (colon <= slash)
		xb_buf_adds(&full, ":latest");
	return full.err ? full.err : xb_vec_push(&p->images, sched_names_id(names, xb_buf_sv(&full)));
}

/* Host ports are those of containers and sidecars. */
static int read_containers(struct sched_names *names, struct sched_pod *p)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(p->spec, "containers")); !r && xb_jit_next(&it);) {
		r = read_ports(names, it.value, p);
		if (!r)
			r = read_image(names, it.value, p);
	}
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(p->spec, "initContainers")); !r && xb_jit_next(&it);) {
		if (xb_sv_is(sched_text(it.value, "restartPolicy"), "Always"))
			r = read_ports(names, it.value, p);
		if (!r)
			r = read_image(names, it.value, p);
	}
	return r;
}

static int read_claims(struct sched_pod *p)
{
	_cleanup_buf_ struct xb_buf name = {}, key = {};
	struct sched_pod_claim claim;
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(p->spec, "volumes")); !r && xb_jit_next(&it);) {
		if (!xb_pod_claim(xb_json_root(p->doc), it.value, &name, &claim.ephemeral))
			continue;
		xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(p->namespace_), XB_SV_ARG(xb_buf_sv(&name)));
		r = name.err ? name.err : xb_vec_room(&p->claims, 1);
		claim.key = r ? NULL : xb_buf_steal(&key);
		if (claim.key)
			p->claims.v[p->claims.n++] = claim;
		else
			r = -ENOMEM;
	}
	return r;
}

static int add_rule(struct sched_cache *c, struct sched_pod *p, struct sched_term *made, const struct sched_rule *like)
{
	_cleanup_(sched_term_freep) struct sched_term *t = made;
	struct sched_rule rule = *like;
	int r = xb_vec_room(&p->rules, 1);

	if (!r)
		r = sched_cache_term(c, TAKE_PTR(t), &rule.term);
	if (r)
		return r;
	if (!rule.topology_key)
		rule.topology_key = rule.term->topology_key;
	rule.of_itself = sched_cache_term_means(c, rule.term, p->namespace_, p->labels);
	p->rules.v[p->rules.n++] = rule;
	return 0;
}

static uint32_t topology_key(struct sched_cache *c, struct xb_jv term)
{
	return sched_names_id(c->names, sched_text(term, "topologyKey"));
}

static int read_term(struct sched_cache *c, struct sched_pod *p, struct xb_jv term, enum sched_role role, int32_t weight)
{
	_cleanup_(sched_term_freep) struct sched_term *t = sched_term_new(topology_key(c, term), false);
	int r = t ? sched_term_add_affinity(t, term, p->namespace_) : -ENOMEM;

	return r ? r : add_rule(c, p, TAKE_PTR(t), &(struct sched_rule){ .role = role, .weight = weight });
}

/* Pods count for a required affinity when they match all of its terms, so each term is made of all. */
static int read_required(struct sched_cache *c, struct sched_pod *p, struct xb_jv terms)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(terms); !r && xb_jit_next(&it);) {
		_cleanup_(sched_term_freep) struct sched_term *t = sched_term_new(topology_key(c, it.value), false);

		r = t ? 0 : -ENOMEM;
		for (struct xb_jit all = xb_jv_iter(terms); !r && xb_jit_next(&all);)
			r = sched_term_add_affinity(t, all.value, p->namespace_);
		if (!r)
			r = add_rule(c, p, TAKE_PTR(t), &(struct sched_rule){ .role = SCHED_AFFINITY });
		if (!r)
			r = read_term(c, p, it.value, SCHED_HARD_SCORE, 1);
	}
	return r;
}

static int read_preferred(struct sched_cache *c, struct sched_pod *p, struct xb_jv terms, int sign)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(terms); !r && xb_jit_next(&it);) {
		int64_t weight = 0;

		xb_jv_i64(xb_jv_get(it.value, "weight"), &weight);
		if (weight)
			r = read_term(c, p, xb_jv_get(it.value, "podAffinityTerm"), SCHED_PREFERENCE, sign * weight);
	}
	return r;
}

static struct sched_rule spread_rule(struct sched_cache *c, struct xb_jv v)
{
	bool hard = !xb_sv_is(sched_text(v, "whenUnsatisfiable"), "ScheduleAnyway");
	struct sched_rule rule = {
		.topology_key = topology_key(c, v),
		.role = hard ? SCHED_SPREAD : SCHED_SOFT_SPREAD,
		.any_node = xb_sv_is(sched_text(v, "nodeAffinityPolicy"), "Ignore"),
		.mind_taints = xb_sv_is(sched_text(v, "nodeTaintsPolicy"), "Honor"),
	};
	int64_t skew = 1, domains = 1;

	xb_jv_i64(xb_jv_get(v, "maxSkew"), &skew);
	xb_jv_i64(xb_jv_get(v, "minDomains"), &domains);
	rule.weight = skew;
	rule.min_domains = domains;
	return rule;
}

static int read_spread(struct sched_cache *c, struct sched_pod *p, struct xb_jv v)
{
	_cleanup_(sched_term_freep) struct sched_term *t = sched_term_new(0, true);
	struct sched_rule rule = spread_rule(c, v);
	int r = t ? sched_term_add_spread(t, v, p->namespace_, p->labels) : -ENOMEM;

	return r ? r : add_rule(c, p, TAKE_PTR(t), &rule);
}

static int read_rules(struct sched_cache *c, struct sched_pod *p)
{
	static const char hard[] = "requiredDuringSchedulingIgnoredDuringExecution", soft[] = "preferredDuringSchedulingIgnoredDuringExecution";
	struct xb_jv affinity = xb_jv_get(p->spec, "affinity"), anti = xb_jv_get(affinity, "podAntiAffinity");
	int r = 0;

	affinity = xb_jv_get(affinity, "podAffinity");
	r = read_required(c, p, xb_jv_get(affinity, hard));
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(anti, hard)); !r && xb_jit_next(&it);)
		r = read_term(c, p, it.value, SCHED_ANTI_AFFINITY, 0);
	if (!r)
		r = read_preferred(c, p, xb_jv_get(affinity, soft), 1);
	if (!r)
		r = read_preferred(c, p, xb_jv_get(anti, soft), -1);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(p->spec, "topologySpreadConstraints")); !r && xb_jit_next(&it);)
		r = read_spread(c, p, it.value);
	return r;
}

/* --- rules by default: after the pod's own --- */
void sched_pod_forget_defaults(struct sched_cache *c, struct sched_pod *p)
{
	while (p->rules.n && p->rules.v[p->rules.n - 1].by_default)
		sched_cache_term_unref(c, p->rules.v[--p->rules.n].term);
	if (!p->rules.n)
		xb_vec_done(&p->rules);
}

static bool has_constraints(const struct sched_pod *p)
{
	for (size_t i = 0; i < p->rules.n; i++)
		if (!p->rules.v[i].by_default && (p->rules.v[i].role == SCHED_SPREAD || p->rules.v[i].role == SCHED_SOFT_SPREAD))
			return true;
	return false;
}

int sched_pod_spread_by_default(struct sched_cache *c, struct sched_pod *p, struct xb_jv constraints)
{
	struct sched_term *t = NULL;
	int r = has_constraints(p) ? 0 : sched_belongs_term(c, p, &t);

	sched_pod_forget_defaults(c, p);
	if (r <= 0)
		return r;
	r = xb_vec_room(&p->rules, xb_jv_count(constraints));
	for (struct xb_jit it = xb_jv_iter(constraints); !r && xb_jit_next(&it);) {
		struct sched_rule rule = spread_rule(c, it.value);

		rule.term = t;
		rule.by_default = true;
		rule.of_itself = sched_cache_term_means(c, t, p->namespace_, p->labels);
		t->refs++;
		p->rules.v[p->rules.n++] = rule;
	}
	sched_cache_term_unref(c, t);
	return r;
}

/* --- its life --- */
static void clear(struct sched_cache *c, struct sched_pod *p)
{
	for (size_t i = 0; i < p->rules.n; i++)
		sched_cache_term_unref(c, p->rules.v[i].term);
	xb_vec_done(&p->rules);
	sched_groups_leave(&c->groups, p);
	xb_vec_done(&p->ports);
	xb_vec_done(&p->images);
	for (size_t i = 0; i < p->claims.n; i++)
		free(p->claims.v[i].key);
	xb_vec_done(&p->claims);
	sched_resources_done(&p->request);
	p->request = (struct sched_resources){};
}

struct sched_pod *sched_pod_free(struct sched_cache *c, struct sched_pod *p)
{
	if (!p)
		return NULL;
	clear(c, p);
	xb_json_unref(p->doc);
	free(p->key);
	free(p);
	return NULL;
}

void sched_pod_renew(struct sched_pod *p, struct xb_jv object)
{
	struct xb_jv meta = xb_jv_get(object, "metadata");
	struct xb_json *old = p->doc;

	p->doc = xb_json_ref(object.doc);
	p->namespace_ = sched_text(meta, "namespace");
	p->name = sched_text(meta, "name");
	p->uid = sched_text(meta, "uid");
	p->started = xb_jv_text(xb_jv_path(object, "status", "startTime"));
	p->spec = xb_jv_get(object, "spec");
	p->labels = xb_jv_get(meta, "labels");
	p->terminating = xb_jv_is(xb_jv_get(meta, "deletionTimestamp"));
	p->gated = xb_jv_count(xb_jv_get(p->spec, "schedulingGates")) > 0;
	xb_json_unref(old);
}

int sched_pod_read(struct sched_cache *c, struct sched_pod *p, struct xb_jv object)
{
	int64_t priority = 0;
	int r;

	clear(c, p);
	sched_pod_renew(p, object);
	xb_jv_i64(xb_jv_get(p->spec, "priority"), &priority);
	p->priority = priority;
	r = sched_resources_of_pod(c->names, p->spec, &p->request);
	p->request.v[SCHED_PODS] = 1;
	if (!r)
		r = sched_resources_nonzero(c->names, p->spec, p->nonzero);
	if (!r)
		r = read_containers(c->names, p);
	if (!r)
		r = read_claims(p);
	if (!r)
		r = sched_groups_join(&c->groups, p);
	return r ? r : read_rules(c, p);
}

int sched_pod_new(struct sched_cache *c, struct xb_jv object, struct sched_pod **ret)
{
	struct sched_pod *p = calloc(1, sizeof(*p));
	_cleanup_buf_ struct xb_buf key = {};
	int r;

	if (!p)
		return -ENOMEM;
	p->node = p->nominated = SCHED_NO_NODE;
	r = sched_pod_read(c, p, object);
	xb_buf_addf(&key, "%.*s/%.*s", XB_SV_ARG(p->namespace_), XB_SV_ARG(p->name));
	p->key = xb_buf_steal(&key);
	if (r || !p->key) {
		sched_pod_free(c, p);
		return r ? r : -ENOMEM;
	}
	*ret = p;
	return 0;
}

bool sched_pod_same(const struct sched_pod *p, struct xb_jv object, bool but_for_binding)
{
	struct xb_jv meta = xb_jv_get(object, "metadata");

	return p->terminating == xb_jv_is(xb_jv_get(meta, "deletionTimestamp"))
		&& (but_for_binding || xb_sv_eq(xb_jv_bytes(p->spec), xb_jv_bytes(xb_jv_get(object, "spec"))))
		&& xb_sv_eq(xb_jv_bytes(p->labels), xb_jv_bytes(xb_jv_get(meta, "labels")));
}

bool sched_pod_ended(struct xb_jv object)
{
	struct xb_sv phase = xb_jv_text(xb_jv_path(object, "status", "phase"));

	return xb_sv_is(phase, "Succeeded") || xb_sv_is(phase, "Failed");
}

struct xb_jv sched_pod_condition(struct xb_jv object, const char *type)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_path(object, "status", "conditions")); xb_jit_next(&it);)
		if (xb_sv_is(sched_text(it.value, "type"), type))
			return it.value;
	return (struct xb_jv){};
}

bool sched_ports_clash(const struct sched_port *a, const struct sched_port *b)
{
	return a->port == b->port && a->protocol == b->protocol && (a->ip == b->ip || !a->ip || !b->ip);
}
