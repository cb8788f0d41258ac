/*
 * drawing.h
 *	  A small directed graph as SVG.
 *
 * Nodes are placed by forces that pull neighbours together and push all nodes
 * apart (Fruchterman and Reingold, Graph Drawing by Force-directed Placement,
 * 1991), from a circle in the order of the nodes, without random numbers.
 */
#ifndef MREN_PG_REPORT_DRAWING_H
#define MREN_PG_REPORT_DRAWING_H

#include "postgres.h"

#include "lib/stringinfo.h"

#define MREN_DRAWING_NODES 40
#define MREN_DRAWING_EDGES 80
#define MREN_DRAWING_COLORS 8

typedef struct MrenDrawnNode
{
	const char *name;
	int color;	 /* 1 .. MREN_DRAWING_COLORS */
	int degree;	 /* of the whole graph, which decides the size; at least 1 */
	double x, y; /* set by mren_draw_graph */
} MrenDrawnNode;

typedef struct MrenDrawnEdge
{
	int from, to; /* nodes */
	const char *label;
	double confidence;
} MrenDrawnEdge;

typedef struct MrenDrawing
{
	const char *title; /* read aloud in place of the drawing */
	int n_nodes;	   /* node 0 is in the middle */
	int n_edges;
	MrenDrawnNode nodes[MREN_DRAWING_NODES];
	MrenDrawnEdge edges[MREN_DRAWING_EDGES];
} MrenDrawing;

/* alone: as an SVG file of its own, else as a part of a page. */
extern void mren_draw_graph(StringInfo page, MrenDrawing *drawing, bool alone);

#endif
