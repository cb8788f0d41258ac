/*
 * query.h
 *	  A query given as text, run read-only, and its columns found by name.
 *
 * The rows go straight from the executor to the caller's receiver: a cursor
 * fetched in pieces would rule out a parallel plan, and a stored result would
 * not be bounded.
 */
#ifndef MREN_PG_SUPPORT_QUERY_H
#define MREN_PG_SUPPORT_QUERY_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/tuptable.h"

#include "pg/support/compat.h"

/* The columns that queries of rows may have. */
typedef enum MrenColumn
{
	MREN_COLUMN_ID,
	MREN_COLUMN_SENTENCE,
	MREN_COLUMN_HEAD,
	MREN_COLUMN_TAIL,
	MREN_COLUMN_RELATION,
	MREN_COLUMN_IMAGE,
	MREN_COLUMN_IMAGE_VECTOR,
	MREN_COLUMN_AUDIO,
	MREN_COLUMN_AUDIO_VECTOR,
	MREN_COLUMN_HEAD_TYPE,
	MREN_COLUMN_TAIL_TYPE,
	MREN_COLUMN_HEAD_BOX,
	MREN_COLUMN_TAIL_BOX,
	MREN_COLUMN_WEIGHT,
	MREN_COLUMN_SPLIT,
	MREN_COLUMN_GROUP,		   /* of any type: rows of one group are held out together */
	MREN_COLUMN_PROBABILITIES, /* instead of a relation: see train/train_label.h */
	MREN_COLUMN_GOLD,		   /* whether a person labelled the row */
} MrenColumn;

#define MREN_N_COLUMNS (MREN_COLUMN_GOLD + 1)

/* A query that needs both of these columns needs at least one of them. */
#define MREN_LABEL_COLUMNS ((1u << MREN_COLUMN_RELATION) | (1u << MREN_COLUMN_PROBABILITIES))

typedef struct MrenColumns
{
	AttrNumber attno[MREN_N_COLUMNS]; /* 0: the query has no such column */
	bool ranges;					  /* head and tail are int4range */
} MrenColumns;

/*
 * mren_query_columns
 *	  The columns of the query, planned but not run: an error (42703) for a
 *	  needed one that is missing, (42804) for one of a wrong type.  `needed`
 *	  is a set of 1 << MrenColumn; other columns are ignored.
 *	  The caller must be connected to SPI.
 */
extern void mren_query_columns(const char *query, uint32 needed, MrenColumns *columns);

/*
 * The parts of it, for queries with other columns.  mren_query_describe plans the
 * query, which must be a single SELECT; mren_query_find finds a column, 0 if there
 * is none and an error (42702) if there are two; mren_query_lacks raises the error
 * (42703) that there is none.
 */
extern TupleDesc mren_query_describe(const char *query);
extern AttrNumber mren_query_find(TupleDesc desc, const char *name);
extern void mren_query_lacks(TupleDesc desc, const char *name) MREN_NORETURN;

/* The text of a query of one statement, without a semicolon, to be put into parentheses. */
extern char *mren_query_text(const char *query);

/* The name (quoted if necessary) and the SQL type of a column, for generated statements. */
extern const char *mren_column_name(MrenColumn column);
extern const char *mren_column_type(MrenColumn column, bool ranges);

/* Called for each row of a query, in the query's order. */
typedef void (*MrenRowVisitor)(void *state, TupleTableSlot *slot);

/*
 * mren_query_run
 *	  Runs one SELECT read-only under the active snapshot, in a parallel plan
 *	  if the planner chooses one, and visits its rows.  The statement may have
 *	  parameters.  The caller must be connected to SPI.
 */
extern void mren_query_run(const char *query, int n, const Oid *types, const Datum *values,
						   MrenRowVisitor visit, void *state);

/* For visitors: a column of type text, NULL if it is NULL. */
extern char *mren_query_string(TupleTableSlot *slot, int attno);

/* The visitor that puts the rows into the result of a function; state is its ReturnSetInfo. */
extern void mren_query_put(void *state, TupleTableSlot *slot);

/*
 * Whether mren_query_run would run the statement in a parallel plan whose workers compute its
 * first column.  The caller must be connected to SPI.
 */
extern bool mren_query_parallel(const char *query, int n, const Oid *types);

#endif
