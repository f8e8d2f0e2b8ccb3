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

/* --- labels */
/* Those that say what a node is: of the first the machine knows the value, of the others a flag may. */
static const char *const own_keys[] = {
	"beta.kubernetes.io/arch", "beta.kubernetes.io/os", "kubernetes.io/arch", "kubernetes.io/hostname", "kubernetes.io/os",
	"topology.kubernetes.io/region", "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
	"failure-domain.beta.kubernetes.io/zone", "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type",
};

/* NULL: the machine does not say. */
static const char *own_value(const struct node_view *v, const char *key)
{
	if (!strcmp(key, "kubernetes.io/hostname"))
		return v->facts->node_name;
	if (!strcmp(key, "kubernetes.io/arch") || !strcmp(key, "beta.kubernetes.io/arch"))
		return v->machine->architecture;
	return !strcmp(key, "kubernetes.io/os") || !strcmp(key, "beta.kubernetes.io/os") ? "linux" : NULL;
}

static struct xb_sv given(const char *const *labels, const char *key)
{
	struct xb_sv k, value;

	for (; labels && *labels; labels++)
		if (split_label(*labels, &k, &value) && xb_sv_is(k, key))
			return value;
	return (struct xb_sv){};
}

static bool is_own(const struct node_view *v, struct xb_sv key)
{
	for (unsigned i = 0; i < ARRAY_SIZE(own_keys); i++)
		if (xb_sv_is(key, own_keys[i]))
			return own_value(v, own_keys[i]) != NULL;
	return false;
}

static void write_labels(const struct node_view *v, const char *const *labels, struct xb_jw *w)
{
	struct xb_sv key, value;

	xb_jw_key(w, "labels");
	xb_jw_object(w);
	for (unsigned i = 0; i < ARRAY_SIZE(own_keys); i++)
		if (own_value(v, own_keys[i]))
			xb_jw_kstr(w, own_keys[i], own_value(v, own_keys[i]));
	for (; labels && *labels; labels++)
		if (split_label(*labels, &key, &value) && !is_own(v, key)) {
			xb_jw_keysv(w, key);
			xb_jw_sv(w, value);
		}
	xb_jw_end(w);
}

int status_write_labels(const struct node_view *v, const char *const *labels, struct xb_jv old_labels, bool *ret_differs,
			struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);
	bool differs = false;
	int r;

	xb_jw_object(&w);
	xb_jw_key(&w, "metadata");
	xb_jw_object(&w);
	xb_jw_key(&w, "labels");
	xb_jw_object(&w);
	for (unsigned i = 0; i < ARRAY_SIZE(own_keys); i++) {
		const char *value = own_value(v, own_keys[i]);
		struct xb_sv want = value ? xb_sv(value) : given(labels, own_keys[i]);

		if (!want.p || xb_jv_streq(xb_jv_get(old_labels, own_keys[i]), want))
			continue;
		xb_jw_key(&w, own_keys[i]);
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

/* --- flags */
static bool is_effect(struct xb_sv s)
{
	return xb_sv_is(s, "NoSchedule") || xb_sv_is(s, "PreferNoSchedule") || xb_sv_is(s, "NoExecute");
}

/* The domain of a key, or one above it. */
static bool is_in(struct xb_sv domain, const char *above)
{
	size_t n = strlen(above);

	return xb_sv_ends(domain, above) && (domain.n == n || domain.p[domain.n - n - 1] == '.');
}

/* What the API server's NodeRestriction refuses, as upstream's kubelet: it would not register. */
static bool is_reserved(struct xb_sv key)
{
	struct xb_sv rest = key, domain;

	if (!memchr(key.p, '/', key.n))
		return false;
	xb_sv_split(&rest, '/', &domain);
	if (!is_in(domain, "kubernetes.io") && !is_in(domain, "k8s.io"))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(own_keys); i++)
		if (xb_sv_is(key, own_keys[i]))
			return false;
	return !is_in(domain, "kubelet.kubernetes.io") && !is_in(domain, "node.kubernetes.io");
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
		if (is_reserved(key))
			return xb_why(reterr_why, -EINVAL, "--node-labels: \"%s\": a node may give itself no such label in the 'kubernetes.io' "
				      "and 'k8s.io' namespaces, but those that begin with kubelet.kubernetes.io or node.kubernetes.io", *labels);
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
