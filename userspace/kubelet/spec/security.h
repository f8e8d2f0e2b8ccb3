/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SPEC_SECURITY_H
#define KUBELET_SPEC_SECURITY_H
/* securityContext, of pods and containers, and namespaces. What a container says goes before what its pod says. */
#include "make.h"
#include "spec.h"

/* -EOPNOTSUPP: hostUsers: false. */
int security_namespaces(struct xb_jv pod, Runtime__V1__NamespaceOption *out, char **reterr_why);
/* fsGroup and supplementalGroups; NULL for none. */
int64_t *security_groups(struct make *m, struct xb_jv pod, size_t *ret_n);
bool security_selinux(struct make *m, struct xb_jv options, Runtime__V1__SELinuxOption *out); /* false: there are none */

/* All that a container's context is made of, in one piece. */
struct security {
	Runtime__V1__LinuxContainerSecurityContext context;
	Runtime__V1__Capability capabilities;
	Runtime__V1__NamespaceOption namespaces;
	Runtime__V1__SELinuxOption selinux;
	Runtime__V1__Int64Value user, group;
	Runtime__V1__SecurityProfile seccomp, apparmor;
};
int security_of_container(struct make *m, const struct spec_input *in, const struct spec_image *image, struct security *out,
			  char **reterr_why);

#endif
