/*
 * progress.h
 *	  What a step of a training reports.
 */
#ifndef MREN_TRAINING_PROGRESS_H
#define MREN_TRAINING_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum MrenTrainEvent
{
	MREN_TRAIN_SCAN,  /* reading rows before the first epoch */
	MREN_TRAIN_STEP,  /* a mini-batch, or a batch of validation */
	MREN_TRAIN_EPOCH, /* an epoch and its validation are over */
	MREN_TRAIN_DONE,  /* training has ended: the model can be taken */
} MrenTrainEvent;

typedef struct MrenProgress
{
	MrenTrainEvent event;
	int phase;	/* 1: with validation (or all there is), 2: refit */
	int epoch;	/* 1-based */
	int epochs; /* at most, in this phase */
	int member; /* of an ensemble, 1-based */
	int members;
	size_t rows_done; /* of this epoch (or of the scan) */
	size_t rows_total;
	/*
	 * At most, over all epochs of the members and the phase that follow; infinite while a text
	 * encoder is to follow, whose rows take a time of their own.
	 */
	double rows_later;
	double
		loss; /* mean over the rows of this epoch so far; 0 before any, NaN if none is computed */
	/* At MREN_TRAIN_EPOCH of phase 1 with validation rows: */
	bool validated;
	double validation_loss;
	double validation_accuracy;
	double validation_f1; /* micro, without the negative relation */
	bool improved;		  /* the best epoch so far */
	bool restarted;		  /* at MREN_TRAIN_EPOCH: the text encoder begins again, at a lower rate */
	/* Of an epoch that was trained at the same time as others (courses.h): */
	bool elsewhere;
	double seconds; /* that it took there */
} MrenProgress;

#endif
