/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a kubelet, or another who writes a pod's status, may say of it. */
#include "edit.h"
#include "pod.h"
#include "xb/map.h"

void pod_prepare_status(struct write *w, struct xb_tree *object, const struct xb_tree *old)
{
	edit_keep(w, edit_obtain(w, object, "metadata"), xb_tree_get(old, "metadata"), "ownerReferences");
	if (!xb_tree_path(object, "status", "qosClass"))
		edit_keep(w, edit_obtain(w, object, "status"), xb_tree_get(old, "status"), "qosClass");
}

static void validate_conditions(struct xb_field_errors *e, const struct xb_tree *list)
{
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "metadata"), "conditions"); /* upstream's path */
	long i = 0;

	xb_tree_each(c, list)
		xb_validate(e, XB_PATH(XB_PATH_AT(at, i++), "Type"), xb_tree_gettext(c, "type"), xb_check_qualified_name);
}

/* --- containers that ended and are not to run again */

/* policy: the pod's; containers: those of the list that may have one of their own. */
static void validate_ends(struct write *w, struct xb_field_errors *e, const char *key, const struct xb_tree *object,
			  const struct xb_tree *old, struct xb_sv policy, const struct xb_tree *containers)
{
	_cleanup_(xb_map_freep) struct xb_map *now = NULL, *own = NULL;
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "status"), key);
	long i = -1;

	if (xb_sv_is(policy, "Always"))
		return;
	now = pod_by_name(w, xb_tree_path(object, "status", key));
	own = pod_by_name(w, containers);
	xb_tree_each(before, now && own ? xb_tree_path(old, "status", key) : NULL) {
		struct xb_sv name = xb_tree_gettext(before, "name");
		const struct xb_tree *ended = xb_tree_path(before, "state", "terminated"), *status = xb_map_get(now, name);

		i++;
		if (!ended || (xb_sv_is(policy, "OnFailure") && xb_tree_geti64(ended, "exitCode", 0)) ||
		    xb_tree_is(xb_tree_get(xb_map_get(own, name), "restartPolicy"), "Always"))
			continue;
		if (status && !xb_tree_path(status, "state", "terminated"))
			xb_err_forbidden(e, XB_PATH(XB_PATH_AT(at, i), "state"), "may not be transitioned to non-terminated state");
	}
}

/* --- addresses */

static void validate_ips(struct xb_field_errors *e, const char *key, const struct xb_tree *object)
{
	const struct xb_tree *list = xb_tree_path(object, "status", key);
	const struct xb_path *at = XB_PATH(XB_PATH(NULL, "status"), key);
	unsigned n[2] = {};
	long i = 0;

	xb_tree_each(entry, list) {
		struct xb_sv ip = xb_tree_gettext(entry, "ip");

		if (xb_validate(e, XB_PATH(XB_PATH_AT(at, i++), "ip"), ip, xb_check_ip))
			n[memchr(ip.p, ':', ip.n) != NULL]++;
	}
	if (n[0] > 1 || n[1] > 1)
		xb_err_invalid(e, at, list, "may specify no more than one IP for each IP family");
}

void pod_validate_status(struct write *w, const struct xb_tree *object, const struct xb_tree *old, struct xb_field_errors *e)
{
	const struct xb_tree *status = xb_tree_get(object, "status"), *old_status = xb_tree_get(old, "status"), *spec = xb_tree_get(old, "spec");
	struct xb_sv policy = xb_tree_gettext(spec, "restartPolicy"), nominated = xb_tree_gettext(status, "nominatedNodeName");
	const struct xb_path *at = XB_PATH(NULL, "status");

	validate_conditions(e, xb_tree_get(status, "conditions"));
	if (nominated.n && !edit_same(status, old_status, "nominatedNodeName"))
		xb_validate(e, XB_PATH(at, "nominatedNodeName"), nominated, xb_check_dns1123_subdomain);
	xb_validate_immutable(e, XB_PATH(at, "qosClass"), xb_tree_get(status, "qosClass"), xb_tree_get(old_status, "qosClass"));
	validate_ends(w, e, "containerStatuses", object, old, policy, NULL);
	validate_ends(w, e, "initContainerStatuses", object, old, policy, xb_tree_get(spec, "initContainers"));
	validate_ends(w, e, "ephemeralContainerStatuses", object, old, XB_SV("Never"), NULL);
	validate_ips(e, "podIPs", object);
	validate_ips(e, "hostIPs", object);
}
