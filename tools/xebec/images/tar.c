/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <tar.h>

#include "tar.h"

#define BLOCK 512

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

static void pad(struct xb_buf *out)
{
	static const char zeros[BLOCK];

	xb_buf_add(out, zeros, (BLOCK - out->n % BLOCK) % BLOCK);
}

/* Digits without a terminator where the field is full of them. */
static void octal(char *field, size_t n, unsigned long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%0*llo", (int)n - 1, value);
	memcpy(field, text, n);
}

static int add_entry(struct xb_buf *out, const char *path, char type, mode_t mode, const char *link, struct xb_sv bytes)
{
	struct header h = { .type = type, .magic = TMAGIC, .version = "00" };
	unsigned sum = 0;

	if (strlen(path) >= sizeof(h.name) || (link && strlen(link) >= sizeof(h.link)))
		return -ENAMETOOLONG;
	strcpy(h.name, path);
	if (link)
		strcpy(h.link, link);
	octal(h.mode, sizeof(h.mode), mode);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), bytes.n);
	octal(h.mtime, sizeof(h.mtime), 0);
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	octal(h.checksum, sizeof(h.checksum) - 1, sum);
	xb_buf_add(out, &h, sizeof(h));
	xb_buf_addsv(out, bytes);
	pad(out);
	return 0;
}

int tar_folder(struct xb_buf *out, const char *path, mode_t mode)
{
	return add_entry(out, path, DIRTYPE, mode, NULL, (struct xb_sv){});
}

int tar_file(struct xb_buf *out, const char *path, mode_t mode, struct xb_sv bytes)
{
	return add_entry(out, path, REGTYPE, mode, NULL, bytes);
}

int tar_link(struct xb_buf *out, const char *path, const char *to)
{
	return add_entry(out, path, SYMTYPE, 0777, to, (struct xb_sv){});
}

void tar_end(struct xb_buf *out)
{
	static const char zeros[2 * BLOCK];

	xb_buf_add(out, zeros, sizeof(zeros));
}
