/*
 * decision.c
 *	  Fitting a threshold for each relation.
 *
 * Probabilities are counted in steps of 0.001, by relation and by whether they
 * are right; summed from above, a count is that of all pairs which a threshold
 * lets through.  So any threshold of any relation is judged by one look-up.
 */
#include "evaluation/decision.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/sort.h"

#define STEPS 1000			 /* thresholds 1/1000 .. 1000/1000 */
#define N_LEVELS (STEPS + 1) /* index b: probabilities of at least b / STEPS */
#define PRIOR_ROWS 10.0		 /* of a relation, that all relations together count for */
#define BELIEF_ROWS 200.0	 /* with a relation, that the probabilities' own word counts for */
#define MAX_ROUNDS 50

/* What a threshold lets through, by level. */
typedef struct Curve
{
	double predicted[N_LEVELS];
	double right[N_LEVELS];
	double expected[N_LEVELS]; /* to be right, by the probabilities; then mixed with what is */
	double gold;			   /* pairs that have the relation */
	double expected_gold;	   /* likewise */
} Curve;

typedef struct Fit
{
	const MrenScoredRows *rows;
	MrenKeyed *order; /* (n) rows, those of a pair together */
	uint8_t *gold;	  /* (k) of the pair at hand */
	Curve *curves;	  /* (k) */
	Curve all;
	size_t *levels; /* (k) of the thresholds */
} Fit;

static float
level_value(size_t level)
{
	return (float) ((double) level / STEPS);
}

/* The highest level that the probability reaches. */
static size_t
level_of(float p)
{
	size_t level = (size_t) ((double) (p > 0 ? (p < 1 ? p : 1) : 0) * STEPS);

	while (level > 0 && p < level_value(level))
		level--;
	while (level < STEPS && p >= level_value(level + 1))
		level++;
	return level;
}

/* A pair: its first row's probabilities, all its rows' labels. */
static void
count_pair(Fit *fit, const MrenKeyed *order, size_t n)
{
	const MrenScoredRows *rows = fit->rows;
	const float *p = rows->probabilities + order[0].at * rows->k;
	double weight = 0;

	memset(fit->gold, 0, rows->k);
	for (size_t i = 0; i < n; i++)
	{
		fit->gold[rows->labels[order[i].at]] = 1;
		weight = fmax(weight, (double) rows->weights[order[i].at]);
	}
	for (size_t j = 0; j < rows->k; j++)
	{
		size_t level = level_of(p[j]);

		fit->curves[j].predicted[level] += weight;
		fit->curves[j].right[level] += fit->gold[j] ? weight : 0;
		fit->curves[j].expected[level] += weight * (double) p[j];
		fit->curves[j].gold += fit->gold[j] ? weight : 0;
		fit->curves[j].expected_gold += weight * (double) p[j];
	}
}

/* Sums the levels from above; `all` is the sum of the relations that are answers. */
static void
sum_curves(Fit *fit)
{
	for (size_t j = 0; j < fit->rows->k; j++)
	{
		Curve *curve = &fit->curves[j];

		for (size_t b = STEPS; b-- > 0;)
		{
			curve->predicted[b] += curve->predicted[b + 1];
			curve->right[b] += curve->right[b + 1];
			curve->expected[b] += curve->expected[b + 1];
		}
		if ((int32_t) j == fit->rows->negative)
			continue;
		for (size_t b = 0; b < N_LEVELS; b++)
		{
			fit->all.predicted[b] += curve->predicted[b];
			fit->all.right[b] += curve->right[b];
			fit->all.expected[b] += curve->expected[b];
		}
		fit->all.gold += curve->gold;
		fit->all.expected_gold += curve->expected_gold;
	}
}

static void
mix_curve(Curve *curve, double belief)
{
	for (size_t b = 0; b < N_LEVELS; b++)
		curve->expected[b] += (1 - belief) * (curve->right[b] - curve->expected[b]);
	curve->expected_gold += (1 - belief) * (curve->gold - curve->expected_gold);
}

/* What is expected becomes a mean of that and of what is. */
static void
mix_curves(Fit *fit)
{
	double belief = BELIEF_ROWS / (BELIEF_ROWS + fit->all.gold);

	for (size_t j = 0; j < fit->rows->k; j++)
		mix_curve(&fit->curves[j], belief);
	mix_curve(&fit->all, belief);
}

static MrenStatus
count_rows(const MrenEnv *env, Fit *fit, MrenError *err)
{
	const MrenScoredRows *rows = fit->rows;
	size_t first = 0;

	for (size_t i = 1; i <= rows->n; i++)
	{
		if (i % 64 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (i < rows->n && fit->order[i].key == fit->order[first].key)
			continue;
		count_pair(fit, fit->order + first, i - first);
		first = i;
	}
	sum_curves(fit);
	mix_curves(fit);
	return MREN_OK;
}

static double
f1_of(double right, double predicted, double gold)
{
	return predicted + gold > 0 ? 2 * right / (predicted + gold) : 0;
}

/* The expected F1 of one threshold for all relations, at its best. */
static double
best_common_f1(const Curve *all)
{
	double best = 0;

	for (size_t b = 1; b < N_LEVELS; b++)
		best = fmax(best, f1_of(all->expected[b], all->predicted[b], all->expected_gold));
	return best;
}

/*
 * The level that maximizes expected - price * predicted, with those of all relations as
 * if they were PRIOR_ROWS rows of this one's; the middle of a run of equals.
 */
static size_t
best_level(const Curve *curve, const Curve *all, double price)
{
	double share = all->expected_gold > 0 ? PRIOR_ROWS / all->expected_gold : 0;
	double best = -INFINITY;
	size_t first = STEPS;
	size_t last = STEPS;

	for (size_t b = STEPS; b >= 1; b--)
	{
		double value = curve->expected[b] - price * curve->predicted[b] +
					   share * (all->expected[b] - price * all->predicted[b]);

		if (value > best)
		{
			best = value;
			first = last = b;
		}
		else if (value == best && first == b + 1)
			first = b;
	}
	return (first + last) / 2;
}

/* The lowest level of at least this precision; N_LEVELS if there is none. */
static size_t
level_of_precision(const Curve *curve, const Curve *all, double precision)
{
	for (size_t b = 1; b < N_LEVELS; b++)
	{
		double prior = all->predicted[b] > 0 ? all->right[b] / all->predicted[b] : 0;

		if (curve->right[b] + PRIOR_ROWS * prior >= precision * (curve->predicted[b] + PRIOR_ROWS))
			return b;
	}
	return N_LEVELS;
}

/* Sets the thresholds from the levels, and scores them; returns the expected F1. */
static double
set_thresholds(const Fit *fit, float *thresholds, MrenDecisionScore *score)
{
	const size_t *levels = fit->levels;
	double right = 0;
	double predicted = 0;
	double expected = 0;

	for (size_t j = 0; j < fit->rows->k; j++)
	{
		bool answers = (int32_t) j != fit->rows->negative && levels[j] < N_LEVELS;

		thresholds[j] = answers ? level_value(levels[j]) : MREN_NEVER;
		right += answers ? fit->curves[j].right[levels[j]] : 0;
		predicted += answers ? fit->curves[j].predicted[levels[j]] : 0;
		expected += answers ? fit->curves[j].expected[levels[j]] : 0;
	}
	score->precision = predicted > 0 ? right / predicted : 0;
	score->recall = fit->all.gold > 0 ? right / fit->all.gold : 0;
	score->f1 = f1_of(right, predicted, fit->all.gold);
	return f1_of(expected, predicted, fit->all.expected_gold);
}

static MrenStatus
fit_levels(const MrenEnv *env, const Fit *fit, MrenAim aim, double precision, float *thresholds,
		   MrenDecisionScore *score, MrenError *err)
{
	double f1 = best_common_f1(&fit->all);

	for (int round = 0; round < MAX_ROUNDS; round++)
	{
		double before = f1;

		for (size_t j = 0; j < fit->rows->k; j++)
		{
			if (j % 64 == 63)
				MREN_TRY(mren_check_interrupts(env, err));
			fit->levels[j] = aim == MREN_AIM_F1
								 ? best_level(&fit->curves[j], &fit->all, f1 / 2)
								 : level_of_precision(&fit->curves[j], &fit->all, precision);
		}
		f1 = set_thresholds(fit, thresholds, score);
		if (aim != MREN_AIM_F1 || fabs(f1 - before) < 1e-9)
			break;
	}
	return MREN_OK;
}

static int
compare_rows(const void *state, uint64_t a, uint64_t b)
{
	(void) state;
	return a < b ? -1 : a > b;
}

/* Rows by their pair, those of one pair in their own order. */
static void
order_rows(Fit *fit)
{
	for (size_t i = 0; i < fit->rows->n; i++)
		fit->order[i] = (MrenKeyed){fit->rows->pairs[i], i};
	mren_sort_keyed(fit->order, fit->rows->n, compare_rows, NULL);
}

MrenStatus
mren_decision_fit(const MrenEnv *env, const MrenScoredRows *rows, MrenAim aim, double precision,
				  float *thresholds, MrenDecisionScore *score, MrenError *err)
{
	Fit fit = {.rows = rows};
	MrenStatus status;

	*score = (MrenDecisionScore){0, 0, 0};
	status = mren_allocate(env, rows->n, sizeof(MrenKeyed), &fit.order, err);
	if (status == MREN_OK)
		status = mren_allocate(env, rows->k, 1, &fit.gold, err);
	if (status == MREN_OK)
		status = mren_allocate_zero(env, rows->k, sizeof(Curve), &fit.curves, err);
	if (status == MREN_OK)
		status = mren_allocate(env, rows->k, sizeof(size_t), &fit.levels, err);
	if (status == MREN_OK)
	{
		order_rows(&fit);
		status = count_rows(env, &fit, err);
	}
	if (status == MREN_OK)
		status = fit_levels(env, &fit, aim, precision, thresholds, score, err);
	mren_release(env, fit.order);
	mren_release(env, fit.gold);
	mren_release(env, fit.curves);
	mren_release(env, fit.levels);
	return status;
}
