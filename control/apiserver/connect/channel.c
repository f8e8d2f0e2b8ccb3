/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/evp.h>
#include "channel.h"
#include "websocket_conn.h"

#define PIECE_BYTES 4096        /* of base64, decoded at a time; a multiple of 4 */

const char *const channel_protocols[] = {
	"v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", "v5.base64.channel.k8s.io", "v4.base64.channel.k8s.io",
	"base64.channel.k8s.io", "", NULL
};

bool channel_is_base64(const char *protocol)
{
	return strstr(protocol, "base64");
}

bool channel_has_status(const char *protocol)
{
	return protocol[0] == 'v';
}

bool channel_has_close(const char *protocol)
{
	return !strncmp(protocol, "v5.", 3);
}

/* groups: whole ones of four. Padding ends the text. */
static int take_groups(struct channel_reader *c, const char *groups, size_t n)
{
	unsigned char decoded[PIECE_BYTES];
	int bytes = EVP_DecodeBlock(decoded, (const unsigned char *)groups, (int)n);

	if (bytes != (int)(n / 4 * 3))
		return -EBADMSG;
	bytes -= (n && groups[n - 1] == '=') + (n > 1 && groups[n - 2] == '=');
	return c->take(c->arg, c->channel, (struct xb_sv){ (char *)decoded, (size_t)bytes });
}

static int take_base64(struct channel_reader *c, struct xb_sv text)
{
	size_t part;
	int r = 0;

	while (text.n && c->n_group && c->n_group < 4) {
		c->group[c->n_group++] = *text.p++;
		text.n--;
	}
	if (c->n_group == 4) {
		r = take_groups(c, c->group, 4);
		c->n_group = 0;
	}
	for (; !r && text.n >= 4; text = (struct xb_sv){ text.p + part, text.n - part }) {
		part = MIN(text.n / 4 * 4, (size_t)PIECE_BYTES);
		r = take_groups(c, text.p, part);
	}
	for (; !r && text.n; text.n--)
		c->group[c->n_group++] = *text.p++;
	return r;
}

int channel_read(struct channel_reader *c, enum xb_ws_opcode type, bool first, bool last, struct xb_sv bytes)
{
	int r = 0;

	if (type != (c->base64 ? XB_WS_TEXT : XB_WS_BINARY))
		return -EBADMSG;
	if (first)
		c->named = false;
	if (!c->named && bytes.n) {
		c->channel = (unsigned char)*bytes.p++ - (c->base64 ? '0' : 0u);
		bytes.n--;
		c->named = true;
		c->n_group = 0;
	}
	if (bytes.n)
		r = c->base64 ? take_base64(c, bytes) : c->take(c->arg, c->channel, bytes);
	return r ? r : last && c->base64 && c->n_group ? -EBADMSG : 0;
}

void channel_write(struct xb_stream *s, bool base64, enum channel channel, struct xb_sv bytes)
{
	char name = (char)(channel + (base64 ? '0' : 0));
	_cleanup_buf_ struct xb_buf text = {};

	if (!base64) {
		ws_send(s, XB_WS_BINARY, (struct xb_sv){ &name, 1 }, bytes);
		return;
	}
	if (xb_buf_reserve(&text, (bytes.n + 2) / 3 * 4 + 1))
		return;
	text.n = (size_t)EVP_EncodeBlock((unsigned char *)text.p, (const unsigned char *)bytes.p, (int)bytes.n);
	ws_send(s, XB_WS_TEXT, (struct xb_sv){ &name, 1 }, xb_buf_sv(&text));
}
