/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_DRY_RUN_H
#define PROXY_DRY_RUN_H
/*
 * --dry-run: a data plane that prints what eBPF's would change, port by port, and changes nothing. It reads the pinned tables beside an
 * agent that may be writing them, takes no lock and attaches nothing; without pinned tables all would be new.
 *
 *   change default/web:http TCP IPv4
 *     + cluster IP 10.96.0.10:80
 *     - internal 10.1.0.3:8080
 *   remove default/old TCP IPv4
 *
 * stats() counts the ports that would be added, changed or removed as publishes. Names, addresses and flags are compared; of what the
 * programs must know of the node nothing is.
 */
#include "data_plane.h"

extern const struct data_plane data_plane_dry_run;

#endif
