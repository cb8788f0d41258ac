/*
 * graph_gold.h
 *	  Annotated documents, as a query gives them in the form of mren.read_docred.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#ifndef MREN_PG_GRAPH_GRAPH_GOLD_H
#define MREN_PG_GRAPH_GRAPH_GOLD_H

#include "postgres.h"

/* The columns of the query, in the order in which statements take them, as arrays. */
enum
{
	MREN_GOLD_DOCUMENT,
	MREN_GOLD_PART,
	MREN_GOLD_TEXT,
	MREN_GOLD_TYPE,
	MREN_GOLD_ENTITY,
	MREN_GOLD_HEAD,
	MREN_GOLD_RELATION,
	MREN_GOLD_TAIL,
	MREN_GOLD_LOWER,
	MREN_GOLD_UPPER,
	MREN_N_GOLD
};

/* A common table expression of these arrays; n numbers the rows. */
#define MREN_GRAPH_SQL_GOLD                                                                        \
	"gold AS MATERIALIZED ("                                                                       \
	"  SELECT g.*, row_number() OVER () AS n FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" \
	"   AS g (document, part, text, type, entity, head, relation, tail, lower, upper))"

/*
 * mren_graph_gold_read
 *	  Runs the query as the current user and sets the first MREN_N_GOLD types and
 *	  values of a statement's arguments to its columns, in the current context.  A
 *	  query without the columns document and part is an error (42703), a NULL in
 *	  them too (22004), and so is an empty head, relation or tail (22023).  The caller must be connected to SPI.
 */
extern void mren_graph_gold_read(const char *query, Oid *types, Datum *values);

#endif
