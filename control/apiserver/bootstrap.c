/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bootstrap.h"
#include "decode.h"
#include "options.h"
#include "rbac_default.h"
#include "registry/priorityclass.h"
#include "registry/registry.h"
#include "write.h"
#include "xb/log.h"

int bootstrap_adopt(struct server *s)
{
	_cleanup_(store_walk_freep) struct store_walk *walk = NULL;
	struct store_object *o;
	int r;

	r = store_walk_new(s->store, "services/", NULL, 0, &walk);
	if (r)
		return r;
	while ((o = store_walk_next(walk)))
		registry_adopt_service(s->registry, xb_json_root(o->doc));
	return store_walk_error(walk);
}

static void release(struct request *q)
{
	struct server *s = q->server;

	if (q->fault.code)
		log_err("cannot make %s \"%.*s\": %s", q->route.kind->plural, XB_SV_ARG(q->route.name), q->fault.message ? q->fault.message : "");
	if (!--s->bootstrapping)
		s->ready = true;
}

static void answer(struct request *q, const struct xb_json *doc)
{
	request_free(q);
}

static int correct(struct request *q, const struct bootstrap_object *want, struct xb_tree *object)
{
	struct xb_tree *member = want->member ? xb_tree_get(object, want->member) : NULL, *old, *changed;
	struct store_object *head;
	int r;

	r = write_read(q, &head, &old);
	if (r)
		return r;
	changed = xb_tree_copy(q->arena, old);
	if (!changed)
		return -ENOMEM;
	if (want->reconcile && !want->reconcile(q->arena, changed, object))
		return write_nothing(q, head->doc, 200);
	if (member) {
		xb_tree_remove(member);
		xb_tree_set(changed, xb_sv(want->member), member);
	}
	return update_object(q, head, old, changed);
}

static int make(struct request *q, const struct bootstrap_object *want)
{
	struct xb_tree *object = xb_tree_parse(q->arena, want->json);
	struct store_object *there;
	const char *key;
	int r;

	r = write_init(q);
	q->answer = answer;
	key = r ? NULL : write_key(q, &q->write);
	if (!key || !object)
		return -ENOMEM;
	there = store_head(q->server->store, key);
	if (there && !want->member && !want->reconcile)
		return write_nothing(q, there->doc, 200);
	r = decode_object(q, expected_of(&q->route), object);
	if (r)
		return r;
	return there ? correct(q, want, object) : create_object(q, object);
}

int bootstrap_ensure(struct server *s, const struct bootstrap_object *want)
{
	struct request *q = request_new(s, NULL);
	bool refused;
	int r;

	if (!q)
		return -ENOMEM;
	q->route.verb = XB_VERB_CREATE;
	q->route.kind = xb_kind_by_resource(xb_sv(want->group), XB_SV("v1"), xb_sv(want->plural));
	q->route.namespace_ = xb_sv(want->namespace_);
	q->route.name = xb_sv(want->name);
	q->release = release;
	s->bootstrapping++;
	r = make(q, want);
	if (!r)
		return 0;
	/* such as an advertised address that may not stand in Endpoints, or a full database: said, and the rest is served */
	refused = q->fault.code || r == -EDQUOT;
	if (!q->fault.code)
		xb_status_set(&q->fault, 500, "InternalError", "%s", strerror(-r));
	request_free(q);
	return refused ? 0 : r;
}

static int ensure_namespaces(struct server *s)
{
	static const char *const names[] = { "default", "kube-node-lease", "kube-public", "kube-system" };
	int r = 0;

	for (unsigned i = 0; !r && i < ARRAY_SIZE(names); i++) {
		_cleanup_buf_ struct xb_buf json = {};

		xb_buf_addf(&json, "{\"metadata\":{\"name\":\"%s\"}}", names[i]);
		r = json.err ? json.err : bootstrap_ensure(s, &(struct bootstrap_object){ "", "namespaces", "", names[i], json.p, NULL, NULL });
	}
	return r;
}

static int ensure_priority_classes(struct server *s)
{
	int r = 0;

	for (const struct system_priority_class *c = system_priority_classes; !r && c->name; c++) {
		_cleanup_buf_ struct xb_buf json = {};

		xb_buf_addf(&json, "{\"metadata\":{\"name\":\"%s\"},\"value\":%lld,\"description\":\"%s\"}", c->name, (long long)c->value,
			    c->description);
		r = json.err ? json.err : bootstrap_ensure(s, &(struct bootstrap_object){ "scheduling.k8s.io", "priorityclasses", "", c->name, json.p, NULL, NULL });
	}
	return r;
}

static int ensure_service_cidr(struct server *s)
{
	struct xb_sv rest = xb_sv(s->options->service_cluster_ip_range), cidr;
	_cleanup_buf_ struct xb_buf json = {};
	unsigned n = 0;

	xb_buf_adds(&json, "{\"metadata\":{\"name\":\"kubernetes\"},\"spec\":{\"cidrs\":[");
	while (xb_sv_split(&rest, ',', &cidr)) {
		xb_buf_adds(&json, n++ ? "," : "");
		xb_json_quote(xb_sv_trim(cidr), &json);
	}
	xb_buf_adds(&json, "]}}");
	return json.err ? json.err : bootstrap_ensure(s, &(struct bootstrap_object){ "networking.k8s.io", "servicecidrs", "", "kubernetes", json.p, NULL, NULL });
}

static int ensure_service(struct server *s)
{
	_cleanup_buf_ struct xb_buf json = {};

	xb_buf_addf(&json, "{\"metadata\":{\"name\":\"kubernetes\",\"labels\":{\"component\":\"apiserver\",\"provider\":\"kubernetes\"}},"
		    "\"spec\":{\"clusterIP\":\"%s\",\"type\":\"ClusterIP\",\"sessionAffinity\":\"None\","
		    "\"ports\":[{\"name\":\"https\",\"protocol\":\"TCP\",\"port\":443,\"targetPort\":%d}]}}",
		    registry_first_service_ip(s->registry), s->options->secure_port);
	return json.err ? json.err : bootstrap_ensure(s, &(struct bootstrap_object){ "", "services", "default", "kubernetes", json.p, NULL, NULL });
}

static int ensure_endpoints(struct server *s)
{
	_cleanup_buf_ struct xb_buf json = {};

	xb_buf_addf(&json, "{\"metadata\":{\"name\":\"kubernetes\",\"labels\":{\"endpointslice.kubernetes.io/skip-mirror\":\"true\"}},"
		    "\"subsets\":[{\"addresses\":[{\"ip\":\"%s\"}],\"ports\":[{\"name\":\"https\",\"port\":%d,\"protocol\":\"TCP\"}]}]}",
		    s->options->advertise_address, s->options->secure_port);
	return json.err ? json.err : bootstrap_ensure(s, &(struct bootstrap_object){ "", "endpoints", "default", "kubernetes", json.p, "subsets", NULL });
}

/* member: what is corrected when the slice is there; the store's head joins both corrections into what comes out. */
static int ensure_slice(struct server *s, const char *member)
{
	_cleanup_buf_ struct xb_buf json = {};

	xb_buf_addf(&json, "{\"metadata\":{\"name\":\"kubernetes\",\"labels\":{\"kubernetes.io/service-name\":\"kubernetes\"}},"
		    "\"addressType\":\"%s\",\"endpoints\":[{\"addresses\":[\"%s\"],\"conditions\":{\"ready\":true}}],"
		    "\"ports\":[{\"name\":\"https\",\"port\":%d,\"protocol\":\"TCP\"}]}",
		    strchr(s->options->advertise_address, ':') ? "IPv6" : "IPv4", s->options->advertise_address, s->options->secure_port);
	if (json.err)
		return json.err;
	return bootstrap_ensure(s, &(struct bootstrap_object){ "discovery.k8s.io", "endpointslices", "default", "kubernetes", json.p, member, NULL });
}

int bootstrap_objects(struct server *s)
{
	int r;

	s->bootstrapping = 1; /* not before the last is queued */
	r = ensure_namespaces(s);
	if (!r)
		r = rbac_default_ensure(s);
	if (!r)
		r = ensure_priority_classes(s);
	if (!r)
		r = ensure_service_cidr(s);
	if (!r)
		r = ensure_service(s);
	if (!r)
		r = ensure_endpoints(s);
	if (!r)
		r = ensure_slice(s, "endpoints");
	if (!r)
		r = ensure_slice(s, "ports");
	if (!r && !--s->bootstrapping)
		s->ready = true;
	return r;
}
