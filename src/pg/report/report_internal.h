/*
 * report_internal.h
 *	  What the files report*.c share: the version that a page is about, the rows
 *	  that it was tried on, and the sections.
 */
#ifndef MREN_PG_REPORT_REPORT_INTERNAL_H
#define MREN_PG_REPORT_REPORT_INTERNAL_H

#include "postgres.h"

#include "evaluation/metrics.h"
#include "evaluation/ranked.h"
#include "pg/predict/predictor.h"
#include "pg/report/page.h"
#include "pg/support/query.h"

/* What a page shows at most. */
#define MREN_REPORT_MISTAKES 12
#define MREN_REPORT_PHOTOGRAPHS 4 /* right ones, and as many wrong ones */
#define MREN_REPORT_RELATIONS 200 /* rows of the table of metrics */
#define MREN_REPORT_MATRIX 20	  /* rows and columns of the confusion matrix */
#define MREN_REPORT_RUNS 10
#define MREN_REPORT_PIXELS 320 /* of a photograph's longer side */

/* A row of the query that the page may show. */
typedef struct MrenReportRow
{
	MemoryContext context; /* holds the rest */
	const MrenPair *pair;
	const char *id; /* or NULL */
	const char *actual;
	const char *predicted;
	double confidence;
	MrenHash128 image; /* hash, if the pair has an image */
} MrenReportRow;

/* The surest of the rows that were offered, in descending order of confidence. */
typedef struct MrenReportList
{
	int n;
	int max;
	bool distinct; /* one row for each image */
	MrenReportRow *rows;
} MrenReportList;

typedef struct MrenReport
{
	const char *model;
	MrenPredictor predictor;
	const char **relations; /* (predictor.info.n_relations), in the database's encoding */
	const char *negative;	/* or NULL */
	StringInfo page;

	/* What follows is set by mren_report_read_rows, if there is a query. */
	const char *query; /* or NULL */
	MrenConfusion *confusion;
	MrenRanked answered; /* whether the likeliest relation is right */
	MrenRanked facts;	 /* the same for rows whose likeliest relation is not the negative one */
	uint64 n_rows;
	uint64 n_facts;	 /* rows whose actual relation is not the negative one */
	uint64 n_seen;	 /* rows that the version was trained on */
	uint64 n_silent; /* rows without an answer */
	double brier;	 /* sums over answered rows */
	double log_loss;
	MrenReportList mistakes;
	MrenReportList right_photographs;
	MrenReportList wrong_photographs;
} MrenReport;

/* report_rows.c: runs the query once; 22000 if it returns no rows. */
extern void mren_report_read_rows(MrenReport *report);

/*
 * mren_report_read
 *	  Visits the rows of one of our statements, which runs as the current user and
 *	  qualifies every name, with the model's name as $1 and the version as $2.
 */
extern void mren_report_read(const MrenReport *report, const char *sql, MrenRowVisitor visit,
							 void *state);

/* report_figures.c */
extern void mren_report_tiles(MrenReport *report);
extern void mren_report_relations(MrenReport *report);
extern void mren_report_matrix(MrenReport *report);
extern void mren_report_curves(MrenReport *report);

/* report_examples.c */
extern void mren_report_mistakes(MrenReport *report);
extern void mren_report_photographs(MrenReport *report);

/* report_training.c */
extern void mren_report_learning(MrenReport *report);
extern void mren_report_training(MrenReport *report);

#endif
