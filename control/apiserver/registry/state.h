/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_STATE_H
#define REGISTRY_STATE_H
#include "alloc.h"
#include "registry.h"

struct registry {
	struct ip_range *ranges[2];        /* the first is the default; the second is of the other family, or NULL */
	struct port_range *node_ports;
	bool allow_privileged;
};

#endif
