/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_TERMINATION_H
#define KUBELET_TERMINATION_H
/* The file that a container writes what it died of to. */
#include "xb/str.h"

/* Makes containers/<container>/<attempt> in the pod's folder dir, empty when it is new, for anybody to write to. Blocking. */
int termination_store(int dir, const char *container, unsigned attempt, char ret_name[9]);
/* Of a log in CRI's form the text of the last 80 lines, at most 2048 bytes. Pure. Appended. */
void termination_log_text(struct xb_sv log, struct xb_buf *out);

#endif
