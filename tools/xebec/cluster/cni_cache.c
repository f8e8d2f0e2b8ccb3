/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <dirent.h>

#include "cni_cache.h"
#include "remove.h"
#include "xb/base64.h"
#include "xb/file.h"
#include "xb/json.h"
#include "../xalloc.h"

#define CACHE    "/var/lib/cni/results/"
#define NOTE_MAX (1 << 20)

/* "xebec-ID-eth0" is of the network that xebec-netd sets up. The ID, new; NULL: another file. */
static char *id_of(const char *file)
{
	struct xb_sv rest = xb_sv(file), id;

	if (!xb_sv_starts(rest, "xebec-"))
		return NULL;
	id = (struct xb_sv){ file + strlen("xebec-"), strcspn(file + strlen("xebec-"), "-") };
	return id.n == CONTAINER_ID_LETTERS ? xalloc(xb_sv_dup(id)) : NULL;
}

enum owner { NOBODY, OURS, ANOTHER };

/* The plugin's configuration is in it, which names the node's folder of addresses. */
static enum owner owner_of(const char *path, const char *folder)
{
	_cleanup_(xb_json_unrefp) struct xb_json *doc = NULL;
	_cleanup_buf_ struct xb_buf text = {}, config = {};

	if (xb_file_read(path, NOTE_MAX, &text))
		return ANOTHER;
	if (!text.n || xb_json_parse(xb_buf_sv(&text), NULL, &doc, NULL) ||
	    xb_base64_decode(xb_jv_text(xb_jv_get(xb_json_root(doc), "config")), &config))
		return NOBODY;
	return config.n && memmem(config.p, config.n, folder, strlen(folder)) ? OURS : ANOTHER;
}

/* With that of its loopback, which does not say whose it is. */
static void remove_notes(const char *id)
{
	_cleanup_free_ char *network = xprintf(CACHE "xebec-%s-eth0", id), *loopback = xprintf(CACHE "cni-loopback-%s-lo", id);

	unlink(network);
	unlink(loopback);
}

void cni_cache_sweep(const struct cluster *c, unsigned node, bool (*needed)(void *arg, const char *id), void *arg)
{
	_cleanup_free_ char *folder = node ? cluster_node_file(c, node, "cni/") : cluster_file(c, "node-");
	DIR *d = opendir(CACHE);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_free_ char *id = id_of(e->d_name), *path = xprintf(CACHE "%s", e->d_name);
		enum owner owner = id ? owner_of(path, folder) : ANOTHER;

		if (owner == NOBODY || (owner == OURS && !needed(arg, id)))
			remove_notes(id);
	}
	if (d)
		closedir(d);
}
