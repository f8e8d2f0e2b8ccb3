/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CNI_CONFIG_H
#define CNI_CONFIG_H
/*
 * What a runtime asks of the plugin: the environment and the network configuration (CNI specification 1.0.0, section 2; of 1.1.0
 * STATUS and GC). Functions that may fail return 0 or a code of the specification, with a sentence in the fault.
 */
#include "xb/ip.h"
#include "xb/json.h"

enum cni_code {
	CNI_INCOMPATIBLE = 1,       /* the configuration's version */
	CNI_UNSUPPORTED = 2,        /* a field of the configuration */
	CNI_NO_CONTAINER = 3,       /* what the call is about is not there: nothing to be cleaned up */
	CNI_ENVIRONMENT = 4,
	CNI_IO = 5,
	CNI_NOT_JSON = 6,
	CNI_INVALID = 7,            /* the configuration */
	CNI_UNAVAILABLE = 50,       /* STATUS: an ADD would fail */
	CNI_NETWORK = 100,          /* ours from here on: the kernel refused */
	CNI_EXHAUSTED = 101,        /* no address is free */
	CNI_BROKEN = 102,           /* CHECK: something is not as it was made */
};
struct cni_fault {
	int code;
	char *why;
};
int cni_fault(struct cni_fault *f, int code, const char *fmt, ...) _printf_(3, 4); /* returns code */
void cni_fault_done(struct cni_fault *f);

enum cni_verb { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS, CNI_VERSION };
struct cni_call {
	enum cni_verb verb;
	const char *container, *netns, *ifname; /* of the environment; NULL where the verb has none */
};
int cni_call_read(struct cni_call *ret, struct cni_fault *f);

/* A range of host-local's: addresses from first to last, without the gateway. */
struct cni_range {
	struct xb_ip first, last, gateway;
};
#define CNI_RANGES_MAX 16
struct cni_set {                    /* a pod gets one address of each set that is not empty */
	struct cni_range v[CNI_RANGES_MAX];
	unsigned n;
};
struct cni_config {
	struct xb_json *doc;
	char *version;              /* one of cni_versions */
	char *name, *data_dir;      /* of the network; the folder of its addresses */
	bool loopback;              /* type "loopback": the plugin by that name, which containerd calls for "lo" */
	uint32_t mtu;               /* 0: the node's */
	struct cni_set sets[2];     /* IPv4, IPv6; read for ADD, CHECK and STATUS */
	struct xb_jv dns, prev_result, attachments;
};
extern const char *const cni_versions[]; /* NULL-terminated */
/* Call cni_config_done in every case. */
int cni_config_read(struct xb_sv text, enum cni_verb verb, struct cni_config *ret, struct cni_fault *f);
void cni_config_done(struct cni_config *c);

#endif
