/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_STR_H
#define XB_STR_H
/* Byte strings: a borrowed view, and a growable buffer with a sticky error. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "xb/macro.h"

/* A view of bytes that somebody else owns; not zero-terminated; p may be NULL when n is 0. */
struct xb_sv {
	const char *p;
	size_t n;
};
#define XB_SV(literal) ((struct xb_sv){ (literal), sizeof(literal) - 1 })
#define XB_SV_ARG(s) (int)(s).n, (s).p ? (s).p : "" /* for "%.*s" */

static inline struct xb_sv xb_sv(const char *cstr)
{
	return (struct xb_sv){ cstr, cstr ? strlen(cstr) : 0 };
}
static inline bool xb_sv_eq(struct xb_sv a, struct xb_sv b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}
static inline bool xb_sv_is(struct xb_sv a, const char *cstr)
{
	return a.n == strlen(cstr) && (!a.n || !memcmp(a.p, cstr, a.n));
}
int xb_sv_cmp(struct xb_sv a, struct xb_sv b);          /* byte order, shorter first */
bool xb_sv_starts(struct xb_sv s, const char *prefix);
bool xb_sv_ends(struct xb_sv s, const char *suffix);
struct xb_sv xb_sv_trim(struct xb_sv s);                /* without ASCII white space at both ends */
/* Cuts *rest at the first sep: returns what was before, leaves what is after. False when *rest was exhausted (p == NULL). */
bool xb_sv_split(struct xb_sv *rest, char sep, struct xb_sv *ret_part);
char *xb_sv_dup(struct xb_sv s);                        /* new, zero-terminated; NULL without memory */
/* Bytes of the well-formed UTF-8 sequence that s begins with (RFC 3629: no overlong forms, no surrogates); 0 for none. */
size_t xb_sv_utf8(struct xb_sv s);
int xb_sv_i64(struct xb_sv s, int64_t *ret);            /* whole string is a decimal; -EINVAL, -ERANGE */
int xb_sv_u64(struct xb_sv s, uint64_t *ret);
#define XB_DIGITS_MAX 20        /* of a uint64_t */
struct xb_sv xb_sv_decimal(uint64_t n, char digits[XB_DIGITS_MAX]);    /* lies in digits, at its end; no NUL behind it */

/*
 * A growable buffer. Appends after a failed allocation do nothing; the failure stays in err and is checked once, at the
 * end. p is always zero-terminated after n bytes when not NULL. {} is an empty buffer.
 */
struct xb_buf {
	char *p;
	size_t n, cap;
	int err; /* 0 or -ENOMEM */
};
int xb_buf_reserve(struct xb_buf *b, size_t more);      /* room for more bytes after n; 0 or -ENOMEM (also in err) */
void xb_buf_add(struct xb_buf *b, const void *bytes, size_t n);
/* Inline: writing a tree calls it several times a value. */
static inline void xb_buf_addc(struct xb_buf *b, char c)
{
	if ((b->err || b->cap - b->n < 2) && xb_buf_reserve(b, 1))
		return;
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}
void xb_buf_adds(struct xb_buf *b, const char *cstr);
void xb_buf_addsv(struct xb_buf *b, struct xb_sv s);
void xb_buf_addu(struct xb_buf *b, uint64_t n);         /* in decimal */
void xb_buf_addf(struct xb_buf *b, const char *fmt, ...) _printf_(2, 3);
void xb_buf_addv(struct xb_buf *b, const char *fmt, va_list ap) _printf_(2, 0);
void xb_buf_addq(struct xb_buf *b, struct xb_sv s);     /* in double quotes and escaped, as Go's %q */
void xb_buf_clear(struct xb_buf *b);                    /* empty for reuse; keeps the memory; resets err */
void xb_buf_done(struct xb_buf *b);                     /* frees the memory */
char *xb_buf_steal(struct xb_buf *b);                   /* the bytes, now the caller's; NULL after an error */
static inline struct xb_sv xb_buf_sv(const struct xb_buf *b)
{
	return (struct xb_sv){ b->p, b->n };
}
#define _cleanup_buf_ _cleanup_(xb_buf_done)

#endif
