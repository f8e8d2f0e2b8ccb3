/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KUBELET_IMAGES_INNER_H
#define KUBELET_IMAGES_INNER_H
/* Within images/: ensure.c asks for one, pull.c gets it, list.c knows what there is, collect.c takes away. */
#include "images.h"
#include "keyring.h"
#include "name.h"

/* One images_ensure under way. */
struct request {
	struct request *next;
	struct images *images;
	struct xb_json *doc;            /* of pod and container */
	struct xb_jv pod, container;
	char *uid, *container_name;
	char *asked;                    /* the image as the container names it */
	char *image;                    /* the same with a tag */
	struct image_name name;
	images_done *done;              /* NULL: forgotten */
	void *arg;

	struct runtime_call *call;
	bool queued, pulling;           /* for a pull; has one of the places */
	struct keyring secrets, own;    /* the pod's; the node's */
	const struct credential *credentials[16]; /* tried in turn */
	size_t n_credentials, at;
	char *ref;                      /* pulled: its ID */
	struct xb_buf faults;           /* of the pulls that failed: "a, b" */
	unsigned n_faults;
	int64_t began_ms, started_ms;   /* asked for; given a place */

	bool finished;                  /* what follows is to be told */
	struct spec_image found;        /* its strings are owned here; ref NULL: it is not there */
	const char *reason;
	char *why;
};

/* Of one image for one pod: how long it is not pulled again, as client-go's flowcontrol.Backoff. */
struct image_backoff {
	char *uid, *image;
	uint64_t delay_ms;
	int64_t since_ms;               /* of the last failure */
	char *fault;                    /* "ErrImagePull: ..." */
	bool awaited;                   /* somebody was told to wait */
};

struct record {
	char *id;
	char **names;                   /* digests, then tags; NULL-terminated */
	uint64_t size;
	bool pinned;
	int64_t found_ms, used_ms;      /* first seen; last seen in use, 0: never */
};

struct images {
	struct images_config config;
	struct request *requests;       /* the oldest first */
	unsigned pulls;                 /* places taken */
	XB_VEC(struct image_backoff) backoffs;
	uv_timer_t soon, backoff_timer, housekeeping;
	unsigned open_handles;
	bool freed;

	XB_VEC(struct record) records;
	struct runtime_call *listing, *measuring;
	bool list_again;
	char *folder;
	struct collection *collection;
};

/* images.c */
void request_drop(struct request *q);                   /* not in the list any more */
/* ensure.c */
void request_event(const struct request *q, bool warning, const char *reason, const char *fmt, ...) _printf_(4, 5);
/* Ends it: it is told from the loop. why is taken; NULL reason: found, or not known yet. */
void request_finish(struct request *q, const char *reason, char *why);
int request_found(struct request *q, const Runtime__V1__Image *image);
char *rpc_fault(int code, const char *message);         /* as grpc-go prints it; NULL without memory */
/* pull.c */
void pull_begin(struct request *q);
void pull_next(struct images *i);
void pull_stop(struct request *q);                      /* gives its place back */
void backoffs_drop(struct images *i, const char *uid);  /* NULL: those whose time has long passed */
void backoffs_tell(uv_timer_t *t);
/* list.c */
void list_images(struct images *i);                      /* soon; and where they are, while that is not known */
void images_take_list(struct images *i, const Runtime__V1__ListImagesResponse *r);
void images_take_folder(struct images *i, const Runtime__V1__ImageFsInfoResponse *r);
bool record_is_used(const struct images *i, const struct record *d);
void records_done(struct images *i);
/* collect.c */
void collection_stop(struct images *i);

#endif
