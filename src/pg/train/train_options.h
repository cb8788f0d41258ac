/*
 * train_options.h
 *	  The options object of training, and the embeddings and image encoder that
 *	  it names or implies.
 */
#ifndef MREN_PG_TRAIN_TRAIN_OPTIONS_H
#define MREN_PG_TRAIN_TRAIN_OPTIONS_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "data/grid.h"
#include "relation/options.h"
#include "pg/catalog/catalog.h"
#include "pg/support/compat.h"
#include "pg/resource/lexicon_list.h"

typedef struct MrenTrainOptions
{
	MrenOptions net;
	char *embeddings;	 /* name, or NULL: none.  The only set loaded where the option is missing */
	char *image_encoder; /* name, or NULL: no image can be used */
	bool deploy;
	double holdout_share; /* of the rows, held out to judge models by; 0 .. 0.5 */
	MrenLexiconList lexicons;
	MrenEmbeddingRow embedding_row; /* of dimension 0 without embeddings */
	MrenEncoderRow encoder_row;		/* if image_encoder */
	MrenGridShape grid;				/* of images, if the fusion looks at grids; else all 0 */
} MrenTrainOptions;

/*
 * mren_train_options
 *	  Reads an options object (NULL: {}); everything is allocated in the current
 *	  context.  22023 for an unknown key or an impossible value, listing what is
 *	  allowed; 42704 for embeddings or an encoder that are not loaded.
 */
extern void mren_train_options(const Jsonb *object, MrenTrainOptions *options);

/* The effective options as a JSON object, UTF-8, palloc'd. */
extern char *mren_train_options_json(const MrenTrainOptions *options);

/*
 * Values of an options object, for other objects of the kind: as the core takes
 * them; a name, or NULL for null; a boolean; a seed of all 64 bits, which a
 * double does not hold (false: it is no such number).  22023 with the key.
 */
extern MrenOptionValue mren_option_value(const JsonbValue *value);
extern char *mren_option_name(const char *key, const JsonbValue *value);
extern bool mren_option_bool(const char *key, const JsonbValue *value);
extern bool mren_option_seed(const JsonbValue *value, int64_t *seed);

/* 22023 for a key that is not in the list of names, with the one it is nearest to. */
/* An error that gives the present name of an option; nothing if that is NULL. */
extern void mren_option_renamed_error(const char *key, const char *renamed);
extern void mren_option_unknown(const char *key, const char *known) MREN_NORETURN;

/* Adds ', "key": value' as jsonb would print the string; NULL is null. */
extern void mren_option_append(StringInfo json, const char *key, const char *value);

#endif
