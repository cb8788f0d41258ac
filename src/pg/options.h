/*
 * options.h
 *	  The options object of training, and the embeddings and image encoder that
 *	  it names or implies.
 */
#ifndef MREN_PG_OPTIONS_H
#define MREN_PG_OPTIONS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "net/options.h"
#include "pg/catalog.h"

typedef struct MrenTrainOptions
{
	MrenOptions net;
	char *embeddings;	 /* name; of the only set loaded where the option is missing */
	char *image_encoder; /* name, or NULL: no picture can be used */
	bool deploy;
	double gate_share; /* of the rows, held out to judge models by; 0 .. 0.5 */
	MrenEmbeddingRow embedding_row;
	MrenEncoderRow encoder_row; /* if image_encoder */
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

#endif
