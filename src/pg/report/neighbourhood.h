/*
 * neighbourhood.h
 *	  An entity of a knowledge graph, its neighbours and some of theirs, as a drawing.
 */
#ifndef MREN_PG_REPORT_NEIGHBOURHOOD_H
#define MREN_PG_REPORT_NEIGHBOURHOOD_H

#include "pg/graph/graph_base.h"
#include "pg/report/drawing.h"

typedef struct MrenNeighbourhood
{
	MrenDrawing drawing;				 /* without a title */
	const char *ids[MREN_DRAWING_NODES]; /* entities of the nodes */
	const char *types[MREN_DRAWING_COLORS];
	int n_types;
	MemoryContext context;
} MrenNeighbourhood;

/*
 * mren_neighbourhood_read
 *	  The surest facts of an entity, up to max_facts of them, and ten of its
 *	  neighbours'; entity NULL: of the entity with the most facts.  Without nodes if
 *	  there is no such entity or it has no facts.  Reads facts, entities and aliases
 *	  as the graph's owner; whether the caller may is checked before.
 */
extern MrenNeighbourhood *mren_neighbourhood_read(const MrenGraph *graph, const char *entity,
												  int max_facts);

#endif
