/*
 * tag_options.h
 *	  The options of a tagger and its training, with the defaults.
 *
 * Options that relation networks have as well have the same names and ranges;
 * the PostgreSQL layer adds embeddings, lexicons and deploy.
 */
#ifndef MREN_TAGGER_TAG_OPTIONS_H
#define MREN_TAGGER_TAG_OPTIONS_H

#include "training/common_options.h"
#include "transformer/train/tuning.h"

/* Depends on whether there is a text encoder. */
#define MREN_TAG_EPOCHS_AUTO 0
/* Depends on what is trained of the text encoder, and on its width. */
#define MREN_TAG_ENCODER_RATE_AUTO (-1.0)

typedef struct MrenTagOptions
{
	MrenCommonOptions common; /* first: its table says where its fields are */
	size_t window;			  /* words that the first hidden layer reads on each side; 0 .. 8 */
	size_t context;			  /* words that further hidden layers read on each side; 0 .. 8 */
	size_t feature_dim;		  /* of the learned vectors of affixes and n-grams; 0: none */
	bool direct;			  /* features also add to the scores directly */
	double direct_dropout;	  /* dropout of the direct features */
	/* share of learning_rate that is left in the last epoch; it falls linearly */
	double anneal;
	/*
	 * A pretrained text encoder, trained with the tagger: its name, not owned, or NULL.  Without
	 * one the options below have no effect, and the JSON lacks them.
	 */
	const char *text_encoder;
	MrenTransformerTuningKind fine_tuning;
	size_t fine_tuned_layers; /* the last ones; of MREN_TUNING_LAST */
	size_t adapter_rank;	  /* of MREN_TUNING_ADAPTERS */
	bool encoder_int8;		  /* answers are computed with matrices of bytes */
	double encoder_rate;	  /* its learning rate, or MREN_TAG_ENCODER_RATE_AUTO */
} MrenTagOptions;

extern void mren_tag_options_init(MrenTagOptions *options);

/* The number of epochs, with its default filled in. */
extern size_t mren_tag_options_epochs(const MrenTagOptions *options);

/* As mren_options_set. */
extern MrenStatus mren_tag_options_set(MrenTagOptions *options, const char *key,
									   const MrenOptionValue *value, MrenError *err);
extern bool mren_tag_options_known(const char *key);
/* As mren_options_renamed. */
extern const char *mren_tag_options_renamed(const char *old_key);

/* "activation, batch_size, ...", for hints. */
extern void mren_tag_options_list(char *buffer, size_t size);

/* The effective options as a JSON object; as mren_options_json. */
extern MrenStatus mren_tag_options_json(const MrenEnv *env, const MrenTagOptions *options,
										char **json, MrenError *err);

#endif
