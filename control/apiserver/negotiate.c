/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <strings.h>
#include "negotiate.h"

struct clause {
	struct xb_sv type, as, v, g;
	unsigned quality; /* in thousandths */
};

static bool same(struct xb_sv a, const char *b)
{
	return a.n == strlen(b) && !strncasecmp(a.p, b, a.n);
}

/* RFC 9110 section 12.4.2: "0" or "1", and at most three digits after a point. What is not that counts as 1. */
static unsigned quality_of(struct xb_sv v)
{
	unsigned n = 0, scale = 1000;

	if (!v.n || (v.p[0] != '0' && v.p[0] != '1'))
		return 1000;
	n = (v.p[0] - '0') * 1000;
	for (size_t i = 2; i < v.n && i < 5 && v.p[i] >= '0' && v.p[i] <= '9'; i++)
		n += (v.p[i] - '0') * (scale /= 10);
	return MIN(n, 1000u);
}

static struct xb_sv unquote(struct xb_sv v)
{
	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		return (struct xb_sv){ v.p + 1, v.n - 2 };
	return v;
}

static struct clause parse_clause(struct xb_sv text)
{
	struct clause c = { .quality = 1000 };
	struct xb_sv part, key;

	xb_sv_split(&text, ';', &part);
	c.type = xb_sv_trim(part);
	while (xb_sv_split(&text, ';', &part)) {
		xb_sv_split(&part, '=', &key);
		key = xb_sv_trim(key);
		part = unquote(xb_sv_trim(part));
		if (same(key, "q"))
			c.quality = quality_of(part);
		else if (same(key, "as"))
			c.as = part;
		else if (same(key, "v"))
			c.v = part;
		else if (same(key, "g"))
			c.g = part;
	}
	return c;
}

static bool find_form(const struct clause *c, unsigned forms, struct accept *ret)
{
	static const struct {
		const char *as, *g, *v, *beta;
		enum accept_form form;
	} rows[] = {
		{ "Table", "meta.k8s.io", "v1", "v1beta1", ACCEPT_TABLE },
		{ "PartialObjectMetadata", "meta.k8s.io", "v1", "v1beta1", ACCEPT_METADATA },
		{ "PartialObjectMetadataList", "meta.k8s.io", "v1", "v1beta1", ACCEPT_METADATA },
		{ "APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2", "v2beta1", ACCEPT_DISCOVERY },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!xb_sv_is(c->as, rows[i].as) || !xb_sv_is(c->g, rows[i].g) || !(forms & 1u << rows[i].form))
			continue;
		ret->form = rows[i].form;
		ret->beta = xb_sv_is(c->v, rows[i].beta);
		if (ret->beta || xb_sv_is(c->v, rows[i].v))
			return true;
	}
	return false;
}

static bool offered(const struct clause *c, unsigned forms, struct accept *ret)
{
	*ret = (struct accept){ .yaml = same(c->type, "application/yaml") };
	if (!c->quality)
		return false;
	if (!ret->yaml && !same(c->type, "application/json") && !same(c->type, "application/*") && !same(c->type, "*/*"))
		return false;
	return !c->as.p || find_form(c, forms, ret);
}

int negotiate_accept(struct xb_sv header, unsigned forms, struct accept *ret)
{
	struct accept this, best = {};
	unsigned best_quality = 0;
	struct xb_sv part;

	if (!xb_sv_trim(header).n) {
		*ret = best;
		return 0;
	}
	while (xb_sv_split(&header, ',', &part)) {
		struct clause c = parse_clause(part);

		if (c.quality > best_quality && offered(&c, forms, &this)) {
			best = this;
			best_quality = c.quality;
		}
	}
	if (!best_quality)
		return -ENOENT;
	*ret = best;
	return 0;
}

const char *negotiate_content_type(const struct accept *a)
{
	if (a->form == ACCEPT_DISCOVERY)
		return a->beta ? "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
			       : "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
	return a->yaml ? "application/yaml" : "application/json";
}

enum body_type negotiate_body(struct xb_sv header)
{
	static const char *const types[] = {
		[BODY_JSON] = "application/json",
		[BODY_YAML] = "application/yaml",
		[BODY_PROTOBUF] = "application/vnd.kubernetes.protobuf",
		[BODY_JSON_PATCH] = "application/json-patch+json",
		[BODY_MERGE_PATCH] = "application/merge-patch+json",
		[BODY_STRATEGIC_PATCH] = "application/strategic-merge-patch+json",
		[BODY_APPLY] = "application/apply-patch+yaml",
	};
	struct xb_sv type = {};

	xb_sv_split(&header, ';', &type);
	type = xb_sv_trim(type);
	if (!type.n || same(type, "*/*"))
		return BODY_JSON;
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
		if (same(type, types[i]))
			return i;
	return BODY_OTHER;
}
