/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <ctype.h>
#include <stdio.h>
#include "name.h"

#define MAX_REPOSITORY 255
#define MAX_TAG 128

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool all(struct xb_sv s, bool (*is)(char c))
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i]))
			return false;
	return s.n > 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c);
}

static bool is_host_char(char c)
{
	return is_alnum(c) || c == '-';
}

static bool is_v6_char(char c)
{
	return is_hex(c) || c == ':';
}

static bool is_tag_char(char c)
{
	return is_alnum(c) || c == '_' || c == '.' || c == '-';
}

static bool is_host(struct xb_sv s)
{
	struct xb_sv label;

	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		return all((struct xb_sv){ s.p + 1, s.n - 2 }, is_v6_char);
	if (s.n && s.p[s.n - 1] == '.')
		return false;
	while (xb_sv_split(&s, '.', &label))
		if (!all(label, is_host_char) || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return false;
	return true;
}

/* "host", "host:5000", "[::1]:5000" */
static bool is_domain(struct xb_sv s)
{
	const char *colon = s.n ? memrchr(s.p, ':', s.n) : NULL;

	if (colon && s.p[s.n - 1] != ']') {
		if (!all((struct xb_sv){ colon + 1, (size_t)(s.p + s.n - colon - 1) }, is_digit))
			return false;
		s.n = (size_t)(colon - s.p);
	}
	return s.n && is_host(s);
}

/* Letters and digits, with ".", "_", "__" or any number of "-" between them. */
static bool is_component(struct xb_sv s)
{
	for (size_t i = 0; i < s.n;) {
		size_t run = 0;

		while (i + run < s.n && !is_lower_alnum(s.p[i + run]))
			if (s.p[i + run++] != s.p[i])
				return false;
		if (run && (!i || i + run == s.n))
			return false;
		if (run && s.p[i] != '-' && !(s.p[i] == '_' && run <= 2) && !(s.p[i] == '.' && run == 1))
			return false;
		i += run ? run : 1;
	}
	return s.n > 0;
}

static bool is_path(struct xb_sv s)
{
	struct xb_sv part;

	if (!s.n || s.p[s.n - 1] == '/')
		return false;
	while (xb_sv_split(&s, '/', &part))
		if (!is_component(part))
			return false;
	return true;
}

static bool is_tag(struct xb_sv s)
{
	return s.n <= MAX_TAG && all(s, is_tag_char) && s.p[0] != '.' && s.p[0] != '-';
}

static const char *digest_fault(struct xb_sv s)
{
	static const struct { const char *algorithm; size_t digits; } known[] = { { "sha256", 64 }, { "sha384", 96 }, { "sha512", 128 } };
	struct xb_sv algorithm;

	if (!xb_sv_split(&s, ':', &algorithm) || !all(algorithm, is_tag_char) || s.n < 32 || !all(s, is_hex))
		return "invalid reference format";
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (xb_sv_is(algorithm, known[i].algorithm))
			return s.n == known[i].digits ? NULL : "invalid checksum digest length";
	return "unsupported digest algorithm";
}

static bool has_upper(struct xb_sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return true;
	return false;
}

/* Takes a leading domain from *rest; {} when there is none, and it is Docker's. */
static struct xb_sv take_domain(struct xb_sv *rest)
{
	const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	struct xb_sv first = { rest->p, slash ? (size_t)(slash - rest->p) : 0 };

	if (!slash || (!memchr(first.p, '.', first.n) && !memchr(first.p, ':', first.n) && !xb_sv_is(first, "localhost") && !has_upper(first)))
		return (struct xb_sv){};
	rest->p = slash + 1;
	rest->n -= first.n + 1;
	return first;
}

static const char *split(struct xb_sv image, struct xb_sv *domain, struct xb_sv *path, struct xb_sv *tag, struct xb_sv *digest)
{
	const char *at = image.n ? memchr(image.p, '@', image.n) : NULL, *colon;

	if (image.n == 64 && all(image, is_hex) && !has_upper(image))
		return "invalid repository name, cannot specify 64-byte hexadecimal strings";
	*digest = at ? (struct xb_sv){ at + 1, (size_t)(image.p + image.n - at - 1) } : (struct xb_sv){};
	*path = (struct xb_sv){ image.p, at ? (size_t)(at - image.p) : image.n };
	*domain = take_domain(path);
	colon = path->n ? memchr(path->p, ':', path->n) : NULL;
	*tag = colon ? (struct xb_sv){ colon + 1, (size_t)(path->p + path->n - colon - 1) } : (struct xb_sv){};
	if (colon)
		path->n = (size_t)(colon - path->p);
	if (has_upper(*path))
		return "invalid reference format: repository name must be lowercase";
	if (!is_path(*path) || (domain->p && !is_domain(*domain)) || (colon && !is_tag(*tag)))
		return "invalid reference format";
	return at ? digest_fault(*digest) : NULL;
}

int image_name_parse(struct xb_sv image, struct image_name *ret, const char **reterr_why)
{
	struct xb_sv domain, path, tag, digest;
	_cleanup_(image_name_done) struct image_name n = {};
	const char *why = split(image, &domain, &path, &tag, &digest);
	bool dockers;

	if (why) {
		*reterr_why = why;
		return -EINVAL;
	}
	dockers = !domain.p || xb_sv_is(domain, "docker.io") || xb_sv_is(domain, "index.docker.io");
	if (dockers)
		domain = XB_SV("docker.io");
	if (asprintf(&n.repository, "%.*s/%s%.*s", XB_SV_ARG(domain), dockers && !memchr(path.p, '/', path.n) ? "library/" : "",
		     XB_SV_ARG(path)) < 0) {
		n.repository = NULL;
		return -ENOMEM;
	}
	if (strlen(n.repository) > MAX_REPOSITORY) {
		*reterr_why = "repository name must not be more than 255 characters";
		return -EINVAL;
	}
	n.digest = digest.p;
	n.tag = tag.p ? xb_sv_dup(tag) : NULL;
	if (tag.p && !n.tag)
		return -ENOMEM;
	*ret = n;
	n = (struct image_name){};
	return 0;
}

void image_name_done(struct image_name *n)
{
	free(n->repository);
	free(n->tag);
	*n = (struct image_name){};
}

const char *image_name_policy(const struct image_name *n)
{
	return n->tag ? (strcmp(n->tag, "latest") ? "IfNotPresent" : "Always") : n->digest ? "IfNotPresent" : "Always";
}
