/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "config.h"
#include "metrics.h"
#include "xb/config_file.h"
#include "xb/time.h"
#include "xb/why.h"

#define API_VERSION "kubescheduler.config.k8s.io/v1"

/* Upstream's that are not here: a file may turn them off. */
static const char *const absent[] = {
	"PrioritySort", "DefaultBinder", "SchedulingGates", "NodeVolumeLimits", "DynamicResources", "EBSLimits", "GCEPDLimits", "AzureDiskLimits",
};

/* --- plugins --- */
static int plugin_of(struct xb_sv name)
{
	for (int i = 0; i < SCHED_PLUGINS; i++)
		if (xb_sv_is(name, sched_plugins[i]->name))
			return i;
	return -1;
}

static bool is_absent(struct xb_sv name)
{
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (xb_sv_is(name, absent[i]))
			return true;
	return false;
}

enum { FILTERS = 1, SCORES = 2, PREEMPTS = 4 };

static void turn_off(struct sched_profile *p, unsigned what, struct xb_sv name)
{
	for (int i = 0; i < SCHED_PLUGINS; i++) {
		if (!xb_sv_is(name, "*") && !xb_sv_is(name, sched_plugins[i]->name))
			continue;
		if (what & FILTERS)
			p->filters[i] = false;
		if (what & SCORES)
			p->weights[i] = 0;
	}
	if (what & PREEMPTS && (xb_sv_is(name, "*") || xb_sv_is(name, "DefaultPreemption")))
		p->preempts = false;
}

static int turn_on(struct sched_profile *p, unsigned what, struct xb_jv plugin, const char *where, char **reterr_why)
{
	struct xb_sv name = xb_jv_text(xb_jv_get(plugin, "name"));
	int i = plugin_of(name);
	int64_t weight = 0;

	xb_jv_i64(xb_jv_get(plugin, "weight"), &weight);
	if (weight < 0 || weight > INT32_MAX / SCHED_MAX_SCORE)
		return xb_why(reterr_why, -EINVAL, "%s: weight of %.*s: must be from 0 to %d", where, XB_SV_ARG(name), INT32_MAX / SCHED_MAX_SCORE);
	if (xb_sv_is(name, "DefaultPreemption"))
		p->preempts |= (what & PREEMPTS) != 0;
	else if (i < 0)
		return xb_why(reterr_why, -EINVAL, "%s: plugin \"%.*s\" does not exist", where, XB_SV_ARG(name));
	if (i < 0)
		return 0;
	if (what & FILTERS)
		p->filters[i] = true;
	if (what & SCORES)
		p->weights[i] = weight ? weight : MAX(sched_plugins[i]->weight, 1U);
	return 0;
}

static int read_point(struct sched_profile *p, struct xb_jv plugins, const char *point, unsigned what, const char *where, char **reterr_why)
{
	struct xb_jv set = xb_jv_get(plugins, point);
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(set, "disabled")); !r && xb_jit_next(&it);) {
		struct xb_sv name = xb_jv_text(xb_jv_get(it.value, "name"));

		if (!xb_sv_is(name, "*") && !xb_sv_is(name, "DefaultPreemption") && plugin_of(name) < 0 && !is_absent(name))
			r = xb_why(reterr_why, -EINVAL, "%s.%s: plugin \"%.*s\" does not exist", where, point, XB_SV_ARG(name));
		turn_off(p, what, name);
	}
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(set, "enabled")); !r && xb_jit_next(&it);)
		r = turn_on(p, what, it.value, where, reterr_why);
	return r;
}

static int read_plugin_config(struct sched_profile *p, struct xb_jv list, const char *where, char **reterr_why)
{
	for (struct xb_jit it = xb_jv_iter(list); xb_jit_next(&it);) {
		struct xb_sv name = xb_jv_text(xb_jv_get(it.value, "name"));
		int i = plugin_of(name);

		if (i < 0 || !sched_plugins[i]->configure)
			return xb_why(reterr_why, -EINVAL, "%s.pluginConfig: %.*s takes no arguments here", where, XB_SV_ARG(name));
		p->args[i] = xb_jv_get(it.value, "args");
	}
	return 0;
}

/* --- profiles --- */
static int read_percentage(struct xb_jv v, const char *where, unsigned *ret, char **reterr_why)
{
	int64_t n = 0;

	if (!xb_jv_is(v))
		return 0;
	if (xb_jv_i64(v, &n) || n < 0 || n > 100)
		return xb_why(reterr_why, -EINVAL, "%spercentageOfNodesToScore: not in valid range [0-100]", where);
	*ret = n;
	return 0;
}

static int add_profile(struct sched_config *c, struct xb_sv name, unsigned percentage)
{
	struct sched_profile p = { .name = xb_sv_dup(name.n ? name : XB_SV("default-scheduler")), .percentage = percentage, .preempts = true };

	for (int i = 0; i < SCHED_PLUGINS; i++) {
		p.filters[i] = true;
		p.weights[i] = sched_plugins[i]->weight;
	}
	if (p.name && !xb_vec_push(&c->profiles, p))
		return 0;
	free(p.name);
	return -ENOMEM;
}

static int read_profile(struct sched_config *c, struct xb_jv v, unsigned percentage, char **reterr_why)
{
	struct xb_jv plugins = xb_jv_get(v, "plugins");
	struct xb_sv name = xb_jv_text(xb_jv_get(v, "schedulerName"));
	struct sched_profile *p;
	char where[64];
	int r;

	snprintf(where, sizeof(where), "profiles[%zu]", c->profiles.n);
	if (c->profiles.n == SCHED_MAX_PROFILES)
		return xb_why(reterr_why, -EINVAL, "profiles: must have at most %d items here", SCHED_MAX_PROFILES);
	for (size_t i = 0; i < c->profiles.n; i++)
		if (xb_sv_is(name.n ? name : XB_SV("default-scheduler"), c->profiles.v[i].name))
			return xb_why(reterr_why, -EINVAL, "%s.schedulerName: Duplicate value: \"%s\"", where, c->profiles.v[i].name);
	r = add_profile(c, name, percentage);
	if (r)
		return r;
	p = &c->profiles.v[c->profiles.n - 1];
	strcat(where, ".");
	r = read_percentage(xb_jv_get(v, "percentageOfNodesToScore"), where, &p->percentage, reterr_why);
	strcat(where, "plugins");
	if (!r)
		r = read_point(p, plugins, "multiPoint", FILTERS | SCORES | PREEMPTS, where, reterr_why);
	if (!r)
		r = read_point(p, plugins, "filter", FILTERS, where, reterr_why);
	if (!r)
		r = read_point(p, plugins, "score", SCORES, where, reterr_why);
	if (!r)
		r = read_point(p, plugins, "postFilter", PREEMPTS, where, reterr_why);
	*strchr(where, '.') = '\0';
	return r ? r : read_plugin_config(p, xb_jv_get(v, "pluginConfig"), where, reterr_why);
}

static int read_seconds(struct xb_jv root, const char *field, unsigned *ret_ms, char **reterr_why)
{
	struct xb_jv v = xb_jv_get(root, field);
	int64_t n = 0;

	if (!xb_jv_is(v))
		return 0;
	if (xb_jv_i64(v, &n) || n < 1 || n > INT32_MAX / 1000)
		return xb_why(reterr_why, -EINVAL, "%s: must be greater than 0", field);
	*ret_ms = n * 1000;
	return 0;
}

int sched_config_parse(struct xb_jv root, struct sched_config *c, char **reterr_why)
{
	unsigned percentage = 0;
	int r;

	c->doc = xb_json_ref(root.doc);
	c->backoff_ms = 1000;
	c->max_backoff_ms = 10000;
	if (!xb_sv_is(sched_text(root, "apiVersion"), API_VERSION) || !xb_sv_is(sched_text(root, "kind"), "KubeSchedulerConfiguration"))
		return xb_why(reterr_why, -EINVAL, "must be a KubeSchedulerConfiguration of apiVersion " API_VERSION);
	if (xb_jv_count(xb_jv_get(root, "extenders")))
		return xb_why(reterr_why, -EINVAL, "extenders: are not supported here");
	c->leader_election = xb_jv_get(root, "leaderElection");
	c->kubeconfig = xb_jv_dup(xb_jv_path(root, "clientConnection", "kubeconfig"));
	r = read_percentage(xb_jv_get(root, "percentageOfNodesToScore"), "", &percentage, reterr_why);
	if (!r)
		r = read_seconds(root, "podInitialBackoffSeconds", &c->backoff_ms, reterr_why);
	if (!r)
		r = read_seconds(root, "podMaxBackoffSeconds", &c->max_backoff_ms, reterr_why);
	if (!r && c->max_backoff_ms < c->backoff_ms)
		return xb_why(reterr_why, -EINVAL, "podMaxBackoffSeconds: must be greater than or equal to PodInitialBackoffSeconds");
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(root, "profiles")); !r && xb_jit_next(&it);)
		r = read_profile(c, it.value, percentage, reterr_why);
	return r || c->profiles.n ? r : add_profile(c, (struct xb_sv){}, percentage);
}

int sched_config_read(const char *path, struct sched_config *c, char **reterr_why)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_free_ char *why = NULL;
	int r;

	*c = (struct sched_config){ .backoff_ms = 1000, .max_backoff_ms = 10000 };
	if (!path)
		return add_profile(c, (struct xb_sv){}, 0);
	r = xb_config_file_read(path, &doc, reterr_why);
	if (r)
		return r;
	r = sched_config_parse(xb_json_root(doc), c, &why);
	return why ? xb_why(reterr_why, r, "--config: '%s': %s", path, why) : r;
}

/* --- leaderElection --- */
static int read_duration(const struct sched_config *c, const char *field, int64_t *ret_ms, char **reterr_why)
{
	struct xb_jv v = xb_jv_get(c->leader_election, field);
	int64_t ns;

	if (!xb_jv_is(v))
		return 0;
	if (xb_duration_parse(xb_jv_text(v), &ns))
		return xb_why(reterr_why, -EINVAL, "--config: leaderElection.%s: must be a duration, as \"15s\"", field);
	*ret_ms = ns / XB_MILLISECOND;
	return 0;
}

int sched_config_lease(const struct sched_config *c, struct xb_lease_options *o, char **reterr_why)
{
	struct xb_jv elect = xb_jv_get(c->leader_election, "leaderElect");
	int r = read_duration(c, "leaseDuration", &o->lease_ms, reterr_why);

	if (!r)
		r = read_duration(c, "renewDeadline", &o->renew_ms, reterr_why);
	if (!r)
		r = read_duration(c, "retryPeriod", &o->retry_ms, reterr_why);
	if (!r && xb_jv_is(elect))
		o->leader_elect = xb_jv_true(elect);
	return r;
}

void sched_config_done(struct sched_config *c)
{
	for (size_t i = 0; i < c->profiles.n; i++)
		free(c->profiles.v[i].name);
	xb_vec_done(&c->profiles);
	free(c->kubeconfig);
	xb_json_unref(c->doc);
}
