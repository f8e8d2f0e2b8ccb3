/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "dns.h"
#include "spec.h"
#include "xb/file.h"
#include "xb/why.h"

#define MAX_FILE        (64 << 10)
#define MAX_SERVERS     3
#define MAX_SEARCHES    32
#define MAX_SEARCH_LINE 2048
#define MAX_SEARCH      253     /* glibc 2.28 aborts beyond 255 */

void dns_done(struct dns *d)
{
	xb_vec_done(&d->servers.list);
	xb_vec_done(&d->searches.list);
	xb_vec_done(&d->options.list);
}

static void push(struct make *m, struct dns_list *l, char *text)
{
	m->failed |= xb_vec_push(&l->list, text) < 0;
}

static void push_new(struct make *m, struct dns_list *l, char *text)
{
	for (size_t i = 0; i < l->list.n; i++)
		if (!strcmp(l->list.v[i], text))
			return;
	push(m, l, text);
}

/* --- the node's own --- */
static bool next_word(struct xb_sv *line, struct xb_sv *ret)
{
	size_t n = 0;

	*line = xb_sv_trim(*line);
	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	*ret = (struct xb_sv){ line->p, n };
	line->p += n;
	line->n -= n;
	return n > 0;
}

int dns_read(struct make *m, struct xb_sv text, struct dns *ret)
{
	struct xb_sv line, key, word;

	while (xb_sv_split(&text, '\n', &line)) {
		if (!next_word(&line, &key) || *key.p == '#' || *key.p == ';')
			continue;
		if (xb_sv_is(key, "nameserver") && next_word(&line, &word))
			push(m, &ret->servers, make_copy(m, word));
		if (xb_sv_is(key, "search"))
			ret->searches.list.n = 0;
		while (xb_sv_is(key, "search") && next_word(&line, &word)) {
			if (word.n > 1 && xb_sv_ends(word, "."))
				word.n--;
			push(m, &ret->searches, make_copy(m, word));
		}
		while (xb_sv_is(key, "options") && next_word(&line, &word))
			push_new(m, &ret->options, make_copy(m, word));
	}
	return m->failed ? -ENOMEM : 0;
}

static int read_host(struct make *m, const struct facts *f, struct dns *d, char **reterr_why)
{
	_cleanup_buf_ struct xb_buf text = {};
	int r = *f->resolv_conf ? xb_file_read(f->resolv_conf, MAX_FILE, &text) : 0;

	if (r)
		return xb_why(reterr_why, r, "could not open \"%s\": %s", f->resolv_conf, strerror(-r));
	return dns_read(m, xb_buf_sv(&text), d);
}

/* --- by policy --- */
/* Names of the pod's namespace first, then of the cluster, then what the node knows. */
static void put_cluster(struct make *m, const struct facts *f, struct xb_jv pod, struct dns *d)
{
	struct xb_sv namespace_ = xb_jv_text(xb_jv_path(pod, "metadata", "namespace"));
	struct dns_list host = d->searches;
	static char ndots[] = "ndots:5";

	d->servers.list.n = d->options.list.n = 0;
	for (size_t i = 0; f->cluster_dns[i]; i++)
		push(m, &d->servers, make_copy(m, xb_sv(f->cluster_dns[i])));
	push(m, &d->options, ndots);
	if (!*f->cluster_domain)
		return;
	d->searches = (struct dns_list){};
	push_new(m, &d->searches, make_printf(m, "%.*s.svc.%s", XB_SV_ARG(namespace_), f->cluster_domain));
	push_new(m, &d->searches, make_printf(m, "svc.%s", f->cluster_domain));
	push_new(m, &d->searches, make_copy(m, xb_sv(f->cluster_domain)));
	for (size_t i = 0; i < host.list.n; i++)
		push_new(m, &d->searches, host.list.v[i]);
	xb_vec_done(&host.list);
}

/* Without a resolv.conf a pod asks itself, and so nobody. */
static void put_nobody(struct make *m, const struct facts *f, struct dns *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(f->ips) && f->ips[i]; i++)
		push(m, &d->servers, make_copy(m, strchr(f->ips[i], ':') ? XB_SV("::1") : XB_SV("127.0.0.1")));
	if (!d->servers.list.n)
		push(m, &d->servers, make_copy(m, XB_SV("127.0.0.1")));
	push(m, &d->searches, make_copy(m, XB_SV(".")));
}

static int put_policy(struct make *m, const struct facts *f, struct xb_jv pod, struct dns *d, char **reterr_why)
{
	struct xb_jv spec = xb_jv_get(pod, "spec");
	struct xb_sv policy = xb_jv_text(xb_jv_get(spec, "dnsPolicy"));
	bool cluster = xb_sv_is(policy, "ClusterFirstWithHostNet");
	int r;

	if (!policy.n || xb_sv_is(policy, "ClusterFirst"))
		cluster = !xb_jv_true(xb_jv_get(spec, "hostNetwork"));
	else if (xb_sv_is(policy, "None"))
		return 0;
	else if (!cluster && !xb_sv_is(policy, "Default"))
		return xb_why(reterr_why, -EINVAL, "invalid DNSPolicy=%.*s", XB_SV_ARG(policy));
	r = read_host(m, f, d, reterr_why);
	if (r)
		return r;
	d->unserved = cluster && !(f->cluster_dns && f->cluster_dns[0]);
	if (cluster && !d->unserved)
		put_cluster(m, f, pod, d);
	else if (!*f->resolv_conf)
		put_nobody(m, f, d);
	return 0;
}

/* --- dnsConfig --- */
static void put_option(struct make *m, struct dns_list *l, struct xb_jv option)
{
	char *name = make_text(m, xb_jv_get(option, "name")), *value = make_text(m, xb_jv_get(option, "value"));
	char *text = *value ? make_printf(m, "%s:%s", name, value) : name;

	for (size_t i = 0; i < l->list.n; i++)
		if (strcspn(l->list.v[i], ":") == strlen(name) && !strncmp(l->list.v[i], name, strlen(name))) {
			l->list.v[i] = text;
			return;
		}
	push(m, l, text);
}

static void put_config(struct make *m, struct xb_jv config, struct dns *d)
{
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(config, "nameservers")); xb_jit_next(&it);)
		push_new(m, &d->servers, make_text(m, it.value));
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(config, "searches")); xb_jit_next(&it);)
		push_new(m, &d->searches, make_text(m, it.value));
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(config, "options")); xb_jit_next(&it);)
		put_option(m, &d->options, it.value);
}

/* --- limits --- */
static void cut(struct dns *d)
{
	struct dns_list *s = &d->searches;
	size_t kept = 0, line = 0;

	d->servers.cut = d->servers.list.n > MAX_SERVERS;
	d->servers.list.n = MIN(d->servers.list.n, (size_t)MAX_SERVERS);
	for (size_t i = 0; i < s->list.n; i++)
		if (strlen(s->list.v[i]) <= MAX_SEARCH)
			s->list.v[kept++] = s->list.v[i];
	s->cut = kept < s->list.n || kept > MAX_SEARCHES;
	s->list.n = MIN(kept, (size_t)MAX_SEARCHES);
	for (size_t i = 0; i < s->list.n; i++) {
		line += strlen(s->list.v[i]) + (i > 0);
		if (line > MAX_SEARCH_LINE) {
			s->list.n = i;
			s->cut = true;
		}
	}
}

int dns_of_pod(struct make *m, const struct facts *f, struct xb_jv pod, struct dns *ret, char **reterr_why)
{
	_cleanup_dns_ struct dns d = {};
	int r = put_policy(m, f, pod, &d, reterr_why);

	if (r)
		return r;
	put_config(m, xb_jv_path(pod, "spec", "dnsConfig"), &d);
	if (m->failed)
		return -ENOMEM;
	cut(&d);
	*ret = d;
	d = (struct dns){};
	return 0;
}

/* --- what a user is told --- */
static void join(const struct dns_list *l, struct xb_buf *out)
{
	for (size_t i = 0; i < l->list.n; i++)
		xb_buf_addf(out, "%s%s", i ? " " : "", l->list.v[i]);
}

static void tell_cut(const struct dns_list *l, const char *sentence, void (*tell)(void *arg, const char *reason, const char *text),
		     void *arg)
{
	_cleanup_buf_ struct xb_buf text = {};

	if (!l->cut)
		return;
	xb_buf_adds(&text, sentence);
	join(l, &text);
	if (!text.err)
		tell(arg, "DNSConfigForming", text.p);
}

int spec_dns_warnings(const struct facts *f, struct xb_jv pod, void (*tell)(void *arg, const char *reason, const char *text), void *arg)
{
	_cleanup_(xb_arena_freep) struct xb_arena *a = xb_arena_new(0);
	_cleanup_dns_ struct dns d = {};
	struct make m = { .a = a };
	int r = a ? dns_of_pod(&m, f, pod, &d, NULL) : -ENOMEM;

	if (r)
		return r;
	if (d.unserved)
		tell(arg, "MissingClusterDNS",
		     "kubelet does not have ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" policy. Falling back to \"Default\" policy.");
	tell_cut(&d.servers, "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ", tell, arg);
	tell_cut(&d.searches, "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ", tell, arg);
	return 0;
}
