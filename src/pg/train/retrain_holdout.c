/*
 * retrain_holdout.c
 *	  Champion and challenger on the rows that are held out to judge them.
 *
 * Rows that either was trained on would flatter it, so they are left out and
 * counted: of the champion those it learnt before a gate was held out, of the
 * challenger none, unless the query gives a row another group than it gave it
 * before.
 */
#include "pg/train/retrain_holdout.h"

#include "mb/pg_wchar.h"

#include "evaluation/holdout.h"
#include "pg/support/pg_env.h"
#include "pg/predict/predict_query.h"

typedef struct Judge
{
	MrenEnv env;
	MrenGate *holdout;
	double share;
	const char *negative; /* in the database's encoding; NULL: none */
	MrenPairedCounts *rows;
	size_t n;
	size_t capacity;
} Judge;

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* An answer counts for micro F1 unless it is the negative relation or none. */
static void
count_answer(const Judge *judge, const MrenPrediction *prediction, const char *answer, int model,
			 MrenPairedCounts *row)
{
	row->predicted[model] =
		judge->negative == NULL || (answer != NULL && !same(answer, judge->negative));
	row->hits[model] = row->predicted[model] && same(answer, prediction->actual);
}

static void
visit(void *state, const MrenPrediction *prediction)
{
	Judge *judge = state;
	MrenPairedCounts *row;
	MrenError err;

	if (!prediction->answered || prediction->actual == NULL ||
		!mren_split_trains(prediction->split) || !mren_holdout_holds(prediction->key, judge->share))
		return;
	if (prediction->seen || prediction->rival_seen)
	{
		judge->holdout->n_seen++;
		return;
	}
	MREN_PG_CALL(err, mren_grow(&judge->env, &judge->rows, &judge->capacity, judge->n, judge->n + 1,
								sizeof(*judge->rows), &err));
	row = &judge->rows[judge->n++];
	row->key = prediction->key;
	row->actual = judge->negative == NULL || !same(prediction->actual, judge->negative);
	count_answer(judge, prediction, prediction->relation, 0, row);
	count_answer(judge, prediction, prediction->rival, 1, row);
}

void
mren_holdout_judge(const MrenGateQuestion *question, MrenGate *holdout)
{
	const char *negative = question->options->net.negative;
	MrenPredictQuery what = {.model = question->model,
							 .query = question->query->text,
							 .version = question->champion,
							 .rival = question->challenger,
							 .stored = question->query,
							 .need_relation = true};
	Judge judge = {.env = mren_pg_env(CurrentMemoryContext),
				   .holdout = holdout,
				   .share = question->options->holdout_share};
	MrenError err;

	memset(holdout, 0, sizeof(*holdout));
	if (negative != NULL)
		judge.negative = pg_any_to_server(negative, strlen(negative), PG_UTF8);
	holdout->measure = negative != NULL ? "micro F1" : "accuracy";
	if (judge.share > 0)
		mren_predict_query(&what, visit, &judge);
	holdout->n_rows = judge.n;
	MREN_PG_CALL(err, mren_bootstrap_paired(&judge.env, judge.rows, judge.n,
											&(MrenResampling){question->options->net.common.seed,
															  MREN_HOLDOUT_RESAMPLES,
															  MREN_HOLDOUT_CONFIDENCE},
											&holdout->figures, &err));
	mren_release(&judge.env, judge.rows);
}
