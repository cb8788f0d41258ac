/*
 * options.h
 *	  The options of a network and its training, with the defaults; read from
 *	  JSON one key at a time.
 *
 * The PostgreSQL layer adds its own keys (embeddings, image_encoder, deploy).
 * Options that mren_options_set has set are always within the documented
 * ranges, so they are not checked again.
 */
#ifndef MREN_RELATION_OPTIONS_H
#define MREN_RELATION_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evaluation/decision.h"
#include "nn/activation.h"
#include "nn/loss.h"
#include "nn/optimizer.h"
#include "training/common_options.h"

#define MREN_WINDOW_AUTO SIZE_MAX
#define MREN_WEIGHT_EMA_AUTO (-1.0)
#define MREN_WEIGHT_DECAY_AUTO (-1.0)
#define MREN_VALIDATION_SHARE_AUTO (-1.0)
#define MREN_TEXT_WEIGHT_DECAY 0.01
/*
 * The default of networks that read images.  The vector of an image is long and
 * images are few, so such a network soon memorizes the images of its training
 * rows and becomes overconfident; strong weight decay prevents that.
 */
#define MREN_IMAGE_WEIGHT_DECAY 1.0
#define MREN_IMAGE_WEIGHT_EMA 0.998 /* the default if rows have images */
#define MREN_MAX_MEMBERS 16			/* of an ensemble */
#define MREN_MAX_NEGATIVE 1024		/* bytes of a relation's name */

/* What reads the word vectors of a sentence. */
typedef enum MrenTextEncoder
{
	MREN_TEXT_POOL,
	MREN_TEXT_CONV, /* convolutions beside the pooled parts */
} MrenTextEncoder;

/* Which part of a pretrained text encoder is trained; in the order of MrenTransformerTuningKind. */
typedef enum MrenFineTuning
{
	MREN_FINE_TUNING_FROZEN,
	MREN_FINE_TUNING_ALL,
	MREN_FINE_TUNING_LAST_LAYERS,
	MREN_FINE_TUNING_ADAPTERS,
} MrenFineTuning;

#define MREN_MARKER_RATE_AUTO (-1.0)
#define MREN_MARKER_EPOCHS_AUTO 0

/* Where the markers of a pair stand. */
typedef enum MrenMarkers
{
	MREN_MARKERS_LEVITATED, /* after the text, which is read once for all pairs */
	MREN_MARKERS_SOLID,		/* in the text, which is read for each pair */
} MrenMarkers;

typedef enum MrenWordVectorTraining
{
	MREN_WORDS_FROZEN,
	MREN_WORDS_FINE_TUNED, /* in the convolutions: fine_tuned.h */
} MrenWordVectorTraining;

typedef enum MrenNegativeLogit
{
	MREN_NEGATIVE_LOGIT_LEARNED,
	MREN_NEGATIVE_LOGIT_FIXED, /* the logit of the negative relation is always 0 */
} MrenNegativeLogit;

typedef enum MrenFusion
{
	MREN_FUSION_PARALLEL,	/* text beside the image's vector */
	MREN_FUSION_SEQUENTIAL, /* the text attends to the image's grid */
	MREN_FUSION_HYBRID,		/* both */
	MREN_FUSION_AUTO,		/* the one that is best on validation rows */
} MrenFusion;

typedef enum MrenClassWeights
{
	MREN_CLASS_WEIGHTS_NONE,
	MREN_CLASS_WEIGHTS_BALANCED,
} MrenClassWeights;

/* How rows that no person labelled are trained on. */
typedef enum MrenWeakRows
{
	MREN_WEAK_FIRST, /* before the gold rows, which follow at a lower rate */
	MREN_WEAK_MIXED, /* together with them */
	MREN_WEAK_ONLY,	 /* alone: all gold rows validate */
} MrenWeakRows;

typedef struct MrenOptions
{
	MrenCommonOptions common; /* first: its table says where its fields are */

	/* The network */
	MrenFusion fusion;
	size_t
		/* outputs of the projection of an image's vector; 0: two projections, see layout.h */
		image_units;
	size_t product; /* dimension of the product term; 0: none */
	MrenTextEncoder text_encoder;
	/*
	 * A pretrained text encoder, with a marker classifier (relation/marker): its name, not owned,
	 * or NULL.  Without one the options up to encoder_refit have no effect, and the JSON lacks
	 * them.
	 */
	const char *pretrained;
	MrenFineTuning fine_tuning;
	MrenMarkers markers;
	size_t fine_tuned_layers;  /* the last ones; of MREN_FINE_TUNING_LAST_LAYERS */
	size_t adapter_rank;	   /* of MREN_FINE_TUNING_ADAPTERS */
	double encoder_rate;	   /* learning rate, or MREN_MARKER_RATE_AUTO: by kind and width */
	size_t encoder_epochs;	   /* or MREN_MARKER_EPOCHS_AUTO: by the number of rows */
	size_t encoder_batch_size; /* sentences */
	bool encoder_int8;		   /* answers are computed with matrices of bytes */
	bool encoder_refit;		   /* trained again on validation rows, too */
	MrenWordVectorTraining word_vectors;
	size_t filters;	  /* of each width of the convolutions */
	size_t hash_bits; /* of a lexical feature's slot; 0: no linear branch */
	size_t window;	  /* words read left and right of the mentions, 0 .. 64; or MREN_WINDOW_AUTO */

	/* Training */
	MrenLoss loss;
	double ranking_scale; /* of the ranking loss: multiplies scores and margins */
	double margin_right;  /* the score of the right relation should be above it */
	double margin_wrong;  /* the score of the best wrong relation should be below its negative */
	MrenNegativeLogit negative_logit;
	MrenOptimizer optimizer;
	double momentum;	  /* of SGD */
	double image_dropout; /* share of the rows with an image whose image is withheld in an epoch */
	MrenClassWeights class_weights;
	MrenWeakRows weak;
	bool text_only_member; /* a text-only member is trained beside those that read images */
	size_t ensemble;	   /* members that read images, whose logits are averaged; 1 .. 16 */

	/* Prediction */
	const char *negative; /* relation that means "no relation", or NULL; not owned */
	double threshold;	  /* abstain below it; negative: never */
	MrenAimOption decide; /* which relations are predicted: word is an MrenAim */
} MrenOptions;

extern void mren_options_init(MrenOptions *options);

/*
 * The effective window: by default 0 with convolutions, which read the words
 * around the mentions anyway, and otherwise 2.
 */
extern size_t mren_options_window(const MrenOptions *options);

/*
 * The effective share that validates.  Its default is greater for few gold rows, but not beside a
 * pretrained text encoder, which would lose them: it is not trained on them afterwards.
 */
extern double mren_options_validation_share(const MrenOptions *options, size_t n_gold);

/* The effective weight_ema, whose default depends on whether rows have images. */
extern double mren_options_weight_ema(const MrenOptions *options, bool images);

/* The effective weight decay, whose default depends on whether the network reads images. */
extern double mren_options_weight_decay(const MrenOptions *options, bool images);

/*
 * mren_options_set
 *	  Sets one key of the options object.  null gives the key its default.
 *	  MREN_EPARAM, with key and value in the message and what is allowed in the
 *	  hint, for an unknown key, a wrong type or an impossible value.  A string
 *	  is kept by pointer.  "text_encoder" takes "pool", "conv", or the name of a
 *	  pretrained one beside the convolutions.  A seed beyond 2^53 does not fit a double: set the
 *	  field itself.
 */
extern MrenStatus mren_options_set(MrenOptions *options, const char *key,
								   const MrenOptionValue *value, MrenError *err);

extern bool mren_options_known(const char *key);

/* The present name of an option that was renamed; NULL for any other key. */
extern const char *mren_options_renamed(const char *old_key);

/* "activation, batch_size, ...", for hints; cut between keys if size is too small. */
extern void mren_options_list(char *buffer, size_t size);

/* The optimizer of a network that reads images, or does not. */
extern MrenOptimizerConfig mren_options_optimizer(const MrenOptions *options, bool images);

/* The objective; `negative` is the index of the negative relation, or -1. */
extern MrenObjective mren_options_objective(const MrenOptions *options, int32_t negative);

/*
 * mren_options_json
 *	  The effective options as a JSON object, keys in alphabetical order,
 *	  zero-terminated, allocated; equal options give equal bytes.
 */
extern MrenStatus mren_options_json(const MrenEnv *env, const MrenOptions *options, char **json,
									MrenError *err);

#endif
