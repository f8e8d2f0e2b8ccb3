/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <strings.h>
#include <time.h>
#include "xb/cron.h"
#include "xb/time.h"

struct bounds {
	unsigned min, max;
	const char *const *names;   /* of min, min + 1, ...; NULL for none */
};
static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };
static const struct bounds minute = { 0, 59, NULL }, hour = { 0, 23, NULL }, day = { 1, 31, NULL }, month = { 1, 12, month_names },
			   weekday = { 0, 6, weekday_names };

static int refuse(struct xb_buf *why)
{
	return why->err ? why->err : -EINVAL;
}

static int parse_number(struct xb_sv s, struct xb_buf *why, unsigned *ret)
{
	int64_t n;

	if (!s.n || xb_sv_i64(s, &n) < 0) {
		xb_buf_addf(why, "failed to parse int from %.*s: strconv.Atoi: parsing ", XB_SV_ARG(s));
		xb_buf_addq(why, s);
		xb_buf_adds(why, ": invalid syntax");
		return refuse(why);
	}
	if (n < 0) {
		xb_buf_addf(why, "negative number (%lld) not allowed: %.*s", (long long)n, XB_SV_ARG(s));
		return refuse(why);
	}
	*ret = n > UINT16_MAX ? UINT16_MAX : (unsigned)n;
	return 0;
}

static int parse_value(struct xb_sv s, const struct bounds *b, struct xb_buf *why, unsigned *ret)
{
	for (unsigned i = 0; b->names && b->names[i]; i++)
		if (strlen(b->names[i]) == s.n && !strncasecmp(b->names[i], s.p, s.n)) {
			*ret = b->min + i;
			return 0;
		}
	return parse_number(s, why, ret);
}

static int check_range(struct xb_sv text, const struct bounds *b, unsigned start, unsigned end, unsigned step, struct xb_buf *why)
{
	if (start < b->min)
		xb_buf_addf(why, "beginning of range (%u) below minimum (%u): %.*s", start, b->min, XB_SV_ARG(text));
	else if (end > b->max)
		xb_buf_addf(why, "end of range (%u) above maximum (%u): %.*s", end, b->max, XB_SV_ARG(text));
	else if (start > end)
		xb_buf_addf(why, "beginning of range (%u) beyond end of range (%u): %.*s", start, end, XB_SV_ARG(text));
	else if (!step)
		xb_buf_addf(why, "step of range should be a positive number: %.*s", XB_SV_ARG(text));
	else
		return 0;
	return refuse(why);
}

/* One part of a list: "*", "a", "a-b", each perhaps with "/step". A step after a single number goes on to the end. */
static int parse_range(struct xb_sv text, const struct bounds *b, struct xb_buf *why, uint64_t *bits, bool *any)
{
	struct xb_sv rest = text, range = {}, low = {}, step_text;
	unsigned start = b->min, end = b->max, step = 1;
	bool stepped;
	int r = 0;

	(void)xb_sv_split(&rest, '/', &range);
	step_text = rest;
	stepped = step_text.p != NULL;
	rest = range;
	(void)xb_sv_split(&rest, '-', &low);
	if (xb_sv_is(low, "*") || xb_sv_is(low, "?")) {
		*any = true;
	} else {
		r = parse_value(low, b, why, &start);
		end = start;
		if (!r && rest.p && memchr(rest.p, '-', rest.n)) {
			xb_buf_addf(why, "too many hyphens: %.*s", XB_SV_ARG(text));
			return refuse(why);
		}
		if (!r && rest.p)
			r = parse_value(rest, b, why, &end);
		else if (stepped)
			end = b->max;
	}
	if (!r && stepped && memchr(step_text.p, '/', step_text.n)) {
		xb_buf_addf(why, "too many slashes: %.*s", XB_SV_ARG(text));
		return refuse(why);
	}
	if (!r && stepped)
		r = parse_number(step_text, why, &step);
	if (!r)
		r = check_range(text, b, start, end, step, why);
	for (unsigned i = start; !r && i <= end; i += step)
		*bits |= UINT64_C(1) << i;
	if (stepped && step > 1)
		*any = false;
	return r;
}

static int parse_field(struct xb_sv text, const struct bounds *b, struct xb_buf *why, uint64_t *ret, bool *ret_any)
{
	struct xb_sv part;
	int r = 0;

	while (!r && xb_sv_split(&text, ',', &part))
		if (part.n)
			r = parse_range(part, b, why, ret, ret_any);
	return r;
}

static int parse_descriptor(struct xb_sv text, struct xb_cron *c, struct xb_buf *why)
{
	static const struct {
		const char *name, *fields;
	} known[] = {
		{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" },
		{ "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" }, { "@hourly", "0 * * * *" },
	};
	static const char every[] = "@every ";
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (xb_sv_is(text, known[i].name))
			return xb_cron_parse(xb_sv(known[i].fields), c, why);
	if (!xb_sv_starts(text, every)) {
		xb_buf_addf(why, "unrecognized descriptor: %.*s", XB_SV_ARG(text));
		return refuse(why);
	}
	if (xb_duration_parse((struct xb_sv){ text.p + sizeof(every) - 1, text.n - sizeof(every) + 1 }, &ns) < 0) {
		xb_buf_addf(why, "failed to parse duration %.*s", XB_SV_ARG(text));
		return refuse(why);
	}
	c->every_seconds = ns < XB_SECOND ? 1 : ns / XB_SECOND;
	return 0;
}

/* Cuts *rest at white space. */
static bool next_field(struct xb_sv *rest, struct xb_sv *ret)
{
	size_t n = 0;

	*rest = xb_sv_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*ret = (struct xb_sv){ rest->p, n };
	*rest = (struct xb_sv){ rest->p + n, rest->n - n };
	return n > 0;
}

static int parse_fields(struct xb_sv text, struct xb_cron *c, struct xb_buf *why)
{
	struct xb_sv rest = text, fields[5], one;
	unsigned n = 0;
	bool any = false;
	int r;

	for (; next_field(&rest, &one); n++)
		if (n < ARRAY_SIZE(fields))
			fields[n] = one;
	if (n != ARRAY_SIZE(fields)) {
		xb_buf_addf(why, "expected exactly 5 fields, found %u: [", n);
		rest = text;
		for (unsigned i = 0; next_field(&rest, &one); i++)
			xb_buf_addf(why, "%s%.*s", i ? " " : "", XB_SV_ARG(one));
		xb_buf_addc(why, ']');
		return refuse(why);
	}
	r = parse_field(fields[0], &minute, why, &c->minutes, &any);
	if (!r)
		r = parse_field(fields[1], &hour, why, &c->hours, &any);
	if (!r)
		r = parse_field(fields[2], &day, why, &c->days, &c->any_day);
	if (!r)
		r = parse_field(fields[3], &month, why, &c->months, &any);
	if (!r)
		r = parse_field(fields[4], &weekday, why, &c->weekdays, &c->any_weekday);
	return r;
}

int xb_cron_parse(struct xb_sv text, struct xb_cron *ret, struct xb_buf *retwhy)
{
	struct xb_cron c = {};
	struct xb_sv head;
	int r;

	if (xb_sv_starts(text, "TZ=") || xb_sv_starts(text, "CRON_TZ=")) {
		(void)next_field(&text, &head);
		(void)xb_sv_split(&head, '=', &c.zone);
		c.zone = head;
	}
	text = xb_sv_trim(text);
	if (!text.n) {
		xb_buf_adds(retwhy, "empty spec string");
		return refuse(retwhy);
	}
	r = text.p[0] == '@' ? parse_descriptor(text, &c, retwhy) : parse_fields(text, &c, retwhy);
	if (!r)
		*ret = c;
	return r;
}

static bool has(uint64_t bits, int n)
{
	return bits >> n & 1;
}

static bool is_day(const struct xb_cron *c, const struct tm *tm)
{
	bool day = has(c->days, tm->tm_mday), weekday = has(c->weekdays, tm->tm_wday);

	if (!has(c->months, tm->tm_mon + 1))
		return false;
	return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

int64_t xb_cron_next(const struct xb_cron *c, const struct xb_zone *zone, int64_t after)
{
	int64_t t = after - after % 60 + 60;
	const int64_t limit = after + INT64_C(5) * 366 * 86400;

	if (c->every_seconds)
		return after + c->every_seconds;
	while (t < limit) {
		time_t local = t + xb_zone_offset(zone, t);
		struct tm tm;

		gmtime_r(&local, &tm);
		/* not over midnight at once: the day may have 23 hours or 25 */
		if (!is_day(c, &tm))
			t += tm.tm_hour < 22 ? (22 - tm.tm_hour) * 3600 - tm.tm_min * 60 : 3600 - tm.tm_min * 60;
		else if (!has(c->hours, tm.tm_hour))
			t += 3600 - tm.tm_min * 60;
		else if (!has(c->minutes, tm.tm_min))
			t += 60;
		else
			return t;
	}
	return 0;
}
