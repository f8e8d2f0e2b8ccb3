/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_SYSCTL_H
#define XB_SYSCTL_H
/* Settings of the kernel, below /proc/sys: those of networks are the ones of the calling thread's network namespace. */
#include "xb/str.h"

/* path: as sysctl(8) has it, with '/' for '.'; its parts hold no '/'. -errno; -ENOENT when this kernel has none such. */
int xb_sysctl_set(const char *value, const char *path, ...) _printf_(2, 3);
int xb_sysctl_get(int *ret, const char *path, ...) _printf_(2, 3); /* of a number */

#endif
