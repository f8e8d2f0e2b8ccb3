/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PROXY_PORT_KEY_H
#define PROXY_PORT_KEY_H
/* A service port as a key of a map: family, protocol and name. */
#include "xb/abi/service.h"
#include "xb/str.h"

#define PORT_KEY_SIZE (3 + sizeof(struct xb_name))

/* Written to text, with a zero behind it: 3 bytes more than name has, PORT_KEY_SIZE at most, as no port that is served has a longer
 * name. family: AF_... or XB_IPV..., one of the two in all keys of a map. */
static inline struct xb_sv port_key(char *text, int family, const char *name, enum xb_proto proto)
{
	size_t n = strnlen(name, sizeof(struct xb_name));

	text[0] = (char)family;
	text[1] = (char)proto;
	memcpy(text + 2, name, n);
	text[2 + n] = '\0';
	return (struct xb_sv){ text, 2 + n };
}

#endif
