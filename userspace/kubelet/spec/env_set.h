/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_SPEC_ENV_SET_H
#define KUBELET_SPEC_ENV_SET_H
/* Variables in the order in which they were first named; the last value counts. */
#include "../objects.h"
#include "make.h"
#include "cri.pb-c.h"
#include "xb/map.h"
#include "xb/vec.h"

struct env_set {
	struct make *m;                 /* where names and values are */
	struct xb_map *by_name;         /* borrows keys */
	XB_VEC(Runtime__V1__KeyValue *) vars;
};
int env_set_init(struct env_set *s, struct make *m);
void env_set_done(struct env_set *s);
/* Both in the arena; failures are in m->failed. */
void env_set_put(struct env_set *s, char *name, char *value);
const char *env_set_get(const struct env_set *s, struct xb_sv name); /* NULL: it is not there */

/* Adds a Service's variables (upstream's pkg/kubelet/envvars): none when it has no cluster IP. */
void env_set_put_service(struct env_set *s, struct xb_jv service);

#endif
