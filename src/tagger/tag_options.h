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
} MrenTagOptions;

extern void mren_tag_options_init(MrenTagOptions *options);

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
