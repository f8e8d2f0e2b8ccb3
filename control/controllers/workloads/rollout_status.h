/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_ROLLOUT_STATUS_H
#define CONTROLLERS_ROLLOUT_STATUS_H
/* The status of a Deployment, as merge patches, which the server refuses when the Deployment has changed. Pure; times in
 * microseconds, wall clock. */
#include "rollout.h"

#define ROLLOUT_CREATE_ERROR "ReplicaSetCreateError" /* also of the event */

/* All of it, and the revision: appends nothing when it says all that already. ret_again: when it is to be looked at again, should
 * nothing happen: a rollout may have passed its deadline then; 0: needless. */
void rollout_status_patch(const struct rollout *r, int64_t now, struct xb_buf *out, int64_t *ret_again);
/* The same for when the current set will have been made: with its pods to come and its revision. */
void rollout_made_patch(const struct rollout *r, const char *set_name, int64_t now, struct xb_buf *out);
/* It could not be made; message: upstream's. Appends nothing when the status says so already. */
void rollout_refused_patch(struct xb_jv deployment, struct xb_sv message, int64_t now, struct xb_buf *out);
/* The name was another set's: the next hash counts on from there. */
void rollout_collision_patch(struct xb_jv deployment, struct xb_buf *out);

#endif
