/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stddef.h>
#include "rbac_default.h"

#define READ "get,list,watch"
#define WRITE "create,delete,deletecollection,patch,update"
#define EVENTS "create,patch,update core,events.k8s.io events;"
#define ROLE(name_, rules_, ...) { .name = name_, .rules = rules_, __VA_ARGS__ }
#define BINDING(name_, role_, subjects_, ...) { .name = name_, .role = role_, .subjects = subjects_, __VA_ARGS__ }
#define IN(namespace) .namespace_ = namespace
#define TO(role) .label = "rbac.authorization.k8s.io/aggregate-to-" role
#define OF(role) .aggregates = "rbac.authorization.k8s.io/aggregate-to-" role

const struct rbac_default_role rbac_default_roles[] = {
	ROLE("admin", NULL, OF("admin")),
	ROLE("edit", NULL, OF("edit"), TO("admin")),
	ROLE("view", NULL, OF("view"), TO("edit")),
	ROLE("cluster-admin",
	  "* * *;"
	  "* *;"),
	ROLE("system:aggregate-to-admin",
	  "create authorization.k8s.io localsubjectaccessreviews;"
	  "create,delete,deletecollection,get,list,patch,update,watch rbac.authorization.k8s.io rolebindings,roles;", TO("admin")),
	ROLE("system:aggregate-to-edit",
	  READ " core pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy;"
	  "impersonate core serviceaccounts;"
	  WRITE " core pods,pods/attach,pods/exec,pods/portforward,pods/proxy;"
	  WRITE " core configmaps,persistentvolumeclaims,replicationcontrollers,"
	  "replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy;"
	  WRITE " apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,"
	  "replicasets/scale,statefulsets,statefulsets/scale;"
	  WRITE " autoscaling horizontalpodautoscalers;"
	  WRITE " batch cronjobs,jobs;"
	  WRITE " extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,"
	  "networkpolicies,replicasets,replicasets/scale,replicationcontrollers/scale;"
	  WRITE " policy poddisruptionbudgets;"
	  WRITE " networking.k8s.io ingresses,networkpolicies;"
	  "create core pods/eviction;"
	  "create core serviceaccounts/token;"
	  WRITE " core events;"
	  "create,delete,deletecollection,get,list,patch,update,watch coordination.k8s.io leases;", TO("edit")),
	ROLE("system:aggregate-to-view",
	  READ " core configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,"
	  "replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status;"
	  READ " core bindings,events,limitranges,namespaces/status,pods/log,pods/status,"
	  "replicationcontrollers/status,resourcequotas,resourcequotas/status;"
	  READ " core namespaces;"
	  READ " apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,"
	  "deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,"
	  "statefulsets/scale,statefulsets/status;"
	  READ " autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status;"
	  READ " batch cronjobs,cronjobs/status,jobs,jobs/status;"
	  READ " extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,"
	  "ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,"
	  "replicationcontrollers/scale;"
	  READ " policy poddisruptionbudgets,poddisruptionbudgets/status;"
	  READ " networking.k8s.io ingresses,ingresses/status,networkpolicies;"
	  READ " discovery.k8s.io endpointslices;", TO("view")),
	ROLE("system:auth-delegator",
	  "create authentication.k8s.io tokenreviews;"
	  "create authorization.k8s.io subjectaccessreviews;"),
	ROLE("system:basic-user",
	  "create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews;"
	  "create authentication.k8s.io selfsubjectreviews;"),
	ROLE("system:certificates.k8s.io:certificatesigningrequests:nodeclient",
	  "create certificates.k8s.io certificatesigningrequests/nodeclient;"),
	ROLE("system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
	  "create certificates.k8s.io certificatesigningrequests/selfnodeclient;"),
	ROLE("system:certificates.k8s.io:kube-apiserver-client-approver",
	  "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client;"),
	ROLE("system:certificates.k8s.io:kube-apiserver-client-kubelet-approver",
	  "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet;"),
	ROLE("system:certificates.k8s.io:kubelet-serving-approver",
	  "approve certificates.k8s.io signers kubernetes.io/kubelet-serving;"),
	ROLE("system:certificates.k8s.io:legacy-unknown-approver",
	  "approve certificates.k8s.io signers kubernetes.io/legacy-unknown;"),
	ROLE("system:controller:attachdetach-controller",
	  "list,watch core persistentvolumeclaims,persistentvolumes;"
	  READ " core nodes;"
	  "patch,update core nodes/status;"
	  "list,watch core pods;"
	  EVENTS
	  "create,delete,get,list,watch storage.k8s.io volumeattachments;"
	  READ " storage.k8s.io csidrivers;"
	  READ " storage.k8s.io csinodes;"),
	ROLE("system:controller:certificate-controller",
	  "delete,get,list,watch certificates.k8s.io certificatesigningrequests;"
	  "update certificates.k8s.io certificatesigningrequests/approval,certificatesigningrequests/status;"
	  "approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet;"
	  "sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,"
	  "kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown;"
	  "create authorization.k8s.io subjectaccessreviews;"
	  EVENTS),
	ROLE("system:controller:clusterrole-aggregation-controller",
	  "escalate,get,list,patch,update,watch rbac.authorization.k8s.io clusterroles;"),
	ROLE("system:controller:cronjob-controller",
	  "get,list,update,watch batch cronjobs;"
	  "create,delete,get,list,patch,update,watch batch jobs;"
	  "update batch cronjobs/status;"
	  "update batch cronjobs/finalizers;"
	  "delete,list core pods;"
	  EVENTS),
	ROLE("system:controller:daemon-set-controller",
	  READ " apps,extensions daemonsets;"
	  "update apps,extensions daemonsets/status;"
	  "update apps,extensions daemonsets/finalizers;"
	  "list,watch core nodes;"
	  "create,delete,list,patch,watch core pods;"
	  "create core pods/binding;"
	  "create,delete,get,list,patch,update,watch apps controllerrevisions;"
	  EVENTS),
	ROLE("system:controller:deployment-controller",
	  "get,list,update,watch apps,extensions deployments;"
	  "update apps,extensions deployments/status;"
	  "update apps,extensions deployments/finalizers;"
	  "create,delete,get,list,patch,update,watch apps,extensions replicasets;"
	  "get,list,update,watch core pods;"
	  EVENTS),
	ROLE("system:controller:disruption-controller",
	  READ " apps,extensions deployments;"
	  READ " apps,extensions replicasets;"
	  READ " core replicationcontrollers;"
	  READ " policy poddisruptionbudgets;"
	  READ " apps statefulsets;"
	  "update policy poddisruptionbudgets/status;"
	  "patch,update core pods/status;"
	  "get * */scale;"
	  EVENTS),
	ROLE("system:controller:endpoint-controller",
	  READ " core pods,services;"
	  "create,delete,get,list,update core endpoints;"
	  "create core endpoints/restricted;"
	  EVENTS),
	ROLE("system:controller:endpointslice-controller",
	  READ " core nodes,pods,services;"
	  "update core services/finalizers;"
	  "create,delete,get,list,update discovery.k8s.io endpointslices;"
	  "create discovery.k8s.io endpointslices/restricted;"
	  EVENTS),
	ROLE("system:controller:endpointslicemirroring-controller",
	  READ " core endpoints,services;"
	  "update core services/finalizers;"
	  "update core endpoints/finalizers;"
	  "create,delete,get,list,update discovery.k8s.io endpointslices;"
	  "create discovery.k8s.io endpointslices/restricted;"
	  EVENTS),
	ROLE("system:controller:ephemeral-volume-controller",
	  READ " core pods;"
	  "update core pods/finalizers;"
	  "create,get,list,watch core persistentvolumeclaims;"
	  EVENTS),
	ROLE("system:controller:expand-controller",
	  "get,list,patch,update,watch core persistentvolumes;"
	  "patch,update core persistentvolumeclaims/status;"
	  READ " core persistentvolumeclaims;"
	  READ " storage.k8s.io storageclasses;"
	  "get core endpoints,services;"
	  "get core secrets;"
	  EVENTS),
	ROLE("system:controller:generic-garbage-collector",
	  "delete,get,list,patch,update,watch * *;"
	  EVENTS),
	ROLE("system:controller:horizontal-pod-autoscaler",
	  READ " autoscaling horizontalpodautoscalers;"
	  "update autoscaling horizontalpodautoscalers/status;"
	  "get,update * */scale;"
	  "list core pods;"
	  "list metrics.k8s.io pods;"
	  "get,list custom.metrics.k8s.io *;"
	  "get,list external.metrics.k8s.io *;"
	  EVENTS),
	ROLE("system:controller:job-controller",
	  "get,list,patch,update,watch batch jobs;"
	  "update batch jobs/status;"
	  "update batch jobs/finalizers;"
	  "create,delete,list,patch,watch core pods;"
	  EVENTS),
	ROLE("system:controller:legacy-service-account-token-cleaner",
	  "get core configmaps kube-apiserver-legacy-service-account-token-tracking;"
	  "delete,patch core secrets;"),
	ROLE("system:controller:namespace-controller",
	  "delete,get,list,watch core namespaces;"
	  "update core namespaces/finalize,namespaces/status;"
	  "delete,deletecollection,get,list * *;"),
	ROLE("system:controller:node-controller",
	  "delete,get,list,patch,update core nodes;"
	  "patch,update core nodes/status;"
	  "patch,update core pods/status;"
	  "delete,get,list core pods;"
	  EVENTS),
	ROLE("system:controller:persistent-volume-binder",
	  "create,delete,get,list,update,watch core persistentvolumes;"
	  "update core persistentvolumes/status;"
	  "get,list,update,watch core persistentvolumeclaims;"
	  "update core persistentvolumeclaims/status;"
	  "create,delete,get,list,watch core pods;"
	  READ " storage.k8s.io storageclasses;"
	  "create,delete,get,update core endpoints;"
	  "create,delete,get core services;"
	  "get core secrets;"
	  "get,list core nodes;"
	  "watch core events;"
	  EVENTS),
	ROLE("system:controller:pod-garbage-collector",
	  "delete,list,watch core pods;"
	  "get,list core nodes;"
	  "patch core pods/status;"),
	ROLE("system:controller:pv-protection-controller",
	  "get,list,update,watch core persistentvolumes;"
	  EVENTS),
	ROLE("system:controller:pvc-protection-controller",
	  "get,list,update,watch core persistentvolumeclaims;"
	  READ " core pods;"
	  EVENTS),
	ROLE("system:controller:replicaset-controller",
	  "get,list,update,watch apps,extensions replicasets;"
	  "update apps,extensions replicasets/status;"
	  "update apps,extensions replicasets/finalizers;"
	  "create,delete,list,patch,watch core pods;"
	  EVENTS),
	ROLE("system:controller:replication-controller",
	  "get,list,update,watch core replicationcontrollers;"
	  "update core replicationcontrollers/status;"
	  "update core replicationcontrollers/finalizers;"
	  "create,delete,list,patch,watch core pods;"
	  EVENTS),
	ROLE("system:controller:resourcequota-controller",
	  "list,watch * *;"
	  "update core resourcequotas/status;"
	  EVENTS),
	ROLE("system:controller:root-ca-cert-publisher",
	  "create,update core configmaps;"
	  EVENTS),
	ROLE("system:controller:route-controller",
	  "list,watch core nodes;"
	  "patch core nodes/status;"
	  EVENTS),
	ROLE("system:controller:service-account-controller",
	  "create core serviceaccounts;"
	  EVENTS),
	ROLE("system:controller:service-cidrs-controller",
	  "get,list,patch,update,watch networking.k8s.io servicecidrs;"
	  "patch,update networking.k8s.io servicecidrs/finalizers;"
	  "patch,update networking.k8s.io servicecidrs/status;"
	  READ " networking.k8s.io ipaddresses;"
	  EVENTS),
	ROLE("system:controller:service-controller",
	  READ " core services;"
	  "patch,update core services/status;"
	  "list,watch core nodes;"
	  EVENTS),
	ROLE("system:controller:statefulset-controller",
	  "list,watch core pods;"
	  READ " apps statefulsets;"
	  "update apps statefulsets/status;"
	  "update apps statefulsets/finalizers;"
	  "create,delete,get,patch,update core pods;"
	  "create,delete,get,list,patch,update,watch apps controllerrevisions;"
	  "create,delete,get,update core persistentvolumeclaims;"
	  EVENTS),
	ROLE("system:controller:taint-eviction-controller",
	  "get,list,watch core nodes;"
	  "delete,get,list,watch core pods;"
	  "patch,update core pods/status;"
	  EVENTS),
	ROLE("system:controller:ttl-after-finished-controller",
	  "delete,get,list,watch batch jobs;"
	  EVENTS),
	ROLE("system:controller:ttl-controller",
	  "list,patch,update,watch core nodes;"
	  EVENTS),
	ROLE("system:discovery",
	  "get /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/;"),
	ROLE("system:kube-aggregator",
	  READ " core endpoints,services;"),
	ROLE("system:kube-controller-manager",
	  EVENTS
	  "create coordination.k8s.io leases;"
	  "get,update coordination.k8s.io leases kube-controller-manager;"
	  "create core endpoints;"
	  "get,update core endpoints kube-controller-manager;"
	  "create core secrets,serviceaccounts;"
	  "delete core secrets;"
	  "get core configmaps,namespaces,secrets,serviceaccounts;"
	  "update core secrets,serviceaccounts;"
	  "create authentication.k8s.io tokenreviews;"
	  "create authorization.k8s.io subjectaccessreviews;"
	  "list,watch * *;"
	  "create core serviceaccounts/token;"),
	ROLE("system:kube-dns",
	  "list,watch core endpoints,services;"),
	ROLE("system:kube-scheduler",
	  EVENTS
	  "create coordination.k8s.io leases;"
	  "get,update coordination.k8s.io leases kube-scheduler;"
	  "create core endpoints;"
	  "get,update core endpoints kube-scheduler;"
	  READ " core nodes;"
	  "delete,get,list,watch core pods;"
	  "create core bindings,pods/binding;"
	  "patch,update core pods/status;"
	  READ " core replicationcontrollers,services;"
	  READ " apps,extensions replicasets;"
	  READ " apps statefulsets;"
	  READ " policy poddisruptionbudgets;"
	  READ " core persistentvolumeclaims,persistentvolumes;"
	  "create authentication.k8s.io tokenreviews;"
	  "create authorization.k8s.io subjectaccessreviews;"
	  READ " storage.k8s.io csinodes;"
	  READ " core namespaces;"
	  READ " storage.k8s.io csidrivers;"
	  READ " storage.k8s.io csistoragecapacities;"
	  READ " storage.k8s.io volumeattachments;"),
	ROLE("system:kubelet-api-admin",
	  READ " core nodes;"
	  "proxy core nodes;"
	  "* core nodes/log,nodes/metrics,nodes/proxy,nodes/spec,nodes/stats;"
	  "* core nodes/configz,nodes/healthz,nodes/pods;"),
	ROLE("system:monitoring",
	  "get /healthz,/healthz/*,/livez,/livez/*,/metrics,/readyz,/readyz/*;"
	  "get /metrics/slis;"),
	ROLE("system:node",
	  "create authentication.k8s.io tokenreviews;"
	  "create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews;"
	  READ " core services;"
	  "create,get,list,watch core nodes;"
	  "patch,update core nodes/status;"
	  "patch,update core nodes;"
	  "create,patch,update core events;"
	  READ " core pods;"
	  "create,delete core pods;"
	  "patch,update core pods/status;"
	  "create core pods/eviction;"
	  READ " core configmaps,secrets;"
	  "get core persistentvolumeclaims,persistentvolumes;"
	  "get core endpoints;"
	  "create,get,list,watch certificates.k8s.io certificatesigningrequests;"
	  "create,delete,get,patch,update coordination.k8s.io leases;"
	  "get storage.k8s.io volumeattachments;"
	  "create core serviceaccounts/token;"
	  "get,patch,update core persistentvolumeclaims/status;"
	  READ " storage.k8s.io csidrivers;"
	  "create,delete,get,patch,update storage.k8s.io csinodes;"
	  READ " node.k8s.io runtimeclasses;"),
	ROLE("system:node-bootstrapper",
	  "create,get,list,watch certificates.k8s.io certificatesigningrequests;"),
	ROLE("system:node-problem-detector",
	  "get core nodes;"
	  "patch core nodes/status;"
	  EVENTS),
	ROLE("system:node-proxier",
	  "list,watch core endpoints,services;"
	  READ " core nodes;"
	  EVENTS
	  "list,watch discovery.k8s.io endpointslices;"
	  "list,watch networking.k8s.io servicecidrs;"),
	ROLE("system:persistent-volume-provisioner",
	  "create,delete,get,list,watch core persistentvolumes;"
	  "get,list,update,watch core persistentvolumeclaims;"
	  READ " storage.k8s.io storageclasses;"
	  "watch core events;"
	  EVENTS),
	ROLE("system:public-info-viewer",
	  "get /healthz,/livez,/readyz,/version,/version/;"),
	ROLE("system:service-account-issuer-discovery",
	  "get /.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,/openid/v1/jwks/;"),
	ROLE("system:volume-scheduler",
	  "get,list,patch,update,watch core persistentvolumes;"
	  READ " storage.k8s.io storageclasses;"
	  "get,list,patch,update,watch core persistentvolumeclaims;"),
	ROLE("extension-apiserver-authentication-reader", READ " core configmaps extension-apiserver-authentication;", IN("kube-system")),
	ROLE("system::leader-locking-kube-controller-manager",
	  "watch core configmaps; get,update core configmaps kube-controller-manager;", IN("kube-system")),
	ROLE("system::leader-locking-kube-scheduler", "watch core configmaps; get,update core configmaps kube-scheduler;", IN("kube-system")),
	ROLE("system:controller:bootstrap-signer", READ " core secrets;", IN("kube-system")),
	ROLE("system:controller:cloud-provider", "create,get,list,watch core configmaps;", IN("kube-system")),
	ROLE("system:controller:token-cleaner", "delete,get,list,watch core secrets;" EVENTS, IN("kube-system")),
	ROLE("system:controller:bootstrap-signer", READ " core configmaps; update core configmaps cluster-info;" EVENTS, IN("kube-public")),
	{}
};

const struct rbac_default_binding rbac_default_bindings[] = {
	BINDING("cluster-admin", "cluster-admin", "Group:system:masters"),
	BINDING("system:basic-user", "system:basic-user", "Group:system:authenticated"),
	BINDING("system:discovery", "system:discovery", "Group:system:authenticated"),
	BINDING("system:kube-controller-manager", "system:kube-controller-manager", "User:system:kube-controller-manager"),
	BINDING("system:kube-dns", "system:kube-dns", "ServiceAccount:kube-system/kube-dns"),
	BINDING("system:kube-scheduler", "system:kube-scheduler", "User:system:kube-scheduler"),
	BINDING("system:monitoring", "system:monitoring", "Group:system:monitoring"),
	BINDING("system:node", "system:node", ""),
	BINDING("system:node-proxier", "system:node-proxier", "User:system:kube-proxy"),
	BINDING("system:public-info-viewer", "system:public-info-viewer",
		"Group:system:authenticated Group:system:unauthenticated"),
	BINDING("system:service-account-issuer-discovery", "system:service-account-issuer-discovery",
		"Group:system:serviceaccounts"),
	BINDING("system:volume-scheduler", "system:volume-scheduler", "User:system:kube-scheduler"),
	BINDING("system::extension-apiserver-authentication-reader", "extension-apiserver-authentication-reader",
	  "User:system:kube-controller-manager User:system:kube-scheduler", IN("kube-system")),
	BINDING("system::leader-locking-kube-controller-manager", "system::leader-locking-kube-controller-manager",
	  "User:system:kube-controller-manager ServiceAccount:kube-system/kube-controller-manager", IN("kube-system")),
	BINDING("system::leader-locking-kube-scheduler", "system::leader-locking-kube-scheduler",
	  "User:system:kube-scheduler ServiceAccount:kube-system/kube-scheduler", IN("kube-system")),
	BINDING("system:controller:bootstrap-signer", "system:controller:bootstrap-signer",
		"ServiceAccount:kube-system/bootstrap-signer", IN("kube-system")),
	BINDING("system:controller:cloud-provider", "system:controller:cloud-provider",
		"ServiceAccount:kube-system/cloud-provider", IN("kube-system")),
	BINDING("system:controller:token-cleaner", "system:controller:token-cleaner",
		"ServiceAccount:kube-system/token-cleaner", IN("kube-system")),
	BINDING("system:controller:bootstrap-signer", "system:controller:bootstrap-signer",
		"ServiceAccount:kube-system/bootstrap-signer", IN("kube-public")),
	{}
};
