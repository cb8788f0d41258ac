/*
 * label_dawid_skene.c
 *	  Confusion matrices of sources by expectation maximization over patterns.
 *
 * The start is the majority.  A matrix is smoothed towards that of a source with
 * one accuracy for all relations, which is itself smoothed, so that a source
 * with few votes is not taken for infallible or for always wrong.
 */
#include <math.h>
#include <string.h>

#include "labels/label_model.h"

#define MAX_MATRICES ((size_t) 256 * 1024 * 1024)
#define MAX_ROUNDS 200
/* Fitted once the log likelihood of a row grows by less. */
#define TOLERANCE 1e-6
/* Rows' worth of the assumed accuracy and distribution of errors, a source and a relation each. */
#define PRIOR_ACCURACY 0.7
#define PRIOR_ROWS 4.0
/* Numbers added between two checks for interrupts. */
#define PIECE 5000000

typedef struct Fit
{
	MrenLabelModel *model;
	double *posterior; /* (K) of the pattern under way */
	double *counts;	   /* (S, K votes, K relations) expected rows */
	double *totals;	   /* (K) expected rows of each relation */
	uint64_t *free;	   /* (n_patterns) rows of it whose relation is not known */
	size_t work;
	double likelihood; /* the sum of the logarithms over the rows */
} Fit;

static double *
cell(const MrenLabelModel *model, double *matrices, MrenVote vote)
{
	return matrices + (mren_vote_source(vote) * model->n_relations + mren_vote_relation(vote)) *
						  model->n_relations;
}

void
mren_label_add_confusion(const MrenLabelModel *model, const MrenVotePattern *pattern,
						 double *logits)
{
	const MrenVote *items = model->votes->votes + pattern->at;

	memcpy(logits, model->bias, model->n_relations * sizeof(double));
	for (size_t i = 0; i < pattern->n; i++)
	{
		const double *row = cell(model, model->confusion, items[i]);

		for (size_t r = 0; r < model->n_relations; r++)
			logits[r] += row[r];
	}
}

/* Adds `rows` rows of a pattern, whose relations have the posterior, to the expected counts. */
static MrenStatus
add_expected(Fit *fit, const MrenVotePattern *pattern, double rows, MrenError *err)
{
	const MrenLabelModel *model = fit->model;
	const MrenVote *items = model->votes->votes + pattern->at;

	for (size_t r = 0; r < model->n_relations; r++)
		fit->totals[r] += rows * fit->posterior[r];
	for (size_t i = 0; i < pattern->n; i++)
	{
		double *counts = cell(model, fit->counts, items[i]);

		for (size_t r = 0; r < model->n_relations; r++)
			counts[r] += rows * fit->posterior[r];
	}
	fit->work += (pattern->n + 4) * model->n_relations;
	if (fit->work < PIECE)
		return MREN_OK;
	fit->work = 0;
	return mren_check_interrupts(model->votes->env, err);
}

static MrenStatus
add_gold(Fit *fit, MrenError *err)
{
	const MrenVotes *votes = fit->model->votes;

	for (size_t i = 0; i < votes->n_gold; i++)
	{
		const MrenVotesGold *gold = &votes->gold[i];

		memset(fit->posterior, 0, fit->model->n_relations * sizeof(double));
		fit->posterior[gold->relation] = 1;
		MREN_TRY(add_expected(fit, &votes->patterns[gold->pattern], (double) gold->rows, err));
	}
	return MREN_OK;
}

/* The expected counts under the present matrices or, at the start, the majority. */
static MrenStatus
expect(Fit *fit, bool start, MrenError *err)
{
	const MrenLabelModel *model = fit->model;
	const MrenVotes *votes = model->votes;
	const MrenLabelModel majority = {
		.method = MREN_LABELS_MAJORITY, .votes = votes, .n_relations = model->n_relations};
	size_t n = model->n_relations * model->n_relations * votes->sources.n;

	memset(fit->counts, 0, n * sizeof(double));
	memset(fit->totals, 0, model->n_relations * sizeof(double));
	fit->likelihood = 0;
	MREN_TRY(add_gold(fit, err));
	for (size_t i = 0; i < votes->n_patterns; i++)
	{
		uint32_t number = votes->order[i];
		const MrenVotePattern *pattern = &votes->patterns[number];
		double rows = (double) fit->free[number];

		if (rows == 0)
			continue;
		if (start)
			(void) mren_label_probabilities(&majority, number, fit->posterior);
		else
		{
			mren_label_add_confusion(model, pattern, fit->posterior);
			fit->likelihood += rows * mren_label_softmax(fit->posterior, model->n_relations);
		}
		MREN_TRY(add_expected(fit, pattern, rows, err));
	}
	return MREN_OK;
}

/* The logarithms of a source's matrix from its expected counts. */
static void
maximize_source(Fit *fit, size_t source)
{
	const MrenLabelModel *model = fit->model;
	size_t k = model->n_relations;
	const double *counts = fit->counts + source * k * k;
	double *confusion = model->confusion + source * k * k;
	double right = PRIOR_ACCURACY * PRIOR_ROWS;
	double all = PRIOR_ROWS;
	double accuracy;
	double wrong;

	for (size_t v = 0; v < k; v++)
	{
		for (size_t r = 0; r < k; r++)
			all += counts[v * k + r];
		right += counts[v * k + v];
	}
	accuracy = right / all;
	wrong = k > 1 ? (1 - accuracy) / (double) (k - 1) : 0;
	for (size_t r = 0; r < k; r++)
	{
		double column = PRIOR_ROWS;

		for (size_t v = 0; v < k; v++)
			column += counts[v * k + r];
		for (size_t v = 0; v < k; v++)
		{
			double prior = PRIOR_ROWS * (v == r ? accuracy : wrong);

			confusion[v * k + r] = log((counts[v * k + r] + prior) / column);
		}
	}
}

static void
maximize(Fit *fit)
{
	const MrenLabelModel *model = fit->model;
	double rows = 0;

	for (size_t r = 0; r < model->n_relations; r++)
		rows += fit->totals[r] + 1;
	for (size_t r = 0; r < model->n_relations; r++)
		model->bias[r] = log((fit->totals[r] + 1) / rows);
	for (size_t source = 0; source < model->votes->sources.n; source++)
		maximize_source(fit, source);
}

static MrenStatus
run_rounds(Fit *fit, MrenError *err)
{
	const MrenVotes *votes = fit->model->votes;
	double last = -INFINITY;

	for (size_t i = 0; i < votes->n_patterns; i++)
		fit->free[i] = votes->patterns[i].rows;
	for (size_t i = 0; i < votes->n_gold; i++)
		fit->free[votes->gold[i].pattern] -= votes->gold[i].rows;
	MREN_TRY(expect(fit, true, err));
	maximize(fit);
	for (int round = 1; round <= MAX_ROUNDS; round++)
	{
		MREN_TRY(expect(fit, false, err));
		maximize(fit);
		fit->model->rounds = round;
		if (fit->likelihood - last < TOLERANCE * (double) votes->n_rows)
			break;
		last = fit->likelihood;
	}
	return MREN_OK;
}

static MrenStatus
allocate_fit(Fit *fit, MrenError *err)
{
	MrenLabelModel *model = fit->model;
	const MrenVotes *votes = model->votes;
	size_t k = model->n_relations;
	size_t n = votes->sources.n * k * k; /* at most 8e9 */

	if (n > MAX_MATRICES / sizeof(double))
	{
		mren_fail(err, MREN_ELIMIT,
				  "confusion matrices of %zu sources and %zu relations are too large",
				  votes->sources.n, k);
		mren_error_hint(err, "Use the method \"majority\" or \"weighted\".");
		return MREN_ELIMIT;
	}
	MREN_TRY(mren_allocate(votes->env, k, sizeof(double), &model->bias, err));
	MREN_TRY(mren_allocate(votes->env, n, sizeof(double), &model->confusion, err));
	MREN_TRY(mren_allocate(votes->env, n, sizeof(double), &fit->counts, err));
	MREN_TRY(mren_allocate(votes->env, k, sizeof(double), &fit->totals, err));
	MREN_TRY(mren_allocate(votes->env, k, sizeof(double), &fit->posterior, err));
	return mren_allocate(votes->env, votes->n_patterns, sizeof(uint64_t), &fit->free, err);
}

MrenStatus
mren_label_fit_dawid_skene(MrenLabelModel *model, MrenError *err)
{
	const MrenEnv *env = model->votes->env;
	Fit fit = {.model = model};
	MrenStatus status = allocate_fit(&fit, err);

	if (status == MREN_OK)
		status = run_rounds(&fit, err);
	mren_release(env, fit.counts);
	mren_release(env, fit.totals);
	mren_release(env, fit.posterior);
	mren_release(env, fit.free);
	return status;
}
