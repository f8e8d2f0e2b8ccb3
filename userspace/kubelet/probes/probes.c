/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When a container is asked, and what its answers come to (upstream's pkg/kubelet/prober). */
#include "probes_inner.h"
#include "xb/prometheus.h"
#include "xb/random.h"

static const struct {
	const char *field, *name;
} kinds[] = {
	[PROBE_STARTUP] = { "startupProbe", "Startup" },
	[PROBE_LIVENESS] = { "livenessProbe", "Liveness" },
	[PROBE_READINESS] = { "readinessProbe", "Readiness" },
};

static uint64_t number(const struct probe *probe, const char *field, uint64_t otherwise)
{
	int64_t n;

	return !xb_jv_i64(xb_jv_get(probe->spec, field), &n) && n > 0 ? (uint64_t)n : otherwise;
}

static uint64_t period_ms(const struct probe *probe)
{
	return number(probe, "periodSeconds", 10) * 1000;
}

/* --- one timer for all --- */
static void on_timer(uv_timer_t *timer);

static void schedule(struct probe *probe, uint64_t due)
{
	struct probes *p = probe->w->p;
	uint64_t now = uv_now(p->c.loop), wait = due > now ? due - now : 0;

	probe->due = MAX(due, 1);
	if (!uv_is_active((uv_handle_t *)&p->timer) || uv_timer_get_due_in(&p->timer) > wait)
		uv_timer_start(&p->timer, on_timer, wait, 0);
}

/* When a probe may begin: after its initial delay, or at once; of many containers that run already not all at once. */
static void begin(struct probe *probe)
{
	struct watched *w = probe->w;
	uint64_t now = uv_now(w->p->c.loop), due = w->started + number(probe, "initialDelaySeconds", 0) * 1000;
	uint32_t random;

	if (!xb_jv_is(probe->spec))
		return;
	if ((int64_t)(due - now) <= 0) {
		due = now;
		if (w->adopted) {
			xb_random_bytes(&random, sizeof(random));
			due += random % period_ms(probe);
		}
	}
	schedule(probe, due);
}

static void halt(struct probe *probe)
{
	attempt_cancel(TAKE_PTR(probe->attempt));
	probe->due = 0;
}

/* --- what an attempt comes to --- */
static void tell(const struct probe *probe, const struct attempt_result *result)
{
	static const char *const sentences[] = {
		[ATTEMPT_WARNING] = "%s probe warning: %s",
		[ATTEMPT_FAILURE] = "%s probe failed: %s",
		[ATTEMPT_ERROR] = "%s probe errored and resulted in unknown state: %s",
	};
	const struct probes *p = probe->w->p;
	char *text;

	if (result->outcome == ATTEMPT_SUCCESS)
		return;
	if (asprintf(&text, sentences[result->outcome], kinds[probe->kind].name, result->text) < 0)
		return;
	p->c.failed(p->c.arg, probe->w->uid, probe->w->name, result->outcome == ATTEMPT_WARNING ? "ProbeWarning" : "Unhealthy", text);
	free(text);
}

/* Is that enough to say so? Counts it. */
static bool counts(struct probe *probe, enum probe_result result)
{
	probe->run = probe->last == result ? probe->run + 1 : 1;
	probe->last = result;
	return probe->run >= (result == PROBE_SUCCESS ? number(probe, "successThreshold", 1) : number(probe, "failureThreshold", 3));
}

static void settle(struct probe *probe, enum probe_result result)
{
	struct watched *w = probe->w;
	struct probes *p = w->p;
	bool news = probe->result != result;

	probe->result = result;
	if (probe->kind == PROBE_STARTUP && result == PROBE_SUCCESS) {
		halt(probe);
		begin(&w->probes[PROBE_LIVENESS]);
		begin(&w->probes[PROBE_READINESS]);
	} else if (probe->kind != PROBE_READINESS && result == PROBE_FAILURE) {
		/* it will be killed: until another is in its place there is nothing to learn */
		halt(probe);
	}
	if (news)
		p->c.changed(p->c.arg, w->uid, w->name);
}

static void on_done(void *arg, const struct attempt_result *attempt)
{
	struct probe *probe = arg;
	enum probe_result result = attempt->outcome == ATTEMPT_ERROR ? PROBE_UNKNOWN :
				   attempt->outcome == ATTEMPT_FAILURE ? PROBE_FAILURE : PROBE_SUCCESS;

	probe->attempt = NULL;
	probe->totals[result]++;
	schedule(probe, MAX(probe->begun + period_ms(probe), uv_now(probe->w->p->c.loop)));
	tell(probe, attempt);
	/* an attempt that could not be made says nothing */
	if (result != PROBE_UNKNOWN && counts(probe, result))
		settle(probe, result);
}

static void ask(struct probe *probe)
{
	struct watched *w = probe->w;
	_cleanup_free_ char *why = NULL;
	const struct attempt_request q = {
		.container = w->container,
		.handler = probe->spec,
		.container_id = w->id,
		.pod_ip = w->pod_ip,
		.timeout_ms = (unsigned)MIN(number(probe, "timeoutSeconds", 1) * 1000, UINT32_MAX),
	};
	int r;

	probe->due = 0;
	probe->begun = uv_now(w->p->c.loop);
	r = attempt_start(&w->p->tools, &q, on_done, probe, &probe->attempt, &why);
	if (r)
		on_done(probe, &(struct attempt_result){ .outcome = ATTEMPT_ERROR, .text = why ?: strerror(-r) });
}

static void on_timer(uv_timer_t *timer)
{
	struct probes *p = timer->data;
	uint64_t now = uv_now(p->c.loop), next = UINT64_MAX;
	struct xb_map_it it = {};

	while (xb_map_next(p->by_id, &it))
		for (size_t i = 0; i < 3; i++) {
			struct probe *probe = &((struct watched *)it.value)->probes[i];

			if (probe->due && probe->due <= now)
				ask(probe);
			if (probe->due)
				next = MIN(next, probe->due);
		}
	if (next != UINT64_MAX)
		uv_timer_start(timer, on_timer, next > now ? next - now : 0, 0);
}

/* --- containers --- */
static struct watched *watched_free(struct watched *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(w->probes); i++)
		halt(&w->probes[i]);
	xb_json_unref(w->doc);
	free(w->id);
	free(w->uid);
	free(w->name);
	free(w->pod_ip);
	free(w);
	return NULL;
}
XB_DEFINE_CLEANUP(struct watched *, watched_free)

static int watched_new(struct probes *p, struct xb_jv pod, struct xb_jv container, const char *id, const char *pod_ip, struct watched **ret)
{
	_cleanup_(watched_freep) struct watched *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->p = p;
	w->pod = pod;
	w->container = container;
	w->doc = xb_json_ref(pod.doc);
	w->id = strdup(id);
	w->pod_ip = strdup(pod_ip);
	w->uid = xb_jv_dup(xb_jv_path(pod, "metadata", "uid"));
	w->name = xb_jv_dup(xb_jv_get(container, "name"));
	if (!w->id || !w->pod_ip || !w->uid || !w->name)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(w->probes); i++) {
		struct xb_jv spec = xb_jv_get(container, kinds[i].field);

		w->probes[i] = (struct probe){ .w = w, .kind = (enum probe_kind)i, .result = PROBE_SUCCESS };
		if (xb_jv_type(spec) == XB_JSON_OBJECT)
			w->probes[i].spec = spec;
	}
	*ret = TAKE_PTR(w);
	return 0;
}

int probes_start(struct probes *p, struct xb_jv pod, struct xb_jv container, const char *container_id, const char *pod_ip,
		 uint64_t running_for_ms, bool was_ready, bool was_started)
{
	_cleanup_(watched_freep) struct watched *w = NULL;
	struct probe *startup;
	int r;

	if (xb_map_get(p->by_id, xb_sv(container_id)))
		return 0;
	r = watched_new(p, pod, container, container_id, pod_ip, &w);
	r = r ?: xb_map_set(p->by_id, xb_sv(w->id), w, NULL);
	if (r)
		return r;
	w->started = uv_now(p->c.loop) - running_for_ms;
	w->adopted = running_for_ms > 0;
	startup = &w->probes[PROBE_STARTUP];
	if (xb_jv_is(w->probes[PROBE_READINESS].spec))
		w->probes[PROBE_READINESS].result = was_ready ? PROBE_SUCCESS : PROBE_FAILURE;
	if (xb_jv_is(startup->spec) && !was_started) {
		startup->result = PROBE_UNKNOWN;
		begin(startup);
	} else {
		begin(&w->probes[PROBE_LIVENESS]);
		begin(&w->probes[PROBE_READINESS]);
	}
	TAKE_PTR(w);
	return 0;
}

void probes_stop(struct probes *p, const char *container_id)
{
	watched_free(xb_map_del(p->by_id, xb_sv(container_id)));
}

void probes_leave(struct probes *p, const char *container_id)
{
	static const enum probe_kind ending[] = { PROBE_STARTUP, PROBE_LIVENESS };
	struct watched *w = xb_map_get(p->by_id, xb_sv(container_id));

	for (size_t i = 0; w && i < ARRAY_SIZE(ending); i++) {
		halt(&w->probes[ending[i]]);
		w->probes[ending[i]].result = PROBE_SUCCESS;
	}
}

enum probe_result probes_result(const struct probes *p, const char *container_id, enum probe_kind kind)
{
	const struct watched *w = xb_map_get(p->by_id, xb_sv(container_id));

	return w ? w->probes[kind].result : PROBE_UNKNOWN;
}

/* --- metrics --- */
static void write_totals(const struct probe *probe, struct xb_buf *out)
{
	static const char *const results[] = { [PROBE_UNKNOWN] = "unknown", [PROBE_SUCCESS] = "successful", [PROBE_FAILURE] = "failed" };
	struct xb_jv meta = xb_jv_get(probe->w->pod, "metadata");

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		_cleanup_buf_ struct xb_buf labels = {};

		if (!probe->totals[i])
			continue;
		xb_buf_addf(&labels, "container=\"%s\",namespace=\"%.*s\",pod=\"%.*s\",pod_uid=\"%s\",probe_type=\"%s\",result=\"%s\"", probe->w->name,
			    XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "namespace"))), XB_SV_ARG(xb_jv_text(xb_jv_get(meta, "name"))), probe->w->uid,
			    kinds[probe->kind].name, results[i]);
		if (!labels.err)
			xb_prom_sample(out, "prober_probe_total", labels.p, (double)probe->totals[i]);
	}
}

void probes_write_metrics(const struct probes *p, struct xb_buf *out)
{
	struct xb_map_it it = {};

	xb_prom_head(out, "prober_probe_total", "counter", "Cumulative number of a liveness, readiness or startup probe for a container by result.");
	while (xb_map_next(p->by_id, &it))
		for (size_t i = 0; i < 3; i++)
			write_totals(&((const struct watched *)it.value)->probes[i], out);
}

/* --- all of it --- */
int probes_new(const struct probes_config *c, struct probes **ret)
{
	_cleanup_free_ struct probes *p = calloc(1, sizeof(*p));
	_cleanup_(xb_map_freep) struct xb_map *by_id = xb_map_new(XB_MAP_BORROW);
	_cleanup_free_ char *user_agent = strdup(c->user_agent);
	int r = p && by_id && user_agent ? web_new(c->loop, &p->tools.web) : -ENOMEM;

	if (r)
		return r;
	p->c = *c;
	p->user_agent = TAKE_PTR(user_agent);
	p->by_id = TAKE_PTR(by_id);
	p->tools.loop = c->loop;
	p->tools.runtime = c->runtime;
	p->tools.user_agent = p->user_agent;
	uv_timer_init(c->loop, &p->timer);
	p->timer.data = p;
	*ret = TAKE_PTR(p);
	return 0;
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

struct probes *probes_free(struct probes *p)
{
	struct xb_map_it it = {};

	if (!p)
		return NULL;
	while (!LIST_EMPTY(&p->hooks))
		hook_cancel(LIST_FIRST(&p->hooks));
	while (xb_map_next(p->by_id, &it))
		watched_free(xb_map_del(p->by_id, it.key));
	xb_map_free(p->by_id);
	web_free(p->tools.web);
	free(p->user_agent);
	uv_close((uv_handle_t *)&p->timer, timer_closed);
	return NULL;
}
