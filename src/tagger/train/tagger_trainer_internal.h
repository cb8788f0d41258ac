/*
 * tagger_trainer_internal.h
 *	  A tagger's trainer, shared by tagger_trainer_rows.c, which reads rows, and
 *	  tagger_trainer.c, which trains on them.
 */
#ifndef MREN_TAGGER_TRAIN_TAGGER_TRAINER_INTERNAL_H
#define MREN_TAGGER_TRAIN_TAGGER_TRAINER_INTERNAL_H

#include "base/random.h"
#include "base/names.h"
#include "nn/optimizer.h"
#include "tagger/tag_encoder.h"
#include "tagger/tag_example.h"
#include "tagger/tag_tables.h"
#include "tagger/train/tagger_trainer.h"
#include "transformer/train/encoder_tuning.h"

/* Random streams beside mren_tag_init's. */
enum
{
	MREN_TAG_STREAM_SPLIT = 100,
	MREN_TAG_STREAM_ORDER = 200, /* and the phase */
	MREN_TAG_STREAM_DROP = 300,
	MREN_TAG_STREAM_ENCODER = 400,
};

typedef enum MrenTagState
{
	MREN_TAG_SCAN,
	MREN_TAG_TRAIN,
	MREN_TAG_VALIDATE,
	MREN_TAG_DONE,
} MrenTagState;

/* The text encoder's part of the training. */
typedef struct MrenTagEncoderTraining
{
	const MrenEncoderSource *source; /* NULL: there is none, and nothing else is set */
	uint8_t sha256[32];
	MrenTagEncoderShape shape;
	MrenEncoderTuning fine_tuning; /* its best values are moving means */
	float *averaged; /* moving mean of the trained values; they change places in validation */
	MrenTagTokenBatch batch;
	float *vectors; /* of tokens (tokens_capacity, width), and their gradients */
	float *dvectors;
	size_t tokens_capacity;
	float *encoded; /* of words (words_capacity, width), and their gradients */
	float *dencoded;
	size_t words_capacity;
} MrenTagEncoderTraining;

struct MrenTagTrainer
{
	MrenEnv env;
	MrenTagOptions options;
	MrenSource source;
	size_t memory;				/* of the text encoder's fine-tuning; 0: no limit */
	const MrenTuningTeam *team; /* of it; NULL: none */
	MrenWordVectors vectors;
	bool has_embeddings;
	uint8_t embeddings_sha256[32];
	size_t n_lexicons;
	uint8_t lexicons_sha256[MREN_MAX_TAG_LEXICONS][32];
	MrenTagState state;
	MrenTagReport report;

	/* The scan */
	size_t next_row;
	MrenNames types;
	bool has_validation_split;
	uint64_t *groups; /* (source.n) hashes by the seed */
	MrenSplit *splits;
	double square_sum;
	uint64_t square_n;
	uint32_t *train; /* (n_train) row numbers */
	uint32_t *validation;
	size_t n_train, n_validation, n_usable;
	uint32_t *usable; /* all rows but test ones, in their order */

	/* The network */
	MrenTagShape shape;
	MrenTagLayout layout;
	float *values;
	float *averaged;
	float *best;
	float *grads;
	MrenOptimizerState optimizer;
	MrenTagTables tables;
	uint64_t n_steps;
	MrenTagBatch batch;
	MrenTagEncoderTraining encoder;

	/* The epoch at hand */
	int phase; /* 1 or 2 */
	int epoch;
	int epochs; /* of this phase */
	uint32_t *order;
	size_t n_order;
	size_t at; /* in order, or in validation */
	double loss;
	double weight;
	MrenRandom drop;

	/* The batch's sentences: records are copied, as the source reuses its own */
	MrenTagInput *inputs;
	float *weights;
	size_t *offsets; /* of each record in bytes */
	MrenBuffer bytes;
	uint32_t *tags;
	size_t tags_capacity;
	size_t n_sentences;

	/* Validation */
	double validation_loss;
	size_t n_gold, n_found, n_correct;
	MrenTagSpan *gold;
	MrenTagSpan *found;
	size_t spans_capacity, found_capacity;
	uint32_t *path;
	size_t path_capacity;
	int since_best;
};

/* Row i of the source; the example is valid until the next read. */
extern MrenStatus mren_tag_trainer_read(MrenTagTrainer *trainer, size_t i, MrenTagExample *example,
										MrenError *err);

/*
 * mren_tag_trainer_scan
 *	  Some more rows of the first pass: their types, splits and words.  With the
 *	  last one the rows are divided into those of training and of validation.
 */
extern MrenStatus mren_tag_trainer_scan(MrenTagTrainer *trainer, MrenError *err);

/* tagger_trainer_encoder.c; each does nothing without a text encoder. */

/* At first: which part is trained. */
extern void mren_tag_trainer_encoder_choose(MrenTagTrainer *trainer,
											const MrenTagTrainerInputs *inputs);
/* Reads what is pretrained. */
extern MrenStatus mren_tag_trainer_encoder_open(MrenTagTrainer *trainer, MrenError *err);
extern void mren_tag_trainer_encoder_free(MrenTagTrainer *trainer);
/* Begins a phase from what is pretrained; sets the scale of the vectors among the values. */
extern MrenStatus mren_tag_trainer_encoder_begin(MrenTagTrainer *trainer, MrenError *err);
/* The vectors of the batch's words, into its inputs; with dropout in training. */
extern MrenStatus mren_tag_trainer_encoder_forward(MrenTagTrainer *trainer, bool train,
												   MrenError *err);
/* Gradients, from those of the words' vectors, and a step; `done` of the epochs is over. */
extern MrenStatus mren_tag_trainer_encoder_step(MrenTagTrainer *trainer, double done, double keep,
												MrenError *err);
/* Changes between the trained values and their moving mean. */
extern MrenStatus mren_tag_trainer_encoder_swap(MrenTagTrainer *trainer, MrenError *err);
/* The moving mean becomes the best. */
extern void mren_tag_trainer_encoder_keep(MrenTagTrainer *trainer);
/* Whether the phase is to begin again at a lower rate, since it found nothing. */
extern bool mren_tag_trainer_encoder_again(MrenTagTrainer *trainer);
extern MrenStatus mren_tag_trainer_encoder_finish(MrenTagTrainer *trainer, MrenTagger *tagger,
												  MrenError *err);

/*
 * mren_tag_trainer_fill
 *	  Makes a batch of the next sentences of a list of rows, from at on, as many
 *	  as a batch holds: inputs, weights, tags, n_sentences.
 */
extern MrenStatus mren_tag_trainer_fill(MrenTagTrainer *trainer, const uint32_t *rows, size_t n,
										MrenError *err);

#endif
