/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CLIENT_FAULT_H
#define CLIENT_FAULT_H
#include "xb/status.h"

/* An answer other than 2xx: the Status that the server sent, or one in its stead when it sent something else (a proxy's page,
 * say). *ret is replaced. */
void fault_read(int code, struct xb_sv body, struct xb_status *ret);

#endif
