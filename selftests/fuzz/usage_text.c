/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whatever a kubelet says, what is taken from it keeps its promises. */
#include <math.h>
#include <stdint.h>

#include "../../control/apiserver/resource_metrics/reading.h"
#include "../../control/apiserver/resource_metrics/usage_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int take(void *arg, const struct usage_sample *s)
{
	if (!(s->value >= 0) || !isfinite(s->value) || s->at_ms < 0)
		abort();
	if (s->metric >= USAGE_CONTAINER_CPU && (!s->namespace_.n || !s->pod.n || !s->container.n))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct xb_sv text = { (const char *)bytes, n };
	_cleanup_(reading_freep) struct reading *r = reading_new(text, 1);
	struct usage u;

	if (usage_text_read(text, take, NULL) || !r)
		abort();
	if (reading_of_node(r, r, &u) && u.window_ms <= 0)
		abort();
	return 0;
}
