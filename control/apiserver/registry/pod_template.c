/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Defaults of a pod's spec that depend on other fields, wherever the spec stands. */
#include "edit.h"
#include "pod.h"

/* Is the image's tag "latest", said or not: neither tag nor digest means so. */
static bool is_latest(struct xb_sv image)
{
	const char *slash = memrchr(image.p, '/', image.n), *base = slash ? slash + 1 : image.p;
	struct xb_sv rest = { base, image.n - (size_t)(base - image.p) };
	bool digest = memchr(rest.p, '@', rest.n);
	struct xb_sv name = {};

	(void)xb_sv_split(&rest, '@', &name);
	rest = name;
	(void)xb_sv_split(&rest, ':', &name);
	return rest.p ? xb_sv_is(rest, "latest") : !digest;
}

static void default_container(struct write *w, struct xb_tree *container)
{
	struct xb_sv image = xb_tree_gettext(container, "image");

	edit_str_default(w, container, "imagePullPolicy", image.n && is_latest(image) ? "Always" : "IfNotPresent");
}

static bool has_source(const struct xb_tree *volume)
{
	return volume->count > (xb_tree_get(volume, "name") ? 1u : 0u);
}

void pod_spec_defaults(struct write *w, struct xb_tree *spec)
{
	static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };
	struct xb_sv account = xb_tree_gettext(spec, "serviceAccountName"), alias = xb_tree_gettext(spec, "serviceAccount");

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		xb_tree_each(container, xb_tree_get(spec, lists[i]))
			default_container(w, container);
	xb_tree_each(volume, xb_tree_get(spec, "volumes"))
		if (!has_source(volume))
			edit_json(w, volume, "emptyDir", "{}");
	if (account.n)
		edit_sv(w, spec, "serviceAccount", account);
	else if (alias.n)
		edit_sv(w, spec, "serviceAccountName", alias);
}

/* --- the class of service (cpu and memory only) */

static const char *const counted[] = { "cpu", "memory" };

/* Adds what the list says; counts how many of the counted resources it asks for. */
static unsigned add_amounts(const struct xb_tree *list, __int128 sums[ARRAY_SIZE(counted)])
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		const struct xb_tree *amount = xb_tree_get(list, counted[i]);
		struct xb_quantity q;

		if (!amount || xb_quantity_parse(xb_tree_text(amount), &q) < 0 || q.nano <= 0)
			continue;
		sums[i] += q.nano;
		n++;
	}
	return n;
}

const char *pod_qos_class(const struct xb_tree *spec)
{
	static const char *const lists[] = { "containers", "initContainers" };
	__int128 requests[ARRAY_SIZE(counted)] = {}, limits[ARRAY_SIZE(counted)] = {};
	bool limited = true, asked = false;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		xb_tree_each(container, xb_tree_get(spec, lists[i])) {
			const struct xb_tree *resources = xb_tree_get(container, "resources");

			limited &= add_amounts(xb_tree_get(resources, "limits"), limits) == ARRAY_SIZE(counted);
			add_amounts(xb_tree_get(resources, "requests"), requests);
		}
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		asked |= requests[i] || limits[i];
	if (!asked)
		return "BestEffort";
	return limited && !memcmp(requests, limits, sizeof(limits)) ? "Guaranteed" : "Burstable";
}
