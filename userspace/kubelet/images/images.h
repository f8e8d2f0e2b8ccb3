/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_IMAGES_H
#define KUBELET_IMAGES_H
/* Images: there when a container needs them, gone when the disk needs room. One loop, one thread. */
#include "objects.h"
#include "runtime/runtime.h"
#include "spec/spec.h"

struct images;
struct images_config {
	uv_loop_t *loop;
	struct runtime *runtime;
	const struct objects *objects;  /* imagePullSecrets */
	unsigned max_parallel_pulls;    /* serializeImagePulls: 1 */
	unsigned gc_high_percent, gc_low_percent; /* imageGCHighThresholdPercent 85, LowThreshold 80 */
	uint64_t gc_min_age_ms;
	/* Events on the pod's container: Pulling, Pulled, Failed, BackOff, in upstream's words. */
	void (*event)(void *arg, const char *uid, const char *container, bool warning, const char *reason, const char *text);
	/* A back-off or a pull that a pod waited for is over. */
	void (*changed)(void *arg, const char *uid);
	/* Is any container of this node, running or not, of that image (ID or a name of it)? */
	bool (*in_use)(void *arg, const char *image_id);
	void *arg;
};
int images_new(const struct images_config *c, struct images **ret);
struct images *images_free(struct images *i);

/* Waiting reasons: ErrImagePull, ImagePullBackOff, ErrImageNeverPull, InvalidImageName, ImageInspectError, RegistryUnavailable. */
typedef void images_done(void *arg, const struct spec_image *image /* NULL: it is not there */, const char *reason, const char *why);
/* The container's image by its imagePullPolicy; done is called once, soon when it is present or backs off, else when the pull ends. */
int images_ensure(struct images *i, struct xb_jv pod, struct xb_jv container, images_done *done, void *arg);
void images_forget(struct images *i, const char *uid);  /* its done calls are not called any more */
/* Removes unused images, the longest unused first, until the filesystem is below the low threshold; or, with all, every unused one. */
int images_collect(struct images *i, bool all, void (*done)(void *arg, int error, uint64_t freed), void *arg);
/* For node.status.images: the largest first, at most max. */
void images_write_status(const struct images *i, unsigned max, struct xb_jw *w);

#endif
