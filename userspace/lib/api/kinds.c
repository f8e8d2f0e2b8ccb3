/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <pthread.h>
#include "types.h"

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define LABEL(name_, ...) { .name = name_, __VA_ARGS__ }
#define LABELS(...) ((const struct xb_field_label[]){ __VA_ARGS__, {} })
#define SUBRESOURCES(...) \
	.subresources = (const struct xb_subresource[]){ __VA_ARGS__ }, \
	.n_subresources = ARRAY_SIZE(((const struct xb_subresource[]){ __VA_ARGS__ }))
#define CHANGE (XB_VERB_GET | XB_VERB_PATCH | XB_VERB_UPDATE)
#define STATUS(id) { .name = "status", .type = &xb_type_##id, .verbs = CHANGE }
#define BINDING { .name = "binding", .group = "", .version = "v1", .kind = "Binding", .type = &xb_type_binding, .verbs = XB_VERB_CREATE }
#define SCALE { .name = "scale", .group = "autoscaling", .version = "v1", .kind = "Scale", .type = &xb_type_scale, .verbs = CHANGE }

static const struct xb_kind binding = {
	.group = "", .version = "v1", .kind = "Binding", .plural = "bindings", .singular = "binding",
	.namespaced = true, .verbs = XB_VERB_CREATE, .type = &xb_type_binding,
};

static const struct xb_kind config_map = {
	.group = "", .version = "v1", .kind = "ConfigMap", .list_kind = "ConfigMapList", .plural = "configmaps", .singular = "configmap",
	.short_names = NAMES("cm"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_config_map,
};

static const struct xb_kind endpoints = {
	.group = "", .version = "v1", .kind = "Endpoints", .list_kind = "EndpointsList", .plural = "endpoints", .singular = "endpoints",
	.short_names = NAMES("ep"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_endpoints,
};

static const struct xb_kind event = {
	.group = "", .version = "v1", .kind = "Event", .list_kind = "EventList", .plural = "events", .singular = "event",
	.short_names = NAMES("ev"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_event,
	.field_labels = LABELS(LABEL("involvedObject.kind"), LABEL("involvedObject.namespace"),
			       LABEL("involvedObject.name"), LABEL("involvedObject.uid"),
			       LABEL("involvedObject.apiVersion"), LABEL("involvedObject.resourceVersion"),
			       LABEL("involvedObject.fieldPath"), LABEL("reason"), LABEL("reportingComponent"),
			       LABEL("source", .path = "source.component"), LABEL("type")),
};

static const struct xb_kind namespace = {
	.group = "", .version = "v1", .kind = "Namespace", .list_kind = "NamespaceList", .plural = "namespaces", .singular = "namespace",
	.short_names = NAMES("ns"), .verbs = XB_VERBS_ALL & ~XB_VERB_DELETECOLLECTION, .type = &xb_type_namespace,
	SUBRESOURCES({ .name = "finalize", .type = &xb_type_namespace, .verbs = XB_VERB_UPDATE }, STATUS(namespace)),
	.field_labels = LABELS(LABEL("status.phase")),
};

static const struct xb_kind node = {
	.group = "", .version = "v1", .kind = "Node", .list_kind = "NodeList", .plural = "nodes", .singular = "node",
	.short_names = NAMES("no"), .verbs = XB_VERBS_ALL, .type = &xb_type_node,
	SUBRESOURCES(STATUS(node)),
	.field_labels = LABELS(LABEL("spec.unschedulable", .absent = "false")),
};

static const struct xb_kind pod = {
	.group = "", .version = "v1", .kind = "Pod", .list_kind = "PodList", .plural = "pods", .singular = "pod",
	.short_names = NAMES("po"), .categories = NAMES("all"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_pod,
	SUBRESOURCES(BINDING, STATUS(pod)),
	.field_labels = LABELS(LABEL("spec.nodeName"), LABEL("spec.restartPolicy"), LABEL("spec.schedulerName"),
			       LABEL("spec.serviceAccountName"), LABEL("spec.hostNetwork", .absent = "false"),
			       LABEL("status.phase"), LABEL("status.podIP"), LABEL("status.nominatedNodeName")),
};

static const struct xb_kind replication_controller = {
	.group = "", .version = "v1", .kind = "ReplicationController", .list_kind = "ReplicationControllerList",
	.plural = "replicationcontrollers", .singular = "replicationcontroller", .short_names = NAMES("rc"), .categories = NAMES("all"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_replication_controller,
	SUBRESOURCES(SCALE, STATUS(replication_controller)),
	.field_labels = LABELS(LABEL("status.replicas", .absent = "0")),
};

static const struct xb_kind secret = {
	.group = "", .version = "v1", .kind = "Secret", .list_kind = "SecretList", .plural = "secrets", .singular = "secret",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_secret,
	.field_labels = LABELS(LABEL("type")),
};

static const struct xb_kind service_account = {
	.group = "", .version = "v1", .kind = "ServiceAccount", .list_kind = "ServiceAccountList",
	.plural = "serviceaccounts", .singular = "serviceaccount", .short_names = NAMES("sa"),
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_service_account,
};

static const struct xb_kind service = {
	.group = "", .version = "v1", .kind = "Service", .list_kind = "ServiceList", .plural = "services", .singular = "service",
	.short_names = NAMES("svc"), .categories = NAMES("all"), .namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_service,
	SUBRESOURCES(STATUS(service)),
	.field_labels = LABELS(LABEL("spec.clusterIP"), LABEL("spec.type")),
};

static const struct xb_kind lease = {
	.group = "coordination.k8s.io", .version = "v1", .kind = "Lease", .list_kind = "LeaseList", .plural = "leases", .singular = "lease",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_lease,
};

static const struct xb_kind endpoint_slice = {
	.group = "discovery.k8s.io", .version = "v1", .kind = "EndpointSlice", .list_kind = "EndpointSliceList",
	.plural = "endpointslices", .singular = "endpointslice",
	.namespaced = true, .verbs = XB_VERBS_ALL, .type = &xb_type_endpoint_slice,
};

const struct xb_kind *const xb_kinds[] = {
	&binding, &config_map, &endpoints, &event, &namespace, &node, &pod, &replication_controller, &secret, &service_account, &service,
	&lease, &endpoint_slice, NULL
};

#define INDEX_SLOTS 256
_Static_assert(ARRAY_SIZE(xb_kinds) * 2 < INDEX_SLOTS, "the index must stay sparse");
static const struct xb_kind *by_plural[INDEX_SLOTS], *by_kind[INDEX_SLOTS];
static pthread_once_t indexed = PTHREAD_ONCE_INIT;

static unsigned slot_of(struct xb_sv group, struct xb_sv version, struct xb_sv name)
{
	const struct xb_sv parts[] = { group, version, name };
	uint32_t h = 2166136261u;

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
		for (size_t j = 0; j < parts[i].n; j++)
			h = (h ^ (unsigned char)parts[i].p[j]) * 16777619u;
	return (h ^ h >> 16) % INDEX_SLOTS;
}

static void index_put(const struct xb_kind **index, const struct xb_kind *k, const char *name)
{
	unsigned i = slot_of(xb_sv(k->group), xb_sv(k->version), xb_sv(name));

	while (index[i])
		i = (i + 1) % INDEX_SLOTS;
	index[i] = k;
}

static void index_kinds(void)
{
	for (const struct xb_kind *const *k = xb_kinds; *k; k++) {
		index_put(by_plural, *k, (*k)->plural);
		index_put(by_kind, *k, (*k)->kind);
	}
}

static bool is_of(const struct xb_kind *k, struct xb_sv group, struct xb_sv version)
{
	return xb_sv_is(version, k->version) && xb_sv_is(group, k->group);
}

const struct xb_kind *xb_kind_by_resource(struct xb_sv group, struct xb_sv version, struct xb_sv plural)
{
	pthread_once(&indexed, index_kinds);
	for (unsigned i = slot_of(group, version, plural); by_plural[i]; i = (i + 1) % INDEX_SLOTS)
		if (xb_sv_is(plural, by_plural[i]->plural) && is_of(by_plural[i], group, version))
			return by_plural[i];
	return NULL;
}

const struct xb_kind *xb_kind_by_name(struct xb_sv group, struct xb_sv version, struct xb_sv kind)
{
	pthread_once(&indexed, index_kinds);
	for (unsigned i = slot_of(group, version, kind); by_kind[i]; i = (i + 1) % INDEX_SLOTS)
		if (xb_sv_is(kind, by_kind[i]->kind) && is_of(by_kind[i], group, version))
			return by_kind[i];
	return NULL;
}

const struct xb_subresource *xb_kind_subresource(const struct xb_kind *k, struct xb_sv name)
{
	for (unsigned i = 0; i < k->n_subresources; i++)
		if (xb_sv_is(name, k->subresources[i].name))
			return &k->subresources[i];
	return NULL;
}

const char *xb_verb_name(enum xb_verb v)
{
	static const char *const names[] = { "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch" };

	return names[__builtin_ctz(v)];
}
