/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "node.h"
#include "thresholds.h"
#include "xb/time.h"

static const struct {
	const char *name, *resource;
	enum pressure pressure;
} signals[SIGNALS] = {
	[SIGNAL_MEMORY] = { "memory.available", "memory", PRESSURE_MEMORY },
	[SIGNAL_NODEFS] = { "nodefs.available", "ephemeral-storage", PRESSURE_DISK },
	[SIGNAL_NODEFS_INODES] = { "nodefs.inodesFree", "inodes", PRESSURE_DISK },
	[SIGNAL_IMAGEFS] = { "imagefs.available", "ephemeral-storage", PRESSURE_DISK },
	[SIGNAL_IMAGEFS_INODES] = { "imagefs.inodesFree", "inodes", PRESSURE_DISK },
	[SIGNAL_PID] = { "pid.available", "pids", PRESSURE_PID },
};

const char *signal_name(enum signal s)
{
	return signals[s].name;
}

const char *signal_resource(enum signal s)
{
	return signals[s].resource;
}

enum pressure signal_pressure(enum signal s)
{
	return signals[s].pressure;
}

uint64_t amount_of(const struct amount *a, uint64_t capacity)
{
	return a->is_percent ? (uint64_t)(a->percent / 100 * (double)capacity) : (uint64_t)xb_quantity_value(&a->quantity);
}

uint64_t thresholds_kept(const struct node_thresholds *t, enum signal s, uint64_t capacity)
{
	for (size_t i = 0; i < t->all.n; i++)
		if (t->all.v[i].hard && t->all.v[i].signal == s)
			return amount_of(&t->all.v[i].amount, capacity);
	return 0;
}

/* --- out of the configuration */
static int fault(char **reterr_why, const char *field, struct xb_sv signal, const char *fmt, ...) _printf_(4, 5);
static int fault(char **reterr_why, const char *field, struct xb_sv signal, const char *fmt, ...)
{
	_cleanup_buf_ struct xb_buf b = {};
	va_list ap;

	xb_buf_addf(&b, signal.p ? "%s[%.*s]: " : "%s: ", field, XB_SV_ARG(signal));
	va_start(ap, fmt);
	xb_buf_addv(&b, fmt, ap);
	va_end(ap);
	*reterr_why = xb_buf_steal(&b);
	return *reterr_why ? -EINVAL : -ENOMEM;
}

static int read_amount(const char *field, struct xb_sv signal, struct xb_jv value, struct amount *ret, char **reterr_why)
{
	struct xb_sv text = xb_jv_text(value);
	struct amount a = { .is_percent = xb_sv_ends(text, "%") };
	char number[32], *end;

	if (!a.is_percent) {
		if (xb_quantity_parse(text, &a.quantity) || a.quantity.nano < 0)
			return fault(reterr_why, field, signal, "\"%.*s\" is neither a quantity nor a percentage", XB_SV_ARG(text));
		*ret = a;
		return 0;
	}
	snprintf(number, sizeof(number), "%.*s", (int)MIN(text.n - 1, sizeof(number) - 1), text.p);
	a.percent = strtod(number, &end);
	if (end == number || *end || !(a.percent >= 0 && a.percent <= 100))
		return fault(reterr_why, field, signal, "\"%.*s\" is not a percentage from 0%% to 100%%", XB_SV_ARG(text));
	*ret = a;
	return 0;
}

static int find_signal(const char *field, struct xb_sv name, enum signal *ret, char **reterr_why)
{
	for (unsigned i = 0; i < SIGNALS; i++)
		if (xb_sv_is(name, signals[i].name)) {
			*ret = (enum signal)i;
			return 0;
		}
	return fault(reterr_why, field, (struct xb_sv){}, "unsupported eviction signal %.*s", XB_SV_ARG(name));
}

static int read_duration(const char *field, struct xb_jv value, uint64_t otherwise_ms, uint64_t *ret_ms, char **reterr_why)
{
	int64_t ns = 0;

	if (!xb_jv_is(value)) {
		*ret_ms = otherwise_ms;
		return 0;
	}
	if (xb_duration_parse(xb_jv_text(value), &ns) || ns < 0)
		return fault(reterr_why, field, (struct xb_sv){}, "\"%.*s\" is not a duration", XB_SV_ARG(xb_jv_text(value)));
	*ret_ms = (uint64_t)(ns / XB_MILLISECOND);
	return 0;
}

/* None at all, as upstream has it. */
static bool is_off(const struct amount *a)
{
	return a->is_percent ? a->percent <= 0 || a->percent >= 100 : !a->quantity.nano;
}

static int add(struct node_thresholds *t, const char *field, bool hard, struct xb_sv signal, struct xb_jv value, struct xb_jv graces,
	       char **reterr_why)
{
	struct threshold new = { .hard = hard };
	struct xb_jv grace;
	int r = find_signal(field, signal, &new.signal, reterr_why);

	r = r ? r : read_amount(field, signal, value, &new.amount, reterr_why);
	if (r || is_off(&new.amount))
		return r;
	grace = xb_jv_getsv(graces, signal);
	if (!hard && !xb_jv_is(grace))
		return fault(reterr_why, field, signal, "grace period must be specified in evictionSoftGracePeriod");
	r = hard ? 0 : read_duration("evictionSoftGracePeriod", grace, 0, &new.grace_ms, reterr_why);
	return r ? r : xb_vec_push(&t->all, new);
}

static int add_all(struct node_thresholds *t, struct xb_jv list, const char *field, bool hard, struct xb_jv graces, char **reterr_why)
{
	int r = 0;

	for (struct xb_jit it = xb_jv_iter(list); !r && xb_jit_next(&it);)
		r = add(t, field, hard, it.key, it.value, graces, reterr_why);
	return r;
}

static int add_defaults(struct node_thresholds *t)
{
	static const char json[] = "{\"memory.available\":\"100Mi\",\"nodefs.available\":\"10%\",\"nodefs.inodesFree\":\"5%\","
				   "\"imagefs.available\":\"15%\",\"imagefs.inodesFree\":\"5%\"}";
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_free_ char *why = NULL;
	int r = xb_json_parse(XB_SV(json), NULL, &doc, NULL);

	return r ? r : add_all(t, xb_json_root(doc), "evictionHard", true, (struct xb_jv){}, &why);
}

static int by_order(const void *a, const void *b)
{
	const struct threshold *x = a, *y = b;

	return x->hard != y->hard ? y->hard - x->hard : (int)x->signal - (int)y->signal;
}

int node_thresholds_parse(struct xb_jv configuration, struct node_thresholds **ret, char **reterr_why)
{
	struct xb_jv hard = xb_jv_get(configuration, "evictionHard"), grace = xb_jv_get(configuration, "evictionMaxPodGracePeriod");
	_cleanup_(node_thresholds_freep) struct node_thresholds *t = calloc(1, sizeof(*t));
	int64_t grace_s = 0;
	int r;

	if (!t)
		return -ENOMEM;
	r = xb_jv_is(hard) ? add_all(t, hard, "evictionHard", true, (struct xb_jv){}, reterr_why) : add_defaults(t);
	r = r ? r : add_all(t, xb_jv_get(configuration, "evictionSoft"), "evictionSoft", false,
			    xb_jv_get(configuration, "evictionSoftGracePeriod"), reterr_why);
	for (struct xb_jit it = xb_jv_iter(xb_jv_get(configuration, "evictionMinimumReclaim")); !r && xb_jit_next(&it);) {
		enum signal s;

		r = find_signal("evictionMinimumReclaim", it.key, &s, reterr_why);
		r = r ? r : read_amount("evictionMinimumReclaim", it.key, it.value, &t->reclaim[s], reterr_why);
	}
	r = r ? r : read_duration("evictionPressureTransitionPeriod", xb_jv_get(configuration, "evictionPressureTransitionPeriod"),
				  5 * 60 * 1000, &t->transition_ms, reterr_why);
	if (!r && xb_jv_is(grace) && (xb_jv_i64(grace, &grace_s) || grace_s < 0))
		r = fault(reterr_why, "evictionMaxPodGracePeriod", (struct xb_sv){}, "must be a number of seconds");
	if (r)
		return r;
	t->max_pod_grace_s = (uint64_t)grace_s;
	if (t->all.n)
		qsort(t->all.v, t->all.n, sizeof(*t->all.v), by_order);
	*ret = TAKE_PTR(t);
	return 0;
}

struct node_thresholds *node_thresholds_free(struct node_thresholds *t)
{
	if (t)
		xb_vec_done(&t->all);
	free(t);
	return NULL;
}
