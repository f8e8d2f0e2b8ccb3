/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A pod's image, a newline, and the registries' credentials of a pull secret: what is a name stays one when it is written whole, and
 * credentials that match it do so again. */
#include <stdint.h>
#include <stdlib.h>
#include "../../userspace/kubelet/images/keyring.h"
#include "../../userspace/kubelet/images/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct xb_sv secret = { (const char *)bytes, n }, image = {};
	_cleanup_(keyring_done) struct keyring k = {};
	struct image_name name, again;
	const struct credential *found[4];
	const char *fault;
	char *why = NULL;

	xb_sv_split(&secret, '\n', &image);
	if (image_name_parse(image, &name, &fault))
		return 0;
	if (image_name_parse(xb_sv(name.repository), &again, &fault))
		abort();
	if (strcmp(again.repository, name.repository) || again.tag || again.digest)
		abort();
	image_name_done(&again);
	keyring_add_config(&k, secret, &why);
	free(why);
	for (size_t i = keyring_lookup(&k, name.repository, found, 4); i-- > 0;)
		if (!credential_matches(found[i], name.repository) && strcmp(found[i]->where, "index.docker.io"))
			abort();
	image_name_done(&name);
	return 0;
}
