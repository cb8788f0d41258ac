/*
 * train_setup.h
 *	  The options of a training with what they name in the database: word
 *	  embeddings, an image encoder and lexicons.
 */
#ifndef MREN_PG_TRAIN_TRAIN_SETUP_H
#define MREN_PG_TRAIN_TRAIN_SETUP_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "data/grid.h"
#include "pg/catalog/catalog.h"
#include "pg/resource/lexicon_list.h"
#include "relation/options.h"

typedef struct MrenTrainSetup
{
	MrenOptions net;	 /* the core's options */
	char *embeddings;	 /* name, or NULL: none; where not given, the only set loaded */
	char *image_encoder; /* name, or NULL: none, and no row may have an image; where not given,
						  * the only one loaded */
	bool encoder_named;	 /* the options name the encoder */
	char *audio_encoder; /* name, or NULL: none; where not given, log-mel statistics */
	bool audio_named;	 /* the options name it, or rows have recordings */
	bool deploy;
	bool skip_bad;		  /* option on_error: leave out rows that cannot be used */
	double holdout_share; /* share of the rows that is held out to judge models; 0 .. 0.5 */
	MrenLexiconList lexicons;
	MrenEmbeddingRow embedding_row;		 /* dimension 0 without embeddings */
	MrenImageEncoderRow encoder_row;	 /* only with an image encoder */
	MrenTextEncoderRow text_encoder_row; /* only with net.pretrained */
	uint8 audio_identity[MREN_SHA256_LENGTH];
	int audio_dimension; /* 0 without an audio encoder */
	MrenGridShape grid;	 /* of an image, if the fusion attends to grids; else all 0 */
} MrenTrainSetup;

/*
 * mren_train_setup_read
 *	  Reads an options object (NULL: {}); everything is allocated in the current
 *	  context.  22023 for an unknown key or an impossible value, listing what is
 *	  allowed; 42704 for embeddings, an encoder or a lexicon that is not loaded.
 */
extern void mren_train_setup_read(const Jsonb *object, MrenTrainSetup *setup);

/*
 * The same for a function that has read options of its own from the object.  beside names them,
 * each followed by ", ", for the hint of an unknown key.
 */
extern void mren_train_setup_read_beside(const Jsonb *object, const char *beside,
										 MrenTrainSetup *setup);

/* The options in effect as a JSON object, UTF-8, palloc'd. */
extern char *mren_train_setup_json(const MrenTrainSetup *setup);

#endif
