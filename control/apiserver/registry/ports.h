/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef REGISTRY_PORTS_H
#define REGISTRY_PORTS_H
/* What the kinds with ports and addresses share: Service, Endpoints, EndpointSlice, Pod. */
#include "strategy.h"

extern const char *const protocols[]; /* "SCTP", "TCP", "UDP"; NULL-terminated */
/* Name (a DNS label, required when named is set), port, protocol and appProtocol of a service's or an endpoint's port. */
void ports_validate(struct xb_field_errors *e, const struct xb_path *at, const struct xb_tree *port, bool named);
/* An address of a backend. */
void ports_validate_ip(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv ip);
bool ports_is_ipv6(struct xb_sv ip);

#endif
