/*
 * graph_reading.h
 *	  What the models read in documents, apart from what a graph makes of it.
 *
 * Reading a batch writes nothing, so it can happen in another process
 * (graph_workers.h); the refresh places what was read in the graph's tables.
 */
#ifndef MREN_PG_GRAPH_GRAPH_READING_H
#define MREN_PG_GRAPH_GRAPH_READING_H

#include "pg/graph/graph_base.h"

/* The name under which the statement that places rows finds them. */
#define MREN_GRAPH_READING "mren_reading"

/* The documents of a batch, as arrays: keys, texts, images, vectors of images. */
#define MREN_GRAPH_N_TEXTS 4
typedef struct MrenGraphTexts
{
	Datum arrays[MREN_GRAPH_N_TEXTS];
} MrenGraphTexts;

/* The array of one column of n documents, by its offset in MrenGraphDocument. */
extern Datum mren_graph_column(const MrenGraphDocument *documents, int n, Oid type, size_t offset);
#define MREN_GRAPH_COLUMN(documents, n, type, field)                                               \
	mren_graph_column(documents, n, type, offsetof(MrenGraphDocument, field))

extern void mren_graph_texts(const MrenGraphDocument *documents, int n, MrenGraphTexts *texts);

/* The columns of the rows; under a search_path of pg_catalog, in the current context. */
extern TupleDesc mren_graph_rows_desc(void);

/* Rows that several transactions may read, in the current context. */
extern Tuplestorestate *mren_graph_rows_begin(void);

/*
 * mren_graph_read
 *	  Reads a batch as the graph's owner (mren_graph_enter), by the models that
 *	  the pipeline names, and adds what it says to `rows`.  Returns their number.
 *	  Any error may be a document's.
 */
extern uint64 mren_graph_read(const MrenGraph *graph, const MrenPipeline *pipeline,
							  const MrenGraphTexts *texts, Tuplestorestate *rows);

/*
 * mren_graph_place
 *	  Stores rows that were read as evidence; adds the facts and the entities that
 *	  it touches.
 */
extern void mren_graph_place(const MrenGraph *graph, Tuplestorestate *rows, MrenTouched *touched);

#endif
