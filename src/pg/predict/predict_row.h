/*
 * predict_row.h
 *	  Answers to the rows of a query where they are read: in a parallel plan, in its
 *	  workers, which answer_scan.h lets answer several rows at once.
 *
 * A row's answer is a value of type bytea that mren.predict_row returns: whether the version was
 * trained on the row, which rows are of its pair, and the probabilities of all relations; NULL for
 * a row without sentence or mention; or what is wrong with the row (row_errors.h).
 */
#ifndef MREN_PG_PREDICT_PREDICT_ROW_H
#define MREN_PG_PREDICT_PREDICT_ROW_H

#include "postgres.h"

#include "data/example.h"
#include "pg/predict/predictor.h"
#include "pg/support/args.h"
#include "pg/support/query.h"

/* Rows that are answered together are at most so many, and end early where they have more bytes. */
#define MREN_BATCH_ROWS 64
#define MREN_BATCH_BYTES (16 * 1024 * 1024)

/* A column of the row at hand. */
typedef Datum (*MrenGetColumn)(void *state, MrenColumn column, bool *isnull);

/* Reads the pair of a row; false if sentence or a mention is NULL. */
extern bool mren_pair_columns(MrenGetColumn get, void *state, bool ranges, MrenPair *pair);

/*
 * Whether the version was trained on this row with this label (NULL: unknown).  Sets the example
 * to the row as training encodes it.
 */
extern bool mren_predictor_trained_on(const MrenPredictor *predictor, const MrenPair *pair,
									  const MrenInput *input, const char *actual,
									  MrenExample *example);

/*
 * The same for rows that differ in nothing but the relation.  The example is the one that
 * mren_predictor_trained_on sets for a row with a relation.
 */
extern uint64 mren_pair_identity(const MrenPair *pair, const MrenExample *example);

/*
 * The statement that answers the rows of the query.  $1 is the model (text), $2 the version
 * (int4).  Sets attno to the places of id, relation and, of ranges, sentence and mentions, 0
 * without such a column; *answers is the place of the answers.
 */
extern char *mren_answers_statement(const char *query, const MrenColumns *columns,
									AttrNumber *attno, AttrNumber *answers);

/* The arguments of mren.predict_row: the model, the version and the columns. */
#define MREN_ANSWER_MODEL 0
#define MREN_ANSWER_VERSION 1
extern int mren_answer_argument(MrenColumn column);

/* Rows that are answered at once. */
typedef struct MrenAnswers
{
	MrenPredictor predictor;
	MemoryContext context; /* of the values */
	bool ranges;
	int n;			  /* rows so far */
	bytea **values;	  /* (n) the answers */
	int n_fused;	  /* rows with a fused vector */
	bytea **fused;	  /* (n_fused) their answers */
	float4 *features; /* (n_fused, row_dim) */
	float4 *probabilities;
} MrenAnswers;

/*
 * mren_answers_create: for so many rows, with an open predictor; the current context becomes that
 * of the values.
 * mren_answers_add: takes a row; what else it needs is in the current context.
 * mren_answers_finish: the values of the rows so far are complete.
 */
extern void mren_answers_create(MrenAnswers *answers, int capacity, bool ranges);
extern void mren_answers_add(MrenAnswers *answers, MrenGetColumn get, void *state);
extern void mren_answers_finish(MrenAnswers *answers);

/*
 * Takes an answer apart: n probabilities, the pair's identity (0 without a relation), and whether
 * the version was trained on the row.
 */
extern bool mren_answer_read(const bytea *answer, int n, float4 *probabilities, uint64 *same_pair);

#endif
