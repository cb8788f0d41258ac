/*
 * label_model.h
 *	  From votes to labels: the probabilities of the relations of a pattern.
 *
 * Majority: a relation's probability is its share of the votes.
 *
 * Weighted: P(r) is proportional to exp(bias(r) + the sum of the weights of the
 * sources that vote for r), fitted on gold rows.  A source that repeats another
 * shares its weight, so a source counted twice does not count twice; one that is
 * mostly wrong gets a negative weight.
 *
 * Dawid-Skene: each source has a confusion matrix P(vote | relation); relations
 * and matrices are estimated in turn (Dawid and Skene, Maximum likelihood
 * estimation of observer error-rates using the EM algorithm, Applied Statistics
 * 28, 1979).  For people, who vote independently of each other; rules do not.
 */
#ifndef MREN_LABELS_LABEL_MODEL_H
#define MREN_LABELS_LABEL_MODEL_H

#include "labels/vote_summary.h"

typedef enum MrenLabelMethod
{
	MREN_LABELS_MAJORITY,
	MREN_LABELS_WEIGHTED,
	MREN_LABELS_DAWID_SKENE,
} MrenLabelMethod;

typedef struct MrenLabelModel
{
	MrenLabelMethod method;
	const MrenVotes *votes;
	size_t n_relations; /* K */
	double *bias;		/* (K) logits before any vote; NULL for majority */
	double *weights;	/* (S) of weighted */
	double *confusion;	/* (S, K votes, K relations) of Dawid-Skene: ln P(vote | relation) */
	int rounds;			/* of fitting */
} MrenLabelModel;

/*
 * mren_label_model_fit
 *	  votes must be finished and outlive the model; summary is of them.
 *	  Weighted: MREN_EDATA if no gold row has votes.  Dawid-Skene: MREN_ELIMIT
 *	  for confusion matrices over 256 MB; gold rows, if there are any, keep their
 *	  relation while the matrices are estimated.
 */
extern MrenStatus mren_label_model_fit(const MrenVotes *votes, const MrenVoteSummary *summary,
									   MrenLabelMethod method, MrenLabelModel *model,
									   MrenError *err);
extern void mren_label_model_free(MrenLabelModel *model);

/*
 * mren_label_probabilities
 *	  probabilities (K): of the relations of rows with this pattern, sum 1.
 *	  Returns the most probable one; of equals, the one with the most votes in
 *	  all, then the first by name.
 */
extern uint32_t mren_label_probabilities(const MrenLabelModel *model, uint32_t pattern,
										 double *probabilities);

/* Of label_weighted.c and label_dawid_skene.c; the model's method and sizes are set. */
extern MrenStatus mren_label_fit_weighted(MrenLabelModel *model, const MrenVoteSummary *summary,
										  MrenError *err);
extern MrenStatus mren_label_fit_dawid_skene(MrenLabelModel *model, MrenError *err);

/* Logits (n) to probabilities in place; returns the log of the sum of exp(logit). */
extern double mren_label_softmax(double *logits, size_t n);

/* logits (K) before the votes of a pattern, with the votes of Dawid-Skene added. */
extern void mren_label_add_confusion(const MrenLabelModel *model, const MrenVotePattern *pattern,
									 double *logits);

#endif
