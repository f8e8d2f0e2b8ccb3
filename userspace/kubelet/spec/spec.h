/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SPEC_H
#define KUBELET_SPEC_H
/*
 * A pod's document made into the runtime's messages, as upstream's kuberuntime makes them: pure, but for reading the objects that
 * are named. Messages are the caller's arena's. Faults are sentences for the container's waiting state
 * (CreateContainerConfigError) or an Event, the caller's to free.
 */
#include "../facts.h"
#include "../objects.h"
#include "cri.pb-c.h"
#include "xb/arena.h"

enum spec_qos { SPEC_QOS_GUARANTEED, SPEC_QOS_BURSTABLE, SPEC_QOS_BEST_EFFORT };
enum spec_qos spec_qos(struct xb_jv pod);
const char *spec_qos_name(enum spec_qos q);             /* "Guaranteed" */

enum spec_container_kind { SPEC_INIT, SPEC_SIDECAR, SPEC_MAIN, SPEC_EPHEMERAL }; /* SIDECAR: an init container with restartPolicy Always */
/* for (struct spec_it it = spec_containers(pod); spec_next(&it);) use(it.container, it.kind, it.index); init, then main, then ephemeral */
struct spec_it {
	struct xb_jit at;
	struct xb_jv pod, container;
	struct xb_sv name;
	enum spec_container_kind kind;
	unsigned list;                  /* private */
};
struct spec_it spec_containers(struct xb_jv pod);
bool spec_next(struct spec_it *it);
struct xb_jv spec_find(struct xb_jv pod, struct xb_sv name, enum spec_container_kind *ret_kind); /* {}: no such container */

/* Of what must make a running container start anew when it changes: name and image. Kept as an annotation of the container. */
uint64_t spec_hash(struct xb_jv container);

/* The pod's folder of logs below pod_logs_dir, and a container's file in that: "<ns>_<name>_<uid>", "<container>/<attempt>.log".
 * Appended. */
void spec_log_folder(struct xb_jv pod, struct xb_buf *out);
void spec_log_file(struct xb_sv container, unsigned attempt, struct xb_buf *out);

bool spec_is_static(struct xb_jv pod);                  /* by its annotation kubernetes.io/config.source: not from the API server */

/* The name that the pod's containers see, and its domain; domain is left empty when there is no subdomain. Both appended. -EINVAL:
 * such a name cannot be. Pods in the host's network have the host's instead. */
int spec_hostname(const struct facts *f, struct xb_jv pod, struct xb_buf *host, struct xb_buf *domain, char **reterr_why);
/* cgroup_parent is copied. -EINVAL, -EOPNOTSUPP: reterr_why says what of the pod cannot be; -errno of the node's resolv.conf. */
int spec_sandbox(const struct facts *f, struct xb_jv pod, unsigned attempt, const char *cgroup_parent, struct xb_arena *a,
		 Runtime__V1__PodSandboxConfig **ret, char **reterr_why);
/* What was left out of the sandbox's DNS, for Events of the pod (Warning): DNSConfigForming, MissingClusterDNS. */
int spec_dns_warnings(const struct facts *f, struct xb_jv pod, void (*tell)(void *arg, const char *reason, const char *text), void *arg);

struct spec_input {
	const struct facts *facts;
	const struct objects *objects;
	struct xb_jv pod, container;
	const char *const *pod_ips;     /* NULL-terminated; of the sandbox, or of the node with hostNetwork */
	const char *target_id;          /* of the container that an ephemeral one aims at (targetContainerName); NULL: none */
};
/* The container's environment in order, expanded: envFrom, env ($(VAR), fields, resources, ConfigMaps, Secrets), services'. -EAGAIN: an
 * object is not known yet. Others: reterr_why in upstream's words ("configmap \"x\" not found", "couldn't find key ..."). */
int spec_env(const struct spec_input *in, struct xb_arena *a, Runtime__V1__KeyValue ***ret, size_t *ret_n, char **reterr_why);
/* $(VAR) expanded as in commands and, with strict, in subPathExpr: a variable that is not there or is empty is -EINVAL then, and its
 * name is what was appended instead. Appended. */
int spec_expand(struct xb_sv text, Runtime__V1__KeyValue *const *env, size_t n, bool strict, struct xb_buf *out);
/* A field of the pod as fieldRef means it ("metadata.labels['x']", "status.podIP", "spec.nodeName"), and a resource of a container
 * (resourceFieldRef with divisor); shared with downward API volumes. Appended. */
int spec_field(const struct spec_input *in, struct xb_sv path, struct xb_buf *out, char **reterr_why);
int spec_resource(const struct spec_input *in, struct xb_jv resource_field_ref, struct xb_buf *out, char **reterr_why);

struct spec_image {                     /* what ImageStatus says of the image */
	const char *ref;                /* its ID, to create by */
	const char *username;           /* user of the image, by name; "" or NULL: none */
	bool has_uid;
	int64_t uid;
};
/* mounts: of the volumes part, taken as they are; env and mounts must live as long as the arena. -EINVAL, -EACCES (runAsNonRoot),
 * -EOPNOTSUPP: reterr_why in upstream's words. */
int spec_container(const struct spec_input *in, unsigned attempt, const struct spec_image *image, Runtime__V1__KeyValue **env, size_t n_env,
		   Runtime__V1__Mount **mounts, size_t n_mounts, struct xb_arena *a, Runtime__V1__ContainerConfig **ret,
		   char **reterr_why);

/* Labels and annotations by which the runtime's containers are known again, upstream's names. */
#define SPEC_LABEL_POD_NAME      "io.kubernetes.pod.name"
#define SPEC_LABEL_POD_NAMESPACE "io.kubernetes.pod.namespace"
#define SPEC_LABEL_POD_UID       "io.kubernetes.pod.uid"
#define SPEC_LABEL_CONTAINER     "io.kubernetes.container.name"
#define SPEC_NOTE_PORTS          "io.kubernetes.container.ports"
#define SPEC_NOTE_PRE_STOP       "io.kubernetes.container.preStopHandler"
#define SPEC_NOTE_HASH           "io.kubernetes.container.hash"
#define SPEC_NOTE_RESTARTS       "io.kubernetes.container.restartCount"
#define SPEC_NOTE_TERM_PATH      "io.kubernetes.container.terminationMessagePath"
#define SPEC_NOTE_TERM_POLICY    "io.kubernetes.container.terminationMessagePolicy"
#define SPEC_NOTE_GRACE          "io.kubernetes.pod.terminationGracePeriod"
#define SPEC_NOTE_DELETION_GRACE "io.kubernetes.pod.deletionGracePeriod"

#endif
