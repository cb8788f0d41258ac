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

#include "base/hash.h"
#include "pg/predict/predict_query.h"
#include "pg/support/pg_env.h"

typedef struct Comparison
{
	MrenEnv env;
	MrenRetrainScores *scores;
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

/* What a model predicts of a row: the names of n numbers.  The negative relation does not count. */
static void
count_predicted(const Comparison *comparison, const char *actual, char *const *names,
				const int32 *predicted, size_t n, int model, MrenPairedCounts *row)
{
	for (size_t i = 0; i < n; i++)
	{
		const char *name = names[predicted[i]];

		if (same(name, comparison->negative))
			continue;
		row->predicted[model]++;
		row->hits[model] += same(name, actual);
	}
}

/* Without a negative relation, the strongest relation alone counts. */
static void
count_strongest(const char *actual, const char *answer, int model, MrenPairedCounts *row)
{
	row->predicted[model] = 1;
	row->hits[model] = same(answer, actual);
}

static void
count_answers(const Comparison *comparison, const MrenPrediction *prediction, MrenPairedCounts *row)
{
	const char *actual = prediction->actual;
	int32 *predicted;

	if (comparison->negative == NULL)
	{
		count_strongest(actual, prediction->relation, 0, row);
		count_strongest(actual, prediction->rival, 1, row);
		return;
	}
	predicted = palloc(Max(prediction->info->n_relations, prediction->rival_info->n_relations) *
					   sizeof(int32));
	count_predicted(comparison, actual, prediction->names, predicted,
					mren_prediction_relations(prediction, predicted), 0, row);
	count_predicted(comparison, actual, prediction->rival_names, predicted,
					mren_prediction_rival_relations(prediction, predicted), 1, row);
	pfree(predicted);
}

static void
visit(void *state, const MrenPrediction *prediction)
{
	Comparison *comparison = state;
	MrenPairedCounts *row;
	MrenError err;

	if (!prediction->answered)
		return;
	if (prediction->seen || prediction->rival_seen)
	{
		comparison->scores->n_seen++;
		return;
	}
	MREN_PG_CALL(err, mren_grow(&comparison->env, &comparison->rows, &comparison->capacity,
								comparison->n, comparison->n + 1, sizeof(*comparison->rows), &err));
	row = &comparison->rows[comparison->n++];
	*row = (MrenPairedCounts){
		.key = prediction->key,
		.actual = comparison->negative == NULL || !same(prediction->actual, comparison->negative),
		.pair = prediction->same_pair,
		.relation = mren_hash64(prediction->actual, strlen(prediction->actual), 0)};
	count_answers(comparison, prediction, row);
}

void
mren_retrain_compare(const MrenRetrainCandidates *candidates, MrenRetrainScores *scores)
{
	const char *negative = candidates->setup->net.negative;
	MrenPredictQuery what = {.model = candidates->model,
							 .query = candidates->query->text,
							 .version = candidates->champion,
							 .rival = candidates->challenger,
							 .holdout_share = candidates->setup->holdout_share,
							 .stored = candidates->query,
							 .need_relation = true};
	Comparison comparison = {.env = mren_pg_env(CurrentMemoryContext), .scores = scores};
	MrenError err;

	memset(scores, 0, sizeof(*scores));
	if (negative != NULL)
		comparison.negative = pg_any_to_server(negative, strlen(negative), PG_UTF8);
	scores->measure = mren_score_measure(negative);
	if (what.holdout_share > 0)
		mren_predict_query(&what, visit, &comparison);
	scores->n_rows = comparison.n;
	if (negative != NULL)
		MREN_PG_CALL(err, mren_paired_settle(&comparison.env, comparison.rows, comparison.n, &err));
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
		*reason = psprintf(ngettext("only %lld of the hold-out rows is unknown to both versions; "
									"at least %d are needed",
									"only %lld of the hold-out rows are unknown to both versions; "
									"at least %d are needed",
									scores->n_rows),
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
