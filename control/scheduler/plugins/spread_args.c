/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "spread_args.h"
#include "xb/validate.h"
#include "xb/why.h"

static const char by_system[] =
	"[{\"maxSkew\":3,\"topologyKey\":\"kubernetes.io/hostname\",\"whenUnsatisfiable\":\"ScheduleAnyway\"},"
	"{\"maxSkew\":5,\"topologyKey\":\"topology.kubernetes.io/zone\",\"whenUnsatisfiable\":\"ScheduleAnyway\"}]";

static int check_type(struct xb_sv type, bool listed, char **reterr_why)
{
	if (type.n && !xb_sv_is(type, "System") && !xb_sv_is(type, "List"))
		return xb_why(reterr_why, -EINVAL,
			      "PodTopologySpread: defaultingType: Unsupported value: \"%.*s\": supported values: \"System\", \"List\"",
			      XB_SV_ARG(type));
	if (listed && !xb_sv_is(type, "List"))
		return xb_why(reterr_why, -EINVAL,
			      "PodTopologySpread: defaultingType: Invalid value: \"System\": when .defaultConstraints are specified");
	return 0;
}

static int check_key(struct xb_sv key, const char *where, char **reterr_why)
{
	const char *faults[XB_CHECK_MAX];

	if (!key.n)
		return xb_why(reterr_why, -EINVAL, "PodTopologySpread: %s.topologyKey: Required value: can not be empty", where);
	if (!xb_check_qualified_name(key, faults))
		return 0;
	return xb_why(reterr_why, -EINVAL, "PodTopologySpread: %s.topologyKey: Invalid value: \"%.*s\": %s", where, XB_SV_ARG(key), faults[0]);
}

static int check_action(struct xb_sv action, const char *where, char **reterr_why)
{
	if (xb_sv_is(action, "DoNotSchedule") || xb_sv_is(action, "ScheduleAnyway"))
		return 0;
	if (!action.n)
		return xb_why(reterr_why, -EINVAL, "PodTopologySpread: %s.whenUnsatisfiable: Required value: can not be empty", where);
	return xb_why(reterr_why, -EINVAL, "PodTopologySpread: %s.whenUnsatisfiable: Unsupported value: \"%.*s\": "
		      "supported values: \"DoNotSchedule\", \"ScheduleAnyway\"", where, XB_SV_ARG(action));
}

static int check_constraint(struct xb_jv list, size_t i, char **reterr_why)
{
	struct xb_jv v = xb_jv_at(list, i);
	struct xb_sv key = sched_text(v, "topologyKey"), action = sched_text(v, "whenUnsatisfiable");
	int64_t skew = 0;
	char where[48];
	int r;

	snprintf(where, sizeof(where), "defaultConstraints[%zu]", i);
	xb_jv_i64(xb_jv_get(v, "maxSkew"), &skew);
	if (skew <= 0 || skew > INT32_MAX)
		return xb_why(reterr_why, -EINVAL, "PodTopologySpread: %s.maxSkew: Invalid value: %lld: not in valid range (0, inf)", where,
			      (long long)skew);
	r = check_key(key, where, reterr_why);
	if (!r)
		r = check_action(action, where, reterr_why);
	if (!r && xb_jv_is(xb_jv_get(v, "labelSelector")))
		return xb_why(reterr_why, -EINVAL, "PodTopologySpread: %s.labelSelector: Forbidden: "
			      "constraint must not define a selector, as they deduced for each pod", where);
	for (size_t k = 0; !r && k < i; k++)
		if (xb_sv_eq(sched_text(xb_jv_at(list, k), "topologyKey"), key)
		    && xb_sv_eq(sched_text(xb_jv_at(list, k), "whenUnsatisfiable"), action))
			return xb_why(reterr_why, -EINVAL, "PodTopologySpread: %s: Duplicate value: \"{%.*s, %.*s}\"", where, XB_SV_ARG(key),
				      XB_SV_ARG(action));
	return r;
}

int sched_spread_args_read(struct sched_spread_args *a, struct xb_jv args, char **reterr_why)
{
	struct xb_jv list = xb_jv_get(args, "defaultConstraints");
	struct xb_sv type = sched_text(args, "defaultingType");
	int r = check_type(type, xb_jv_count(list) > 0, reterr_why);

	for (size_t i = 0; !r && i < xb_jv_count(list); i++)
		r = check_constraint(list, i, reterr_why);
	if (r)
		return r;
	a->system = !xb_sv_is(type, "List");
	if (a->system) {
		r = xb_json_parse(XB_SV(by_system), NULL, &a->doc, NULL);
		list = r ? (struct xb_jv){} : xb_json_root(a->doc);
	} else {
		a->doc = xb_json_ref(args.doc);
	}
	a->constraints = list;
	return r;
}

void sched_spread_args_done(struct sched_spread_args *a)
{
	a->doc = xb_json_unref(a->doc);
}
