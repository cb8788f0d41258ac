/*
 * graph_confidence.c
 *	  The confidence of facts, calibrated by what analysts say of them.
 *
 * What a fact's evidence gives is the same whatever was reviewed.  Where enough
 * facts are reviewed, their verdicts say how sure that really is: the log-odds
 * that are shown are a linear function of those of the evidence (Platt, 1999),
 * whose two numbers stand in the graph's state, and the view facts applies it.
 * It is increasing, so which of two facts is the surer never depends on it.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include <math.h>

#include "catalog/pg_type.h"

#include "evaluation/calibration.h"
#include "pg/graph/graph_statements.h"
#include "pg/support/pg_env.h"

/* Fewer facts of either verdict say too little. */
#define LEAST_REVIEWED 30
#define LEAST_OF_A_VERDICT 5

/* Each fact twice, as right and as wrong, with weights: see add_fact. */
typedef struct Reviewed
{
	float *logits; /* (2 n, 2): of the fact, and 0 of its opposite */
	int32 *labels;
	float *weights;
	size_t n; /* facts */
	size_t n_confirmed;
} Reviewed;

/*
 * Platt's targets: a fact that was confirmed counts a little as wrong, and the
 * other way round, so that verdicts which the confidences divide without an
 * error do not make all of them certain.
 */
static void
add_fact(Reviewed *reviewed, double log_odds, bool confirmed, size_t n_same)
{
	double share = ((double) n_same + 1) / ((double) n_same + 2);

	for (int wrong = 0; wrong < 2; wrong++)
	{
		size_t row = 2 * reviewed->n + wrong;

		reviewed->logits[2 * row] = (float) log_odds;
		reviewed->logits[2 * row + 1] = 0;
		reviewed->labels[row] = wrong;
		reviewed->weights[row] = (float) ((wrong == 0) == confirmed ? share : 1 - share);
	}
	reviewed->n++;
}

#define LOG_ODDS MREN_GRAPH_SQL_LOG_ODDS("f.confidence")

/* The facts with a verdict, in a fixed order: the sums of the fit depend on it. */
static void
read_reviewed(const MrenGraph *graph, Reviewed *reviewed)
{
	uint64 n =
		mren_graph_run_sql(graph,
						   "SELECT f.verdict = 'confirmed', " LOG_ODDS " FROM ${graph}.all_facts f"
						   " WHERE f.verdict IS NOT NULL ORDER BY f.fact",
						   0, NULL, NULL, NULL);
	bool *confirmed = palloc(Max(n, 1) * sizeof(bool));
	bool isnull;

	memset(reviewed, 0, sizeof(*reviewed));
	reviewed->logits = palloc(Max(4 * n, 1) * sizeof(float));
	reviewed->labels = palloc(Max(2 * n, 1) * sizeof(int32));
	reviewed->weights = palloc(Max(2 * n, 1) * sizeof(float));
	for (uint64 i = 0; i < n; i++)
	{
		confirmed[i] =
			DatumGetBool(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		reviewed->n_confirmed += confirmed[i];
	}
	for (uint64 i = 0; i < n; i++)
		add_fact(
			reviewed,
			DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull)),
			confirmed[i], confirmed[i] ? reviewed->n_confirmed : n - reviewed->n_confirmed);
	SPI_freetuptable(SPI_tuptable);
}

void
mren_graph_calibrate(const MrenGraph *graph)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	Oid types[] = {FLOAT8OID, FLOAT8OID};
	Datum values[lengthof(types)] = {0};
	MrenCalibration fit = {1, 0};
	Reviewed reviewed;
	MrenError err;
	bool enough;

	read_reviewed(graph, &reviewed);
	enough = reviewed.n >= LEAST_REVIEWED && reviewed.n_confirmed >= LEAST_OF_A_VERDICT &&
			 reviewed.n - reviewed.n_confirmed >= LEAST_OF_A_VERDICT;
	if (enough)
	{
		MrenLogits rows = {
			reviewed.logits, reviewed.labels, reviewed.weights, 2 * reviewed.n, 2, 1};

		MREN_PG_CALL(err, mren_calibration_fit(&env, &rows, &fit, &err));
		values[0] = Float8GetDatum(1 / fit.temperature);
		values[1] = Float8GetDatum(-fit.bias);
	}
	mren_graph_run_sql(graph,
					   "UPDATE ${graph}.state SET confidence_slope = $1, confidence_intercept = $2"
					   " WHERE (confidence_slope, confidence_intercept) IS DISTINCT FROM ($1, $2)",
					   lengthof(types), types, values, enough ? NULL : "nn");
}
