/*
 * retrain_holdout.c
 *	  Comparing champion and challenger on hold-out rows.
 *
 * A version scores too well on rows that it was trained on, so those are left
 * out and counted.  The champion may have been trained on hold-out rows before
 * any were held out; the challenger only if the query has changed the group of
 * a row since it was read for training.
 */
#include "pg/retrain/retrain_holdout.h"

#include "mb/pg_wchar.h"

#include "evaluation/holdout.h"
#include "pg/predict/predict_query.h"
#include "pg/support/pg_env.h"

typedef struct Comparison
{
	MrenEnv env;
	MrenRetrainScores *scores;
	double share;
	const char *negative; /* in the database's encoding; NULL: none */
	MrenPairedCounts *rows;
	size_t n;
	size_t capacity;
} Comparison;

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* An answer counts for micro F1 unless it is the negative relation or none. */
static void
count_answer(const Comparison *comparison, const MrenPrediction *prediction, const char *answer,
			 int model, MrenPairedCounts *row)
{
	row->predicted[model] =
		comparison->negative == NULL || (answer != NULL && !same(answer, comparison->negative));
	row->hits[model] = row->predicted[model] && same(answer, prediction->actual);
}

static void
visit(void *state, const MrenPrediction *prediction)
{
	Comparison *comparison = state;
	MrenPairedCounts *row;
	MrenError err;

	if (!prediction->answered || prediction->actual == NULL ||
		!mren_split_trains(prediction->split) ||
		!mren_holdout_holds(prediction->key, comparison->share))
		return;
	if (prediction->seen || prediction->rival_seen)
	{
		comparison->scores->n_seen++;
		return;
	}
	MREN_PG_CALL(err, mren_grow(&comparison->env, &comparison->rows, &comparison->capacity,
								comparison->n, comparison->n + 1, sizeof(*comparison->rows), &err));
	row = &comparison->rows[comparison->n++];
	row->key = prediction->key;
	row->actual = comparison->negative == NULL || !same(prediction->actual, comparison->negative);
	count_answer(comparison, prediction, prediction->relation, 0, row);
	count_answer(comparison, prediction, prediction->rival, 1, row);
}

void
mren_retrain_compare(const MrenRetrainCandidates *candidates, MrenRetrainScores *scores)
{
	const char *negative = candidates->setup->net.negative;
	MrenPredictQuery what = {.model = candidates->model,
							 .query = candidates->query->text,
							 .version = candidates->champion,
							 .rival = candidates->challenger,
							 .stored = candidates->query,
							 .need_relation = true};
	Comparison comparison = {.env = mren_pg_env(CurrentMemoryContext),
							 .scores = scores,
							 .share = candidates->setup->holdout_share};
	MrenError err;

	memset(scores, 0, sizeof(*scores));
	if (negative != NULL)
		comparison.negative = pg_any_to_server(negative, strlen(negative), PG_UTF8);
	scores->measure = mren_score_measure(negative);
	if (comparison.share > 0)
		mren_predict_query(&what, visit, &comparison);
	scores->n_rows = comparison.n;
	MREN_PG_CALL(err, mren_bootstrap_paired(&comparison.env, comparison.rows, comparison.n,
											&(MrenResampling){candidates->setup->net.common.seed,
															  MREN_RETRAIN_RESAMPLES,
															  MREN_RETRAIN_CONFIDENCE},
											&scores->figures, &err));
	for (int model = 0; model < 2; model++)
		mren_score_measured(comparison.rows, comparison.n, model,
							candidates->setup->net.common.seed, scores->measure,
							&scores->each[model]);
	mren_release(&comparison.env, comparison.rows);
}

const char *
mren_retrain_judge(const MrenRetrainScores *scores, int32 champion, double margin, char **reason)
{
	if (scores->n_rows < MREN_RETRAIN_MIN_ROWS)
	{
		*reason = psprintf("only %lld of the hold-out rows are unknown to both versions; "
						   "at least %d are needed",
						   (long long) scores->n_rows, MREN_RETRAIN_MIN_ROWS);
		return "undecided";
	}
	*reason =
		psprintf("%s is %.4f, that of version %d is %.4f, on %lld rows; the lower bound of "
				 "the difference is %.4f, the margin %g",
				 scores->measure, scores->figures.score[1], champion, scores->figures.score[0],
				 (long long) scores->n_rows, scores->figures.lower_bound, margin);
	return scores->figures.lower_bound > margin ? "promoted" : "rejected";
}
