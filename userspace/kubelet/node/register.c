/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include "status.h"
#include "xb/validate.h"
#include "xb/why.h"

struct taint {
	struct xb_sv key, value, effect;
};

/* "key=value:Effect", "key:Effect" */
static bool split_taint(const char *text, struct taint *ret)
{
	const char *colon = strrchr(text, ':');
	struct xb_sv pair = { text, colon ? (size_t)(colon - text) : 0 };

	*ret = (struct taint){ .effect = xb_sv(colon ? colon + 1 : NULL) };
	return colon && xb_sv_split(&pair, '=', &ret->key) && (ret->value = pair, true);
}

static bool split_label(const char *text, struct xb_sv *ret_key, struct xb_sv *ret_value)
{
	struct xb_sv rest = xb_sv(text);

	if (!strchr(text, '=') || !xb_sv_split(&rest, '=', ret_key))
		return false;
	*ret_value = rest;
	return true;
}

/* --- flags */
static bool is_effect(struct xb_sv s)
{
	return xb_sv_is(s, "NoSchedule") || xb_sv_is(s, "PreferNoSchedule") || xb_sv_is(s, "NoExecute");
}

int status_check_flags(const char *const *labels, const char *const *taints, char **reterr_why)
{
	const char *faults[XB_CHECK_MAX];
	struct xb_sv key, value;
	struct taint t;

	for (; labels && *labels; labels++) {
		if (!split_label(*labels, &key, &value))
			return xb_why(reterr_why, -EINVAL, "--node-labels: \"%s\" is not key=value", *labels);
		if (xb_check_qualified_name(key, faults) || xb_check_label_value(value, faults))
			return xb_why(reterr_why, -EINVAL, "--node-labels: \"%s\": %s", *labels, faults[0]);
	}
	for (; taints && *taints; taints++) {
		if (!split_taint(*taints, &t) || !is_effect(t.effect))
			return xb_why(reterr_why, -EINVAL,
				      "--register-with-taints: \"%s\" is not key=value:effect with effect NoSchedule, PreferNoSchedule or NoExecute",
				      *taints);
		if (xb_check_qualified_name(t.key, faults) || xb_check_label_value(t.value, faults))
			return xb_why(reterr_why, -EINVAL, "--register-with-taints: \"%s\": %s", *taints, faults[0]);
	}
	return 0;
}

/* --- labels */
/* Those that say what the node is; each with its value, NULL where the machine does not say. */
struct own_label {
	const char *key, *value;
};
#define OWN_LABELS 12
static void own_labels(const struct node_view *v, struct own_label ret[OWN_LABELS])
{
	const struct own_label own[OWN_LABELS] = {
		{ "beta.kubernetes.io/arch", v->machine->architecture }, { "beta.kubernetes.io/os", "linux" },
		{ "kubernetes.io/arch", v->machine->architecture }, { "kubernetes.io/hostname", v->facts->hostname },
		{ "kubernetes.io/os", "linux" }, { "topology.kubernetes.io/region", NULL }, { "topology.kubernetes.io/zone", NULL },
		{ "failure-domain.beta.kubernetes.io/region", NULL }, { "failure-domain.beta.kubernetes.io/zone", NULL },
		{ "node.kubernetes.io/instance-type", NULL }, { "beta.kubernetes.io/instance-type", NULL }, { NULL, NULL },
	};

	memcpy(ret, own, sizeof(own));
}

static struct xb_sv given(const char *const *labels, const char *key)
{
	struct xb_sv k, value;

	for (; labels && *labels; labels++)
		if (split_label(*labels, &k, &value) && xb_sv_is(k, key))
			return value;
	return (struct xb_sv){};
}

static bool is_own(const struct own_label *own, struct xb_sv key)
{
	for (; own->key; own++)
		if (own->value && xb_sv_is(key, own->key))
			return true;
	return false;
}

static void write_labels(const struct node_view *v, const char *const *labels, struct xb_jw *w)
{
	struct own_label own[OWN_LABELS];
	struct xb_sv key, value;

	own_labels(v, own);
	xb_jw_key(w, "labels");
	xb_jw_object(w);
	for (const struct own_label *o = own; o->key; o++)
		if (o->value)
			xb_jw_kstr(w, o->key, o->value);
	for (; labels && *labels; labels++)
		if (split_label(*labels, &key, &value) && !is_own(own, key)) {
			xb_jw_keysv(w, key);
			xb_jw_sv(w, value);
		}
	xb_jw_end(w);
}

int status_write_labels(const struct node_view *v, const char *const *labels, struct xb_jv old_labels, bool *ret_differs,
			struct xb_buf *out)
{
	struct own_label own[OWN_LABELS];
	struct xb_jw w = XB_JW(out);
	bool differs = false;
	int r;

	own_labels(v, own);
	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_key(&w, "labels");
	xb_jw_object(&w);
	for (const struct own_label *o = own; o->key; o++) {
		struct xb_sv want = o->value ? xb_sv(o->value) : given(labels, o->key);

		if (!want.p || xb_jv_streq(xb_jv_get(old_labels, o->key), want))
			continue;
		xb_jw_key(&w, o->key);
		xb_jw_sv(&w, want);
		differs = true;
	}
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_end(&w);
	r = xb_jw_finish(&w);
	if (!r)
		*ret_differs = differs;
	return r;
}

/* --- the whole document */
static void write_taints(const char *const *taints, struct xb_jw *w)
{
	struct taint t;

	if (!taints || !*taints)
		return;
	xb_jw_key(w, "taints");
	xb_jw_array(w);
	for (; *taints; taints++) {
		if (!split_taint(*taints, &t))
			continue;
		xb_jw_object(w);
		xb_jw_ksv(w, "key", t.key);
		if (t.value.n)
			xb_jw_ksv(w, "value", t.value);
		xb_jw_ksv(w, "effect", t.effect);
		xb_jw_end(w);
	}
	xb_jw_end(w);
}

int status_write_node(const struct node_view *v, const char *const *labels, const char *const *taints, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "kind", "Node");
	xb_jw_kstr(&w, "apiVersion", "v1");
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "name", v->facts->node_name);
	write_labels(v, labels, &w);
	xb_jw_key(&w, "annotations");
	xb_jw_object(&w);
	xb_jw_kstr(&w, "volumes.kubernetes.io/controller-managed-attach-detach", "true");
	xb_jw_end(&w);
	xb_jw_end(&w);
	xb_jw_key(&w, "spec");
	xb_jw_object(&w);
	write_taints(taints, &w);
	xb_jw_end(&w);
	xb_jw_key(&w, "status");
	status_write(v, (struct xb_jv){}, &w);
	xb_jw_end(&w);
	return xb_jw_finish(&w);
}
