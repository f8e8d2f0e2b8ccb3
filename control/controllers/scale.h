/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_SCALE_H
#define CONTROLLERS_SCALE_H
/* The scale subresource (autoscaling/v1) of whatever object a reference names, also of kinds this program knows nothing of. */
#include "work.h"

struct scale {
	struct xb_kind kind;            /* of the object; plural is NULL while that is not known */
	const char *name;
	/* after the round: */
	int code;                       /* HTTP's; 0: no server was reached */
	const char *why;                /* it was not had: in the words of the server, or upstream's; NULL: here it is */
	bool absent;                    /* for there is no such object */
	const char *uid, *version, *selector; /* selector: as text, of the pods */
	int64_t replicas, current;      /* asked for; status.replicas */
};
/* All strings of a scale are in the work's arena. 0; -EINVAL: api_version is none; -ENOMEM. */
int scale_of(struct kcm_work *w, struct xb_sv api_version, struct xb_sv kind, struct xb_sv name, struct scale *ret);
/* Adds the requests to the round under way; what is refused is no error of the round. s lives until its end. */
int scale_ask(struct kcm_work *w, struct scale *s);
/* Asks for so many; s is then as it became, or s->why tells why not. */
int scale_set(struct kcm_work *w, struct scale *s, int64_t replicas);

#endif
