/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONNECT_CHANNEL_H
#define CONNECT_CHANNEL_H
/* The channels within a WebSocket: who takes the messages of a client apart, in base64 or as they are. */
#include "xb/stream.h"
#include "xb/websocket.h"

enum channel { CHANNEL_STDIN, CHANNEL_STDOUT, CHANNEL_STDERR, CHANNEL_ERROR, CHANNEL_RESIZE, N_CHANNELS, CHANNEL_CLOSE = 255 };

/* The subprotocols' names, NULL-terminated; and what is known of one of them. */
extern const char *const channel_protocols[];
bool channel_is_base64(const char *protocol);
bool channel_has_status(const char *protocol);  /* v4 and later: channel 3 brings a Status, also when all went well */
bool channel_has_close(const char *protocol);   /* v5: CHANNEL_CLOSE ends the channel that its first byte names */

struct channel_reader {
	/* Bytes of a message on that channel. 0, or what the reader then returns. */
	int (*take)(void *arg, unsigned channel, struct xb_sv bytes);
	void *arg;
	bool base64;
	bool named;             /* the message's first byte was there */
	unsigned channel;
	char group[4];          /* of base64, not whole yet */
	uint8_t n_group;
};
/* A piece of a message, as xb_ws_ops.data has it. -EBADMSG: not base64, or not of the kind that was agreed on. */
int channel_read(struct channel_reader *c, enum xb_ws_opcode type, bool first, bool last, struct xb_sv bytes);
/* One message; without memory, nothing (closed tells of it). */
void channel_write(struct xb_stream *s, bool base64, enum channel channel, struct xb_sv bytes);

#endif
