/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent_state.h"
#include "xb/log.h"
#include "xb/time.h"
#include "xb/vec.h"

#define RETRY_MS 30000

static bool is_port(const struct service_port *known, const struct xb_plan_port *p)
{
	return known->family == p->family && known->proto == p->proto && !strcmp(known->name, p->name);
}

static bool in_plan(const struct xb_plan *plan, const struct service_port *p)
{
	for (size_t i = 0; i < plan->n; i++)
		if (is_port(p, &plan->v[i]))
			return true;
	return false;
}

/* Returns how many ports went. */
static size_t remove_vanished(struct agent *a, struct service *v, const struct xb_plan *plan)
{
	size_t removed = 0;

	for (struct service_port **at = &v->programmed, *p; (p = *at);) {
		if (in_plan(plan, p)) {
			at = &p->next;
			continue;
		}
		removed += !a->c.plane->remove(a->tables, p->name, p->family, p->proto);
		*at = p->next;
		free(p);
	}
	return removed;
}

static int remember(struct service *v, const struct xb_plan_port *p)
{
	struct service_port *known = v->programmed;
	size_t n = strlen(p->name) + 1;

	while (known && !is_port(known, p))
		known = known->next;
	if (known)
		return 0;
	known = malloc(sizeof(*known) + n);
	if (!known)
		return -ENOMEM;
	*known = (struct service_port){ .next = v->programmed, .family = p->family, .proto = p->proto };
	memcpy(known->name, p->name, n);
	v->programmed = known;
	return 0;
}

/* One port that cannot be set does not keep the others out. Every port is remembered: a failed one may be in the tables
 * all the same, as it was before. */
static int set_ports(struct agent *a, struct service *v, const struct xb_plan *plan, char **reterr_why)
{
	int first = 0;

	for (size_t i = 0; i < plan->n; i++) {
		_cleanup_free_ char *why = NULL;
		int r = remember(v, &plan->v[i]);

		if (!r)
			r = a->c.plane->set(a->tables, &plan->v[i], &why);
		if (r < 0 && !first) {
			first = r;
			*reterr_why = TAKE_PTR(why);
		}
	}
	return first;
}

static int make_plan(const struct agent *a, const struct service *v, struct xb_plan *ret)
{
	struct xb_plan_here here = { .node = a->c.node_name, .zone = node_zone(a->node) };

	if (!xb_jv_is(v->object))
		return 0;
	return v->in == a->pods ? xb_plan_make_pod(v->object, ret) : xb_plan_make(v->object, v->slices, v->n_slices, &here, ret);
}

/* Brings in what a plan says. A fault of the tables is told before one of the health check. */
static void set_service(struct agent *a, struct service *v, const struct xb_plan *plan)
{
	_cleanup_free_ char *why = NULL, *check_why = NULL;
	int r = set_ports(a, v, plan, &why), check = 0, fault = 0;

	if ((plan->health_port || v->checked) && !a->c.compared)
		check = health_ports_set(a->health_ports, v->key, plan->health_port, plan->local_ready, &check_why);
	v->checked = plan->health_port;
	v->zoned = plan->zoned;
	if (r < 0 || check < 0 || v->fault)
		fault = r < 0 ? faults_set(a->faults, v, r, NULL, TAKE_PTR(why)) :
				faults_set(a->faults, v, check, "FailedToStartServiceHealthcheck", TAKE_PTR(check_why));
	if (fault < 0)
		agent_fail(a);
	a->metrics.faults += r < 0 || check < 0;
	if (!r && v->trigger_us >= a->metrics.start_us)
		histogram_observe(&a->metrics.programming, (double)(xb_time_now() - v->trigger_us) / 1e6);
	v->trigger_us = 0;
}

static size_t program(struct agent *a, struct service *v)
{
	_cleanup_(xb_plan_done) struct xb_plan plan = {};
	size_t removed = 0;
	int r = make_plan(a, v, &plan);

	/* Going on would prune what was not planned. */
	if (r < 0) {
		agent_fail(a);
		return 0;
	}
	removed = remove_vanished(a, v, &plan);
	set_service(a, v, &plan);
	services_forget(v);
	return removed;
}

static size_t drain(struct agent *a)
{
	size_t removed = 0;
	struct service *v;

	while (!a->failed && ((v = services_next_dirty(a->services)) || (v = services_next_dirty(a->pods))))
		removed += program(a, v);
	return removed;
}

static void count_service(void *arg, struct service *v)
{
	if (xb_jv_is(v->object))
		xb_plan_count(v->object, v->slices, v->n_slices, arg);
}

/* Room for the whole first list at once; what an earlier run left in the tables needs none. */
static void reserve(struct agent *a)
{
	struct xb_plan_counts want = {};
	struct apply_stats have;
	int r;

	services_each(a->services, count_service, &want);
	a->c.plane->stats(a->tables, &have);
	want.ports -= MIN(want.ports, have.ports);
	want.frontends -= MIN(want.frontends, have.frontends);
	want.backends -= MIN(want.backends, have.backends);
	r = a->c.plane->reserve(a->tables, &want);
	if (r < 0)
		log_warning_errno(r, "cannot make room for %zu more ports and %zu backends at once: %m", want.ports, want.backends);
}

/* What an agent of another mode left would go on serving what has changed since. */
static void remove_others(struct agent *a)
{
	for (size_t i = 0; data_planes[i]; i++) {
		_cleanup_free_ char *why = NULL;
		int r = data_planes[i] != a->c.plane ? data_planes[i]->cleanup(a->c.bpffs_path, &why) : 0;

		if (r < 0 && r != -ENOENT)
			log_warning("what mode %s may have left is still there: %s", data_planes[i]->mode, why ? why : strerror(-r));
	}
}

static void prune(struct agent *a)
{
	int n = a->failed ? 0 : a->c.plane->prune(a->tables);

	a->pruned = true;
	if (n > 0)
		log_info("%d left from before were removed from the tables", n);
	if (n && faults_count(a->faults))
		faults_retry(a->faults);
	drain(a);
}

static void tell_applied(const struct agent *a, int64_t began_ms)
{
	struct apply_stats s;

	a->c.plane->stats(a->tables, &s);
	log_info("%zu ports with %zu frontends and %zu backends are in the tables; %lld ms", s.ports, s.frontends, s.backends,
		 (long long)(xb_time_ms() - began_ms));
}

static void mark_service(void *arg, struct service *v)
{
	services_mark(v);
}

/* The next agent_flush sets all of them, and prunes. */
void agent_start_anew(struct agent *a)
{
	services_each(a->services, mark_service, NULL);
	services_each(a->pods, mark_service, NULL);
	a->applied = a->pruned = a->stale = false;
}

void agent_bring_node(struct agent *a)
{
	_cleanup_buf_ struct xb_buf text = {};
	struct xb_plan_node node;
	int r;

	networks_get(a->networks, &node);
	networks_describe(&node, &text);
	r = a->c.plane->set_node(a->tables, &node);
	if (r > 0)
		log_info("%s", text.p ? text.p : "");
	else if (r == -ESTALE)
		agent_start_anew(a);
	else if (r < 0)
		log_warning_errno(r, "cannot keep this node's networks in the tables: %m");
}

static void apply_changes(struct agent *a)
{
	int64_t began_ms = xb_time_ms();
	bool first = !a->applied;

	if (first) {
		agent_bring_node(a);
		reserve(a);
	}
	/* A port that went may have made way for one that was refused. */
	if (drain(a) && faults_count(a->faults)) {
		faults_retry(a->faults);
		drain(a);
	}
	a->applied = true;
	if (first)
		host_ports_expect(a->host_ports);
	if (!a->pruned && host_ports_settled(a->host_ports))
		prune(a);
	if (first && !a->c.compared)
		tell_applied(a, began_ms);
}

static void commit(struct agent *a)
{
	_cleanup_free_ char *why = NULL;
	int r = a->c.plane->commit(a->tables, &why);

	if (r == -ESTALE) {
		log_warning("%s; setting all Services anew", why ? why : "the tables are not as they were left");
		free(TAKE_PTR(why));
		agent_start_anew(a);
		apply_changes(a);
		r = a->c.plane->commit(a->tables, &why);
	}
	a->stale = r < 0;
	if (r < 0)
		log_err("Services cannot be brought into the tables: %s", why ? why : strerror(-r));
}

static void on_retry(uv_timer_t *t);

void agent_bring_devices(struct agent *a)
{
	const struct xb_link *links;
	size_t n;
	int r;

	if (!a->links || a->failed)
		return;
	n = xb_links_get(a->links, &links);
	r = a->c.plane->set_devices(a->tables, links, n);
	if (r < 0)
		agent_fail(a);
	if (r > 0 && !uv_is_active((uv_handle_t *)&a->retry))
		uv_timer_start(&a->retry, on_retry, RETRY_MS, 0);
}

static void on_retry(uv_timer_t *t)
{
	struct agent *a = t->data;

	if (a->stale)
		agent_start_anew(a);
	faults_retry(a->faults);
	agent_bring_devices(a);
}

void agent_tend(uv_timer_t *t)
{
	struct agent *a = t->data;

	if (a->tables && !a->failed && a->c.plane->tend)
		uv_timer_start(t, agent_tend, (uint64_t)a->c.plane->tend(a->tables), 0);
}

static void end_dry_run(struct agent *a)
{
	struct apply_stats s;

	uv_prepare_stop(&a->before_sleep);
	a->c.plane->stats(a->tables, &s);
	a->c.compared(a->c.arg, s.publishes);
}

static bool anything_to_do(const struct agent *a)
{
	return !a->applied || (!a->pruned && host_ports_settled(a->host_ports)) || services_dirty(a->services) || services_dirty(a->pods);
}

/* Each event as long as that which waited longest. The first lists are no events. */
static void observe_events(struct agent *a, bool first)
{
	uint64_t now = uv_hrtime();

	for (; a->events && !first; a->events--)
		histogram_observe(&a->metrics.event, (double)(now - a->woken_ns) / 1e9);
	a->events = 0;
}

void agent_flush(uv_prepare_t *h)
{
	struct agent *a = h->data;
	uint64_t began = uv_hrtime();
	bool first;

	if (a->failed || !agent_synced(a) || !anything_to_do(a))
		return;
	first = !a->applied;
	apply_changes(a);
	if (a->c.compared) {
		if (a->pruned)
			end_dry_run(a);
		return;
	}
	commit(a);
	if (!a->stale)
		observe_events(a, first);
	if (first && !a->stale)
		remove_others(a);
	faults_tell(a->faults);
	if ((faults_count(a->faults) || a->stale) && !uv_is_active((uv_handle_t *)&a->retry))
		uv_timer_start(&a->retry, on_retry, RETRY_MS, 0);
	a->metrics.last_sync_us = xb_time_now();
	histogram_observe(&a->metrics.sync, (double)(uv_hrtime() - began) / 1e9);
}
