/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_SERVICE_PODS_H
#define CONTROLLERS_SERVICE_PODS_H
/*
 * Which pods a Service selects, which Services a change of a pod concerns, and what both see of a pod (upstream's
 * k8s.io/endpointslice/util). Pods are indexed by each of their labels, Services by one pair of their selector: a question
 * costs what has that pair in that namespace. Views are good as long as the copies do not change.
 */
#include "../kcm.h"

struct service_pods {
	struct xb_informer *services;
	struct xb_index *services_by_pair, *pods_by_label;
	const struct xb_kind *service_kind, *pod_kind;
};
int service_pods_init(struct service_pods *s, struct kcm *k); /* asks for both collections. 0 or -ENOMEM */

/* for (struct service_pods_it it = {}; service_pods_next(s, service, &it);) use(it.pod); nothing for one without a selector. */
struct service_pods_it {
	struct xb_jv pod;
	struct xb_index_it at;          /* private */
	struct xb_buf pair;
	bool begun;
};
bool service_pods_next(const struct service_pods *s, struct xb_jv service, struct service_pods_it *it);
/* Calls each with every Service whose endpoints a pod's change may change; a pod that came has no old, one that went no new. */
void service_pods_changed(const struct service_pods *s, struct xb_jv old, struct xb_jv pod, void (*each)(void *arg, struct xb_jv service),
			  void *arg);

bool service_selects(struct xb_jv service, struct xb_jv pod); /* of the same namespace; false for one without a selector */
bool service_is_managed(struct xb_jv service);          /* has a selector, and is no ExternalName */
bool service_is_headless(struct xb_jv service);         /* clusterIP None */
bool service_is_ipv6(struct xb_sv address);

bool service_pod_counts(struct xb_jv pod);              /* has an address and is not over; may be terminating */
struct xb_sv service_pod_ip(struct xb_jv pod, bool ipv6); /* {}: none of that family */
struct xb_sv service_pod_hostname(struct xb_jv pod, struct xb_jv service); /* {} unless the Service is its subdomain */
/* The number that a port of the Service has in that pod. False: a named one that the pod does not have. */
bool service_pod_port(struct xb_jv pod, struct xb_jv port, int64_t *ret);
int64_t service_pod_since(struct xb_jv pod);            /* when its readiness changed, wall clock in microseconds; 0: unknown */

#endif
