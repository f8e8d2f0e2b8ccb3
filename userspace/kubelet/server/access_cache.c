/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <openssl/evp.h>
#include "access_cache.h"
#include "xb/map.h"

#define ANSWER_MAX 65536
#define HASH_BYTES 32

struct access_cache {
	struct xb_map *answers;
	size_t max;
};
struct answer {
	unsigned char hash[HASH_BYTES];
	int64_t until_ms;
	char text[];
};

static struct xb_sv key_of(const unsigned char *hash)
{
	return (struct xb_sv){ (const char *)hash, HASH_BYTES };
}

static bool hash(struct xb_sv question, unsigned char ret[HASH_BYTES])
{
	return EVP_Digest(question.p, question.n, ret, NULL, EVP_sha256(), NULL) == 1;
}

struct access_cache *access_cache_free(struct access_cache *c)
{
	if (!c)
		return NULL;
	for (struct xb_map_it it = {}; c->answers && xb_map_next(c->answers, &it);)
		free(it.value);
	xb_map_free(c->answers);
	free(c);
	return NULL;
}

struct access_cache *access_cache_new(size_t max)
{
	struct access_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->max = max;
	c->answers = xb_map_new(XB_MAP_BORROW);
	return c->answers ? c : access_cache_free(c);
}

bool access_cache_get(struct access_cache *c, struct xb_sv question, int64_t now_ms, const char **ret_answer)
{
	unsigned char h[HASH_BYTES];
	struct answer *a = hash(question, h) ? xb_map_get(c->answers, key_of(h)) : NULL;

	if (!a || a->until_ms <= now_ms)
		return false;
	*ret_answer = a->text;
	return true;
}

/* Those that are over; and the oldest, should none be. */
static void make_room(struct access_cache *c, int64_t now_ms)
{
	struct answer *oldest = NULL;

	for (struct xb_map_it it = {}; xb_map_next(c->answers, &it);) {
		struct answer *a = it.value;

		if (a->until_ms <= now_ms)
			free(xb_map_del(c->answers, it.key));
		else if (!oldest || a->until_ms < oldest->until_ms)
			oldest = a;
	}
	if (xb_map_count(c->answers) >= c->max && oldest)
		free(xb_map_del(c->answers, key_of(oldest->hash)));
}

void access_cache_put(struct access_cache *c, struct xb_sv question, const char *answer, int64_t until_ms, int64_t now_ms)
{
	size_t n = strlen(answer) + 1;
	struct answer *a = n <= ANSWER_MAX ? malloc(sizeof(*a) + n) : NULL;
	void *old = NULL;

	if (!a || !hash(question, a->hash)) {
		free(a);
		return;
	}
	a->until_ms = until_ms;
	memcpy(a->text, answer, n);
	if (xb_map_count(c->answers) >= c->max)
		make_room(c, now_ms);
	if (xb_map_set(c->answers, key_of(a->hash), a, &old))
		free(a);
	free(old);
}
