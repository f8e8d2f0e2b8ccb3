/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_IMAGES_NAME_H
#define KUBELET_IMAGES_NAME_H
/* Names of images ("nginx", "registry.test:5000/team/web:1.2@sha256:..."), by the grammar of distribution/reference. Pure. */
#include "xb/str.h"

struct image_name {
	char *repository;               /* whole: "docker.io/library/nginx" */
	char *tag;                      /* NULL: none */
	bool digest;
};
/* -EINVAL: *reterr_why is upstream's word for it ("invalid reference format"), static. -ENOMEM. */
int image_name_parse(struct xb_sv image, struct image_name *ret, const char **reterr_why);
void image_name_done(struct image_name *n);
/* The policy of a container that names none. */
const char *image_name_policy(const struct image_name *n);

#endif
