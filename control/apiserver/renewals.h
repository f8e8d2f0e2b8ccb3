/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_RENEWALS_H
#define APISERVER_RENEWALS_H
/*
 * What the last renewal of an object said (renew.c). Clients send the same text each time but for its resourceVersion and the time: that
 * is seen by comparing bytes, and what was found out of the last one holds for this one. Bounded in number; who has not renewed for
 * longest goes.
 */
#include <stdint.h>
#include "xb/str.h"

struct renewals;
struct renewals *renewals_new(void);                        /* NULL without memory */
struct renewals *renewals_free(struct renewals *r);         /* NULL is fine */
/*
 * A body, in JSON, was a renewal of spec.RENEWED, and made this revision of key. Nothing is kept of one that is too long, has a time of
 * another form than xb_time_format_micro's, or finds no memory.
 */
void renewals_note(struct renewals *r, struct xb_sv key, uint64_t revision, struct xb_sv body, const char *renewed);
/*
 * Does a body say what made this revision of key, but for another time, and this version where it had one? *ret_time then lies in body,
 * in the form of xb_time_format_micro.
 */
bool renewals_said(struct renewals *r, struct xb_sv key, uint64_t revision, struct xb_sv body, struct xb_sv version,
		   struct xb_sv *ret_time);
/* What was said made this revision now. */
void renewals_again(struct renewals *r, struct xb_sv key, uint64_t revision);

#endif
