/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_IMAGES_H
#define KUBELET_IMAGES_H
/* Images: there when a container needs them, gone when the disk needs room. One loop, one thread. */
#include "../objects.h"
#include "../runtime/runtime.h"
#include "../spec/spec.h"

struct images;
struct images_config {
	uv_loop_t *loop;
	struct runtime *runtime;
	const struct objects *objects;  /* imagePullSecrets */
	unsigned max_parallel_pulls;    /* serializeImagePulls: 1; 0: any number */
	unsigned gc_high_percent, gc_low_percent; /* imageGCHighThresholdPercent 85, LowThreshold 80 */
	uint64_t gc_min_age_ms;         /* imageMinimumGCAge */
	/* Events in upstream's words on the pod's container (NULL: on the pod): Pulling, Pulled, Failed, BackOff, InspectFailed,
	 * ErrImageNeverPull, FailedToRetrieveImagePullSecret; the "Error: ErrImagePull" of a container that cannot start is among them. */
	void (*event)(void *arg, const char *uid, const char *container, bool warning, const char *reason, const char *text);
	/* A back-off or a pull that a pod waited for is over. */
	void (*changed)(void *arg, const char *uid);
	/* Is any container of this node, running or not, of that image (ID or a name of it)? */
	bool (*in_use)(void *arg, const char *image_id);
	const char *credentials;        /* the node's own, tried after a pod's: "/var/lib/kubelet/config.json", which may be absent; NULL */
	const char *sandbox_image;      /* is in use too; NULL: the runtime says so itself (pinned) */
	void *arg;
};
int images_new(const struct images_config *c, struct images **ret); /* lists the images at once, and every 5 min */
struct images *images_free(struct images *i);           /* nothing is called back; before the runtime; its handles are gone as the loop
							 * runs on */
XB_DEFINE_CLEANUP(struct images *, images_free)

/* image: borrowed; NULL: it is not there, and reason is the waiting reason (ErrImagePull, ImagePullBackOff, ErrImageNeverPull,
 * InvalidImageName, ImageInspectError, RegistryUnavailable, SignatureValidationFailed), why its message. reason is NULL as well: a
 * pull secret is not known yet; ask again when objects' changed tells of the pod. */
typedef void images_done(void *arg, const struct spec_image *image, const char *reason, const char *why);
/* The container's image by its imagePullPolicy; done is called once, never from within: soon when it is present or backs off, else
 * when the pull ends. 0 or -ENOMEM. */
int images_ensure(struct images *i, struct xb_jv pod, struct xb_jv container, images_done *done, void *arg);
void images_forget(struct images *i, const char *uid);  /* its done calls are not called any more, and its back-off is over */
/* Removes unused images, the longest unused first, until the filesystem is below the low threshold, when it is above the high one
 * (which every 5 min is done without being asked); or, with all, every unused one. error: -ENOSPC when not enough could go. -EALREADY:
 * one is under way. */
int images_collect(struct images *i, bool all, void (*done)(void *arg, int error, uint64_t freed), void *arg);
void images_collect_cancel(struct images *i);           /* its done is not called */
/* For node.status.images: the largest first, at most max. */
void images_write_status(const struct images *i, unsigned max, struct xb_jw *w);

/* Where the runtime keeps them; NULL: not known yet. */
const char *images_folder(const struct images *i);

#endif
