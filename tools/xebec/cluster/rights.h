/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_RIGHTS_H
#define XEBEC_RIGHTS_H
/*
 * What the agents of nodes may ask the API server beyond what upstream's roles let them, as ClusterRoles and their bindings. Those
 * agents are not started before they have it, which a file below <run> tells the supervisor: to be refused would cost them a second.
 */
#include "api.h"

/* What is there already stays as it is. */
int rights_give(const struct cluster *c, struct api *a, char **reterr_why);
bool rights_given(const struct cluster *c);

#endif
