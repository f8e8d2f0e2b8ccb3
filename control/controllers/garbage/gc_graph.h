/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CONTROLLERS_GC_GRAPH_H
#define CONTROLLERS_GC_GRAPH_H
/*
 * Who owns whom, of all objects of all kinds, by uid: what the garbage collector keeps of an object (upstream's graph.go and
 * graph_builder.go). Of a pod with one owner that is some 200 bytes. An owner that was not seen, or is gone, has a node as long as
 * somebody refers to it. What the graph says runs behind the server, and is a reason to look, never to delete. Pure; one thread.
 */
#include <sys/queue.h>
#include "xb/kinds.h"

struct gc_edge;
struct gc_namespace;
struct gc_node {
	LIST_HEAD(, gc_edge) dependents;
	struct gc_edge *owners;                 /* one for each reference */
	const struct xb_kind *kind;             /* borrowed; lives as long as the graph */
	struct gc_namespace *namespace_;        /* NULL: without one, or not seen */
	uint32_t list;                          /* the list that showed it last, for gc_graph_sweep */
	uint32_t n_blocking;                    /* dependents that block its deletion in the foreground */
	uint32_t uid_n;                         /* whatever a reference says */
	uint16_t name_n;
	bool seen : 1, deleting : 1, orphaning : 1;
	bool deleting_dependents : 1;           /* in the foreground: it stays until they are gone */
	char bytes[];                           /* private: uid, name */
};
struct gc_edge {
	struct gc_node *owner, *dependent;
	LIST_ENTRY(gc_edge) among;              /* the owner's dependents */
	struct gc_edge *next;                   /* of the dependent's references */
	uint64_t claim;                         /* a hash of what kind and name the reference gives its owner */
	bool blocks;
};

struct gc_graph;
/* look: the node may have to be deleted, or changed (gc_node_needs_look); called within gc_graph_*. */
struct gc_graph *gc_graph_new(void (*look)(void *arg, const struct gc_node *n), void *arg); /* NULL without memory */
struct gc_graph *gc_graph_free(struct gc_graph *g);
XB_DEFINE_CLEANUP(struct gc_graph *, gc_graph_free)

/* An object, or its metadata alone, as it is now. 0; -ENOMEM: to be told again. -EBADMSG: it has no name or uid. */
int gc_graph_saw(struct gc_graph *g, const struct xb_kind *kind, struct xb_jv object, uint32_t list);
void gc_graph_lost(struct gc_graph *g, struct xb_sv uid);
void gc_graph_sweep(struct gc_graph *g, const struct xb_kind *kind, uint32_t list); /* loses all of a kind that the list had not */
void gc_graph_look_all(struct gc_graph *g);
const struct gc_node *gc_graph_find(const struct gc_graph *g, struct xb_sv uid); /* NULL: not known; it may not have been seen */
size_t gc_graph_count(const struct gc_graph *g);

/*
 * Is there something to do: its references are not all to objects that were seen, are where and what they are said to be, and
 * stay; or it waits for its dependents and none is left that blocks; or its dependents are to be orphaned.
 */
bool gc_node_needs_look(const struct gc_node *n);
/* The owner was seen, in a namespace that is not the dependent's. */
bool gc_edge_crosses(const struct gc_edge *e);
struct xb_sv gc_node_name(const struct gc_node *n);
struct xb_sv gc_node_namespace(const struct gc_node *n);
void gc_node_uid(const struct gc_node *n, struct xb_buf *out);  /* appended */

#endif
