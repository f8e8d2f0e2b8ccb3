/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XEBEC_STORE_H
#define XEBEC_STORE_H
/* What the commands about stores share. */
#include "../../control/store/backup.h"
#include "command.h"

#define STORE_DATA_DIR "/var/lib/xebec/apiserver" /* as kube-apiserver's default */

void store_print(struct printer *p, const char *path, const struct store_report *r);

#endif
