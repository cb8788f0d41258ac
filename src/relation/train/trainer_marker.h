/*
 * trainer_marker.h
 *	  The training of a marker classifier: a pretrained encoder is fine-tuned with one
 *	  dense layer on its markers.
 *
 * It follows the members, which do not depend on it, and is joined with them as the linear
 * branch is: its scores are added in the share under which the validation rows are most likely.
 * Rows of one sentence are in one step, so that the sentence is read once for all of them.
 */
#ifndef MREN_RELATION_TRAIN_TRAINER_MARKER_H
#define MREN_RELATION_TRAIN_TRAINER_MARKER_H

#include "base/random.h"
#include "base/sort.h"
#include "nn/dense.h"
#include "nn/optimizer.h"
#include "relation/marker/marker_classifier.h"
#include "relation/train/trainer.h"
#include "transformer/train/encoder_tuning.h"

/* Rows by the hash of their sentence's tokens, then in canonical order. */
typedef struct MrenSentenceRows
{
	/* (n); at is the row's number in the source, plus 2^32 times that among the validation rows */
	MrenKeyed *rows;
	size_t n;
	uint32_t *sentences; /* (n_sentences) the first row of each, in the order of the epoch */
	size_t n_sentences;
	size_t next;	   /* sentence */
	size_t next_in_it; /* row of that sentence */
} MrenSentenceRows;

/* The rows of a step, (capacity) of each array. */
typedef struct MrenMarkerStep
{
	size_t n;
	size_t capacity;
	MrenBuffer *records; /* of each row, whose memory is used again */
	MrenMarkedTokens *tokens;
	MrenMarkerRow *rows;
	uint32_t *ranks; /* among the validation rows */
	int32_t *labels;
	float *weights;
	float *targets; /* (capacity, n_relations) distributions; NULL: no row has one */
	bool *soft;
	MrenMarkerBatch batch;
	float *vectors; /* (tokens_capacity, width) */
	float *dvectors;
	size_t tokens_capacity;
	float *memory; /* of: */
	float *input;  /* (capacity, marker_dim) of the output layer, after dropout */
	float *mask;
	float *dinput;
	float *logits; /* (capacity, n_relations) */
	float *dlogits;
} MrenMarkerStep;

/* Tensors of the output layer. */
enum
{
	MREN_HEAD_WEIGHT,
	MREN_HEAD_BIAS,
};

typedef struct MrenMarkerTraining
{
	MrenMarkerShape shape;		   /* width 0: no marker classifier is trained */
	MrenEncoderTuning fine_tuning; /* of the encoder with the markers as further pieces */
	uint64_t *sentences;		   /* (source.n) hash of each row's tokens */
	MrenSentenceRows weak;		   /* that come first */
	MrenSentenceRows train;
	MrenSentenceRows validation;
	MrenMarkerStep step;

	MrenParameterTable head; /* weight and bias of the output layer */
	float *head_values;
	float *head_grads;
	MrenOptimizerState head_optimizer;
	uint64_t n_steps; /* of the whole stage: the rate falls to 0 by then */
	uint64_t n_done;

	const MrenMarkerClassifier *warm; /* that training starts from; NULL: none */
	double loss;					  /* of the best epoch's validation rows, calibrated */
	bool kept;						  /* the weights of some epoch */
	int best_epoch;					  /* 0: that before the first epoch of the stage */
	float *best_head;				  /* as head_values */
	float *start_head;	/* likewise: learned from weak rows that come first; or NULL */
	float *start_tuned; /* with it, as a model stores them */
	float *kept_scores; /* (kept rows, n_relations) of this pass */
	float *best_scores; /* of the best epoch */
	double share;		/* of the classifier in the sum of all logits, 0 .. 1 */
} MrenMarkerTraining;

/* Each does nothing if no marker classifier is trained. */

/* After the scan: shape, and memory for what the rows' pass measures. */
extern MrenStatus mren_trainer_marker_choose(MrenTrainer *trainer, MrenError *err);
/* In the measurement: row i. */
extern void mren_trainer_marker_measure(MrenTrainer *trainer, size_t i, const MrenExample *example);
/* After the measurement: the rows in order, and the encoder's trainer. */
extern MrenStatus mren_trainer_marker_open(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_marker_free(MrenTrainer *trainer);

/*
 * trainer_warm.c: starts from the classifier of the network that training starts from, if it
 * fits; the report says why not.  The second is for the output layer, in which the relations
 * that both have are taken over.
 */
extern void mren_trainer_marker_warm(MrenTrainer *trainer);
extern void mren_trainer_marker_warm_head(MrenTrainer *trainer);

/* Whether there is one to be trained. */
extern bool mren_trainer_marker_wanted(const MrenTrainer *trainer);
/* Epochs of a fit on the rows of trainer->epochs. */
extern int mren_trainer_marker_epochs(const MrenTrainer *trainer);
/* Begins its epochs in the stage that trainer->epochs describes. */
extern MrenStatus mren_trainer_marker_begin(MrenTrainer *trainer, MrenError *err);
/* A batch of an epoch or of its validation; the event says when the epoch has ended. */
extern MrenStatus mren_trainer_marker_step(MrenTrainer *trainer, MrenProgress *progress,
										   MrenError *err);
/* Begins the next epoch, or the stage anew at a lower rate, unless it is done. */
extern MrenStatus mren_trainer_marker_end_epoch(MrenTrainer *trainer, bool *done, MrenError *err);
/* As mren_trainer_end_pretraining. */
extern MrenStatus mren_trainer_marker_end_pretraining(MrenTrainer *trainer, MrenError *err);
/* Without an epoch that is kept there is no classifier. */
extern void mren_trainer_marker_stop(MrenTrainer *trainer);

/* trainer_marker_rows.c: the rows of an epoch or a pass, in steps. */
extern MrenStatus mren_marker_rows_create(MrenTrainer *trainer, MrenError *err);
extern void mren_marker_rows_free(MrenTrainer *trainer);
/* All validation rows train in the refit. */
extern MrenStatus mren_marker_rows_join(MrenTrainer *trainer, MrenError *err);
/* Begins a pass; order NULL: as they are. */
extern void mren_marker_rows_begin(MrenSentenceRows *rows, MrenRandom *order);
/* Loads the next rows, at least one and about the batch size; n is 0 at the end. */
extern MrenStatus mren_marker_rows_next(MrenTrainer *trainer, MrenSentenceRows *rows, bool train,
										MrenError *err);

/* Joins the best epoch's scores with kept.best. */
extern MrenStatus mren_trainer_marker_join(MrenTrainer *trainer, MrenError *err);
/* Its share in the sum of all logits; 0: there is none. */
extern double mren_trainer_marker_share(const MrenTrainer *trainer);
/* Into the network, whose shape of the classifier is set first. */
extern void mren_trainer_marker_shape(const MrenTrainer *trainer, MrenMarkerShape *shape);
extern MrenStatus mren_trainer_marker_finish(const MrenTrainer *trainer, MrenNet *net,
											 MrenError *err);

#endif
