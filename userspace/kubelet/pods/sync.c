/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sync.h"
#include "xb/time.h"
#include "xb/vec.h"

#define FIRST_DELAY_S 10
#define LAST_DELAY_S  300
#define FORGIVEN_NS   (10 * XB_MINUTE)
#define LOST          "%s is in \"CONTAINER_UNKNOWN\" state, try killing it before restart"

struct work {
	const struct sync_input *in;
	XB_VEC(struct sync_start) starts;
	XB_VEC(struct sync_kill) kills;
	bool kill_pod, no_memory;
};

static struct xb_sv policy(struct xb_jv pod)
{
	struct xb_sv p = xb_jv_text(xb_jv_path(pod, "spec", "restartPolicy"));

	return p.n ? p : XB_SV("Always");
}

static bool restarts_failed(struct xb_jv pod)
{
	return !xb_sv_is(policy(pod), "Never");
}

bool sync_restarts(struct xb_jv pod, enum spec_container_kind kind, const struct observed_container *newest)
{
	if (xb_jv_is(xb_jv_path(pod, "metadata", "deletionTimestamp")))
		return false;
	if (!newest)
		return true;
	if (newest->state == OBSERVED_RUNNING || kind == SPEC_EPHEMERAL)
		return false;
	if (newest->state != OBSERVED_EXITED || newest->replaced || kind == SPEC_SIDECAR)
		return true;
	if (kind == SPEC_INIT || xb_sv_is(policy(pod), "OnFailure"))
		return newest->exit_code != 0 && restarts_failed(pod);
	return xb_sv_is(policy(pod), "Always");
}

/* --- back-off --- */
static bool is_cut_off(const struct observed_container *c, int64_t began_ns)
{
	return c->finished_ns < began_ns && c->reason && !strcmp(c->reason, "StartError");
}

unsigned sync_delay_s(const struct observed *o, const struct observed_container *last, int64_t began_ns)
{
	const struct observed_container *before = observed_before(o, last);
	unsigned delay = FIRST_DELAY_S, by_count = FIRST_DELAY_S;

	if (!last->attempt || last->state != OBSERVED_EXITED || is_cut_off(last, began_ns) ||
	    (last->started_ns && last->finished_ns - last->started_ns > FORGIVEN_NS))
		return 0;
	for (unsigned i = 1; i < last->attempt && by_count < LAST_DELAY_S; i++)
		by_count *= 2;
	while (before && delay < LAST_DELAY_S && (last->created_ns - before->finished_ns) / XB_SECOND >= delay)
		delay *= 2;
	return MIN(MIN(before ? delay : by_count, by_count), LAST_DELAY_S);
}

/* --- what is found out of one container --- */
static enum probe_result probe(const struct work *w, const struct observed_container *c, enum probe_kind kind)
{
	return w->in->probe(w->in->arg, c->id, kind);
}

static bool is_of_sandbox(const struct observed *o, const struct observed_container *c)
{
	return c && o->n_sandboxes && !strcmp(c->sandbox_id, o->sandboxes[0].id);
}

struct xb_jv sync_told(struct xb_jv status, struct xb_sv name)
{
	static const char *const lists[] = { "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (struct xb_jit it = xb_jv_iter(xb_jv_get(status, lists[i])); xb_jit_next(&it);)
			if (xb_jv_streq(xb_jv_get(it.value, "name"), name))
				return it.value;
	return (struct xb_jv){};
}

/* What the API server was told counts where the runtime has forgotten: numbers and log files go on. */
static unsigned next_attempt(struct xb_jv status, struct xb_sv name, const struct observed_container *newest)
{
	struct xb_jv told = sync_told(status, name);
	int64_t n;

	if (newest)
		return newest->attempt + 1;
	if (xb_jv_i64(xb_jv_get(told, "restartCount"), &n) || n < 0 || n >= INT32_MAX)
		return 0;
	return (unsigned)n + (xb_jv_text(xb_jv_get(told, "containerID")).n > 0);
}

static void start(struct work *w, const struct spec_it *it)
{
	const struct observed_container *newest = observed_newest(w->in->observed, it->name);
	struct sync_start s = {
		.container = it->container, .kind = it->kind, .name = it->name,
		.attempt = next_attempt(w->in->status, it->name, newest),
	};

	/* what ended with its sandbox has not failed */
	if (is_of_sandbox(w->in->observed, newest))
		s.delay_s = sync_delay_s(w->in->observed, newest, w->in->began_ns);
	if (s.delay_s)
		s.not_before_ns = newest->finished_ns + s.delay_s * XB_SECOND;
	w->no_memory |= xb_vec_push(&w->starts, s) < 0;
}

static _printf_(5, 6) void kill_container(struct work *w, const struct spec_it *it, const struct observed_container *c,
					  enum sync_cause cause, const char *fmt, ...)
{
	struct sync_kill k = {
		.observed = c, .container = it->container, .cause = cause,
		.replaced = cause == SYNC_CHANGED || cause == SYNC_LOST || it->kind == SPEC_SIDECAR || restarts_failed(w->in->pod),
	};
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&k.message, fmt, ap);
	va_end(ap);
	if (r >= 0 && xb_vec_push(&w->kills, k) < 0) {
		free(k.message);
		r = -1;
	}
	w->no_memory |= r < 0;
}

/* A running container that must not go on as it is: says why, and ends it. Else false. */
static bool replace(struct work *w, const struct spec_it *it, const struct observed_container *c)
{
	const char *what = it->kind == SPEC_MAIN ? "Container" : "Init container";
	const char *then = restarts_failed(w->in->pod) || it->kind == SPEC_SIDECAR ? ", will be restarted" : "";
	int n = (int)it->name.n;
	const char *name = it->name.p;

	if (spec_hash(it->container) != c->hash)
		kill_container(w, it, c, SYNC_CHANGED, "%s %.*s definition changed, will be restarted", what, n, name);
	else if (probe(w, c, PROBE_LIVENESS) == PROBE_FAILURE)
		kill_container(w, it, c, SYNC_LIVENESS, "%s %.*s failed liveness probe%s", what, n, name, then);
	else if (probe(w, c, PROBE_STARTUP) == PROBE_FAILURE)
		kill_container(w, it, c, SYNC_STARTUP, "%s %.*s failed startup probe%s", what, n, name, then);
	else
		return false;
	return true;
}

/* --- init containers --- */
bool sync_initialized(struct xb_jv pod, const struct observed *o)
{
	for (struct spec_it it = spec_containers(pod); spec_next(&it);)
		if (it.kind == SPEC_MAIN && is_of_sandbox(o, observed_newest(o, it.name)))
			return true;
	return false;
}

enum init { INIT_ABSENT, INIT_UNDER_WAY, INIT_PASSED };

/* Whether the one after it may start, once its own steps are noted. */
static enum init look_at_init(struct work *w, const struct spec_it *it, bool initialized)
{
	const struct observed *o = w->in->observed;
	const struct observed_container *c = observed_newest(o, it->name);

	if (!is_of_sandbox(o, c) || (it->kind == SPEC_INIT && initialized)) {
		if (initialized && it->kind == SPEC_SIDECAR)
			start(w, it);
		return initialized ? INIT_PASSED : INIT_ABSENT;
	}
	if (it->kind == SPEC_INIT && c->state == OBSERVED_EXITED && !c->exit_code)
		return INIT_PASSED;
	if (it->kind == SPEC_INIT && c->state == OBSERVED_EXITED && !restarts_failed(w->in->pod)) {
		w->kill_pod = true;
		return INIT_UNDER_WAY;
	}
	if (c->state == OBSERVED_UNKNOWN)
		kill_container(w, it, c, SYNC_LOST, LOST, "Init container");
	else if (c->state != OBSERVED_RUNNING)
		start(w, it);
	else if (it->kind == SPEC_SIDECAR && !replace(w, it, c) && probe(w, c, PROBE_STARTUP) == PROBE_SUCCESS)
		return INIT_PASSED;
	return INIT_UNDER_WAY;
}

static void turn_round(struct work *w, size_t first)
{
	for (size_t i = first, j = w->starts.n; i + 1 < j; i++, j--) {
		struct sync_start s = w->starts.v[i];

		w->starts.v[i] = w->starts.v[j - 1];
		w->starts.v[j - 1] = s;
	}
}

/* From the last one back: one that is there proves that those before it have passed, even if their containers are gone; but
 * sidecars among them are kept running. True: main containers may start. */
static bool look_at_inits(struct work *w, bool initialized)
{
	XB_VEC(struct spec_it) inits = {};
	size_t first = w->starts.n;
	bool all = initialized, found = initialized;

	for (struct spec_it it = spec_containers(w->in->pod); spec_next(&it) && it.kind <= SPEC_SIDECAR;)
		w->no_memory |= xb_vec_push(&inits, it) < 0;
	for (size_t i = inits.n; i-- > 0;) {
		enum init state = look_at_init(w, &inits.v[i], found);

		if (found || state == INIT_ABSENT)
			continue;
		found = true;
		all = state == INIT_PASSED && i + 1 == inits.n;
		if (state == INIT_PASSED && !all)
			start(w, &inits.v[i + 1]);
	}
	if (inits.n && !found)
		start(w, &inits.v[0]);
	all |= !inits.n;
	xb_vec_done(&inits);
	turn_round(w, first);
	return all;
}

/* --- main and ephemeral ones --- */
static void look_at_ephemeral(struct work *w)
{
	for (struct spec_it it = spec_containers(w->in->pod); spec_next(&it);)
		if (it.kind == SPEC_EPHEMERAL && !observed_newest(w->in->observed, it.name))
			start(w, &it);
}

static void look_at_main(struct work *w)
{
	size_t keep = 0, started = 0, n_before = w->kills.n;

	for (struct spec_it it = spec_containers(w->in->pod); spec_next(&it);) {
		const struct observed_container *c = observed_newest(w->in->observed, it.name);

		if (it.kind != SPEC_MAIN)
			continue;
		if (c && c->state == OBSERVED_UNKNOWN) {
			kill_container(w, &it, c, SYNC_LOST, LOST, "Container");
		} else if (c && c->state == OBSERVED_RUNNING) {
			keep += !replace(w, &it, c);
		} else if (sync_restarts(w->in->pod, it.kind, c)) {
			start(w, &it);
			started++;
		}
	}
	/* what a failed probe ends is looked at again when it has ended */
	w->kill_pod = !keep && !started && w->kills.n == n_before;
}

/* --- the sandbox --- */
static bool all_over(const struct sync_input *in)
{
	bool any = false;

	for (struct spec_it it = spec_containers(in->pod); spec_next(&it);) {
		const struct observed_container *c = observed_newest(in->observed, it.name);

		if (it.kind != SPEC_MAIN)
			continue;
		if (xb_sv_is(policy(in->pod), "OnFailure") && c && c->state == OBSERVED_EXITED && !c->exit_code)
			any = true;
		else
			return false;
	}
	return any;
}

static bool sandbox_serves(const struct sync_input *in)
{
	const struct observed *o = in->observed;
	bool host = xb_jv_true(xb_jv_path(in->pod, "spec", "hostNetwork"));
	size_t ready = 0;

	for (size_t i = 0; i < o->n_sandboxes; i++)
		ready += o->sandboxes[i].ready;
	return ready == 1 && o->sandboxes[0].ready && o->sandboxes[0].host_network == host && (host || o->sandboxes[0].ips[0]);
}

static void plan_sandbox(const struct sync_input *in, struct sync_plan *p)
{
	const struct observed *o = in->observed;

	p->sandbox_changed = o->n_sandboxes > 0;
	p->sandbox_attempt = o->n_sandboxes ? o->sandboxes[0].attempt + 1 : 0;
	if ((!restarts_failed(in->pod) && o->n_sandboxes && o->n_containers) || all_over(in))
		p->kill_pod = true;
	else
		p->create_sandbox = true;
}

void sync_plan_done(struct sync_plan *p)
{
	for (size_t i = 0; i < p->n_kills; i++)
		free(p->kills[i].message);
	free(p->kills);
	free(p->starts);
	*p = (struct sync_plan){};
}

int sync_plan(const struct sync_input *in, struct sync_plan *ret)
{
	struct sync_plan p = {};
	struct work w = { .in = in };

	if (!sandbox_serves(in)) {
		plan_sandbox(in, &p);
		*ret = p;
		return 0;
	}
	look_at_ephemeral(&w);
	if (look_at_inits(&w, sync_initialized(in->pod, in->observed)) && !w.kill_pod)
		look_at_main(&w);
	p = (struct sync_plan){ .starts = w.starts.v, .kills = w.kills.v, .n_starts = w.starts.n, .n_kills = w.kills.n };
	if (w.no_memory || w.kill_pod)
		sync_plan_done(&p);
	if (w.no_memory)
		return -ENOMEM;
	p.kill_pod = w.kill_pod;
	*ret = p;
	return 0;
}
