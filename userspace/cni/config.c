/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>

#include "config.h"

#define DATA_DIR "/var/lib/cni/networks"

const char *const cni_versions[] = { "0.3.1", "0.4.0", "1.0.0", "1.1.0", NULL };

int cni_fault(struct cni_fault *f, int code, const char *fmt, ...)
{
	va_list ap;

	free(f->why);
	f->code = code;
	va_start(ap, fmt);
	if (vasprintf(&f->why, fmt, ap) < 0)
		f->why = NULL;
	va_end(ap);
	return code;
}

void cni_fault_done(struct cni_fault *f)
{
	free(f->why);
	*f = (struct cni_fault){};
}

/* --- the environment --- */

/* Of a container and of a network: it becomes the name of a file or folder. */
static bool is_name(const char *s)
{
	size_t n = strlen(s);

	if (!isalnum((unsigned char)s[0]) || n > 253)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s))
			return false;
	return true;
}

static bool is_ifname(const char *s)
{
	if (!*s || strlen(s) >= IFNAMSIZ || !strcmp(s, ".") || !strcmp(s, "..") || !strcmp(s, "all") || !strcmp(s, "default"))
		return false;
	for (; *s; s++)
		if (!isgraph((unsigned char)*s) || *s == '/' || *s == ':')
			return false;
	return true;
}

static int need(const char *name, const char *verb, const char **ret, struct cni_fault *f)
{
	*ret = getenv(name);
	return *ret && **ret ? 0 : cni_fault(f, CNI_ENVIRONMENT, "%s is not set, which %s needs", name, verb);
}

int cni_call_read(struct cni_call *ret, struct cni_fault *f)
{
	static const char *const verbs[] = {
		[CNI_ADD] = "ADD", [CNI_DEL] = "DEL", [CNI_CHECK] = "CHECK", [CNI_GC] = "GC", [CNI_STATUS] = "STATUS", [CNI_VERSION] = "VERSION",
	};
	struct cni_call c = {};
	const char *verb = getenv("CNI_COMMAND");
	int r = 0;

	while (c.verb < ARRAY_SIZE(verbs) && (!verb || strcmp(verb, verbs[c.verb])))
		c.verb++;
	if (c.verb == ARRAY_SIZE(verbs))
		return cni_fault(f, CNI_ENVIRONMENT, "CNI_COMMAND is \"%s\": expected ADD, DEL, CHECK, GC, STATUS or VERSION", verb ? verb : "");
	if (c.verb <= CNI_CHECK) {
		r = need("CNI_CONTAINERID", verb, &c.container, f);
		if (!r)
			r = need("CNI_IFNAME", verb, &c.ifname, f);
		if (!r && c.verb != CNI_DEL)
			r = need("CNI_NETNS", verb, &c.netns, f);
		if (!r && !is_name(c.container))
			r = cni_fault(f, CNI_ENVIRONMENT, "CNI_CONTAINERID is \"%s\": expected letters, digits, '_', '.' and '-'", c.container);
		if (!r && !is_ifname(c.ifname))
			r = cni_fault(f, CNI_ENVIRONMENT, "CNI_IFNAME is \"%s\": expected the name of an interface, of at most 15 characters", c.ifname);
	}
	if (!r)
		*ret = c;
	return r;
}

/* --- the configuration --- */

/* As it stands there, and not all of it. */
static struct xb_sv shown(struct xb_jv v)
{
	struct xb_sv text = xb_jv_is(v) ? xb_jv_bytes(v) : XB_SV("nothing");

	text.n = MIN(text.n, (size_t)80);
	return text;
}

static int invalid_member(struct cni_fault *f, const char *at, struct xb_jv v, const char *expected)
{
	return cni_fault(f, CNI_INVALID, "%s: %.*s is not %s", at, XB_SV_ARG(shown(v)), expected);
}

/* At at.name; left as it is when there is none. */
static int read_ip(struct xb_jv in, const char *at, const char *name, const struct xb_net *within, struct xb_ip *ret, struct cni_fault *f)
{
	struct xb_jv v = xb_jv_get(in, name);
	char where[96];
	struct xb_ip ip;

	if (!xb_jv_is(v))
		return 0;
	snprintf(where, sizeof(where), "%s.%s", at, name);
	if (xb_ip_parse(xb_jv_text(v), &ip) < 0)
		return invalid_member(f, where, v, "an IP address");
	if (!xb_net_contains(within, &ip))
		return cni_fault(f, CNI_INVALID, "%s: %s is not in %s", where, xb_ip_format(&ip).s, xb_net_format(within).s);
	*ret = ip;
	return 0;
}

/* What may be handed out of a network: not its own address, by which the overlay goes (and which is IPv6's anycast of its routers),
 * and not IPv4's broadcast. Networks of one or two addresses have neither (RFC 3021, RFC 6164). */
static void usable(const struct xb_net *n, struct cni_range *ret)
{
	unsigned all = 8 * xb_ip_bytes(n->ip.family);

	ret->first = xb_ip_add(&n->ip, n->bits + 2 <= all);
	ret->last = xb_net_last(n);
	if (n->ip.family == AF_INET && n->bits + 2 <= all)
		ret->last = xb_ip_add(&ret->last, UINT64_MAX);
}

static int read_range(struct xb_jv v, const char *at, struct cni_range *ret, struct cni_fault *f)
{
	struct xb_jv subnet = xb_jv_get(v, "subnet");
	struct cni_range range = {};
	char where[96];
	struct xb_net n;
	int r;

	snprintf(where, sizeof(where), "%s.subnet", at);
	if (xb_net_parse(xb_jv_text(subnet), &n) < 0)
		return invalid_member(f, where, subnet, "a network, as 10.244.1.0/24");
	n = xb_net_of(&n.ip, n.bits);
	usable(&n, &range);
	r = read_ip(v, at, "rangeStart", &n, &range.first, f);
	if (!r)
		r = read_ip(v, at, "rangeEnd", &n, &range.last, f);
	if (!r)
		r = read_ip(v, at, "gateway", &n, &range.gateway, f);
	if (r)
		return r;
	if (xb_ip_cmp(&range.first, &range.last) > 0)
		return cni_fault(f, CNI_INVALID, "%s: rangeStart %s is behind rangeEnd %s", at, xb_ip_format(&range.first).s,
				 xb_ip_format(&range.last).s);
	*ret = range;
	return 0;
}

static int read_set(struct xb_jv v, unsigned at, struct cni_config *c, struct cni_fault *f)
{
	struct cni_set *set = NULL, set_read = {};
	char where[64];

	for (struct xb_jit it = xb_jv_iter(v); xb_jit_next(&it); set_read.n++) {
		int r;

		snprintf(where, sizeof(where), "ipam.ranges[%u][%u]", at, set_read.n);
		if (set_read.n == CNI_RANGES_MAX)
			return cni_fault(f, CNI_INVALID, "%s: a set has at most %d ranges", where, CNI_RANGES_MAX);
		r = read_range(it.value, where, &set_read.v[set_read.n], f);
		if (r)
			return r;
		if (set_read.v[set_read.n].first.family != set_read.v[0].first.family)
			return cni_fault(f, CNI_INVALID, "%s: of another family than the ranges before it", where);
	}
	if (!set_read.n)
		return cni_fault(f, CNI_INVALID, "ipam.ranges[%u]: expected a list of ranges", at);
	set = &c->sets[set_read.v[0].first.family == AF_INET6];
	if (set->n)
		return cni_fault(f, CNI_INVALID, "ipam.ranges[%u]: a pod has one address of each family, and the set before it is of this one", at);
	*set = set_read;
	return 0;
}

static int read_ranges(struct xb_jv ipam, struct cni_config *c, struct cni_fault *f)
{
	unsigned at = 0;

	for (struct xb_jit it = xb_jv_iter(xb_jv_get(ipam, "ranges")); xb_jit_next(&it); at++) {
		int r = read_set(it.value, at, c, f);

		if (r)
			return r;
	}
	return at ? 0 : cni_fault(f, CNI_INVALID, "ipam.ranges: expected one or two sets of ranges, as [[{\"subnet\": \"10.244.1.0/24\"}]]");
}

static int read_ipam(struct xb_jv root, enum cni_verb verb, struct cni_config *c, struct cni_fault *f)
{
	struct xb_jv ipam = xb_jv_get(root, "ipam"), dir = xb_jv_get(ipam, "dataDir"), type = xb_jv_get(ipam, "type");
	_cleanup_free_ char *base = xb_jv_is(dir) ? xb_jv_dup(dir) : strdup(DATA_DIR);

	if (xb_jv_is(type) && !xb_jv_streq(type, XB_SV("host-local")))
		return cni_fault(f, CNI_UNSUPPORTED, "ipam.type: %.*s is not supported: addresses are given out by this plugin, as host-local does",
				 XB_SV_ARG(shown(type)));
	if (!base || base[0] != '/')
		return invalid_member(f, "ipam.dataDir", dir, "an absolute path");
	if (asprintf(&c->data_dir, "%s/%s", base, c->name) < 0) {
		c->data_dir = NULL;
		return cni_fault(f, CNI_IO, "no memory");
	}
	return verb == CNI_ADD || verb == CNI_CHECK || verb == CNI_STATUS ? read_ranges(ipam, c, f) : 0;
}

static int read_version(struct xb_jv root, struct cni_config *c, struct cni_fault *f)
{
	struct xb_jv v = xb_jv_get(root, "cniVersion");

	c->version = xb_jv_dup(v);
	for (unsigned i = 0; c->version && cni_versions[i]; i++)
		if (!strcmp(c->version, cni_versions[i]))
			return 0;
	free(c->version);
	c->version = NULL;
	return cni_fault(f, CNI_INCOMPATIBLE, "cniVersion: %.*s is not one of 0.3.1, 0.4.0, 1.0.0, 1.1.0", XB_SV_ARG(shown(v)));
}

static int read_members(struct xb_jv root, enum cni_verb verb, struct cni_config *c, struct cni_fault *f)
{
	struct xb_jv mtu = xb_jv_get(root, "mtu"), name = xb_jv_get(root, "name");
	int64_t bytes = 0;

	c->name = xb_jv_dup(name);
	if (!c->name || !is_name(c->name))
		return invalid_member(f, "name", name, "a network's name: letters, digits, '_', '.' and '-'");
	c->loopback = xb_jv_streq(xb_jv_get(root, "type"), XB_SV("loopback"));
	/* IPv6 needs 1280, and a device has no more than 65535. */
	if (xb_jv_is(mtu) && (xb_jv_i64(mtu, &bytes) < 0 || (bytes && (bytes < 576 || bytes > 65535))))
		return invalid_member(f, "mtu", mtu, "a number from 576 to 65535, or 0 for the node's");
	c->mtu = (uint32_t)bytes;
	c->dns = xb_jv_get(root, "dns");
	if (xb_jv_is(c->dns) && xb_jv_type(c->dns) != XB_JSON_OBJECT)
		return invalid_member(f, "dns", c->dns, "an object");
	c->prev_result = xb_jv_get(root, "prevResult");
	c->attachments = xb_jv_get(root, "cni.dev/valid-attachments");
	return c->loopback ? 0 : read_ipam(root, verb, c, f);
}

int cni_config_read(struct xb_sv text, enum cni_verb verb, struct cni_config *ret, struct cni_fault *f)
{
	static const struct xb_json_limits limits = { .max_bytes = 1 << 20, .max_depth = 32 };
	struct xb_json_fault fault = {};
	_cleanup_buf_ struct xb_buf words = {};
	struct xb_jv root;
	int r;

	*ret = (struct cni_config){};
	r = xb_json_parse(text, &limits, &ret->doc, &fault);
	if (r == -EBADMSG) {
		xb_json_fault_text(&fault, &words);
		return cni_fault(f, CNI_NOT_JSON, "the configuration is not JSON: %s", words.p ? words.p : "");
	}
	if (r < 0)
		return cni_fault(f, CNI_NOT_JSON, "the configuration cannot be read: %s", strerror(-r));
	root = xb_json_root(ret->doc);
	if (xb_jv_type(root) != XB_JSON_OBJECT)
		return cni_fault(f, CNI_NOT_JSON, "the configuration is not an object");
	if (verb == CNI_VERSION)
		return 0;
	r = read_version(root, ret, f);
	return r ? r : read_members(root, verb, ret, f);
}

void cni_config_done(struct cni_config *c)
{
	xb_json_unref(c->doc);
	free(c->version);
	free(c->name);
	free(c->data_dir);
	*c = (struct cni_config){};
}
