/*
 * loss.h
 *	  Losses over a row's logits, with their gradient.
 *
 * The negative relation ("none of the others") need not have a score of its
 * own: with a fixed negative its logit is always 0 and gets no gradient, so
 * that the network learns what the other relations have in common and predicts
 * the negative relation for rows that fit none of them.
 */
#ifndef MREN_NN_LOSS_H
#define MREN_NN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum MrenLoss
{
	MREN_LOSS_CROSS_ENTROPY,
	MREN_LOSS_MSE, /* Brier score through the softmax */
	MREN_LOSS_RANKING,
} MrenLoss;

typedef struct MrenObjective
{
	MrenLoss loss;
	int32_t fixed;		  /* relation whose logit is always 0; -1: none */
	double ranking_scale; /* the three of the ranking loss are positive */
	double margin_right;
	double margin_wrong;
} MrenObjective;

/* Rows with their labels. */
typedef struct MrenLabelledRows
{
	const float *logits;   /* (n, k) finite; those of the fixed relation are not read */
	const int32_t *labels; /* (n) in 0..k-1 */
	const float *weights;  /* (n) */
	size_t n;
	size_t k;
	const float *targets; /* (n, k) distributions with sum 1; read where soft is true; NULL: none */
	const bool *soft;	  /* (n) the row has a distribution; with targets */
} MrenLabelledRows;

/*
 * mren_loss
 *	  The weighted sum of the rows' losses: weights[i] * l(i), where l is
 *	  - cross-entropy: -log p(label) in nats;
 *	  - mse: the Brier score, the sum over j of (p(j) - [j = label])^2;
 *	  - ranking: log(1 + exp(g (m+ - s(label)))) + log(1 + exp(g (m- + s(c))))
 *		with scale g and margins m+, m-; c the relation with the highest score
 *		among those that are neither the label nor fixed, the lowest index of
 *		equals; for a row of the fixed relation the first term is left out.
 *	  For a row with a distribution t: cross-entropy is -sum over j of t(j) log p(j), mse the
 *	  sum over j of (p(j) - t(j))^2, ranking the mean of the losses of the labels, weighted
 *	  by t.
 *	  dlogits (n,k) gets scale times the gradient of that sum, 0 for the fixed
 *	  relation.  Not finite if a logit is not.  Max-shifted softmax: Goodfellow
 *	  et al., Deep Learning, 2016, section 4.1; Brier 1950; ranking: dos Santos,
 *	  Xiang and Zhou, Classifying Relations by Ranking with CNNs, ACL 2015,
 *	  section 3.3.
 */
extern double mren_loss(const MrenObjective *objective, const MrenLabelledRows *rows, float scale,
						float *dlogits);

#endif
