/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_ZONE_H
#define XB_ZONE_H
/*
 * A time zone of the IANA database, from /usr/share/zoneinfo (TZif, RFC 8536). What the process's own zone is does not matter. The
 * rule behind the last recorded change is not read: Debian's files record all until 2037.
 */
#include "xb/str.h"

struct xb_zone;
int xb_zone_load(struct xb_sv name, struct xb_zone **ret); /* -ENOENT: there is none of that name; -EBADMSG, -ENOMEM */
struct xb_zone *xb_zone_free(struct xb_zone *z);
XB_DEFINE_CLEANUP(struct xb_zone *, xb_zone_free)
int64_t xb_zone_offset(const struct xb_zone *z, int64_t seconds); /* east of UTC, in seconds, at that time since 1970; NULL: UTC */

#endif
