/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include "xb/validate.h"

#define LONGER_THAN_63 "must be no more than 63 characters"
#define LONGER_THAN_253 "must be no more than 253 characters"
#define LABEL_RE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " \
	"with an alphanumeric character (e.g. 'example.com', regex used for validation is '" LABEL_RE "(\\." LABEL_RE ")*')"
#define QUALIFIED_RE "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define QUALIFIED \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " \
	"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '" QUALIFIED_RE "')"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_lower_alnum(char c)
{
	return is_lower(c) || is_digit(c);
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])? */
static bool is_dns_label(struct xb_sv s)
{
	if (!s.n || !is_lower_alnum(s.p[0]) || !is_lower_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_lower_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

static bool is_dns_subdomain(struct xb_sv s)
{
	struct xb_sv part;

	if (!s.n)
		return false;
	while (xb_sv_split(&s, '.', &part))
		if (!is_dns_label(part))
			return false;
	return true;
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9] */
static bool is_qualified_part(struct xb_sv s)
{
	if (!s.n || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !strchr("-_.", s.p[i]))
			return false;
	return !memchr(s.p, '\0', s.n);
}

unsigned xb_check_dns1123_label(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	unsigned n = 0;

	if (s.n > 63)
		ret[n++] = LONGER_THAN_63;
	if (!is_dns_label(s))
		ret[n++] = is_dns_subdomain(s) ? "must not contain dots" :
			"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
			"with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '" LABEL_RE "')";
	return n;
}

unsigned xb_check_dns1123_subdomain(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	unsigned n = 0;

	if (s.n > 253)
		ret[n++] = LONGER_THAN_253;
	if (!is_dns_subdomain(s))
		ret[n++] = SUBDOMAIN;
	return n;
}

unsigned xb_check_dns1035_label(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	unsigned n = 0;

	if (s.n > 63)
		ret[n++] = LONGER_THAN_63;
	if (!is_dns_label(s) || !is_lower(s.p[0]))
		ret[n++] = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
			"character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation "
			"is '[a-z]([-a-z0-9]*[a-z0-9])?')";
	return n;
}

unsigned xb_check_qualified_name(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	struct xb_sv name = s;
	unsigned n = 0;

	if (slash) {
		const struct xb_sv prefix = { s.p, (size_t)(slash - s.p) };

		name = (struct xb_sv){ slash + 1, s.n - prefix.n - 1 };
		if (name.n && memchr(name.p, '/', name.n)) {
			ret[0] = "a qualified name " QUALIFIED " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
			return 1;
		}
		if (!prefix.n)
			ret[n++] = "prefix part must be non-empty";
		else if (prefix.n > 253)
			ret[n++] = "prefix part " LONGER_THAN_253;
		if (prefix.n && !is_dns_subdomain(prefix))
			ret[n++] = "prefix part " SUBDOMAIN;
	}
	if (!name.n)
		ret[n++] = "name part must be non-empty";
	else if (name.n > 63)
		ret[n++] = "name part " LONGER_THAN_63;
	if (!is_qualified_part(name))
		ret[n++] = "name part " QUALIFIED;
	return n;
}

unsigned xb_check_label_value(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	unsigned n = 0;

	if (s.n > 63)
		ret[n++] = LONGER_THAN_63;
	if (s.n && !is_qualified_part(s))
		ret[n++] = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
			"and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
			"is '(" QUALIFIED_RE ")?')";
	return n;
}

unsigned xb_check_config_key(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	unsigned n = 0;
	bool fine = s.n > 0;

	for (size_t i = 0; i < s.n; i++)
		fine &= is_alnum(s.p[i]) || s.p[i] == '-' || s.p[i] == '_' || s.p[i] == '.';
	if (s.n > 253)
		ret[n++] = LONGER_THAN_253;
	if (!fine)
		ret[n++] = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
			"or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
	if (xb_sv_is(s, "."))
		ret[n++] = "must not be '.'";
	else if (xb_sv_is(s, ".."))
		ret[n++] = "must not be '..'";
	else if (xb_sv_starts(s, ".."))
		ret[n++] = "must not start with '..'";
	return n;
}

unsigned xb_check_port_name(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	bool charset = s.n > 0, letter = false, twice = false;
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++) {
		charset &= is_lower_alnum(s.p[i]) || s.p[i] == '-';
		letter |= is_lower(s.p[i]);
		twice |= i && s.p[i] == '-' && s.p[i - 1] == '-';
	}
	if (s.n > 15)
		ret[n++] = "must be no more than 15 characters";
	if (!charset)
		ret[n++] = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
	if (!letter)
		ret[n++] = "must contain at least one letter (a-z)";
	if (twice)
		ret[n++] = "must not contain consecutive hyphens";
	if (s.n && (s.p[0] == '-' || s.p[s.n - 1] == '-'))
		ret[n++] = "must not begin or end with a hyphen";
	return n;
}

unsigned xb_check_env_name(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	if (!s.n) {
		ret[0] = "environment variable name must be non-empty";
		return 1;
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~' || s.p[i] == '=') {
			ret[0] = "a valid environment variable name must consist only of printable ASCII characters other than '='";
			return 1;
		}
	return 0;
}

unsigned xb_check_http_header_name(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	bool fine = s.n > 0;

	for (size_t i = 0; i < s.n; i++)
		fine &= is_alnum(s.p[i]) || s.p[i] == '-';
	if (fine)
		return 0;
	ret[0] = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is "
		"'[-A-Za-z0-9]+')";
	return 1;
}

/* Returns the address' bits: 32, 128, or 0 when it is none. */
static unsigned ip_bits(struct xb_sv s, unsigned char address[sizeof(struct in6_addr)])
{
	char text[INET6_ADDRSTRLEN];

	if (!s.n || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return 0;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, address) == 1 ? 32 : inet_pton(AF_INET6, text, address) == 1 ? 128 : 0;
}

unsigned xb_check_ip(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	unsigned char address[sizeof(struct in6_addr)];

	if (ip_bits(s, address))
		return 0;
	ret[0] = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
	return 1;
}

unsigned xb_check_cidr(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	unsigned char address[sizeof(struct in6_addr)];
	struct xb_sv ip, rest = s;
	uint64_t length;

	if (xb_sv_split(&rest, '/', &ip) && rest.p && rest.n && is_digit(rest.p[0]) && (rest.n == 1 || rest.p[0] != '0') &&
	    xb_sv_u64(rest, &length) == 0 && ip_bits(ip, address) && length <= ip_bits(ip, address))
		return 0;
	ret[0] = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
	return 1;
}

bool xb_validate_non_special_ip(struct xb_field_errors *e, const struct xb_path *at, struct xb_sv ip)
{
	unsigned char a[sizeof(struct in6_addr)];
	const unsigned bits = ip_bits(ip, a);
	const bool v4 = bits == 32 || (bits == 128 && IN6_IS_ADDR_V4MAPPED((struct in6_addr *)a));
	const unsigned char *b = bits == 128 && v4 ? a + 12 : a;
	static const unsigned char nothing[16], loopback6[16] = { [15] = 1 };

	if (!bits) {
		xb_err_invalid_sv(e, at, ip, "must be a valid IP address");
		return false;
	}
	if (!memcmp(b, nothing, v4 ? 4 : 16))
		xb_err_invalid_sv(e, at, ip, "may not be unspecified (%.*s)", XB_SV_ARG(ip));
	else if (v4 ? b[0] == 127 : !memcmp(b, loopback6, 16))
		xb_err_invalid_sv(e, at, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
	else if (v4 ? b[0] == 169 && b[1] == 254 : b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		xb_err_invalid_sv(e, at, ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
	else if (v4 ? b[0] == 224 && !b[1] && !b[2] : b[0] == 0xff && (b[1] & 0x0f) == 0x02)
		xb_err_invalid_sv(e, at, ip, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
	else
		return true;
	return false;
}

unsigned xb_check_path_segment(struct xb_sv s, const char *ret[XB_CHECK_MAX])
{
	unsigned n = 0;

	if (xb_sv_is(s, "."))
		ret[n++] = "may not be '.'";
	if (xb_sv_is(s, ".."))
		ret[n++] = "may not be '..'";
	if (s.n && memchr(s.p, '/', s.n))
		ret[n++] = "may not contain '/'";
	if (s.n && memchr(s.p, '%', s.n))
		ret[n++] = "may not contain '%'";
	return n;
}
