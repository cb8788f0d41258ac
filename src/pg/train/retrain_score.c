/*
 * retrain_score.c
 *	  The score of a version on hold-out rows, and the record of it.
 */
#include "pg/train/retrain_score.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/model/models.h"

const char *
mren_score_measure(const char *negative)
{
	return negative != NULL ? "micro F1" : "accuracy";
}

/*
 * The lower bound of the score of the model in place 1 of the bootstrap, beside
 * a model that answers nothing.  In place 0 the difference is minus the score,
 * and its lower bound minus the upper bound of the score.
 */
static double
bound(const MrenPairedCounts *rows, size_t n, int model, int place, uint64 seed)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenPairedCounts *alone = palloc_extended((n + 1) * sizeof(*alone), MCXT_ALLOC_HUGE);
	MrenResampling how = {seed, MREN_RETRAIN_RESAMPLES, MREN_RETRAIN_CONFIDENCE};
	MrenBootstrap figures;
	MrenError err;

	for (size_t i = 0; i < n; i++)
	{
		alone[i] = (MrenPairedCounts){.key = rows[i].key, .actual = rows[i].actual};
		alone[i].predicted[place] = rows[i].predicted[model];
		alone[i].hits[place] = rows[i].hits[model];
	}
	MREN_PG_CALL(err, mren_bootstrap_paired(&env, alone, n, &how, &figures, &err));
	pfree(alone);
	return figures.lower_bound;
}

void
mren_score_measured(const MrenPairedCounts *rows, size_t n, int model, uint64 seed,
					const char *measure, MrenHoldoutScore *score)
{
	uint64 hits = 0;
	uint64 both = 0;

	*score = (MrenHoldoutScore){.rows = (int64) n};
	strlcpy(score->measure, measure, sizeof(score->measure));
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
	{
		hits += rows[i].hits[model];
		both += rows[i].actual + rows[i].predicted[model];
	}
	score->score = both > 0 ? 2 * (double) hits / (double) both : 0;
	score->lower = Min(bound(rows, n, model, 1, seed), 1 - 3 / (double) n);
	score->upper = -bound(rows, n, model, 0, seed);
}

bool
mren_score_fell(const MrenHoldoutScore *recorded, const MrenHoldoutScore *now)
{
	return recorded->rows >= MREN_SCORE_MIN_ROWS && now->rows >= MREN_SCORE_MIN_ROWS &&
		   strcmp(recorded->measure, now->measure) == 0 &&
		   now->upper < recorded->lower - MREN_SCORE_TOLERANCE;
}

void
mren_score_read(int64 model, int32 version, MrenHoldoutScore *score)
{
	Oid types[] = {INT8OID, INT4OID};
	Datum values[] = {Int64GetDatum(model), Int32GetDatum(version)};
	bool isnull;
	char *measure;

	*score = (MrenHoldoutScore){0};
	if (mren_catalog_read("SELECT holdout_measure, holdout_rows, holdout_score, holdout_lower_bound"
						  " FROM mren.model_version WHERE model OPERATOR(pg_catalog.=) $1"
						  " AND version OPERATOR(pg_catalog.=) $2 AND holdout_rows IS NOT NULL",
						  2, types, values, NULL) == 0)
		return;
	measure = TextDatumGetCString(mren_models_result(1, &isnull));
	strlcpy(score->measure, measure, sizeof(score->measure));
	score->rows = DatumGetInt64(mren_models_result(2, &isnull));
	score->score = DatumGetFloat8(mren_models_result(3, &isnull));
	score->lower = DatumGetFloat8(mren_models_result(4, &isnull));
}

void
mren_score_record(const char *model, int32 version, const MrenHoldoutScore *score)
{
	Oid types[] = {TEXTOID, INT4OID, TEXTOID, INT8OID, FLOAT8OID, FLOAT8OID};
	Datum values[] = {CStringGetTextDatum(model),		   Int32GetDatum(version),
					  CStringGetTextDatum(score->measure), Int64GetDatum(score->rows),
					  Float8GetDatum(score->score),		   Float8GetDatum(score->lower)};

	mren_catalog_write("UPDATE mren.model_version SET holdout_measure = $3, holdout_rows = $4,"
					   " holdout_score = $5, holdout_lower_bound = $6"
					   " WHERE version OPERATOR(pg_catalog.=) $2 AND model OPERATOR(pg_catalog.=)"
					   " (SELECT m.id FROM mren.model m WHERE m.name OPERATOR(pg_catalog.=) $1)",
					   lengthof(types), types, values, NULL);
}
