/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <time.h>

#include "xb/time.h"

enum { SECOND_US = 1000000 };

int64_t xb_time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

int64_t xb_time_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static char *put_digits(char *p, int value, int n, char after)
{
	for (int i = n; i-- > 0; value /= 10)
		p[i] = '0' + value % 10;
	p[n] = after;
	return p + n + 1;
}

static struct xb_time_text format(int64_t us, bool micro)
{
	int64_t fraction = (us % SECOND_US + SECOND_US) % SECOND_US;
	time_t seconds = (us - fraction) / SECOND_US;
	struct xb_time_text text = {};
	struct tm tm = {};
	char *p = text.s;

	gmtime_r(&seconds, &tm);
	p = put_digits(p, abs(tm.tm_year + 1900) % 10000, 4, '-');
	p = put_digits(p, tm.tm_mon + 1, 2, '-');
	p = put_digits(p, tm.tm_mday, 2, 'T');
	p = put_digits(p, tm.tm_hour, 2, ':');
	p = put_digits(p, tm.tm_min, 2, ':');
	p = put_digits(p, tm.tm_sec, 2, micro ? '.' : 'Z');
	if (micro)
		put_digits(p, (int)fraction, 6, 'Z');
	return text;
}

struct xb_time_text xb_time_format(int64_t us)
{
	return format(us, false);
}

struct xb_time_text xb_time_format_micro(int64_t us)
{
	return format(us, true);
}

/* Exactly n digits and then, unless 0, the byte after. */
static bool take_digits(struct xb_sv *s, size_t n, char after, int *ret)
{
	int sum = 0;

	if (s->n < n + !!after || (after && s->p[n] != after))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		sum = sum * 10 + s->p[i] - '0';
	}
	*s = (struct xb_sv){ s->p + n + !!after, s->n - n - !!after };
	*ret = sum;
	return true;
}

static bool take_fraction(struct xb_sv *s, int *ret_us)
{
	int sum = 0, unit = SECOND_US / 10;
	size_t i = 1;

	if (!s->n || (s->p[0] != '.' && s->p[0] != ','))
		return true;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++, unit /= 10)
		sum += (s->p[i] - '0') * unit;
	if (i == 1)
		return false;
	*s = (struct xb_sv){ s->p + i, s->n - i };
	*ret_us = sum;
	return true;
}

static bool take_offset(struct xb_sv *s, int *ret_seconds)
{
	int hours, minutes, sign;

	if (s->n == 1 && s->p[0] == 'Z')
		return true;
	if (!s->n || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	sign = s->p[0] == '-' ? -1 : 1;
	*s = (struct xb_sv){ s->p + 1, s->n - 1 };
	if (!take_digits(s, 2, ':', &hours) || !take_digits(s, 2, 0, &minutes) || s->n || hours > 23 || minutes > 59)
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

int xb_time_parse(struct xb_sv s, int64_t *ret_us)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int fraction = 0, offset = 0;
	struct tm tm = {};
	bool leap;

	if (!take_digits(&s, 4, '-', &tm.tm_year) || !take_digits(&s, 2, '-', &tm.tm_mon) ||
	    !take_digits(&s, 2, 'T', &tm.tm_mday) || !take_digits(&s, 2, ':', &tm.tm_hour) ||
	    !take_digits(&s, 2, ':', &tm.tm_min) || !take_digits(&s, 2, 0, &tm.tm_sec) ||
	    !take_fraction(&s, &fraction) || !take_offset(&s, &offset))
		return -EINVAL;
	leap = tm.tm_year % 4 == 0 && (tm.tm_year % 100 || tm.tm_year % 400 == 0);
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > days[tm.tm_mon - 1] + (leap && tm.tm_mon == 2) ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*ret_us = ((int64_t)timegm(&tm) - offset) * SECOND_US + fraction;
	return 0;
}

static int64_t take_unit(struct xb_sv *s)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { /* longer names before those they begin with */
		{ "ns", 1 }, { "us", 1000 }, { "\xc2\xb5s", 1000 }, { "\xce\xbcs", 1000 }, { "ms", XB_MILLISECOND },
		{ "s", XB_SECOND }, { "m", XB_MINUTE }, { "h", XB_HOUR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n = strlen(units[i].name);

		if (!xb_sv_starts(*s, units[i].name))
			continue;
		*s = (struct xb_sv){ s->p + n, s->n - n };
		return units[i].ns;
	}
	return 0;
}

/* One number and its unit, such as "1.5h", in nanoseconds, added to *sum. */
static int take_part(struct xb_sv *s, uint64_t *sum)
{
	uint64_t whole = 0, fraction = 0, scale = 1, part;
	struct xb_sv number = *s;
	size_t i = 0, point;
	int64_t unit;

	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, s->p[i] - '0', &whole))
			return -ERANGE;
	point = i;
	if (i < s->n && s->p[i] == '.')
		for (i++; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
			if (scale >= UINT64_C(1000000000000000))
				continue; /* below a nanosecond of an hour */
			fraction = fraction * 10 + (s->p[i] - '0');
			scale *= 10;
		}
	if (!point && i < 2)
		return -EINVAL;
	*s = (struct xb_sv){ number.p + i, number.n - i };
	unit = take_unit(s);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, (uint64_t)unit, &part) ||
	    __builtin_add_overflow(part, (uint64_t)((double)fraction * ((double)unit / (double)scale)), &part) ||
	    __builtin_add_overflow(*sum, part, sum))
		return -ERANGE;
	return 0;
}

int xb_duration_parse(struct xb_sv s, int64_t *ret_ns)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t sum = 0;
	int r;

	if (minus || (s.n && s.p[0] == '+'))
		s = (struct xb_sv){ s.p + 1, s.n - 1 };
	if (!s.n)
		return -EINVAL;
	if (xb_sv_is(s, "0"))
		s = (struct xb_sv){};
	while (s.n) {
		r = take_part(&s, &sum);
		if (r < 0)
			return r;
	}
	if (sum > (uint64_t)INT64_MAX + minus)
		return -ERANGE;
	*ret_ns = minus ? (int64_t)(0 - sum) : (int64_t)sum;
	return 0;
}

/* value / unit with as many decimals as it takes, and no more */
static int format_fraction(char *at, size_t room, uint64_t value, uint64_t unit, const char *name)
{
	uint64_t rest = value % unit;
	int digits = 0;

	for (uint64_t u = unit; u > 1; u /= 10)
		digits++;
	for (; rest && rest % 10 == 0; digits--)
		rest /= 10;
	if (!rest)
		return snprintf(at, room, "%llu%s", (unsigned long long)(value / unit), name);
	return snprintf(at, room, "%llu.%0*llu%s", (unsigned long long)(value / unit), digits, (unsigned long long)rest, name);
}

struct xb_time_text xb_duration_format(int64_t ns)
{
	uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	struct xb_time_text text = {};
	size_t room = sizeof(text.s), n = 0;

	if (ns < 0)
		text.s[n++] = '-';
	if (!left) {
		snprintf(text.s, room, "0s");
	} else if (left < 1000) {
		format_fraction(text.s + n, room - n, left, 1, "ns");
	} else if (left < XB_MILLISECOND) {
		format_fraction(text.s + n, room - n, left, 1000, "\xc2\xb5s");
	} else if (left < XB_SECOND) {
		format_fraction(text.s + n, room - n, left, XB_MILLISECOND, "ms");
	} else {
		if (left >= XB_HOUR)
			n += snprintf(text.s + n, room - n, "%lluh", (unsigned long long)(left / XB_HOUR));
		if (left >= XB_MINUTE)
			n += snprintf(text.s + n, room - n, "%dm", (int)(left % XB_HOUR / XB_MINUTE));
		format_fraction(text.s + n, room - n, left % XB_MINUTE, XB_SECOND, "s");
	}
	return text;
}

/* "3h20m", or "3h" when there is no rest */
static struct xb_time_text two_units(int64_t large, const char *large_name, int64_t small, const char *small_name)
{
	struct xb_time_text text;

	if (small)
		snprintf(text.s, sizeof(text.s), "%d%s%d%s", (int)large, large_name, (int)small, small_name);
	else
		snprintf(text.s, sizeof(text.s), "%d%s", (int)large, large_name);
	return text;
}

struct xb_time_text xb_time_human(int64_t seconds)
{
	int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (seconds < -1)
		return (struct xb_time_text){ "<invalid>" };
	if (seconds < 0)
		return (struct xb_time_text){ "0s" };
	if (seconds < 120)
		return two_units(seconds, "s", 0, "");
	if (minutes < 10)
		return two_units(minutes, "m", seconds % 60, "s");
	if (minutes < 180)
		return two_units(minutes, "m", 0, "");
	if (hours < 8)
		return two_units(hours, "h", minutes % 60, "m");
	if (hours < 48)
		return two_units(hours, "h", 0, "");
	if (days < 8)
		return two_units(days, "d", hours % 24, "h");
	if (days < 365 * 2)
		return two_units(days, "d", 0, "");
	if (days < 365 * 8)
		return two_units(days / 365, "y", days % 365, "d");
	return two_units(days / 365, "y", 0, "");
}
