/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_CLAIMS_H
#define CONTROLLERS_CLAIMS_H
/*
 * Takes over objects that an owner selects, and lets go of those that it does not select any more (upstream's
 * controller_ref_manager.go). The copy may be behind: an owner that is gone, or was made anew by the same name, takes over nothing.
 */
#include "work.h"

struct claims {
	const struct xb_kind *kind, *owner_kind;        /* of the objects; of the owner, which the work's key names */
	struct xb_jv owner;
	const struct xb_jv *adopt, *release;
	size_t n_adopt, n_release;
	const char *finalizer;          /* of the owner's objects, given and taken with them; NULL: none */
};
/* Begins a round of requests and ends it: then is called as kcm_work_round's, with -ESTALE when an object was not what the copy
 * shows. Nothing of c is needed afterwards, but the finalizer's text. -ENOMEM: nothing was begun. */
int claims_begin(struct kcm_work *w, const struct claims *c, void (*then)(struct kcm_work *w, int error));
/* {"metadata":{"uid":...,"$deleteFromPrimitiveList/finalizers":[...]}}, a strategic merge patch. An error is out's. */
void claims_finalizer_patch(struct xb_sv uid, const char *finalizer, struct xb_buf *out);

#endif
