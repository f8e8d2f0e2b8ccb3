/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "verbs.h"

static void write_interface(struct xb_jw *w, const char *name, const unsigned char *mac, const char *sandbox)
{
	char text[18];

	xb_jw_object(w);
	xb_jw_kstr(w, "name", name);
	if (mac) {
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		xb_jw_kstr(w, "mac", text);
	}
	if (sandbox)
		xb_jw_kstr(w, "sandbox", sandbox);
	xb_jw_end(w);
}

/* Before 1.0.0 each says its family. */
static void write_ip(struct xb_jw *w, const struct cni_config *c, const struct xb_net *n, const struct xb_ip *gateway, int interface)
{
	xb_jw_object(w);
	if (c->version[0] == '0')
		xb_jw_kstr(w, "version", n->ip.family == AF_INET ? "4" : "6");
	xb_jw_kstr(w, "address", xb_net_format(n).s);
	if (gateway)
		xb_jw_kstr(w, "gateway", xb_ip_format(gateway).s);
	xb_jw_kint(w, "interface", interface);
	xb_jw_end(w);
}

static void write_dns(struct xb_jw *w, const struct cni_config *c)
{
	xb_jw_key(w, "dns");
	xb_jw_raw(w, xb_jv_is(c->dns) ? xb_jv_bytes(c->dns) : XB_SV("{}"));
}

void result_write(const struct cni_config *c, const struct attachment *a, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "cniVersion", c->version);
	xb_jw_key(&w, "interfaces");
	xb_jw_array(&w);
	write_interface(&w, a->host_name, a->host_mac, NULL);
	write_interface(&w, a->ifname, a->mac, a->netns);
	xb_jw_end(&w);
	xb_jw_key(&w, "ips");
	xb_jw_array(&w);
	for (int i = 0; i < 2; i++) {
		struct xb_net n = xb_net_host(&a->ips[i]);
		struct xb_ip gateway = attach_gateway(a->ips[i].family);

		if (a->ips[i].family != AF_UNSPEC)
			write_ip(&w, c, &n, &gateway, 1);
	}
	xb_jw_end(&w);
	xb_jw_key(&w, "routes");
	xb_jw_array(&w);
	for (int i = 0; i < 2; i++) {
		struct xb_ip gateway = attach_gateway(a->ips[i].family);

		if (a->ips[i].family == AF_UNSPEC)
			continue;
		xb_jw_object(&w);
		xb_jw_kstr(&w, "dst", i ? "::/0" : "0.0.0.0/0");
		xb_jw_kstr(&w, "gw", xb_ip_format(&gateway).s);
		xb_jw_end(&w);
	}
	xb_jw_end(&w);
	write_dns(&w, c);
	xb_jw_end(&w);
}

void result_write_loopback(const struct cni_config *c, const struct cni_call *call, struct xb_buf *out)
{
	static const struct xb_net addrs[] = { { { AF_INET, { 127, 0, 0, 1 } }, 8 }, { { AF_INET6, { [15] = 1 } }, 128 } };
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "cniVersion", c->version);
	xb_jw_key(&w, "interfaces");
	xb_jw_array(&w);
	write_interface(&w, "lo", (unsigned char[6]){}, call->netns);
	xb_jw_end(&w);
	xb_jw_key(&w, "ips");
	xb_jw_array(&w);
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++)
		write_ip(&w, c, &addrs[i], NULL, 0);
	xb_jw_end(&w);
	write_dns(&w, c);
	xb_jw_end(&w);
}

void result_write_versions(struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "cniVersion", "1.1.0");
	xb_jw_key(&w, "supportedVersions");
	xb_jw_array(&w);
	for (unsigned i = 0; cni_versions[i]; i++)
		xb_jw_str(&w, cni_versions[i]);
	xb_jw_end(&w);
	xb_jw_end(&w);
}

void result_write_fault(const struct cni_config *c, const struct cni_fault *f, struct xb_buf *out)
{
	struct xb_jw w = XB_JW(out);

	xb_jw_object(&w);
	xb_jw_kstr(&w, "cniVersion", c->version ? c->version : "1.0.0");
	xb_jw_kint(&w, "code", f->code);
	xb_jw_kstr(&w, "msg", f->why ? f->why : "no memory");
	xb_jw_end(&w);
}
