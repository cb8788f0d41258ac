/*
 * tagger_trainer.h
 *	  Training a tagger, in steps that are short enough to check for interrupts
 *	  between them.
 *
 * The same rows, options and seed give the same tagger bit for bit, in whatever
 * order rows arrive and wherever they are stored.  Validation determines the
 * best number of epochs; then, unless option refit is false, a second tagger is
 * trained for as many epochs on all rows.  The weights that are validated and
 * kept are an exponential moving mean over the steps (Polyak and Juditsky
 * 1992).
 *
 * A text encoder is fine-tuned in the same steps; see tagger_trainer_encoder.c.
 */
#ifndef MREN_TAGGER_TRAIN_TAGGER_TRAINER_H
#define MREN_TAGGER_TRAIN_TAGGER_TRAINER_H

#include "data/source.h"
#include "tagger/tag_options.h"
#include "tagger/tagger.h"
#include "training/progress.h"
#include "transformer/train/tuning_team.h"

typedef struct MrenTagTrainer MrenTagTrainer;

typedef struct MrenTagTrainerInputs
{
	MrenSource source;				  /* of tag_example.h; outlives the trainer */
	MrenWordVectors vectors;		  /* of every word in the source; dim 0: no embeddings */
	const uint8_t *embeddings_sha256; /* 32 bytes, or NULL without */
	size_t n_lexicons;
	const uint8_t (*lexicons_sha256)[32]; /* (n_lexicons) */
	/* The text encoder that the rows are tokenized for; outlives the trainer; NULL: none */
	const MrenEncoderSource *encoder;
	const uint8_t *text_encoder_sha256; /* 32 bytes, with encoder */
	size_t memory;						/* bytes that fine-tuning it may take; 0: no limit */
	const MrenTuningTeam *team; /* that fine-tunes it, and outlives the trainer; NULL: none */
} MrenTagTrainerInputs;

typedef struct MrenTagReport
{
	size_t n_rows; /* read, test rows too */
	size_t n_train;
	size_t n_validation;
	size_t n_types;
	size_t n_mentions;
	size_t n_words;
	size_t n_unknown_words; /* without a vector */
	size_t n_parameters;
	int best_epoch;
	int epochs_run;
	int refit_epochs;
	int encoder_restarts; /* of a training that found nothing, each at a lower rate */
	size_t n_windowed;	  /* rows that the text encoder reads in several windows */
	double train_loss;	  /* nats a sentence, of the last epoch run */
	bool validated;
	double validation_loss;
	double validation_f1; /* micro, of exact mentions with their types */
} MrenTagReport;

/* As mren_trainer_create. */
extern MrenStatus mren_tag_trainer_create(const MrenEnv *env, const MrenTagOptions *options,
										  const MrenTagTrainerInputs *inputs,
										  MrenTagTrainer **trainer, MrenError *err);

/*
 * mren_tag_trainer_step
 *	  A mini-batch or less.  Progress is as mren_trainer_step's, with the F1 of
 *	  mentions; no accuracy.  MREN_EDATA for rows that cannot be trained on (no
 *	  mention at all); MREN_ENUMERIC when the loss is no longer finite.
 */
extern MrenStatus mren_tag_trainer_step(MrenTagTrainer *trainer, MrenProgress *progress,
										MrenError *err);

extern MrenStatus mren_tag_trainer_finish(MrenTagTrainer *trainer, MrenTagger **tagger,
										  MrenError *err);
extern void mren_tag_trainer_report(const MrenTagTrainer *trainer, MrenTagReport *report);
extern void mren_tag_trainer_free(MrenTagTrainer *trainer);

#endif
