/*
 * trainer.h
 *	  Training a network, in steps that are short enough to check for interrupts
 *	  between them.
 *
 * The same rows, options and seed give the same network bit for bit, in
 * whatever order rows arrive and wherever they are stored.
 */
#ifndef MREN_RELATION_TRAIN_TRAINER_H
#define MREN_RELATION_TRAIN_TRAINER_H

#include "relation/net.h"
#include "relation/options.h"
#include "evaluation/calibration.h"
#include "training/courses.h"
#include "training/progress.h"
#include "data/source.h"
#include "data/word_vectors.h"
#include "transformer/train/tuning_team.h"

typedef struct MrenTrainer MrenTrainer;

typedef struct MrenTrainerInputs
{
	/* source and vectors outlive the trainer; the structs are copied */
	MrenSource source;
	MrenWordVectors vectors;		  /* of every piece id in the source */
	size_t image_dim;				  /* 0: no image in this training */
	size_t audio_dim;				  /* 0: no recording in this training */
	const uint8_t *embeddings_sha256; /* 32 bytes */
	const uint8_t *encoder_sha256;	  /* 32 bytes, or NULL without images */
	const uint8_t *audio_sha256;	  /* of the audio encoder; NULL without recordings */
	const uint8_t *lexicons_sha256;	  /* (n_lexicons, 32) of the lexicons that the features use */
	size_t n_lexicons;				  /* at most MREN_MAX_NET_LEXICONS */
	/* a pretrained text encoder, with whose tokens the rows come; NULL: none */
	const MrenEncoderSource *encoder;
	const uint8_t *text_encoder_sha256; /* 32 bytes; with an encoder */
	size_t memory;						/* bytes that fine-tuning it may take; 0: no limit */
	const MrenTuningTeam *team; /* that fine-tunes it, and outlives the trainer; NULL: none */
} MrenTrainerInputs;

typedef struct MrenTrainReport
{
	size_t n_rows;	/* read, test rows too */
	size_t n_train; /* rows that train, weak ones too */
	size_t n_weak;	/* of these, weak rows */
	size_t
		n_weak_unused; /* weak rows that could train but for the validation rows of their group */
	size_t n_targets;  /* rows that train with a distribution over relations */
	size_t n_validation;
	size_t n_relations;
	size_t n_types;
	size_t n_rows_with_image;
	size_t n_rows_with_audio;
	size_t n_words;			/* words of all rows used */
	size_t n_unknown_words; /* of these, words without a vector */
	size_t n_windowed;		/* rows with more tokens than the text encoder reads */
	double linear_share;	/* weight of the linear branch in the logits, 0 .. 1 */
	int linear_epoch;		/* its best epoch */
	bool has_linear;		/* there is one, and it was validated */
	double encoder_share;	/* weight of the marker classifier in the sum of all logits, 0 .. 1 */
	int encoder_epoch;		/* its best epoch; 0: there is none */
	int encoder_restarts;	/* at a lower rate, because it ended at chance */
	bool has_text_only;		/* a text-only member was trained */
	/* weight of the members that use images and recordings against the text-only one, 0 .. 1 */
	double multimodal_share;
	size_t features_dim;
	size_t n_parameters;
	int best_epoch;	   /* of phase 1, of the first member */
	size_t n_members;  /* with the text-only member; fewer than planned if training was stopped */
	int epochs_run;	   /* of phase 1, all members' */
	int refit_epochs;  /* all members'; 0: no refit */
	double train_loss; /* of the last epoch run */
	bool validated;
	double validation_loss; /* at the best epoch, before calibration; the mean of members */
	double validation_accuracy;
	double validation_f1;
	double validation_majority; /* share of the most frequent relation in the validation rows */
	double validation_entropy;	/* of the shares of the relations in them, in nats */
	double blank_loss;			/* of a network that gives all relations the same score */
	MrenCalibration calibration;
	bool warm;		   /* it started from the weights of another network */
	char cold[160];	   /* why it did not, if it should have; else empty */
	bool encoder_warm; /* the same of the text encoder's fine-tuning */
	char encoder_cold[160];
	bool decided;				/* thresholds were fitted */
	MrenDecisionScore decision; /* of the kept validation rows under them */
} MrenTrainReport;

/* Beside weak rows, fewer gold rows that validate do not calibrate. */
#define MREN_FEWEST_GOLD_ROWS 10

/*
 * mren_trainer_create
 *	  Begins a training; nothing is read yet.  options are copied but for
 *	  options->negative, which must outlive the trainer.  MREN_EDATA if the
 *	  source has no row.
 */
extern MrenStatus mren_trainer_create(const MrenEnv *env, const MrenOptions *options,
									  const MrenTrainerInputs *inputs, MrenTrainer **trainer,
									  MrenError *err);

/*
 * mren_trainer_step
 *	  A piece of work of at most about 50 ms.  MREN_EDATA for rows that cannot
 *	  be trained on (one relation only, a negative relation that no row has, no
 *	  training row beside the validation rows); MREN_ENUMERIC when the loss is
 *	  no longer finite.  After a failure only mren_trainer_free may follow.
 */
extern MrenStatus mren_trainer_step(MrenTrainer *trainer, MrenProgress *progress, MrenError *err);

/*
 * mren_trainer_warm
 *	  To be called before the first step: training starts from the weights of
 *	  this network, which outlives the trainer, if it has the same shape,
 *	  embeddings, encoder and entity types.  In the output layer the relations
 *	  that both have are taken over.  If the network does not fit, training
 *	  starts from random weights and the report says why.  The same holds for
 *	  the text encoder, whose fine-tuning then takes a third of its epochs.
 */
extern void mren_trainer_warm(MrenTrainer *trainer, const MrenNet *net);

/*
 * mren_trainer_stop
 *	  Ends the training early: the best epoch so far is kept, there is no second
 *	  phase, and the next steps lead to MREN_TRAIN_DONE.  The first epoch is
 *	  still finished.
 */
extern void mren_trainer_stop(MrenTrainer *trainer);

/*
 * mren_trainer_lead
 *	  To be called before the first step: courses of the training may be trained
 *	  elsewhere at the same time.  The network is the same, bit for bit.  The table is
 *	  copied.  Text encoders are fine-tuned by the trainer itself.
 */
extern void mren_trainer_lead(MrenTrainer *trainer, const MrenCourses *courses);

/*
 * mren_trainer_serve
 *	  Instead of steps, with the inputs and options of a trainer that leads, but no text
 *	  encoder: trains courses of its training until none is left.
 */
extern MrenStatus mren_trainer_serve(MrenTrainer *trainer, const MrenCourses *courses,
									 MrenError *err);

/* Courses that a training with these options has beside the first fit, at most. */
extern size_t mren_trainer_n_courses(const MrenOptions *options, const MrenTrainerInputs *inputs);

/* The trained network, after a step has reported MREN_TRAIN_DONE. */
extern MrenStatus mren_trainer_finish(MrenTrainer *trainer, MrenNet **net, MrenError *err);
extern void mren_trainer_report(const MrenTrainer *trainer, MrenTrainReport *report);
extern void mren_trainer_free(MrenTrainer *trainer);

#endif
