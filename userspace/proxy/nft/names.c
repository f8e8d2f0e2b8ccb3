/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include "names.h"

static const char *proto_name(enum xb_proto proto)
{
	return proto == XB_PROTO_UDP ? "udp" : proto == XB_PROTO_SCTP ? "sctp" : "tcp";
}

char *nft_port_name(struct xb_arena *a, const char *prefix, const char *name, enum xb_proto proto)
{
	const char *port = strchr(name, ':');

	return xb_arena_printf(a, "%s%.*s/%s%s%s", prefix, (int)(port ? port - name : (ptrdiff_t)strlen(name)), name, proto_name(proto),
			       port ? "/" : "", port ? port + 1 : "");
}

static void swap(char *s, char from, char to)
{
	for (; *s; s++)
		if (*s == from)
			*s = to;
}

char *nft_backend_name(struct xb_arena *a, const char *prefix, const char *name, enum xb_proto proto, int family,
		       const struct xb_plan_backend *b)
{
	char *port = nft_port_name(a, prefix, name, proto);
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(family, &b->addr, addr, sizeof(addr));
	/* nft(8) does not read a ':' in a name. */
	swap(addr, ':', '.');
	return port ? xb_arena_printf(a, "%s__%s/%u", port, addr, b->port) : NULL;
}

bool nft_name_backend(const char *name, int family, struct xb_plan_backend *ret)
{
	const char *addr = strstr(name, "__"), *slash = addr ? strchr(addr, '/') : NULL;
	struct xb_plan_backend b = {};
	char text[INET6_ADDRSTRLEN];
	uint64_t port;

	if (!slash || (size_t)(slash - addr - 2) >= sizeof(text) || xb_sv_u64(xb_sv(slash + 1), &port) < 0 || !port || port > 65535)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(slash - addr - 2), addr + 2);
	if (family == AF_INET6)
		swap(text, '.', ':');
	if (inet_pton(family, text, &b.addr) != 1)
		return false;
	b.port = (__u16)port;
	*ret = b;
	return true;
}
