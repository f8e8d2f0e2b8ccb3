/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VOLUMES_PODS_BY_CLAIM_H
#define VOLUMES_PODS_BY_CLAIM_H
/* Pods by the claims that their volumes mean: "<namespace>/<name>". */
#include "../kcm.h"

xb_index_keys pods_by_claim;

#endif
