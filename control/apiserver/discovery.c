/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "paths.h"
#include "route.h"
#include "server.h"
#include "options.h"

/* --- which groups and versions there are: walks of xb_kinds --- */

bool discovery_first_of(const struct xb_kind *const *k, bool version)
{
	for (const struct xb_kind *const *e = xb_kinds; e < k; e++)
		if (!strcmp((*e)->group, (*k)->group) && (!version || !strcmp((*e)->version, (*k)->version)))
			return false;
	return true;
}

static void write_group_version(struct xb_jw *w, const struct xb_kind *k)
{
	_cleanup_buf_ struct xb_buf text = {};

	xb_buf_addf(&text, "%s%s%s", k->group, *k->group ? "/" : "", k->version);
	xb_jw_object(w);
	xb_jw_ksv(w, "groupVersion", xb_buf_sv(&text));
	xb_jw_kstr(w, "version", k->version);
	xb_jw_end(w);
}

static void write_names(struct xb_jw *w, const char *key, const char *const *names)
{
	if (!names || !*names)
		return;
	xb_jw_key(w, key);
	xb_jw_array(w);
	for (; *names; names++)
		xb_jw_str(w, *names);
	xb_jw_end(w);
}

static void write_verbs(struct xb_jw *w, unsigned verbs)
{
	xb_jw_key(w, "verbs");
	xb_jw_array(w);
	for (unsigned bit = 1; bit <= XB_VERBS_ALL; bit <<= 1)
		if (verbs & bit)
			xb_jw_str(w, xb_verb_name(bit));
	xb_jw_end(w);
}

static int reply(struct request *q, struct xb_jw *w, const char *content_type)
{
	int r = xb_jw_finish(w);

	if (r) {
		xb_buf_done(w->out);
		return r;
	}
	request_reply_buf(q, 200, content_type, w->out);
	return 0;
}

/* --- the plain form: meta.k8s.io/v1 APIVersions, APIGroupList, APIGroup, APIResourceList --- */

static void write_group(struct xb_jw *w, const struct xb_kind *first, bool alone)
{
	xb_jw_object(w);
	if (alone) {
		xb_jw_kstr(w, "kind", "APIGroup");
		xb_jw_kstr(w, "apiVersion", "v1");
	}
	xb_jw_kstr(w, "name", first->group);
	xb_jw_key(w, "versions");
	xb_jw_array(w);
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (!strcmp((*k)->group, first->group) && discovery_first_of(k, true))
			write_group_version(w, *k);
	xb_jw_end(w);
	xb_jw_key(w, "preferredVersion");
	write_group_version(w, first);
	xb_jw_end(w);
}

static void write_resource(struct xb_jw *w, const struct xb_kind *k)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "name", k->plural);
	xb_jw_kstr(w, "singularName", ""); /* as it was recorded: clients put it in themselves */
	xb_jw_kbool(w, "namespaced", k->namespaced);
	xb_jw_kstr(w, "kind", k->kind);
	write_verbs(w, k->verbs);
	write_names(w, "shortNames", k->short_names);
	write_names(w, "categories", k->categories);
	xb_jw_end(w);
}

static void write_subresource(struct xb_jw *w, const struct xb_kind *k, const struct xb_subresource *s)
{
	_cleanup_buf_ struct xb_buf name = {};

	xb_buf_addf(&name, "%s/%s", k->plural, s->name);
	xb_jw_object(w);
	xb_jw_ksv(w, "name", xb_buf_sv(&name));
	xb_jw_kstr(w, "singularName", "");
	xb_jw_kbool(w, "namespaced", k->namespaced);
	if (s->kind && s->group && *s->group) {
		xb_jw_kstr(w, "group", s->group);
		xb_jw_kstr(w, "version", s->version);
	}
	xb_jw_kstr(w, "kind", s->kind ? s->kind : k->kind);
	write_verbs(w, s->verbs);
	xb_jw_end(w);
}

static int plain_groups(struct request *q)
{
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "APIGroupList");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "groups");
	xb_jw_array(&w);
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (*(*k)->group && discovery_first_of(k, false))
			write_group(&w, *k, false);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return reply(q, &w, "application/json");
}

static int plain_api(struct request *q)
{
	const struct apiserver_options *o = q->server->options;
	const char *form = strchr(o->advertise_address, ':') ? "[%s]:%d" : "%s:%d";
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);
	char address[80];

	snprintf(address, sizeof(address), form, o->advertise_address, o->secure_port);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "APIVersions");
	xb_jw_key(&w, "versions");
	xb_jw_array(&w);
	xb_jw_str(&w, "v1");
	xb_jw_end(&w);
	xb_jw_key(&w, "serverAddressByClientCIDRs");
	xb_jw_array(&w);
	xb_jw_object(&w);
	xb_jw_kstr(&w, "clientCIDR", "0.0.0.0/0");
	xb_jw_kstr(&w, "serverAddress", address);
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return reply(q, &w, "application/json");
}

int discovery_group(struct request *q)
{
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		if (!xb_sv_is(q->route.group, (*k)->group))
			continue;
		write_group(&w, *k, true);
		break;
	}
	return reply(q, &w, "application/json");
}

int discovery_version(struct request *q)
{
	const struct route *t = &q->route;
	_cleanup_buf_ struct xb_buf version = {};
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_buf_addf(&version, "%.*s%s%.*s", XB_SV_ARG(t->group), t->group.n ? "/" : "", XB_SV_ARG(t->version));
	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "APIResourceList");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_ksv(&w, "groupVersion", xb_buf_sv(&version));
	xb_jw_key(&w, "resources");
	xb_jw_array(&w);
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		if (!xb_sv_is(t->group, (*k)->group) || !xb_sv_is(t->version, (*k)->version))
			continue;
		write_resource(&w, *k);
		for (unsigned i = 0; i < (*k)->n_subresources; i++)
			write_subresource(&w, *k, &(*k)->subresources[i]);
	}
	xb_jw_end(&w);
	xb_jw_end(&w);
	return reply(q, &w, "application/json");
}

/* --- the aggregated form: apidiscovery.k8s.io (KEP-3352), everything in one answer --- */

static void write_response_kind(struct xb_jw *w, const char *group, const char *version, const char *kind)
{
	xb_jw_key(w, "responseKind");
	xb_jw_object(w);
	xb_jw_kstr(w, "group", group);
	xb_jw_kstr(w, "version", version);
	xb_jw_kstr(w, "kind", kind);
	xb_jw_end(w);
}

static void write_aggregated_subresource(struct xb_jw *w, const struct xb_kind *k, const struct xb_subresource *s)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "subresource", s->name);
	if (s->kind)
		write_response_kind(w, s->group, s->version, s->kind);
	else
		write_response_kind(w, k->group, k->version, k->kind);
	write_verbs(w, s->verbs);
	xb_jw_end(w);
}

static void write_aggregated_resource(struct xb_jw *w, const struct xb_kind *k)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "resource", k->plural);
	write_response_kind(w, k->group, k->version, k->kind);
	xb_jw_kstr(w, "scope", k->namespaced ? "Namespaced" : "Cluster");
	xb_jw_kstr(w, "singularResource", k->singular);
	write_verbs(w, k->verbs);
	write_names(w, "shortNames", k->short_names);
	write_names(w, "categories", k->categories);
	if (k->n_subresources) {
		xb_jw_key(w, "subresources");
		xb_jw_array(w);
		for (unsigned i = 0; i < k->n_subresources; i++)
			write_aggregated_subresource(w, k, &k->subresources[i]);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

static void write_aggregated_version(struct xb_jw *w, const struct xb_kind *first)
{
	xb_jw_object(w);
	xb_jw_kstr(w, "version", first->version);
	xb_jw_key(w, "resources");
	xb_jw_array(w);
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (!strcmp((*k)->group, first->group) && !strcmp((*k)->version, first->version))
			write_aggregated_resource(w, *k);
	xb_jw_end(w);
	xb_jw_kstr(w, "freshness", "Current");
	xb_jw_end(w);
}

static void write_aggregated_group(struct xb_jw *w, const struct xb_kind *first)
{
	xb_jw_object(w);
	xb_jw_key(w, "metadata");
	xb_jw_object(w);
	if (*first->group)
		xb_jw_kstr(w, "name", first->group);
	xb_jw_key(w, "creationTimestamp");
	xb_jw_null(w);
	xb_jw_end(w);
	xb_jw_key(w, "versions");
	xb_jw_array(w);
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (!strcmp((*k)->group, first->group) && discovery_first_of(k, true))
			write_aggregated_version(w, *k);
	xb_jw_end(w);
	xb_jw_end(w);
}

/* core alone at /api, all others at /apis */
static int aggregated(struct request *q, bool core)
{
	const struct accept *a = &q->encoding.accept;
	struct xb_buf body = {};
	struct xb_jw w = XB_JW(&body);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "APIGroupDiscoveryList");
	xb_jw_kstr(&w, "apiVersion", a->beta ? "apidiscovery.k8s.io/v2beta1" : "apidiscovery.k8s.io/v2");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_end(&w);
	xb_jw_key(&w, "items");
	xb_jw_array(&w);
	for (const struct xb_kind *const *k = xb_kinds; *k; k++)
		if (!*(*k)->group == core && discovery_first_of(k, false))
			write_aggregated_group(&w, *k);
	xb_jw_end(&w);
	xb_jw_end(&w);
	return reply(q, &w, negotiate_content_type(a));
}

int discovery_api(struct request *q)
{
	return q->encoding.accept.form == ACCEPT_DISCOVERY ? aggregated(q, true) : plain_api(q);
}

int discovery_apis(struct request *q)
{
	return q->encoding.accept.form == ACCEPT_DISCOVERY ? aggregated(q, false) : plain_groups(q);
}
