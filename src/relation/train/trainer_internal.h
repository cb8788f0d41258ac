/*
 * trainer_internal.h
 *	  The trainer's state, shared by the files that make it up: reading rows
 *	  (trainer_data.c), their order (trainer_order.c), epochs (trainer.c) and what
 *	  they are validated with (trainer_validate.c).
 */
#ifndef MREN_RELATION_TRAIN_TRAINER_INTERNAL_H
#define MREN_RELATION_TRAIN_TRAINER_INTERNAL_H

#include "relation/branch_linear.h"
#include "nn/loss.h"
#include "base/names.h"
#include "relation/batch.h"
#include "nn/optimizer.h"
#include "relation/net.h"
#include "relation/train/trainer.h"

/* Streams of random numbers; those of network.c are from 0x1000 on. */
enum
{
	MREN_STREAM_SPLIT = 1,
	MREN_STREAM_DROPOUT = 0x10, /* plus the phase */
	MREN_STREAM_WITHHOLD = 0x20,
	MREN_STREAM_REFIT = 0x30,
	MREN_STREAM_SHUFFLE = 0x40, /* plus the phase; seeded anew for each epoch */
	MREN_STREAM_MEMBER = 0x50,	/* plus the member; gives its seed */
};

#define MREN_BLOCK_ROWS 1024 /* of canonical order that stay together on disk */
#define MREN_POOL_BLOCKS 16	 /* shuffled together */
#define MREN_CHECK_ROWS 256	 /* loaded into a batch between two questions */
#define MREN_POOL_BYTES ((size_t) 32 << 20)

typedef enum MrenRole
{
	MREN_ROLE_NONE,
	MREN_ROLE_TRAIN,
	MREN_ROLE_VALIDATION,
} MrenRole;

typedef enum MrenStage
{
	MREN_STAGE_SCAN,	/* names, splits, groups */
	MREN_STAGE_MEASURE, /* roles, means and deviations */
	MREN_STAGE_TRAIN,
	MREN_STAGE_VALIDATE,
	MREN_STAGE_DONE,
} MrenStage;

/* Sums over training rows, in canonical order and double precision. */
typedef struct MrenMoments
{
	double *sum;
	double *square;
	uint64_t n;
} MrenMoments;

/* The rows an epoch has read but not yet used. */
typedef struct MrenRowPool
{
	uint32_t *blocks; /* (n_blocks) this epoch's order */
	size_t n_blocks;
	size_t next_block;
	MrenBuffer records;
	uint64_t *offsets; /* (n) of records */
	uint32_t *order;   /* (n) into offsets, shuffled */
	size_t n;
	size_t next;
	MrenRandom random;
} MrenRowPool;

/* A pass over the validation rows. */
typedef struct MrenValidation
{
	size_t next; /* row of the source */
	double loss;
	double weight;
	size_t n;
	size_t n_correct;
	size_t n_actual; /* rows not of the negative relation */
	size_t n_predicted;
	size_t n_hit; /* correct ones of them */
} MrenValidation;

/* The linear branch in training (trainer_linear.c); weights are of the layout. */
typedef struct MrenLinearTraining
{
	uint8_t *counts; /* (2^bits) rows that have a feature there, at most 255 */
	MrenLinearIndex index;
	uint32_t *slots; /* (shape.wide_rows) */
	bool has_boxes;	 /* some row has features of boxes */
	float *squares;	 /* as the weights */
	float *best;
	uint32_t *rows;		/* (batch.capacity, MREN_MAX_ROW_FEATURES) of weights */
	uint32_t *n_rows;	/* (batch.capacity) */
	float *scores;		/* (batch.capacity, n_relations) */
	float *dscores;		/* likewise */
	float *kept_scores; /* (keep_rows, n_relations) of this pass */
	float *best_scores; /* of the branch's best epoch */
	MrenObjective objective;
	double best_loss; /* of a validation's rows, calibrated */
	int best_epoch;	  /* 0: not validated */
	double share;	  /* of the branch in the sum, 0 .. 1; the network has the rest */
} MrenLinearTraining;

/*
 * The member that sees no images (trainer_text_only.c): what changes places with the
 * trainer's own of the same names while it is trained, and is made just before.
 */
typedef struct MrenTextOnly
{
	bool active;  /* they have changed places */
	double share; /* of its logits in the sum; the other members have the rest */
	MrenNetShape shape;
	MrenNetLayout layout;
	float *values;
	float *grads;
	MrenBatch batch;
	MrenOptimizerState optimizer;
} MrenTextOnly;

struct MrenTrainer
{
	MrenEnv env;
	MrenOptions options;
	MrenSource source;
	MrenWordVectors vectors;
	uint8_t embeddings_sha256[32];
	uint8_t lexicons_sha256[MREN_MAX_NET_LEXICONS][32];
	size_t n_lexicons;
	uint8_t encoder_sha256[32];
	size_t image_dim;

	const MrenNet *warm; /* weights to start from; NULL: none */
	bool stopping;		 /* mren_trainer_stop */

	MrenStage stage;
	int phase;
	int epoch;	/* 1-based, of the phase */
	int epochs; /* of the phase at most */
	size_t next_row;
	MrenTrainReport report;

	/* Known after the scan */
	MrenNames relations;
	MrenNames types;
	bool has_validation_split;
	bool has_grids;			 /* some row has one, and the fusion looks at it */
	bool has_boxes;			 /* some row has one */
	uint64_t smallest_group; /* of the groups' hashes */
	uint64_t largest_group;
	uint64_t validation_below; /* groups whose hash is below validate */
	double square_sum;		   /* of known words' vectors */
	uint64_t square_n;
	float scale;
	int32_t negative;
	MrenObjective objective;
	size_t n_usable;			/* rows that are not test rows */
	MrenWordCounts word_counts; /* if vectors are tuned: of the usable rows */
	int32_t *fine_tuned_ids;	/* (shape.n_tuned) */

	/* Known after the measurement */
	uint8_t *roles;		  /* (source.n) MrenRole */
	uint64_t *identities; /* (n_usable) */
	size_t n_identities;
	MrenMoments text;
	MrenMoments image;
	MrenMoments grid;	  /* of cells */
	MrenMoments box;	  /* of geometries */
	double *class_count;  /* (n_relations) sum of the training rows' weights */
	float *class_weights; /* (n_relations) */
	double mean_weight;	  /* of a training row: the loss is in its units */

	MrenNetShape shape;
	MrenNetLayout layout;
	float *values;
	float *grads;
	float *averaged; /* as values, of the trained tensors their mean over steps; NULL: none */
	MrenOptimizerState optimizer;
	size_t member;			/* of an ensemble, that is trained now; 0-based */
	size_t n_image_members; /* members but the text-only one */
	size_t n_members;
	MrenTextOnly text_only;
	float *slots;	  /* (n_members, slot_size) */
	size_t slot_size; /* layout.table.trained_size of the largest */
	int best_epochs[MREN_MAX_MEMBERS + 1];
	double loss_of_members; /* sum of the best ones of those that are not blind */
	MrenBatch batch;
	int32_t *labels;  /* (batch.capacity) */
	float *weights;	  /* (batch.capacity) */
	float *raw_image; /* (image_dim) */
	float *image_inverse;
	uint16_t *raw_grid; /* (cells, channels) */
	MrenDrop drop;
	MrenRandom withhold;
	MrenRowPool pool;

	/* The running epoch */
	double loss_sum;
	double loss_weight;
	size_t rows_done;

	MrenValidation validation;
	double best_choice;	  /* what the best epoch was chosen by: the least so far */
	size_t keep_rows;	  /* validation rows whose logits are kept */
	float *kept_logits;	  /* (keep_rows, n_relations) of this pass */
	float *best_logits;	  /* of the best epoch; in the end of all members together */
	float *sum_logits;	  /* of members but the text-only one; NULL for one alone */
	int32_t *kept_labels; /* (keep_rows) */
	float *kept_weights;

	MrenLinearTraining linear;
};

/* trainer_data.c: a block of rows each; *done when the pass is over. */
extern MrenStatus mren_trainer_scan(MrenTrainer *trainer, bool *done, MrenError *err);
extern MrenStatus mren_trainer_measure(MrenTrainer *trainer, bool *done, MrenError *err);

/*
 * Encodes a record into row `row` of the batch, its label and weight beside;
 * train: class weights and withheld images apply.
 */
extern MrenStatus mren_trainer_load(MrenTrainer *trainer, const uint8_t *record, size_t len,
									size_t row, bool train, MrenError *err);

/*
 * trainer.c: the batch's loss and its gradient, in pieces between which it asks; the weight
 * of the batch's rows; MREN_ENUMERIC for a loss that is not finite.
 */
extern MrenStatus mren_trainer_loss(MrenTrainer *trainer, const MrenObjective *objective,
									const float *logits, float scale, float *dlogits, double *loss,
									MrenError *err);
extern double mren_trainer_weight(const MrenTrainer *trainer);
extern MrenStatus mren_trainer_check_loss(const MrenTrainer *trainer, double loss, MrenError *err);

/*
 * trainer_validate.c: a batch of validation rows, *done when there are no more; then the
 * pass's figures, and what was the best epoch so far is kept.
 */
extern MrenStatus mren_trainer_validate(MrenTrainer *trainer, bool *done, MrenError *err);
extern MrenStatus mren_trainer_validated(MrenTrainer *trainer, MrenProgress *progress,
										 MrenError *err);

/*
 * trainer_members.c: the seed of the member that is trained now; the weights of one, and
 * writing them there.  A member's first phase has ended; goes on to the next, if
 * there is one; what all have in common once there is none.
 */
extern MrenStatus mren_trainer_members_allocate(MrenTrainer *trainer, MrenError *err);
/* Once the rows' roles are known. */
extern void mren_trainer_members_begin(MrenTrainer *trainer);
extern void mren_trainer_members_free(MrenTrainer *trainer);
extern uint64_t mren_trainer_seed(const MrenTrainer *trainer);
extern float *mren_trainer_slot(const MrenTrainer *trainer, size_t member);
extern void mren_trainer_keep_values(MrenTrainer *trainer);
extern void mren_trainer_end_member(MrenTrainer *trainer);
extern bool mren_trainer_next_member(MrenTrainer *trainer);
extern MrenStatus mren_trainer_join_members(MrenTrainer *trainer, MrenError *err);
/* Forgets a member, not the first, that is to be stopped before its first validation. */
extern void mren_trainer_drop_member(MrenTrainer *trainer);
/* Accuracy and F1 of best_logits. */
extern void mren_trainer_report_kept(MrenTrainer *trainer);

/*
 * sum = (1 - share) * first + share * second, of the kept validation rows' logits; and the share
 * that makes them most likely, calibrated.  scratch is as long as they.
 */
extern void mren_trainer_mix(const MrenTrainer *trainer, const float *first, const float *second,
							 double share, float *sum);
extern MrenStatus mren_trainer_fit_share(MrenTrainer *trainer, const float *first,
										 const float *second, float *scratch, double *share,
										 MrenError *err);

/*
 * trainer_text_only.c: whether a text-only member is wanted; whether the member that is trained
 * now is it; what it is trained with goes in or out of the trainer as that says.
 */
extern bool mren_trainer_wants_text_only(const MrenTrainer *trainer);
extern bool mren_trainer_is_text_only(const MrenTrainer *trainer);
extern MrenStatus mren_trainer_select_member(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_text_only_free(MrenTrainer *trainer);
/* Its share fitted; best_logits become those of the sum. */
extern MrenStatus mren_trainer_text_only_join(MrenTrainer *trainer, MrenError *err);

/*
 * trainer_ema.c: the mean of the trained weights over a phase's steps, if there is to be
 * one: begun from the first weights, moved by a step that the optimizer has taken.
 */
extern MrenStatus mren_trainer_ema_allocate(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_ema_begin(MrenTrainer *trainer);
extern MrenStatus mren_trainer_ema_step(MrenTrainer *trainer, MrenError *err);
/* The weights that validate and are kept: the mean, or the last step's. */
extern float *mren_trainer_evaluation_weights(const MrenTrainer *trainer);

/* trainer_warm.c: takes over the weights that mren_trainer_warm named. */
extern void mren_trainer_take_warm(MrenTrainer *trainer);

/*
 * trainer_linear.c: the linear branch is trained beside the rest, by a loss of its
 * own, so that neither branch leaves the other without an error to learn from;
 * at the end their scores are added with the shares that validation likes best.
 * Every function does nothing without the branch.
 */
extern MrenStatus mren_trainer_linear_scan(MrenTrainer *trainer, const MrenExample *example,
										   MrenError *err);
/* After the scan: shape.wide_rows. */
extern MrenStatus mren_trainer_linear_choose(MrenTrainer *trainer, MrenError *err);
extern MrenStatus mren_trainer_linear_allocate(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_linear_free(MrenTrainer *trainer);
extern void mren_trainer_linear_begin(MrenTrainer *trainer);
/* sees: with its image, so with the features of its boxes. */
extern void mren_trainer_linear_load(MrenTrainer *trainer, const MrenExample *example, size_t row,
									 bool with_image);
/* A step on the batch, its labels and weights. */
extern MrenStatus mren_trainer_linear_train(MrenTrainer *trainer, MrenError *err);
/* Scores a batch of validation rows, the first of which is row `first`; then the pass's end. */
extern MrenStatus mren_trainer_linear_validate(MrenTrainer *trainer, size_t first, MrenError *err);
extern MrenStatus mren_trainer_linear_validated(MrenTrainer *trainer, MrenError *err);
/* Whether the branch may still improve. */
extern bool mren_trainer_linear_may_improve(const MrenTrainer *trainer);
/* Best weights back, share fitted; best_logits become those of the sum. */
extern MrenStatus mren_trainer_linear_join(MrenTrainer *trainer, MrenError *err);
/* Best weights back, once more: a second phase has been given up. */
extern void mren_trainer_linear_restore(MrenTrainer *trainer);
/* Rows of weights that are not all zero. */
extern size_t mren_trainer_linear_used(const MrenTrainer *trainer);
/*
 * Writes those rows, weighed by the branch's share, into a network of that many.
 */
extern MrenStatus mren_trainer_linear_finish(const MrenTrainer *trainer, MrenNet *net,
											 MrenError *err);

/* trainer_order.c: begins an epoch; the next training record or NULL at its end. */
extern MrenStatus mren_trainer_pool_create(MrenTrainer *trainer, MrenError *err);
extern void mren_trainer_pool_begin(MrenTrainer *trainer);
extern MrenStatus mren_trainer_pool_next(MrenTrainer *trainer, const uint8_t **record, size_t *len,
										 MrenError *err);
extern void mren_trainer_pool_free(MrenTrainer *trainer);

#endif
