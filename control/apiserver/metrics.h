/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef APISERVER_METRICS_H
#define APISERVER_METRICS_H
/*
 * What is counted, under upstream's names and labels, and ours as xebec_*. To count costs a look in a table and some
 * additions, and no memory but that of a first time. What a client sends is never a label: the series of requests are made
 * of kinds, subresources, verbs, scopes and paths that are served, some hundred in use and SERIES at most.
 */
#include "request.h"

#define METRICS_PLUGINS 32             /* of admission, at most */
#define METRICS_CODES 27
#define METRICS_DURATIONS 23           /* bounds of a request's histograms, as upstream's */
#define METRICS_SLI_DURATIONS 21
#define METRICS_SIZES 7
#define METRICS_ADMISSIONS 6
#define METRICS_WAITS 13
#define METRICS_EXPIRATIONS 14
#define METRICS_COMMITS 15

enum metrics_scope { SCOPE_NONE, SCOPE_RESOURCE, SCOPE_NAMESPACE, SCOPE_CLUSTER };
enum metrics_authn { AUTHN_SUCCESS, AUTHN_FAILURE, AUTHN_ERROR };
enum metrics_authz { AUTHZ_ALLOWED, AUTHZ_NO_OPINION, AUTHZ_ERROR };
enum metrics_operation { OPERATION_CREATE, OPERATION_UPDATE, OPERATION_DELETE };

struct series_key {
	const struct xb_kind *kind;        /* NULL: no object */
	const struct xb_subresource *sub;
	const char *verb, *path;           /* static; path: of paths.h, stands in the place of the subresource */
	enum metrics_scope scope;
	bool dry_run;
};
struct series {
	struct series_key key;
	uint64_t codes[METRICS_CODES];
	uint64_t refused, timed_out;       /* by us: 429 and 504 */
	uint64_t durations[METRICS_DURATIONS + 1], sli[METRICS_SLI_DURATIONS + 1], sizes[METRICS_SIZES + 1];
	double duration_sum, sli_sum, size_sum;
	uint64_t events;                   /* of watches */
	unsigned open;                     /* watches, now */
};

struct in_flight {                     /* of one kind of request */
	unsigned now, high, high_before;   /* the most in this second, and in the one before it */
	uint64_t second;
};

struct metrics {
	struct series *series;             /* the first is for what no other has room for */
	unsigned n_series, cap_series;
	uint16_t *index;                   /* of a hash table; 0: free */
	struct in_flight in_flight[2];     /* by enum flow_kind */
	uint64_t authn[3], authz[3], users[7];
	uint64_t expirations[METRICS_EXPIRATIONS + 1];
	double expiration_sum;
	uint64_t admissions[METRICS_PLUGINS][3][2][METRICS_ADMISSIONS + 1]; /* by plugin, operation, refused */
	double admission_sums[METRICS_PLUGINS][3][2];
	uint64_t admission_steps[3][2][METRICS_ADMISSIONS + 1]; /* of all plugins together */
	double admission_step_sums[3][2];
	uint64_t waits[2][2][METRICS_WAITS + 1]; /* by kind of request, and whether it was served in the end */
	double wait_sums[2][2];
	uint64_t commits[METRICS_COMMITS + 1];
	double commit_sum;
	int64_t start_us;
};
struct metrics *metrics_new(void);                      /* NULL without memory */
struct metrics *metrics_free(struct metrics *m);

/* A request was answered: with q's verb, route and path, its time and the bytes of its reply. */
void metrics_answered(struct metrics *m, const struct request *q, int code);
/* A watch begins, an event of it was sent, it ended. The series is valid until the next request is counted. */
void metrics_watch(struct metrics *m, const struct request *q, int begins);
void metrics_event(struct metrics *m, const struct request *q);
void metrics_served(struct metrics *m, bool mutating, int more); /* one more, or -1 one less, in flight */
unsigned metrics_most_in_flight(struct metrics *m, bool mutating);
void metrics_authenticated(struct metrics *m, enum metrics_authn result, const struct user *u, const struct xb_tls_peer *peer);
void metrics_authorized(struct metrics *m, enum metrics_authz result);
void metrics_admitted(struct metrics *m, unsigned plugin, enum metrics_operation op, bool refused, uint64_t ns);
void metrics_admitted_all(struct metrics *m, enum metrics_operation op, bool refused, uint64_t ns);
void metrics_waited(struct metrics *m, bool mutating, bool served, uint64_t ns);
void metrics_committed(struct metrics *m, uint64_t ns); /* a write, since it was queued */

extern const unsigned short metrics_codes[METRICS_CODES];       /* the last counts for all others */
extern const char *const metrics_users[7];
extern const double metrics_durations[METRICS_DURATIONS], metrics_sli_durations[METRICS_SLI_DURATIONS], metrics_sizes[METRICS_SIZES],
	metrics_admissions[METRICS_ADMISSIONS], metrics_wait_durations[METRICS_WAITS], metrics_expirations[METRICS_EXPIRATIONS],
	metrics_commits[METRICS_COMMITS];

/* metrics_write.c: all of it, in Prometheus' text format. */
void metrics_write(const struct server *s, struct xb_buf *out);

#endif
