/*
 * trainer_state.h
 *	  The trainer's state, shared by the files that make it up.
 *
 * A run passes over its rows (trainer_scan.c, trainer_measure.c), then trains
 * members one after the other (trainer_members.c), each in epochs whose order
 * trainer_order.c gives and whose best trainer_validate.c keeps.  The linear
 * branch (trainer_linear.c) is trained beside the first member.  Which stage
 * follows which is decided in trainer_stages.c and nowhere else; what a stage
 * means for an epoch is written into MrenEpochs when the stage begins, so that
 * but for the steps in trainer.c no other file depends on the stage.
 */
#ifndef MREN_RELATION_TRAIN_TRAINER_STATE_H
#define MREN_RELATION_TRAIN_TRAINER_STATE_H

#include "base/names.h"
#include "evaluation/calibration.h"
#include "nn/loss.h"
#include "nn/optimizer.h"
#include "relation/batch.h"
#include "relation/branch_linear.h"
#include "relation/net.h"
#include "relation/train/trainer.h"
#include "relation/train/trainer_marker.h"

/* Streams of random numbers; those of batch.c are from 0x1000 on. */
enum
{
	MREN_STREAM_SPLIT = 1,
	MREN_STREAM_DROPOUT = 0x10, /* plus the phase */
	MREN_STREAM_WITHHOLD = 0x20,
	MREN_STREAM_REFIT = 0x30,
	MREN_STREAM_SHUFFLE = 0x40, /* plus the phase; seeded anew for each epoch */
	MREN_STREAM_MEMBER = 0x50,	/* plus the member; gives its seed */
	MREN_STREAM_MARKER = 0x80,
	MREN_STREAM_MARKER_HEAD = 0x81,
	MREN_STREAM_MARKER_SHUFFLE = 0x90, /* plus the phase; seeded anew for each epoch */
	MREN_STREAM_MARKER_DROPOUT = 0xA0, /* plus the phase; seeded anew for each step */
};

#define MREN_BLOCK_ROWS 1024 /* consecutive rows of the canonical order that are read together */
#define MREN_POOL_BLOCKS 16	 /* shuffled together */
#define MREN_CHECK_ROWS 256	 /* loaded into a batch between two checks for interrupts */
#define MREN_POOL_BYTES ((size_t) 32 << 20)

typedef enum MrenRole
{
	MREN_ROLE_NONE,
	MREN_ROLE_TRAIN, /* a gold row */
	MREN_ROLE_WEAK,	 /* trains, too */
	MREN_ROLE_VALIDATION,
} MrenRole;

typedef enum MrenStage
{
	MREN_STAGE_SCAN,	 /* names, splits, groups */
	MREN_STAGE_GROUPS,	 /* with weak rows: which groups validate */
	MREN_STAGE_MEASURE,	 /* roles, means and deviations */
	MREN_STAGE_PRETRAIN, /* each member on the weak rows, if they come first */
	MREN_STAGE_FIT,		 /* each member on the training rows */
	MREN_STAGE_FOLD,	 /* beside weak rows: again, so that other gold rows validate */
	MREN_STAGE_MARKER_PRETRAIN,
	MREN_STAGE_MARKER_FIT,
	MREN_STAGE_REFIT, /* each member on validation rows, too */
	MREN_STAGE_MARKER_REFIT,
	MREN_STAGE_AWAIT,	/* trainer->awaited, a course that is trained elsewhere */
	MREN_STAGE_COURSES, /* of a trainer that serves: between two courses */
	MREN_STAGE_DONE,
} MrenStage;

/* Gold rows that follow weak ones are learned at this share of the rate. */
#define MREN_GOLD_RATE (1.0 / 3)
/* Fewer gold rows after weak ones validate in turn, and the fewer, the more classes are balanced. */
#define MREN_FEW_GOLD_ROWS 1000

/* The phases of a training, which number the random streams. */
enum
{
	MREN_PHASE_FIT = 1,
	MREN_PHASE_REFIT = 2,
	MREN_PHASE_PRETRAIN = 3,
	MREN_PHASE_FOLD = 4,
};

/* The epochs of one member in one stage. */
typedef struct MrenEpochs
{
	int phase;
	bool weak;		   /* weak rows take part */
	bool gold;		   /* gold rows do */
	int epoch;		   /* 1-based */
	int n_epochs;	   /* maximum */
	int member_epochs; /* those in which the member is trained, not the linear branch alone */
	size_t n_rows;	   /* rows of an epoch */
	bool validates;	   /* after each epoch; patience then counts */
	int fold;		   /* of a stage of folds */
	bool validating;
	double loss_sum; /* of this epoch */
	double loss_weight;
	size_t rows_done;
} MrenEpochs;

/* Sums over training rows, in canonical order and double precision. */
typedef struct MrenMoments
{
	double *sum;
	double *square;
	uint64_t n;
} MrenMoments;

/* Rows that an epoch has read but not yet used. */
typedef struct MrenRowPool
{
	uint32_t *blocks; /* (n_blocks) this epoch's order */
	size_t n_blocks;
	size_t next_block;
	MrenBuffer records;
	uint64_t *offsets; /* (n) of records */
	uint32_t *order;   /* (n) shuffled numbers of offsets */
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

/* Logits of the first validation rows, for calibration and for members' shares. */
typedef struct MrenKeptRows
{
	size_t capacity; /* rows */
	size_t n_folded; /* rows of earlier folds, which are kept before those of this pass */
	float *logits;	 /* (capacity, n_relations) of this pass */
	float *best;	 /* of the member's best epoch; at the end of all members together */
	float *sum;		 /* sum over the members that read images; NULL if there is one member only */
	int32_t *labels; /* (capacity) */
	float *weights;
	uint64_t *pairs; /* (capacity) the same for rows of one pair; NULL: no thresholds are fitted */
} MrenKeptRows;

/*
 * One network of the run: its parameters, optimizer, batch and state.  The first member is
 * open for the whole run and holds the measured tensors; a further one is open while it is
 * trained, and between its stages keeps only `best`.
 */
typedef struct MrenMember
{
	bool text_only; /* reads no images, only where in them the mentions are */
	uint64_t seed;
	MrenNetShape shape; /* without the linear branch */
	MrenNetLayout layout;
	float *best;  /* (trained_size) of its best epoch, or of the refit's last one */
	float *start; /* as best: what it learned from weak rows that come first; or NULL */

	/* While it is open */
	float *values; /* (layout.table.size) of the last step */
	float *grads;  /* (trained_size) */
	float *mean;   /* as values: their moving mean over steps; NULL: none is taken */
	MrenOptimizerState optimizer;
	MrenBatch batch;

	/* Results of its first stage */
	bool validated;
	int best_epoch;
	double best_choice; /* the smallest value so far of what epochs are compared by */
	double validation_loss;

	/* Results of its refit */
	bool refitted;
	double refit_loss; /* of its last epoch */
} MrenMember;

/* The linear branch (trainer_linear.c). */
typedef struct MrenLinearTraining
{
	uint8_t *counts; /* (2^bits) rows that have a feature there, at most 255 */
	MrenLinearIndex index;
	uint32_t *slots; /* (shape.linear_rows) */
	bool has_boxes;	 /* some row has features of boxes */
	float *values;	 /* (linear_rows, n_relations) */
	float *squares;	 /* as values */
	float *best;
	float *start;		/* as values: learned from weak rows that come first; or NULL */
	uint32_t *rows;		/* (batch rows, MREN_MAX_ROW_FEATURES) of values */
	uint32_t *n_rows;	/* (batch rows) */
	float *scores;		/* (batch rows, n_relations) */
	float *dscores;		/* likewise */
	float *kept_scores; /* (kept rows, n_relations) of this pass */
	float *best_scores; /* of the branch's best epoch */
	MrenObjective objective;
	int n_epochs;	  /* of this stage; 0: the branch takes no part in it */
	double best_loss; /* of a validation's rows, calibrated */
	bool validated;
	int best_epoch; /* 0: that before the first epoch of the stage */
	float rate;		/* share of the rate in this stage */
	double share;	/* of the branch in the sum, 0 .. 1; the network has the rest */
	bool refitted;
} MrenLinearTraining;

/* Results of the scan. */
typedef struct MrenRowScan
{
	MrenNames relations;
	MrenNames types;
	bool has_validation_split; /* of a gold row */
	bool has_targets;		   /* some row has a distribution */
	size_t n_weak;			   /* usable weak rows */
	size_t n_gold;
	bool has_grids;			 /* some row has a grid, and the network has grid attention */
	bool has_boxes;			 /* some row has a box */
	uint64_t smallest_group; /* of the hashes of the gold rows' groups */
	uint64_t largest_group;
	uint64_t validation_below; /* groups with a smaller hash validate */
	double square_sum;		   /* of known words' vectors */
	uint64_t square_n;
	size_t n_usable;			/* rows that are neither test nor hold-out rows */
	MrenWordCounts word_counts; /* of the usable rows, if vectors are fine-tuned */
	uint64_t *validating;		/* (n_validating) groups, ascending; with weak rows */
	size_t n_validating;
	size_t validating_capacity;
	int n_folds; /* in each of which other gold rows validate; 0: always the same do */
} MrenRowScan;

/* Results of the measurement. */
typedef struct MrenMeasurement
{
	uint8_t *roles;		  /* (source.n) MrenRole */
	uint8_t *folds;		  /* (source.n) 1-based fold of a gold row, else 0; NULL: there are none */
	uint64_t *identities; /* (n_usable) */
	size_t n_identities;
	MrenMoments text;
	MrenMoments vectors[MREN_N_VECTORS];
	MrenMoments grid;				/* of cells */
	MrenMoments box;				/* of geometries */
	double *class_count;			/* (n_relations) sum of the gold training rows' weights */
	float *class_weights;			/* (n_relations) */
	double *weak_class_count;		/* (n_relations) the same of weak rows */
	float *weak_class_weights;		/* (n_relations) */
	double mean_weight;				/* mean weight of a training row, by which losses are divided */
	float *inverse[MREN_N_VECTORS]; /* (dim of the vector) 1 / deviation */
} MrenMeasurement;

struct MrenTrainer
{
	MrenEnv env;
	MrenOptions options;
	MrenTrainerInputs inputs; /* the hashes are copied to: */
	uint8_t embeddings_sha256[32];
	uint8_t lexicons_sha256[MREN_MAX_NET_LEXICONS][32];
	uint8_t encoder_sha256[32];
	uint8_t audio_sha256[32];
	const MrenNet *warm; /* weights to start from; NULL: none */
	MrenCourses courses; /* trained elsewhere, or served; all NULL: none */
	bool serves;
	MrenCourse awaited;

	MrenStage stage;
	bool stopping; /* mren_trainer_stop */
	MrenEpochs epochs;
	size_t next_row; /* of scan and measurement */
	MrenTrainReport report;

	MrenRowScan scan;
	MrenMeasurement measured;

	/* The network, known after the scan */
	MrenNetShape shape;	 /* with the linear branch */
	int32_t *fine_tuned; /* (shape.n_fine_tuned) word ids, ascending */
	float scale;		 /* of word vectors, to unit root mean square */
	int32_t negative;	 /* relation; -1: there is none */
	MrenObjective objective;

	MrenMember members[MREN_MAX_MEMBERS + 1]; /* those that read images, then the text-only one */
	size_t n_members;
	size_t n_image_members; /* the members but the text-only one */
	size_t current;			/* the member that is trained now */
	double text_only_share; /* weight of its logits in the sum; the other members have the rest */
	MrenLinearTraining linear;
	MrenMarkerTraining marker;

	/* The rows of the current batch */
	size_t batch_rows; /* maximum number of rows in a batch */
	int32_t *labels;   /* (batch_rows) */
	float *targets;	   /* (batch_rows, n_relations) distributions; NULL: no row has one */
	bool *soft;		   /* (batch_rows) the row has one */
	float *weights;	   /* (batch_rows) */
	float *raw_vector; /* (the longest vector's dim) */
	uint16_t *raw_grid;
	MrenDropout drop;
	MrenRandom withhold;
	MrenRowPool pool;

	MrenValidation validation;
	MrenKeptRows kept;
	float *thresholds; /* (n_relations) of what is predicted, once report.decided */
};

/* The member that is trained now. */
static inline MrenMember *
mren_trainer_member(MrenTrainer *trainer)
{
	return &trainer->members[trainer->current];
}

/* Number of validation rows whose logits are kept. */
static inline size_t
mren_trainer_n_kept(const MrenTrainer *trainer)
{
	size_t n = trainer->report.n_validation;

	return n < trainer->kept.capacity ? n : trainer->kept.capacity;
}

/* Whether members learn the weak rows first, and then the gold ones. */
static inline bool
mren_trainer_pretrains(const MrenTrainer *trainer)
{
	return trainer->options.weak == MREN_WEAK_FIRST && trainer->report.n_weak > 0 &&
		   (trainer->report.n_train > trainer->report.n_weak || trainer->scan.n_folds > 0);
}

/* Whether the current stage trains the text encoder. */
static inline bool
mren_trainer_trains_marker(const MrenTrainer *trainer)
{
	return trainer->stage == MREN_STAGE_MARKER_PRETRAIN ||
		   trainer->stage == MREN_STAGE_MARKER_FIT || trainer->stage == MREN_STAGE_MARKER_REFIT;
}

/* Whether a row of this role trains in the current epoch. */
static inline bool
mren_trainer_uses(const MrenTrainer *trainer, uint8_t role)
{
	return (role == MREN_ROLE_TRAIN && trainer->epochs.gold) ||
		   (role == MREN_ROLE_WEAK && trainer->epochs.weak);
}

/*
 * trainer.c: the batch's loss and its gradient, in pieces between which interrupts are checked
 * for; the sum of the weights of the batch's rows; MREN_ENUMERIC for a loss that is not finite.
 */
extern MrenStatus mren_trainer_loss(MrenTrainer *trainer, const MrenObjective *objective,
									const float *logits, float scale, float *dlogits, double *loss,
									MrenError *err);
extern double mren_trainer_weight(MrenTrainer *trainer);
extern MrenStatus mren_trainer_check_loss(const MrenTrainer *trainer, double loss, MrenError *err);

#endif
