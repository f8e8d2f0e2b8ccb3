/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <endian.h>
#include <stdio.h>
#include "xb/zone.h"

#define FOLDER   "/usr/share/zoneinfo/"
#define FILE_MAX (64 * 1024)

struct header {
	char magic[4], version, unused[15];
	uint32_t n_utc, n_standard, n_leap, n_times, n_types, n_chars;
};
_Static_assert(sizeof(struct header) == 44, "RFC 8536, section 3.1");
struct xb_zone {
	size_t n, n_types;
	const unsigned char *times, *kinds, *types; /* 8 bytes, 1 byte and 6 bytes each */
	size_t n_bytes;
	unsigned char bytes[];
};

/* No path out of the folder, and no file in it that is no zone. */
static bool is_name(struct xb_sv name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/", name.p[i]) || !name.p[i])
			return false;
	return name.n && name.n < 100 && name.p[0] != '/';
}

static int read_file(struct xb_sv name, struct xb_zone **ret)
{
	struct xb_zone *z;
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), FOLDER "%.*s", XB_SV_ARG(name));
	f = fopen(path, "re");
	if (!f)
		return -ENOENT;
	z = calloc(1, sizeof(*z) + FILE_MAX);
	if (z)
		z->n_bytes = fread(z->bytes, 1, FILE_MAX, f);
	fclose(f);
	*ret = z;
	return z ? 0 : -ENOMEM;
}

static bool take_header(const struct xb_zone *z, size_t at, struct header *ret)
{
	uint32_t *counts[] = { &ret->n_utc, &ret->n_standard, &ret->n_leap, &ret->n_times, &ret->n_types, &ret->n_chars };

	if (at + sizeof(*ret) > z->n_bytes)
		return false;
	memcpy(ret, z->bytes + at, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		*counts[i] = be32toh(*counts[i]);
		if (*counts[i] > FILE_MAX)
			return false;
	}
	return !memcmp(ret->magic, "TZif", 4) && ret->version >= '2';
}

/* The second block: the first has times of 32 bits. */
static bool find_parts(struct xb_zone *z)
{
	struct header h;
	size_t at = sizeof(h);

	if (!take_header(z, 0, &h))
		return false;
	at += h.n_times * 5 + h.n_types * 6 + h.n_chars + h.n_leap * 8 + h.n_standard + h.n_utc;
	if (!take_header(z, at, &h) || !h.n_types)
		return false;
	at += sizeof(h);
	z->n = h.n_times;
	z->n_types = h.n_types;
	z->times = z->bytes + at;
	z->kinds = z->times + z->n * 8;
	z->types = z->kinds + z->n;
	return at + z->n * 9 + z->n_types * 6 <= z->n_bytes;
}

int xb_zone_load(struct xb_sv name, struct xb_zone **ret)
{
	_cleanup_(xb_zone_freep) struct xb_zone *z = NULL;
	int r = is_name(name) ? read_file(name, &z) : -ENOENT;

	if (r)
		return r;
	if (!find_parts(z))
		return -EBADMSG;
	*ret = TAKE_PTR(z);
	return 0;
}

struct xb_zone *xb_zone_free(struct xb_zone *z)
{
	free(z);
	return NULL;
}

static int64_t time_at(const struct xb_zone *z, size_t i)
{
	uint64_t t;

	memcpy(&t, z->times + i * sizeof(t), sizeof(t));
	return (int64_t)be64toh(t);
}

int64_t xb_zone_offset(const struct xb_zone *z, int64_t seconds)
{
	size_t low = 0, high = z ? z->n : 0, kind = 0;
	uint32_t offset;

	if (!z)
		return 0;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (time_at(z, middle) <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	if (low)
		kind = z->kinds[low - 1];
	memcpy(&offset, z->types + (kind < z->n_types ? kind : 0) * 6, sizeof(offset));
	return (int32_t)be32toh(offset);
}
