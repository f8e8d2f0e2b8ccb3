/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_VOLUME_ACCESS_H
#define REGISTRY_VOLUME_ACCESS_H
/* What PersistentVolumes and PersistentVolumeClaims share. */
#include "strategy.h"

/* at: the spec's. accessModes (required says why there must be one) and volumeMode. */
void volume_validate_access(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *spec, const char *required);
void cell_phase(struct table_row *r, struct xb_jv object);      /* "Terminating" when it is being deleted */
void cell_access_modes(struct table_row *r, struct xb_jv modes);/* "RWO,ROX" */

#endif
