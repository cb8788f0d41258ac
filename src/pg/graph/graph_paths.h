/*
 * graph_paths.h
 *	  What the search for paths is divided into: the facts around both ends, and the
 *	  best paths through them.
 */
#ifndef MREN_PG_GRAPH_GRAPH_PATHS_H
#define MREN_PG_GRAPH_GRAPH_PATHS_H

#include "pg/graph/graph_base.h"

#include "utils/hsearch.h"
#include "utils/uuid.h"

#define MREN_PATH_MAX_HOPS 8

/* The two ends of a path. */
enum
{
	MREN_PATH_SOURCE,
	MREN_PATH_TARGET
};

typedef struct MrenPathFact
{
	pg_uuid_t fact;
	uint32 head; /* node */
	uint32 tail;
	double confidence;
	const char *relation;
} MrenPathFact;

#define MREN_PATH_FAR PG_UINT8_MAX

typedef struct MrenPathNode
{
	pg_uuid_t entity;
	const char *name;  /* of those on a path */
	uint8 distance[2]; /* from the ends, as far as they were expanded; else MREN_PATH_FAR */
	bool expanded;	   /* its facts are loaded */
	bool loading;
	bool on_path; /* of the search */
} MrenPathNode;

/* Facts, and the nodes that they join: one more. */
typedef struct MrenPath
{
	double confidence;
	uint32 facts[MREN_PATH_MAX_HOPS];
	uint32 nodes[MREN_PATH_MAX_HOPS + 1];
} MrenPath;

typedef struct MrenPathSearch
{
	const MrenGraph *graph;
	MemoryContext context;
	int max_paths;

	HTAB *index; /* entity → node */
	MrenPathNode *nodes;
	uint32 n_nodes;
	uint32 nodes_space;
	MrenPathFact *facts;
	uint32 n_facts;
	uint32 facts_space;
	int depth[2];	/* steps from each end */
	bool too_large; /* a limit ended the search */

	/* The facts of node n: adjacent[first[n]] to adjacent[first[n + 1] - 1]. */
	uint32 *first;
	uint32 *adjacent;
	double *best[MREN_PATH_MAX_HOPS + 1]; /* of each node, with this many facts left */

	int length; /* of the paths searched */
	MrenPath at;
	int64 n_steps;
	MrenPath *found; /* of this length; a heap, the worst first */
	int n_found;
} MrenPathSearch;

/* Begins with the entities that the names source and target stand for. */
extern void mren_path_begin(MrenPathSearch *search, const MrenGraph *graph, Datum source,
							Datum target);
/* The node of an entity, a new one if it is met first. */
extern uint32 mren_path_node(MrenPathSearch *search, const pg_uuid_t *entity);
/* Takes one step more from the end whose border is the smaller one; false if there is no fact. */
extern bool mren_path_step(MrenPathSearch *search);

/* Finds the best paths of search->length facts. */
extern void mren_path_find(MrenPathSearch *search);
/* Below 0 if a comes first: the surer one or, of equals, that whose facts do. */
extern int mren_path_compare(const MrenPathSearch *search, const MrenPath *a, const MrenPath *b);

static inline uint32
mren_path_other_end(const MrenPathFact *fact, uint32 node)
{
	return fact->head == node ? fact->tail : fact->head;
}

#endif
