/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <time.h>

#include "findings.h"
#include "node_view.h"
#include "target.h"
#include "xb/map.h"
#include "xb/rest.h"
#include "xb/time.h"
#include "xb/why.h"
#include "../xalloc.h"

#define BETWEEN_LOOKS_MS 500

struct options {
	struct common common;
	struct target target;
	const char *kubeconfig, *node_name, *agent;
	bool fix, tables_only;
};
static const struct xb_flag rows[] = {
	XB_FLAG(BOOL, struct options, fix, "fix", "false", "Check",
		"Where something differs, have kube-proxy adopt its tables anew and set every Service, then look again."),
	XB_FLAG(BOOL, struct options, tables_only, "tables-only", "false", "Check", "Ask no API server."),
	XB_FLAG(STRING, struct options, kubeconfig, "kubeconfig", NULL, "Check",
		"How to reach the API server. Default: $KUBECONFIG, or the cluster's of --node."),
	XB_FLAG(STRING, struct options, node_name, "hostname-override", NULL, "Check", "The Node's name. Default: --node, or the host's."),
	XB_FLAG(STRING, struct options, agent, "metrics-bind-address", "127.0.0.1:10249", "Check", "Where kube-proxy serves its metrics."),
	TARGET_ROWS(struct options),
	COMMON_TABLE_ROWS(struct options),
};

static const struct column columns[] = {
	COLUMN("ENTRY", "entry"),
	COLUMN("DIFFERENCE", "difference"),
	COLUMN("SINCE", "sinceSeconds"),
};

/* --- what the API server has --- */
struct cluster_view {
	struct xb_map *services;        /* "namespace/name" -> struct check_service */
	XB_VEC(struct xb_json *) lists; /* what they are views into */
	XB_VEC(struct xb_jv) pods;
	struct node_view node;
};

static void view_done(struct cluster_view *v)
{
	for (struct xb_map_it it = {}; v->services && xb_map_next(v->services, &it);) {
		struct check_service *s = it.value;

		xb_vec_done(&s->slices);
		free(s);
	}
	xb_map_free(v->services);
	for (size_t i = 0; i < v->lists.n; i++)
		xb_json_unref(v->lists.v[i]);
	xb_vec_done(&v->lists);
	xb_vec_done(&v->pods);
	node_view_done(&v->node);
}

static struct check_service *obtain(struct cluster_view *v, struct xb_jv object, struct xb_sv name)
{
	_cleanup_free_ char *key = NULL;
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(object, "metadata", "namespace"));
	struct check_service *s;

	key = xprintf("%.*s/%.*s", XB_SV_ARG(namespace_), XB_SV_ARG(name));
	s = xb_map_get(v->services, xb_sv(key));
	if (!s) {
		s = xalloc(calloc(1, sizeof(*s)));
		xalloc(xb_map_set(v->services, xb_sv(key), s, NULL) ? NULL : s);
	}
	return s;
}

static struct xb_jit keep(struct cluster_view *v, struct xb_json *list)
{
	xalloc(xb_vec_push(&v->lists, xb_json_ref(list)) ? NULL : v->lists.v);
	return xb_jv_iter(xb_jv_get(xb_json_root(list), "items"));
}

static int add_services(void *arg, struct xb_json *list)
{
	struct cluster_view *v = arg;

	for (struct xb_jit it = keep(v, list); xb_jit_next(&it);)
		obtain(v, it.value, xb_jv_text(xb_jv_path(it.value, "metadata", "name")))->object = it.value;
	return 0;
}

static int add_slices(void *arg, struct xb_json *list)
{
	struct cluster_view *v = arg;

	for (struct xb_jit it = keep(v, list); xb_jit_next(&it);) {
		struct xb_sv owner = xb_jv_text(xb_jv_path(it.value, "metadata", "labels", "kubernetes.io/service-name"));
		struct check_service *s = owner.n ? obtain(v, it.value, owner) : NULL;

		if (s)
			xalloc(xb_vec_push(&s->slices, it.value) ? NULL : s->slices.v);
	}
	return 0;
}

static int add_pods(void *arg, struct xb_json *list)
{
	struct cluster_view *v = arg;

	for (struct xb_jit it = keep(v, list); xb_jit_next(&it);)
		xalloc(xb_vec_push(&v->pods, it.value) ? NULL : v->pods.v);
	return 0;
}

static char *selected(const char *path, const char *key, const char *selector)
{
	_cleanup_buf_ struct xb_buf query = {};

	xb_buf_adds(&query, path);
	xb_rest_add_query(&query, key, xb_sv(selector));
	return xalloc(xb_buf_steal(&query));
}

/* Slices first: what a Service's slices lack then has not been there for the Service either. */
static int view_read(struct api *a, const char *node, const struct agent_says *says, struct cluster_view *v, char **reterr_why)
{
	_cleanup_free_ char *slices = selected("/apis/discovery.k8s.io/v1/endpointslices", "labelSelector", XB_PLAN_SELECTOR);
	_cleanup_free_ char *services = selected("/api/v1/services", "labelSelector", XB_PLAN_SELECTOR);
	_cleanup_free_ char *here = xprintf("spec.nodeName=%s", node), *pods = selected("/api/v1/pods", "fieldSelector", here);
	int r = node_view_read(a, node, says, &v->node, reterr_why);

	if (!r)
		r = api_list(a, slices, add_slices, v, reterr_why);
	if (!r)
		r = api_list(a, services, add_services, v, reterr_why);
	return r ? r : api_list(a, pods, add_pods, v, reterr_why);
}

/* --- one look --- */
struct look {
	const struct options *o;
	struct api *api;                /* NULL: the tables alone */
	char *node;
	struct agent_says says;         /* at the last look */
	size_t ports, frontends;
};

static void compare(const struct look *l, const struct tables *t, const struct index *x, const struct cluster_view *v, struct findings *f)
{
	_cleanup_free_ bool *matched = xalloc(calloc(t->t[TABLE_SVC].size, sizeof(*matched)));
	const struct xb_plan_here here = { .node = l->node, .zone = v->node.zone };

	for (struct xb_map_it it = {}; xb_map_next(v->services, &it);) {
		const struct check_service *s = it.value;

		if (xb_jv_is(s->object))
			check_service(t, x, s, &here, matched, f);
	}
	for (size_t i = 0; i < v->pods.n; i++)
		check_pod(t, x, v->pods.v[i], matched, f);
	check_unmatched(x, matched, f);
	if (v->node.told)
		check_node(t, x, &v->node.facts, &v->node.port_networks, f);
}

static int look_once(struct look *l, struct findings *f, char **reterr_why)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	_cleanup_(view_done) struct cluster_view v = { .services = xalloc(xb_map_new(XB_MAP_COPY)) };
	_cleanup_index_ struct index x = {};
	int r = 0;

	agent_says_done(&l->says);
	agent_ask(l->o->agent, &l->says);
	if (l->api)
		r = view_read(l->api, l->node, &l->says, &v, reterr_why);
	if (!r)
		r = target_tables(&l->o->target, &t, reterr_why);
	if (r)
		return r;
	index_make(t, &x);
	l->ports = x.slots.n;
	l->frontends = x.frontends.n;
	check_tables(t, &x, f);
	if (l->api)
		compare(l, t, &x, &v, f);
	return 0;
}

/* The API's objects and the tables are not read in the same moment, so what differs is looked at twice. */
static int look(struct look *l, struct findings *f, char **reterr_why)
{
	_cleanup_findings_ struct findings again = {};
	int r = look_once(l, f, reterr_why);

	if (r || !f->v.n)
		return r;
	nanosleep(&(struct timespec){ .tv_sec = BETWEEN_LOOKS_MS / 1000, .tv_nsec = BETWEEN_LOOKS_MS % 1000 * XB_MILLISECOND }, NULL);
	r = look_once(l, &again, reterr_why);
	if (!r)
		findings_intersect(f, &again);
	return r;
}

/* --- saying it --- */
static void print_agent(struct printer *p, const struct agent_says *a)
{
	print_group(p, "agent");
	print_string(p, "answers", a->answers ? "yes" : "no");
	if (a->answers) {
		print_string(p, "lastBroughtChanges", a->last_sync_us ? xb_time_format(a->last_sync_us).s : "never");
		print_number(p, "secondsSinceAPIServerWasHeard", (uint64_t)a->silence_seconds);
		print_number(p, "changesPending", (uint64_t)a->pending);
		print_number(p, "servicesItCannotBringIn", (uint64_t)a->unprogrammed);
	}
	print_group_end(p);
}

static void print_findings(struct printer *p, const struct findings *f)
{
	int64_t now = xb_time_now();

	print_table(p, "differences", columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < f->v.n; i++) {
		const struct finding *one = &f->v.v[i];

		print_cell(p, "%s", one->entry);
		print_cell(p, "%s", one->what);
		if (one->since_us)
			print_cell_seconds(p, (uint64_t)MAX(0, now - one->since_us) / 1000000);
		else
			print_cell_none(p);
	}
	print_table_end(p);
}

static int check(struct look *l, struct printer *p, char **reterr_why)
{
	_cleanup_findings_ struct findings f = {};
	bool fixed = false;
	int r = look(l, &f, reterr_why);

	if (!r && f.v.n && l->o->fix) {
		r = agent_renew_tables(l->o->agent, reterr_why);
		findings_done(&f);
		f = (struct findings){};
		if (!r)
			r = look(l, &f, reterr_why);
		fixed = true;
	}
	if (r)
		return r;
	print_agent(p, &l->says);
	print_number(p, "ports", l->ports);
	print_number(p, "frontends", l->frontends);
	print_string(p, "compared", l->api ? "with the API server and with themselves" : "with themselves");
	if (l->api && !l->says.cluster_cidr)
		print_string(p, "notCompared", "what follows from the node: kube-proxy, which knows its flags, does not answer");
	if (fixed)
		print_string(p, "renewed", "yes");
	print_findings(p, &f);
	p->bad = f.v.n;
	return 0;
}

static char *node_name(const struct options *o)
{
	char host[256] = "";

	if (o->node_name || o->target.node)
		return xprintf("%s", o->node_name ? o->node_name : o->target.node);
	gethostname(host, sizeof(host) - 1);
	return xprintf("%s", host);
}

static int run(const void *options, struct printer *p, char **reterr_why)
{
	const struct options *o = options;
	_cleanup_free_ char *kubeconfig = NULL, *node = node_name(o);
	_cleanup_(api_closep) struct api *api = NULL;
	struct look l = { .o = o, .node = node };
	int r = target_enter_network(&o->target, reterr_why);

	if (!r && !o->tables_only)
		r = target_kubeconfig(&o->target, o->kubeconfig, &kubeconfig, reterr_why);
	if (!r && kubeconfig)
		r = api_open_file(kubeconfig, &api, reterr_why);
	if (r)
		return r;
	l.api = api;
	r = check(&l, p, reterr_why);
	agent_says_done(&l.says);
	return r;
}

const struct command check_command = {
	.object = "check", .summary = "compare a node's tables with the API server, and with themselves",
	.purpose = "Compares what a node's tables hold with what its kube-proxy should have put there, by the same rule, and looks for entries that "
		   "lead nowhere. Changes under way do not count: what differs is looked at again half a second later. SINCE: the last change of the "
		   "API's objects about it. The exit status is 1 when something differs.",
	.rows = rows, .n_rows = ARRAY_SIZE(rows), .options_size = sizeof(struct options),
	.run = run,
};
