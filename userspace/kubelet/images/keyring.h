/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_IMAGES_KEYRING_H
#define KUBELET_IMAGES_KEYRING_H
/* Who a registry is told we are: credentials out of pull secrets, and which of them are meant for an image. Pure. */
#include "xb/json.h"
#include "xb/vec.h"

struct credential {
	char *where;                    /* "registry.test:5000/team", "*.registry.test"; host with path prefix, no scheme */
	char *username, *password;
};
struct keyring {
	XB_VEC(struct credential) all;
};
/* Adds those of a Secret of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg; of another type: nothing. -EINVAL:
 * *reterr_why, the caller's to free, says what is wrong with it, without what it holds. -ENOMEM. */
int keyring_add(struct keyring *k, struct xb_jv secret, char **reterr_why);
/* The same of the content of a config.json. */
int keyring_add_config(struct keyring *k, struct xb_sv json, char **reterr_why);
/* Is it for this repository ("docker.io/library/nginx")? Hosts by label, each with wildcards, ports equal, paths by prefix. */
bool credential_matches(const struct credential *c, const char *repository);
/* Those for the repository, in the order in which they are tried: the more special first. At most max; the number found. */
size_t keyring_lookup(const struct keyring *k, const char *repository, const struct credential **ret, size_t max);
void keyring_done(struct keyring *k);   /* overwrites what was secret */

#endif
