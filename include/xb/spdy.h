/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XB_SPDY_H
#define XB_SPDY_H
/*
 * The client's side of SPDY/3.1 as kubelets and container runtimes speak it (draft-mbelshe-httpbis-spdy-00 with Go's spdystream at
 * the other end): frames to write, and an incremental parser of those that come. spdystream keeps no flow control windows, so
 * neither does this: back-pressure is the connection's. The headers of answers are read over; so nothing is ever inflated.
 */
#include "xb/str.h"

struct xb_spdy_ops {                    /* 0, or a negative errno, with which feed ends */
	int (*data)(void *arg, uint32_t stream, struct xb_sv bytes); /* a piece */
	int (*replied)(void *arg, uint32_t stream);                 /* SYN_REPLY: the stream is accepted */
	int (*ended)(void *arg, uint32_t stream);                   /* FIN: nothing more comes on it */
	int (*reset)(void *arg, uint32_t stream, uint32_t status);  /* RST_STREAM */
	int (*ping)(void *arg, uint32_t id);                        /* to be sent back as it is, when it is even: the server's */
	int (*opened)(void *arg, uint32_t stream);                  /* SYN_STREAM, by the server: to be refused */
	int (*goaway)(void *arg);
};
struct xb_spdy {
	const struct xb_spdy_ops *ops;
	void *arg;
	struct z_stream_s *deflate;     /* of header blocks: one history for all of them */
	unsigned char head[8];
	uint8_t n_head;
	bool in_payload;
	uint32_t left;                  /* of the payload */
	uint8_t n_control;
	unsigned char control[8];       /* the first bytes of a control frame's payload: all that counts */
};
/* -ENOMEM. _done frees what headers are made with (14 KB): once no more streams are opened, before the last feed or after it, or
 * on {}. */
int xb_spdy_init(struct xb_spdy *s, const struct xb_spdy_ops *ops, void *arg);
void xb_spdy_done(struct xb_spdy *s);
/* -EBADMSG: that is not SPDY/3. */
int xb_spdy_feed(struct xb_spdy *s, const char *bytes, size_t n);

/* Frames, appended to out. A client's streams have odd numbers, upward. fields: name, value, ..., NULL; names in small letters. */
int xb_spdy_open(struct xb_spdy *s, uint32_t stream, const char *const *fields, struct xb_buf *out); /* -ENOMEM, -EIO */
void xb_spdy_reset(uint32_t stream, uint32_t status, struct xb_buf *out);
void xb_spdy_ping(uint32_t id, struct xb_buf *out);
void xb_spdy_goaway(struct xb_buf *out);
#define XB_SPDY_REFUSED 3               /* REFUSED_STREAM */
/* The head of a data frame of n bytes, below 2^24; fin: the last of its stream. */
#define XB_SPDY_HEAD 8
void xb_spdy_data_head(char ret[XB_SPDY_HEAD], uint32_t stream, bool fin, size_t n);

#endif
